/*
 * acme_jws.h - a signed request body: flattened JSON (7515, 7.2.2; 8555, 6.2),
 * and what binds an account to another one that the CA knows. (8555, 7.3.4)
 */
#ifndef ACME_JWS_H
#define ACME_JWS_H

#include "acme_key.h"

typedef struct {
    acme_key_t *key;
    const char *kid;            /* the account's URL; NULL: send the JWK */
    const char *nonce;          /* NULL: none (8555, 7.3.5) */
    const char *url;
    const char *payload;        /* "" is post-as-get */
} acme_jws_t;

/* The body as text in p. What jws points at stays the caller's. */
apr_status_t acme_jws_make(const char **pbody, const acme_jws_t *jws,
                           acme_result_t *res, apr_pool_t *p);

/* What the CA handed out for the binding; hmac is secret. */
typedef struct {
    const char *kid;
    const char *hmac; /* base64url, as acme_jws_hmac_check() likes it */
    const char *url;            /* of newAccount */
} acme_jws_binding_t;

/*
 * Is text base64url of a key of 16 to 512 octets? It may end in the '=' that
 * base64 would have there. res never repeats any of it.
 */
apr_status_t acme_jws_hmac_check(const char *text, acme_result_t *res);

/*
 * externalAccountBinding for account_key: a JWS over its JWK, HS256, as JSON
 * text in p. The decoded secret does not outlive the call.
 */
apr_status_t acme_jws_bind(const char **pjson,
                           const acme_jws_binding_t *binding,
                           acme_key_t *account_key, acme_result_t *res,
                           apr_pool_t *p);

#endif
