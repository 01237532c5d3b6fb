/*
 * acme_jws.h - a signed request body: flattened JSON (7515, 7.2.2; 8555, 6.2),
 * and the binding to an account that the CA has outside of ACME. (8555, 7.3.4)
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

/*
 * The request body as text in p: payload signed with the key, in a flattened
 * JWS with the protected header of 8555, 6.2. jws and all it points at stay
 * the caller's. On failure *pbody is NULL: APR_EINVAL when a string is not
 * UTF-8, APR_EGENERAL when OpenSSL fails.
 */
apr_status_t acme_jws_make(const char **pbody, const acme_jws_t *jws,
                           acme_result_t *res, apr_pool_t *p);

/* The external account's credentials, from the CA; hmac is secret. */
typedef struct {
    const char *kid;
    const char *hmac;           /* base64url, see acme_jws_hmac_check() */
    const char *url;            /* of newAccount */
} acme_jws_binding_t;

/*
 * Is text base64url of a key of 16 to 512 octets? It may end in the '=' that
 * base64 would have there. Else APR_EINVAL, for good; res has the fault, and
 * never a part of text.
 */
apr_status_t acme_jws_hmac_check(const char *text, acme_result_t *res);

/*
 * externalAccountBinding for account_key: a JWS over its JWK, HS256, as JSON
 * text in p (8555, 7.3.4). The decoded secret is overwritten before the
 * return. On failure *pjson is NULL: APR_EINVAL when hmac is one that
 * acme_jws_hmac_check() refuses or a string is not UTF-8, else APR_EGENERAL.
 */
apr_status_t acme_jws_bind(const char **pjson,
                           const acme_jws_binding_t *binding,
                           acme_key_t *account_key, acme_result_t *res,
                           apr_pool_t *p);

#endif
