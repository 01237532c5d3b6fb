/*
 * test_status_rows.c - what is shown of a certificate, and to whom.
 */
#include "acme_status_rows.h"
#include "live.h"

static apr_array_header_t *names;

static int setup(void **state)
{
    pool_setup(state);
    names = apr_array_make(pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH(names, const char *) = "www.example.org";
    APR_ARRAY_PUSH(names, const char *) = "example.org";
    return 0;
}

#define VIEW_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

static apr_array_header_t *rows_of(const acme_state_t *state, int is_held)
{
    const acme_status_cert_t cert = {
        .id = "www.example.org", .names = names, .state = state,
        .is_reload_held = is_held
    };

    return acme_status_rows_make(&cert, NOW, pool);
}

/* To programs or to people; "(none)" when the row is not shown. */
static const char *shown(const apr_array_header_t *rows, const char *key,
                         unsigned reader)
{
    const acme_status_row_t *row = acme_status_rows_find(rows, key, reader);

    if (!row) {
        return "(none)";
    }
    if (reader & (ACME_STATUS_LINES | ACME_STATUS_JSON)) {
        return row->value ? row->value : "(null)";
    }
    return row->text;
}

static void a_valid_one(void **unused)
{
    static const struct {
        const char *key;
        const char *lines, *json, *text, *page;
    } rows[] = {
        { "id", "www.example.org", "www.example.org", "www.example.org",
          "www.example.org" },
        { "state", "valid", "valid", "valid", "valid" },
        { "names", "www.example.org,example.org",
          "www.example.org,example.org", "www.example.org example.org",
          "www.example.org, example.org" },
        { "served", "yes", "true", "(none)", "(none)" },
        { "serial", "04deadbeef", "04deadbeef", "04deadbeef", "(none)" },
        { "issuer", "Some CA", "Some CA", "Some CA", "(none)" },
        { "validFrom", "2026-11-16T05:36:05Z", "2026-11-16T05:36:05Z",
          "(none)", "(none)" },
        { "validUntil", "2027-02-14T05:36:05Z", "2027-02-14T05:36:05Z",
          "2027-02-14 05:36:05 UTC", "2027-02-14 05:36:05 UTC" },
        { "nextAt", "2026-12-01T05:36:05Z", "2026-12-01T05:36:05Z", "(none)",
          "(none)" },
        { "nextStep", "renew", "renew", "renew at 2026-12-01 05:36:05 UTC",
          "renewal at 2026-12-01 05:36:05 UTC (in 10 days)" },
        { "windowStart", "2026-11-30T05:36:05Z", "2026-11-30T05:36:05Z",
          "(none)", "(none)" },
        { "explanation", "https://ca/why", "https://ca/why", "(none)",
          "https://ca/why" },
        { "attempts", "0", "0", "(none)", "(none)" },
        { "leftOut", "(none)", "0", "(none)", "(none)" },
        { "leftOutUntil", "(none)", "(null)", "(none)", "(none)" },
        { "limit", "(none)", "", "(none)", "(none)" },
        { "problem", "(none)", "", "(none)", "(none)" },
        { "detail", "(none)", "", "(none)", "(none)" },
        { "revoked", "(none)", "false", "(none)", "(none)" },
        { "deleted", "(none)", "false", "(none)", "(none)" },
        { "postFailing", "1", "1",
          "a command failed 1 time: /p: exit status 2; next attempt at "
          "2026-11-21 05:36:05 UTC",
          "a command failed 1 time: /p: exit status 2; next attempt at "
          "2026-11-21 05:36:05 UTC" },
        { "postFailure", "/p: exit status 2", "/p: exit status 2", "(none)",
          "(none)" },
        { "deployFailing", "1", "1",
          "a command failed 2 times: /d: exit status 1; next attempt at "
          "2026-11-21 05:36:05 UTC",
          "a command failed 2 times: /d: exit status 1; next attempt at "
          "2026-11-21 05:36:05 UTC" },
        { "deployNextAt", "2026-11-21T05:36:05Z", "2026-11-21T05:36:05Z",
          "(none)", "(none)" },
        { "deployFailure", "/d: exit status 1", "/d: exit status 1", "(none)",
          "(none)" },
        { "undelivered", "(none)", "0", "(none)", "(none)" },
        { "undeliveredFailure", "(none)", "", "(none)", "(none)" },
        { "nextKeyMade", "2026-11-20T05:36:05Z", "2026-11-20T05:36:05Z",
          "made at 2026-11-20 05:36:05 UTC; used from 2026-11-22 05:36:05 UTC on",
          "made at 2026-11-20 05:36:05 UTC; used from 2026-11-22 05:36:05 UTC on" },
        { "nextKeyFrom", "2026-11-22T05:36:05Z", "2026-11-22T05:36:05Z",
          "(none)", "(none)" },
        { "reason", "(none)", "", "(none)", "(none)" },
        { "fault", "(none)", "", "(none)", "(none)" },
        { "remedy", "(none)", "", "(none)", "(none)" }
    };
    const apr_array_header_t *all;
    acme_state_t state;
    size_t i;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(5), 1);
    state.served = state.live;
    set_window(&state, NOW + DAYS(9), NOW + DAYS(12), NOW + DAYS(10));
    apr_cpystrn(state.issuer, "Some CA", sizeof(state.issuer));
    state.post.waiting = 1;
    state.post.failures = 1;
    state.post.next_at = NOW;
    apr_cpystrn(state.post.failure, "/p: exit status 2",
                sizeof(state.post.failure));
    state.deploy.waiting = 1;
    state.deploy.failures = 2;
    state.deploy.next_at = NOW;
    apr_cpystrn(state.deploy.failure, "/d: exit status 1",
                sizeof(state.deploy.failure));
    apr_cpystrn(state.explanation, "https://ca/why",
                sizeof(state.explanation));
    state.next_key_made = NOW - DAYS(1);
    state.next_key_from = NOW + DAYS(1);
    all = rows_of(&state, 0);
    for (i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].key);
        assert_string_equal(shown(all, rows[i].key, ACME_STATUS_LINES),
                            rows[i].lines);
        assert_string_equal(shown(all, rows[i].key, ACME_STATUS_JSON),
                            rows[i].json);
        assert_string_equal(shown(all, rows[i].key, ACME_STATUS_TEXT),
                            rows[i].text);
        assert_string_equal(shown(all, rows[i].key, ACME_STATUS_PAGE),
                            rows[i].page);
    }
}

