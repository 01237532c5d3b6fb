/*
 * test_scheduler.c - what is begun, how much side by side, and what rests.
 *
 * Time is passed in; that a task has got somewhere is seen at the keeper,
 * whose answer it then waits for.
 */
#include <dlfcn.h>

#include <apr_thread_proc.h>

#include "renewing.h"

#include "acme_scheduler.h"

#define SECONDS(n) apr_time_from_sec((apr_int64_t)(n))
#define NOW apr_time_now()

static acme_scheduler_t *scheduler;
static apr_pool_t *scheduler_pool;
static acme_scheduler_change_cb *change;        /* of the next setup */
static apr_uint32_t news;

static apr_uint32_t count_news(const void *baton)
{
    (void)baton;
    return news;
}

static int threads_left = -1;   /* so many can be made; -1: any number */

/* In the place of APR's, which its pool of threads would call. */
apr_status_t apr_thread_create(apr_thread_t **thread, apr_threadattr_t *attr,
                               apr_thread_start_t run, void *data,
                               apr_pool_t *p)
{
    apr_status_t (*create)(apr_thread_t **, apr_threadattr_t *,
                           apr_thread_start_t, void *, apr_pool_t *);
    void *found = dlsym(RTLD_NEXT, "apr_thread_create");

    if (threads_left == 0) {
        return EAGAIN;
    }
    threads_left -= threads_left > 0;
    memcpy(&create, &found, sizeof(create));
    return create(thread, attr, run, data, p);
}

static int scheduler_setup(void **state)
{
    acme_scheduler_conf_t made = { .conf = &conf, .solver = &solver,
                                   .duties = ACME_DUTY_ORDERS
                                       | ACME_DUTY_WITNESS,
                                   .change = change,
                                   .log = &test_log,
                                   .user_agent = "mod_acme/test",
                                   .waits = &quick,
                                   .dns_servers = "127.0.0.1:1" };

    if (renewing_setup(state)) {
        return -1;
    }
    add_cert("c.test", NULL);
    add_cert("d.test", NULL);
    add_cert("e.test", NULL);
    add_cert("f.test", NULL);
    add_cert("g.test", NULL);
    add_cert("h.test", NULL);
    add_cert("i.test", NULL);
    made.keeper = fake_keeper_address(keeper);
    apr_pool_create(&scheduler_pool, NULL);
    return acme_scheduler_create(&scheduler, &made, &res, scheduler_pool);
}

static int news_setup(void **state)
{
    int rv;

    change = count_news;
    rv = scheduler_setup(state);
    change = NULL;
    return rv;
}

static int scheduler_teardown(void **state)
{
    acme_scheduler_stop(scheduler);
    assert_true(acme_scheduler_join(scheduler, SECONDS(20)));
    apr_pool_destroy(scheduler_pool);
    return renewing_teardown(state);
}

/* A certificate that is ordered at once; what is changed in it by a test. */
static acme_state_t due(apr_uint32_t cert)
{
    acme_state_t state = { .cert = cert, .cas = 1, .agreed = 1,
                           .issued_by = ACME_NO_CA };

    return state;
}

static void all_are_due(void)
{
    apr_uint32_t i;

    for (i = 0; i < 3; i++) {
        const acme_state_t state = due(i);

        fake_keeper_change(keeper, &state);
    }
}

static int times(const char *text)
{
    const char *log = fake_keeper_log(keeper);
    int n = 0;

    while ((log = strstr(log, text))) {
        log += strlen(text);
        n++;
    }
    return n;
}

/* Until the tasks that ended were noticed: a run has then begun no more. */
static void run_until_idle(apr_time_t now)
{
    while (acme_scheduler_run(scheduler, now) < SECONDS(1)) {
        apr_sleep(1000);
    }
}

