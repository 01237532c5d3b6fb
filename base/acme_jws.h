/*
 * acme_jws.h - a signed request body: flattened JSON. (7515, 7.2.2; 8555, 6.2)
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

#endif
