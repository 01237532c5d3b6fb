/*
 * test_reload.c - when the server is asked to reload, and what holds that
 * back. The clock is the test's own; httpd is a script.
 */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "acme_reload.h"
#include "open_registry.h"
#include "with_launcher.h"

#define NOW apr_time_from_sec(1700000000)
#define SEC(n) apr_time_from_sec(n)
#define MSEC(n) apr_time_from_msec(n)
#define LATER (NOW + SEC(30 * 24 * 3600))

#define GOOD "exit 0"

static acme_conf_t *conf;
static acme_server_t server;
static acme_registry_t *registry;
static acme_reload_t *reload;
static const char *test_argv[] = { "/bin/sh", "-c", GOOD, NULL };
static const char *list_argv[] = { "/bin/sh", "-c", GOOD, NULL };
static acme_state_t state;
static volatile sig_atomic_t signals;
static const char *held_reason;
static int helds;

static void on_signal(int sig)
{
    (void)sig;
    signals++;
}

static void on_held(void *baton, const char *reason)
{
    (void)baton;
    held_reason = apr_pstrdup(pool, reason);
    helds++;
}

/* What httpd read, and when. */
static void set_baseline(const char *files, apr_time_t loaded_at)
{
    server.baseline = acme_conf_snapshot_make(words(files), loaded_at, pool);
}

static int setup(void **unused)
{
    int failed = scratch_setup(unused);

    conf = make_conf();
    conf->activate = ACME_ACTIVATE_GRACEFUL;
    conf->reload_guard = 1;
    memset(&server, 0, sizeof(server));
    server.pid = getpid();
    server.reload_signal = SIGUSR2;
    server.test = test_argv;
    server.test_limit = SEC(100);
    server.list = list_argv;
    server.cwd = "/";
    set_baseline("", apr_time_now());
    test_argv[0] = "/bin/sh";
    test_argv[2] = list_argv[2] = GOOD;
    signal(SIGUSR2, on_signal);
    signals = helds = 0;
    held_reason = NULL;
    with_launcher(&server);

    memset(&state, 0, sizeof(state));
    state.live = 2;
    state.served = 1;
    state.warn.percent = 10;
    registry = open_registry(conf);
    reload = acme_reload_create(&server, registry, on_held, NULL, pool);
    return failed;
}

/* Until no httpd runs; returns when the next step is due. */
static apr_time_t run(apr_time_t now)
{
    for (;;) {
        const apr_time_t wake = acme_reload_step(reload, 0, now);
        struct pollfd fd = { acme_reload_fd(reload), POLLIN, 0 };

        if (fd.fd < 0) {
            return wake;
        }
        poll(&fd, 1, 10000);
    }
}

static void assert_held(const char *name, const char *reason)
{
    if (signals || !held_reason || !strstr(held_reason, reason)) {
        fail_msg("%s: %d signals, postponed: %s", name, (int)signals,
                 held_reason ? held_reason : "no");
    }
}

/* By the certificates of the configuration; by default both are due. */
static void nothing_is_ordered(void)
{
    state_of(registry, 0)->agreed = state_of(registry, 1)->agreed = 0;
}

static void nothing_is_due_before_a_certificate_is_live(void **unused)
{
    (void)unused;
    assert_int_equal(acme_reload_step(reload, 0, NOW), 0);
    assert_int_equal(acme_reload_fd(reload), -1);
    assert_int_equal(signals, 0);
}

static void those_that_finish_soon_go_together(void **unused)
{
    (void)unused;
    conf->reload_guard = 0;
    conf->reload_delay = SEC(10);
    acme_reload_schedule(reload, &state, LATER, NOW);
    assert_int_equal(acme_reload_step(reload, 0, NOW), NOW + SEC(10));
    acme_reload_schedule(reload, &state, LATER, NOW + SEC(5));
    assert_int_equal(acme_reload_step(reload, 0, NOW + SEC(5)), NOW + SEC(10));
    assert_int_equal(signals, 0);
    assert_int_equal(acme_reload_step(reload, 0, NOW + SEC(10)),
                     NOW + SEC(40));
    assert_int_equal(signals, 1);
}

