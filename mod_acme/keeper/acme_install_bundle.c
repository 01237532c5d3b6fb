/*
 * acme_install_bundle.c - the contents of an archive.
 */
#include <string.h>

#include "acme_install_bundle.h"
#include "acme_cert_reader.h"
#include "acme_file.h"
#include "acme_install_issued.h"
#include "acme_install_pending.h"

#define KEY_SIZE_MAX (16 * 1024)

acme_install_bundle_t *acme_install_bundle_make(const acme_install_part_t *in)
{
    acme_install_bundle_t *bundle = apr_pcalloc(in->p, sizeof(*bundle));

    bundle->archive.parts = apr_array_make(in->p, 2,
                                           sizeof(acme_archive_part_t));
    bundle->meta.parts = apr_array_make(in->p, 2, sizeof(acme_meta_part_t));
    bundle->meta.now = in->now;
    bundle->meta.id = in->cert->id;
    bundle->meta.ca = acme_conf_ca(in->conf, in->cert, in->about.ca)->url;
    bundle->meta.profile = in->cert->profile;
    bundle->meta.must_staple = in->cert->must_staple;
    bundle->meta.digest = in->cert->digest;
    bundle->meta.key_types = acme_conf_key_types(in->cert, in->p);
    return bundle;
}

static void add_part(acme_install_bundle_t *bundle,
                     const acme_install_part_t *in, apr_uint32_t part,
                     const acme_cert_reading_t *chain, const char *key_pem,
                     const char *url)
{
    acme_archive_part_t *files = apr_array_push(bundle->archive.parts);
    acme_meta_part_t *meta = apr_array_push(bundle->meta.parts);

    files->suffix = acme_conf_suffix(in->cert, part);
    files->key_pem = key_pem;
    files->cert_pem = chain->leaf_pem;
    files->chain_pem = chain->rest_pem;
    files->full_pem = chain->full_pem;
    meta->key_type = acme_conf_key_type(in->cert, part);
    meta->is_other_type = 0;
    meta->leaf = &chain->facts.leaf;
    meta->url = url;
    bundle->names = meta->leaf->names;
}

apr_status_t acme_install_bundle_add_pending(
    acme_install_bundle_t *bundle, int *pwaits, const acme_install_part_t *in,
    const acme_install_brought_t *brought)
{
    const acme_cert_conf_t *cert = in->cert;
    const char *folder = acme_conf_ca(in->conf, cert, in->about.ca)->folder;
    acme_target_t part = in->about;
    acme_result_t res;

    *pwaits = 0;
    for (part.part = 0; part.part < acme_conf_parts(cert); part.part++) {
        const int is_brought = brought->chain && part.part == in->about.part;
        acme_pending_t *pending;
        acme_cert_reading_t *chain = brought->chain;
        apr_status_t rv;

        rv = acme_install_pending_find(&pending, in->registry, &part, in->res,
                                       in->p);
        if (APR_STATUS_IS_ENOENT(rv)
            || (rv == APR_SUCCESS
                && ((!is_brought && !pending->issued) || !pending->account
                    || strcmp(pending->account, folder)))) {
            *pwaits = 1;
            return APR_SUCCESS;
        }
        if (rv == APR_SUCCESS && is_brought) {
            add_part(bundle, in, part.part, chain, pending->key_pem,
                     brought->url);
            continue;
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rv = acme_install_issued_read(&chain, in, pending->chain_pem,
                                      strlen(pending->chain_pem));
        if (rv == APR_SUCCESS) {
            rv = acme_install_issued_check(in, chain, pending);
        }
        if (rv != APR_SUCCESS && rv != APR_EINVAL) {
            return rv;          /* of the chain nothing is known */
        }
        if (rv != APR_SUCCESS) {
            *pwaits = 1;
            acme_log(in->log, ACME_LOG_WARNING, cert->id,
                     "the certificate issued for %s is ordered again: %s",
                     acme_key_type_name(acme_conf_key_type(cert, part.part)),
                     in->res->detail);
            if (acme_pending_reorder(
                    in->store,
                    acme_install_pending_name(cert, part.part, in->p), &res,
                    in->p)) {
                acme_log(in->log, ACME_LOG_WARNING, cert->id, "%s",
                         res.detail);
            }
            return rv;
        }
        add_part(bundle, in, part.part, chain, pending->key_pem,
                 pending->cert_url);
    }
    return APR_SUCCESS;
}

static apr_status_t load_chain(acme_cert_reading_t **pchain,
                               const acme_install_part_t *in, const char *path)
{
    apr_status_t rv = acme_cert_reader_load(pchain, path, in->cert->ciphers,
                                            in->res, in->p);

    if (rv == APR_SUCCESS && (*pchain)->facts.parsed.status != APR_SUCCESS) {
        *in->res = (*pchain)->facts.parsed;
        acme_result_prefix(in->res, path);
        rv = in->res->status;
    }
    return rv;
}

apr_status_t acme_install_bundle_add_live(acme_install_bundle_t *bundle,
                                          const acme_install_part_t *in,
                                          acme_cert_reading_t *new_chain)
{
    apr_status_t rv = APR_SUCCESS;
    apr_uint32_t part;

    for (part = 0; rv == APR_SUCCESS && part < acme_conf_parts(in->cert);
         part++) {
        acme_cert_reading_t *chain = new_chain;
        const char *key_pem;
        apr_size_t len;

        rv = acme_file_read_secret(
            &key_pem, &len, acme_install_part_live_path(in, "privkey", part),
            KEY_SIZE_MAX, in->res, in->p);
        if (rv == APR_SUCCESS && part != in->about.part) {
            rv = load_chain(&chain, in,
                            acme_install_part_live_path(in, "fullchain",
                                                        part));
        }
        if (rv == APR_SUCCESS && part == in->about.part) {
            rv = acme_install_issued_check_loads(in, chain);
        }
        if (rv == APR_SUCCESS) {
            add_part(bundle, in, part, chain, key_pem,
                     acme_meta_url(in->store, in->cert->id, part, in->p));
        }
    }
    return rv;
}
