/*
 * test_hook_run.c - the administrator's programs: what they are told, and that
 * none of them can stop the others.
 */
#include <signal.h>

#include "acme_hook_run.h"
#include "acme_json.h"
#include "open_registry.h"
#include "with_launcher.h"

#define HANGS_AFTER 300         /* seconds */
#define LONG apr_time_from_sec(50)

static acme_hook_runner_t *hooks;
static apr_interval_time_t ahead;       /* their clock of the machine's */

/* What the last that ended was said to have done. */
static struct {
    int times;
    apr_status_t status;
    acme_result_t res;
    const char *output;
} done;

static int setup(void **state)
{
    int rc = scratch_setup(state);

    alarm(HANGS_AFTER);
    signal(SIGPIPE, SIG_IGN);
    memset(&done, 0, sizeof(done));
    with_launcher(NULL);
    hooks = acme_hook_run_create(&test_log, pool);
    return rc;
}

static void on_done(void *baton, apr_status_t status,
                    const acme_result_t *result, const char *output)
{
    assert_ptr_equal(baton, &done);
    done.times++;
    done.status = status;
    done.res = *result;
    done.output = apr_pstrdup(pool, output);
}

static acme_hook_event_t sample(void)
{
    acme_hook_event_t event = { 0 };

    event.event = "deploy";
    event.id = "a.example";
    event.names = words("a.example www.a.example");
    event.live = "/s/live/a";
    event.cert = "/s/live/a/cert.pem";
    event.chain = "/s/live/a/chain.pem";
    event.fullchain = "/s/live/a/fullchain.pem";
    event.privkey = "/s/live/a/privkey.pem";
    event.not_after = apr_time_from_sec(1800000000);
    return event;
}

static apr_array_header_t *command(const char *script)
{
    apr_array_header_t *argv = words("/bin/sh -c");

    APR_ARRAY_PUSH(argv, const char *) = script;
    return argv;
}

static void run(const char *script, const acme_hook_event_t *event,
                apr_interval_time_t timeout)
{
    acme_hook_t hook = { 0 };

    hook.command = command(script);
    hook.event = event;
    hook.timeout = timeout;
    hook.done = on_done;
    hook.baton = &done;
    acme_hook_run_start(hooks, &hook);
}

/* As the keeper's loop, until so many have ended. */
static void wait_for(int times)
{
    struct pollfd fds[ACME_HOOK_FDS];

    for (;;) {
        apr_time_t wake, now = apr_time_now() + ahead;
        int n;

        acme_hook_run_step(hooks, now);
        if (done.times >= times) {
            return;
        }
        wake = acme_hook_run_wake(hooks, now);
        assert_true(wake > 0);
        n = acme_hook_run_poll(hooks, fds);
        poll(fds, (nfds_t)n,
             wake > now ? (int)apr_time_as_msec(wake - now) + 1 : 0);
    }
}

/* As above, until one has said this. */
static void wait_until_said(const char *line)
{
    struct pollfd fds[ACME_HOOK_FDS];

    while (!strstr(logged(), line)) {
        poll(fds, (nfds_t)acme_hook_run_poll(hooks, fds), -1);
        acme_hook_run_step(hooks, apr_time_now());
    }
}

static const char *output_of(const char *script,
                             const acme_hook_event_t *event)
{
    run(script, event, LONG);
    wait_for(done.times + 1);
    assert_int_equal(done.status, 0);
    return done.output;
}

static void its_environment_tells_what_happened(void **state)
{
    acme_hook_event_t event = sample();

    (void)state;
    event.problem = "urn:ietf:params:acme:error:dns";
    event.detail = "no such\nname \xc3\xa4";
    assert_string_equal(
        output_of("env | grep -E '^(ACME|RENEWED|CERTBOT)_' | sort", &event),
        "ACME_CERT=/s/live/a/cert.pem\n"
        "ACME_CHAIN=/s/live/a/chain.pem\n"
        "ACME_DETAIL=no such\\x0aname \\xc3\\xa4\n"
        "ACME_EVENT=deploy\n"
        "ACME_FAILED_NAMES=\n"
        "ACME_FULLCHAIN=/s/live/a/fullchain.pem\n"
        "ACME_ID=a.example\n"
        "ACME_LIVE=/s/live/a\n"
        "ACME_NAMES=a.example www.a.example\n"
        "ACME_NOT_AFTER=2027-01-15T08:00:00Z\n"
        "ACME_PRIVKEY=/s/live/a/privkey.pem\n"
        "ACME_PROBLEM=urn:ietf:params:acme:error:dns\n"
        "RENEWED_DOMAINS=a.example www.a.example\n"
        "RENEWED_LINEAGE=/s/live/a\n");
}

