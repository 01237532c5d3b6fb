/*
 * renewing.h - a task between a CA and a keeper that are both made up: tables
 * say what the CA answers, and the keeper tells what was reported to it.
 *
 * No wait of it lasts longer than some milliseconds.
 */
#ifndef RENEWING_H
#define RENEWING_H

#include <signal.h>
#include <unistd.h>

#include "acme_http.h"
#include "acme_key.h"
#include "acme_renewal.h"
#include "fake_https.h"
#include "fake_keeper.h"
#include "pool.h"

#define URN "urn:ietf:params:acme:error:"
#define HANGS_AFTER 300         /* seconds; valgrind is slow */

#define DIRECTORY \
    { .request = "GET /dir", .head = "200 OK", .body = \
      "{\"newNonce\":\"~/nonce\",\"newAccount\":\"~/account\"," \
      "\"newOrder\":\"~/order\",\"meta\":{\"profiles\":{\"tls\":\"\"}}}" }
#define NONCE \
    { .request = "HEAD /nonce", .head = "200 OK\r\nReplay-Nonce: fresh" }
#define ACCOUNT \
    { .request = "POST /account", .head = "201 Created\r\n" \
      "Location: ~/account/1", .body = "{\"status\":\"valid\"}" }
#define ORDER_BODY(status, more) \
    "{\"status\":\"" status "\",\"authorizations\":[\"~/authz/1\"]," \
    "\"finalize\":\"~/finalize\"" more "}"
#define NEW_ORDER(status) \
    { .request = "POST /order", .head = "201 Created\r\n" \
      "Location: ~/order/1", .body = ORDER_BODY(status, "") }
#define ORDER_IS(status, n) \
    { .request = "POST /order/1", .head = "200 OK", .times = n, \
      .body = ORDER_BODY(status, "") }
#define ORDER_IS_VALID \
    { .request = "POST /order/1", .head = "200 OK", \
      .body = ORDER_BODY("valid", ",\"certificate\":\"~/cert/1\"") }
#define CHALLENGE(type, more) \
    "{\"type\":\"" type "\",\"url\":\"~/" type "\",\"token\":\"dG9rZW4\"" \
    more "}"
#define AUTHZ_BODY(status, challenges) \
    "{\"status\":\"" status "\",\"identifier\":{\"type\":\"dns\"," \
    "\"value\":\"a.test\"},\"challenges\":[" challenges "]}"
#define AUTHZ(status, challenges, n) \
    { .request = "POST /authz/1", .head = "200 OK", .times = n, \
      .body = AUTHZ_BODY(status, challenges) }
#define BOTH CHALLENGE("http-01", "") "," CHALLENGE("tls-alpn-01", "")
#define RESPOND(type) \
    { .request = "POST /" type, .head = "200 OK", \
      .body = CHALLENGE(type, "") }
#define FINALIZE \
    { .request = "POST /finalize", .head = "200 OK", \
      .body = ORDER_BODY("processing", "") }
#define CHAIN \
    { .request = "POST /cert/1", .head = "200 OK\r\n" \
      "Content-Type: application/pem-certificate-chain", .body = "chain" }
#define PROBLEM(request_, n, status, type, detail) \
    { .request = request_, .head = status \
      "\r\nContent-Type: application/problem+json", .times = n, .body = \
      "{\"type\":\"" URN type "\",\"detail\":\"" detail "\"}" }

/* How an order of http-01 goes well, but for the newOrder. */
#define GOES_WELL \
    AUTHZ("pending", BOTH, 0), RESPOND("http-01"), RESPOND("tls-alpn-01"), \
    ORDER_IS("ready", 1), FINALIZE, ORDER_IS_VALID, CHAIN

static fake_t *fake;
static fake_keeper_t *keeper;
static acme_conf_t conf;
static acme_task_env_t env;
static acme_task_request_t request;
static int presented, withdrawn;        /* answers to challenges */
static char logged[4096];

static apr_status_t on_present(void *baton,
                               const acme_challenge_response_t *answer,
                               acme_result_t *result)
{
    (void)baton;
    (void)result;
    assert_string_equal(answer->token, "dG9rZW4");
    assert_string_equal(answer->key_authorization, "dG9rZW4.thumb");
    presented++;
    return APR_SUCCESS;
}

static void on_withdraw(void *baton, const acme_challenge_response_t *answer)
{
    (void)baton;
    (void)answer;
    withdrawn++;
}

static apr_uint32_t on_seen(void *baton,
                            const acme_challenge_response_t *answer)
{
    (void)baton;
    (void)answer;
    return 1;
}

static const acme_solver_t solver = { NULL, on_present, on_withdraw,
                                      on_seen };

static const acme_task_waits_t quick = { .seen_every = 1000,
                                         .looks = { .first = 1000,
                                                    .longest = 1000 },
                                         .failing = 1000,
                                         .total = apr_time_from_sec(20) };

static void on_log(void *baton, acme_log_e level, const char *line)
{
    (void)baton;
    (void)level;
    apr_snprintf(logged + strlen(logged), sizeof(logged) - strlen(logged),
                 "%s\n", line);
}

static const acme_log_t test_log = { on_log, NULL };