/* Visitors get it, and nothing else would go live together. */
static void the_placeholder_is_replaced_at_once(void **unused)
{
    (void)unused;
    conf->reload_guard = 0;
    conf->reload_delay = SEC(10);
    acme_reload_schedule(reload, &state, 0, NOW);
    nothing_is_ordered();
    assert_int_equal(acme_reload_step(reload, 1, NOW), NOW + MSEC(100));
    state_of(registry, 1)->agreed = 1;
    assert_int_equal(acme_reload_step(reload, 0, NOW), NOW + MSEC(100));
    assert_int_equal(signals, 0);
    state_of(registry, 1)->agreed = 0;
    acme_reload_step(reload, 0, NOW);
    assert_int_equal(signals, 1);
}

/* As the keeper of the next load begins. */
static void begin_again(void)
{
    signals = 0;
    reload = acme_reload_create(&server, registry, on_held, NULL, pool);
}

/* Many names that come one by one are no reason for as many reloads. */
static void after_a_reload_the_delay_counts(void **unused)
{
    const apr_time_t now = apr_time_now();

    (void)unused;
    conf->reload_guard = 0;
    conf->reload_delay = SEC(10);
    nothing_is_ordered();
    acme_reload_schedule(reload, &state, 0, now);
    acme_reload_step(reload, 0, now);
    assert_int_equal(signals, 1);

    begin_again();
    acme_reload_schedule(reload, &state, 0, now + SEC(2));
    assert_int_equal(acme_reload_step(reload, 0, now + SEC(2)),
                     now + SEC(12));
    acme_reload_step(reload, 0, now + SEC(12));
    assert_int_equal(signals, 1);

    begin_again();
    acme_reload_schedule(reload, &state, 0, now + SEC(23));
    acme_reload_step(reload, 0, now + SEC(23));
    assert_int_equal(signals, 1);
}

/* The archive of a certificate that the parent does not serve. */
static void set_unserved(int i, int live)
{
    state_of(registry, i)->live = live;
    state_of(registry, i)->served = 0;
}

static void assert_reload_after(apr_interval_time_t wait, apr_time_t now)
{
    begin_again();
    acme_reload_resume(reload, now);
    assert_int_equal(acme_reload_step(reload, 0, now + wait - 1), now + wait);
    assert_int_equal(signals, 0);
    acme_reload_step(reload, 0, now + wait);
    assert_int_equal(signals, 1);
}

/* Whatever the parent has against the certificate. */
static void a_reload_that_does_not_help_is_repeated_later(void **unused)
{
    const apr_interval_time_t day = SEC(24 * 3600);
    apr_time_t now = apr_time_now();
    int i;

    (void)unused;
    conf->reload_guard = 0;
    conf->reload_delay = SEC(10);
    nothing_is_ordered();
    set_unserved(0, 2);
    acme_reload_resume(reload, now);
    acme_reload_step(reload, 0, now);   /* visitors get the placeholder */
    assert_int_equal(signals, 1);
    for (i = 1; i < 16; i++) {
        const apr_interval_time_t wait = SEC(10) << i < day ? SEC(10) << i
                                                            : day;

        assert_reload_after(wait, now);
        now += wait;
    }

    begin_again();              /* another one was installed: at once */
    acme_reload_resume(reload, now);
    acme_reload_schedule(reload, &state, 0, now + SEC(10));
    acme_reload_step(reload, 0, now + SEC(10));
    assert_int_equal(signals, 1);
    now += SEC(10);
    assert_reload_after(day, now);      /* which did not help the first */
    now += day;

    set_unserved(0, 3);         /* its next archive may help */
    begin_again();
    acme_reload_resume(reload, now);
    acme_reload_step(reload, 0, now + SEC(10));
    assert_int_equal(signals, 1);
    set_unserved(0, 0);
    begin_again();
    acme_reload_resume(reload, now);
    assert_int_equal(acme_reload_step(reload, 0, now + day), 0);
    assert_int_equal(signals, 0);
}

static void what_the_last_keeper_wrote_may_be_damaged(void **unused)
{
    static const char *const texts[] = {
        "", "[]", "{}", "{\"at\":7}", "{\"at\":\"2099-01-01T00:00:00Z\"}",
        "{\"at\":\"x\",\"fruitless\":-1,\"unserved\":\"\\u0000\"}",
        "{\"fruitless\":99999999999,\"unserved\":7}"
    };
    const char *path = acme_store_path(acme_registry_store(registry), "run",
                                       "reload.json", pool);
    size_t i;

    (void)unused;
    conf->reload_guard = 0;
    conf->reload_delay = SEC(10);
    nothing_is_ordered();
    for (i = 0; i < COUNT(texts); i++) {
        put(path, texts[i]);
        set_unserved(0, 2);
        begin_again();
        acme_reload_resume(reload, NOW);
        acme_reload_step(reload, 0, NOW);
        if (signals != 1) {
            fail_msg("%s: %d signals", texts[i], (int)signals);
        }
    }
}