static void certbot_s_post_hooks_are_told_what_failed(void **state)
{
    acme_hook_event_t event = { .event = "post" };

    (void)state;
    event.names = words("");
    event.failed = words("a.example b.example");
    assert_string_equal(
        output_of("env | grep -E '^(RENEWED|FAILED)_' | sort", &event),
        "FAILED_DOMAINS=a.example b.example\n"
        "RENEWED_DOMAINS=\n");
    assert_string_equal(
        output_of("cat", &event),
        "{\"event\":\"post\",\"names\":[],"
        "\"failed_names\":[\"a.example\",\"b.example\"]}\n");
    assert_logged("[notice] post: /bin/sh: ");
}

static void certbot_s_scripts_are_told_of_the_record(void **state)
{
    acme_hook_event_t event = { 0 };
    acme_hook_challenge_t dns = { .type = ACME_DNS_01 };

    (void)state;
    event.event = "dns-cleanup";
    event.id = "a.example";
    event.challenge = &dns;
    dns.domain = "a.example";
    dns.token = "to-ken_1";
    dns.validation = "va-lue";
    dns.record = "_acme-challenge.a.example";
    dns.auth_output = "id 17\nid 18";
    dns.remaining = 2;
    dns.domains = words("a.example b.example");
    assert_string_equal(
        output_of("env -0 | tr '\\n\\0' '|\\n' | grep CERTBOT_ | sort",
                  &event),
        "CERTBOT_ALL_DOMAINS=a.example,b.example\n"
        "CERTBOT_AUTH_OUTPUT=id 17|id 18\n"
        "CERTBOT_DOMAIN=a.example\n"
        "CERTBOT_REMAINING_CHALLENGES=2\n"
        "CERTBOT_VALIDATION=va-lue\n");

    dns.type = ACME_HTTP_01;
    dns.validation = "to-ken_1.thumb-print";
    assert_string_equal(
        output_of("env | grep -E 'CERTBOT_(TOKEN|VALIDATION)' | sort", &event),
        "CERTBOT_TOKEN=to-ken_1\n"
        "CERTBOT_VALIDATION=to-ken_1.thumb-print\n");
    dns.type = ACME_DNS_01;

    dns.token = "to\nPATH=/tmp";
    dns.validation = "$(id)";
    dns.auth_output = NULL;
    dns.domains = NULL;
    assert_string_equal(
        output_of("env | grep CERTBOT_ | sort; set -u; : $ACME_LIVE",
                  &event),
        "CERTBOT_ALL_DOMAINS=a.example\n"
        "CERTBOT_DOMAIN=a.example\n"
        "CERTBOT_REMAINING_CHALLENGES=2\n"
        "CERTBOT_VALIDATION=\n");
}

static void the_same_is_json_on_standard_input(void **state)
{
    acme_hook_event_t event = sample();
    acme_hook_challenge_t dns = { .type = ACME_DNS_01 };
    const char *text;
    json_t *json;

    (void)state;
    dns.domain = "a.example";
    dns.token = "t";
    dns.validation = "v";
    dns.record = "_acme-challenge.a.example";
    event.challenge = &dns;
    event.live = "/s\xff";
    event.detail = "\"quoted\"\n";
    text = output_of("cat", &event);
    assert_int_equal(acme_json_parse(&json, text, strlen(text), "input", &res,
                                     pool), 0);
    text = acme_json_text(json, 0, pool);
    assert_string_equal(
        text, "{\"event\":\"deploy\",\"id\":\"a.example\","
        "\"names\":[\"a.example\",\"www.a.example\"],\"live\":\"/s\\\\xff\","
        "\"cert\":\"/s/live/a/cert.pem\",\"chain\":\"/s/live/a/chain.pem\","
        "\"fullchain\":\"/s/live/a/fullchain.pem\","
        "\"privkey\":\"/s/live/a/privkey.pem\","
        "\"not_after\":\"2027-01-15T08:00:00Z\","
        "\"detail\":\"\\\"quoted\\\"\\\\x0a\","
        "\"dns\":{\"domain\":\"a.example\",\"token\":\"t\","
        "\"validation\":\"v\",\"record\":\"_acme-challenge.a.example\"}}");
}

static void very_many_names_still_run(void **state)
{
    acme_hook_event_t event = sample();
    apr_array_header_t *names = words("");
    int i;

    (void)state;
    for (i = 0; i < 9000; i++) {
        APR_ARRAY_PUSH(names, const char *) =
            apr_psprintf(pool, "a-long-name-of-number-%d.example", i);
    }
    event.names = names;
    assert_string_equal(
        output_of("tr -s ',' '\\n' | grep -c number | tr -d ' ';"
                  " echo $ACME_NAMES | grep -o '[^ ]*$' |"
                  " grep -c '^a-long-name-of-number-[0-9]*.example$'",
                  &event), "9000\n1\n");
}

