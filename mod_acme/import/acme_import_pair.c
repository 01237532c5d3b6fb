/*
 * acme_import_pair.c - a certificate and its key in another client's folder.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_chain.h"
#include "acme_import_pair.h"
#include "acme_import_words.h"
#include "acme_known_ca.h"
#include "acme_name.h"
#include "acme_pair.h"
#include "acme_pem.h"
#include "acme_public_key.h"
#include "acme_self_signed.h"
#include "acme_time.h"
#include "acme_url.h"

/* Clocks may differ. */
#define TOLERANCE apr_time_from_sec(300)

/* The texts as archives have them: each certificate alone, nothing between. */
static apr_status_t split(acme_import_part_t *part, const char *full,
                          acme_result_t *res, apr_pool_t *p)
{
    apr_array_header_t *ders, *leaf;
    apr_status_t rv = acme_pem_read(&ders, full, strlen(full), res, p);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    leaf = apr_array_make(p, 1, sizeof(acme_octets_t));
    APR_ARRAY_PUSH(leaf, acme_octets_t) = APR_ARRAY_IDX(ders, 0,
                                                        acme_octets_t);
    part->cert_pem = acme_pem_text(leaf, 0, p);
    part->chain_pem = acme_pem_text(ders, 1, p);
    part->full_pem = acme_pem_text(ders, 0, p);
    return APR_SUCCESS;
}

static apr_status_t read_texts(const char **pkey, const char **pfull,
                               const acme_import_file_tree_t *tree,
                               const acme_import_pair_files_t *files,
                               acme_result_t *res)
{
    const char *chain = NULL;
    apr_status_t rv;

    rv = acme_import_file_text(pfull, tree,
                               files->full ? files->full : files->leaf, res);
    if (rv == APR_SUCCESS && !files->full && files->chain) {
        rv = acme_import_file_text(&chain, tree, files->chain, res);
        if (APR_STATUS_IS_ENOENT(rv)) {
            rv = APR_SUCCESS;
        }
        else if (rv == APR_SUCCESS) {
            *pfull = apr_pstrcat(tree->p, *pfull, "\n", chain, NULL);
        }
    }
    return rv ? rv : acme_import_file_text(pkey, tree, files->key, res);
}

/* Is it good to be served at now? Else res says why not. */
static apr_status_t check_leaf(const acme_chain_t *chain,
                               const acme_cert_info_t *leaf, apr_time_t now,
                               acme_result_t *res, apr_pool_t *p)
{
    if (leaf->not_after <= now) {
        return acme_fail_never(res, APR_EINVAL,
                               "the certificate expired at %s",
                               acme_time_text(leaf->not_after, p));
    }
    if (leaf->not_before > now + TOLERANCE) {
        return acme_fail_never(
            res, APR_EINVAL,
            "the certificate is not valid before %s; check this machine's clock",
            acme_time_text(leaf->not_before, p));
    }
    if (!leaf->names->nelts) {
        return acme_fail_never(res, APR_EINVAL,
                               "the certificate has no name of a server");
    }
    if (acme_self_signed_is(chain)) {
        return acme_fail_never(res, APR_EINVAL,
                               "the certificate is self-signed");
    }
    if (acme_import_found_is_test_issuer(leaf->issuer)
        || acme_import_found_is_test_issuer(acme_chain_topmost(chain, p))) {
        return acme_fail_never(
            res, APR_EINVAL,
            "the certificate is of a CA for tests, %s: browsers do not trust it",
            leaf->issuer);
    }
    return APR_SUCCESS;
}

