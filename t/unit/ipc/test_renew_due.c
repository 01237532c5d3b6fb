/*
 * test_renew_due.c - what is said to who asks for a renewal, and how one ended.
 */
#include "acme_renew_due.h"
#include "live.h"

static acme_state_t state;

static void valid(void)
{
    memset(&state, 0, sizeof(state));
    make_live(&state, DAYS(90), DAYS(5), 1);
    state.served = state.live;
}

static void assert_not(const char *what)
{
    const char *text = acme_renew_due_text(&state, NOW, pool);

    assert_int_equal(acme_renew_due(&state, NOW), ACME_RENEW_DUE_NOT);
    if (!strstr(text, what)) {
        fail_msg("no \"%s\" in \"%s\"", what, text);
    }
}

static void why_it_is_not_due(void **unused)
{
    (void)unused;
    valid();
    assert_not("not due: renewal is planned at 20");
    assert_not("as AcmeRenewWindow is by default; valid until 20");
    assert_not("(in 85 days)");
    state.renew = window_of("40%");
    assert_not(", because AcmeRenewWindow is 40%; ");
    state.renew = window_of("12h");
    assert_not(", because AcmeRenewWindow is 12 h; ");

    state.use_renewal_info = 1;
    set_window(&state, NOW + DAYS(10), NOW + DAYS(12), NOW + DAYS(11));
    assert_not("planned at 2026-12-02 05:36:05 UTC (in 11 days), because the CA suggested a time from 2026-12-01 05:36:05 UTC to 2026-12-03 05:36:05 UTC");
    set_window(&state, NOW + DAYS(100), NOW + DAYS(102), NOW + DAYS(101));
    assert_not("because the last twentieth of the lifetime begins then");

    valid();
    state.deleted = 1;
    state.attempts = 2;
    assert_not("not renewed: it was revoked");
    valid();
    state.agreed = 0;
    state.attempts = 2;
    assert_not("AcmeTermsOfService agree");
    valid();
    state.limit_until = NOW + HOURS(3);
    state.limit_why = ACME_REASON_RATE_LIMITED;
    apr_cpystrn(state.limit, "too many", sizeof(state.limit));
    state.covers = 0;
    assert_not("postponed until 2026-11-21 08:36:05 UTC (in 3 h): too many");
}

static void what_is_due(void **unused)
{
    (void)unused;
    valid();
    state.covers = 0;
    assert_int_equal(acme_renew_due(&state, NOW), ACME_RENEW_DUE_NOW);
    valid();
    state.attempts = 1;
    state.next_at = NOW + HOURS(1);
    assert_int_equal(acme_renew_due(&state, NOW), ACME_RENEW_DUE_FAILED);
    valid();
    state.left_out = 1;
    state.names_again_at = NOW + HOURS(1);
    assert_int_equal(acme_renew_due(&state, NOW), ACME_RENEW_DUE_FAILED);
    valid();
    state.wanted = ACME_WANT_DRY_RUN;
    assert_int_equal(acme_renew_due(&state, NOW), ACME_RENEW_DUE_NOT);
}

