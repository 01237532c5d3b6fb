/*
 * acme_account.h - the account at a CA: registered, found, changed,
 * deactivated. (8555, 7.3)
 *
 * The payloads are made where the keys are (the keeper), the requests where
 * the network is (a renewal thread); the session's callback joins them. A
 * payload is JSON text in p. The requests fail as acme_session_post() does.
 */
#ifndef ACME_ACCOUNT_H
#define ACME_ACCOUNT_H

#include <apr_tables.h>

#include "acme_session.h"

/* The fields of a newAccount request. */
typedef struct {
    const apr_array_header_t *contacts; /* const char *: URLs (mailto:...);
                                           may be empty */
    int agreed;                 /* to the CA's terms of service */
    const char *binding;        /* JSON text of the JWS that binds it to an
                                   external account (8555, 7.3.4); or NULL */
    int only_existing;          /* find the account, never make one: all else
                                   is ignored (8555, 7.3.1) */
} acme_account_conf_t;

/*
 * The payload of newAccount (8555, 7.3). A binding that is not a JSON object
 * is left out.
 */
const char *acme_account_payload(const acme_account_conf_t *conf,
                                 apr_pool_t *p);

/*
 * The payload that replaces the contacts (const char *: URLs); an empty array
 * removes all. (8555, 7.3.2)
 */
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
 * Register the session's key at the CA, which gives back the account that the
 * key already has, if there is one (8555, 7.3, 7.3.1).
 *
 * *purl is the account's URL, checked, in p; NULL after a failure. An account
 * that is not valid any more is APR_EGENERAL with ACME_RETRY_NEVER and
 * ACME_REASON_ACCOUNT_DEACTIVATED.
 */
apr_status_t acme_account_register(const char **purl, acme_session_t *session,
                                   acme_result_t *res, apr_pool_t *p);

/*
 * As acme_account_register(), but never makes an account: if the key has none,
 * the call fails and acme_problem_is(res, "accountDoesNotExist") holds.
 * (8555, 7.3.1)
 */
apr_status_t acme_account_find(const char **purl, acme_session_t *session,
                               acme_result_t *res, apr_pool_t *p);

/*
 * Send the contacts to the CA; url is the account's. Fails with
 * ACME_RETRY_NEVER if the account is not valid any more. (8555, 7.3.2)
 */
apr_status_t acme_account_update(acme_session_t *session, const char *url,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * Deactivate the account, which cannot be undone; url is the account's.
 * (8555, 7.3.6)
 */
apr_status_t acme_account_deactivate(acme_session_t *session, const char *url,
                                     acme_result_t *res, apr_pool_t *p);

/*
 * Replace the account's key by the new one that the session's callback knows
 * (8555, 7.3.5). After success only the new key signs; after a failure of the
 * network either may be the account's. APR_ENOTIMPL with ACME_RETRY_NEVER: the
 * CA has no keyChange.
 */
apr_status_t acme_account_key_change(acme_session_t *session,
                                     acme_result_t *res, apr_pool_t *p);

#endif
