/*
 * test_batch.c - pre and post frame a batch of validations once, whatever ends
 * in between.
 */
#include <signal.h>

#include "acme_batch.h"
#include "open_registry.h"
#include "with_launcher.h"

static acme_conf_t *conf;
static acme_registry_t *registry;
static acme_hook_runner_t *hooks;
static acme_event_sink_t *events;
static acme_batch_t *batch;
static apr_time_t now;
static int channels_open;

static void add_hook(int cert, acme_hook_e kind, const char *argument)
{
    acme_cert_conf_t *to = cert_of(conf, cert);
    apr_array_header_t *list = to->hooks
        ? apr_array_copy(pool, to->hooks)
        : apr_array_make(pool, 4, sizeof(acme_hook_conf_t));
    acme_hook_conf_t *hook = apr_array_push(list);

    hook->kind = kind;
    hook->command = words(apr_pstrcat(pool, at("hook"), " ", argument, NULL));
    to->hooks = list;
    to->hook_timeout = apr_time_from_sec(1000);
}

/* As a keeper that starts now. */
static void begin(void)
{
    acme_registry_conf_t with = { .conf = conf,
                                  .store = open_store(),
                                  .log = &test_log,
                                  .publish = publish };

    events = acme_event_sink_create(conf, with.store, hooks, &test_log, pool);
    with.events = events;
    registry = acme_registry_create(&with, pool);
    batch = acme_batch_create(registry, hooks, now, pool);
}

static int setup(void **state)
{
    const int rc = scratch_setup(state);

    alarm(300);
    signal(SIGPIPE, SIG_IGN);
    now = apr_time_now();
    channels_open = 1;
    put(at("hook"), apr_psprintf(
        pool, "#!/bin/sh\ncat >/dev/null\n"
        "echo \"$ACME_EVENT $1${RENEWED_DOMAINS+ [$RENEWED_DOMAINS]}"
        "${FAILED_DOMAINS+ [$FAILED_DOMAINS]}\" >>%s\n"
        "[ ! -e %s ] || { echo it fails; exit 3; }\n", at("said"),
        at("fail-$1")));
    assert_int_equal(chmod(at("hook"), 0755), 0);
    conf = make_conf();
    (void)open_store();
    with_launcher(NULL);
    hooks = acme_hook_run_create(&test_log, pool);
    return rc;
}

static void both_have(acme_hook_e kind, const char *argument)
{
    add_hook(0, kind, argument);
    add_hook(1, kind, argument);
}

static int is_open(void *baton, apr_uint64_t channel)
{
    (void)baton;
    return channels_open && channel;
}

/* Until nothing runs any more. */
static void drive(void)
{
    do {
        acme_hook_run_step(hooks, apr_time_now());
        acme_event_step(events, now, pool);
        acme_batch_step(batch, is_open, NULL, now, pool);
        usleep(1000);
    } while (acme_hook_run_wake(hooks, apr_time_now()));
    acme_batch_step(batch, is_open, NULL, now, pool);
}

/* As a worker does, until it may begin or has failed. */
static apr_status_t join(apr_uint32_t cert)
{
    int open = 0;
    apr_status_t rv;

    do {
        rv = acme_batch_join(&open, batch, cert, cert + 1, now, &res, pool);
        drive();
    } while (rv == APR_SUCCESS && !open);
    return rv;
}

static void leave(apr_uint32_t cert, int is_done)
{
    acme_batch_leave(batch, cert, is_done, now);
}

static void after(apr_interval_time_t wait)
{
    now += wait;
    drive();
}

static void assert_said(const char *text)
{
    const char *said = text_of(at("said"));

    assert_string_equal(said ? said : "", text);
}

#define QUIET (ACME_BATCH_QUIET + 1)
#define RESUME (ACME_BATCH_RESUME + 1)

static void several_orders_are_framed_once(void **state)
{
    int open;

    (void)state;
    both_have(ACME_HOOK_PRE, "open");
    both_have(ACME_HOOK_POST, "close");
    begin();
    assert_int_equal(acme_batch_join(&open, batch, 0, 1, now, &res, pool), 0);
    assert_false(open);
    assert_non_null(text_of(at("store/run/batch.json")));
    assert_int_equal(join(0), 0);
    assert_int_equal(join(1), 0);
    assert_int_equal(join(0), 0);               /* it stays */
    leave(0, 1);
    after(QUIET);
    assert_said("pre open\n");                  /* the other one is there */
    leave(1, 0);
    after(ACME_BATCH_QUIET / 2);
    assert_int_equal(join(0), 0);
    leave(0, 1);
    after(ACME_BATCH_QUIET / 2);
    assert_said("pre open\n");
    assert_true(acme_batch_is_open(batch));
    after(QUIET);
    assert_said("pre open\npost close [a.example www.a.example] "
                "[b.example]\n");
    assert_false(acme_batch_is_open(batch));
    assert_null(text_of(at("store/run/batch.json")));
}

