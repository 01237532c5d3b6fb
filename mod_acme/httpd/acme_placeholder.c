/*
 * acme_placeholder.c - what a vhost shows until it has its certificate.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_chain.h"
#include "acme_self_signed.h"
#include "acme_file.h"
#include "acme_name.h"
#include "acme_pair.h"
#include "acme_placeholder.h"

#define VALID apr_time_from_sec(14 * 24 * 3600)
#define VALID_LEFT apr_time_from_sec(24 * 3600)
#define KEY_FILE_MAX 16384      /* octets */

/* The folders of the keys that are stronger than the usual one. */
static const char *const folders[ACME_SELF_SIGNED_KINDS] = {
    [ACME_SELF_SIGNED_P256] = "",
    [ACME_SELF_SIGNED_P384] = "/p384",
    [ACME_SELF_SIGNED_P521] = "/p521"
};

/* One certificate that is looked for. */
typedef struct {
    const acme_placeholder_t *paths;
    const acme_cert_conf_t *cert;
    acme_self_signed_e kind;
    apr_time_t now;
} wanted_t;

static apr_status_t make_key(const char **pkey_pem, const wanted_t *wanted,
                             acme_result_t *res, apr_pool_t *p)
{
    const char *path = wanted->paths->key;
    apr_status_t rv = acme_self_signed_key(pkey_pem, wanted->kind, res, p);

    return rv == APR_SUCCESS
        ? acme_file_write(path, *pkey_pem, strlen(*pkey_pem), 0600, res, p)
        : rv;
}

/* mod_ssl loads it, with each of the lists of ciphers that it is for. */
static int is_good(const wanted_t *wanted, acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_info_t *leaf;
    acme_chain_t *chain;

    if (acme_pair_check(wanted->paths->cert, wanted->paths->key,
                        wanted->cert->ciphers, res)
        || acme_chain_load(&chain, wanted->paths->cert, res, p)) {
        return 0;
    }
    leaf = acme_chain_leaf(chain);
    return acme_name_all_in(wanted->cert->names, leaf->names)
        && leaf->not_before <= wanted->now
        && leaf->not_after > wanted->now + VALID_LEFT;
}

/* With the key that is there, or with a new one where there is none. */
static apr_status_t make_cert(const wanted_t *wanted, acme_result_t *res,
                              apr_pool_t *p)
{
    acme_self_signed_t from = { .names = wanted->cert->names,
                                .now = wanted->now, .valid = VALID };
    apr_size_t len;
    const char *pem;
    apr_status_t rv;
    int is_key_good;

    rv = acme_file_read_secret(&from.key_pem, &len, wanted->paths->key,
                               KEY_FILE_MAX, res, p);
    is_key_good = rv == APR_SUCCESS;
    if (is_key_good) {
        rv = acme_self_signed_make(&pem, &from, res, p);
        is_key_good = rv != APR_EINVAL;
    }
    /* All of a load share the key: a good one is never replaced. */
    if (!is_key_good && from.names->nelts) {
        rv = make_key(&from.key_pem, wanted, res, p);
        if (rv == APR_SUCCESS) {
            rv = acme_self_signed_make(&pem, &from, res, p);
        }
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* Without a sync: what a power failure leaves of it is made again. */
    return acme_file_replace(wanted->paths->cert, pem, strlen(pem), 0644, res,
                             p);
}

apr_status_t acme_placeholder_find(acme_placeholder_t *found,
                                   const char *folder,
                                   const acme_cert_conf_t *cert,
                                   apr_time_t now, acme_result_t *res,
                                   apr_pool_t *p)
{
    wanted_t wanted = { .paths = found, .cert = cert, .now = now };
    apr_status_t rv = APR_SUCCESS;
    int kind, ignored;

    for (kind = 0; kind < ACME_SELF_SIGNED_KINDS; kind++) {
        const char *path = apr_pstrcat(p, folder, folders[kind], NULL);

        wanted.kind = (acme_self_signed_e)kind;
        *found = (acme_placeholder_t) {
            .key = apr_pstrcat(p, path, "/key.pem", NULL),
            .cert = apr_pstrcat(p, path, "/", cert->id, ".crt", NULL)
        };
        if (kind > 0) {
            rv = acme_file_dir_put(&ignored, path, 0700, res);
        }
        if (rv == APR_SUCCESS && is_good(&wanted, res, p)) {
            return APR_SUCCESS;
        }
        if (rv == APR_SUCCESS) {
            rv = make_cert(&wanted, res, p);
        }
        if (rv != APR_SUCCESS) {
            return rv;          /* a stronger one would fail as well */
        }
        rv = acme_pair_check(found->cert, found->key, cert->ciphers, res);
        if (rv != APR_EINVAL) {
            return rv;
        }
        rv = APR_SUCCESS;
    }
    return APR_EINVAL;
}
