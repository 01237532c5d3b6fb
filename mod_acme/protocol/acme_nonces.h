/*
 * acme_nonces.h - the nonces that a CA's replies brought, kept for the next
 * requests of any thread. (8555, 6.5)
 */
#ifndef ACME_NONCES_H
#define ACME_NONCES_H

#include "acme_http.h"

#define ACME_NONCE_MAX 512      /* octets; longer ones are dropped */

typedef struct acme_nonces_t acme_nonces_t;

/* A cache without nonces; lives as long as p. Any thread may use it. */
apr_status_t acme_nonces_create(acme_nonces_t **pnonces, apr_pool_t *p);

/* The nonce of a reply, or NULL. A bad one is ignored. (8555, 6.5.1) */
const char *acme_nonces_of(const acme_http_reply_t *reply);

/* Keep the nonce of a reply, if it has one; of too many the oldest goes. */
void acme_nonces_keep(acme_nonces_t *nonces, const acme_http_reply_t *reply);

/* The newest nonce, taken out, or NULL. */
const char *acme_nonces_take(acme_nonces_t *nonces, apr_pool_t *p);

#endif
