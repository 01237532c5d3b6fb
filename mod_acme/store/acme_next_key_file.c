/*
 * acme_next_key_file.c - next/<id>/<type>.pem: the key that the next
 * certificate of a key type gets.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "acme_file.h"
#include "acme_next_key_file.h"

#define KEY_SIZE_MAX (16 * 1024)

const char *acme_next_key_file_name(const char *id, acme_key_type_e type,
                                    apr_pool_t *p)
{
    return apr_pstrcat(p, id, "/", acme_key_type_name(type), ".pem", NULL);
}

static const char *file_path(const acme_store_t *store, const char *id,
                             acme_key_type_e type, apr_pool_t *p)
{
    return acme_store_path(store, "next",
                           acme_next_key_file_name(id, type, p), p);
}

/* APR_EGENERAL: it is not a key of this type. */
static apr_status_t parse_key(acme_key_t **pkey, const char *pem,
                              const char *path, acme_key_type_e type,
                              acme_result_t *res, apr_pool_t *p)
{
    acme_key_type_e found;
    acme_key_t *key;

    if (acme_key_parse(&key, pem, path, res, p)) {
        return APR_EGENERAL;
    }
    if (acme_key_type(&found, key, res) || found != type) {
        return acme_fail(res, APR_EGENERAL, "%s: not a key of the type %s",
                         path, acme_key_type_name(type));
    }
    *pkey = key;
    return APR_SUCCESS;
}

apr_status_t acme_next_key_file_load(acme_key_t **pkey, apr_time_t *pmade,
                                     acme_store_t *store, const char *id,
                                     acme_key_type_e type, acme_result_t *res,
                                     apr_pool_t *p)
{
    const char *path = file_path(store, id, type, p);
    const char *pem;
    apr_status_t rv;
    apr_size_t len;
    struct stat st;

    *pkey = NULL;
    *pmade = 0;

    if (lstat(path, &st)) {
        return errno == ENOTDIR
            ? acme_fail(res, APR_ENOENT, "%s: there is no next key", path)
            : acme_fail_errno(res, errno, "%s: cannot examine it", path);
    }
    rv = acme_file_read_secret(&pem, &len, path, KEY_SIZE_MAX, res, p);
    if (rv == APR_SUCCESS) {
        rv = parse_key(pkey, pem, path, type, res, p);
    }
    if (rv == APR_EGENERAL) {
        return acme_store_damaged(store, path, res, p);
    }
    if (rv == APR_SUCCESS) {
        *pmade = apr_time_from_sec(st.st_mtime);
    }
    return rv;
}

apr_status_t acme_next_key_file_save(acme_store_t *store, const char *id,
                                     acme_key_type_e type, acme_key_t *key,
                                     acme_result_t *res, apr_pool_t *p)
{
    const char *pem;
    apr_status_t rv;

    acme_result_clear(res);

    rv = acme_key_pem(&pem, key, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_store_dir(store, acme_store_path(store, "next", id, p), 0700,
                            res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return acme_file_write(file_path(store, id, type, p), pem, strlen(pem),
                           0600, res, p);
}

apr_status_t acme_next_key_file_remove(acme_store_t *store, const char *id,
                                       acme_key_type_e type,
                                       acme_result_t *res, apr_pool_t *p)
{
    const char *path = file_path(store, id, type, p);

    acme_result_clear(res);
    return unlink(path) && errno != ENOENT && errno != ENOTDIR
        ? acme_fail_errno(res, errno, "%s: cannot remove", path)
        : APR_SUCCESS;
}

static int is_among(const apr_array_header_t *types, acme_key_type_e type)
{
    int i;

    for (i = 0; i < types->nelts; i++) {
        if (APR_ARRAY_IDX(types, i, acme_key_type_e) == type) {
            return 1;
        }
    }
    return 0;
}

apr_status_t acme_next_key_file_prune(acme_store_t *store, const char *id,
                                      const apr_array_header_t *types,
                                      acme_result_t *res, apr_pool_t *p)
{
    int i;

    acme_result_clear(res);

    if (!types) {
        return acme_file_dir_remove(acme_store_path(store, "next", id, p), res,
                                    p);
    }
    for (i = ACME_KEY_P256; i <= ACME_KEY_RSA4096; i++) {
        const acme_key_type_e type = (acme_key_type_e)i;
        apr_status_t rv;

        if (is_among(types, type)) {
            continue;
        }
        rv = acme_next_key_file_remove(store, id, type, res, p);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}
