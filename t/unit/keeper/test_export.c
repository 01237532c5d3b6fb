/*
 * test_export.c - copies of AcmeExport: what is in them, who writes them, and
 * what is told of one that cannot be written.
 */
#include <signal.h>
#include <sys/syscall.h>

#include "acme_activated.h"
#include "acme_archive.h"
#include "acme_deploy.h"
#include "acme_export_job.h"
#include "acme_export_queue.h"
#include "acme_launcher.h"
#include "acme_registry_order.h"
#include "issuer.h"
#include "open_registry.h"

#define DEAD 4242               /* a group, in whose folder nothing answers */

/* Our own stands before libc's, also in the process that writes a copy. */
int fchown(int fd, uid_t uid, gid_t gid)
{
    while (gid == DEAD) {
        pause();
    }
    return (int)syscall(SYS_fchown, fd, uid, gid);
}

static acme_conf_t *conf;
static acme_export_queue_t *queue;
static acme_registry_t *registry;
static apr_time_t ahead;                /* our clock of the machine's */
static const char *key_pem, *full_pem;
static acme_live_pairs_t *live;         /* NULL: workers are given nothing */

static acme_export_conf_t *add_export(int cert, const char *path,
                                      acme_export_e format)
{
    acme_cert_conf_t *of = cert_of(conf, cert);
    apr_array_header_t *exports = (apr_array_header_t *)of->exports;
    acme_export_conf_t *export;

    if (!exports) {
        of->exports = exports = apr_array_make(pool, 8,
                                               sizeof(acme_export_conf_t));
    }
    export = apr_array_push(exports);
    *export = (acme_export_conf_t) { .path = path, .format = format,
                                     .mode = 0600, .uid = geteuid(),
                                     .gid = getegid(),
                                     .place = "httpd.conf:7" };
    return export;
}

/* The next archive of a.example, which this load serves. */
static void install(const char *types)
{
    const issuer_t *ca = make_issuer("Test CA");
    apr_array_header_t *parts = apr_array_make(pool, 2,
                                               sizeof(acme_archive_part_t));
    const acme_archive_t archive = { .parts = parts, .meta = "{}" };
    apr_uint32_t i;

    set_key_types(conf, 0, types);
    for (i = 0; i < acme_conf_parts(cert_of(conf, 0)); i++) {
        acme_archive_part_t *part = apr_array_push(parts);
        acme_key_t *key = make_key();
        const issue_t leaf = { .issuer = ca, .names = "a.example",
                               .key = acme_key_evp(key) };

        memset(part, 0, sizeof(*part));
        assert_int_equal(acme_key_pem(&part->key_pem, key, &res, pool), 0);
        part->suffix = acme_conf_suffix(cert_of(conf, 0), i);
        part->full_pem = issue(&leaf);
        part->cert_pem = part->full_pem;
        part->chain_pem = "";
        key_pem = part->key_pem;
        full_pem = part->full_pem;
    }
    assert_int_equal(acme_archive_install(&cert_of(conf, 0)->served,
                                          open_store(), "a.example", &archive,
                                          &res, pool), 0);
}

static int setup(void **state)
{
    const int rc = scratch_setup(state);

    alarm(300);
    signal(SIGPIPE, SIG_IGN);
    ahead = 0;
    live = NULL;
    conf = make_conf();
    install("p256");
    return rc;
}

static const char *written_by(apr_uint32_t index)
{
    const acme_export_conf_t *export = acme_export_job_find(conf, 0, index);
    int written;

    assert_non_null(export);
    if (acme_export_job_write(&written, conf, 0, index, &res, pool)) {
        fail_msg("%s", res.detail);
    }
    assert_true(written);
    assert_int_equal(acme_export_job_write(&written, conf, 0, index, &res,
                                           pool), 0);
    assert_false(written);
    return text_of(export->path);
}