/* One that is due and is not ordered, whatever it waits for. */
static void an_order_that_does_not_begin_is_not_waited_for(void **unused)
{
    (void)unused;
    conf->reload_guard = 0;
    conf->reload_delay = SEC(10);
    acme_reload_schedule(reload, &state, 0, NOW);
    state_of(registry, 1)->agreed = 1;
    assert_int_equal(acme_reload_step(reload, 0, NOW + SEC(10) - 1),
                     NOW + SEC(10));
    acme_reload_step(reload, 0, NOW + SEC(10));
    assert_int_equal(signals, 1);
}

static void orders_under_way_are_waited_for_a_minute(void **unused)
{
    (void)unused;
    conf->reload_guard = 0;
    conf->reload_delay = SEC(10);
    acme_reload_schedule(reload, &state, 0, NOW);
    assert_int_equal(acme_reload_step(reload, 1, NOW + SEC(10)),
                     NOW + SEC(10) + MSEC(100));
    assert_int_equal(acme_reload_step(reload, 1, NOW + SEC(60) - 1),
                     NOW + SEC(60));
    assert_int_equal(signals, 0);
    acme_reload_step(reload, 1, NOW + SEC(60));
    assert_int_equal(signals, 1);
}

static void they_are_waited_for_no_longer_once_they_ended(void **unused)
{
    (void)unused;
    conf->reload_guard = 0;
    nothing_is_ordered();
    acme_reload_schedule(reload, &state, 0, NOW);
    acme_reload_step(reload, 1, NOW + SEC(20));
    assert_int_equal(signals, 0);
    acme_reload_step(reload, 0, NOW + SEC(20) + MSEC(100));
    assert_int_equal(signals, 1);
}

/* Between two orders nothing is under way for a moment. */
static void a_batch_is_waited_for_as_a_whole(void **unused)
{
    (void)unused;
    conf->reload_guard = 0;
    conf->reload_delay = SEC(5);
    nothing_is_ordered();
    state_of(registry, 1)->agreed = 1;
    acme_reload_schedule(reload, &state, LATER, NOW);
    acme_reload_step(reload, 1, NOW + SEC(6));
    assert_int_equal(acme_reload_step(reload, 0, NOW + SEC(7)),
                     NOW + SEC(7) + MSEC(100));
    acme_reload_step(reload, 1, NOW + SEC(8));
    acme_reload_step(reload, 0, NOW + SEC(10));
    assert_int_equal(signals, 0);
    acme_reload_step(reload, 0, NOW + SEC(11)); /* it does not begin */
    assert_int_equal(signals, 1);
}

/* Many certificates at a time, as a scheduler orders them. */
typedef struct {
    const char *name;
    int certs, side_by_side;
    apr_interval_time_t each;   /* how long an order takes */
    int has_certificates;       /* they are renewed */
    int reloads;                /* at most */
} batch_t;

#define SIDE_BY_SIDE_MAX 16

typedef struct {
    const batch_t *batch;
    int next;                   /* to be ordered */
    int running[SIDE_BY_SIDE_MAX];
    apr_time_t end[SIDE_BY_SIDE_MAX];   /* 0: nothing runs there */
    int served, reloads;
} course_t;

static void set_lifetime(acme_state_t *of, apr_time_t not_before)
{
    of->covers = 1;
    of->not_before = not_before;
    of->not_after = not_before + SEC(90 * 24 * 3600);
}

static void make_certs(const batch_t *batch)
{
    const acme_cert_conf_t *like = cert_of(conf, 0);
    int i;

    conf->reload_guard = 0;
    conf->reload_delay = SEC(5);
    conf->certs = apr_array_make(pool, batch->certs,
                                 sizeof(acme_cert_conf_t));
    for (i = 0; i < batch->certs; i++) {
        acme_cert_conf_t *cert = apr_array_push(conf->certs);

        *cert = *like;
        cert->id = apr_psprintf(pool, "s%d.example", i);
        cert->names = words(cert->id);
        set_digests(conf, cert);
    }
    registry = open_registry(conf);
    for (i = 0; i < batch->certs && batch->has_certificates; i++) {
        acme_state_t *of = state_of(registry, i);

        of->live = of->served = 1;
        set_lifetime(of, NOW - SEC(75 * 24 * 3600));
    }
}

