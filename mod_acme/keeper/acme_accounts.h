/*
 * acme_accounts.h - the accounts at the CAs: their keys stay in here.
 */
#ifndef ACME_ACCOUNTS_H
#define ACME_ACCOUNTS_H

#include "acme_registry.h"
#include "acme_key.h"

typedef struct {
    acme_key_t *key;
    const char *url;            /* NULL: the CA has not told it */
    const char *directory;      /* the CA's URL */
    const char *folder;         /* in the store */
    int contacts_changed;       /* others are configured than the CA has */
    int has_next_key;           /* a change of keys was begun */
    int deactivated;
    const char *persist_issuer; /* as acme_account_file_t has them */
    int persist_draft;
    const char *persist_prefix;
} acme_ca_account_t;

typedef struct acme_accounts_t acme_accounts_t;

acme_accounts_t *acme_accounts_create(acme_registry_t *registry,
                                      apr_pool_t *p);

/*
 * The account at the CA with this index in the configuration, with a key that
 * is made now if there is none. It is kept in memory: eight signatures a
 * certificate need its key.
 */
apr_status_t acme_accounts_find(const acme_ca_account_t **paccount,
                                acme_accounts_t *accounts, apr_uint32_t ca,
                                acme_result_t *res);

/*
 * Fails when the account was given up, with what the administrator can do to
 * get another one.
 */
apr_status_t acme_accounts_check(const acme_accounts_t *accounts,
                                 const acme_ca_account_t *account,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * Are other contacts configured than the CA has? Looked up without making an
 * account where there is none.
 */
int acme_accounts_contacts_changed(acme_accounts_t *accounts,
                                   apr_uint32_t ca, apr_pool_t *p);

/* Its URL, as the CA told it; NULL: the CA does not know it any more. */
apr_status_t acme_accounts_tell_url(acme_accounts_t *accounts,
                                    apr_uint32_t ca, const char *url,
                                    acme_result_t *res, apr_pool_t *p);

/*
 * The key that is to replace the account's, made now if there is none. It
 * lives in p. (8555, 7.3.5)
 */
apr_status_t acme_accounts_next_key(acme_key_t **pkey,
                                    acme_accounts_t *accounts,
                                    apr_uint32_t ca, int make,
                                    acme_result_t *res, apr_pool_t *p);

/* It replaces the account's, or is forgotten. */
apr_status_t acme_accounts_end_key(acme_accounts_t *accounts, apr_uint32_t ca,
                                   acme_key_end_e end, acme_result_t *res,
                                   apr_pool_t *p);

/* The administrator gave it up at the CA: nothing is ordered with it. */
apr_status_t acme_accounts_deactivated(acme_accounts_t *accounts,
                                       apr_uint32_t ca, acme_result_t *res,
                                       apr_pool_t *p);

/* The URL of the CA's terms; true when the account agreed to others. */
int acme_accounts_tell_terms(acme_accounts_t *accounts, apr_uint32_t ca,
                             const char *url, apr_pool_t *p);

/*
 * What a record of dns-persist-01 looks like at this CA, as a worker saw it;
 * looked at here, for people will copy it. prefix may be "".
 */
apr_status_t acme_accounts_tell_persist(acme_accounts_t *accounts,
                                        apr_uint32_t ca,
                                        const acme_msg_persist_t *persist,
                                        acme_result_t *res, apr_pool_t *p);

/* A line for each account, for people: the CA, the account's URL, contacts. */
const char *acme_accounts_text(acme_accounts_t *accounts, apr_pool_t *p);

/*
 * The JWS of the external account binding as JSON text, for newAccount at
 * url. NULL with success: none is configured. (8555, 7.3.4)
 */
apr_status_t acme_accounts_binding(const char **pjson,
                                   acme_accounts_t *accounts, apr_uint32_t ca,
                                   const char *url, acme_result_t *res,
                                   apr_pool_t *p);

#endif