static void each_format_has_its_content(void **state)
{
    const char *chain = strstr(full_pem + 1, "-----BEGIN");
    const char *leaf = apr_pstrmemdup(pool, full_pem,
                                      (apr_size_t)(chain - full_pem));

    (void)state;
    put(at("password"), "secret\n");
    assert_int_equal(chmod(at("password"), 0600), 0);
    add_export(0, at("pem"), ACME_EXPORT_PEM);
    add_export(0, at("fullchain"), ACME_EXPORT_FULLCHAIN);
    add_export(0, at("key"), ACME_EXPORT_KEY);
    add_export(0, at("chain"), ACME_EXPORT_CHAIN);
    add_export(0, at("der"), ACME_EXPORT_DER);
    add_export(0, at("p12"), ACME_EXPORT_PKCS12)->password_file =
        at("password");
    add_export(0, at("set/"), ACME_EXPORT_PEM);
    add_export(0, at("certs/"), ACME_EXPORT_FULLCHAIN);

    assert_string_equal(written_by(0), apr_pstrcat(pool, key_pem, full_pem,
                                                   NULL));
    assert_string_equal(written_by(1), full_pem);
    assert_string_equal(written_by(2), key_pem);
    assert_string_equal(written_by(3), chain);
    assert_memory_equal(written_by(4), "\x30\x82", 2);
    assert_memory_equal(written_by(5), "\x30\x82", 2);
    written_by(6);
    assert_string_equal(text_of(at("set/current/privkey.pem")), key_pem);
    assert_string_equal(text_of(at("set/current/cert.pem")), leaf);
    assert_string_equal(text_of(at("set/current/chain.pem")), chain);
    assert_string_equal(text_of(at("set/current/fullchain.pem")), full_pem);
    written_by(7);
    assert_int_equal(count(at("certs/current")), 4);    /* and the mark */

    /* Another password is another file. */
    put(at("password"), "other\n");
    written_by(5);
}

/* A password file may be mended while httpd runs, an owner is looked up when
   it is loaded. */
static void what_is_missing_is_named(void **state)
{
    acme_export_conf_t *export = add_export(0, at("p12"), ACME_EXPORT_PKCS12);
    int written;

    (void)state;
    export->password_file = at("password");
    export->no_password = "it was not there";
    assert_int_not_equal(acme_export_job_write(&written, conf, 0, 0, &res,
                                               pool), 0);
    assert_detail(at("password"));
    put(at("password"), "secret\n");
    assert_int_equal(chmod(at("password"), 0600), 0);
    written_by(0);

    export->no_owner = "'somebody' is not a user of this system";
    assert_int_equal(unlink(at("p12")), 0);
    assert_int_not_equal(acme_export_job_write(&written, conf, 0, 0, &res,
                                               pool), 0);
    assert_detail(at("p12"));
    assert_detail("'somebody' is not a user");
    assert_int_equal(mode_of(at("p12")), -1);
}

static void each_key_type_has_its_own(void **state)
{
    (void)state;
    install("p256 p384");
    add_export(0, at("second"), ACME_EXPORT_KEY)->part = 1;
    add_export(0, at("first"), ACME_EXPORT_KEY);
    assert_string_equal(written_by(0), key_pem);
    assert_string_not_equal(written_by(1), key_pem);
}

/* A newer one may be installed, and wait for its reload. */
static void it_is_the_one_that_is_served(void **state)
{
    const char *served = full_pem;

    (void)state;
    add_export(0, at("f"), ACME_EXPORT_FULLCHAIN);
    install("p256");
    cert_of(conf, 0)->served = 1;
    assert_string_equal(written_by(0), served);
}

static void what_is_not_configured_is_not_found(void **state)
{
    (void)state;
    assert_null(acme_export_job_find(conf, 0, 0));
    add_export(0, at("f"), ACME_EXPORT_KEY);
    add_export(1, at("g"), ACME_EXPORT_KEY);
    assert_non_null(acme_export_job_find(conf, 0, 0));
    assert_null(acme_export_job_find(conf, 0, 1));
    assert_null(acme_export_job_find(conf, 1, 0));      /* not served */
    assert_null(acme_export_job_find(conf, 2, 0));
    assert_null(acme_export_job_find(conf, 0, (apr_uint32_t)-1));
    assert_null(acme_export_job_find(NULL, 0, 0));
}