enum { STARTING, NOT_AGREED, DELETED, LIMITED, PAUSED, FAILED, FAILED_OLD,
       LEFT_OUT, AFTER_RELOAD, HELD, REVOKED, NEW, STAND_IN, FOREIGN,
       NOT_EXPORTED };

/* Each way to wait or to fail has a reason, and all readers the same. */
static void reasons(void **unused)
{
    static const struct {
        const char *name;
        int what;
        const char *state, *code, *fault;
        int ill;
    } rows[] = {
        { "starting", STARTING, "starting", "", "", 0 },
        { "new", NEW, "placeholder", "", "", 0 },
        { "not agreed", NOT_AGREED, "not-agreed", "terms-not-agreed",
          "administrator", 1 },
        { "deleted", DELETED, "deleted", "deleted", "administrator", 0 },
        { "limited", LIMITED, "placeholder", "rate-limited", "ca", 0 },
        { "its CA is paused", PAUSED, "placeholder", "ca-paused", "ca", 0 },
        { "failed", FAILED, "failed", "caa-forbidden", "dns", 1 },
        { "failed, of an old journal", FAILED_OLD, "failed", "other", "", 1 },
        { "a name is left out", LEFT_OUT, "valid", "names-quarantined",
          "administrator", 0 },
        { "served after a reload", AFTER_RELOAD, "valid", "", "", 0 },
        { "the reload is held", HELD, "valid", "reload-held",
          "administrator", 0 },
        { "revoked", REVOKED, "revoked", "", "", 1 },
        { "another one serves", STAND_IN, "stand-in", "", "", 0 },
        { "visitors get another one", FOREIGN, "valid", "not-served",
          "administrator", 1 },
        { "a copy cannot be written", NOT_EXPORTED, "valid", "export-failed",
          "administrator", 1 }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        const int what = rows[i].what;
        const apr_array_header_t *all;
        acme_state_t state;
        const char *text;

        make_live(&state, DAYS(90), DAYS(5), 1);
        state.served = what == AFTER_RELOAD || what == HELD ? 0 : state.live;
        if (what == NEW || what == LIMITED || what == PAUSED || what == FAILED
            || what == FAILED_OLD || what == STAND_IN) {
            state.live = state.served = state.covers = 0;
            state.not_before = state.not_after = 0;
        }
        state.instead = what == STAND_IN ? ACME_INSTEAD_STAND_IN
            : what == FOREIGN ? ACME_INSTEAD_FOREIGN : ACME_INSTEAD_NOTHING;
        state.agreed = what != NOT_AGREED;
        state.deleted = what == DELETED;
        state.revoked = what == REVOKED || what == DELETED;
        state.limit_until = what == LIMITED || what == PAUSED ? NOW + HOURS(1)
                                                              : 0;
        state.limit_why = what == LIMITED ? ACME_REASON_RATE_LIMITED
            : what == PAUSED ? ACME_REASON_CA_PAUSED : ACME_REASON_NONE;
        state.left_out = what == LEFT_OUT;
        state.attempts = what == FAILED || what == FAILED_OLD;
        state.next_at = NOW + HOURS(1);
        state.why = what == FAILED ? ACME_REASON_CAA_FORBIDDEN
                                   : ACME_REASON_NONE;

        apr_cpystrn(state.export_failure,
                    what == NOT_EXPORTED ? "/x: no" : "",
                    sizeof(state.export_failure));

        all = rows_of(what == STARTING ? NULL : &state, what == HELD);
        print_message("%s\n", rows[i].name);
        assert_string_equal(shown(all, "state", ACME_STATUS_LINES),
                            rows[i].state);
        assert_string_equal(shown(all, "reason", ACME_STATUS_JSON),
                            rows[i].code);
        assert_string_equal(shown(all, "fault", ACME_STATUS_JSON),
                            rows[i].fault);
        text = shown(all, "reason", ACME_STATUS_TEXT);
        assert_string_equal(shown(all, "reason", ACME_STATUS_PAGE), text);
        if (*rows[i].code) {
            assert_string_equal(shown(all, "reason", ACME_STATUS_LINES),
                                rows[i].code);
            assert_ptr_equal(strstr(text, rows[i].code), text);
            assert_string_equal(shown(all, "remedy", ACME_STATUS_TEXT),
                                shown(all, "remedy", ACME_STATUS_JSON));
            assert_true(*shown(all, "remedy", ACME_STATUS_LINES));
        }
        else {
            assert_string_equal(shown(all, "reason", ACME_STATUS_LINES),
                                "(none)");
            assert_string_equal(text, "(none)");
        }
        text = what == NOT_EXPORTED ? "/x: no" : "(none)";
        assert_string_equal(shown(all, "exportFailure", ACME_STATUS_LINES),
                            text);
        assert_string_equal(shown(all, "exportFailure", ACME_STATUS_PAGE),
                            text);
        if (what != STARTING) {
            assert_int_equal(acme_status_rows_is_ill(&state, NOW), rows[i].ill);
        }
    }
}

