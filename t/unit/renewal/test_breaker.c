/*
 * test_breaker.c - when a CA is left alone, and when it is tried again.
 */
#include "acme_breaker.h"
#include "pool.h"

#define SECONDS(n) apr_time_from_sec((apr_int64_t)(n))
#define MINUTES(n) SECONDS(60 * (n))
#define DAYS(n) MINUTES(24 * 60 * (n))
#define NOW SECONDS(1795239365)         /* 2026-11-21 05:36:05 */

#define FAST SECONDS(1)
#define CHANCE_MIN 0
#define CHANCE_MIDDLE 500
#define CHANCE_MAX 999

static const acme_breaker_t well;

/* A letter a second: f failure, s success, l (late) slow success. */
static apr_time_t play(acme_breaker_t *breaker, const char *replies)
{
    apr_time_t now = NOW;

    for (*breaker = well; *replies; replies++) {
        now += SECONDS(1);
        if (*replies == 'f') {
            acme_breaker_failure(breaker, now, CHANCE_MIDDLE);
        }
        else {
            acme_breaker_success(breaker, now, *replies == 'l'
                                 ? SECONDS(20) + 500 : FAST);
        }
    }
    return now;
}

static void what_opens_it(void **unused)
{
    static const struct {
        const char *name, *replies;
        acme_breaker_e state;
    } rows[] = {
        { "nothing asked", "", ACME_BREAKER_CLOSED },
        { "answers", "ssssssssssss", ACME_BREAKER_CLOSED },
        { "one failure", "f", ACME_BREAKER_CLOSED },
        { "two in a row", "ff", ACME_BREAKER_CLOSED },
        { "three in a row", "fff", ACME_BREAKER_OPEN },
        { "three after many replies", "ssssssssssssfff", ACME_BREAKER_OPEN },
        { "three, but not in a row", "ffsf", ACME_BREAKER_CLOSED },
        { "half of the last ten", "fsfsfsfsfs", ACME_BREAKER_CLOSED },
        { "half, again and again", "fsfsfsfsfsfsfsfsfsfsfsfs",
          ACME_BREAKER_CLOSED },
        { "six of ten", "ffsffsfsfsf", ACME_BREAKER_OPEN },
        { "six of nine", "ffsffsffs", ACME_BREAKER_CLOSED },
        { "six of ten, the last of them", "ffsffsffsf", ACME_BREAKER_OPEN },
        { "failures that are long ago", "ffsffssssssssff",
          ACME_BREAKER_CLOSED },
        { "slow twice", "ll", ACME_BREAKER_CLOSED },
        { "slow three times", "lll", ACME_BREAKER_OPEN },
        { "slow, but not in a row", "llsll", ACME_BREAKER_CLOSED },
        { "what comes late changes nothing", "fffss", ACME_BREAKER_OPEN },
        { "nor does it open it longer", "ffffff", ACME_BREAKER_OPEN }
    };
    acme_breaker_t breaker;
    apr_time_t now;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        now = play(&breaker, rows[i].replies);
        if (acme_breaker_state(&breaker, now) != rows[i].state) {
            fail_msg("%s: %d", rows[i].name,
                     acme_breaker_state(&breaker, now));
        }
        assert_int_equal(acme_breaker_is_open(&breaker, now),
                         rows[i].state == ACME_BREAKER_OPEN);
        assert_int_equal(acme_breaker_allow(&breaker, now),
                         rows[i].state != ACME_BREAKER_OPEN);
        assert_false(acme_breaker_is_open(&breaker, now + SECONDS(33)));
    }
}

static void a_slow_ca_is_chance_enough(void **unused)
{
    acme_breaker_t breaker = well;
    int i;

    (void)unused;
    for (i = 0; i < 3; i++) {
        assert_true(acme_breaker_allow(&breaker, NOW));
        acme_breaker_success(&breaker, NOW, SECONDS(20) + 1);
    }
    assert_in_range(breaker.open_until - NOW, SECONDS(27), SECONDS(33));

    /* Just 20 s is not slow. */
    breaker = well;
    for (i = 0; i < 5; i++) {
        acme_breaker_success(&breaker, NOW, SECONDS(20));
    }
    assert_int_equal(acme_breaker_state(&breaker, NOW), ACME_BREAKER_CLOSED);
}

