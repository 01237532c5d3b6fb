/*
 * acme_next_key_file.h - next/<id>/<type>.pem: the key that the next
 * certificate of a key type gets. (AcmeKeyReuse next)
 *
 * Folder 0700, files 0600. The time of the file is when the key was made: what
 * restores it without its time makes it younger, and so only waits longer.
 */
#ifndef ACME_NEXT_KEY_FILE_H
#define ACME_NEXT_KEY_FILE_H

#include "acme_key.h"
#include "acme_store.h"

/* "<id>/p256.pem" in p: the file's path below next/. */
const char *acme_next_key_file_name(const char *id, acme_key_type_e type,
                                    apr_pool_t *p);

/*
 * Load the next key of this type: *pkey is in p, *pmade when it was made.
 *
 * On failure *pkey is NULL and *pmade 0. ENOENT: there is none, which is
 * ordinary. APR_EGENERAL: the file was damaged, or has a key of another type,
 * and is set aside, which res names. Else it cannot be read, and stays.
 */
apr_status_t acme_next_key_file_load(acme_key_t **pkey, apr_time_t *pmade,
                                     acme_store_t *store, const char *id,
                                     acme_key_type_e type, acme_result_t *res,
                                     apr_pool_t *p);

/*
 * Write the next key of this type over an older one; it is made now. A file in
 * place of the folder is set aside, which res names after success.
 */
apr_status_t acme_next_key_file_save(acme_store_t *store, const char *id,
                                     acme_key_type_e type, acme_key_t *key,
                                     acme_result_t *res, apr_pool_t *p);

/* Remove the next key of this type. Success if there is none. */
apr_status_t acme_next_key_file_remove(acme_store_t *store, const char *id,
                                       acme_key_type_e type,
                                       acme_result_t *res, apr_pool_t *p);

/*
 * Remove the next keys of id, but those of the types (acme_key_type_e); types
 * NULL: all, and the folder. Success if there is nothing.
 */
apr_status_t acme_next_key_file_prune(acme_store_t *store, const char *id,
                                      const apr_array_header_t *types,
                                      acme_result_t *res, apr_pool_t *p);

#endif