static void what_is_planted_in_the_archive_is_not_copied(void **state)
{
    const char *key = at("store/archive/a.example/1/privkey.pem");
    int written;

    (void)state;
    add_export(0, at("f"), ACME_EXPORT_KEY);
    assert_int_equal(unlink(key), 0);
    assert_int_equal(mkfifo(key, 0600), 0);
    assert_int_not_equal(acme_export_job_write(&written, conf, 0, 0, &res,
                                               pool), 0);
    assert_detail(at("f"));
    assert_int_equal(unlink(key), 0);
    assert_int_equal(symlink("/etc/passwd", key), 0);
    assert_int_not_equal(acme_export_job_write(&written, conf, 0, 0, &res,
                                               pool), 0);
    assert_null(text_of(at("f")));
}

static void start_launcher(void)
{
    static acme_launcher_rules_t rules;

    rules.conf = conf;
    rules.live = live;
    assert_int_equal(acme_launcher_start(&rules, &res, pool), 0);
}

static void start_queue(void)
{
    start_launcher();
    registry = open_registry(conf);
    queue = acme_export_queue_create(registry, pool);
}

static apr_time_t clock_now(void)
{
    return apr_time_now() + ahead;
}

/* Until nothing runs and nothing is due. */
static void run_queue(void)
{
    struct pollfd fds[ACME_EXPORT_FDS];
    int n;

    do {
        acme_export_queue_step(queue, clock_now(), pool);
        n = acme_export_queue_poll(queue, fds);
        assert_in_range(n, 0, ACME_EXPORT_FDS);
        poll(fds, (nfds_t)n, 10);
    } while (n);
}

static const char *failure(void)
{
    return state_of(registry, 0)->export_failure;
}

static void the_launcher_writes_them(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < 3 * ACME_EXPORTS_AT_ONCE; i++) {
        add_export(0, at("f%d", i), ACME_EXPORT_KEY);
    }
    add_export(1, at("g"), ACME_EXPORT_KEY);
    start_queue();
    assert_int_not_equal(acme_export_queue_wait(queue, 0), 0);
    assert_int_equal(acme_export_queue_wait(queue, 1), 0);
    do {
        run_queue();
    } while (acme_export_queue_wake(queue, clock_now()));
    for (i = 0; i < 3 * ACME_EXPORTS_AT_ONCE; i++) {
        assert_string_equal(text_of(at("f%d", i)), key_pem);
        assert_int_equal(mode_of(at("f%d", i)), 0600);
    }
    assert_null(text_of(at("g")));
    assert_string_equal(failure(), "");
    assert_int_equal(acme_export_queue_wait(queue, 0), 0);
    assert_int_equal(acme_export_queue_changes(queue), 1);
    assert_logged(apr_pstrcat(pool, "a.example: exported: ", at("f0"), NULL));
    assert_not_logged("PRIVATE KEY");
}

/* As when it was installed; the launcher has httpd's configuration. */
static void give_the_next_to_workers(void)
{
    const int before = cert_of(conf, 0)->served;
    acme_live_pair_t pair;
    int n;

    install("p256");
    n = cert_of(conf, 0)->served;
    cert_of(conf, 0)->served = before;
    pair = (acme_live_pair_t) { full_pem, key_pem };
    assert_int_equal(acme_live_pairs_publish(live, 0, n, &pair, 1, &res), 0);
    acme_activated_note(conf, live, 0);
    assert_int_equal(cert_of(conf, 0)->served, n);
    acme_registry_order_gone(registry, 0);      /* a change of its state */
}

/* Until nothing is due; none may fail. */
static void run_all(void)
{
    do {
        run_queue();
        assert_string_equal(failure(), "");
    } while (acme_export_queue_wake(queue, clock_now()));
}

static void what_workers_were_given_is_copied_anew(void **state)
{
    (void)state;
    if (acme_live_pairs_create(&live, conf->certs->nelts, &res, pool)) {
        skip();
    }
    add_export(0, at("f"), ACME_EXPORT_KEY);
    add_export(0, at("set/"), ACME_EXPORT_PEM);
    start_queue();
    run_all();
    assert_string_equal(text_of(at("f")), key_pem);

    give_the_next_to_workers();
    ahead += apr_time_from_sec(7 * 24 * 3600);
    acme_export_queue_step(queue, clock_now(), pool);
    assert_in_range(acme_export_queue_wait(queue, 0),
                    clock_now() + apr_time_from_sec(500),
                    clock_now() + apr_time_from_sec(601));
    give_the_next_to_workers();         /* while the last one is written */
    run_all();
    assert_string_equal(text_of(at("f")), key_pem);
    assert_string_equal(text_of(at("set/current/privkey.pem")), key_pem);
    assert_int_equal(acme_export_queue_wait(queue, 0), 0);
    assert_string_equal(failure(), "");
    acme_export_queue_step(queue, clock_now(), pool);
    assert_int_equal(acme_export_queue_wake(queue, clock_now()), 0);
}