static inline acme_cert_conf_t *cert_of(int i)
{
    return &APR_ARRAY_IDX(conf.certs, i, acme_cert_conf_t);
}

static inline void add_cert(const char *name, const char *other)
{
    acme_cert_conf_t *cert = apr_array_push(conf.certs);

    memset(cert, 0, sizeof(*cert));
    cert->id = name;
    cert->names = apr_array_make(pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH(cert->names, const char *) = name;
    if (other) {
        APR_ARRAY_PUSH(cert->names, const char *) = other;
    }
    cert->cas = apr_array_make(pool, 1, sizeof(apr_uint32_t));
    APR_ARRAY_PUSH(cert->cas, apr_uint32_t) = 0;
    cert->routes = apr_array_copy(pool, cert->cas);
    cert->agreed = 1;
    cert->key_types = apr_array_make(pool, 2, sizeof(acme_key_type_e));
    APR_ARRAY_PUSH(cert->key_types, acme_key_type_e) = ACME_KEY_P256;
    cert->challenges[0] = ACME_HTTP_01;
    cert->challenges[1] = ACME_TLS_ALPN_01;
    cert->nchallenges = 2;
}

static int renewing_setup(void **state)
{
    acme_ca_conf_t *ca;
    int i;

    alarm(HANGS_AFTER);
    if (pool_setup(state)) {
        return -1;
    }
    fake = fake_start(0);
    keeper = fake_keeper_start();
    presented = withdrawn = 0;
    logged[0] = '\0';

    memset(&conf, 0, sizeof(conf));
    conf.state_dir = "/nowhere";
    conf.parallel = conf.parallel_first = 2;
    conf.cas = apr_array_make(pool, 1, sizeof(acme_ca_conf_t));
    conf.certs = apr_array_make(pool, 4, sizeof(acme_cert_conf_t));
    ca = apr_array_push(conf.cas);
    memset(ca, 0, sizeof(*ca));
    ca->url = apr_pstrcat(pool, fake_address(fake), "/dir", NULL);
    conf.routes = apr_array_make(pool, 1, sizeof(acme_route_conf_t));
    APR_ARRAY_PUSH(conf.routes, acme_route_conf_t) =
        (acme_route_conf_t) { .ca = 0, .roots = fake_ca_file(fake) };
    ca->contacts = apr_array_make(pool, 1, sizeof(const char *));
    add_cert("a.test", "b.test");
    for (i = 0; i < FAKE_KEEPER_PARTS; i++) {
        apr_cpystrn(fake_keeper_prepared(keeper, 0, i)->thumbprint, "thumb",
                    6);
    }

    memset(&env, 0, sizeof(env));
    assert_int_equal(acme_stop_create(&env.stop, pool), 0);
    assert_int_equal(acme_ca_pool_create(&env.cas, &conf, &test_log,
                                         "mod_acme/test", env.stop, pool), 0);
    env.conf = &conf;
    env.solver = &solver;
    env.waits = &quick;
    env.dns.stop = env.stop;
    env.keeper = fake_keeper_address(keeper);
    memset(&request, 0, sizeof(request));
    request.state.cas = 1;
    request.state.agreed = 1;
    return 0;
}

static int renewing_teardown(void **state)
{
    pool_teardown(state);
    fake_keeper_stop(keeper);
    fake_stop(fake);
    return 0;
}

static inline void renew(const fake_row_t *rows)
{
    apr_pool_t *p;

    fake_serve(fake, rows);
    apr_pool_create(&p, pool);
    acme_renewal_run(&env, &request, p);
    apr_pool_destroy(p);
}

static inline const char *url(const char *path)
{
    return apr_pstrcat(pool, fake_address(fake), path, NULL);
}

/* Each of these is in log, one after the other; '~' is the CA's address. */
static inline void assert_story(const char *log, const char *const *lines)
{
    const char *at = log;

    for (; *lines; lines++) {
        const char *tilde = strchr(*lines, '~');
        const char *line = !tilde ? *lines
            : apr_pstrcat(pool, apr_pstrndup(pool, *lines,
                                             (apr_size_t)(tilde - *lines)),
                          url(tilde + 1), NULL);

        at = strstr(at, line);
        if (!at) {
            fail_msg("no \"%s\" (or not there) in:\n%s", line, log);
        }
        at += strlen(line);
    }
}

#define ASSERT_REPORTED(...) \
    assert_story(fake_keeper_log(keeper), \
                 (const char *const[]){ __VA_ARGS__, NULL })
#define ASSERT_ASKED(...) \
    assert_story(fake_log(fake), (const char *const[]){ __VA_ARGS__, NULL })

static inline void assert_not_reported(const char *text)
{
    if (strstr(fake_keeper_log(keeper), text)) {
        fail_msg("\"%s\" in:\n%s", text, fake_keeper_log(keeper));
    }
}

static inline int renewing_begin(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    return acme_http_init(&res);
}

static inline int renewing_end(void **state)
{
    (void)state;
    acme_http_term();
    apr_terminate();
    return 0;
}

#define RENEWING_TEST(test) \
    cmocka_unit_test_setup_teardown(test, renewing_setup, renewing_teardown)

#endif