static void install(int cert, apr_time_t now)
{
    acme_state_t *of = state_of(registry, cert);
    const apr_time_t served_until = of->served ? of->not_after : 0;

    of->live++;
    set_lifetime(of, now);
    acme_reload_schedule(reload, of, served_until, now);
}

/* Is any order under way? */
static int order(course_t *course, apr_time_t now)
{
    int i, busy = 0;

    for (i = 0; i < course->batch->side_by_side; i++) {
        if (course->end[i] && course->end[i] <= now) {
            install(course->running[i], now);
            course->end[i] = 0;
        }
        if (!course->end[i] && course->next < course->batch->certs) {
            course->running[i] = course->next++;
            course->end[i] = now + course->batch->each;
        }
        busy |= course->end[i] != 0;
    }
    return busy;
}

/* The keeper of the next load; it interrupts orders for a moment. */
static void load(course_t *course, apr_time_t now)
{
    int i;

    course->reloads++;
    course->served = 0;
    for (i = 0; i < course->batch->certs; i++) {
        acme_state_t *of = state_of(registry, i);

        of->served = of->live;
        course->served += of->live == 1 + course->batch->has_certificates;
    }
    for (i = 0; i < course->batch->side_by_side; i++) {
        course->end[i] += course->end[i] ? MSEC(500) : 0;
    }
    begin_again();
    acme_reload_resume(reload, now);
}

static void reloads_are_few_however_many_there_are(void **unused)
{
    static const batch_t rows[] = {
        { "the first", 1, 16, SEC(1), 0, 1 },
        { "100 new names", 100, 16, SEC(1), 0, 2 },
        { "100 new names of a slow CA", 100, 16, SEC(10), 0, 2 },
        { "100 new names one by one", 100, 1, SEC(1), 0, 2 },
        { "1,000 new names", 1000, 16, SEC(1), 0, 6 },
        { "1,000 new names of a slow CA", 1000, 16, SEC(5), 0, 6 },
        { "500 renewals", 500, 16, SEC(1), 1, 1 }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        course_t course = { .batch = &rows[i] };
        apr_time_t now = NOW;

        make_certs(&rows[i]);
        begin_again();
        while (course.served < rows[i].certs) {
            const int busy = order(&course, now);

            acme_reload_step(reload, busy, now);
            if (signals) {
                load(&course, now);
            }
            now += MSEC(100);
            if (now > NOW + SEC(3600)) {
                fail_msg("%s: %d of %d are served", rows[i].name,
                         course.served, rows[i].certs);
            }
        }
        if (course.reloads > rows[i].reloads) {
            fail_msg("%s: %d reloads", rows[i].name, course.reloads);
        }
        unlink(acme_store_path(acme_registry_store(registry), "run",
                               "reload.json", pool));
    }
}

static void what_is_about_to_expire_is_replaced_sooner(void **unused)
{
    (void)unused;
    conf->reload_guard = 0;
    conf->reload_delay = SEC(30);
    acme_reload_schedule(reload, &state, LATER, NOW);
    acme_reload_schedule(reload, &state, NOW + SEC(40), NOW);
    assert_int_equal(acme_reload_step(reload, 0, NOW), NOW + SEC(10));
    acme_reload_step(reload, 1, NOW + SEC(10));
    assert_int_equal(signals, 1);
}

static void with_activate_none_the_administrator_reloads(void **unused)
{
    (void)unused;
    conf->activate = ACME_ACTIVATE_NONE;
    acme_reload_schedule(reload, &state, 0, NOW);
    assert_int_equal(acme_reload_step(reload, 0, NOW + SEC(3600)), 0);
    assert_int_equal(signals, 0);
    assert_logged("a.example goes live when you reload httpd "
                  "(AcmeActivate none)");
}