static void the_first_one_is_copied_when_it_is_given(void **state)
{
    (void)state;
    if (acme_live_pairs_create(&live, conf->certs->nelts, &res, pool)) {
        skip();
    }
    add_export(0, at("f"), ACME_EXPORT_KEY);
    cert_of(conf, 0)->served = 0;       /* the placeholder */
    start_queue();
    run_all();
    assert_null(text_of(at("f")));
    give_the_next_to_workers();
    run_all();
    assert_string_equal(text_of(at("f")), key_pem);
}

static void the_launcher_knows_no_other(void **state)
{
    static const char *const argv[] = { "AcmeExport", NULL };
    static const acme_launcher_export_t others[] = {
        { 0, 1 }, { 1, 0 }, { 2, 0 }, { (apr_uint32_t)-1, 0 }
    };
    acme_process_conf_t how = { .argv = argv, .output_max = 100,
                                .deadline = clock_now() };
    acme_process_t *job;
    size_t i;

    (void)state;
    add_export(0, at("f"), ACME_EXPORT_KEY);
    add_export(1, at("g"), ACME_EXPORT_KEY);
    start_launcher();
    for (i = 0; i < COUNT(others); i++) {
        how.export = &others[i];
        assert_int_equal(acme_process_launch(&job, &how, &res, pool), EPERM);
        assert_detail("AcmeExport");
    }
    assert_null(text_of(at("f")));
}

static void one_that_fails_is_told_and_tried_again(void **state)
{
    int i;

    (void)state;
    add_export(0, at("none/f"), ACME_EXPORT_KEY);
    add_export(0, at("g"), ACME_EXPORT_KEY);
    add_export(0, at("none/h"), ACME_EXPORT_KEY);
    start_queue();
    run_queue();
    assert_in_range(acme_export_queue_wait(queue, 0),
                    clock_now() + apr_time_from_sec(500),
                    clock_now() + apr_time_from_sec(601));
    assert_string_equal(text_of(at("g")), key_pem);
    assert_non_null(strstr(failure(), "AcmeExport at httpd.conf:7: "));
    assert_non_null(strstr(failure(), at("none/f")));
    assert_non_null(strstr(failure(), "does not exist"));
    assert_non_null(strstr(failure(), "(and 1 more)"));

    /* Later and later, at most an hour; and told once. */
    for (i = 0; i < 12; i++) {
        const apr_time_t wake = acme_export_queue_wake(queue, clock_now());

        assert_in_range(wake, clock_now() - apr_time_from_sec(1),
                        clock_now() + apr_time_from_sec(3600));
        ahead = wake - apr_time_now();
        run_queue();
    }
    assert_int_equal(times_logged("none/f: cannot"), 1);
    acme_registry_refresh(registry, 0, pool);
    assert_non_null(strstr(failure(), at("none/f")));

    assert_int_equal(mkdir(at("none"), 0755), 0);
    ahead += apr_time_from_sec(3600);
    run_queue();
    assert_string_equal(text_of(at("none/f")), key_pem);
    assert_string_equal(text_of(at("none/h")), key_pem);
    assert_string_equal(failure(), "");
    assert_int_equal(acme_export_queue_wake(queue, clock_now()), 0);
}

static int are_there(const char *fmt, int n)
{
    int i = 0;

    while (i < n && mode_of(at(fmt, i)) >= 0) {
        i++;
    }
    return i == n;
}

/* For some seconds at most, while the clock of the queue stands. */
static void run_until_there(const char *fmt, int n)
{
    const apr_time_t now = clock_now();
    struct pollfd fds[ACME_EXPORT_FDS];
    int turns;

    for (turns = 0; turns < 1000 && !are_there(fmt, n); turns++) {
        acme_export_queue_step(queue, now, pool);
        poll(fds, (nfds_t)acme_export_queue_poll(queue, fds), 10);
    }
    assert_true(are_there(fmt, n));
}