static void how_it_ended_is_told(void **state)
{
    static const struct {
        const char *script;
        int timeout_ms;
        apr_status_t status;
        const char *says;
    } rows[] = {
        { "echo fine", 50000, 0, "" },
        { "echo first; echo last; exit 3", 50000, APR_EGENERAL,
          "/bin/sh: exit status 3: last" },
        { "exit 4", 50000, APR_EGENERAL, "/bin/sh: exit status 4" },
        { "echo x; kill -KILL $$", 50000, APR_EGENERAL,
          "/bin/sh: the command was killed by a signal: x" },
        { "echo wait; sleep 50", 40000, APR_TIMEUP, "/bin/sh: the command was "
          "killed because it was still running after 40 s; if it needs longer, "
          "raise AcmeHookTimeout: wait" }
    };
    acme_hook_event_t event = sample();
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        run(rows[i].script, &event, apr_time_from_msec(rows[i].timeout_ms));
        if (rows[i].status == APR_TIMEUP) {
            wait_until_said("wait");
            assert_int_equal(done.times, i);
            ahead = apr_time_from_msec(rows[i].timeout_ms);
        }
        wait_for((int)i + 1);
        ahead = 0;
        assert_int_equal(done.status, rows[i].status);
        assert_string_equal(done.res.detail, rows[i].says);
    }
    assert_logged("[notice] a.example: /bin/sh: first");
    assert_logged("[notice] a.example: /bin/sh: wait");
    assert_int_equal(acme_hook_run_wake(hooks, apr_time_now()), 0);
}

static void what_is_no_program_is_told(void **state)
{
    acme_hook_event_t event = sample();
    acme_hook_t hook = { 0 };

    (void)state;
    hook.command = words("/none/such arg");
    hook.event = &event;
    hook.timeout = LONG;
    hook.done = on_done;
    hook.baton = &done;
    acme_hook_run_start(hooks, &hook);
    wait_for(1);
    assert_string_equal(done.res.detail, "/none/such: exit status 127: "
                        "/none/such: cannot be run: No such file or "
                        "directory");
}

static void one_that_talks_too_much_does_not_fill_the_log(void **state)
{
    acme_hook_event_t event = sample();

    (void)state;
    run("i=0; while [ $i -lt 5000 ]; do echo l$i; i=$((i+1)); done; exit 1",
        &event, LONG);
    wait_for(1);
    assert_in_range(times_logged("a.example: /bin/sh: "), 200, 201);
    assert_logged("(further output is not logged)");
    assert_string_equal(done.res.detail, "/bin/sh: exit status 1: l4999");
    assert_in_range(strlen(done.output), 1, ACME_HOOK_OUTPUT_MAX);
}

/* So many at once, the others in their order; a hanging one holds nobody */
static void they_run_side_by_side_within_a_bound(void **state)
{
    acme_hook_event_t event = sample();
    struct pollfd fds[ACME_HOOK_FDS];
    int i;

    (void)state;
    for (i = 0; i < ACME_HOOKS_MAX - 1; i++) {
        run(apr_psprintf(pool, "echo >%s; while read -r x; do :; done;"
                         " exec sleep 50",
                         at("%d", i)), &event, LONG);
    }
    for (i = 0; i < 20; i++) {
        run("exit 0", &event, LONG);
    }
    assert_in_range(acme_hook_run_poll(hooks, fds), ACME_HOOKS_MAX,
                    ACME_HOOK_FDS);
    wait_for(20);
    assert_int_equal(done.times, 20);
    assert_int_equal(done.status, 0);
}

static void they_end_with_their_pool(void **state)
{
    acme_hook_event_t event = sample();
    apr_pool_t *p;
    pid_t pid;
    int i;

    (void)state;
    apr_pool_create(&p, pool);
    hooks = acme_hook_run_create(&test_log, p);
    run(apr_psprintf(pool, "echo $$ >%s; exec sleep 50", at("pid")),
        &event, LONG);
    for (i = 0; i < 500 && (!text_of(at("pid")) || !*text_of(at("pid")));
         i++) {
        usleep(10000);
    }
    pid = (pid_t)atoi(text_of(at("pid")));
    assert_true(pid > 1);
    apr_pool_destroy(p);
    for (i = 0; i < 500 && kill(pid, 0) == 0; i++) {
        usleep(10000);
    }
    assert_int_equal(kill(pid, 0), -1);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_environment_tells_what_happened),
        TEST(certbot_s_post_hooks_are_told_what_failed),
        TEST(certbot_s_scripts_are_told_of_the_record),
        TEST(the_same_is_json_on_standard_input),
        TEST(very_many_names_still_run),
        TEST(how_it_ended_is_told),
        TEST(what_is_no_program_is_told),
        TEST(one_that_talks_too_much_does_not_fill_the_log),
        TEST(they_run_side_by_side_within_a_bound),
        TEST(they_end_with_their_pool)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
