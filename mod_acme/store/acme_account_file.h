/*
 * acme_account_file.h - accounts/<ca-host>-<8 hex>/: account.json and key.pem.
 */
#ifndef ACME_ACCOUNT_FILE_H
#define ACME_ACCOUNT_FILE_H

#include <apr_tables.h>

#include "acme_key.h"
#include "acme_store.h"

/*
 * The folder's name, in p: the host of the directory URL, '-', and the first 8
 * hex digits of SHA-256(directory URL), or with an external account of
 * SHA-256(directory URL NUL kid); kid may be NULL.
 */
const char *acme_account_file_folder(const char *directory_url,
                                     const char *kid, apr_pool_t *p);

typedef struct {
    const char *url;            /* the account's; NULL: not known yet, or not
                                   known to the CA any more */
    const char *directory;      /* the CA's URL */
    const apr_array_header_t *contacts;     /* const char *: as the CA has them;
                                   NULL: not known */
    const apr_array_header_t *refused;      /* const char *: contacts that the
                                   CA refused last; NULL: none */
    const char *terms;          /* URL of the terms when last fetched, or
                                   NULL */
    int deactivated;            /* at the CA, by our administrator */
    const apr_array_header_t *hosts;    /* const char *: acme_url_host() of the
                                   URLs of its directory; NULL: not known */
    const char *persist_issuer; /* issuer name that records for dns-persist-01
                                   begin with; NULL: not known */
    int persist_draft;          /* 1 or 2 */
    const char *persist_prefix; /* of its account hash (draft 2), or NULL */
} acme_account_file_t;

/*
 * Load the account in folder with its key; *pkey and all strings are in p.
 *
 * ENOENT: there is no key, and no account to speak of. A damaged account.json
 * is set aside, which res names after success: all but the key is unknown then.
 * A damaged key is a failure, and stays where it is. On failure *pkey is NULL.
 */
apr_status_t acme_account_file_load(acme_key_t **pkey,
                                    acme_account_file_t *account,
                                    acme_store_t *store, const char *folder,
                                    acme_result_t *res, apr_pool_t *p);

/*
 * Read account.json of folder alone, for those who only look: nothing is set
 * aside, and no key is read. On failure account is zeros. ENOENT: there is no
 * such file; APR_EGENERAL: it is damaged.
 */
apr_status_t acme_account_file_look(acme_account_file_t *account,
                                    const acme_store_t *store,
                                    const char *folder, acme_result_t *res,
                                    apr_pool_t *p);

/*
 * Write key.pem (0600) into the folder, which is made (0700) if it is missing.
 * EEXIST: a key exists already; it is never replaced. A file in place of the
 * folder is set aside, which res names after success.
 */
apr_status_t acme_account_file_key_save(acme_store_t *store,
                                        const char *folder, acme_key_t *key,
                                        acme_result_t *res, apr_pool_t *p);

/*
 * Make a folder that is not there, with both files: it appears at once. A
 * keeper may work meanwhile; one caller at a time. EEXIST: it is there.
 */
apr_status_t acme_account_file_add(acme_store_t *store, const char *folder,
                                   const acme_account_file_t *account,
                                   acme_key_t *key, acme_result_t *res,
                                   apr_pool_t *p);

/*
 * Write account.json (0600); a NULL member is left out. The folder exists.
 * APR_EINVAL: a text is not UTF-8. After a failure the old file is there; after
 * a power failure it may be there again, unless the account is deactivated.
 */
apr_status_t acme_account_file_save(acme_store_t *store, const char *folder,
                                    const acme_account_file_t *account,
                                    acme_result_t *res, apr_pool_t *p);

/*
 * The key that will replace the account's (8555, 7.3.5): next-key.pem lies
 * beside key.pem until it is known which of both the CA has.
 *
 * Write next-key.pem (0600) into the folder, which exists, over an older one.
 */
apr_status_t acme_account_file_next_save(acme_store_t *store,
                                         const char *folder, acme_key_t *key,
                                         acme_result_t *res, apr_pool_t *p);

/* Load next-key.pem; *pkey is in p. ENOENT: there is none. */
apr_status_t acme_account_file_next_load(acme_key_t **pkey,
                                         acme_store_t *store,
                                         const char *folder,
                                         acme_result_t *res, apr_pool_t *p);

/*
 * Replace key.pem by next-key.pem in one rename; a copy of the old key.pem is
 * kept in aside/ before. ENOENT: there is no next-key.pem.
 */
apr_status_t acme_account_file_next_promote(acme_store_t *store,
                                            const char *folder,
                                            acme_result_t *res, apr_pool_t *p);

/* Move next-key.pem to aside/. Success if there is none. */
apr_status_t acme_account_file_next_drop(acme_store_t *store,
                                         const char *folder,
                                         acme_result_t *res, apr_pool_t *p);

#endif