static int jobs_running(void)
{
    struct pollfd fds[ACME_EXPORT_FDS];

    return acme_export_queue_poll(queue, fds);
}

static void add_dead(const char *place, int i)
{
    acme_export_conf_t *export =
        add_export(0, at("dead-%s-%d", place, i), ACME_EXPORT_KEY);

    export->place = place;
    export->gid = DEAD;
}

/* As it may be with a folder of another machine's, and 10,000 copies in it. */
static void a_dead_folder_holds_nobody_up(void **state)
{
    apr_time_t wake;
    int i;

    (void)state;
    for (i = 0; i < 2 * ACME_EXPORTS_AT_ONCE; i++) {
        add_dead("conf:1", i);
    }
    for (i = 0; i < 2 * ACME_EXPORTS_AT_ONCE; i++) {
        add_export(0, at("f%d", i), ACME_EXPORT_KEY);
    }
    start_queue();
    run_until_there("f%d", 2 * ACME_EXPORTS_AT_ONCE);
    while (jobs_running() > 1) {
        acme_export_queue_step(queue, clock_now(), pool);
        usleep(1000);
    }
    assert_int_equal(jobs_running(), 1);

    /* Nor does it keep the keeper awake. */
    wake = acme_export_queue_wake(queue, clock_now());
    assert_in_range(wake, clock_now() + apr_time_from_sec(30),
                    clock_now() + apr_time_from_sec(61));
    ahead += apr_time_from_sec(61);
    while (!strstr(failure(), "did not answer in time")) {
        acme_export_queue_step(queue, clock_now(), pool);
        usleep(1000);
    }
    assert_int_equal(jobs_running(), 1);
}

/* Not even several, once that they are known. */
static void nor_do_many(void **state)
{
    static const char *const places[] = {
        "conf:1", "conf:2", "conf:3", "conf:4", "conf:5"
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(places); i++) {
        add_dead(places[i], 0);
        add_dead(places[i], 1);
    }
    for (i = 0; i < 3; i++) {
        add_export(0, at("f%d", (int)i), ACME_EXPORT_KEY);
    }
    start_queue();
    acme_export_queue_step(queue, clock_now(), pool);
    assert_int_equal(jobs_running(), ACME_EXPORTS_AT_ONCE);
    for (i = 0; i < 2; i++) {   /* the fifth is not known before */
        ahead += apr_time_from_sec(61);
        while (times_logged("did not answer in time")
               < (i ? 5 : ACME_EXPORTS_AT_ONCE)) {
            acme_export_queue_step(queue, clock_now(), pool);
            usleep(1000);
        }
    }
    run_until_there("f%d", 3);
}

/* It is retried, in one place, and gets the others back with its answer. */
static void one_that_dies_later_has_one_place(void **state)
{
    int i;

    (void)state;
    add_export(0, at("f0"), ACME_EXPORT_KEY)->place = "conf:1";
    for (i = 0; i < 2 * ACME_EXPORTS_AT_ONCE; i++) {
        add_dead("conf:1", i);
    }
    start_queue();
    run_until_there("f%d", 1);
    while (jobs_running() < ACME_EXPORTS_AT_ONCE) {
        acme_export_queue_step(queue, clock_now(), pool);
        usleep(1000);
    }
    for (i = 0; i < 3; i++) {
        const int told = times_logged("did not answer in time");

        ahead += apr_time_from_sec(61);
        while (times_logged("did not answer in time")
               < told + (i ? 1 : ACME_EXPORTS_AT_ONCE)) {
            acme_export_queue_step(queue, clock_now(), pool);
            usleep(1000);
        }
        acme_export_queue_step(queue, clock_now(), pool);
        assert_int_equal(jobs_running(), 1);
    }
}

static acme_hook_runner_t *hooks;
static acme_deploy_t *deploy;

static void add_deploy(int cert, const char *argument)
{
    acme_cert_conf_t *to = cert_of(conf, cert);
    apr_array_header_t *list = apr_array_make(pool, 1,
                                              sizeof(acme_hook_conf_t));
    acme_hook_conf_t *hook = apr_array_push(list);

    hook->kind = ACME_HOOK_DEPLOY;
    hook->command = words(apr_pstrcat(pool, at("hook"), " ", argument, NULL));
    to->hooks = list;
    to->hook_timeout = apr_time_from_sec(1000);
}

