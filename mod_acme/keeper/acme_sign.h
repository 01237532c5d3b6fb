/*
 * acme_sign.h - the requests that the keeper signs: it builds each itself,
 * from its own configuration and its own store.
 */
#ifndef ACME_SIGN_H
#define ACME_SIGN_H

#include "acme_accounts.h"
#include "acme_message.h"

/*
 * Build and sign the body of one request (8555, 6.2). *pbody is the JWS as JSON
 * text, in p, of at most ACME_JWS_MAX octets. The target of sign must be
 * configured; its kind, nonce and URL are checked here.
 *
 * APR_EINVAL: an invalid kind, nonce or URL, or no account at the CA yet.
 * APR_EACCES: the terms are not agreed to, the account is deactivated, or the
 * request is one that an administrator must have requested. APR_ENOENT: no key
 * and request are pending. APR_ENOSPC: the body would be too long.
 */
apr_status_t acme_sign(const char **pbody, acme_registry_t *registry,
                       acme_accounts_t *accounts, const acme_msg_sign_t *sign,
                       acme_result_t *res, apr_pool_t *p);

#endif