static void how_it_ends(void **unused)
{
    static const struct {
        const char *name;
        int live, served;
        acme_want_e wanted;
        apr_uint32_t attempts;
        apr_int64_t next;       /* seconds from now */
        acme_retry_e retry;
        apr_int64_t limit;      /* seconds from now; 0: none */
        acme_renew_end_e end;
    } rows[] = {
        { "begun", 1, 1, ACME_WANT_RENEWAL, 1, 0, 0, 0,
          ACME_RENEW_UNDER_WAY },
        { "installed", 2, 1, 0, 0, 0, 0, 0, ACME_RENEW_INSTALLED },
        { "served", 2, 2, 0, 0, 0, 0, 0, ACME_RENEW_SERVED },
        { "it failed", 1, 1, ACME_WANT_RENEWAL, 2, 60, 0, 0,
          ACME_RENEW_FAILED },
        { "it failed, and is not due", 1, 1, 0, 2, 60, 0, 0,
          ACME_RENEW_FAILED },
        { "another CA follows", 1, 1, ACME_WANT_RENEWAL, 2, 5, 0, 0,
          ACME_RENEW_UNDER_WAY },
        { "the other names follow", 1, 1, ACME_WANT_RENEWAL, 2, 0, 0, 0,
          ACME_RENEW_UNDER_WAY },
        { "a limit", 1, 1, ACME_WANT_RENEWAL, 1, 0, 0, 3600,
          ACME_RENEW_POSTPONED },
        { "a limit that ends soon", 1, 1, ACME_WANT_RENEWAL, 1, 0, 0, 10,
          ACME_RENEW_UNDER_WAY },
        { "another request", 1, 1, ACME_WANT_REVOCATION, 1, 0, 0, 0,
          ACME_RENEW_REPLACED }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        acme_renew_before_t before = { .live = 1, .attempts = 1 };
        acme_renew_end_e end;

        valid();
        state.live = rows[i].live;
        state.served = rows[i].served;
        state.wanted = rows[i].wanted;
        state.attempts = rows[i].attempts;
        state.next_at = NOW + SECONDS(rows[i].next);
        state.retry = rows[i].retry;
        state.limit_until = rows[i].limit ? NOW + SECONDS(rows[i].limit) : 0;
        state.limit_why = ACME_REASON_RATE_LIMITED;
        end = acme_renew_due_end(&before, &state, NOW);
        if (end != rows[i].end) {
            fail_msg("%s: %d", rows[i].name, end);
        }
        if (end == ACME_RENEW_UNDER_WAY) {
            assert_int_equal(before.attempts, rows[i].attempts);
        }
    }
}

/* Two of them may end in the same second, and the journal has no less. */
static void which_dry_run_ended(void **unused)
{
    static const struct {
        const char *name;
        apr_time_t before;      /* milliseconds after NOW; -1: none */
        apr_time_t asked;
        apr_time_t at;
        acme_dry_run_e dry_run;
        int has_ended;
    } rows[] = {
        { "the first", -1, 500, 900, ACME_DRY_RUN_PASSED, 1 },
        { "the first, failed", -1, 500, 900, ACME_DRY_RUN_FAILED, 1 },
        { "the first, of the journal", -1, 500, 0, ACME_DRY_RUN_PASSED, 1 },
        { "none", -1, 500, 500, ACME_DRY_RUN_NONE, 0 },
        { "under way", -1, 500, 500, ACME_DRY_RUN_UNDER_WAY, 0 },
        { "another", 300, 500, 900, ACME_DRY_RUN_PASSED, 1 },
        { "another, of the journal", 300, 500, 1000, ACME_DRY_RUN_PASSED, 1 },
        { "the earlier one", 300, 500, 300, ACME_DRY_RUN_PASSED, 0 },
        { "the earlier, of the journal", 300, 500, 0, ACME_DRY_RUN_PASSED, 0 },
        { "both of the journal", 0, 500, 0, ACME_DRY_RUN_FAILED, 0 },
        { "one of long ago", -9000, 500, -9000, ACME_DRY_RUN_PASSED, 0 },
        { "one that had gone", -1, 500, -9000, ACME_DRY_RUN_PASSED, 0 }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const acme_renew_before_t before = {
            .asked_at = NOW + apr_time_from_msec(rows[i].asked),
            .dry_run_at = rows[i].before == -1
                ? 0 : NOW + apr_time_from_msec(rows[i].before)
        };

        valid();
        state.dry_run = rows[i].dry_run;
        state.dry_run_at = NOW + apr_time_from_msec(rows[i].at);
        if (acme_renew_due_dry_run_ended(&before, &state)
            != rows[i].has_ended) {
            fail_msg("%s", rows[i].name);
        }
    }
}

#define DUE_TEST(test) \
    cmocka_unit_test_setup_teardown(test, pool_setup, pool_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DUE_TEST(why_it_is_not_due),
        DUE_TEST(what_is_due),
        DUE_TEST(how_it_ends),
        DUE_TEST(which_dry_run_ended)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