static void what_httpd_says_decides(void **unused)
{
    static const struct {
        const char *name, *program, *test, *list, *reason;
    } rows[] = {
        { "all is good", "/bin/sh", GOOD, GOOD, NULL },
        { "a syntax error", "/bin/sh",
          "echo '[now] [core:error] [pid 1] AH00526: Syntax error on line 3 "
          "of /x.conf:'; echo 'Invalid command Foo'; echo more; exit 1",
          GOOD,
          "httpd -t refuses the configuration: AH00526: Syntax error on line "
          "3 of /x.conf: Invalid command Foo" },
        { "another error", "/bin/sh", "echo one; echo 'AH00015: two'; exit 2",
          GOOD, "httpd -t refuses the configuration: AH00015: two" },
        { "an error without a word", "/bin/sh", "exit 1", GOOD,
          "httpd -t refuses the configuration: no reason given" },
        { "a signal", "/bin/sh", "kill -9 $$", GOOD, "did not finish" },
        { "no such program", "/nowhere/httpd", GOOD, GOOD,
          "/nowhere/httpd: cannot be run" },
        { "files that can't be listed", "/bin/sh", GOOD, "exit 1",
          "httpd -t refuses the configuration" }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        signals = 0;
        held_reason = NULL;
        test_argv[0] = rows[i].program;
        test_argv[2] = rows[i].test;
        list_argv[2] = rows[i].list;
        reload =
            acme_reload_create(&server, open_registry(conf), on_held, NULL,
                           pool);
        acme_reload_schedule(reload, &state, 0, NOW);
        if (rows[i].reason) {
            assert_int_equal(run(NOW), NOW + SEC(2));
            assert_held(rows[i].name, rows[i].reason);
        }
        else {
            assert_int_equal(run(NOW), NOW + SEC(30));
            assert_int_equal(signals, 1);
            assert_null(held_reason);
        }
    }
}

/* Its time is that of the server: a big one needs more. */
static void a_test_that_hangs_is_ended(void **unused)
{
    (void)unused;
    test_argv[2] = "sleep 1000";
    acme_reload_schedule(reload, &state, 0, NOW);
    assert_int_equal(acme_reload_step(reload, 0, NOW), NOW + SEC(60));
    assert_true(acme_reload_step(reload, 0, NOW + SEC(60) - 1)
                <= NOW + SEC(60));
    assert_int_equal(times_logged("still runs"), 0);
    assert_true(acme_reload_step(reload, 0, NOW + SEC(60))
                <= NOW + SEC(100));
    assert_true(acme_reload_step(reload, 0, NOW + SEC(100) - 1)
                <= NOW + SEC(100));
    assert_int_equal(times_logged("still runs after 60 seconds, and is ended after 100"),
                     1);
    assert_int_equal(helds, 0);
    assert_int_equal(run(NOW + SEC(100)), NOW + SEC(102));
    assert_held("late", "httpd -t did not finish within 100 seconds");
}

static void an_edit_holds_until_it_is_undone(void **unused)
{
    static const int waits[] = { 2, 4, 8, 16, 32, 60, 60 };
    apr_time_t now = NOW;
    size_t i;

    (void)unused;
    put(at("httpd.conf"), "one\n");
    set_baseline(at("httpd.conf"), apr_time_now() + SEC(1));
    put(at("httpd.conf"), "two\n");
    acme_reload_schedule(reload, &state, 0, now);
    for (i = 0; i < COUNT(waits); i++) {
        assert_int_equal(acme_reload_step(reload, 0, now),
                         now + SEC(waits[i]));
        now += SEC(waits[i]);
    }
    assert_held("an edit", "httpd.conf has changed since httpd read it");
    assert_int_equal(helds, 1);
    assert_int_equal(times_logged("postponed: "), 1);

    /* Another reason is another word to the administrator. */
    put(at("httpd.conf"), "one\n");
    test_argv[2] = "exit 1";
    assert_int_equal(run(now), now + SEC(2));
    assert_held("a refusal", "httpd -t refuses the configuration");
    assert_int_equal(helds, 2);
    assert_int_equal(times_logged("postponed: "), 2);

    test_argv[2] = GOOD;
    now += SEC(60);
    assert_int_equal(run(now), now + SEC(30));
    assert_int_equal(signals, 1);
}

static void a_file_that_is_new_holds(void **unused)
{
    (void)unused;
    put(at("new.conf"), "new\n");
    set_baseline("", apr_time_now() - SEC(3600));
    list_argv[2] = apr_psprintf(pool,
                                "echo 'Included configuration files:'; "
                                "echo '    (7) %s'",
                                at("new.conf"));
    acme_reload_schedule(reload, &state, 0, NOW);
    run(NOW);
    assert_held("a new file", "new.conf has changed since httpd read it");
}

