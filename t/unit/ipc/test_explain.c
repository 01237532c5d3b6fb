/*
 * test_explain.c - a certificate's situation in sentences.
 */
#include "acme_explain.h"
#include "live.h"

static acme_state_t live;
static acme_status_cert_t cert;

static int setup(void **state)
{
    pool_setup(state);
    make_live(&live, DAYS(90), DAYS(10), 1);
    live.served = live.live;
    cert = (acme_status_cert_t) { .id = "www.example.org", .state = &live };
    return 0;
}

#define EXPLAIN_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

static void good(void) { }

static void no_state(void)
{
    cert.state = NULL;
}

static void not_agreed(void)
{
    live.agreed = 0;
}

static void new_one(void)
{
    live.live = live.served = 0;
    live.not_after = live.not_before = 0;
}

static void stand_in(void)
{
    new_one();
    live.instead = ACME_INSTEAD_STAND_IN;
}

static void ordering(void)
{
    live.ordering = 1;
    live.ordering_since = NOW - SECONDS(41);
    live.not_before = NOW - DAYS(70);
    live.not_after = NOW + DAYS(20);
}

static void ordering_as_asked(void)
{
    ordering();
    live.wanted = ACME_WANT_RENEWAL;
}

static void failed(void)
{
    live.attempts = 3;
    live.why = ACME_REASON_DNS_NXDOMAIN;
    live.next_at = NOW + MINUTES(12);
    live.not_after = NOW + DAYS(5);
    apr_cpystrn(live.detail, "no such name", sizeof(live.detail));
}

static void failed_for_good(void)
{
    new_one();
    live.attempts = 1;
    live.retry = ACME_RETRY_NEVER;
    live.why = ACME_REASON_REJECTED_NAME;
}

static void expired(void)
{
    live.not_before = NOW - DAYS(93);
    live.not_after = NOW - DAYS(3);
}

static void revoked(void)
{
    live.revoked = 1;
}

static void deleted(void)
{
    live.deleted = 1;
}

static void limited(void)
{
    new_one();
    live.limit_until = NOW + HOURS(3);
    live.limit_why = ACME_REASON_RATE_LIMITED;
    apr_cpystrn(live.limit, "5 of 5 orders", sizeof(live.limit));
}

static void installed(void)
{
    live.live = 2;
}

static void installed_not_live(void)
{
    installed();
    live.not_live = ACME_NOT_LIVE_STAPLE;
}

static void held(void)
{
    installed();
    cert.is_reload_held = 1;
}

static void foreign(void)
{
    live.instead = ACME_INSTEAD_FOREIGN;
}

static void hook_failed(void)
{
    live.deploy.waiting = 1;
    live.deploy.failures = 2;
    live.deploy.next_at = NOW + MINUTES(2);
    apr_cpystrn(live.deploy.failure, "exit status 1",
                sizeof(live.deploy.failure));
}

static void undelivered(void)
{
    live.notify.waiting = live.notify.failures = 1;
}

static void suggested(void)
{
    set_window(&live, NOW + DAYS(30), NOW + DAYS(32), NOW + DAYS(31));
}

static void name_left_out(void)
{
    live.left_out = 1;
    live.names_again_at = NOW + HOURS(2);
}

static void names_left_out(void)
{
    static const acme_left_out_t names[] = {
        { "old.example.org", 4, ACME_REASON_DNS_NXDOMAIN,
          "old.example.org does not exist", NOW + HOURS(2) },
        { "b.example.org", 3, ACME_REASON_DNS_FAILED, "", NOW + HOURS(3) }
    };

    acme_state_add_left_out(&live, &names[0]);
    acme_state_add_left_out(&live, &names[1]);
}

static void seen_from_here(void)
{
    live.rehearsal = ACME_REHEARSAL_FAULT;
    live.rehearsal_why = ACME_REASON_OTHER_SERVER;
    apr_cpystrn(live.rehearsal_detail,
                "port 80 of 5.9.10.66 is answered by another server",
                sizeof(live.rehearsal_detail));
}

static void failed_and_seen(void)
{
    failed();
    live.why = ACME_REASON_CHALLENGE_FAILED;
    seen_from_here();
}

/* It is about something else. */
static void failed_otherwise_and_seen(void)
{
    failed();
    live.why = ACME_REASON_STORE_UNWRITABLE;
    seen_from_here();
}

static void lacking(void)
{
    live.covers = 0;
    cert.lacks = "old.example.org";
}

static void name_added(void)
{
    live.covers = 0;
}