static void what_is_begun(void **unused)
{
    const struct {
        const char *name;
        acme_state_t state;
        const char *begun;      /* NULL: nothing */
    } tries[] = {
        { "none yet", due(0), "NOTE 0.0 failed" },
        { "not agreed", { .cas = 1 }, NULL },
        { "deleted", { .cas = 1, .agreed = 1, .deleted = 1 }, NULL },
        { "one that rests after a failure",
          { .cas = 1, .agreed = 1, .attempts = 1,
            .next_at = NOW + SECONDS(3600) }, NULL },
        { "one that waits for a limit",
          { .cas = 1, .agreed = 1, .limit_until = NOW + SECONDS(3600) }, NULL },
        { "a good one", { .cas = 1, .agreed = 1, .live = 1, .covers = 1,
                          .not_before = NOW - SECONDS(1000),
                          .not_after = NOW + SECONDS(100000),
                          .issued_by = ACME_NO_CA }, NULL },
        { "an update of the account", { .cas = 1, .agreed = 1,
                                        .wanted = ACME_WANT_UPDATE },
          "NOTE 0.0 failed" },
        { "a revocation", { .cas = 1, .agreed = 1,
                            .wanted = ACME_WANT_REVOCATION },
          "NOTE 0.0 failed" }
    };
    size_t i;
    int before = 0;

    (void)unused;
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, "not today");
    for (i = 0; i < COUNT(tries); i++) {
        fake_keeper_change(keeper, &tries[i].state);
        /* Each of them later than the rest of the one before. */
        run_until_idle(NOW + SECONDS(20 * i));
        if ((times("NOTE 0.0 failed: not today\n") > before)
            != (tries[i].begun != NULL)) {
            fail_msg("%s: %s", tries[i].name, fake_keeper_log(keeper));
        }
        before = times("NOTE 0.0 failed: not today\n");
    }
}

/* What could not be begun is done once, later on. */
static void no_thread_can_be_made(void **unused)
{
    const acme_state_t state = due(0);

    (void)unused;
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, "not today");
    fake_keeper_change(keeper, &state);
    threads_left = 0;
    acme_scheduler_run(scheduler, NOW);
    acme_scheduler_run(scheduler, NOW + SECONDS(11));
    threads_left = -1;
    assert_int_equal(times("NOTE "), 0);
    run_until_idle(NOW + SECONDS(30));
    assert_int_equal(times("NOTE 0.0 failed"), 1);
}

/* It comes before an order that is due, and an order follows. */
static void a_dry_run_is_begun_by_who_orders(void **unused)
{
    apr_array_header_t *dry_run_cas = apr_array_copy(pool, cert_of(0)->cas);
    acme_state_t state = due(0);

    (void)unused;
    cert_of(0)->dry_run_cas = cert_of(0)->dry_run_routes = dry_run_cas;
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, "not today");
    state.wanted = ACME_WANT_DRY_RUN;
    state.dry_run_at = NOW;
    fake_keeper_change(keeper, &state);
    run_until_idle(NOW);
    assert_int_equal(times("NOTE 0.0 dry-run-failed: not today\n"), 1);
    assert_int_equal(times("NOTE 0.0 failed"), 0);
    state.wanted = ACME_WANT_NOTHING;
    fake_keeper_change(keeper, &state);
    run_until_idle(NOW + SECONDS(20));
    assert_int_equal(times("NOTE 0.0 dry-run-failed: not today\n"), 1);
    assert_int_equal(times("NOTE 0.0 failed"), 1);
}

/* Two, whatever they wait for; a renewal has its places, also that of a
   certificate whose dry run waits for one. */
static void dry_runs_take_no_place_of_an_order(void **unused)
{
    acme_state_t state;
    apr_uint32_t i;

    (void)unused;
    fake_keeper_hold(keeper, ACME_MSG_PREPARE);
    for (i = 0; i < 5; i++) {
        cert_of((int)i)->dry_run_cas = cert_of((int)i)->dry_run_routes =
            apr_array_copy(pool, cert_of((int)i)->cas);
        state = due(i);
        state.wanted = ACME_WANT_DRY_RUN;
        state.dry_run_at = NOW;
        state.attempts = i < 4;         /* an order of them rests */
        state.next_at = NOW + SECONDS(3600);
        fake_keeper_change(keeper, &state);
    }
    acme_scheduler_run(scheduler, NOW);
    fake_keeper_await(keeper, "PREPARE 0.0", 1);
    fake_keeper_await(keeper, "PREPARE 1.0", 1);
    fake_keeper_await(keeper, "PREPARE 4.0", 1);
    state = due(5);
    fake_keeper_change(keeper, &state);
    acme_scheduler_run(scheduler, NOW);
    fake_keeper_await(keeper, "PREPARE 5.0", 1);
    assert_int_equal(times("PREPARE "), 4);
}

