/*
 * acme_json_file.h - a file of the store that is one JSON object.
 */
#ifndef ACME_JSON_FILE_H
#define ACME_JSON_FILE_H

#include "acme_file.h"
#include "acme_json.h"
#include "acme_store.h"

/*
 * Read the file at path, of at most max octets. APR_STATUS_IS_ENOENT() when
 * there is none, which callers expect. One that is too long, not a file or not
 * a JSON object is set aside: APR_EGENERAL. *pjson, in p, is NULL then.
 */
apr_status_t acme_json_file_load(json_t **pjson, acme_store_t *store,
                                 const char *path, apr_size_t max,
                                 acme_result_t *res, apr_pool_t *p);

/* The same for those who only look: a damaged file stays where it is. */
apr_status_t acme_json_file_look(json_t **pjson, const char *path,
                                 apr_size_t max, acme_result_t *res,
                                 apr_pool_t *p);

/*
 * As the object says nothing that its reader can use: res gets the fault, that
 * path is not what (such as "a journal of this version"), and the file is set
 * aside. Always returns APR_EGENERAL.
 */
apr_status_t acme_json_file_refuse(acme_store_t *store, const char *path,
                                   const char *what, acme_result_t *res,
                                   apr_pool_t *p);

/*
 * Replace the file at path, as acme_file_write() does, and consume json. It is
 * what json_pack() returned: NULL, because a text is not UTF-8, is APR_EINVAL.
 */
apr_status_t acme_json_file_save(const char *path, json_t *json, mode_t mode,
                                 acme_result_t *res, apr_pool_t *p);

/* The same, as another function of acme_file.h writes it. */
apr_status_t acme_json_file_write(acme_file_write_fn *how, const char *path,
                                  json_t *json, mode_t mode,
                                  acme_result_t *res, apr_pool_t *p);

#endif