/* Each probe that fails doubles it. */
static void how_long_it_is_open(void **unused)
{
    static const int waits[] = { 30, 60, 120, 240, 480, 900, 900, 900 };
    static const int chances[] = { CHANCE_MIN, CHANCE_MIDDLE, CHANCE_MAX };
    acme_breaker_t breaker;
    apr_time_t now;
    size_t i, c;

    (void)unused;
    for (c = 0; c < COUNT(chances); c++) {
        breaker = well;
        now = NOW;
        acme_breaker_failure(&breaker, now, chances[c]);
        acme_breaker_failure(&breaker, now, chances[c]);
        acme_breaker_failure(&breaker, now, chances[c]);
        for (i = 0; i < COUNT(waits); i++) {
            const apr_interval_time_t wait = SECONDS(waits[i]);
            const apr_interval_time_t is = breaker.open_until - now;

            if (c == 0 ? is != wait - wait / 10 : c == 1 ? is != wait
                : is < wait + wait / 11 || is > wait + wait / 10) {
                fail_msg("opening %d: %" APR_TIME_T_FMT " us", (int)i + 1,
                         is);
            }
            assert_false(acme_breaker_allow(&breaker,
                                            breaker.open_until - 1));
            now = breaker.open_until;
            assert_int_equal(acme_breaker_state(&breaker, now),
                             ACME_BREAKER_HALF_OPEN);
            assert_true(acme_breaker_allow(&breaker, now));
            acme_breaker_failure(&breaker, now, chances[c]);
        }

        /* Closed, it begins anew. */
        now = breaker.open_until;
        assert_true(acme_breaker_allow(&breaker, now));
        acme_breaker_success(&breaker, now, FAST);
        assert_int_equal(acme_breaker_state(&breaker, now),
                         ACME_BREAKER_CLOSED);
        acme_breaker_failure(&breaker, now, CHANCE_MIDDLE);
        acme_breaker_failure(&breaker, now, CHANCE_MIDDLE);
        assert_true(acme_breaker_allow(&breaker, now));
        acme_breaker_failure(&breaker, now, CHANCE_MIDDLE);
        assert_int_equal(breaker.open_until, now + SECONDS(30));
    }
}

/* What was before it opened does not count when it is closed again. */
static void closed_it_knows_nothing(void **unused)
{
    static const char *const replies = "ffsffsff";
    acme_breaker_t breaker;
    const char *reply;
    apr_time_t now;

    (void)unused;
    play(&breaker, "ssssssssssfff");
    now = breaker.open_until;
    assert_true(acme_breaker_allow(&breaker, now));
    acme_breaker_success(&breaker, now, FAST);
    for (reply = replies; *reply; reply++) {
        if (*reply == 'f') {
            acme_breaker_failure(&breaker, now, CHANCE_MIDDLE);
        }
        else {
            acme_breaker_success(&breaker, now, FAST);
        }
    }
    assert_int_equal(acme_breaker_state(&breaker, now), ACME_BREAKER_CLOSED);
}

static void just_one_probe(void **unused)
{
    acme_breaker_t breaker;
    apr_time_t now;
    int i;

    (void)unused;
    play(&breaker, "fff");
    now = breaker.open_until;
    assert_false(acme_breaker_is_open(&breaker, now));
    assert_true(acme_breaker_allow(&breaker, now));
    for (i = 0; i < 100; i++) {
        assert_false(acme_breaker_allow(&breaker, now + i));
        assert_true(acme_breaker_is_open(&breaker, now + i));
    }
    assert_true(acme_breaker_is_open(&breaker, now + MINUTES(2) - 1));
    assert_false(acme_breaker_is_open(&breaker, now + MINUTES(2)));

    /* One whose thread was stopped is forgotten; what it tells later too. */
    assert_false(acme_breaker_allow(&breaker, now + MINUTES(2) - 1));
    acme_breaker_success(&breaker, now + MINUTES(2), FAST);
    assert_int_equal(acme_breaker_state(&breaker, now + MINUTES(2)),
                     ACME_BREAKER_HALF_OPEN);
    assert_true(acme_breaker_allow(&breaker, now + MINUTES(2)));
    acme_breaker_success(&breaker, now + MINUTES(3), FAST);
    assert_true(acme_breaker_allow(&breaker, now + MINUTES(3)));
    assert_true(acme_breaker_allow(&breaker, now + MINUTES(3)));
}

/* His request is the probe, and no other is sent meanwhile. */
static void the_administrator_need_not_wait(void **unused)
{
    acme_breaker_t breaker;
    apr_time_t now = NOW;

    (void)unused;
    play(&breaker, "ss");
    acme_breaker_probe(&breaker, now);
    assert_int_equal(acme_breaker_state(&breaker, now), ACME_BREAKER_CLOSED);
    assert_true(acme_breaker_allow(&breaker, now));
    assert_true(acme_breaker_allow(&breaker, now));

    play(&breaker, "fff");
    now = breaker.open_until - SECONDS(20);
    assert_false(acme_breaker_allow(&breaker, now));
    acme_breaker_probe(&breaker, now);
    assert_false(acme_breaker_allow(&breaker, now));
    acme_breaker_failure(&breaker, now, CHANCE_MIDDLE);
    assert_int_equal(breaker.open_until, now + SECONDS(60));

    acme_breaker_probe(&breaker, now);
    assert_false(acme_breaker_allow(&breaker, now));
    acme_breaker_success(&breaker, now, FAST);
    assert_int_equal(acme_breaker_state(&breaker, now), ACME_BREAKER_CLOSED);

    acme_breaker_pause(&breaker, now + SECONDS(10));
    assert_false(acme_breaker_allow(&breaker, now));
    acme_breaker_probe(&breaker, now);
    assert_int_equal(acme_breaker_state(&breaker, now), ACME_BREAKER_CLOSED);
    assert_true(acme_breaker_allow(&breaker, now));
}