/* Nor does it report on the dry run, which is no worker's to end so. */
static void an_order_beside_a_dry_run_is_an_order(void **unused)
{
    acme_state_t state;
    apr_uint32_t i;

    (void)unused;
    fake_keeper_hold(keeper, ACME_MSG_PREPARE);
    for (i = 0; i < 3; i++) {
        cert_of((int)i)->dry_run_cas = cert_of((int)i)->dry_run_routes =
            apr_array_copy(pool, cert_of((int)i)->cas);
        state = due(i);
        state.wanted = ACME_WANT_DRY_RUN;
        state.dry_run_at = NOW;
        fake_keeper_change(keeper, &state);
    }
    acme_scheduler_run(scheduler, NOW);
    fake_keeper_await(keeper, "PREPARE 2.0", 1);
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, "not today");
    fake_keeper_release(keeper, ACME_MSG_PREPARE);
    fake_keeper_await(keeper, "NOTE 2.0 failed", 1);
    assert_int_equal(fake_keeper_failure(keeper).want, ACME_WANT_NOTHING);
}

static void as_many_as_are_configured(void **unused)
{
    (void)unused;
    fake_keeper_hold(keeper, ACME_MSG_PREPARE);
    all_are_due();
    assert_true(acme_scheduler_run(scheduler, NOW) < SECONDS(1));
    fake_keeper_await(keeper, "PREPARE ", 2);
    assert_true(acme_scheduler_run(scheduler, NOW) < SECONDS(1));
    assert_int_equal(times("PREPARE 2.0"), 0);

    /* When they have left, the third one has its turn. */
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, "not today");
    fake_keeper_release(keeper, ACME_MSG_PREPARE);
    run_until_idle(NOW);
    fake_keeper_await(keeper, "NOTE 2.0 failed", 1);
}

/* Not at the next look: its place is the next one's. */
static void an_end_ends_the_wait(void **unused)
{
    (void)unused;
    fake_keeper_hold(keeper, ACME_MSG_PREPARE);
    all_are_due();
    acme_scheduler_run(scheduler, NOW);
    fake_keeper_await(keeper, "PREPARE ", 2);
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, "not today");
    fake_keeper_release(keeper, ACME_MSG_PREPARE);
    while (times("NOTE 2.0 failed") < 1) {
        acme_scheduler_wait(scheduler, SECONDS(HANGS_AFTER), NULL);
        acme_scheduler_run(scheduler, NOW);
    }
}

static void a_stop_ends_the_wait(void **unused)
{
    (void)unused;
    acme_scheduler_stop(scheduler);
    acme_scheduler_wait(scheduler, SECONDS(HANGS_AFTER), NULL);
}

/* A certificate of many names takes many rows of the board. */
static void names_are_bounded_too(void **unused)
{
    acme_state_t state;
    apr_uint32_t i;

    (void)unused;
    conf.parallel = 3;
    for (i = 0; i < 700; i++) {
        APR_ARRAY_PUSH(cert_of(1)->names, const char *) = "more.test";
        APR_ARRAY_PUSH(cert_of(2)->names, const char *) = "more.test";
    }
    fake_keeper_hold(keeper, ACME_MSG_PREPARE);
    for (i = 1; i < 4; i++) {
        state = due(i);
        fake_keeper_change(keeper, &state);
    }
    acme_scheduler_run(scheduler, NOW);
    fake_keeper_await(keeper, "PREPARE 1.0", 1);
    fake_keeper_await(keeper, "PREPARE 3.0", 1);
    assert_int_equal(times("PREPARE 2.0"), 0);
}

/* AcmeParallel is the most; how many there are is the CA's to say. */
static void a_ca_that_refuses_gets_fewer(void **unused)
{
    static const fake_row_t rows[] = {
        { .request = "GET /dir", .head = "503 Busy", .body = "" }, { 0 }
    };
    acme_state_t state = due(0);

    (void)unused;
    fake_serve(fake, rows);
    fake_keeper_change(keeper, &state);
    run_until_idle(NOW);
    fake_keeper_await(keeper, "NOTE 0.0 failed", 1);
    fake_keeper_hold(keeper, ACME_MSG_PREPARE);
    state = due(1);
    fake_keeper_change(keeper, &state);
    state = due(2);
    fake_keeper_change(keeper, &state);
    acme_scheduler_run(scheduler, NOW);
    fake_keeper_await(keeper, "PREPARE 1.0", 1);
    acme_scheduler_run(scheduler, NOW);
    assert_int_equal(times("PREPARE 2.0"), 0);
}

