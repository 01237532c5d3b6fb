/*
 * test_launcher.c - the launcher executes what is configured, and nothing else.
 */
#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "acme_process.h"
#include "acme_launcher.h"
#include "open_registry.h"

#define V1 "0123456789012345678901234567890123456789012"

static acme_conf_t *conf;
static acme_server_t server;
static acme_launcher_rules_t rules;

static const char *const test_argv[] = { "/bin/httpd", "-t", NULL };
static const char *const list_argv[] = { "/bin/httpd", "-t", "-D", NULL };

static acme_dns_conf_t make_dns(acme_dns_call_e call)
{
    return (acme_dns_conf_t) { .how = ACME_DNS_EXEC,
                               .call = call,
                               .present = words("/bin/dns add"),
                               .cleanup = words("/bin/dns remove") };
}

static int setup(void **state)
{
    static acme_dns_conf_t dns;
    static acme_token_conf_t http;
    acme_hook_conf_t *hook;
    apr_array_header_t *hooks;
    int rc = scratch_setup(state);

    conf = make_conf();
    hooks = apr_array_make(pool, 1, sizeof(acme_hook_conf_t));
    hook = apr_array_push(hooks);
    hook->command = words("/bin/echo one");
    cert_of(conf, 0)->hooks = hooks;
    dns = make_dns(ACME_DNS_CALL_PLAIN);
    cert_of(conf, 1)->dns = &dns;
    http = (acme_token_conf_t) { .how = ACME_TOKEN_EXEC,
                                 .present = words("/bin/auth"),
                                 .cleanup = words("/bin/clean") };
    cert_of(conf, 0)->http = &http;
    server = (acme_server_t) { .pid = getpid(), .reload_signal = SIGUSR2,
                               .test = test_argv, .list = list_argv,
                               .cwd = "/srv" };
    rules = (acme_launcher_rules_t) { .conf = conf, .server = &server };
    return rc;
}

static int allows(const char *text, const char *cwd, const char *env)
{
    apr_array_header_t *argv = words(text);
    acme_launcher_command_t command = { .cwd = cwd };

    APR_ARRAY_PUSH(argv, const char *) = NULL;
    command.argv = (const char *const *)argv->elts;
    command.env = env ? words(env) : NULL;
    return acme_launcher_rules_allow(&rules, &command, pool);
}

