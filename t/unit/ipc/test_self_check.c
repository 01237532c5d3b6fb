/*
 * test_self_check.c - when httpd is visited, and what follows from it.
 */
#include "acme_self_check.h"
#include "live.h"

static void when_to_look_first(void **state)
{
    static const struct {
        const char *name;
        acme_check_e check;
        int is_first;
        apr_interval_time_t age;        /* of the installation */
        int is_at_once;
    } rows[] = {
        { "just installed, never checked", ACME_CHECK_NONE, 1, SECONDS(5), 1 },
        { "old, never checked", ACME_CHECK_NONE, 1, DAYS(9), 0 },
        { "this load has another one", ACME_CHECK_NONE, 0, DAYS(9), 1 },
        { "just installed again", ACME_CHECK_NONE, 0, SECONDS(5), 1 },
        { "nothing changed", ACME_CHECK_SERVED, 0, DAYS(9), 0 },
        { "nothing changed, though new", ACME_CHECK_SERVED, 0, SECONDS(5), 0 },
        { "it was not served", ACME_CHECK_OTHER, 0, DAYS(9), 1 },
        { "it could not be seen", ACME_CHECK_UNKNOWN, 0, DAYS(9), 1 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_self_check_past_t past = {
            .id = "a.org", .check = rows[i].check,
            .is_first = rows[i].is_first, .installed = NOW - rows[i].age
        };
        const apr_time_t at = acme_self_check_first_at(&past, NOW);

        if ((at == NOW) != rows[i].is_at_once || at < NOW
            || at > NOW + DAYS(1)) {
            fail_msg("%s: %s", rows[i].name, acme_time_text(at, pool));
        }
    }
}

/* Whenever it is asked, and however often httpd is reloaded. */
static void each_has_its_time_of_day(void **state)
{
    const apr_time_t first = acme_self_check_next_at("a.org",
                                                     ACME_CHECK_SERVED, 0,
                                                     NOW);
    apr_time_t now;

    (void)state;
    for (now = NOW; now < first; now += MINUTES(7)) {
        assert_int_equal(acme_self_check_next_at("a.org", ACME_CHECK_SERVED,
                                                 0, now), first);
    }
    assert_int_equal(acme_self_check_next_at("a.org", ACME_CHECK_SERVED, 0,
                                             first), first + DAYS(1));
}

static void many_are_spread_over_the_day(void **state)
{
    int in_hour[24] = { 0 };
    int i;

    (void)state;
    for (i = 0; i < 10000; i++) {
        const apr_time_t at = acme_self_check_next_at(
            apr_psprintf(pool, "host%d.example.org", i), ACME_CHECK_SERVED, 0,
            NOW);

        assert_true(at > NOW && at <= NOW + DAYS(1));
        in_hour[(at - NOW - 1) / HOURS(1)]++;
    }
    for (i = 0; i < 24; i++) {
        if (in_hour[i] < 200 || in_hour[i] > 800) {
            fail_msg("hour %d: %d", i, in_hour[i]);
        }
    }
}

static void what_is_wrong_is_looked_at_sooner(void **state)
{
    static const apr_interval_time_t waits[] = { MINUTES(1), MINUTES(10),
                                                 MINUTES(100) };
    apr_uint32_t i;

    (void)state;
    for (i = 0; i < COUNT(waits); i++) {
        assert_int_equal(acme_self_check_next_at("a", ACME_CHECK_OTHER, i + 1,
                                                 NOW), NOW + waits[i]);
        assert_int_equal(acme_self_check_next_at("a", ACME_CHECK_UNKNOWN,
                                                 i + 1, NOW),
                         NOW + waits[i]);
    }
    for (; i < 9; i++) {
        assert_int_equal(
            acme_self_check_next_at("a", ACME_CHECK_OTHER, i + 1, NOW),
            acme_self_check_next_at("a", ACME_CHECK_SERVED, 0, NOW));
    }
}

static void what_is_due(void **state)
{
    acme_state_t cert;

    (void)state;
    make_live(&cert, DAYS(90), DAYS(5), 1);
    cert.served = cert.live;
    assert_false(acme_self_check_is_due(&cert, NOW));   /* no place */
    cert.check_at = NOW;
    assert_true(acme_self_check_is_due(&cert, NOW));
    assert_false(acme_self_check_is_due(&cert, NOW - 1));
    cert.served = cert.live - 1;
    assert_false(acme_self_check_is_due(&cert, NOW));
    cert.served = cert.live = 0;
    assert_false(acme_self_check_is_due(&cert, NOW));
    cert.served = cert.live = 3;
    cert.instead = ACME_INSTEAD_STAND_IN;
    assert_false(acme_self_check_is_due(&cert, NOW));
    cert.instead = ACME_INSTEAD_FOREIGN;
    assert_true(acme_self_check_is_due(&cert, NOW));
}

static void when_a_reload_can_help(void **state)
{
    static const struct {
        const char *name;
        acme_check_e check;
        acme_instead_e instead;
        const char *reloaded;
        int is_ours, can;
    } rows[] = {
        { "an older one", ACME_CHECK_OTHER, ACME_INSTEAD_NOTHING, "", 1, 1 },
        { "once for the one before", ACME_CHECK_OTHER, ACME_INSTEAD_NOTHING,
          "0a", 1, 1 },
        { "not twice", ACME_CHECK_OTHER, ACME_INSTEAD_NOTHING, "0b", 1, 0 },
        { "a stranger's", ACME_CHECK_OTHER, ACME_INSTEAD_NOTHING, "", 0, 0 },
        { "as it is configured", ACME_CHECK_OTHER, ACME_INSTEAD_FOREIGN, "",
          1, 0 },
        { "nothing was seen", ACME_CHECK_UNKNOWN, ACME_INSTEAD_NOTHING, "", 1,
          0 },
        { "all is well", ACME_CHECK_SERVED, ACME_INSTEAD_NOTHING, "", 1, 0 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_state_t cert;

        make_live(&cert, DAYS(90), DAYS(5), 1);
        apr_cpystrn(cert.serial, "0b", sizeof(cert.serial));
        cert.check = rows[i].check;
        cert.instead = rows[i].instead;
        if (acme_self_check_can_reload(&cert, rows[i].reloaded,
                                       rows[i].is_ours) != rows[i].can) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static void a_reload_for_one_is_for_all(void **state)
{
    static const struct {
        const char *name;
        acme_check_e check;     /* of the other one */
        apr_time_t reload_at, reloaded;
        int may;
    } rows[] = {
        { "the first one", ACME_CHECK_OTHER, 0, 0, 1 },
        { "it did not help", ACME_CHECK_OTHER, NOW - DAYS(5), NOW - DAYS(5),
          0 },
        { "it helped", ACME_CHECK_SERVED, NOW - DAYS(5), NOW - DAYS(5), 1 },
        { "for the one before", ACME_CHECK_OTHER, NOW - DAYS(5), 0, 1 },
        { "just now", ACME_CHECK_SERVED, NOW - 1, NOW - 1, 0 },
        { "an hour ago", ACME_CHECK_SERVED, NOW - DAYS(1) / 24, 0, 1 },
        { "the clock was set back", ACME_CHECK_SERVED, NOW + DAYS(5), 0, 1 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_state_t certs[2];

        make_live(&certs[0], DAYS(90), DAYS(5), 1);
        make_live(&certs[1], DAYS(90), DAYS(5), 1);
        certs[1].check = ACME_CHECK_OTHER;
        certs[0].check = rows[i].check;
        certs[0].check_reload_at = rows[i].reload_at;
        certs[0].check_reloaded = rows[i].reloaded;
        if (acme_self_check_may_reload(certs, 2, 1, NOW) != rows[i].may) {
            fail_msg("%s", rows[i].name);
        }
    }
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, pool_setup, pool_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(when_to_look_first),
        TEST(each_has_its_time_of_day),
        TEST(many_are_spread_over_the_day),
        TEST(what_is_wrong_is_looked_at_sooner),
        TEST(what_is_due),
        TEST(when_a_reload_can_help),
        TEST(a_reload_for_one_is_for_all)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