static void commands_of_one_certificate_run_in_their_order(void **state)
{
    (void)state;
    add_hook(0, ACME_HOOK_PRE, "a");
    add_hook(0, ACME_HOOK_PRE, "b");
    add_hook(1, ACME_HOOK_PRE, "b");
    add_hook(1, ACME_HOOK_PRE, "c");
    begin();
    assert_int_equal(join(0), 0);
    assert_said("pre a\npre b\n");
    assert_int_equal(join(1), 0);
    assert_said("pre a\npre b\npre c\n");
}

static void without_commands_nothing_is_opened(void **state)
{
    (void)state;
    add_hook(1, ACME_HOOK_NOTIFY, "x");
    begin();
    assert_int_equal(join(0), 0);
    assert_int_equal(join(1), 0);
    assert_false(acme_batch_is_open(batch));
}

static void a_pre_that_fails_stops_its_orders_and_post_runs(void **state)
{
    (void)state;
    both_have(ACME_HOOK_PRE, "open");
    both_have(ACME_HOOK_PRE, "never");
    both_have(ACME_HOOK_POST, "close");
    put(at("fail-open"), "");
    begin();
    assert_int_not_equal(join(0), 0);
    assert_string_equal(
        res.detail,
        apr_pstrcat(pool, "a.example: not validated, because a command of "
                    "AcmeHook pre failed: ", at("hook"),
                    ": exit status 3: it fails", NULL));
    assert_int_equal(res.reason, ACME_REASON_HOOK_FAILED);
    assert_int_not_equal(join(1), 0);           /* the same batch */
    assert_said("pre open\n");
    unlink(at("fail-open"));
    after(QUIET);
    assert_said("pre open\npost close [] [a.example www.a.example "
                "b.example]\n");
    unlink(at("said"));
    assert_int_equal(join(0), 0);               /* the next one */
    assert_said("pre open\npre never\n");
}

static void what_cannot_be_stored_is_not_opened(void **state)
{
    int open;

    (void)state;
    both_have(ACME_HOOK_PRE, "open");
    begin();
    assert_int_equal(rmdir(at("store/run")), 0);
    assert_int_equal(acme_batch_join(&open, batch, 0, 1, now, &res, pool),
                     ENOENT);
    assert_int_equal(res.reason, ACME_REASON_STORE_UNWRITABLE);
    drive();
    assert_said("");
}

/* Another keeper finds what the last one left. */
static void after_a_crash_it_is_closed_once(void **state)
{
    (void)state;
    both_have(ACME_HOOK_PRE, "open");
    both_have(ACME_HOOK_POST, "close");
    begin();
    assert_int_equal(join(0), 0);
    begin();
    after(QUIET);
    assert_said("pre open\n");
    assert_int_equal(join(0), 0);               /* it is resumed */
    after(RESUME);
    assert_said("pre open\n");
    begin();                                    /* and never comes again */
    after(RESUME);
    assert_said("pre open\npost close [] []\n");
    begin();
    after(RESUME);
    assert_said("pre open\npost close [] []\n");
}

/* Its worker did not notice that the keeper is another one. */
static void who_leaves_after_a_crash_is_counted(void **state)
{
    (void)state;
    both_have(ACME_HOOK_PRE, "open");
    both_have(ACME_HOOK_POST, "close");
    begin();
    assert_int_equal(join(0), 0);
    assert_int_equal(join(1), 0);
    begin();
    leave(0, 1);
    after(QUIET);
    assert_said("pre open\n");                  /* the other one may come */
    leave(1, 0);
    after(QUIET);
    assert_said("pre open\npost close [a.example www.a.example] "
                "[b.example]\n");
    leave(1, 0);                                /* nothing is open */
    assert_false(acme_batch_is_open(batch));
}

static void post_that_was_interrupted_runs_again(void **state)
{
    (void)state;
    both_have(ACME_HOOK_POST, "close");
    begin();
    assert_int_equal(join(0), 0);
    leave(0, 1);
    now += QUIET;
    acme_batch_step(batch, is_open, NULL, now, pool);
    while (!text_of(at("said"))) {              /* it runs */
        acme_hook_run_step(hooks, apr_time_now());
    }
    begin();
    after(RESUME);
    assert_null(text_of(at("store/run/batch.json")));
    assert_string_equal(text_of(at("said")),
                        "post close [a.example www.a.example] []\n"
                        "post close [] []\n");
}