static void a_failing_one(void **unused)
{
    const apr_array_header_t *all;
    acme_state_t state;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(61), 1);
    state.served = 0;
    state.attempts = 2;
    state.next_at = NOW + HOURS(2);
    state.left_out = 3;
    state.left_out_named = 1;
    state.left_out_failures = 4;
    state.left_out_why = ACME_REASON_DNS_FAILED;
    apr_cpystrn(state.left_out_names, "old.example.org",
                sizeof(state.left_out_names));
    state.names_again_at = NOW + DAYS(1);
    state.why = ACME_REASON_DNS_NXDOMAIN;
    apr_cpystrn(state.problem, "urn:ietf:params:acme:error:dns",
                sizeof(state.problem));
    apr_cpystrn(state.detail, "no such name", sizeof(state.detail));
    all = rows_of(&state, 0);

    assert_string_equal(shown(all, "problem", ACME_STATUS_LINES),
                        "urn:ietf:params:acme:error:dns no such name");
    assert_string_equal(shown(all, "problem", ACME_STATUS_JSON),
                        "urn:ietf:params:acme:error:dns");
    assert_string_equal(shown(all, "detail", ACME_STATUS_JSON), "no such name");
    assert_string_equal(shown(all, "attempts", ACME_STATUS_TEXT),
                        "2 times: no such name");
    assert_string_equal(shown(all, "leftOut", ACME_STATUS_LINES), "3");
    assert_string_equal(shown(all, "leftOut", ACME_STATUS_PAGE),
                        "old.example.org and 2 more (dns-failed, failed 4 times; "
                        "tried again at 2026-11-22 05:36:05 UTC)");
    assert_string_equal(shown(all, "leftOutNames", ACME_STATUS_LINES),
                        "old.example.org");
    assert_string_equal(shown(all, "leftOutReason", ACME_STATUS_JSON),
                        "dns-failed");
    assert_string_equal(shown(all, "served", ACME_STATUS_LINES),
                        "after-reload");
    assert_string_equal(shown(all, "served", ACME_STATUS_JSON), "false");
    assert_string_equal(shown(all, "served", ACME_STATUS_TEXT),
                        "after the next reload");
    assert_string_equal(shown(all, "nextStep", ACME_STATUS_PAGE),
                        "next attempt at 2026-11-21 07:36:05 UTC (in 2 h)");
}

