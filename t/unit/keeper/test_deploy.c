/*
 * test_deploy.c - the commands of deploy run once for each certificate that is
 * active, until they have succeeded.
 */
#include <signal.h>

#include "acme_deploy.h"
#include "acme_registry_order.h"
#include "open_registry.h"
#include "with_launcher.h"

static acme_conf_t *conf;
static acme_registry_t *registry;
static acme_hook_runner_t *hooks;
static acme_deploy_t *deploy;
static apr_time_t now;

static void add_hook(acme_hook_e kind, const char *argument)
{
    acme_cert_conf_t *to = cert_of(conf, 0);
    apr_array_header_t *list = to->hooks
        ? apr_array_copy(pool, to->hooks)
        : apr_array_make(pool, 4, sizeof(acme_hook_conf_t));
    acme_hook_conf_t *hook = apr_array_push(list);

    hook->kind = kind;
    hook->command = words(apr_pstrcat(pool, at("hook"), " ", argument, NULL));
    to->hooks = list;
    to->hook_timeout = apr_time_from_sec(1000);
}

static int setup(void **state)
{
    const int rc = scratch_setup(state);

    alarm(300);
    signal(SIGPIPE, SIG_IGN);
    now = apr_time_now();
    put(at("hook"), apr_psprintf(
        pool, "#!/bin/sh\ncat >/dev/null\n"
        "echo \"$1 $ACME_EVENT $RENEWED_DOMAINS ${RENEWED_LINEAGE#%s/}\" "
        ">>%s\n[ ! -e %s ] || { echo it fails; exit 3; }\n", scratch_dir,
        at("said"), at("fail-$1")));
    assert_int_equal(chmod(at("hook"), 0755), 0);
    conf = make_conf();
    conf->activate = ACME_ACTIVATE_GRACEFUL;
    with_launcher(NULL);
    hooks = acme_hook_run_create(&test_log, pool);
    return rc;
}

/* Archive n is live, and archive served is what httpd has loaded. */
static void certificate(int n, int served)
{
    acme_state_t *state = state_of(registry, 0);

    state->live = n;
    state->served = served;
    apr_snprintf(state->serial, sizeof(state->serial), "%02d", n);
    acme_registry_order_gone(registry, 0);      /* it changed */
}

/* As a keeper that starts now. */
static void begin(int live, int served)
{
    registry = open_registry(conf);
    certificate(live, served);
    deploy = acme_deploy_create(registry, hooks, NULL, pool);
}

static void drive(void)
{
    do {
        acme_hook_run_step(hooks, apr_time_now());
        acme_deploy_step(deploy, now, pool);
        usleep(1000);
    } while (acme_hook_run_wake(hooks, apr_time_now()));
}

static void assert_said(const char *text)
{
    const char *said = text_of(at("said"));

    assert_string_equal(said ? said : "", text);
}

#define OK(command) command " deploy a.example www.a.example " \
    "store/live/a.example\n"

static void a_certificate_is_deployed_when_it_is_active(void **state)
{
    (void)state;
    add_hook(ACME_HOOK_DEPLOY, "one");
    add_hook(ACME_HOOK_DEPLOY, "two");
    begin(0, 0);
    drive();
    certificate(1, 0);
    drive();
    assert_said("");
    begin(1, 1);                                /* the reload */
    drive();
    assert_said(OK("one") OK("two"));
    begin(1, 1);                                /* and another one */
    drive();
    certificate(2, 1);                          /* its renewal */
    drive();
    assert_said(OK("one") OK("two"));
    begin(2, 2);
    drive();
    assert_said(OK("one") OK("two") OK("one") OK("two"));
}

/* When they began is what a next key goes by, and outlives the keeper. */
static void it_is_known_since_when_it_is_done(void **state)
{
    const apr_time_t second = apr_time_from_sec(1);

    (void)state;
    begin(1, 1);
    assert_true(acme_deploy_is_done_since(registry, 0, now, pool));
    add_hook(ACME_HOOK_DEPLOY, "one");
    begin(0, 0);
    drive();
    assert_false(acme_deploy_is_done_since(registry, 0, 0, pool));
    begin(1, 1);
    acme_deploy_step(deploy, now, pool);
    assert_false(acme_deploy_is_done_since(registry, 0, now, pool));
    drive();
    begin(1, 1);
    assert_true(acme_deploy_is_done_since(registry, 0, now, pool));
    assert_false(acme_deploy_is_done_since(registry, 0, now + second, pool));
    put(at("fail-one"), "");
    begin(2, 2);
    drive();
    assert_false(acme_deploy_is_done_since(registry, 0, now, pool));
}

/* A command that publishes records would publish half of them. */
static void it_waits_for_next_keys(void **state)
{
    (void)state;
    add_hook(ACME_HOOK_DEPLOY, "one");
    cert_of(conf, 0)->key_reuse = ACME_KEY_REUSE_NEXT;
    begin(0, 0);
    drive();
    begin(1, 1);
    state_of(registry, 0)->installed = now;
    drive();
    assert_said("");
    acme_registry_next_keys(registry, 0, now);
    drive();
    assert_said(OK("one"));

    /* But not for ever, and anew after a reload, which came late. */
    begin(2, 2);
    state_of(registry, 0)->installed = now - apr_time_from_sec(3600);
    now = apr_time_now();
    drive();
    assert_said(OK("one"));
    now += apr_time_from_sec(121);
    drive();
    assert_said(OK("one") OK("one"));
}