static void name_added_stand_in(void)
{
    name_added();
    live.instead = ACME_INSTEAD_STAND_IN;
}

static void new_foreign(void)
{
    new_one();
    live.instead = ACME_INSTEAD_FOREIGN;
}

static void checked(void)
{
    live.check = ACME_CHECK_SERVED;
    live.checked = NOW - HOURS(5);
}

/* Part of each text. */
static void each_situation(void **unused)
{
    static const struct {
        const char *name;
        void (*make)(void);
        acme_explain_kind_e kind;
        const char *so, *why, *next, *remedy;
    } rows[] = {
        { "good", good, ACME_EXPLAIN_FINE,
          "is valid until 2027-02-09 05:36:05 UTC (in 80 days), and httpd serves it",
          "installed at 2026-11-11 05:36:05 UTC (10 days ago)",
          "It is renewed at 2027-01-", "acmectl renew www.example.org --force" },
        { "checked", checked, ACME_EXPLAIN_FINE, "httpd serves it",
          "saw it at each address at 2026-11-21 00:36:05 UTC (5 h ago)",
          "renewed at", "Nothing" },
        { "suggested", suggested, ACME_EXPLAIN_FINE, "httpd serves it",
          "installed at",
          "2026-12-22 05:36:05 UTC (in 31 days), a time drawn from the window that the CA suggests: 2026-12-21",
          "Nothing" },
        { "no state", no_state, ACME_EXPLAIN_WAITING, "not known yet",
          "keeper has just started", "takes seconds", "error log" },
        { "not agreed", not_agreed, ACME_EXPLAIN_WAITING, "is valid until",
          "(terms-not-agreed)", "until AcmeTermsOfService", "Read the terms" },
        { "new", new_one, ACME_EXPLAIN_WAITING, "self-signed placeholder",
          "It is new", "starts within seconds", "wait" },
        { "stand-in", stand_in, ACME_EXPLAIN_WAITING, "another one of the store",
          "It is new", "starts within seconds", "wait" },
        { "ordering", ordering, ACME_EXPLAIN_RENEWING,
          "under way since 2026-11-21 05:35:24 UTC (41 s ago)",
          "time to renew it", "checked and installed", "acmectl watch" },
        { "ordering as asked", ordering_as_asked, ACME_EXPLAIN_RENEWING,
          "under way since", "administrator requested a renewal",
          "checked and installed", "acmectl watch" },
        { "failed", failed, ACME_EXPLAIN_FAILING,
          "The last 3 attempts to order failed",
          "does not exist in the DNS. (dns-nxdomain) The message: no such name",
          "next attempt is at 2026-11-21 05:48:05 UTC (in 12 min)",
          "Then acmectl renew www.example.org tries at once" },
        { "failed for good", failed_for_good, ACME_EXPLAIN_FAILING,
          "The last attempt to order failed", "(rejected-identifier)",
          "before the configuration changes", "AcmeNames" },
        { "expired", expired, ACME_EXPLAIN_FAILING,
          "expired at 2026-11-18 05:36:05 UTC (3 days ago)",
          "No renewal succeeded", "starts within seconds", "wait" },
        { "revoked", revoked, ACME_EXPLAIN_FAILING, "The CA revoked",
          "is revoked", "starts within seconds", "wait" },
        { "deleted", deleted, ACME_EXPLAIN_WAITING, "valid until", "(deleted)",
          "until the administrator requests", "--force" },
        { "limited", limited, ACME_EXPLAIN_WAITING, "no certificate yet",
          "(rate-limited) The message: 5 of 5 orders",
          "2026-11-21 08:36:05 UTC (in 3 h)", "Nothing" },
        { "installed", installed, ACME_EXPLAIN_WAITING,
          "not served before the next reload", "a short time ago",
          "httpd reloads when", "reload httpd now" },
        { "installed, not live", installed_not_live, ACME_EXPLAIN_WAITING,
          "not served before the next reload of httpd: it has must-staple", "a short time ago",
          "httpd reloads when", "reload httpd now" },
        { "held", held, ACME_EXPLAIN_WAITING, "next reload", "(reload-held)",
          "postponed, and tried again", "httpd -t" },
        { "foreign", foreign, ACME_EXPLAIN_FAILING, "get another one",
          "(not-served)", "renewed at", "error log" },
        { "hook failed", hook_failed, ACME_EXPLAIN_FAILING, "serves it",
          "AcmeHook deploy failed 2 times (hook-failed). The message: exit status 1",
          "run again at 2026-11-21 05:38:05 UTC (in 2 min)", "by hand" },
        { "undelivered", undelivered, ACME_EXPLAIN_WAITING, "serves it",
          "AcmeHook notify failed 1 time (hook-failed)", "run again soon",
          "by hand" },
        { "name left out", name_left_out, ACME_EXPLAIN_WAITING,
          "1 of its names is excluded", "(names-quarantined)",
          "excluded names are tried again at", "remove the names" },
        { "names left out", names_left_out, ACME_EXPLAIN_WAITING,
          " old.example.org, b.example.org are excluded",
          "old.example.org, b.example.org are left out: the first failed 4 times (dns-nxdomain). Last: old.example.org does not exist",
          "excluded names are tried again at",
          "Add the DNS record of the name, or remove the name from the configuration. Then acmectl renew" },
        { "failed and seen", failed_and_seen, ACME_EXPLAIN_FAILING,
          "The last 3 attempts",
          "Seen from here: port 80 of 5.9.10.66 is answered by another server. (other-server-answers) The last attempt: The CA did not find",
          "next attempt is at", "Remove that address (A, AAAA)" },
        { "failed otherwise and seen", failed_otherwise_and_seen,
          ACME_EXPLAIN_FAILING, "The last 3 attempts", "(store-unwritable) The message",
          "next attempt is at", "Then acmectl renew" },
        { "good, but seen", seen_from_here, ACME_EXPLAIN_FINE, "httpd serves",
          "Seen from here: port 80 of 5.9.10.66", "It is renewed at",
          "Remove that address" },
        { "lacking", lacking, ACME_EXPLAIN_WAITING, "It lacks old.example.org.",
          "configuration changed", "starts within seconds", "wait" },
        { "name added", name_added, ACME_EXPLAIN_WAITING,
          "names, key types or CA differ", "configuration changed",
          "starts within seconds", "wait" },
        { "name added, stand-in", name_added_stand_in, ACME_EXPLAIN_WAITING,
          "(in 80 days), but lacks a name; httpd serves another one of the store",
          "configuration changed", "starts within seconds", "wait" },
        { "new, foreign", new_foreign, ACME_EXPLAIN_FAILING,
          "no certificate yet; visitors of one of its names get that of another",
          "(not-served)", "starts within seconds", "error log" }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        const char *expected[] = { rows[i].so, rows[i].why, rows[i].next,
                                   rows[i].remedy };
        acme_explain_t explain;
        const char *texts[4];
        int k;

        make_live(&live, DAYS(90), DAYS(10), 1);
        live.served = live.live;
        cert = (acme_status_cert_t) { .id = "www.example.org",
                                      .state = &live };
        rows[i].make();
        acme_explain_make(&explain, &cert, NOW, pool);
        texts[0] = explain.so;
        texts[1] = explain.why;
        texts[2] = explain.next;
        texts[3] = explain.remedy;
        for (k = 0; k < 4; k++) {
            if (!strstr(texts[k], expected[k])) {
                fail_msg("%s: text %d is \"%s\", without \"%s\"", rows[i].name,
                         k, texts[k], expected[k]);
            }
        }
        if (explain.kind != rows[i].kind) {
            fail_msg("%s: it is %s, not %s", rows[i].name,
                     acme_explain_kind_word(explain.kind),
                     acme_explain_kind_word(rows[i].kind));
        }
        assert_int_equal(acme_explain_kind(&cert, NOW), rows[i].kind);
    }
}

static void times_side_by_side(void **unused)
{
    (void)unused;
    assert_string_equal(acme_explain_time(NOW + DAYS(9), NOW, pool),
                        "2026-11-30 05:36:05 UTC (in 9 days)");
    assert_string_equal(acme_explain_time(NOW - MINUTES(3), NOW, pool),
                        "2026-11-21 05:33:05 UTC (3 min ago)");
    assert_string_equal(acme_explain_time(NOW, NOW, pool),
                        "2026-11-21 05:36:05 UTC (now)");
    assert_string_equal(acme_explain_time(0, NOW, pool), "never");
}

static void each_event_is_a_step(void **unused)
{
    static const char *const events[] = { NULL, "ordered", "resumed", "name",
                                          "challenge", "validated", "<b>" };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(events); i++) {
        assert_true(acme_explain_step(events[i])[0]);
    }
    assert_non_null(strstr(acme_explain_step("validated"), "issued"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPLAIN_TEST(each_situation),
        EXPLAIN_TEST(times_side_by_side),
        EXPLAIN_TEST(each_event_is_a_step)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
