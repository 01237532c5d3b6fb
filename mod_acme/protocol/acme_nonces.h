/*
 * acme_nonces.h - the nonces that a CA's replies brought, kept for the next
 * requests of any thread. (8555, 6.5)
 *
 * Every call may come from any thread.
 */
#ifndef ACME_NONCES_H
#define ACME_NONCES_H

#include "acme_http.h"

#define ACME_NONCE_MAX 512      /* octets; longer ones are dropped */

typedef struct acme_nonces_t acme_nonces_t;

/*
 * An empty store, which lives as long as p. Fails only as APR does when a
 * mutex cannot be made.
 */
apr_status_t acme_nonces_create(acme_nonces_t **pnonces, apr_pool_t *p);

/*
 * The nonce of a reply, which belongs to the reply; NULL: it has none, or one
 * that is not base64url or longer than ACME_NONCE_MAX. (8555, 6.5.1)
 */
const char *acme_nonces_of(const acme_http_reply_t *reply);

/*
 * Keep a copy of the nonce of a reply, if it has one. Of more than 64 the
 * oldest is dropped.
 */
void acme_nonces_keep(acme_nonces_t *nonces, const acme_http_reply_t *reply);

/* Remove the newest nonce and return a copy in p; NULL: none is kept. */
const char *acme_nonces_take(acme_nonces_t *nonces, apr_pool_t *p);

#endif
