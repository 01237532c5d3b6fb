/*
 * acme_placeholder.c - what a vhost shows until it has its certificate.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_chain.h"
#include "acme_self_signed.h"
#include "acme_file.h"
#include "acme_name.h"
#include "acme_placeholder.h"

#define VALID apr_time_from_sec(14 * 24 * 3600)
#define VALID_LEFT apr_time_from_sec(24 * 3600)

static apr_status_t find_placeholder_key(acme_key_t **pkey, const char *path,
                                         acme_result_t *res, apr_pool_t *p)
{
    const char *pem;
    apr_status_t rv;

    if (acme_key_load(pkey, path, res, p) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    rv = acme_key_generate(pkey, ACME_KEY_P256, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_key_pem(&pem, *pkey, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_file_write(path, pem, strlen(pem), 0600, res, p);
    }
    return rv;
}

static int is_good(const char *path, acme_key_t *key,
                   const acme_cert_conf_t *cert, apr_time_t now,
                   apr_pool_t *p)
{
    const acme_cert_info_t *leaf;
    acme_chain_t *chain;
    acme_result_t res;

    if (acme_chain_load(&chain, path, &res, p)) {
        return 0;
    }
    leaf = acme_chain_leaf(chain);
    return acme_chain_has_key(chain, key)
        && acme_name_all_in(cert->names, leaf->names)
        && leaf->not_before <= now && leaf->not_after > now + VALID_LEFT;
}

apr_status_t acme_placeholder_find(acme_placeholder_t *found,
                                   const char *folder,
                                   const acme_cert_conf_t *cert,
                                   apr_time_t now, acme_result_t *res,
                                   apr_pool_t *p)
{
    const char *pem;
    acme_self_signed_t from = { .names = cert->names, .now = now,
                                .valid = VALID };
    acme_key_t *key;
    apr_status_t rv;

    found->key = apr_pstrcat(p, folder, "/key.pem", NULL);
    found->cert = apr_pstrcat(p, folder, "/", cert->id, ".crt", NULL);
    rv = find_placeholder_key(&key, found->key, res, p);
    if (rv != APR_SUCCESS || is_good(found->cert, key, cert, now, p)) {
        return rv;
    }
    from.key = key;
    rv = acme_self_signed_make(&pem, &from, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_file_write(found->cert, pem, strlen(pem), 0644, res, p);
    }
    return rv;
}