/* The keeper's state of an end comes first: nothing is begun twice for it. */
static void what_ended_rests_until_its_state_is_known(void **unused)
{
    const apr_time_t now = NOW;
    acme_state_t state = due(0);

    (void)unused;
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, "not today");
    fake_keeper_change(keeper, &state);
    run_until_idle(now);
    assert_int_equal(times("NOTE 0.0 failed"), 1);

    /* It reported nothing that changed its state: a rest of 10 s. */
    run_until_idle(now + SECONDS(9));
    assert_int_equal(times("NOTE 0.0 failed"), 1);
    run_until_idle(now + SECONDS(11));
    assert_int_equal(times("NOTE 0.0 failed"), 2);

    /* One whose state changed is begun when that says so. */
    fake_keeper_hold(keeper, ACME_MSG_NOTE);
    acme_scheduler_run(scheduler, now + SECONDS(22));
    fake_keeper_await(keeper, "NOTE 0.0 failed", 3);
    state.attempts = 1;
    fake_keeper_change(keeper, &state);
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, NULL);
    fake_keeper_hold(keeper, ACME_MSG_PREPARE);
    fake_keeper_release(keeper, ACME_MSG_NOTE);
    while (times("PREPARE 0.0") < 1) {
        acme_scheduler_run(scheduler, now + SECONDS(23));
    }
}

static void one_that_waits_for_dns_frees_its_place(void **unused)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", CHALLENGE("dns-01", ""), 0), { 0 }
    };
    static const acme_dns_conf_t dns = { .stay = 1 };
    acme_state_t state = due(0);

    (void)unused;
    fake_serve(fake, rows);
    conf.parallel = 1;
    cert_of(0)->dns = &dns;
    cert_of(0)->challenges[0] = ACME_DNS_01;
    cert_of(0)->nchallenges = 1;
    fake_keeper_hold(keeper, ACME_MSG_AWAIT);
    fake_keeper_change(keeper, &state);
    acme_scheduler_run(scheduler, NOW);
    fake_keeper_await(keeper, "PUBLISH 0.0", 1);
    fake_keeper_await(keeper, "AWAIT 0.0", 1);

    fake_keeper_hold(keeper, ACME_MSG_PREPARE);
    state.cert = 1;
    fake_keeper_change(keeper, &state);
    state.cert = 2;
    fake_keeper_change(keeper, &state);
    acme_scheduler_run(scheduler, NOW);
    fake_keeper_await(keeper, "PREPARE 1.0", 1);
    acme_scheduler_run(scheduler, NOW);
    assert_int_equal(times("PREPARE 2.0"), 0);
}

/* Few at once, and neither they nor orders wait for the others. */
static void checks_are_beside_orders(void **unused)
{
    static const acme_visit_place_t at = { "127.0.0.1", NULL, 1, "*:443" };
    acme_state_t state = { .cas = 1, .agreed = 1, .live = 2, .served = 2,
                           .covers = 1, .not_before = NOW - SECONDS(1000),
                           .not_after = NOW + SECONDS(100000),
                           .issued_by = ACME_NO_CA, .check_at = NOW };
    apr_array_header_t *visits = apr_array_make(pool, 1,
                                                sizeof(acme_visit_t));

    (void)unused;
    APR_ARRAY_PUSH(visits, acme_visit_t) = (acme_visit_t) { &at, "x.test" };
    fake_keeper_hold(keeper, ACME_MSG_PREPARE);
    fake_keeper_hold(keeper, ACME_MSG_LIVE);
    for (state.cert = 2; state.cert < 8; state.cert++) {
        cert_of((int)state.cert)->visits = visits;
        fake_keeper_change(keeper, &state);
    }
    state.cert = 1;
    state.served = 1;           /* after the next load */
    cert_of(1)->visits = visits;
    fake_keeper_change(keeper, &state);
    acme_scheduler_run(scheduler, NOW + SECONDS(1));
    fake_keeper_await(keeper, "LIVE ", 4);
    state = due(0);
    fake_keeper_change(keeper, &state);
    state = due(1);
    fake_keeper_change(keeper, &state);
    acme_scheduler_run(scheduler, NOW + SECONDS(2));
    fake_keeper_await(keeper, "PREPARE ", 2);
    acme_scheduler_run(scheduler, NOW + SECONDS(3));
    assert_int_equal(times("LIVE "), 4);
    assert_int_equal(times("LIVE 1"), 0);
}

