/*
 * test_published.c - TXT records and tokens: what the administrator's commands
 * and nsupdate are told, in which order, and what they are never told.
 */
#include <signal.h>

#include "acme_published.h"
#include "acme_published_left.h"
#include "acme_token_file.h"
#include "open_registry.h"
#include "with_launcher.h"

#define HANGS_AFTER 300         /* seconds */

#define V1 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1"
#define V2 "-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb_2"

static acme_published_t *records;
static acme_dns_conf_t dns;
static acme_publish_job_t what;
static const char *real_path;
static apr_interval_time_t ahead;       /* their clock of the machine's */

static void write_script(const char *path, const char *text)
{
    put(path, apr_pstrcat(pool, "#!/bin/sh\n", text, "\n", NULL));
    assert_int_equal(chmod(path, 0755), 0);
}

/* hook: writes its arguments to the file "said", then does more. */
static const char *hook(const char *more)
{
    write_script(at("hook"), apr_psprintf(pool,
                 "echo \"$@\" >>%s; %s", at("said"), more));
    return at("hook");
}

static apr_array_header_t *one(const char *text)
{
    apr_array_header_t *list = words("");

    APR_ARRAY_PUSH(list, const char *) = text;
    return list;
}

static int setup(void **state)
{
    int rc = scratch_setup(state);

    alarm(HANGS_AFTER);
    signal(SIGPIPE, SIG_IGN);
    if (!real_path) {
        real_path = strdup(getenv("PATH"));
    }
    setenv("PATH", real_path, 1);
    with_launcher(NULL);
    ahead = 0;
    records = acme_published_create(&test_log, pool);
    memset(&dns, 0, sizeof(dns));
    dns.present = one(hook(":"));
    dns.timeout = apr_time_from_sec(50);
    memset(&what, 0, sizeof(what));
    what.dns = &dns;
    what.id = what.name = "a.example";
    what.token = "token";
    what.value = V1;
    return rc;
}

static void present(void)
{
    if (acme_published_present(records, &what, &res)) {
        fail_msg("%s", res.detail);
    }
}

static void cleanup(void)
{
    if (acme_published_cleanup(records, &what, &res)) {
        fail_msg("%s", res.detail);
    }
}

static apr_time_t clock_now(void)
{
    return apr_time_now() + ahead;
}

static void turn(void)
{
    struct pollfd fds[ACME_PUBLISHED_FDS];
    apr_time_t now = clock_now();
    apr_time_t wake = acme_published_wake(records, now);
    int n = acme_published_poll(records, fds);

    assert_true(wake > 0);
    poll(fds, (nfds_t)n,
         wake > now ? (int)apr_time_as_msec(wake - now) + 1 : 0);
    acme_published_step(records, clock_now());
}

/* As the keeper's loop, until the certificate has nothing under way. */
static void await(apr_uint32_t cert)
{
    while (acme_published_running(records, cert)) {
        turn();
    }
}

static void await_all(void)
{
    while (acme_published_wake(records, clock_now())) {
        turn();
    }
}

static apr_status_t result(apr_uint32_t cert)
{
    acme_result_clear(&res);
    return acme_published_result(records, cert, &res);
}