static void make_active(int cert)
{
    acme_state_t *state = state_of(registry, cert);

    state->live = state->served = 1;
    apr_snprintf(state->serial, sizeof(state->serial), "01");
    acme_registry_order_gone(registry, (apr_uint32_t)cert);
}

/* As a keeper, until nothing runs. */
static void work(void)
{
    do {
        acme_export_queue_step(queue, clock_now(), pool);
        acme_hook_run_step(hooks, apr_time_now());
        acme_deploy_step(deploy, clock_now(), pool);
        usleep(1000);
    } while (jobs_running() || acme_hook_run_wake(hooks, apr_time_now()));
}

static void assert_said(const char *text)
{
    const char *said = text_of(at("said"));

    assert_string_equal(said ? said : "", text);
}

static void begin_keeper(void)
{
    start_queue();
    hooks = acme_hook_run_create(&test_log, pool);
    deploy = acme_deploy_create(registry, hooks, queue, pool);
    acme_deploy_step(deploy, clock_now(), pool);
}

/* In the same load of httpd, or, as the keeper is told, in the next. */
static void deploy_without_a_copy(int is_reloaded)
{
    put(at("hook"), apr_psprintf(pool, "#!/bin/sh\ncat >/dev/null\n"
                                 "echo $1 >>%s\n", at("said")));
    assert_int_equal(chmod(at("hook"), 0755), 0);
    add_export(0, at("g"), ACME_EXPORT_KEY);
    add_export(0, at("none/f"), ACME_EXPORT_KEY);
    add_deploy(0, "first");
    add_deploy(1, "second");
    cert_of(conf, 1)->served = 1;
    begin_keeper();
    make_active(0);
    make_active(1);
    work();
    assert_said("second\n");            /* has no copies to wait for */
    ahead += apr_time_from_sec(590);
    work();
    assert_said("second\n");
    ahead += apr_time_from_sec(20);
    work();
    assert_said("second\nfirst\n");
    work();
    ahead += apr_time_from_sec(3600);
    work();
    assert_said("second\nfirst\n");

    assert_int_equal(mkdir(at("none"), 0755), 0);
    if (is_reloaded) {
        begin_keeper();
        make_active(0);
        make_active(1);
    }
    ahead += apr_time_from_sec(3600);
    work();
    work();
    assert_string_equal(text_of(at("none/f")), key_pem);
    assert_said("second\nfirst\nfirst\n");
    begin_keeper();
    make_active(0);
    make_active(1);
    work();
    work();
    assert_said("second\nfirst\nfirst\n");
}

static void deploy_waits_for_its_own_copies(void **state)
{
    (void)state;
    deploy_without_a_copy(0);
}

static void also_for_those_of_the_next_load(void **state)
{
    (void)state;
    deploy_without_a_copy(1);
}

static int teardown(void **state)
{
    alarm(0);
    return scratch_teardown(state);
}

#define EXPORT_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        EXPORT_TEST(each_format_has_its_content),
        EXPORT_TEST(what_is_missing_is_named),
        EXPORT_TEST(each_key_type_has_its_own),
        EXPORT_TEST(it_is_the_one_that_is_served),
        EXPORT_TEST(what_is_not_configured_is_not_found),
        EXPORT_TEST(what_is_planted_in_the_archive_is_not_copied),
        EXPORT_TEST(the_launcher_writes_them),
        EXPORT_TEST(what_workers_were_given_is_copied_anew),
        EXPORT_TEST(the_first_one_is_copied_when_it_is_given),
        EXPORT_TEST(the_launcher_knows_no_other),
        EXPORT_TEST(one_that_fails_is_told_and_tried_again),
        EXPORT_TEST(a_dead_folder_holds_nobody_up),
        EXPORT_TEST(nor_do_many),
        EXPORT_TEST(one_that_dies_later_has_one_place),
        EXPORT_TEST(deploy_waits_for_its_own_copies),
        EXPORT_TEST(also_for_those_of_the_next_load),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
