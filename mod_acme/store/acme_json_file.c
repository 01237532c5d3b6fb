/*
 * acme_json_file.c - a file of the store that is one JSON object.
 */
#include <string.h>

#include "acme_json_file.h"

apr_status_t acme_json_file_look(json_t **pjson, const char *path,
                                 apr_size_t max, acme_result_t *res,
                                 apr_pool_t *p)
{
    const char *body;
    apr_size_t len;
    apr_status_t rv;

    *pjson = NULL;

    rv = acme_file_read(&body, &len, path, max, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return acme_json_parse(pjson, body, len, path, res, p) ? APR_EGENERAL
                                                           : APR_SUCCESS;
}

apr_status_t acme_json_file_load(json_t **pjson, acme_store_t *store,
                                 const char *path, apr_size_t max,
                                 acme_result_t *res, apr_pool_t *p)
{
    const apr_status_t rv = acme_json_file_look(pjson, path, max, res, p);

    return rv == APR_EGENERAL ? acme_store_damaged(store, path, res, p) : rv;
}

apr_status_t acme_json_file_refuse(acme_store_t *store, const char *path,
                                   const char *what, acme_result_t *res,
                                   apr_pool_t *p)
{
    acme_fail(res, APR_EGENERAL, "%s: not %s", path, what);
    return acme_store_damaged(store, path, res, p);
}

apr_status_t acme_json_file_write(acme_file_write_fn *how, const char *path,
                                  json_t *json, mode_t mode,
                                  acme_result_t *res, apr_pool_t *p)
{
    const char *text =
        json ? acme_json_text(acme_json_own(json, p), 2, p) : NULL;

    if (!text) {
        return acme_fail(res, APR_EINVAL, "%s: a text is not UTF-8", path);
    }
    return how(path, text, strlen(text), mode, res, p);
}

apr_status_t acme_json_file_save(const char *path, json_t *json, mode_t mode,
                                 acme_result_t *res, apr_pool_t *p)
{
    return acme_json_file_write(acme_file_write, path, json, mode, res, p);
}
