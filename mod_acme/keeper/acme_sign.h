/*
 * acme_sign.h - the requests that the keeper signs: it builds each itself,
 * from its own configuration and its own store.
 */
#ifndef ACME_SIGN_H
#define ACME_SIGN_H

#include "acme_accounts.h"
#include "acme_message.h"

/*
 * The signed body of one request, of at most ACME_JWS_MAX octets. What sign
 * is about must be configured; its nonce and URL are checked here. EACCES
 * without agreed terms, and for what no administrator asked for.
 */
apr_status_t acme_sign(const char **pbody, acme_registry_t *registry,
                       acme_accounts_t *accounts, const acme_msg_sign_t *sign,
                       acme_result_t *res, apr_pool_t *p);

#endif
