/*
 * acme_import_store.h - accounts and certificates that were found, written
 * into the store.
 *
 * With the store's lock nobody else writes. Without it a keeper may, so only
 * what it does not have is added: an account's folder, and an id with its
 * first archive, each of which appears in one rename(2). The keeper loads an
 * account when it needs one, and a certificate when httpd is loaded.
 */
#ifndef ACME_IMPORT_STORE_H
#define ACME_IMPORT_STORE_H

#include "acme_import_found.h"
#include "acme_import_report.h"
#include "acme_store.h"

typedef struct acme_import_store_t acme_import_store_t;

/*
 * Open the store at root: *pstore is in p. With is_dry nothing is touched, and
 * the lock only tested. Fails as acme_store_open() does, with APR_EBUSY when
 * another import runs, and with EPERM when root is the client's folder, is in
 * it, or holds it, or is a folder that has something and is not a store.
 */
apr_status_t acme_import_store_open(acme_import_store_t **pstore,
                                    const char *root, const char *client,
                                    int is_dry,
                                    acme_result_t *res, apr_pool_t *p);

/* Let others in again. */
void acme_import_store_close(acme_import_store_t *store);

/* Does it have a certificate that is none of these (acme_import_item_t)? p is
   for scratch. */
int acme_import_store_has_others(const acme_import_store_t *store,
                                 const apr_array_header_t *items,
                                 apr_pool_t *p);

/* Is there a keeper that uses the store? */
int acme_import_store_is_beside(const acme_import_store_t *store);

/*
 * Add an account without a fault. APR_EEXIST: it is there already, and res is
 * empty; EPERM: the store has another one, which stays. Else a failure of
 * writing.
 */
apr_status_t acme_import_store_account(acme_import_store_t *store,
                                       const acme_import_account_t *account,
                                       acme_result_t *res, apr_pool_t *p);

/* The id that a certificate gets, in p; NULL: none can be made. */
const char *acme_import_store_id(const acme_import_cert_t *cert,
                                 apr_pool_t *p);

/* The same of a certificate without a fault, under this id. */
apr_status_t acme_import_store_cert(acme_import_store_t *store,
                                    const acme_import_cert_t *cert,
                                    const char *id, apr_time_t now,
                                    acme_result_t *res, apr_pool_t *p);

#endif
