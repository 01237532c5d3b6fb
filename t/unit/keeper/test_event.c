/*
 * test_event.c - events without end run few commands, and the last event of
 * each kind is not lost.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "acme_event.h"
#include "open_registry.h"
#include "with_launcher.h"

static acme_conf_t *conf;
static acme_store_t *store;
static acme_hook_runner_t *hooks;
static acme_event_sink_t *sink;
static apr_interval_time_t ahead;       /* our clock of the machine's */

static apr_array_header_t *one(const char *text)
{
    apr_array_header_t *list = apr_array_make(pool, 1, sizeof(const char *));

    APR_ARRAY_PUSH(list, const char *) = text;
    return list;
}

static int setup(void **state)
{
    const int rc = scratch_setup(state);
    apr_array_header_t *list = apr_array_make(pool, 1,
                                              sizeof(acme_hook_conf_t));
    acme_hook_conf_t *hook = apr_array_push(list);
    const char *script = at("hook");
    int i;

    alarm(300);
    signal(SIGPIPE, SIG_IGN);
    ahead = 0;
    put(script, apr_psprintf(pool, "#!/bin/sh\ncat >/dev/null\n"
                             "echo \"$ACME_ID $ACME_EVENT $ACME_DETAIL\" >>%s\n"
                             "while [ -e %s ]; do sleep 0.02; done\n"
                             "[ ! -e %s ] || { echo it fails; exit 3; }\n",
                             at("said"), at("busy"), at("fail")));
    assert_int_equal(chmod(script, 0755), 0);
    hook->kind = ACME_HOOK_NOTIFY;
    hook->command = one(script);
    conf = make_conf();
    for (i = 0; i < conf->certs->nelts; i++) {
        acme_cert_conf_t *cert = &APR_ARRAY_IDX(conf->certs, i,
                                                acme_cert_conf_t);

        cert->hooks = list;
        cert->hook_timeout = apr_time_from_sec(1000);
    }
    assert_int_equal(acme_store_open(&store, at("store"), &res, pool), 0);
    with_launcher(NULL);
    hooks = acme_hook_run_create(&test_log, pool);
    sink = acme_event_sink_create(conf, store, hooks, &test_log, pool);
    return rc;
}

static apr_time_t clock_now(void)
{
    return apr_time_now() + ahead;
}

static void happens(apr_uint32_t cert, acme_event_e event, const char *detail)
{
    acme_state_t state = { .cert = cert };

    acme_event_send(sink, &state, event, detail, pool);
}

static int said(void)
{
    const char *text = text_of(at("said"));
    int n = 0;

    while (text && (text = strchr(text, '\n'))) {
        text++;
        n++;
    }
    return n;
}

static int said_of(const char *what)
{
    const char *text = text_of(at("said"));
    int n = 0;

    while ((text = strstr(text, what)) != NULL) {
        text++;
        n++;
    }
    return n;
}

/* Until so many have been delivered, in all. */
static void await(int count)
{
    while (said() < count || acme_hook_run_wake(hooks, clock_now())) {
        acme_hook_run_step(hooks, clock_now());
        acme_event_step(sink, clock_now(), pool);
        usleep(2000);
    }
}

static void one_that_waits_is_replaced_by_its_equal(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < 1000; i++) {
        happens(0, ACME_EVENT_FAILED, apr_itoa(pool, i));
    }
    happens(0, ACME_EVENT_INSTALLED, "once");
    happens(1, ACME_EVENT_FAILED, "once");
    await(7);                           /* five, and two others */
    usleep(50000);
    await(7);
    assert_int_equal(said(), 7);
    assert_non_null(strstr(text_of(at("said")), "installed once\n"));
    assert_null(strstr(text_of(at("said")), "failed 999\n"));

    assert_in_range(acme_event_wake(sink, clock_now()), clock_now(),
                    clock_now() + apr_time_from_sec(60));
    ahead = apr_time_from_sec(61);
    await(8);
    assert_non_null(strstr(text_of(at("said")), "failed 999\n"));
    assert_int_equal(acme_event_wake(sink, clock_now()), 0);
}

static void few_commands_run_at_once(void **state)
{
    int i, event;

    (void)state;
    put(at("busy"), "");
    for (i = 0; i < 5; i++) {
        for (event = 0; event < ACME_EVENTS; event++) {
            happens((apr_uint32_t)i % 2, (acme_event_e)event, "x");
        }
    }
    while (said() < 8) {
        acme_hook_run_step(hooks, clock_now());
        acme_event_step(sink, clock_now(), pool);
    }
    usleep(100000);
    acme_event_step(sink, clock_now(), pool);
    assert_int_equal(said(), 8);
    unlink(at("busy"));
    await(2 * ACME_EVENTS);
}