static void one_that_was_there_before_the_hook_is_not(void **state)
{
    (void)state;
    begin(1, 1);
    drive();
    add_hook(ACME_HOOK_DEPLOY, "one");
    begin(1, 1);
    drive();
    begin(1, 1);
    drive();
    assert_said("");
    begin(2, 2);
    drive();
    assert_said(OK("one"));

    cert_of(conf, 0)->hooks = NULL;             /* taken away, */
    begin(2, 2);
    drive();
    begin(3, 3);
    drive();
    add_hook(ACME_HOOK_DEPLOY, "one");          /* and there again */
    begin(3, 3);
    drive();
    assert_said(OK("one"));
}

static void with_activate_none_it_is_deployed_when_installed(void **state)
{
    (void)state;
    conf->activate = ACME_ACTIVATE_NONE;
    add_hook(ACME_HOOK_DEPLOY, "one");
    begin(1, 1);
    drive();
    certificate(2, 1);
    drive();
    assert_said(OK("one"));

    /* Copies are of what httpd has loaded. */
    cert_of(conf, 0)->exports = apr_array_make(pool, 1,
                                               sizeof(acme_export_conf_t));
    apr_array_push((apr_array_header_t *)cert_of(conf, 0)->exports);
    certificate(3, 2);
    drive();
    assert_said(OK("one"));
    begin(3, 3);
    drive();
    assert_said(OK("one") OK("one"));
}

/* Fails twice, then succeeds; its neighbour is not run again. */
static void what_fails_is_tried_again(void **state)
{
    const acme_hooks_failing_t *failing;

    (void)state;
    add_hook(ACME_HOOK_DEPLOY, "one");
    add_hook(ACME_HOOK_DEPLOY, "two");
    put(at("fail-one"), "");
    begin(0, 0);
    drive();
    begin(1, 1);
    failing = &state_of(registry, 0)->deploy;
    drive();
    assert_said(OK("one") OK("two"));
    assert_int_equal(failing->waiting, 1);
    assert_int_equal(failing->failures, 1);
    assert_string_equal(failing->failure,
                        apr_pstrcat(pool, at("hook"),
                                    ": exit status 3: it fails", NULL));
    assert_in_range(failing->next_at, now + apr_time_from_sec(60),
                    now + apr_time_from_sec(120));
    now += apr_time_from_sec(50);
    drive();
    assert_said(OK("one") OK("two"));

    now += apr_time_from_sec(70);
    begin(1, 1);                                /* it survives a restart */
    failing = &state_of(registry, 0)->deploy;
    drive();
    assert_int_equal(failing->failures, 2);
    assert_said(OK("one") OK("two") OK("one"));
    unlink(at("fail-one"));
    now += apr_time_from_sec(300);
    drive();
    assert_said(OK("one") OK("two") OK("one") OK("one"));
    assert_int_equal(failing->waiting, 0);
    now += apr_time_from_sec(100000);
    drive();
    begin(1, 1);
    drive();
    assert_said(OK("one") OK("two") OK("one") OK("one"));
}

static void the_next_certificate_ends_what_fails(void **state)
{
    (void)state;
    add_hook(ACME_HOOK_DEPLOY, "one");
    put(at("fail-one"), "");
    begin(0, 0);
    drive();
    begin(1, 1);
    drive();
    certificate(2, 1);
    drive();
    assert_int_equal(state_of(registry, 0)->deploy.waiting, 0);
    now += apr_time_from_sec(100000);
    drive();
    assert_said(OK("one"));
}

/* The end of the command never becomes known. */
static void an_interrupted_command_is_run_once_more(void **state)
{
    int i;

    (void)state;
    add_hook(ACME_HOOK_DEPLOY, "one");
    begin(0, 0);
    drive();
    for (i = 0; i < 4; i++) {
        begin(1, 1);
        acme_deploy_step(deploy, now, pool);
        if (i) {                                /* the last one may still run */
            assert_int_equal(acme_hook_run_wake(hooks, apr_time_now()), 0);
            assert_int_equal(times_logged("was reloaded twice"), i > 1);
        }
        now += i ? apr_time_from_sec(1500) : 0;
        acme_deploy_step(deploy, now, pool);    /* it begins */
        hooks = acme_hook_run_create(&test_log, pool);
    }
    assert_logged("httpd was reloaded twice while a command of AcmeHook "
                  "deploy ran");
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_certificate_is_deployed_when_it_is_active),
        TEST(it_is_known_since_when_it_is_done),
        TEST(it_waits_for_next_keys),
        TEST(one_that_was_there_before_the_hook_is_not),
        TEST(with_activate_none_it_is_deployed_when_installed),
        TEST(what_fails_is_tried_again),
        TEST(the_next_certificate_ends_what_fails),
        TEST(an_interrupted_command_is_run_once_more)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
