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
const char *acme_account_folder(const char *directory_url, const char *kid,
                                apr_pool_t *p);

/*
 * The account in folder: its key, and its URL or NULL when the CA has not
 * told it yet. ENOENT when there is no key. A damaged account.json is set
 * aside, and the URL is NULL then; a damaged key is a failure and stays.
 */
apr_status_t acme_account_load(acme_key_t **pkey, const char **purl,
                               acme_store_t *store, const char *folder,
                               acme_result_t *res, apr_pool_t *p);

/*
 * A new folder with this key; never over a key that is there (EEXIST). May set
 * something aside.
 */
apr_status_t acme_account_key_save(acme_store_t *store, const char *folder,
                                   acme_key_t *key, acme_result_t *res,
                                   apr_pool_t *p);

/* account.json: the account's URL (NULL: lost), the directory, contacts. */
apr_status_t acme_account_save(acme_store_t *store, const char *folder,
                               const char *url, const char *directory_url,
                               const apr_array_header_t *contacts,
                               acme_result_t *res, apr_pool_t *p);

#endif