/* They outlive the keeper, so they are started before it ends. */
static void who_waits_for_a_place_is_started_at_the_end(void **state)
{
    int event;

    (void)state;
    put(at("busy"), "");
    for (event = 0; event < ACME_EVENTS; event++) {
        happens(0, (acme_event_e)event, "x");
        happens(1, (acme_event_e)event, "x");
    }
    acme_event_flush(sink, clock_now(), pool);
    while (said() < 2 * ACME_EVENTS) {
        acme_hook_run_step(hooks, clock_now());
    }
    assert_null(strstr(logged(), "were not run"));
    unlink(at("busy"));
}

static acme_hooks_failing_t failing;    /* of the first certificate */

static void on_failing(void *baton, apr_uint32_t cert,
                       const acme_hooks_failing_t *of)
{
    (void)baton;
    if (cert == 0) {
        failing = *of;
    }
}

/* As a keeper that starts now. */
static void begin(void)
{
    memset(&failing, 0, sizeof(failing));
    sink = acme_event_sink_create(conf, store, hooks, &test_log, pool);
    acme_event_watch(sink, on_failing, NULL);
}

static void what_is_not_delivered_is_tried_again(void **state)
{
    (void)state;
    begin();
    put(at("fail"), "");
    happens(0, ACME_EVENT_FAILED, "one");
    await(1);
    assert_int_equal(failing.waiting, 1);
    assert_int_equal(failing.failures, 1);
    assert_string_equal(failing.failure,
                        apr_pstrcat(pool, at("hook"),
                                    ": exit status 3: it fails", NULL));
    happens(0, ACME_EVENT_FAILED, "two");       /* the newest wins */
    happens(0, ACME_EVENT_STUCK, "three");
    await(3);
    assert_int_equal(failing.waiting, 2);

    begin();                                    /* also after a restart */
    assert_int_equal(failing.waiting, 2);
    acme_event_step(sink, clock_now(), pool);
    assert_int_equal(said(), 3);
    unlink(at("fail"));
    ahead = apr_time_from_sec(130);
    await(5);
    assert_int_equal(failing.waiting, 0);
    assert_int_equal(said_of("failed one"), 1);
    assert_int_equal(said_of("failed two"), 2);
    assert_int_equal(said_of("stuck three"), 2);
    assert_int_equal(count(at("store/undelivered")), 0);
    assert_int_equal(acme_event_wake(sink, clock_now()), 0);
}

static void a_newer_one_that_is_delivered_is_enough(void **state)
{
    (void)state;
    begin();
    put(at("fail"), "");
    happens(0, ACME_EVENT_FAILED, "one");
    await(1);
    unlink(at("fail"));
    happens(0, ACME_EVENT_FAILED, "two");
    await(2);
    assert_int_equal(failing.waiting, 0);
    assert_int_equal(count(at("store/undelivered")), 0);
}

/* Hooks of a keeper that ended say nothing to the next one. */
static void end(void)
{
    acme_event_flush(sink, clock_now(), pool);
    hooks = acme_hook_run_create(&test_log, pool);
    begin();
}

static void await_said(int most)
{
    while (said() < most) {
        acme_hook_run_step(hooks, clock_now());
        usleep(2000);
    }
}

/* A command outlives the keeper: only it knows whether it delivered. */
static void whose_end_nobody_heard_is_run_again(void **state)
{
    const char *file;

    (void)state;
    begin();
    put(at("busy"), "");
    happens(0, ACME_EVENT_INSTALLED, "one");
    await_said(1);
    assert_int_equal(count(at("store/undelivered")), 0);
    end();
    assert_int_equal(count(at("store/undelivered")), 1);
    unlink(at("busy"));
    acme_event_step(sink, clock_now(), pool);
    ahead = apr_time_from_sec(1000);            /* its timeout */
    acme_event_step(sink, clock_now(), pool);
    assert_int_equal(said(), 1);
    ahead += apr_time_from_sec(15);
    put(at("busy"), "");
    acme_event_step(sink, clock_now(), pool);
    ahead = 0;                                  /* it has time */
    await_said(2);

    end();                      /* perhaps it is what ends the keepers */
    assert_logged("a.example: httpd was reloaded twice while a command of "
                  "AcmeHook notify ran for the event installed");
    unlink(at("busy"));
    assert_int_equal(count(at("store/undelivered")), 0);

    file = at("store/undelivered/b.example.json");
    happens(1, ACME_EVENT_FAILED, "two");
    await(3);
    assert_int_equal(said(), 3);
    assert_null(text_of(file));
}

