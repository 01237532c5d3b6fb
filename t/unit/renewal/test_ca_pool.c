/*
 * test_ca_pool.c - a CA whose replies are slow is left alone: how long they
 * took gets from the requests of a renewal to the breaker.
 */
#include "renewing.h"

#define SECONDS(n) apr_time_from_sec((apr_int64_t)(n))

/*
 * How long each reply is said to have taken; the first one apart. The linker
 * puts this before the call of net/, which measures it.
 */
static apr_interval_time_t first_took, others_took;
static int replies;

apr_status_t __real_acme_http_send(acme_http_reply_t **preply,
                                   acme_http_t *http,
                                   const acme_http_request_t *what,
                                   acme_result_t *why, apr_pool_t *p);
apr_status_t __wrap_acme_http_send(acme_http_reply_t **preply,
                                   acme_http_t *http,
                                   const acme_http_request_t *what,
                                   acme_result_t *why, apr_pool_t *p);

apr_status_t __wrap_acme_http_send(acme_http_reply_t **preply,
                                   acme_http_t *http,
                                   const acme_http_request_t *what,
                                   acme_result_t *why, apr_pool_t *p)
{
    apr_status_t rv = __real_acme_http_send(preply, http, what, why, p);

    if (rv == APR_SUCCESS) {
        (*preply)->latency = replies++ ? others_took : first_took;
    }
    return rv;
}

static void renew_once(apr_interval_time_t first, apr_interval_time_t others)
{
    static const fake_row_t rows[] = { DIRECTORY, NONCE, ACCOUNT,
                                       NEW_ORDER("pending"), GOES_WELL,
                                       { 0 } };

    acme_msg_prepared_t *prepared = fake_keeper_prepared(keeper, 0, 0);

    prepared->order_url[0] = '\0';     /* of the renewal before */
    prepared->issued = 0;
    first_took = first;
    others_took = others;
    replies = 0;
    renew(rows);
    assert_true(replies > 5);
    assert_not_reported("failed");
}

static int is_open_at(apr_time_t at)
{
    const char *why;

    return acme_ca_pool_next_at(&why, env.cas, 0, at, pool) > at;
}

static int is_open(apr_interval_time_t later)
{
    return is_open_at(apr_time_now() + later);
}

static void three_slow_renewals_open_it(void **state)
{
    (void)state;
    renew_once(SECONDS(21), SECONDS(21));
    renew_once(SECONDS(21), SECONDS(21));
    assert_false(is_open(0));
    assert_string_equal(logged, "");
    renew_once(SECONDS(21), SECONDS(21));
    assert_true(is_open(0));
    assert_true(is_open(SECONDS(25)));
    assert_false(is_open(SECONDS(34)));
    assert_false(acme_ca_pool_allow(env.cas, 0, apr_time_now()));
    assert_non_null(strstr(logged, ": replies took more than 20 s on average, "
                           "three times in a row; no requests are sent to it "
                           "until "));
}

/* One request that takes its time, such as a finalize, makes no CA slow. */
static void it_is_the_average_that_counts(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < 5; i++) {
        renew_once(SECONDS(60), SECONDS(1));
    }
    assert_false(is_open(0));
    assert_string_equal(logged, "");

    /* And one that is quick makes none quick. */
    for (i = 0; i < 3; i++) {
        renew_once(SECONDS(1), SECONDS(40));
    }
    assert_true(is_open(0));
}

static void a_quick_one_between_them_counts(void **state)
{
    static const int took[] = { 21, 21, 1, 21, 21 };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(took); i++) {
        renew_once(SECONDS(took[i]), SECONDS(took[i]));
        assert_false(is_open(0));
    }
    assert_string_equal(logged, "");
}

static void report(apr_interval_time_t latency, apr_time_t now)
{
    assert_true(acme_ca_pool_allow(env.cas, 0, now));
    acme_ca_pool_report(env.cas, 0, NULL, latency, now, pool);
}

/* One probe, half a minute later: quick, it closes; still slow, it waits. */
static void the_probe_decides(void **state)
{
    apr_time_t now = apr_time_now();
    int i;

    (void)state;
    for (i = 0; i < 3; i++) {
        report(SECONDS(21), now);
    }
    now += SECONDS(34);
    assert_true(acme_ca_pool_allow(env.cas, 0, now));
    assert_false(acme_ca_pool_allow(env.cas, 0, now));  /* one at a time */
    acme_ca_pool_report(env.cas, 0, NULL, SECONDS(1), now, pool);
    assert_non_null(strstr(logged, ": answers again\n"));
    for (i = 0; i < 5; i++) {
        report(SECONDS(20), now);       /* just as long as is fine */
    }
    assert_false(is_open_at(now));
}

/* For a request, not for an order; and closed when nobody uses it any more. */
static void a_connection_is_lent_to_all(void **state)
{
    const apr_time_t now = apr_time_now();
    acme_http_t *first, *second, *again;

    (void)state;
    renew_once(SECONDS(1), SECONDS(1));
    renew_once(SECONDS(1), SECONDS(1));
    assert_int_equal(fake_connections(fake), 1);

    assert_int_equal(acme_ca_pool_borrow(&first, env.cas, 0, &res), 0);
    assert_int_equal(acme_ca_pool_borrow(&second, env.cas, 0, &res), 0);
    assert_ptr_not_equal(first, second);
    acme_ca_pool_return(env.cas, 0, first);
    apr_sleep(1);
    acme_ca_pool_return(env.cas, 0, second);
    assert_int_equal(acme_ca_pool_borrow(&again, env.cas, 0, &res), 0);
    assert_ptr_equal(again, second);    /* the warmest */

    /* One that is lent is not closed under its borrower. */
    acme_ca_pool_close_idle(env.cas, now + SECONDS(60));
    acme_ca_pool_close_idle(env.cas, now + SECONDS(200));
    acme_ca_pool_return(env.cas, 0, again);
    assert_int_equal(acme_ca_pool_borrow(&again, env.cas, 0, &res), 0);
    assert_ptr_equal(again, second);
    acme_ca_pool_return(env.cas, 0, again);
    renew_once(SECONDS(1), SECONDS(1));
    assert_int_equal(fake_connections(fake), 2);
}

