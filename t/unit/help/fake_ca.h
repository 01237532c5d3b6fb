/*
 * fake_ca.h - a session with a CA that a table makes up, for one test each.
 *
 * The signing callback writes what it was asked to sign as the body, so that
 * the server's log shows which nonce was spent on what.
 */
#ifndef FAKE_CA_H
#define FAKE_CA_H

#include <signal.h>
#include <stdlib.h>

#include "acme_account.h"
#include "acme_authorization.h"
#include "acme_certificate.h"
#include "acme_order.h"
#include "acme_problem.h"
#include "fake_https.h"
#include "pool.h"

#define URN "urn:ietf:params:acme:error:"
#define PROBLEM "Content-Type: application/problem+json"

#define DIRECTORY \
    { .request = "GET /dir", .head = "200 OK", .body = \
      "{\"newNonce\":\"~/nonce\",\"newAccount\":\"~/account\"," \
      "\"newOrder\":\"~/order\"}" }
/* The same of a CA that has all that one may have. */
#define FULL_DIRECTORY \
    { .request = "GET /dir", .head = "200 OK", .body = \
      "{\"newNonce\":\"~/nonce\",\"newAccount\":\"~/account\"," \
      "\"newOrder\":\"~/order\",\"revokeCert\":\"~/revoke\"," \
      "\"keyChange\":\"~/key\",\"renewalInfo\":\"~/info\"}" }
#define NONCE \
    { .request = "HEAD /nonce", .head = "200 OK\r\nReplay-Nonce: fresh" }

static fake_t *fake;
static acme_http_conf_t conf;
static acme_session_t session;
static acme_result_t res;

/* A baton means that the keeper refuses. */
static inline apr_status_t fake_sign(const char **pbody, void *baton,
                                     acme_sign_e kind, const char *url,
                                     const char *nonce,
                                     acme_result_t *result, apr_pool_t *p)
{
    static const char *const kinds[] = {
        "account", "order", "get", "challenge", "finalize", "find", "update",
        "deactivate", "key", "revoke"
    };

    (void)url;
    if (baton) {
        return acme_fail(result, APR_EACCES, "the keeper does not sign");
    }
    *pbody = apr_psprintf(p, "%s %s", kinds[kind], nonce);
    return APR_SUCCESS;
}

/* A URL of the fake's. */
static inline const char *at(const char *path)
{
    return apr_pstrcat(pool, fake_address(fake), path, NULL);
}

/* A CA that nothing is known of yet. */
static inline void open_ca(void)
{
    assert_int_equal(acme_ca_create(&session.ca, at("/dir"), pool), 0);
    session.requests = 0;
}

static inline void assert_detail(const char *says)
{
    if (!strstr(res.detail, says)) {
        fail_msg("\"%s\" says not \"%s\"", res.detail, says);
    }
}

static inline int fake_ca_setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    fake = fake_start(0);
    memset(&conf, 0, sizeof(conf));
    conf.user_agent = "mod_acme/test";
    conf.ca_file = fake_ca_file(fake);
    assert_int_equal(acme_stop_create(&conf.stop, pool), 0);
    memset(&session, 0, sizeof(session));
    session.sign = fake_sign;
    assert_int_equal(acme_http_create(&session.http, &conf, &res, pool), 0);
    open_ca();
    return 0;
}

static inline int fake_ca_teardown(void **state)
{
    pool_teardown(state);
    fake_stop(fake);
    return 0;
}

/* Around all tests of a program. */
static inline int fake_ca_begin(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    return acme_http_init(&res);
}

static inline int fake_ca_end(void **state)
{
    (void)state;
    acme_http_term();
    apr_terminate();
    return 0;
}

#define FAKE_CA_TEST(test) \
    cmocka_unit_test_setup_teardown(test, fake_ca_setup, fake_ca_teardown)

#endif
