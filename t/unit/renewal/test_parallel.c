/*
 * test_parallel.c - how many orders a CA is given side by side.
 */
#include "acme_parallel.h"
#include "pool.h"

#define SECONDS(n) apr_time_from_sec((apr_int64_t)(n))
#define NOW SECONDS(1795239365)         /* 2026-11-21 05:36:05 */
#define QUICK apr_time_from_msec(200)
#define SLOW apr_time_from_msec(1100)

/*
 * What happens, a letter a second: s an order with quick replies, l one with
 * late ones, n one without a reply, r a refusal of a request that was sent just
 * now, o of one that was sent a minute ago.
 */
static int play(acme_parallel_t *parallel, const char *what)
{
    apr_time_t now = NOW;

    for (; *what; what++) {
        now += SECONDS(1);
        switch (*what) {
        case 's':
            acme_parallel_replied(parallel, QUICK, now);
            break;
        case 'l':
            acme_parallel_replied(parallel, SLOW, now);
            break;
        case 'n':
            acme_parallel_replied(parallel, 0, now);
            break;
        case 'r':
            acme_parallel_refused(parallel, now, now);
            break;
        case 'o':
            acme_parallel_refused(parallel, now - SECONDS(60), now);
            break;
        default:
            fail_msg("'%c'", *what);
        }
    }
    return parallel->limit;
}

#define FOUR_ORDERS "ssss"
#define SIXTEEN_ORDERS FOUR_ORDERS FOUR_ORDERS FOUR_ORDERS FOUR_ORDERS

static void what_changes_it(void **unused)
{
    static const struct {
        const char *name;
        int start, most;
        const char *what;
        int limit;
    } rows[] = {
        { "nothing", 16, 64, "", 16 },
        { "the start is not above the most", 16, 8, "", 8 },
        { "one order", 16, 64, "s", 16 },
        { "each second order", 16, 64, "ss", 17 },
        { "sixteen", 16, 64, SIXTEEN_ORDERS, 24 },
        { "not above the most", 16, 18, SIXTEEN_ORDERS, 18 },
        { "orders without a reply say nothing", 16, 64, "nnnnnn", 16 },
        { "a refusal", 16, 64, "r", 8 },
        { "two", 16, 64, "rr", 4 },
        { "requests that were sent together", 16, 64, "roooo", 8 },
        { "never none", 16, 64, "rrrrrrrr", 1 },
        { "slowly up again", 4, 64, "rs", 2 },
        { "by one for as many orders", 4, 64, "rss", 3 },
        { "and again", 4, 64, "rsssss", 4 },
        { "slow from the beginning is its pace", 8, 64, "llll", 10 },
        { "slow later", 16, 64, "sl", 12 },
        { "slow once for those that were under way", 16, 64,
          "slllllllllllll", 12 },
        { "slow still", 16, 64, "sllllllllllllll", 9 },
        { "slow, then quick", 4, 64, "slsss", 4 },
        { "slow with one", 1, 64, "sl", 1 }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        acme_parallel_t parallel;
        int limit;

        acme_parallel_begin(&parallel, rows[i].start, rows[i].most);
        limit = play(&parallel, rows[i].what);
        if (limit != rows[i].limit) {
            fail_msg("%s: %d, not %d", rows[i].name, limit, rows[i].limit);
        }
    }
}

/* Below a second nobody minds; above, four times the best. */
static void what_is_slow(void **unused)
{
    static const struct {
        int best_ms, ms, is_slow;
    } rows[] = {
        { 10, 900, 0 }, { 10, 1000, 0 }, { 10, 1001, 1 },
        { 400, 1600, 0 }, { 400, 1700, 1 }, { 2000, 7000, 0 },
        { 2000, 9000, 1 }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        acme_parallel_t parallel;

        acme_parallel_begin(&parallel, 16, 16);
        acme_parallel_replied(&parallel, apr_time_from_msec(rows[i].best_ms),
                              NOW);
        acme_parallel_replied(&parallel, apr_time_from_msec(rows[i].ms), NOW);
        if ((parallel.limit < 16) != rows[i].is_slow) {
            fail_msg("%d ms after %d ms: %d", rows[i].ms, rows[i].best_ms,
                     parallel.limit);
        }
    }
}

/* What was once its best is not held against it for ever. */
static void a_ca_that_is_slower_for_good_recovers(void **unused)
{
    acme_parallel_t parallel;
    int i;

    (void)unused;
    acme_parallel_begin(&parallel, 16, 64);
    acme_parallel_replied(&parallel, QUICK, NOW);
    for (i = 0; i < 40; i++) {
        acme_parallel_replied(&parallel, SLOW, NOW);
    }
    assert_true(parallel.limit < 16);
    for (i = 0; i < 400; i++) {
        acme_parallel_replied(&parallel, SLOW, NOW);
    }
    assert_true(parallel.limit > 16);
}

static void a_clock_that_was_set_back_forgets_nothing(void **unused)
{
    acme_parallel_t parallel;

    (void)unused;
    acme_parallel_begin(&parallel, 16, 64);
    assert_true(acme_parallel_refused(&parallel, NOW, NOW));
    assert_false(acme_parallel_refused(&parallel, NOW - 1, NOW + 1));
    assert_true(acme_parallel_refused(&parallel, NOW - SECONDS(3601),
                                      NOW - SECONDS(3600)));
    assert_int_equal(parallel.limit, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes_it),
        cmocka_unit_test(what_is_slow),
        cmocka_unit_test(a_ca_that_is_slower_for_good_recovers),
        cmocka_unit_test(a_clock_that_was_set_back_forgets_nothing)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