static void a_pause_is_no_failure(void **unused)
{
    acme_breaker_t breaker = well;
    int i;

    (void)unused;
    for (i = 0; i < 20; i++) {
        acme_breaker_pause(&breaker, NOW + SECONDS(10));
    }
    assert_int_equal(acme_breaker_state(&breaker, NOW), ACME_BREAKER_PAUSED);
    assert_false(acme_breaker_allow(&breaker, NOW + SECONDS(10) - 1));
    assert_true(acme_breaker_is_open(&breaker, NOW + SECONDS(10) - 1));
    assert_false(acme_breaker_is_open(&breaker, NOW + SECONDS(10)));
    assert_int_equal(acme_breaker_state(&breaker, NOW + SECONDS(10)),
                     ACME_BREAKER_CLOSED);

    /* All may ask then, not one. */
    assert_true(acme_breaker_allow(&breaker, NOW + SECONDS(10)));
    assert_true(acme_breaker_allow(&breaker, NOW + SECONDS(10)));

    /* The probe was told to wait: another tries it afterwards. */
    play(&breaker, "fff");
    assert_true(acme_breaker_allow(&breaker, NOW + MINUTES(1)));
    acme_breaker_pause(&breaker, NOW + MINUTES(1) + SECONDS(5));
    assert_false(acme_breaker_allow(&breaker, NOW + MINUTES(1)));
    assert_true(acme_breaker_allow(&breaker, NOW + MINUTES(1) + SECONDS(5)));
    assert_false(acme_breaker_allow(&breaker, NOW + MINUTES(1) + SECONDS(5)));
}

static void a_clock_that_was_wrong(void **unused)
{
    acme_breaker_t breaker = well;

    (void)unused;
    acme_breaker_pause(&breaker, NOW + DAYS(7300));
    assert_true(acme_breaker_allow(&breaker, NOW));

    play(&breaker, "fff");
    breaker.open_until = NOW + DAYS(7300);
    assert_true(acme_breaker_allow(&breaker, NOW));
    breaker.probed_at = NOW + DAYS(7300);
    assert_true(acme_breaker_allow(&breaker, NOW));
}

static void sentences(void **unused)
{
    acme_breaker_t breaker = well;
    apr_pool_t *p;
    apr_time_t now;

    (void)unused;
    apr_pool_create(&p, NULL);
    assert_string_equal(acme_breaker_text(&breaker, "ca.example", NOW, p),
                        "ca.example: answers");

    now = play(&breaker, "fff");
    assert_string_equal(acme_breaker_text(&breaker, "ca.example", now, p),
                        "ca.example: three requests in a row failed; no "
                        "requests are sent to it until 2026-11-21 05:36:38 "
                        "UTC");
    assert_string_equal(acme_breaker_text(&breaker, "ca.example",
                                          breaker.open_until, p),
                        "ca.example: three requests in a row failed; one "
                        "request tests whether it answers again");
    now = play(&breaker, "ffsffsffsf");
    assert_non_null(strstr(acme_breaker_text(&breaker, "ca", now, p),
                           "ca: more than half of the last ten requests"));
    now = play(&breaker, "lll");
    assert_non_null(strstr(acme_breaker_text(&breaker, "ca", now, p),
                           "ca: replies took more than 20 s on average, three times in a row"));
    acme_breaker_pause(&breaker, NOW + MINUTES(1));
    assert_string_equal(acme_breaker_text(&breaker, "ca.example", now, p),
                        "ca.example: asked for no requests until 2026-11-21 "
                        "05:37:05 UTC");
    apr_pool_destroy(p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_opens_it),
        cmocka_unit_test(a_slow_ca_is_chance_enough),
        cmocka_unit_test(how_long_it_is_open),
        cmocka_unit_test(closed_it_knows_nothing),
        cmocka_unit_test(just_one_probe),
        cmocka_unit_test(the_administrator_need_not_wait),
        cmocka_unit_test(a_pause_is_no_failure),
        cmocka_unit_test(a_clock_that_was_wrong),
        cmocka_unit_test(sentences)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