static void once(void **unused)
{
    acme_state_t state;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(61), 1);
    state.attempts = 1;
    apr_cpystrn(state.detail, "no such name", sizeof(state.detail));
    assert_string_equal(shown(rows_of(&state, 0), "attempts",
                              ACME_STATUS_TEXT), "once: no such name");
}

/* Who can remedy it follows the name's own failure, or what was seen here. */
static void advice(void **unused)
{
    const acme_left_out_t name = { "old.example.org", 3,
                                   ACME_REASON_DNS_NXDOMAIN, NULL, NOW };
    const apr_array_header_t *all;
    acme_state_t state;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(5), 1);
    state.served = state.live;
    acme_state_add_left_out(&state, &name);
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "reason", ACME_STATUS_JSON),
                        "names-quarantined");
    assert_string_equal(shown(all, "fault", ACME_STATUS_JSON), "dns");
    assert_string_equal(shown(all, "remedy", ACME_STATUS_JSON),
        acme_reason_about(ACME_REASON_DNS_NXDOMAIN)->remedy);

    state.rehearsal = ACME_REHEARSAL_FAULT;
    state.rehearsal_why = ACME_REASON_REDIRECT_FAILED;
    apr_cpystrn(state.rehearsal_detail, "it is redirected",
                sizeof(state.rehearsal_detail));
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "fault", ACME_STATUS_JSON),
                        "administrator");
    assert_string_equal(shown(all, "remedy", ACME_STATUS_TEXT),
        acme_reason_about(ACME_REASON_REDIRECT_FAILED)->remedy);
}