static void what_waits_or_starts_at_the_end_is_saved(void **state)
{
    int i, event;

    (void)state;
    begin();
    put(at("busy"), "");
    for (i = 0; i < 2; i++) {
        for (event = 0; event < ACME_EVENTS; event++) {
            happens((apr_uint32_t)i, (acme_event_e)event, "x");
        }
    }
    assert_int_equal(count(at("store/undelivered")), 0);
    acme_event_step(sink, clock_now(), pool);
    assert_int_equal(count(at("store/undelivered")), 2);
    end();
    assert_int_equal(failing.waiting, ACME_EVENTS);
    assert_true(acme_event_wake(sink, clock_now())
                > clock_now() + apr_time_from_sec(1000));
    unlink(at("busy"));
}

/* The older one's success is that of its own words only. */
static void an_older_one_that_is_delivered_is_not_enough(void **state)
{
    const char *script = apr_psprintf(
        pool, "#!/bin/sh\ncat >/dev/null\n"
        "echo \"$ACME_DETAIL\" >>%s\n[ $ACME_DETAIL = one ] || exit 3\n"
        "while [ -e %s ]; do sleep 0.02; done\n", at("said"), at("busy"));

    (void)state;
    put(at("hook"), script);
    begin();
    put(at("busy"), "");
    happens(0, ACME_EVENT_FAILED, "one");
    happens(0, ACME_EVENT_FAILED, "two");
    while (!failing.waiting) {
        acme_hook_run_step(hooks, clock_now());
        usleep(2000);
    }
    unlink(at("busy"));
    await(2);
    assert_int_equal(failing.waiting, 1);
    assert_int_equal(count(at("store/undelivered")), 1);
}

static void it_is_given_up_after_days(void **state)
{
    const char *path = at("store/undelivered/a.example.json");
    const char *text, *since;
    int i;

    (void)state;
    begin();
    put(at("fail"), "");
    happens(0, ACME_EVENT_FAILED, "one");
    await(1);
    text = text_of(path);
    since = strstr(text, "\"since\": \"20");
    assert_non_null(since);
    memcpy((char *)since + 10, "2020", 4);
    put(path, text);
    begin();
    ahead = apr_time_from_sec(130);
    for (i = 0; i < 3; i++) {
        await(2);
        ahead += apr_time_from_sec(100000);
    }
    assert_int_equal(said(), 2);
    assert_int_equal(failing.waiting, 0);
    assert_logged("could not be delivered within three days");
}

static long address_space(void)         /* in octets; 0: not known */
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;

    if (file) {
        if (fscanf(file, "%ld", &pages) != 1) {
            pages = 0;
        }
        fclose(file);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

/* The keeper's memory is bounded, and there may be ten thousand. */
static void what_is_delivered_needs_little_memory(void **state)
{
    enum { MANY = 4000 };
    const acme_cert_conf_t another = *cert_of(conf, 0);
    long before;
    int i;

    (void)state;
    for (i = 2; i < MANY; i++) {
        APR_ARRAY_PUSH(conf->certs, acme_cert_conf_t) = another;
    }
    sink = acme_event_sink_create(conf, store, hooks, &test_log, pool);
    before = address_space();
    for (i = 0; i < MANY; i++) {
        happens((apr_uint32_t)i, ACME_EVENT_FAILED, "x");
    }
    assert_in_range(address_space() - before, 0, MANY * 6000);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_waits_is_replaced_by_its_equal),
        TEST(few_commands_run_at_once),
        TEST(who_waits_for_a_place_is_started_at_the_end),
        TEST(what_is_not_delivered_is_tried_again),
        TEST(a_newer_one_that_is_delivered_is_enough),
        TEST(whose_end_nobody_heard_is_run_again),
        TEST(what_waits_or_starts_at_the_end_is_saved),
        TEST(an_older_one_that_is_delivered_is_not_enough),
        TEST(it_is_given_up_after_days),
        TEST(what_is_delivered_needs_little_memory)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