/* They reload httpd: each keeper ends while they run. */
static void what_ends_its_keeper_twice_counts_as_done(void **state)
{
    int open, i;

    (void)state;
    both_have(ACME_HOOK_PRE, "open");
    both_have(ACME_HOOK_POST, "close");
    for (i = 0; i < 2; i++) {
        begin();
        assert_int_equal(acme_batch_join(&open, batch, 0, 1, now, &res, pool),
                         0);
        assert_false(open);
    }
    begin();
    assert_int_equal(acme_batch_join(&open, batch, 0, 1, now, &res, pool), 0);
    assert_true(open);
    assert_logged("so it counts as done; it must not reload httpd");

    leave(0, 1);
    for (i = 0; i < 2; i++) {
        now += RESUME;
        acme_batch_step(batch, is_open, NULL, now, pool);
        assert_true(acme_batch_is_open(batch));
        begin();
    }
    assert_false(acme_batch_is_open(batch));
    assert_null(text_of(at("store/run/batch.json")));
    assert_logged("so they count as done; they must not reload httpd");
    drive();
}

/* Nor does it make the keeper turn in circles meanwhile. */
static void who_comes_after_a_failed_pre_delays_no_end(void **state)
{
    int open, i;

    (void)state;
    both_have(ACME_HOOK_PRE, "open");
    both_have(ACME_HOOK_POST, "close");
    put(at("fail-open"), "");
    begin();
    assert_int_equal(acme_batch_join(&open, batch, 0, 1, now, &res, pool), 0);
    leave(0, 0);
    now += QUIET;
    assert_true(acme_batch_step(batch, is_open, NULL, now, pool) > now);
    drive();
    for (i = 0; i < 4; i++) {
        now += ACME_BATCH_QUIET / 2;
        (void)acme_batch_join(&open, batch, 1, 2, now, &res, pool);
        drive();
    }
    assert_non_null(strstr(text_of(at("said")), "post close"));
}

static void assert_failing(int cert, unsigned times)
{
    const acme_hooks_failing_t *post = &state_of(registry, cert)->post;

    assert_int_equal(post->failures, times);
    assert_int_equal(post->waiting, times != 0);
    assert_int_equal(post->next_at,
                     times ? now + acme_hook_run_pause(times) : 0);
    assert_string_equal(
        post->failure,
        times ? apr_pstrcat(pool, at("hook"), ": exit status 3: it fails",
                            NULL) : "");
}

static void begin_batch_of_both(void)
{
    assert_int_equal(join(0), 0);
    assert_int_equal(join(1), 0);
    leave(0, 1);
    leave(1, 0);
}

#define BOTH " [a.example www.a.example] [b.example]\n"

/* Fails twice, then succeeds; its neighbour is not run again. */
static void a_post_that_fails_is_repeated(void **state)
{
    (void)state;
    both_have(ACME_HOOK_POST, "close");
    both_have(ACME_HOOK_POST, "tidy");
    put(at("fail-close"), "");
    begin();
    begin_batch_of_both();
    after(QUIET);
    assert_said("post close" BOTH "post tidy" BOTH);
    assert_failing(0, 1);
    assert_failing(1, 1);
    assert_logged("attempt 1: ");
    assert_logged("it fails; what pre has opened may still be open");
    assert_false(acme_batch_is_open(batch));    /* no reload waits */
    assert_non_null(text_of(at("store/run/batch.json")));
    unlink(at("said"));

    after(acme_hook_run_pause(1) - 1);
    assert_said("");
    after(1);
    assert_said("post close" BOTH);
    assert_failing(0, 2);
    unlink(at("fail-close"));
    after(acme_hook_run_pause(2));
    assert_said("post close" BOTH "post close" BOTH);
    assert_failing(0, 0);
    assert_failing(1, 0);
    assert_null(text_of(at("store/run/batch.json")));
    after(ACME_HOOK_PAUSE_MAX);
    begin();
    after(ACME_HOOK_PAUSE_MAX);
    assert_said("post close" BOTH "post close" BOTH);
}

/* Also when its first attempt was long ago; told once. */
static void a_post_that_fails_is_repeated_after_a_restart(void **state)
{
    (void)state;
    both_have(ACME_HOOK_PRE, "open");
    both_have(ACME_HOOK_POST, "close");
    add_hook(1, ACME_HOOK_NOTIFY, "tell");
    put(at("fail-close"), "");
    begin();
    begin_batch_of_both();
    after(QUIET);
    assert_said("pre open\npost close" BOTH "deploy-failed tell\n");
    unlink(at("said"));
    begin();
    assert_int_equal(join(0), 0);               /* it is opened again */
    leave(0, 1);
    after(RESUME);
    assert_said("pre open\npost close [a.example www.a.example] []\n");
    assert_failing(0, 1);
    unlink(at("said"));

    unlink(at("fail-close"));
    now += apr_time_from_sec(7 * 86400);
    begin();
    drive();
    assert_said("post close [] []\n");
    assert_null(text_of(at("store/run/batch.json")));
}

