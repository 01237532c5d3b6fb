/*
 * acme_accounts.h - the accounts at the CAs, one for each acme_ca_conf_t.
 *
 * The keys of the accounts never leave the keeper. Where a function takes ca,
 * that is the index in acme_conf_t.cas. (8555, 7.3)
 */
#ifndef ACME_ACCOUNTS_H
#define ACME_ACCOUNTS_H

#include "acme_registry.h"
#include "acme_key.h"

typedef struct {
    acme_key_t *key;
    const char *url;            /* NULL: not registered, or not known */
    const char *directory;      /* the CA's URL */
    const char *folder;         /* in the store */
    int contacts_changed;       /* the configured ones differ from the CA's */
    int has_next_key;           /* a key change was begun (8555, 7.3.5) */
    int deactivated;
    const apr_array_header_t *hosts;    /* as acme_account_file_t has them; */
    const char *persist_issuer; /* as acme_account_file_t has them */
    int persist_draft;
    const char *persist_prefix;
} acme_ca_account_t;

typedef struct acme_accounts_t acme_accounts_t;

/* When there is no next key. */
typedef enum { ACME_NEXT_KEY_FIND, ACME_NEXT_KEY_MAKE } acme_next_key_e;

/* registry lives at least as long as p. Accounts are read when needed. */
acme_accounts_t *acme_accounts_create(acme_registry_t *registry,
                                      apr_pool_t *p);

/*
 * Find the account at a CA; its key is made now if there is none. The account
 * is kept in memory, because about eight signatures a certificate need its
 * key; *paccount is valid until the next call that changes this account.
 *
 * On failure the account has no key: its files cannot be read or written.
 */
apr_status_t acme_accounts_find(const acme_ca_account_t **paccount,
                                acme_accounts_t *accounts, apr_uint32_t ca,
                                acme_result_t *res);

/*
 * APR_SUCCESS, or APR_EACCES (ACME_RETRY_NEVER) for a deactivated account; res
 * says how the administrator gets another one.
 */
apr_status_t acme_accounts_check(const acme_accounts_t *accounts,
                                 const acme_ca_account_t *account,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * Do the configured contacts differ from those that the CA has, and from those
 * that it refused last? No account is made where there is none. p is for the
 * call.
 */
int acme_accounts_contacts_changed(acme_accounts_t *accounts,
                                   apr_uint32_t ca, apr_pool_t *p);

/* The CA refused the configured contacts: it is not told them at each load. */
void acme_accounts_contacts_refused(acme_accounts_t *accounts, apr_uint32_t ca,
                                    apr_pool_t *p);

/*
 * Store and log the URL that the CA gave to the account, with the configured
 * contacts as those that the CA has now. NULL: the CA no longer knows the
 * account. Fails when the account file cannot be written, and with APR_EACCES
 * for an account that the administrator had deactivated.
 */
apr_status_t acme_accounts_set_url(acme_accounts_t *accounts, apr_uint32_t ca,
                                   const char *url, acme_result_t *res,
                                   apr_pool_t *p);

/*
 * The key that replaces the account's, in p. (8555, 7.3.5) If there is none:
 * made and saved with ACME_NEXT_KEY_MAKE, else APR_ENOENT.
 */
apr_status_t acme_accounts_next_key(acme_key_t **pkey,
                                    acme_accounts_t *accounts,
                                    apr_uint32_t ca, acme_next_key_e missing,
                                    acme_result_t *res, apr_pool_t *p);

/*
 * End a key change: the next key replaces the account's (ACME_KEY_PROMOTE), or
 * is removed (ACME_KEY_DROP). A next key that is not there is not a failure:
 * the message may be repeated.
 */
apr_status_t acme_accounts_end_key(acme_accounts_t *accounts, apr_uint32_t ca,
                                   acme_key_end_e end, acme_result_t *res,
                                   apr_pool_t *p);

/* Store that the account was deactivated at the CA. (8555, 7.3.6) */
apr_status_t acme_accounts_deactivated(acme_accounts_t *accounts,
                                       apr_uint32_t ca, acme_result_t *res,
                                       apr_pool_t *p);

/*
 * Store the hosts (const char *: acme_url_host()) of the URLs in the CA's
 * directory. Fails when the account file cannot be written.
 */
apr_status_t acme_accounts_set_hosts(acme_accounts_t *accounts,
                                     apr_uint32_t ca,
                                     const apr_array_header_t *hosts,
                                     acme_result_t *res, apr_pool_t *p);

/*
 * Store the URL of the CA's terms of service. True when another URL was stored
 * before. A failure is logged, and is not a change. (8555, 7.3.3)
 */
int acme_accounts_note_terms(acme_accounts_t *accounts, apr_uint32_t ca,
                             const char *url, apr_pool_t *p);

/*
 * Store the format of the records of dns-persist-01 at a CA, as the witness
 * reports it. APR_EINVAL: the issuer is not a name, or draft or prefix are
 * invalid; they are checked because administrators copy them into zones.
 */
apr_status_t acme_accounts_set_persist(acme_accounts_t *accounts,
                                       apr_uint32_t ca,
                                       const acme_msg_persist_t *persist,
                                       acme_result_t *res, apr_pool_t *p);

/* A line for each account, for people: the CA, the account's URL, contacts,
   the external account. In p. */
const char *acme_accounts_text(acme_accounts_t *accounts, apr_pool_t *p);

/*
 * The JWS of the external account binding as JSON text in p, for newAccount at
 * url. NULL with success: none is configured. Fails when the file with the
 * secret cannot be read or is invalid. (8555, 7.3.4)
 */
apr_status_t acme_accounts_binding(const char **pjson,
                                   acme_accounts_t *accounts, apr_uint32_t ca,
                                   const char *url, acme_result_t *res,
                                   apr_pool_t *p);

#endif