/* As many as there is room for, the first ones; the memory is not left. */
static void many_names_left_out(void **unused)
{
    acme_left_out_t name = { NULL, 3, ACME_REASON_OTHER, "", NOW };
    acme_state_t state;
    int i;

    (void)unused;
    memset(&state, 0, sizeof(state));
    for (i = 0; i < 100; i++) {
        name.name = apr_psprintf(pool, "%d%s.example.org", i,
                                 i == 2 ? "-a-longer-one" : "");
        acme_state_add_left_out(&state, &name);
    }
    assert_int_equal(state.left_out, 100);
    assert_true(state.left_out_named > 10 && state.left_out_named < 30);
    assert_true(strlen(state.left_out_names) < sizeof(state.left_out_names));
    assert_non_null(strstr(acme_status_rows_left_out(&state, pool),
                           apr_psprintf(pool, " and %u more",
                                        100 - state.left_out_named)));
    assert_non_null(strstr(state.left_out_names, ", 2-a-longer-one.example.org, "));
    acme_state_clear_left_out(&state);
    assert_string_equal(acme_status_rows_left_out(&state, pool),
                        "0 of its names");
}

static void served_after_the_next_reload(void **unused)
{
    acme_state_t state;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(5), 1);
    state.served = 0;
    assert_string_equal(acme_status_rows_state(&state, NOW),
                        "valid, served after the next reload");
    state.served = state.live;
    assert_string_equal(acme_status_rows_state(&state, NOW), "valid");
    state.served = 0;
    state.attempts = 1;
    assert_string_equal(acme_status_rows_state(&state, NOW), "failed");
}

/* One that had no certificate yet shows none of its fields to people. */
static void a_new_one(void **unused)
{
    const apr_array_header_t *all;
    acme_state_t state;

    (void)unused;
    memset(&state, 0, sizeof(state));
    state.agreed = 1;
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "served", ACME_STATUS_LINES),
                        "placeholder");
    assert_string_equal(shown(all, "serial", ACME_STATUS_LINES), "(none)");
    assert_string_equal(shown(all, "serial", ACME_STATUS_JSON), "");
    assert_string_equal(shown(all, "validUntil", ACME_STATUS_JSON), "(null)");
    assert_string_equal(shown(all, "validUntil", ACME_STATUS_TEXT), "(none)");
    assert_string_equal(shown(all, "validUntil", ACME_STATUS_PAGE), "-");
    assert_string_equal(shown(all, "nextStep", ACME_STATUS_PAGE),
                        "to be ordered now");
    all = rows_of(NULL, 0);
    assert_string_equal(shown(all, "nextStep", ACME_STATUS_PAGE),
                        "the keeper is starting");
    assert_string_equal(shown(all, "nextAt", ACME_STATUS_LINES), "(none)");
}

/* What visitors get: never "yes" where it is something else. */
static void what_is_served(void **unused)
{
    static const struct {
        int live, served;
        acme_instead_e instead;
        const char *lines, *json, *text;
        acme_check_e check;
    } rows[] = {
        { 2, 2, ACME_INSTEAD_NOTHING, "yes", "true", "(none)",
          ACME_CHECK_NONE },
        { 0, 0, ACME_INSTEAD_NOTHING, "placeholder", "false", "(none)",
          ACME_CHECK_NONE },
        { 2, 1, ACME_INSTEAD_NOTHING, "after-reload", "false",
          "after the next reload", ACME_CHECK_NONE },
        { 2, 1, ACME_INSTEAD_STAND_IN, "after-reload", "false",
          "after the next reload", ACME_CHECK_NONE },
        { 2, 2, ACME_INSTEAD_STAND_IN, "stand-in", "false",
          "another certificate of the store that has its names, until its own is issued",
          ACME_CHECK_NONE },
        { 0, 0, ACME_INSTEAD_STAND_IN, "stand-in", "false",
          "another certificate of the store that has its names, until its own is issued",
          ACME_CHECK_NONE },
        { 2, 2, ACME_INSTEAD_FOREIGN, "no", "false",
          "no: visitors of one of its names get something else",
          ACME_CHECK_NONE },
        { 2, 2, ACME_INSTEAD_NOTHING, "yes", "true", "(none)",
          ACME_CHECK_SERVED },
        { 2, 2, ACME_INSTEAD_NOTHING, "yes", "true", "(none)",
          ACME_CHECK_UNKNOWN },
        { 2, 2, ACME_INSTEAD_NOTHING, "no", "false",
          "no: visitors of one of its names get another certificate",
          ACME_CHECK_OTHER },
        { 3, 2, ACME_INSTEAD_NOTHING, "after-reload", "false",
          "after the next reload", ACME_CHECK_OTHER },
        { 0, 0, ACME_INSTEAD_NOTHING, "placeholder", "false", "(none)",
          ACME_CHECK_OTHER }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        const apr_array_header_t *all;
        acme_state_t state;

        make_live(&state, DAYS(90), DAYS(5), 1);
        state.live = rows[i].live;
        state.served = rows[i].served;
        state.instead = rows[i].instead;
        state.check = rows[i].check;
        all = rows_of(&state, 0);
        assert_string_equal(shown(all, "served", ACME_STATUS_LINES),
                            rows[i].lines);
        assert_string_equal(shown(all, "served", ACME_STATUS_JSON),
                            rows[i].json);
        assert_string_equal(shown(all, "served", ACME_STATUS_TEXT),
                            rows[i].text);
        assert_string_equal(shown(all, "served", ACME_STATUS_PAGE),
                            rows[i].text);
    }
}