static void add_route(apr_uint32_t ca, const char *proxy)
{
    APR_ARRAY_PUSH(conf.routes, acme_route_conf_t) = (acme_route_conf_t) {
        .ca = ca,
        .roots = APR_ARRAY_IDX(conf.routes, 0, acme_route_conf_t).roots,
        .proxy = proxy
    };
}

static int waits_for(apr_uint32_t route, apr_time_t now)
{
    const char *why;

    return acme_ca_pool_next_at(&why, env.cas, route, now, pool) > now;
}

/* A proxy that is down says nothing about the CA behind another one. */
static void each_way_to_a_ca_has_a_health_of_its_own(void **state)
{
    const apr_time_t now = apr_time_now();
    int i;

    (void)state;
    add_route(0, "http://127.0.0.1:1");
    assert_int_equal(acme_ca_pool_create(&env.cas, &conf, &test_log,
                                         "mod_acme/test", env.stop, pool), 0);
    assert_ptr_not_equal(acme_ca_pool_ca(env.cas, 0),
                         acme_ca_pool_ca(env.cas, 1));
    for (i = 0; i < 3; i++) {
        report(SECONDS(21), now);
    }
    assert_true(waits_for(0, now));
    assert_false(waits_for(1, now));
}

/* A certificate with another CA goes there meanwhile. */
static void another_ca_is_chosen_meanwhile(void **state)
{
    static const unsigned char full[ACME_CHOICE_MAX];
    const acme_state_t due = { .cas = 2, .agreed = 1,
                               .issued_by = ACME_NO_CA };
    const apr_time_t now = apr_time_now();
    acme_ca_conf_t *other = apr_array_push(conf.cas);
    int i;

    (void)state;
    *other = APR_ARRAY_IDX(conf.cas, 0, acme_ca_conf_t);
    other->url = url("/other");
    add_route(1, NULL);
    APR_ARRAY_PUSH(cert_of(0)->cas, apr_uint32_t) = 1;
    APR_ARRAY_PUSH(cert_of(0)->routes, apr_uint32_t) = 1;
    assert_int_equal(acme_ca_pool_create(&env.cas, &conf, &test_log,
                                         "mod_acme/test", env.stop, pool), 0);
    for (i = 0; i < 3; i++) {
        assert_int_equal(acme_ca_pool_choose(env.cas, &due, cert_of(0), full,
                                             now), 0);
        report(SECONDS(21), now);
    }
    assert_int_equal(acme_ca_pool_choose(env.cas, &due, cert_of(0), full,
                                         now), 1);
    assert_int_equal(acme_ca_pool_choose(env.cas, &due, cert_of(0), full,
                                         now + SECONDS(34)), 0);
}

/* At once, not when the order has ended; also an order that was retried. */
static void a_refusal_lowers_what_is_side_by_side(void **state)
{
    const apr_time_t now = apr_time_now();

    (void)state;
    conf.parallel = 64;
    conf.parallel_first = 16;
    assert_int_equal(acme_ca_pool_create(&env.cas, &conf, &test_log,
                                         "mod_acme/test", env.stop, pool), 0);
    assert_int_equal(acme_ca_pool_parallel(env.cas, 0), 16);
    acme_ca_pool_seen(env.cas, 0, 200, SECONDS(1), now);
    acme_ca_pool_seen(env.cas, 0, 400, SECONDS(1), now);
    acme_ca_pool_seen(env.cas, 0, 0, 0, now);
    assert_int_equal(acme_ca_pool_parallel(env.cas, 0), 16);
    assert_string_equal(logged, "");
    acme_ca_pool_seen(env.cas, 0, 429, SECONDS(1), now);
    acme_ca_pool_seen(env.cas, 0, 503, SECONDS(1), now);
    assert_int_equal(acme_ca_pool_parallel(env.cas, 0), 8);
    assert_non_null(strstr(logged, ": refuses requests (429); at most 8 orders are processed at a time now\n"));
    acme_ca_pool_seen(env.cas, 0, 503, SECONDS(1), now + SECONDS(2));
    assert_int_equal(acme_ca_pool_parallel(env.cas, 0), 4);

    /* And a renewal tells what it sees. */
    renew_once(SECONDS(1), SECONDS(1));
    renew_once(SECONDS(1), SECONDS(1));
    renew_once(SECONDS(1), SECONDS(1));
    renew_once(SECONDS(1), SECONDS(1));
    assert_int_equal(acme_ca_pool_parallel(env.cas, 0), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RENEWING_TEST(three_slow_renewals_open_it),
        RENEWING_TEST(it_is_the_average_that_counts),
        RENEWING_TEST(a_quick_one_between_them_counts),
        RENEWING_TEST(the_probe_decides),
        RENEWING_TEST(a_connection_is_lent_to_all),
        RENEWING_TEST(a_refusal_lowers_what_is_side_by_side),
        RENEWING_TEST(each_way_to_a_ca_has_a_health_of_its_own),
        RENEWING_TEST(another_ca_is_chosen_meanwhile)
    };

    return cmocka_run_group_tests(tests, renewing_begin, renewing_end);
}
