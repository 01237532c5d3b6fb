/*
 * test_live.c - AcmeActivate live, of one load: where it cannot work, and who
 * can write.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "acme_live.h"
#include "acme_server_conf.h"
#include "httpd_stubs.h"
#include "pool.h"

#include <http_core.h>
#include <http_log.h>

static const char *defined;     /* -D of httpd's command line */
static acme_conf_t conf;
static acme_server_found_t server_found;
static server_rec *server;
static process_rec process;

AP_DECLARE(int) ap_exists_config_define(const char *name)
{
    return defined && !strcmp(name, defined);
}

static int setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    defined = NULL;
    stubs_reset("/etc/httpd");
    server = stubs_server(NULL, pool);
    server->defn_name = "/etc/httpd/vhosts.conf";
    server->defn_line_number = 7;
    process.pool = pool;
    server->process = &process;
    memset(&server_found, 0, sizeof(server_found));
    ap_set_module_config(server->module_config, &acme_module, &server_found);
    conf = (acme_conf_t) {
        .activate = ACME_ACTIVATE_LIVE,
        .certs = apr_array_make(pool, 1, sizeof(acme_cert_conf_t))
    };
    *(acme_cert_conf_t *)apr_array_push(conf.certs)
        = (acme_cert_conf_t) { .id = "www.example.org" };
    return 0;
}

#define LIVE_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

static void load(const char *obstacle)
{
    acme_live_prepare(&conf, obstacle, server, APLOG_WARNING);
    acme_live_start(&conf, server, pool);
}

static void is_left_out_because(const char *why)
{
    assert_false(acme_live_is_wanted());
    assert_null(acme_live_pairs());
    assert_null(acme_live_take(0));
    assert_non_null(strstr(stubs_logged, why));
    assert_non_null(strstr(stubs_logged, "a graceful reload"));
    assert_ptr_equal(strchr(stubs_logged, '\n'),
                     stubs_logged + strlen(stubs_logged) - 1);
}

static void others_have_none(void **state)
{
    (void)state;
    conf.activate = ACME_ACTIVATE_GRACEFUL;
    load("there is no callback");
    assert_false(acme_live_is_wanted());
    assert_null(acme_live_pairs());
    assert_string_equal(stubs_logged, "");
}

static void no_callback(void **state)
{
    (void)state;
    load("there is no callback");
    is_left_out_because("there is no callback");
}

static void one_process(void **state)
{
    static const char *const modes[] = { "DEBUG", "ONE_PROCESS" };
    apr_size_t i;

    (void)state;
    for (i = 0; i < COUNT(modes); i++) {
        stubs_reset("/etc/httpd");
        defined = modes[i];
        load(NULL);
        is_left_out_because("httpd -X");
    }
}

/* mod_ssl has taken a certificate and never called the hook. */
static void a_server_without_callback(void **state)
{
    (void)state;
    server_found.given = 1;
    load(NULL);
    is_left_out_because("/etc/httpd/vhosts.conf:7");
}

static apr_status_t publish(void)
{
    const acme_live_pair_t pair = { "chain", "key" };

    return acme_live_pairs_publish(acme_live_pairs(), 0, 1, &pair, 1, &res);
}

static void the_keeper_alone_writes(void **state)
{
    int status = -1;
    pid_t pid;

    (void)state;
    load(NULL);
    assert_true(acme_live_is_wanted());
    assert_string_equal(stubs_logged, "");
    acme_live_forget_writer();          /* not the parent's own */
    assert_int_equal(publish(), 0);
    pid = fork();
    if (pid == 0) {
        acme_live_forget_writer();
        acme_live_forget_writer();
        _exit(publish() ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(publish(), 0);
}

/* The next load has its own; a fork keeps what its threads may still read. */
static void it_goes_with_its_load(void **state)
{
    apr_pool_t *first;
    int status = -1;
    pid_t pid;

    (void)state;
    apr_pool_create(&first, pool);
    acme_live_prepare(&conf, NULL, server, APLOG_WARNING);
    acme_live_start(&conf, server, first);
    assert_int_equal(publish(), 0);
    pid = fork();
    if (pid == 0) {
        apr_pool_destroy(first);
        _exit(acme_live_pairs_generation(acme_live_pairs(), 0) ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    apr_pool_destroy(first);
    assert_null(acme_live_pairs());
    load(NULL);
    assert_int_equal(acme_live_pairs_generation(acme_live_pairs(), 0), 0);
    assert_true(acme_live_was_served("www.example.org", 1, server));
    assert_false(acme_live_was_served("www.example.org", 2, server));
    assert_false(acme_live_was_served("example.org", 1, server));
}

/* A system without such memory has nothing of it. */
static int has_memory(void)
{
    acme_live_pairs_t *pairs;
    apr_status_t rv;

    pool_setup(NULL);
    rv = acme_live_pairs_create(&pairs, 1, &res, pool);
    pool_teardown(NULL);
    return !APR_STATUS_IS_ENOTIMPL(rv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(others_have_none),
        LIVE_TEST(no_callback),
        LIVE_TEST(one_process),
        LIVE_TEST(a_server_without_callback),
        LIVE_TEST(the_keeper_alone_writes),
        LIVE_TEST(it_goes_with_its_load)
    };
    int failed = 0;

    apr_initialize();
    if (has_memory()) {
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    }
    apr_terminate();
    return failed;
}