static void how_it_came_to_be_served(void **unused)
{
    const apr_array_header_t *all;
    acme_state_t state;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(5), 1);
    state.served = state.live;
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "activated", ACME_STATUS_JSON), "reload");
    assert_string_equal(shown(all, "activated", ACME_STATUS_LINES), "(none)");
    assert_string_equal(shown(all, "activated", ACME_STATUS_TEXT), "(none)");

    state.activated = 1;
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "activated", ACME_STATUS_JSON), "live");
    assert_string_equal(shown(all, "activated", ACME_STATUS_LINES), "live");
    assert_string_equal(shown(all, "activated", ACME_STATUS_PAGE),
                        "in running workers, without a reload");

    state.live++;
    state.not_live = ACME_NOT_LIVE_STAPLE;
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "activated", ACME_STATUS_JSON), "(null)");
    assert_string_equal(shown(all, "activated", ACME_STATUS_LINES), "(none)");
    assert_string_equal(
        shown(all, "activated", ACME_STATUS_TEXT),
        "by a reload: it has must-staple, and mod_ssl gets its OCSP response only with a reload");

    state.not_live = ACME_NOT_LIVES;    /* a worker can write to the board */
    assert_string_equal(acme_state_not_live_text(state.not_live), "");
    state.not_live = (acme_not_live_e)-1;
    assert_string_equal(acme_state_not_live_text(state.not_live), "");
}

/* Where httpd was visited, and what was found there. */
static void what_the_self_check_found(void **unused)
{
    const apr_array_header_t *all;
    acme_state_t state;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(5), 1);
    state.served = state.live;
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "selfChecked", ACME_STATUS_LINES),
                        "(none)");
    assert_string_equal(shown(all, "selfChecked", ACME_STATUS_JSON),
                        "(null)");
    assert_string_equal(shown(all, "servedAt", ACME_STATUS_LINES), "(none)");

    state.check = ACME_CHECK_SERVED;
    state.checked = NOW;
    apr_cpystrn(state.check_places, "*:443=yes", sizeof(state.check_places));
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "selfChecked", ACME_STATUS_LINES),
                        "2026-11-21T05:36:05Z");
    assert_string_equal(shown(all, "selfChecked", ACME_STATUS_TEXT),
                        "at 2026-11-21 05:36:05 UTC: *:443=yes");
    assert_string_equal(shown(all, "servedAt", ACME_STATUS_JSON),
                        "*:443=yes");
    assert_string_equal(shown(all, "selfCheckDetail", ACME_STATUS_PAGE),
                        "(none)");
    assert_string_equal(shown(all, "selfCheckDetail", ACME_STATUS_JSON), "");

    state.check = ACME_CHECK_OTHER;
    apr_cpystrn(state.check_detail, "another one",
                sizeof(state.check_detail));
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "selfCheckDetail", ACME_STATUS_PAGE),
                        "another one");
    assert_string_equal(shown(all, "reason", ACME_STATUS_LINES),
                        "not-served");
    assert_true(acme_status_rows_is_ill(&state, NOW));

    /* It is about what was served: the next load is visited anew. */
    state.live++;
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "selfChecked", ACME_STATUS_LINES),
                        "(none)");
    assert_string_equal(shown(all, "reason", ACME_STATUS_LINES), "(none)");
    assert_false(acme_status_rows_is_ill(&state, NOW));
}