static apr_status_t read_pair(acme_import_part_t *part,
                              const acme_import_found_t *found,
                              const acme_import_file_tree_t *tree,
                              const acme_import_pair_files_t *files,
                              acme_result_t *res)
{
    const char *name = files->full ? files->full : files->leaf;
    apr_pool_t *p = tree->p;
    const char *full, *key_text;
    acme_octets_t pem, public;
    acme_result_t ignored;
    acme_chain_t *chain;
    acme_key_t *key;
    apr_status_t rv;

    rv = read_texts(&key_text, &full, tree, files, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_chain_parse(&chain, full, strlen(full), res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, name);
        return rv;
    }
    part->leaf = acme_chain_leaf(chain);
    rv = check_leaf(chain, part->leaf, found->now, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_key_parse(&key, key_text, files->key, res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    pem = (acme_octets_t) { (const unsigned char *)full, strlen(full) };
    rv = acme_pair_check_certs(&public, pem, NULL, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, name);
        return rv;
    }
    if (!acme_public_key_is_same(public, acme_public_key_of(key, p))) {
        return acme_fail_never(res, APR_EINVAL,
                               "%s: not the key of the certificate in %s",
                               files->key, name);
    }
    if (!acme_key_type(&part->type, key, &ignored)) {
        part->key_type = acme_key_type_name(part->type);
    }
    rv = acme_key_pem(&part->key_pem, key, res, p);
    return rv ? rv : split(part, full, res, p);
}

void acme_import_pair_add(acme_import_cert_t *cert,
                          const acme_import_found_t *found,
                          const acme_import_file_tree_t *tree,
                          const acme_import_pair_files_t *files)
{
    acme_import_part_t part = { NULL };
    acme_result_t res;
    int i;

    if (cert->fault) {
        return;
    }
    if (read_pair(&part, found, tree, files, &res)) {
        cert->fault = apr_pstrdup(found->p, res.detail);
        return;
    }
    for (i = 0; i < cert->parts->nelts; i++) {
        const char *other = APR_ARRAY_IDX(cert->parts, i,
                                          acme_import_part_t).key_type;

        if (!part.key_type || !other || !strcmp(part.key_type, other)) {
            acme_import_found_add(cert->notes,
                                  "%s: a second certificate with a key of this kind is not taken",
                                  files->full ? files->full : files->leaf);
            return;
        }
    }
    APR_ARRAY_PUSH(cert->parts, acme_import_part_t) = part;
}

static const char *key_types(const acme_import_cert_t *cert, apr_pool_t *p)
{
    const char *text = NULL;
    int i;

    for (i = 0; i < cert->parts->nelts; i++) {
        const char *type = APR_ARRAY_IDX(cert->parts, i,
                                         acme_import_part_t).key_type;

        if (!type) {
            return NULL;
        }
        text = text ? apr_pstrcat(p, text, " ", type, NULL) : type;
    }
    return text;
}

static void add_ca(acme_import_cert_t *cert, const acme_import_found_t *found)
{
    const acme_known_ca_t *known = acme_known_ca_of_url(cert->ca, found->p);

    if (!known || strcmp(known->directory, cert->ca) != 0) {
        acme_import_found_add(cert->lines, "AcmeCA %s",
                              acme_import_words_quote(cert->ca, found->p));
    }
    else if (strcmp(known->shorthand, "letsencrypt") != 0) {
        acme_import_found_add(cert->lines, "AcmeCA %s", known->shorthand);
    }
}

void acme_import_pair_end(acme_import_cert_t *cert,
                          const acme_import_found_t *found)
{
    const acme_cert_info_t *leaf;
    acme_result_t res;
    const char *types;
    int i, special = 0;

    if (!cert->fault && !cert->parts->nelts) {
        cert->fault = "it has no certificate";
    }
    if (!cert->fault && !cert->ca) {
        cert->fault = "its CA is not known: give the URL of the CA's directory with --ca";
    }
    if (!cert->fault && acme_url_check(cert->ca, &res, found->p)) {
        cert->fault = apr_pstrdup(found->p, res.detail);
    }
    if (!cert->fault && !acme_import_words_quote(cert->ca, found->p)) {
        cert->fault = "the URL of its CA cannot be written as a directive";
    }
    if (!cert->fault && acme_import_found_is_test_ca(cert->ca, found->p)) {
        cert->fault = "it is of a CA for tests: browsers do not trust it";
    }
    if (cert->fault) {
        return;
    }
    leaf = APR_ARRAY_IDX(cert->parts, 0, acme_import_part_t).leaf;
    add_ca(cert, found);
    types = key_types(cert, found->p);
    if (!types) {
        acme_import_found_add(cert->notes,
                              "its key is of a size that AcmeKeyTypes does not have; it is kept until the renewal, which makes a key of AcmeKeyTypes");
    }
    else if (strcmp(types, "p256") != 0) {
        acme_import_found_add(cert->lines, "AcmeKeyTypes %s", types);
    }
    for (i = 0; i < leaf->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(leaf->names, i, const char *);

        special |= acme_name_is_wildcard(name) || acme_name_is_ip(name);
    }
    if (special) {
        acme_import_found_add(cert->lines, "AcmeNames %s",
                              apr_array_pstrcat(found->p, leaf->names, ' '));
    }
    if (leaf->must_staple || cert->must_staple) {
        acme_import_found_add(cert->lines, "AcmeMustStaple on");
    }
}
