/*
 * acme_export_content.c - what a copy of a certificate has.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_cleanse.h"
#include "acme_export_content.h"
#include "acme_file.h"
#include "acme_password_file.h"
#include "acme_pem.h"
#include "acme_pkcs12.h"

#define KEY_MAX (64 * 1024)     /* octets of a file of the archive */
#define CHAIN_MAX (1024 * 1024)

/* What the archive has of one key type. */
typedef struct {
    const acme_export_source_t *of;
    acme_octets_t key;          /* PEM */
    acme_octets_t full;         /* PEM */
    apr_array_header_t *certs;  /* acme_octets_t, DER */
    apr_pool_t *p;
} source_t;

static apr_status_t read_file(acme_octets_t *octets, const source_t *source,
                              const char *name, apr_size_t max,
                              acme_result_t *res)
{
    const char *path = apr_pstrcat(source->p, source->of->folder, "/", name,
                                   source->of->suffix, ".pem", NULL);
    const char *data;
    apr_size_t len;
    const apr_status_t rv = acme_file_read_secret(&data, &len, path, max, res,
                                                  source->p);

    *octets = (acme_octets_t) { (const unsigned char *)data, len };
    return rv;
}

static apr_status_t read_source(source_t *source, acme_result_t *res)
{
    apr_status_t rv;

    rv = read_file(&source->key, source, "privkey", KEY_MAX, res);
    if (rv == APR_SUCCESS) {
        rv = read_file(&source->full, source, "fullchain", CHAIN_MAX, res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_pem_read(&source->certs, (const char *)source->full.data,
                           source->full.len, res, source->p);
    }
    return rv;
}

static acme_octets_t octets_of(const char *text)
{
    return (acme_octets_t) { (const unsigned char *)text, strlen(text) };
}

static acme_octets_t leaf_of(const source_t *source)
{
    apr_array_header_t leaf = *source->certs;

    leaf.nelts = 1;
    return octets_of(acme_pem_text(&leaf, 0, source->p));
}

static acme_octets_t chain_of(const source_t *source)
{
    return octets_of(acme_pem_text(source->certs, 1, source->p));
}

/* The key may lack the end of its last line. */
static acme_octets_t all_of(const source_t *source)
{
    const acme_octets_t *key = &source->key;
    unsigned char *data = acme_cleanse_alloc(key->len + 1 + source->full.len,
                                             source->p);
    apr_size_t len = key->len;

    memcpy(data, key->data, len);
    if (len && data[len - 1] != '\n') {
        data[len++] = '\n';
    }
    memcpy(data + len, source->full.data, source->full.len);
    return (acme_octets_t) { data, len + source->full.len };
}

static int is_same_pkcs12(void *baton, acme_octets_t file, apr_pool_t *p)
{
    return acme_pkcs12_is_of(file, baton, p);
}

/* It takes two derivations of a key from the password. */
static apr_status_t make_pkcs12(acme_octets_t *data, void *baton,
                                acme_result_t *res, apr_pool_t *p)
{
    return acme_pkcs12_make(data, baton, res, p);
}

static apr_status_t add_pkcs12(apr_array_header_t *files,
                               const source_t *source, acme_result_t *res)
{
    acme_pkcs12_t *pkcs12 = apr_pcalloc(source->p, sizeof(*pkcs12));
    apr_status_t rv;

    pkcs12->name = source->of->id;
    pkcs12->certs = source->certs;
    rv = acme_password_file_read(&pkcs12->password, source->of->password_file,
                                 res, source->p);
    if (rv == APR_SUCCESS) {
        rv = acme_key_parse(&pkcs12->key, (const char *)source->key.data,
                            "private key", res, source->p);
    }
    APR_ARRAY_PUSH(files, acme_outside_file_t) = (acme_outside_file_t) {
        .name = "cert.p12", .is_same = is_same_pkcs12, .make = make_pkcs12,
        .baton = pkcs12
    };
    return rv;
}

static void add(apr_array_header_t *files, const char *name,
                acme_octets_t data)
{
    APR_ARRAY_PUSH(files, acme_outside_file_t) = (acme_outside_file_t) {
        .name = name, .data = data
    };
}

static void add_pem(apr_array_header_t *files, const source_t *source,
                    int is_set)
{
    const int has_key = source->of->format == ACME_EXPORT_PEM;

    if (!is_set) {
        add(files, "", has_key ? all_of(source) : source->full);
        return;
    }
    if (has_key) {
        add(files, "privkey.pem", source->key);
    }
    add(files, "cert.pem", leaf_of(source));
    add(files, "chain.pem", chain_of(source));
    add(files, "fullchain.pem", source->full);
}

apr_status_t acme_export_content_make(apr_array_header_t **pfiles,
                                      const acme_export_source_t *source,
                                      int is_set, acme_result_t *res,
                                      apr_pool_t *p)
{
    apr_array_header_t *files =
        apr_array_make(p, 4, sizeof(acme_outside_file_t));
    source_t of = { .of = source, .p = p };
    apr_status_t rv;

    *pfiles = files;

    rv = read_source(&of, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    switch (source->format) {
    case ACME_EXPORT_KEY:
        add(files, "privkey.pem", of.key);
        return APR_SUCCESS;
    case ACME_EXPORT_CHAIN:
        add(files, "chain.pem", chain_of(&of));
        return APR_SUCCESS;
    case ACME_EXPORT_DER:
        add(files, "cert.der", APR_ARRAY_IDX(of.certs, 0, acme_octets_t));
        return APR_SUCCESS;
    case ACME_EXPORT_PKCS12:
        return add_pkcs12(files, &of, res);
    default:
        add_pem(files, &of, is_set);
        return APR_SUCCESS;
    }
}

apr_array_header_t *acme_export_content_names(apr_pool_t *p)
{
    static const char *const names[] = {
        "privkey.pem", "cert.pem", "chain.pem", "fullchain.pem", "cert.der",
        "cert.p12"
    };
    apr_array_header_t *all = apr_array_make(p, 6, sizeof(const char *));
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        APR_ARRAY_PUSH(all, const char *) = names[i];
    }
    return all;
}
