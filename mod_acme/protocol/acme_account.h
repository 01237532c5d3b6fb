/*
 * acme_account.h - the account at a CA: created, found, updated, deactivated.
 * (8555, 7.3)
 *
 * The payloads are made where the keys are, the calls where the network is;
 * the session's callback joins them.
 */
#ifndef ACME_ACCOUNT_H
#define ACME_ACCOUNT_H

#include <apr_tables.h>

#include "acme_session.h"

/* The members of newAccount. (8555, 7.3) */
typedef struct {
    const apr_array_header_t *contacts; /* const char *: URLs (mailto:...);
                                           may be empty */
    int agreed;                 /* to the CA's terms of service */
    const char *binding;        /* JSON text of the JWS that binds it to an
                                   external account (8555, 7.3.4); or NULL */
    int only_existing;          /* find it, never make it: all else is left
                                   out (8555, 7.3.1) */
} acme_account_conf_t;

/*
 * The payload of newAccount, in p. A binding that is not a JSON object is left
 * out.
 */
const char *acme_account_payload(const acme_account_conf_t *conf,
                                 apr_pool_t *p);

/* The payload that sets the contacts, or takes away all. (8555, 7.3.2) */
const char *acme_account_update_payload(const apr_array_header_t *contacts,
                                        apr_pool_t *p);

/* The payload that deactivates the account. (8555, 7.3.6) */
const char *acme_account_deactivate_payload(apr_pool_t *p);

/*
 * The payload of the inner JWS of a key change, which the new key signs, with
 * its JWK, for the same URL and without a nonce; that JWS is the payload of
 * the outer one. old_jwk is the JSON text of the old key's. (8555, 7.3.5)
 */
const char *acme_account_key_change_payload(const char *account_url,
                                            const char *old_jwk,
                                            apr_pool_t *p);

/*
 * The URL of the account that belongs to the session's key: made at the CA,
 * or found there when it has one (8555, 7.3.1). One that is there, but no
 * longer valid, is a failure with ACME_RETRY_NEVER.
 */
apr_status_t acme_account_register(const char **purl, acme_session_t *session,
                                   acme_result_t *res, apr_pool_t *p);

/*
 * The same of an account that the CA has; never makes one. When it has none,
 * acme_problem_is(res, "accountDoesNotExist"). (8555, 7.3.1)
 */
apr_status_t acme_account_find(const char **purl, acme_session_t *session,
                               acme_result_t *res, apr_pool_t *p);

/* Send the contacts to the CA; url is the account's. (8555, 7.3.2) */
apr_status_t acme_account_update(acme_session_t *session, const char *url,
                                 acme_result_t *res, apr_pool_t *p);

/* Deactivate the account for ever; url is the account's. (8555, 7.3.6) */
apr_status_t acme_account_deactivate(acme_session_t *session, const char *url,
                                     acme_result_t *res, apr_pool_t *p);

/*
 * Put a new key in the place of the account's (8555, 7.3.5). After success
 * only the new one signs. APR_ENOTIMPL: the CA has no keyChange.
 */
apr_status_t acme_account_key_change(acme_session_t *session,
                                     acme_result_t *res, apr_pool_t *p);

#endif