static void a_fault_stands_beside_the_words_of_the_ca(void **unused)
{
    const apr_array_header_t *all;
    acme_state_t state;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(61), 1);
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "check", ACME_STATUS_LINES), "(none)");
    assert_string_equal(shown(all, "check", ACME_STATUS_JSON), "");
    state.rehearsal = ACME_REHEARSAL_UNSEEN;
    state.rehearsed = NOW;
    apr_cpystrn(state.rehearsal_detail, "a.test: port 80 of 192.0.2.7 is odd",
                sizeof(state.rehearsal_detail));
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "check", ACME_STATUS_TEXT), "(none)");
    assert_string_equal(shown(all, "checkedAt", ACME_STATUS_LINES),
                        "2026-11-21T05:36:05Z");
    state.rehearsal = ACME_REHEARSAL_FAULT;
    state.rehearsal_why = ACME_REASON_OTHER_SERVER;
    all = rows_of(&state, 0);
    assert_string_equal(shown(all, "check", ACME_STATUS_PAGE),
                        "other-server-answers: a.test: port 80 of 192.0.2.7 is odd (seen from this machine at 2026-11-21 05:36:05 UTC)");
    assert_string_equal(shown(all, "check", ACME_STATUS_JSON),
                        "a.test: port 80 of 192.0.2.7 is odd");
    assert_string_equal(shown(all, "checkReason", ACME_STATUS_LINES),
                        "other-server-answers");
    /* It is advice: the certificate is not ill for that. */
    assert_false(acme_status_rows_is_ill(&state, NOW));
}

/* A program that meets a key twice has to choose. */
static void no_reader_meets_a_key_twice(void **unused)
{
    const apr_array_header_t *all;
    acme_state_t state;
    int i, k;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(61), 1);
    state.served = 0;
    state.attempts = state.left_out = 1;
    state.revoked = 1;
    state.instead = ACME_INSTEAD_STAND_IN;
    apr_cpystrn(state.detail, "no", sizeof(state.detail));
    all = rows_of(&state, 1);
    for (i = 0; i < all->nelts; i++) {
        const acme_status_row_t *row =
            &APR_ARRAY_IDX(all, i, acme_status_row_t);

        assert_true(row->shown);
        if (row->shown & (ACME_STATUS_TEXT | ACME_STATUS_PAGE)) {
            assert_non_null(row->label);
            assert_non_null(row->text);
        }
        if (row->shown & ACME_STATUS_LINES) {
            assert_non_null(row->value);
        }
        for (k = 0; k < i; k++) {
            const acme_status_row_t *other =
                &APR_ARRAY_IDX(all, k, acme_status_row_t);

            if ((row->shown & other->shown)
                && !strcmp(row->key, other->key)) {
                fail_msg("%s", row->key);
            }
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        VIEW_TEST(a_valid_one),
        VIEW_TEST(reasons),
        VIEW_TEST(a_failing_one),
        VIEW_TEST(once),
        VIEW_TEST(advice),
        VIEW_TEST(many_names_left_out),
        VIEW_TEST(served_after_the_next_reload),
        VIEW_TEST(a_new_one),
        VIEW_TEST(how_it_came_to_be_served),
        VIEW_TEST(what_the_self_check_found),
        VIEW_TEST(what_is_served),
        VIEW_TEST(a_fault_stands_beside_the_words_of_the_ca),
        VIEW_TEST(no_reader_meets_a_key_twice)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