static void a_stop_ends_all_and_begins_none(void **unused)
{
    (void)unused;
    fake_keeper_hold(keeper, ACME_MSG_PREPARE);
    all_are_due();
    acme_scheduler_run(scheduler, NOW);
    fake_keeper_await(keeper, "PREPARE ", 2);
    assert_false(acme_scheduler_join(scheduler, 1000));

    acme_scheduler_stop(scheduler);
    assert_true(acme_scheduler_join(scheduler, SECONDS(20)));
    acme_scheduler_run(scheduler, NOW);
    assert_int_equal(times("PREPARE "), 2);
    assert_int_equal(times("failed"), 0);
}

static void a_keeper_that_fails_is_logged_once(void **unused)
{
    (void)unused;
    fake_keeper_refuse(keeper, ACME_MSG_CHANGES, "keeper: is ill");
    assert_int_equal(acme_scheduler_run(scheduler, NOW), SECONDS(1));
    assert_int_equal(acme_scheduler_run(scheduler, NOW), SECONDS(1));
    assert_string_equal(logged, "renewal: keeper: is ill\n");
    fake_keeper_refuse(keeper, ACME_MSG_CHANGES, NULL);
    acme_scheduler_run(scheduler, NOW);
    fake_keeper_refuse(keeper, ACME_MSG_CHANGES, "keeper: again");
    acme_scheduler_run(scheduler, NOW);
    assert_string_equal(logged, "renewal: keeper: is ill\n"
                        "renewal: keeper: again\n");
}

static void a_ca_that_fails_postpones_all_orders(void **unused)
{
    static const fake_row_t rows[] = {
        { .request = "GET /dir", .head = "500 Oops", .body = "" }, { 0 }
    };
    apr_uint32_t i;

    (void)unused;
    fake_serve(fake, rows);
    all_are_due();
    run_until_idle(NOW);
    assert_int_equal(times(" failed: "), 3);

    run_until_idle(NOW + SECONDS(11));
    assert_int_equal(times(" failed: "), 3);
    assert_int_equal(times(" limit ca-paused: 127.0.0.1"), 3);
    assert_int_equal(times("three requests in a row failed; no requests are "
                           "sent to it until "), 3);

    /* Once the keeper has it, it is not noted again. */
    for (i = 0; i < 3; i++) {
        acme_state_t state = due(i);

        state.limit_until = NOW + SECONDS(60);
        state.limit_why = ACME_REASON_CA_PAUSED;
        fake_keeper_change(keeper, &state);
    }
    run_until_idle(NOW + SECONDS(12));
    assert_int_equal(times(" limit ca-paused: "), 3);
    assert_int_equal(times(" failed: "), 3);
}

/* What was said of one CA does not keep a certificate from another. */
static void a_pause_that_was_noted_does_not_delay(void **unused)
{
    acme_state_t state = due(0);

    (void)unused;
    state.limit_until = NOW + SECONDS(3600);
    state.limit_why = ACME_REASON_CA_PAUSED;
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, "not today");
    fake_keeper_change(keeper, &state);
    run_until_idle(NOW);
    assert_int_equal(times("NOTE 0.0 failed: not today\n"), 1);
}

/* Nor does a limit, where there is another CA; where there is none, it does. */
static void a_limit_of_one_ca_does_not_delay(void **unused)
{
    acme_state_t state = due(0), alone = due(1);

    (void)unused;
    APR_ARRAY_PUSH(acme_conf_cert(&conf, 0)->cas, apr_uint32_t) = 0;
    APR_ARRAY_PUSH(acme_conf_cert(&conf, 0)->routes, apr_uint32_t) = 0;
    state.cas = 2;
    state.limit_until = alone.limit_until = NOW + SECONDS(3600);
    state.limit_why = alone.limit_why = ACME_REASON_RATE_LIMITED;
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, "not today");
    fake_keeper_change(keeper, &state);
    fake_keeper_change(keeper, &alone);
    run_until_idle(NOW);
    assert_int_equal(times("NOTE 0.0 failed: not today\n"), 1);
    assert_int_equal(times("NOTE 1.0 failed: "), 0);
}

