/*
 * fake_ca.h - a session with a CA that a table makes up, for one test each.
 *
 * The signing callback writes what it was asked to sign as the body, so that
 * the server's log shows which nonce was spent on what.
 */
#ifndef FAKE_CA_H
#define FAKE_CA_H

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

extern fake_t *fake;
extern acme_http_conf_t http_conf;
extern acme_session_t session;

/* A URL of the fake's. */
const char *fake_url(const char *path);

/* A CA that nothing is known of yet. */
void open_ca(void);

int fake_ca_setup(void **state);
int fake_ca_teardown(void **state);

/* Around all tests of a program. */
int fake_ca_begin(void **state);
int fake_ca_end(void **state);

#define FAKE_CA_TEST(test) \
    cmocka_unit_test_setup_teardown(test, fake_ca_setup, fake_ca_teardown)

#endif