/* Better a tested edit than an expiry; but it is tested. */
static void within_the_warn_window_an_edit_does_not_hold(void **unused)
{
    const apr_time_t served_until = NOW + SEC(9 * 24 * 3600);
    apr_time_t warn_at;

    (void)unused;
    state.not_after = served_until;
    state.not_before = NOW - SEC(90 * 24 * 3600);
    warn_at = acme_state_warn_at(&state, served_until);
    put(at("httpd.conf"), "one\n");
    set_baseline(at("httpd.conf"), apr_time_now() + SEC(1));
    put(at("httpd.conf"), "two\n");
    acme_reload_schedule(reload, &state, served_until, warn_at - SEC(100));
    acme_reload_step(reload, 0, warn_at - 1);
    assert_held("before it", "has changed");

    test_argv[2] = "exit 1";
    run(warn_at + SEC(60));
    assert_held("a refusal", "httpd -t refuses");
    test_argv[2] = GOOD;
    run(warn_at + SEC(120));
    assert_int_equal(signals, 1);
}

/* Nothing of a server's depends on it, when its paths are absolute. */
static void a_folder_that_is_gone_does_not_hold(void **unused)
{
    (void)unused;
    server.cwd = at("gone");
    test_argv[2] = "test \"$PWD\" = /";
    acme_reload_schedule(reload, &state, 0, NOW);
    run(NOW);
    assert_null(held_reason);
    assert_int_equal(signals, 1);

    /* A tested folder is the server's own where there is one. */
    registry = open_registry(conf);
    reload = acme_reload_create(&server, registry, on_held, NULL, pool);
    put(at("file"), "");
    server.cwd = scratch_dir;
    test_argv[2] = "test -e file";
    acme_reload_schedule(reload, &state, 0, NOW);
    run(NOW);
    assert_int_equal(signals, 2);
}

static void a_server_that_can_not_be_asked_holds(void **unused)
{
    pid_t gone;

    (void)unused;
    conf->reload_guard = 0;
    server.reload_signal = 0;
    acme_reload_schedule(reload, &state, 0, NOW);
    acme_reload_step(reload, 0, NOW);
    assert_held("-X", "(-X)");

    gone = fork();
    if (gone == 0) {
        _exit(0);
    }
    waitpid(gone, NULL, 0);
    server.reload_signal = SIGUSR2;
    server.pid = gone;
    with_launcher(&server);
    acme_reload_step(reload, 0, NOW + SEC(60));
    assert_held("no such process", "cannot be signalled");
}

/* The keeper ends with a reload: who is still there was not heard. */
static void one_that_was_asked_and_did_not_holds(void **unused)
{
    (void)unused;
    conf->reload_guard = 0;
    acme_reload_schedule(reload, &state, 0, NOW);
    assert_int_equal(acme_reload_step(reload, 0, NOW), NOW + SEC(30));
    assert_int_equal(acme_reload_step(reload, 0, NOW + SEC(30) - 1),
                     NOW + SEC(30));
    assert_int_equal(helds, 0);
    assert_int_equal(acme_reload_step(reload, 0, NOW + SEC(30)),
                     NOW + SEC(32));
    assert_non_null(strstr(held_reason, "got the signal and did not reload"));
    acme_reload_step(reload, 0, NOW + SEC(32));
    assert_int_equal(signals, 2);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_due_before_a_certificate_is_live),
        TEST(those_that_finish_soon_go_together),
        TEST(a_batch_is_waited_for_as_a_whole),
        TEST(the_placeholder_is_replaced_at_once),
        TEST(after_a_reload_the_delay_counts),
        TEST(a_reload_that_does_not_help_is_repeated_later),
        TEST(what_the_last_keeper_wrote_may_be_damaged),
        TEST(an_order_that_does_not_begin_is_not_waited_for),
        TEST(orders_under_way_are_waited_for_a_minute),
        TEST(they_are_waited_for_no_longer_once_they_ended),
        TEST(reloads_are_few_however_many_there_are),
        TEST(what_is_about_to_expire_is_replaced_sooner),
        TEST(with_activate_none_the_administrator_reloads),
        TEST(what_httpd_says_decides),
        TEST(a_test_that_hangs_is_ended),
        TEST(an_edit_holds_until_it_is_undone),
        TEST(a_file_that_is_new_holds),
        TEST(within_the_warn_window_an_edit_does_not_hold),
        TEST(a_folder_that_is_gone_does_not_hold),
        TEST(a_server_that_can_not_be_asked_holds),
        TEST(one_that_was_asked_and_did_not_holds)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