static void the_next_batch_closes_what_was_left_open(void **state)
{
    (void)state;
    both_have(ACME_HOOK_PRE, "open");
    add_hook(0, ACME_HOOK_POST, "a");
    add_hook(1, ACME_HOOK_POST, "b");
    put(at("fail-b"), "");
    begin();
    begin_batch_of_both();
    after(QUIET);
    assert_failing(0, 0);
    assert_failing(1, 1);
    unlink(at("said"));

    assert_int_equal(join(0), 0);
    assert_true(acme_batch_is_open(batch));
    after(acme_hook_run_pause(1));              /* not in between */
    assert_said("pre open\n");
    leave(0, 1);
    after(QUIET);
    assert_said("pre open\npost a" BOTH "post b" BOTH);
    assert_failing(1, 1);
    unlink(at("fail-b"));
    after(acme_hook_run_pause(1));
    assert_said("pre open\npost a" BOTH "post b" BOTH
                "post b [] [b.example]\n");
    assert_failing(1, 0);
    assert_null(text_of(at("store/run/batch.json")));
}

static void a_command_that_is_not_configured_any_more_is_told(void **state)
{
    (void)state;
    both_have(ACME_HOOK_PRE, "open");
    both_have(ACME_HOOK_POST, "close");
    begin();
    assert_int_equal(join(0), 0);
    cert_of(conf, 0)->hooks = NULL;
    cert_of(conf, 1)->hooks = NULL;
    begin();
    after(RESUME);
    assert_logged("a command of AcmeHook post is not in it any more");
    assert_said("pre open\n");
    assert_null(text_of(at("store/run/batch.json")));
}

static void a_damaged_file_closes_everything(void **state)
{
    (void)state;
    both_have(ACME_HOOK_POST, "close");
    put(at("store/run/batch.json"), "{");
    begin();
    after(RESUME);
    assert_said("post close [] []\n");
}

static void a_worker_that_ends_is_no_member(void **state)
{
    (void)state;
    both_have(ACME_HOOK_POST, "close");
    begin();
    assert_int_equal(join(0), 0);
    channels_open = 0;
    after(QUIET);
    after(QUIET);
    assert_said("");
    after(RESUME);
    assert_said("post close [] []\n");
}

static void nobody_keeps_it_open_for_ever(void **state)
{
    const apr_time_t begun = now;

    (void)state;
    both_have(ACME_HOOK_POST, "close");
    begin();
    assert_int_equal(join(0), 0);
    after(ACME_BATCH_MEMBER_MAX + 1);           /* it never leaves */
    after(RESUME);
    assert_said("post close [] []\n");

    unlink(at("said"));
    now = begun;
    while (!text_of(at("said"))
           && now - begun < 2 * ACME_BATCH_MAX) {       /* it comes and goes */
        assert_int_equal(join(0), 0);
        leave(0, 1);
        now += ACME_BATCH_QUIET / 2;
        if (now - begun < ACME_BATCH_MAX - RESUME) {
            now = begun + ACME_BATCH_MAX - RESUME;
            assert_int_equal(join(0), 0);
        }
    }
    assert_non_null(text_of(at("said")));
    assert_in_range(now - begun, 0, ACME_BATCH_MAX + RESUME);
}

static void batches_without_end_run_few_commands(void **state)
{
    const apr_time_t begun = now;
    const char *said;
    int times = 0;

    (void)state;
    both_have(ACME_HOOK_PRE, "open");
    begin();
    while (now - begun < apr_time_from_sec(300)) {
        assert_int_equal(join(0), 0);
        leave(0, 0);
        after(QUIET);
    }
    for (said = text_of(at("said")); said && *said; said++) {
        times += *said == '\n';
    }
    assert_in_range(times, 5, 12);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(several_orders_are_framed_once),
        TEST(commands_of_one_certificate_run_in_their_order),
        TEST(without_commands_nothing_is_opened),
        TEST(a_pre_that_fails_stops_its_orders_and_post_runs),
        TEST(what_cannot_be_stored_is_not_opened),
        TEST(after_a_crash_it_is_closed_once),
        TEST(who_leaves_after_a_crash_is_counted),
        TEST(post_that_was_interrupted_runs_again),
        TEST(what_ends_its_keeper_twice_counts_as_done),
        TEST(who_comes_after_a_failed_pre_delays_no_end),
        TEST(a_post_that_fails_is_repeated),
        TEST(a_post_that_fails_is_repeated_after_a_restart),
        TEST(the_next_batch_closes_what_was_left_open),
        TEST(a_command_that_is_not_configured_any_more_is_told),
        TEST(a_damaged_file_closes_everything),
        TEST(a_worker_that_ends_is_no_member),
        TEST(nobody_keeps_it_open_for_ever),
        TEST(batches_without_end_run_few_commands)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
