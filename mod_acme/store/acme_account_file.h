/*
 * acme_account_file.h - accounts/<ca-host>-<8 hex>/: account.json and key.pem.
 */
#ifndef ACME_ACCOUNT_FILE_H
#define ACME_ACCOUNT_FILE_H

#include <apr_tables.h>

#include "acme_key.h"
#include "acme_store.h"

/*
 * The folder's name: host of the directory URL, and the first 8 hex digits of
 * SHA-256(directory URL), or of SHA-256(directory URL NUL kid) with an EAB.
 */
const char *acme_account_file_folder(const char *directory_url,
                                     const char *kid, apr_pool_t *p);

typedef struct {
    const char *url;            /* NULL: not registered, or lost by the CA */
    const char *directory;      /* the CA's URL */
    const apr_array_header_t *contacts;     /* const char *: as the CA has them;
                                   NULL: not known */
    const char *terms;          /* URL of the terms at the last look, or NULL */
    int deactivated;            /* at the CA, by our administrator */
    const char *persist_issuer; /* what a record of dns-persist-01 begins with
                                   there; NULL: not known */
    int persist_draft;          /* 1 or 2 */
    const char *persist_prefix; /* of its account hash (draft 2), or NULL */
} acme_account_file_t;

/*
 * The account in folder with its key. ENOENT when it has no key. A damaged
 * account.json is set aside, and all but the key is unknown then; a damaged
 * key is a failure and stays.
 */
apr_status_t acme_account_file_load(acme_key_t **pkey,
                                    acme_account_file_t *account,
                                    acme_store_t *store, const char *folder,
                                    acme_result_t *res, apr_pool_t *p);

/*
 * A new folder with this key; never over a key that is there (EEXIST). May set
 * something aside.
 */
apr_status_t acme_account_file_key_save(acme_store_t *store,
                                        const char *folder, acme_key_t *key,
                                        acme_result_t *res, apr_pool_t *p);

/* Replace account.json in folder, which exists; see acme_file_write(). */
apr_status_t acme_account_file_save(acme_store_t *store, const char *folder,
                                    const acme_account_file_t *account,
                                    acme_result_t *res, apr_pool_t *p);

/*
 * A key that is to replace the account's (8555, 7.3.5): next-key.pem lies
 * beside key.pem until it is known which of both the CA has. load: ENOENT
 * when there is none. promote: it takes the place of key.pem in one rename;
 * what was key.pem is kept in aside/. drop: it goes there; nothing there is a
 * success.
 */
apr_status_t acme_account_file_next_save(acme_store_t *store,
                                         const char *folder, acme_key_t *key,
                                         acme_result_t *res, apr_pool_t *p);
apr_status_t acme_account_file_next_load(acme_key_t **pkey,
                                         acme_store_t *store,
                                         const char *folder,
                                         acme_result_t *res, apr_pool_t *p);
apr_status_t acme_account_file_next_promote(acme_store_t *store,
                                            const char *folder,
                                            acme_result_t *res, apr_pool_t *p);
apr_status_t acme_account_file_next_drop(acme_store_t *store,
                                         const char *folder,
                                         acme_result_t *res, apr_pool_t *p);

#endif