static void nothing_but_what_is_configured(void **state)
{
    static const struct {
        const char *argv, *cwd, *env;
        int allowed;
    } rows[] = {
        { "/bin/echo one", "/", "", 1 },
        { "/bin/echo one", "/", "ACME_EVENT=failed RENEWED_DOMAINS=a", 1 },
        { "/bin/echo", "/", "", 0 },
        { "/bin/echo two", "/", "", 0 },
        { "/bin/echo one two", "/", "", 0 },
        { "/bin/sh -c x", "/", "", 0 },
        { "/bin/echo one", "/tmp", "", 0 },
        { "/bin/echo one", "/", NULL, 0 },
        { "/bin/echo one", "/", "LD_PRELOAD=/tmp/x.so", 0 },
        { "/bin/echo one", "/", "ACME_EVENT=x LD_PRELOAD=/tmp/x.so", 0 },
        { "/bin/echo one", "/", "PATH=/tmp", 0 },
        { "/bin/echo one", "/", "ACME_EVENTS=x", 0 },
        { "/bin/echo one", "/", "ACME_EVENT", 0 },

        { "/bin/httpd -t", "/srv", NULL, 1 },
        { "/bin/httpd -t -D", "/srv", NULL, 1 },
        { "/bin/httpd -t", "/", NULL, 0 },
        { "/bin/httpd -t", "/srv", "", 0 },
        { "/bin/httpd", "/srv", NULL, 0 },
        { "/bin/httpd -t -D x", "/srv", NULL, 0 },

        { "/bin/dns add present _acme-challenge.a.example " V1, "/", "", 1 },
        { "/bin/dns remove cleanup _acme-challenge.a.example -" V1, "/", "",
          1 },
        { "/bin/dns add present", "/", "", 0 },
        { "/bin/dns add present a.example", "/", "", 0 },
        { "/bin/dns add present a.example x y", "/", "", 0 },
        { "/bin/dns add cleanup a.example x", "/", "", 0 },
        { "/bin/dns remove present a.example x", "/", "", 0 },
        { "/bin/dns add present a;b x", "/", "", 0 },
        { "/bin/dns add present ../x x", "/", "", 0 },
        { "/bin/dns present a.example x", "/", "", 0 },
        { "nsupdate -k /key", "/", "", 0 },

        { "/bin/auth", "/", "CERTBOT_TOKEN=x", 1 },
        { "/bin/clean", "/", "CERTBOT_AUTH_OUTPUT=x", 1 },
        { "/bin/auth x", "/", "", 0 },
        { "/bin/clean x", "/", "", 0 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (allows(rows[i].argv, rows[i].cwd, rows[i].env)
            != rows[i].allowed) {
            fail_msg("%s in %s with %s", rows[i].argv, rows[i].cwd,
                     rows[i].env ? rows[i].env : "all");
        }
    }
}

static void each_kind_of_dns_command_has_its_words(void **state)
{
    static const struct {
        acme_dns_call_e call;
        const char *argv;
        int allowed;
    } rows[] = {
        { ACME_DNS_CALL_MOD_MD, "/bin/dns add setup a.example " V1, 1 },
        { ACME_DNS_CALL_MOD_MD, "/bin/dns remove teardown a.example " V1, 1 },
        { ACME_DNS_CALL_MOD_MD, "/bin/dns add present a.example " V1, 0 },
        { ACME_DNS_CALL_DEHYDRATED,
          "/bin/dns add deploy_challenge a.example token " V1, 1 },
        { ACME_DNS_CALL_DEHYDRATED,
          "/bin/dns remove clean_challenge a.example token " V1, 1 },
        { ACME_DNS_CALL_DEHYDRATED,
          "/bin/dns add deploy_challenge a.example token", 0 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_dns_conf_t dns = make_dns(rows[i].call);

        cert_of(conf, 1)->dns = &dns;
        if (allows(rows[i].argv, "/", "") != rows[i].allowed) {
            fail_msg("%s", rows[i].argv);
        }
    }
}

/* The first word has a space in it. */
static int allows_webroot(const char *more)
{
    const apr_array_header_t *rest = words(more);
    apr_array_header_t *argv = words("");
    acme_launcher_command_t command = { .cwd = "/", .env = words("") };
    int i;

    APR_ARRAY_PUSH(argv, const char *) = "AcmeHttp webroot";
    for (i = 0; i < rest->nelts; i++) {
        APR_ARRAY_PUSH(argv, const char *) =
            APR_ARRAY_IDX(rest, i, const char *);
    }
    APR_ARRAY_PUSH(argv, const char *) = NULL;
    command.argv = (const char *const *)argv->elts;
    return acme_launcher_rules_allow(&rules, &command, pool);
}

static void a_webroot_gets_tokens_and_nothing_else(void **state)
{
    static const struct {
        const char *argv;
        int allowed;
    } rows[] = {
        { "present /www t t." V1, 1 },
        { "present /etc t t." V1, 0 },
        { "present /www t t." V1 " 2", 0 },
        { "present /www ../t ../t." V1, 0 },
        { "present /www t other." V1, 0 },
        { "present /www t t." V1 "x", 0 },
        { "present /www t", 0 },
        { "cleanup /www t t." V1 " 2", 1 },
        { "cleanup /former t t." V1 " 0", 1 },
        { "cleanup www t t." V1 " 0", 0 },
        { "cleanup /www t t." V1 " 3", 0 },
        { "cleanup /www t t." V1, 0 },
        { "cleanup /www .. ..." V1 " 0", 0 },
        { "remove /www t t." V1 " 0", 0 }
    };
    const acme_token_conf_t http = { .how = ACME_TOKEN_WEBROOT,
                                     .root = "/www" };
    size_t i;

    (void)state;
    cert_of(conf, 0)->http = &http;
    for (i = 0; i < COUNT(rows); i++) {
        if (allows_webroot(rows[i].argv) != rows[i].allowed) {
            fail_msg("%s", rows[i].argv);
        }
    }
}

static void of_nsupdate_the_key_file_is_given(void **state)
{
    acme_dns_conf_t dns = { .how = ACME_DNS_RFC2136, .key_file = "/key" };

    (void)state;
    setenv("PATH", apr_pstrcat(pool, scratch_dir, ":", getenv("PATH"), NULL),
           1);
    put(at("nsupdate"), "#!/bin/sh\n");
    chmod(at("nsupdate"), 0755);
    cert_of(conf, 1)->dns = &dns;
    assert_true(allows(apr_pstrcat(pool, at("nsupdate"), " -k /key", NULL),
                       "/", ""));
    assert_false(allows(apr_pstrcat(pool, at("nsupdate"), " -k /key2", NULL),
                        "/", ""));
    assert_false(allows(apr_pstrcat(pool, at("nsupdate"), " -k /key -L", NULL),
                        "/", ""));
    assert_false(allows("/tmp/nsupdate -k /key", "/", ""));
}

static void what_is_not_allowed_is_not_run(void **state)
{
    static const char *const bad[] = { "/bin/sh", "-c", "exit 0", NULL };
    static const char *const good[] = { "/bin/echo", "one", NULL };
    acme_process_conf_t how = { .argv = bad, .env = words(""),
                                .output_max = 100,
                                .deadline = apr_time_now()
                                            + apr_time_from_sec(50) };
    acme_process_t *job;

    (void)state;
    assert_int_equal(acme_launcher_start(&rules, &res, pool), 0);
    assert_int_equal(acme_process_launch(&job, &how, &res, pool), EPERM);
    assert_null(job);
    assert_detail("/bin/sh: not a command of the configuration");
    how.argv = good;
    assert_int_equal(acme_process_launch(&job, &how, &res, pool), 0);
    while (!acme_process_step(job, apr_time_now())) {
        poll(&(struct pollfd){ acme_process_fd(job), POLLIN, 0 }, 1, 10000);
    }
    assert_int_equal(acme_process_exit(job), 0);
    assert_string_equal(acme_process_output(job), "one\n");
}

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
    (void)sig;
    signals++;
}

/* Our only child. */
static pid_t launcher(void)
{
    char line[64], path[64];
    FILE *children;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    children = fopen(path, "r");
    if (!children || !fgets(line, sizeof(line), children)) {
        skip();
    }
    fclose(children);
    return (pid_t)atoi(line);
}

static void one_that_ended_is_missed(void **state)
{
    static const char *const argv[] = { "/bin/echo", "one", NULL };
    acme_process_conf_t how = { .argv = argv, .env = words("") };
    acme_process_t *job;
    pid_t pid;
    int i;

    (void)state;
    signal(SIGUSR2, on_signal);
    assert_int_equal(acme_launcher_start(&rules, &res, pool), 0);
    assert_false(acme_launcher_is_gone());
    pid = launcher();
    assert_int_equal(acme_launcher_reload(&res), 0);
    kill(pid, SIGTERM);         /* it ends with the keeper, not by this */
    assert_int_equal(acme_launcher_reload(&res), 0);
    kill(pid, SIGKILL);
    for (i = 0; i < 1000 && !acme_launcher_is_gone(); i++) {
        usleep(10000);
    }
    assert_true(acme_launcher_is_gone());
    assert_int_not_equal(acme_process_launch(&job, &how, &res, pool), 0);
    assert_detail("does not answer");
}

/* One that hangs is given up, and not waited for. */
static void one_that_hangs_is_given_up(void **state)
{
    apr_time_t begun;
    apr_pool_t *p;
    pid_t pid;

    (void)state;
    apr_pool_create(&p, pool);
    signal(SIGUSR2, on_signal);
    assert_int_equal(acme_launcher_start(&rules, &res, p), 0);
    assert_int_equal(acme_launcher_reload(&res), 0);
    pid = launcher();
    kill(pid, SIGSTOP);
    begun = apr_time_now();
    assert_int_not_equal(acme_launcher_reload(&res), 0);
    assert_detail("does not answer");
    assert_true(acme_launcher_is_gone());
    apr_pool_destroy(p);
    assert_true(apr_time_now() - begun < apr_time_from_sec(20));
    kill(pid, SIGCONT);         /* it sees that nobody is there */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void it_signals_the_server_alone(void **state)
{
    (void)state;
    signal(SIGUSR2, on_signal);
    signals = 0;
    assert_int_equal(acme_launcher_start(&rules, &res, pool), 0);
    assert_int_equal(acme_launcher_reload(&res), 0);
    assert_int_equal(signals, 1);
    server.reload_signal = 0;
    assert_int_equal(acme_launcher_start(&rules, &res, pool), 0);
    assert_int_equal(acme_launcher_reload(&res), EPERM);
}

#define MANY 16                 /* killed: then no token is written */

/*
 * A job that SIGKILL does not end for the launcher: nobody but us, who trace
 * it, can wait for it. So it is with one that waits for a dead file system.
 */
static pid_t start_deathless(apr_pool_t *p)
{
    static const char *const argv[] = { "/bin/sh", "-c",
                                        "echo $$; exec sleep 1000", NULL };
    const acme_process_conf_t how = {
        .argv = argv, .env = words(""), .output_max = 100,
        .deadline = apr_time_now() + apr_time_from_sec(1000)
    };
    acme_process_t *job;
    pid_t pid;

    if (acme_process_launch(&job, &how, &res, p)) {
        fail_msg("%s", res.detail);
    }
    while (!strchr(acme_process_output(job), '\n')) {
        poll(&(struct pollfd){ acme_process_fd(job), POLLIN, 0 }, 1, 10000);
        acme_process_step(job, apr_time_now());
    }
    pid = (pid_t)atoi(acme_process_output(job));
    if (ptrace(PTRACE_SEIZE, pid, 0, 0)) {
        skip();
    }
    return pid;
}

/* As acme_process_launch() of a token that is written below a webroot. */
static apr_status_t write_token(acme_process_t **pjob)
{
    const char *const argv[] = { "AcmeHttp webroot", "present", scratch_dir,
                                 "t", "t." V1, NULL };
    const acme_process_conf_t how = {
        .argv = argv, .env = words(""), .output_max = 1000,
        .deadline = apr_time_now() + apr_time_from_sec(50)
    };

    return acme_process_launch(pjob, &how, &res, pool);
}

static int exit_of(acme_process_t *job)
{
    while (!acme_process_step(job, apr_time_now())) {
        poll(&(struct pollfd){ acme_process_fd(job), POLLIN, 0 }, 1, 10000);
    }
    return acme_process_exit(job);
}

static void what_cannot_be_killed_delays_nobody(void **state)
{
    static const char *const argv[] = { "/bin/echo", "one", NULL };
    const acme_process_conf_t how = {
        .argv = argv, .env = words(""), .output_max = 100,
        .deadline = apr_time_now() + apr_time_from_sec(50)
    };
    pid_t pids[MANY];
    acme_process_t *job;
    apr_pool_t *p;
    int fd, i;

    (void)state;
    alarm(100);
    signal(SIGUSR2, on_signal);
    rules.conf = NULL;
    assert_int_equal(acme_launcher_start(&rules, &res, pool), 0);
    apr_pool_create(&p, pool);
    for (i = 0; i < MANY; i++) {
        assert_int_equal(write_token(&job), 0);
        assert_int_equal(exit_of(job), 0);
        pids[i] = start_deathless(p);
    }
    apr_pool_destroy(p);                /* that kills them */
    assert_int_equal(acme_launcher_reload(&res), 0);
    assert_int_equal(acme_launcher_cert_reader(&fd, &res), 0);
    close(fd);
    assert_int_equal(acme_process_launch(&job, &how, &res, pool), 0);
    assert_int_equal(exit_of(job), 0);

    assert_int_equal(write_token(&job), APR_EAGAIN);
    assert_detail("AcmeHttp webroot: not run, because 16 processes that were "
                  "killed have not ended");
    for (i = 0; i < MANY; i++) {
        assert_int_equal(waitpid(pids[i], NULL, __WALL), pids[i]);
    }
    assert_int_equal(write_token(&job), 0);
    assert_int_equal(exit_of(job), 0);
    alarm(0);
}

static void what_cannot_be_killed_does_not_hold_its_end(void **state)
{
    apr_pool_t *p;
    pid_t pid;

    (void)state;
    alarm(100);
    rules.conf = NULL;
    apr_pool_create(&p, pool);
    assert_int_equal(acme_launcher_start(&rules, &res, p), 0);
    pid = start_deathless(pool);
    apr_pool_destroy(p);                /* waits for the launcher */
    assert_int_equal(waitpid(pid, NULL, __WALL), pid);
    alarm(0);
}

/* A copy is of no command, so none is compared with the others'. */
static void a_copy_is_written_where_there_is_a_webroot(void **state)
{
    static const char *const argv[] = { "AcmeExport", NULL };
    static const acme_token_conf_t http = { .how = ACME_TOKEN_WEBROOT,
                                            .root = "/www" };
    apr_array_header_t *exports =
        apr_array_make(pool, 1, sizeof(acme_export_conf_t));
    const acme_launcher_export_t first = { 0, 0 }, none = { 0, 1 };
    const acme_launcher_command_t command = { .export = &first };
    acme_process_conf_t how = {
        .argv = argv, .export = &first, .output_max = 1000,
        .deadline = apr_time_now() + apr_time_from_sec(50)
    };
    acme_process_t *job;

    (void)state;
    alarm(100);
    *(acme_export_conf_t *)apr_array_push(exports) = (acme_export_conf_t) {
        .path = at("copy"), .format = ACME_EXPORT_PEM, .mode = 0600,
        .uid = geteuid(), .gid = getegid(), .place = "httpd.conf:7"
    };
    cert_of(conf, 0)->exports = exports;
    cert_of(conf, 0)->served = 1;       /* there is none: it says so */
    cert_of(conf, 1)->http = &http;
    assert_int_equal(acme_launcher_rules_umask(&rules, &command), 077);
    assert_int_equal(acme_launcher_start(&rules, &res, pool), 0);
    assert_int_equal(acme_process_launch(&job, &how, &res, pool), 0);
    assert_int_equal(exit_of(job), 1);
    assert_non_null(strstr(acme_process_output(job), "privkey"));
    how.export = &none;
    assert_int_equal(acme_process_launch(&job, &how, &res, pool), EPERM);
    assert_false(acme_launcher_is_gone());
    alarm(0);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_but_what_is_configured),
        TEST(each_kind_of_dns_command_has_its_words),
        TEST(a_webroot_gets_tokens_and_nothing_else),
        TEST(of_nsupdate_the_key_file_is_given),
        TEST(what_is_not_allowed_is_not_run),
        TEST(one_that_ended_is_missed),
        TEST(one_that_hangs_is_given_up),
        TEST(it_signals_the_server_alone),
        TEST(what_cannot_be_killed_delays_nobody),
        TEST(what_cannot_be_killed_does_not_hold_its_end),
        TEST(a_copy_is_written_where_there_is_a_webroot)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