/* Of thousands of which nothing is due none is looked at, and it is in time. */
static void what_is_due_later_is_begun_then(void **unused)
{
    const apr_time_t now = NOW;
    acme_state_t state = due(0), other = due(1);

    (void)unused;
    state.attempts = other.attempts = 1;
    state.next_at = now + SECONDS(300);
    other.next_at = now + SECONDS(9000);
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, "not today");
    fake_keeper_change(keeper, &state);
    fake_keeper_change(keeper, &other);
    run_until_idle(now);
    run_until_idle(now + SECONDS(299));
    assert_int_equal(times("failed: not today"), 0);
    run_until_idle(now + SECONDS(300));
    assert_int_equal(times("NOTE 0.0 failed: not today\n"), 1);
    run_until_idle(now + SECONDS(8999));
    assert_int_equal(times("NOTE 1.0 failed: not today\n"), 0);
    run_until_idle(now + SECONDS(9000));
    assert_int_equal(times("NOTE 1.0 failed: not today\n"), 1);
}

/* A time that was believed before is now one that cannot be true. */
static void a_clock_that_is_set_back_delays_nothing(void **unused)
{
    const apr_time_t now = NOW;
    acme_state_t state = due(0);

    (void)unused;
    state.attempts = 1;
    state.next_at = now + SECONDS(3600);
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, "not today");
    fake_keeper_change(keeper, &state);
    run_until_idle(now);
    assert_int_equal(times("failed: not today"), 0);
    run_until_idle(now - SECONDS(10 * 24 * 3600));
    assert_int_equal(times("NOTE 0.0 failed: not today\n"), 1);
}

/* Without news only after a while: who can write there cannot hide them. */
static void the_keeper_is_asked_when_it_has_news(void **unused)
{
    const apr_time_t now = NOW;
    const acme_state_t state = due(0), other = due(1);

    (void)unused;
    fake_keeper_refuse(keeper, ACME_MSG_PREPARE, "not today");
    run_until_idle(now);
    fake_keeper_change(keeper, &state);
    run_until_idle(now + SECONDS(9));
    assert_int_equal(times("PREPARE 0.0"), 0);
    news++;
    run_until_idle(now + SECONDS(9));
    assert_int_equal(times("NOTE 0.0 failed: not today\n"), 1);
    fake_keeper_change(keeper, &other);
    run_until_idle(now + SECONDS(18));
    assert_int_equal(times("PREPARE 1.0"), 0);
    run_until_idle(now + SECONDS(19));
    assert_int_equal(times("NOTE 1.0 failed: not today\n"), 1);
}

#define SCHEDULER_TEST(test) \
    cmocka_unit_test_setup_teardown(test, scheduler_setup, scheduler_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCHEDULER_TEST(what_is_begun),
        SCHEDULER_TEST(no_thread_can_be_made),
        SCHEDULER_TEST(a_dry_run_is_begun_by_who_orders),
        SCHEDULER_TEST(dry_runs_take_no_place_of_an_order),
        SCHEDULER_TEST(an_order_beside_a_dry_run_is_an_order),
        SCHEDULER_TEST(as_many_as_are_configured),
        SCHEDULER_TEST(an_end_ends_the_wait),
        SCHEDULER_TEST(names_are_bounded_too),
        SCHEDULER_TEST(a_ca_that_refuses_gets_fewer),
        SCHEDULER_TEST(a_stop_ends_the_wait),
        SCHEDULER_TEST(what_ended_rests_until_its_state_is_known),
        SCHEDULER_TEST(checks_are_beside_orders),
        SCHEDULER_TEST(one_that_waits_for_dns_frees_its_place),
        SCHEDULER_TEST(a_stop_ends_all_and_begins_none),
        SCHEDULER_TEST(a_keeper_that_fails_is_logged_once),
        SCHEDULER_TEST(a_ca_that_fails_postpones_all_orders),
        SCHEDULER_TEST(a_pause_that_was_noted_does_not_delay),
        SCHEDULER_TEST(a_limit_of_one_ca_does_not_delay),
        SCHEDULER_TEST(what_is_due_later_is_begun_then),
        SCHEDULER_TEST(a_clock_that_is_set_back_delays_nothing),
        cmocka_unit_test_setup_teardown(the_keeper_is_asked_when_it_has_news,
                                        news_setup, scheduler_teardown)
    };

    return cmocka_run_group_tests(tests, renewing_begin, renewing_end);
}