static void commands_are_called_as_their_kind_wants(void **state)
{
    static const struct {
        const char *name;
        acme_dns_call_e call;
        const char *said;
    } rows[] = {
        { "plain", ACME_DNS_CALL_PLAIN,
          "present _acme-challenge.a.example " V1 "\n"
          "cleanup _acme-challenge.a.example " V1 "\n" },
        { "mod_md", ACME_DNS_CALL_MOD_MD,
          "setup a.example " V1 "\nteardown a.example " V1 "\n" },
        { "dehydrated", ACME_DNS_CALL_DEHYDRATED,
          "deploy_challenge a.example token " V1 "\n"
          "clean_challenge a.example token " V1 "\n" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        unlink(at("said"));
        dns.call = rows[i].call;
        present();
        await(0);
        assert_int_equal(result(0), 0);
        cleanup();
        await(0);
        assert_string_equal(text_of(at("said")), rows[i].said);
    }
}

static void a_cleanup_command_of_its_own_is_used(void **state)
{
    (void)state;
    write_script(at("clean"), apr_psprintf(pool,
                 "echo clean \"$@\" >>%s", at("said")));
    dns.present = one(at("hook"));
    APR_ARRAY_PUSH(dns.present, const char *) = "an argument";
    dns.cleanup = one(at("clean"));
    what.record = "x.acme.example.net";
    present();
    cleanup();
    await_all();
    assert_string_equal(text_of(at("said")),
                        "an argument present x.acme.example.net " V1 "\n"
                        "clean cleanup x.acme.example.net " V1 "\n");
}

/* As they stand in many places: no arguments, all from the environment. */
static void certbot_s_scripts_run_unchanged(void **state)
{
    (void)state;
    write_script(at("auth"), apr_psprintf(pool, "set -eu\n"
                 "echo \"auth $CERTBOT_DOMAIN $CERTBOT_VALIDATION"
                 " $CERTBOT_REMAINING_CHALLENGES $CERTBOT_ALL_DOMAINS"
                 " ${CERTBOT_AUTH_OUTPUT-none} $ACME_EVENT\" >>%s\n"
                 "echo; echo ' id  17'", at("said")));
    write_script(at("clean"), apr_psprintf(pool, "set -eu\n"
                 "echo \"clean $CERTBOT_DOMAIN $CERTBOT_VALIDATION"
                 " [$CERTBOT_AUTH_OUTPUT] $ACME_EVENT\" >>%s",
                 at("said")));
    dns.present = one(at("auth"));
    dns.cleanup = one(at("clean"));
    what.names = words("a.example b.example");
    what.remaining = 1;
    present();
    await(0);
    cleanup();
    await_all();
    assert_string_equal(text_of(at("said")),
                        "auth a.example " V1 " 1 a.example,b.example none "
                        "dns-present\n"
                        "clean a.example " V1 " [id  17] dns-cleanup\n");
}

static void a_cleanup_waits_for_its_present(void **state)
{
    (void)state;
    dns.present = one(hook(apr_psprintf(pool, "[ $1 = cleanup ] || "
        "while [ ! -e %s ]; do sleep 0.02; done; echo end $1 >>%s; exit 3",
        at("go"), at("said"))));
    present();
    cleanup();
    cleanup();
    while (!text_of(at("said"))) {
        acme_published_step(records, apr_time_now());
        usleep(10000);
    }
    assert_true(acme_published_running(records, 0));
    put(at("go"), "");
    await(0);
    assert_string_equal(text_of(at("said")),
                        "present _acme-challenge.a.example " V1 "\n"
                        "end present\n"
                        "cleanup _acme-challenge.a.example " V1 "\n"
                        "end cleanup\n");
    assert_int_equal(result(0), 0);     /* cleaned up: nothing is left */
    assert_logged("[warning] a.example: the TXT record "
                  "_acme-challenge.a.example could not be removed and stays in "
                  "the DNS");
}

static void wanted_again_while_it_is_removed_it_is_set_after(void **state)
{
    (void)state;
    present();
    await(0);
    cleanup();
    present();
    await(0);
    present();
    cleanup();
    present();                          /* not removed: it runs already */
    await(0);
    assert_string_equal(text_of(at("said")),
                        "present _acme-challenge.a.example " V1 "\n"
                        "cleanup _acme-challenge.a.example " V1 "\n"
                        "present _acme-challenge.a.example " V1 "\n"
                        "present _acme-challenge.a.example " V1 "\n");
}

static void what_another_certificate_needs_stays(void **state)
{
    (void)state;
    present();
    what.cert = 1;
    what.id = "b";
    present();
    await(0);
    await(1);
    what.cert = 0;
    what.id = "a.example";
    cleanup();
    await_all();
    assert_null(strstr(text_of(at("said")), "cleanup"));
    what.cert = 1;
    cleanup();
    await_all();
    assert_non_null(strstr(text_of(at("said")), "cleanup"));
}

static void what_is_not_known_is_removed_too(void **state)
{
    (void)state;
    cleanup();
    await(0);
    assert_string_equal(text_of(at("said")),
                        "cleanup _acme-challenge.a.example " V1 "\n");
    cleanup();
    await(0);
}

static void the_first_failure_is_told_until_the_next_round(void **state)
{
    (void)state;
    dns.present = one(hook("[ $2 = _acme-challenge.good.example ] && exit;"
                           " echo \"sorry, $2\"; exit 5"));
    what.name = "first.example";
    present();
    await(0);
    what.name = "second.example";
    what.value = V2;
    present();
    what.name = "good.example";
    present();
    await(0);
    assert_int_equal(result(0), APR_EGENERAL);
    assert_string_equal(res.detail, apr_psprintf(pool,
        "first.example: the command of AcmeDns failed: %s: exit status 5: "
        "sorry, _acme-challenge.first.example; the error log has its complete "
        "output", at("hook")));
    assert_int_equal(result(0), APR_EGENERAL);
    assert_int_equal(result(1), 0);
    assert_logged("[notice] a.example: ");

    present();
    await(0);
    assert_int_equal(result(0), 0);
}

static void a_failure_before_it_is_told_is_not_lost(void **state)
{
    (void)state;
    dns.present = one(hook("exit 5"));
    present();
    await(0);
    dns.present = one(at("hook2"));
    write_script(at("hook2"), ":");
    what.value = V2;
    present();
    await(0);
    assert_int_equal(result(0), APR_EGENERAL);
}

static void one_that_hangs_delays_nobody(void **state)
{
    apr_time_t begun = apr_time_now();

    (void)state;
    dns.present = one(hook("[ $2 = _acme-challenge.a.example ] || exit 0;"
                           " echo waiting; sleep 50"));
    dns.timeout = apr_time_from_sec(45);
    present();
    what.cert = 1;
    what.name = "b.example";
    present();
    await(1);
    assert_true(acme_published_running(records, 0));
    assert_int_equal(result(1), 0);
    while (!strstr(logged(), "waiting")) {
        turn();
    }
    assert_true(acme_published_running(records, 0));
    ahead = dns.timeout;
    await(0);
    ahead = 0;
    assert_true(apr_time_now() - begun < apr_time_from_sec(20));
    assert_int_equal(result(0), APR_TIMEUP);
    assert_non_null(strstr(res.detail, "was killed because it was still running "
                           "after 45 s; if it needs longer, raise AcmeHookTimeout: "
                           "waiting"));
}

#define HUNDREDS (2 * ACME_HOOKS_MAX)   /* more than run at a time */

static void hundreds_at_once_all_come_to_their_end(void **state)
{
    apr_array_header_t *names = words("");
    int i;

    (void)state;
    dns.present = one("true");          /* a shell takes longer to start */
    for (i = 0; i < HUNDREDS; i++) {
        APR_ARRAY_PUSH(names, const char *) =
            apr_psprintf(pool, "n%d.example", i);
    }
    what.names = names;
    for (i = 0; i < HUNDREDS; i++) {
        what.name = APR_ARRAY_IDX(names, i, const char *);
        present();
    }
    await(0);
    assert_int_equal(result(0), 0);
    for (i = 0; i < HUNDREDS; i++) {
        what.name = apr_psprintf(pool, "n%d.example", i);
        cleanup();
    }
    await(0);
}

/* Of one name two values, and some of dead workers; more only when idle. */
static void a_certificate_has_room_for_its_names(void **state)
{
    char value[] = V1;
    int i, begun = 0;

    (void)state;
    dns.present = one(hook(apr_psprintf(pool, "while [ ! -e %s ]; do sleep"
                                        " 0.02; done", at("go"))));
    what.value = value;
    for (i = 0; i < 26; i++) {
        value[0] = (char)('a' + i);
        begun += !acme_published_present(records, &what, &res);
    }
    assert_in_range(begun, 2, 12);
    assert_non_null(strstr(res.detail, "too much of this certificate"));
    what.cert = 1;                      /* has its own room */
    what.name = "b.example";
    present();
    put(at("go"), "");
    await(0);
    await(1);
    what.cert = 0;
    what.name = "a.example";
    for (i = 0; i < 26; i++) {          /* the idle ones give way */
        value[1] = (char)('a' + i);
        present();
        await(0);
    }
}

/* What comes from a worker or from the DNS */
static void what_is_no_name_or_no_token_starts_nothing(void **state)
{
    static const struct {
        const char *case_name, *name, *token, *value, *record;
    } rows[] = {
        { "no name", "", "t", V1, NULL },
        { "NULL", NULL, "t", V1, NULL },
        { "a wildcard", "*.a.example", "t", V1, NULL },
        { "an address", "192.0.2.1", "t", V1, NULL },
        { "an option", "-a.example", "t", V1, NULL },
        { "a line break", "a.example\nsend", "t", V1, NULL },
        { "a space", "a.example b", "t", V1, NULL },
        { "a final dot", "a.example.", "t", V1, NULL },
        { "an empty label", "a..example", "t", V1, NULL },
        { "a quote", "a\".example", "t", V1, NULL },
        { "a semicolon", "a.example;", "t", V1, NULL },
        { "no ASCII", "\xc3\xa4.example", "t", V1, NULL },
        { "too long a label", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          "aaaaaaaaaaaaaaaaaaaa.example", "t", V1, NULL },
        { "no token", "a.example", "", V1, NULL },
        { "token of two lines", "a.example", "t\nu", V1, NULL },
        { "a command", "a.example", "$(id)", V1, NULL },
        { "no value", "a.example", "t", "", NULL },
        { "a short value", "a.example", "t", "abc", NULL },
        { "a long value", "a.example", "t", V1 "a", NULL },
        { "a quote in it", "a.example", "t",
          "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
        { "padding", "a.example", "t",
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=", NULL },
        { "an empty record", "a.example", "t", V1, "" },
        { "a record of two lines", "a.example", "t", V1, "r\nupdate" },
        { "a record that is an option", "a.example", "t", V1, "-k" },
        { "an escape", "a.example", "t", V1, "a\\.example" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        what.name = rows[i].name;
        what.token = rows[i].token;
        what.value = rows[i].value;
        what.record = rows[i].record;
        if (acme_published_present(records, &what, &res) != APR_EINVAL
            || res.retry != ACME_RETRY_NEVER || strchr(res.detail, '\n')
            || acme_published_cleanup(records, &what, &res)
                   != APR_EINVAL) {
            fail_msg("%s: %s", rows[i].case_name, res.detail);
        }
    }
    assert_int_equal(acme_published_wake(records, apr_time_now()), 0);
    assert_null(text_of(at("said")));
}

/* Dynamic updates; nsupdate is a script of ours that is found on PATH */

static void use_rfc2136(const char *more)
{
    assert_int_equal(mkdir(at("bin"), 0755), 0);
    write_script(at("bin/nsupdate"), apr_psprintf(pool,
                 "{ echo \"$@\"; cat; } >>%s; %s", at("said"), more));
    setenv("PATH", apr_pstrcat(pool, at("bin"), ":", real_path, NULL),
           1);
    put(at("key"), "key \"k.\" { algorithm hmac-sha256; secret \"c2VjcmV0\";"
        " };\n");
    assert_int_equal(chmod(at("key"), 0600), 0);
    dns.how = ACME_DNS_RFC2136;
    dns.present = NULL;
    dns.server = "ns.example.net";
    dns.port = "53";
    dns.key_file = at("key");
}

static void nsupdate_is_told_its_commands(void **state)
{
    const char *first = apr_psprintf(pool, "-k %s\n", at("key"));

    (void)state;
    use_rfc2136(":");
    present();
    await(0);
    assert_string_equal(text_of(at("said")), apr_pstrcat(pool, first,
        "server ns.example.net 53\n"
        "update add _acme-challenge.a.example. 60 TXT \"" V1 "\"\n"
        "send\n", NULL));
    unlink(at("said"));
    dns.zone = "example";
    dns.server = "2001:db8::1";
    dns.port = "5353";
    what.record = "r.example";
    cleanup();
    await(0);
    assert_string_equal(text_of(at("said")), apr_pstrcat(pool, first,
        "server 2001:db8::1 5353\n"
        "zone example.\n"
        "update delete r.example. TXT \"" V1 "\"\n"
        "send\n", NULL));
}

static void what_nsupdate_complains_of_is_told(void **state)
{
    (void)state;
    use_rfc2136("echo 'update failed: REFUSED' >&2; exit 2");
    present();
    await(0);
    assert_int_equal(result(0), APR_EGENERAL);
    assert_string_equal(res.detail, apr_psprintf(pool,
        "a.example: the DNS update of _acme-challenge.a.example at "
        "ns.example.net failed: %s: exit status 2: update failed: REFUSED; "
        "check that this server allows the key in %s to change TXT records "
        "there. The error log has the complete output",
        at("bin/nsupdate"), at("key")));
}

static void without_nsupdate_it_is_told_what_to_install(void **state)
{
    (void)state;
    use_rfc2136(":");
    setenv("PATH", at("bin"), 1);
    assert_int_equal(rename(at("bin/nsupdate"), at("bin/knsupdate")), 0);
    assert_int_equal(acme_published_present(records, &what, &res),
                     APR_ENOENT);
    assert_non_null(strstr(res.detail, "add zone= to AcmeDns"));
    dns.zone = "example";
    present();                          /* knot's does it as well */
    setenv("PATH", real_path, 1);
    await(0);
    assert_int_equal(result(0), 0);
    setenv("PATH", at("none"), 1);
    assert_int_equal(acme_published_present(records, &what, &res),
                     APR_ENOENT);
    assert_non_null(strstr(res.detail, "install bind9-dnsutils or "
                           "knot-dnsutils (knsupdate)"));
}

static void a_key_that_is_no_secret_is_not_used(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
        uid_t uid;
        apr_status_t status;
        const char *says;
    } rows[] = {
        { "ours alone", 0600, 0, 0, "" },
        { "read only", 0400, 0, 0, "" },
        { "its group's", 0640, 0, 0, "" },
        { "everybody's", 0644, 0, APR_EACCES, "every user can read or write" },
        { "to write", 0602, 0, APR_EACCES, "every user can read or write" },
        { "another's", 0600, 12345, APR_EACCES, "belongs to user 12345" }
    };
    size_t i;

    (void)state;
    use_rfc2136(":");
    for (i = 0; i < COUNT(rows); i++) {
        apr_status_t rv;

        if (rows[i].uid && chown(at("key"), rows[i].uid, (gid_t)-1)) {
            continue;                   /* only root can give it away */
        }
        assert_int_equal(chmod(at("key"), rows[i].mode), 0);
        acme_result_clear(&res);
        rv = acme_published_present(records, &what, &res);
        if (rv != rows[i].status || !strstr(res.detail, rows[i].says)) {
            fail_msg("%s: %d %s", rows[i].name, rv, res.detail);
        }
        await_all();
    }
    assert_int_equal(unlink(at("key")), 0);
    assert_int_equal(acme_published_present(records, &what, &res),
                     APR_ENOENT);
    assert_non_null(strstr(res.detail, "the key file of AcmeDns rfc2136"));
    dns.key_file = at("bin");
    assert_int_equal(acme_published_present(records, &what, &res),
                     APR_EINVAL);
}

static void settings_can_not_become_commands(void **state)
{
    static const struct {
        const char *server, *port, *zone;
    } rows[] = {
        { "a\nsend", "53", NULL },
        { "a b", "53", NULL },
        { "-v", "53", NULL },
        { "a", "53\nsend", NULL },
        { "a", "x", NULL },
        { "a", "53", "z\nsend" },
        { "a", "53", "" }
    };
    size_t i;

    (void)state;
    use_rfc2136(":");
    for (i = 0; i < COUNT(rows); i++) {
        dns.server = rows[i].server;
        dns.port = rows[i].port;
        dns.zone = rows[i].zone;
        assert_int_equal(acme_published_present(records, &what, &res),
                         APR_EINVAL);
        assert_null(strchr(res.detail, '\n'));
    }
    assert_null(text_of(at("said")));
}

/* Tokens of http-01 */

#define KEY "token." V1
#define TOKENS ".well-known/acme-challenge"

static acme_token_conf_t http;

/* Both of certbot's, which say what they are told. */
static void use_scripts(void)
{
    write_script(at("auth"), apr_psprintf(pool, "set -eu\n"
                 "echo \"auth $CERTBOT_DOMAIN $CERTBOT_TOKEN"
                 " $CERTBOT_VALIDATION $CERTBOT_REMAINING_CHALLENGES"
                 " $CERTBOT_ALL_DOMAINS ${CERTBOT_AUTH_OUTPUT-none}"
                 " $ACME_EVENT\" >>%s\necho id 17", at("said")));
    write_script(at("clean"), apr_psprintf(pool, "set -eu\n"
                 "echo \"clean $CERTBOT_DOMAIN $CERTBOT_TOKEN"
                 " [$CERTBOT_AUTH_OUTPUT] $ACME_EVENT\" >>%s", at("said")));
    memset(&http, 0, sizeof(http));
    http.how = ACME_TOKEN_EXEC;
    http.present = one(at("auth"));
    http.cleanup = one(at("clean"));
    http.timeout = dns.timeout;
    what.dns = NULL;
    what.http = &http;
    what.value = KEY;
    what.names = words("a.example b.example");
}

static void use_webroot(void)
{
    use_scripts();
    http.how = ACME_TOKEN_WEBROOT;
    http.root = at("www");
    assert_int_equal(mkdir(http.root, 0755), 0);
}

static const char *token_file(void)
{
    return text_of(apr_pstrcat(pool, http.root, "/" TOKENS "/token", NULL));
}

/* Another keeper, as after a crash; *conf is how it is configured. */
static void next_keeper(const acme_conf_t *conf, apr_time_t now)
{
    static acme_store_t *store;

    if (acme_store_open(&store, at("store"), &res, pool)) {
        fail_msg("%s", res.detail);
    }
    records = acme_published_create(&test_log, pool);
    acme_published_left_load(records, store, conf, now);
}

static acme_conf_t *conf_with_http(void)
{
    acme_conf_t *conf = make_conf();

    cert_of(conf, 0)->http = &http;
    what.id = cert_of(conf, 0)->id;
    return conf;
}

static void certbot_s_scripts_publish_tokens(void **state)
{
    (void)state;
    use_scripts();
    what.remaining = 1;
    present();
    await(0);
    assert_int_equal(result(0), 0);
    cleanup();
    await_all();
    assert_string_equal(text_of(at("said")),
                        "auth a.example token " KEY " 1 a.example,b.example"
                        " none http-present\n"
                        "clean a.example token [id 17] http-cleanup\n");
}

/* A script that has work for all of them does it with the last one. */
static void tokens_of_one_certificate_come_one_after_the_other(void **state)
{
    const char *const tokens[] = { "t3", "t2", "t1", "t0" };
    int i;

    (void)state;
    use_scripts();
    write_script(at("auth"), apr_psprintf(pool,
                 "echo begin $CERTBOT_TOKEN >>%s\nsleep 0.05\n"
                 "echo end $CERTBOT_REMAINING_CHALLENGES >>%s",
                 at("said"), at("said")));
    for (i = 0; i < 4; i++) {
        what.token = tokens[i];
        what.value = apr_pstrcat(pool, tokens[i], "." V1, NULL);
        what.remaining = 3 - i;
        present();
    }
    await(0);
    assert_string_equal(text_of(at("said")),
                        "begin t3\nend 3\nbegin t2\nend 2\n"
                        "begin t1\nend 1\nbegin t0\nend 0\n");
}

static void a_script_that_fails_is_told_of(void **state)
{
    (void)state;
    use_scripts();
    write_script(at("auth"), "echo no room; exit 3");
    http.cleanup = NULL;
    present();
    await(0);
    assert_int_equal(result(0), APR_EGENERAL);
    assert_string_equal(res.detail, apr_psprintf(pool,
        "a.example: the command of AcmeHttp failed: %s: exit status 3: no "
        "room; the error log has its complete output", at("auth")));
    assert_int_equal(res.reason, ACME_REASON_HOOK_FAILED);
    cleanup();                          /* nothing is run for it */
    assert_false(acme_published_busy(records));
    assert_int_equal(acme_published_wake(records, clock_now()), 0);
}

static void what_is_no_token_is_not_published(void **state)
{
    static const struct {
        const char *name, *token, *value;
    } rows[] = {
        { "a.example", "../x", "../x." V1 },
        { "a.example", "token", V1 },
        { "a.example", "token", "other." V1 },
        { "a.example", "token", "token." V1 "x" },
        { "a.example", "token", "token.\n" },
        { "-a.example", "token", KEY },
        { "a b", "token", KEY }
    };
    size_t i;

    (void)state;
    use_scripts();
    for (i = 0; i < COUNT(rows); i++) {
        what.name = rows[i].name;
        what.token = rows[i].token;
        what.value = rows[i].value;
        if (acme_published_present(records, &what, &res) != APR_EINVAL) {
            fail_msg("row %d", (int)i);
        }
    }
    what.name = "192.0.2.1";            /* may have one (8738) */
    what.token = "token";
    what.value = KEY;
    present();
    await(0);
    assert_int_equal(result(0), 0);
}

static void a_file_is_written_below_the_webroot(void **state)
{
    (void)state;
    use_webroot();
    present();
    await(0);
    assert_int_equal(result(0), 0);
    assert_string_equal(token_file(), KEY);
    assert_int_equal(mode_of(apr_pstrcat(pool, http.root, "/" TOKENS "/token",
                                         NULL)), 0644);
    what.token = "second";
    what.value = "second." V1;
    present();
    await(0);
    acme_published_cleanup_tokens(records, 0);
    await_all();
    assert_int_equal(count(http.root), 0);

    assert_int_equal(symlink(at("."), apr_pstrcat(pool, http.root,
                                                  "/.well-known", NULL)), 0);
    present();
    await(0);
    assert_int_not_equal(result(0), 0);
    assert_int_equal(res.reason, ACME_REASON_WEBROOT_FAILED);
    assert_detail("a.example: AcmeHttp webroot: exit status 1: ");
    assert_detail("is a symbolic link");
}

/* Whatever happened to the keeper that published it. */
static void the_next_keeper_removes_what_is_left(void **state)
{
    const apr_time_t now = apr_time_now();
    acme_conf_t *conf;

    (void)state;
    use_webroot();
    conf = conf_with_http();
    next_keeper(conf, now);
    present();
    await(0);
    assert_string_equal(token_file(), KEY);

    next_keeper(conf, now);             /* an order may go on with it */
    assert_false(acme_published_busy(records));
    acme_published_step(records, now + apr_time_from_sec(59));
    assert_false(acme_published_busy(records));
    acme_published_step(records, now + apr_time_from_sec(60));
    await_all();
    assert_int_equal(count(http.root), 0);
    assert_int_equal(count(at("store/published")), 0);
}

static void who_goes_on_with_an_order_keeps_its_token(void **state)
{
    const apr_time_t now = apr_time_now();
    acme_conf_t *conf;

    (void)state;
    use_webroot();
    conf = conf_with_http();
    next_keeper(conf, now);
    present();
    await(0);
    next_keeper(conf, now);
    present();
    await(0);
    acme_published_step(records, now + apr_time_from_sec(100));
    assert_false(acme_published_busy(records));
    assert_string_equal(token_file(), KEY);
    acme_published_cleanup_tokens(records, 0);
    await_all();
    assert_int_equal(count(http.root), 0);
}

/* At once: nobody goes on with it. */
static void what_is_not_configured_any_more_is_removed(void **state)
{
    const apr_time_t now = apr_time_now();
    acme_conf_t *conf;

    (void)state;
    use_webroot();
    conf = conf_with_http();
    next_keeper(conf, now);
    present();
    await(0);
    cert_of(conf, 0)->http = NULL;
    next_keeper(conf, now);
    await_all();
    assert_int_equal(count(http.root), 0);

    use_scripts();
    cert_of(conf, 0)->http = &http;
    what.id = cert_of(conf, 0)->id;
    next_keeper(conf, now);
    present();
    await(0);
    cert_of(conf, 0)->http = NULL;      /* but another one has the command */
    cert_of(conf, 1)->http = &http;
    next_keeper(conf, now);
    await_all();
    assert_non_null(strstr(text_of(at("said")),
                           "clean a.example token [id 17] http-cleanup\n"));
    cert_of(conf, 0)->http = &http;
    next_keeper(conf, now);
    present();
    await(0);
    cert_of(conf, 0)->http = cert_of(conf, 1)->http = NULL;
    next_keeper(conf, now);
    assert_false(acme_published_busy(records));
    assert_logged("is not a cleanup command of AcmeHttp any more");
    assert_int_equal(count(at("store/published")), 0);
}

/* Descriptors of those that run. */
static int commands(void)
{
    struct pollfd fds[ACME_PUBLISHED_FDS];

    return acme_published_poll(records, fds);
}

/* As when what is mounted there is not, for a while. */
static void take_root_away(void)
{
    assert_int_equal(rename(http.root, at("away")), 0);
}

static void bring_root_back(void)
{
    assert_int_equal(rename(at("away"), http.root), 0);
}

static void what_could_not_be_removed_is_tried_again(void **state)
{
    const apr_time_t now = apr_time_now();

    (void)state;
    use_webroot();
    http.timeout = apr_time_from_sec(1000);
    next_keeper(conf_with_http(), now);
    present();
    await(0);
    take_root_away();
    acme_published_cleanup_tokens(records, 0);
    await(0);
    assert_logged("could not be removed, which is tried again for a week: "
                  "a.example: AcmeHttp webroot: exit status 1: ");
    assert_int_equal(count(at("store/published")), 1);
    assert_int_equal(commands(), 0);
    assert_true(acme_published_wake(records, now)
                >= now + apr_time_from_sec(60));

    ahead = apr_time_from_sec(100);     /* and fails again */
    acme_published_step(records, clock_now());
    assert_false(acme_published_busy(records));
    while (commands()) {
        turn();
    }
    assert_int_equal(count(at("store/published")), 1);
    assert_true(acme_published_wake(records, now)
                >= now + apr_time_from_sec(220));

    bring_root_back();
    ahead = apr_time_from_sec(300);
    await_all();
    ahead = 0;
    assert_int_equal(count(http.root), 0);
    assert_int_equal(count(at("store/published")), 0);
}

/* The first keeper has just failed, and so does the second. */
static void the_next_keeper_tries_it_again_too(void **state)
{
    const apr_time_t now = apr_time_now();
    acme_conf_t *conf;

    (void)state;
    use_webroot();
    conf = conf_with_http();
    next_keeper(conf, now);
    present();
    await(0);
    take_root_away();
    acme_published_cleanup_tokens(records, 0);
    await(0);
    cert_of(conf, 0)->http = NULL;
    next_keeper(conf, now);
    await(0);
    assert_int_equal(count(at("store/published")), 1);
    bring_root_back();
    next_keeper(conf, now);
    await_all();
    assert_int_equal(count(http.root), 0);
    assert_int_equal(count(at("store/published")), 0);
}

static void who_publishes_it_again_has_it(void **state)
{
    (void)state;
    use_webroot();
    http.timeout = apr_time_from_sec(1000);
    next_keeper(conf_with_http(), apr_time_now());
    present();
    await(0);
    take_root_away();
    acme_published_cleanup_tokens(records, 0);
    await(0);
    bring_root_back();
    present();
    await(0);
    assert_int_equal(result(0), 0);
    assert_int_equal(acme_published_wake(records, clock_now()), 0);
    assert_string_equal(token_file(), KEY);
    acme_published_cleanup_tokens(records, 0);
    await_all();
    assert_int_equal(count(http.root), 0);
}

/* What is tried again leaves its certificate room for others. */
static void what_stays_takes_no_room(void **state)
{
    int i;

    (void)state;
    use_webroot();
    what.names = NULL;
    next_keeper(conf_with_http(), apr_time_now());
    for (i = 0; i < 12; i++) {
        what.token = apr_psprintf(pool, "token%d", i);
        what.value = apr_pstrcat(pool, what.token, "." V1, NULL);
        present();
        await(0);
        take_root_away();
        acme_published_cleanup_tokens(records, 0);
        await(0);
        bring_root_back();
    }
    assert_int_equal(count(at("store/published")), 12);
}

static void what_needs_no_removal_is_not_tried_again(void **state)
{
    const apr_interval_time_t days = apr_time_from_sec(24 * 3600);

    (void)state;
    use_webroot();
    http.timeout = 9 * days;
    next_keeper(conf_with_http(), apr_time_now());
    present();                          /* after a week */
    await(0);
    take_root_away();
    ahead = 8 * days;
    acme_published_cleanup_tokens(records, 0);
    await_all();
    ahead = 0;
    assert_logged("could not be removed, and stays, where it does no harm");
    assert_int_equal(count(at("store/published")), 0);

    present();                          /* what was never there */
    await(0);
    assert_int_not_equal(result(0), 0);
    acme_published_cleanup_tokens(records, 0);
    await_all();
    assert_int_equal(count(at("store/published")), 0);

    bring_root_back();                  /* what is another's */
    present();
    await(0);
    put(apr_pstrcat(pool, http.root, "/" TOKENS "/token", NULL), "other");
    acme_published_cleanup_tokens(records, 0);
    await_all();
    assert_string_equal(token_file(), "other");
    assert_int_equal(count(at("store/published")), 0);
}

/* What was not remembered would stay after a crash. */
static void what_cannot_be_remembered_is_not_published(void **state)
{
    (void)state;
    use_webroot();
    next_keeper(conf_with_http(), apr_time_now());
    assert_int_equal(rmdir(at("store/published")), 0);
    assert_int_not_equal(acme_published_present(records, &what, &res), 0);
    assert_false(acme_published_busy(records));
    assert_int_equal(count(http.root), 0);
}

static acme_conf_t *conf_with_dns(void)
{
    acme_conf_t *conf = make_conf();

    cert_of(conf, 0)->dns = &dns;
    dns.timeout = apr_time_from_sec(5000);      /* clocks are ahead of it */
    what.id = cert_of(conf, 0)->id;
    return conf;
}

static void what_is_of_no_order_is_removed_by_the_next_keeper(void **state)
{
    const apr_time_t now = apr_time_now();
    acme_conf_t *conf = conf_with_dns();

    (void)state;
    next_keeper(conf, now);
    present();                          /* an order's: who goes on knows it */
    await(0);
    assert_int_equal(count(at("store/published")), 0);
    what.purpose = ACME_PUBLISH_FOR_DRY_RUN;
    what.value = V2;
    what.record = "_alias.example";
    present();
    await(0);
    assert_int_equal(count(at("store/published")), 1);
    assert_int_equal(unlink(at("said")), 0);

    next_keeper(conf, now);
    assert_int_equal(acme_published_wake(records, now),
                     now + apr_time_from_sec(60));
    assert_null(text_of(at("said")));
    ahead = apr_time_from_sec(61);
    await_all();
    assert_string_equal(text_of(at("said")),
                        "cleanup _alias.example " V2 "\n");
    assert_int_equal(count(at("store/published")), 0);
    next_keeper(conf, now);
    assert_int_equal(acme_published_wake(records, now), 0);
}

/* Its worker, or the witness, was killed, and the keeper goes on. */
static void what_nobody_removes_is_removed_in_time(void **state)
{
    static const struct {
        acme_publish_for_e purpose;
        int minutes;
    } rows[] = { { ACME_PUBLISH_FOR_DRY_RUN, 35 },
                 { ACME_PUBLISH_FOR_REHEARSAL, 1 } };
    size_t i;

    (void)state;
    next_keeper(conf_with_dns(), apr_time_now());
    for (i = 0; i < COUNT(rows); i++) {
        ahead = 0;
        what.purpose = rows[i].purpose;
        present();
        while (acme_published_busy(records)) {
            turn();
        }
        assert_int_equal(unlink(at("said")), 0);
        ahead = apr_time_from_sec(60 * rows[i].minutes - 30);
        acme_published_step(records, clock_now());
        assert_false(acme_published_busy(records));
        ahead += apr_time_from_sec(31);
        await_all();
        assert_string_equal(text_of(at("said")),
                            "cleanup _acme-challenge.a.example " V1 "\n");
        assert_int_equal(count(at("store/published")), 0);
    }
}

static void an_order_takes_over_the_record_of_a_dry_run(void **state)
{
    acme_conf_t *conf = conf_with_dns();
    const apr_time_t now = apr_time_now();

    (void)state;
    next_keeper(conf, now);
    what.purpose = ACME_PUBLISH_FOR_DRY_RUN;
    present();
    await(0);
    next_keeper(conf, now);
    what.purpose = ACME_PUBLISH_FOR_ORDER;
    present();
    await(0);
    assert_int_equal(acme_published_wake(records, now), 0);
    assert_int_equal(count(at("store/published")), 0);
}

/* Of another certificate's, its own, or what is not configured any more. */
static void a_record_is_removed_by_what_set_it_or_not_at_all(void **state)
{
    const apr_time_t now = apr_time_now();
    acme_conf_t *conf = conf_with_dns();
    static acme_dns_conf_t other;

    (void)state;
    next_keeper(conf, now);
    what.purpose = ACME_PUBLISH_FOR_REHEARSAL;
    present();
    while (acme_published_busy(records)) {
        turn();
    }
    assert_int_equal(unlink(at("said")), 0);

    other = dns;
    other.present = one("/nowhere/other");
    cert_of(conf, 0)->dns = &other;
    cert_of(conf, 1)->dns = &dns;
    next_keeper(conf, now);
    ahead = apr_time_from_sec(61);
    await_all();
    assert_non_null(text_of(at("said")));
    assert_int_equal(count(at("store/published")), 0);

    ahead = 0;
    present();
    while (acme_published_busy(records)) {
        turn();
    }
    assert_int_equal(unlink(at("said")), 0);
    cert_of(conf, 1)->dns = NULL;
    next_keeper(conf, now);
    assert_logged("the TXT record _acme-challenge.a.example was set by an "
                  "earlier process and is not removed, because ");
    assert_int_equal(acme_published_wake(records, now), 0);
    assert_int_equal(count(at("store/published")), 0);

    put(at("store/published/dns-01." V1), "{\"id\": \"a.example\"}");
    put(at("store/published/dns-01." V2),
        "{\"id\": \"a\", \"name\": \"a\", \"token\": \"t\", \"root\": \"/\","
        " \"record\": \"a\", \"value\": \"v\", \"folders\": 0}");
    next_keeper(conf, now);
    assert_int_equal(count(at("store/published")), 0);
    assert_int_equal(acme_published_wake(records, now), 0);
}

static void a_record_of_updates_is_remembered_with_its_server(void **state)
{
    const apr_time_t now = apr_time_now();
    acme_conf_t *conf = conf_with_dns();

    (void)state;
    use_rfc2136(":");
    next_keeper(conf, now);
    what.purpose = ACME_PUBLISH_FOR_DRY_RUN;
    present();
    await(0);
    assert_int_equal(unlink(at("said")), 0);
    next_keeper(conf, now);
    ahead = apr_time_from_sec(61);
    await_all();
    assert_non_null(strstr(text_of(at("said")),
                           "update delete _acme-challenge.a.example. TXT \""
                           V1 "\""));
    assert_int_equal(count(at("store/published")), 0);
}

/* Else an order would fail with what an administrator tried. */
static void a_rehearsal_is_no_failure_of_an_order(void **state)
{
    (void)state;
    dns.present = one(hook("exit 1"));
    what.purpose = ACME_PUBLISH_FOR_REHEARSAL;
    present();
    while (acme_published_busy(records)) {
        turn();
    }
    assert_int_equal(result(0), 0);
    assert_int_not_equal(acme_published_outcome(records, &what, &res), 0);
    what.purpose = ACME_PUBLISH_FOR_DRY_RUN;
    present();
    await(0);
    assert_int_not_equal(result(0), 0);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commands_are_called_as_their_kind_wants),
        TEST(a_cleanup_command_of_its_own_is_used),
        TEST(certbot_s_scripts_run_unchanged),
        TEST(a_cleanup_waits_for_its_present),
        TEST(wanted_again_while_it_is_removed_it_is_set_after),
        TEST(what_another_certificate_needs_stays),
        TEST(what_is_not_known_is_removed_too),
        TEST(the_first_failure_is_told_until_the_next_round),
        TEST(a_failure_before_it_is_told_is_not_lost),
        TEST(one_that_hangs_delays_nobody),
        TEST(hundreds_at_once_all_come_to_their_end),
        TEST(a_certificate_has_room_for_its_names),
        TEST(what_is_no_name_or_no_token_starts_nothing),
        TEST(nsupdate_is_told_its_commands),
        TEST(what_nsupdate_complains_of_is_told),
        TEST(without_nsupdate_it_is_told_what_to_install),
        TEST(a_key_that_is_no_secret_is_not_used),
        TEST(settings_can_not_become_commands),
        TEST(certbot_s_scripts_publish_tokens),
        TEST(tokens_of_one_certificate_come_one_after_the_other),
        TEST(a_script_that_fails_is_told_of),
        TEST(what_is_no_token_is_not_published),
        TEST(a_file_is_written_below_the_webroot),
        TEST(the_next_keeper_removes_what_is_left),
        TEST(who_goes_on_with_an_order_keeps_its_token),
        TEST(what_is_not_configured_any_more_is_removed),
        TEST(what_could_not_be_removed_is_tried_again),
        TEST(the_next_keeper_tries_it_again_too),
        TEST(who_publishes_it_again_has_it),
        TEST(what_stays_takes_no_room),
        TEST(what_needs_no_removal_is_not_tried_again),
        TEST(what_cannot_be_remembered_is_not_published),
        TEST(what_is_of_no_order_is_removed_by_the_next_keeper),
        TEST(what_nobody_removes_is_removed_in_time),
        TEST(an_order_takes_over_the_record_of_a_dry_run),
        TEST(a_record_is_removed_by_what_set_it_or_not_at_all),
        TEST(a_record_of_updates_is_remembered_with_its_server),
        TEST(a_rehearsal_is_no_failure_of_an_order)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
