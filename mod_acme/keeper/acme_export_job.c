/*
 * acme_export_job.c - one copy of AcmeExport, written by a process of its own.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_cleanse.h"
#include "acme_export_job.h"
#include "acme_file.h"
#include "acme_no_x509.h"
#include "acme_outside.h"
#include "acme_password_file.h"
#include "acme_pem.h"
#include "acme_pkcs12.h"

#define KEY_MAX (64 * 1024)     /* octets of a file of the archive */
#define CHAIN_MAX (1024 * 1024)

/* What the archive has of one key type. */
typedef struct {
    const acme_cert_conf_t *cert;
    const acme_export_conf_t *export;
    acme_octets_t key;          /* PEM */
    acme_octets_t full;         /* PEM */
    apr_array_header_t *certs;  /* acme_octets_t, DER */
    acme_pkcs12_t pkcs12;       /* with a password: all of it */
    apr_pool_t *p;
} source_t;

const acme_export_conf_t *acme_export_job_find(const acme_conf_t *conf,
                                               apr_uint32_t cert,
                                               apr_uint32_t index)
{
    const acme_cert_conf_t *of = conf ? acme_conf_cert(conf, cert) : NULL;

    return of && of->served && of->exports
           && index < (apr_uint32_t)of->exports->nelts
        ? &APR_ARRAY_IDX(of->exports, index, acme_export_conf_t) : NULL;
}

static apr_status_t read_file(acme_octets_t *octets, const char *path,
                              apr_size_t max, acme_result_t *res,
                              apr_pool_t *p)
{
    const char *data;
    apr_size_t len;
    const apr_status_t rv = acme_file_read_secret(&data, &len, path, max, res,
                                                  p);

    *octets = (acme_octets_t) { (const unsigned char *)data, len };
    return rv;
}

/* Of the archive, not of live/<id>: that may be newer than what is served. */
static apr_status_t read_source(source_t *source, const acme_conf_t *conf,
                                acme_result_t *res)
{
    apr_pool_t *p = source->p;
    const char *suffix = acme_conf_suffix(source->cert, source->export->part);
    const char *folder =
        acme_archive_path(acme_store_at(conf->state_dir, p), source->cert->id,
                          source->cert->served, p);
    apr_status_t rv;

    rv = read_file(&source->key,
                   apr_pstrcat(p, folder, "/privkey", suffix, ".pem", NULL),
                   KEY_MAX, res, p);
    if (rv == APR_SUCCESS) {
        rv = read_file(&source->full,
                       apr_pstrcat(p, folder, "/fullchain", suffix, ".pem",
                                   NULL), CHAIN_MAX, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_pem_read(&source->certs, (const char *)source->full.data,
                           source->full.len, res, p);
    }
    return rv;
}

static apr_status_t read_pkcs12(source_t *source, acme_result_t *res)
{
    acme_pkcs12_t *pkcs12 = &source->pkcs12;
    apr_status_t rv;

    if (source->export->format != ACME_EXPORT_PKCS12) {
        return APR_SUCCESS;
    }
    pkcs12->name = source->cert->id;
    pkcs12->certs = source->certs;
    rv = acme_password_file_read(&pkcs12->password,
                                 source->export->password_file, res,
                                 source->p);
    if (rv == APR_SUCCESS) {
        rv = acme_key_parse(&pkcs12->key, (const char *)source->key.data,
                            "private key", res, source->p);
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

static void add(apr_array_header_t *files, const char *name,
                acme_octets_t data)
{
    APR_ARRAY_PUSH(files, acme_outside_file_t) = (acme_outside_file_t) {
        .name = name, .data = data
    };
}

/* acme_outside_file_t: the one file, or those of a folder. */
static void make_files(apr_array_header_t *files, source_t *source, int is_set)
{
    const acme_export_e format = source->export->format;

    switch (format) {
    case ACME_EXPORT_KEY:
        add(files, "privkey.pem", source->key);
        return;
    case ACME_EXPORT_CHAIN:
        add(files, "chain.pem", chain_of(source));
        return;
    case ACME_EXPORT_DER:
        add(files, "cert.der", APR_ARRAY_IDX(source->certs, 0, acme_octets_t));
        return;
    case ACME_EXPORT_PKCS12:
        APR_ARRAY_PUSH(files, acme_outside_file_t) = (acme_outside_file_t) {
            .name = "cert.p12", .is_same = is_same_pkcs12,
            .make = make_pkcs12, .baton = &source->pkcs12
        };
        return;
    case ACME_EXPORT_PEM:
    case ACME_EXPORT_FULLCHAIN:
        break;
    }
    if (!is_set) {
        add(files, "", format == ACME_EXPORT_PEM ? all_of(source)
                                                 : source->full);
        return;
    }
    if (format == ACME_EXPORT_PEM) {
        add(files, "privkey.pem", source->key);
    }
    add(files, "cert.pem", leaf_of(source));
    add(files, "chain.pem", chain_of(source));
    add(files, "fullchain.pem", source->full);
}

/* All that a folder may have, of whatever format it was. */
static apr_array_header_t *names_of_sets(apr_pool_t *p)
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

apr_status_t acme_export_job_write(int *pwritten, const acme_conf_t *conf,
                                   apr_uint32_t cert, apr_uint32_t index,
                                   acme_result_t *res, apr_pool_t *p)
{
    const acme_export_conf_t *export =
        acme_export_job_find(conf, cert, index);
    const acme_outside_rights_t rights = { export->mode, export->uid,
                                           export->gid };
    const int is_set = export->path[strlen(export->path) - 1] == '/';
    source_t source = { .cert = acme_conf_cert(conf, cert), .export = export,
                        .p = p };
    apr_array_header_t *files =
        apr_array_make(p, 4, sizeof(acme_outside_file_t));
    apr_status_t rv;

    *pwritten = 0;
    if (export->no_owner) {
        return acme_fail(res, APR_ENOENT,
                         "%s: %s; create it, or correct the directive, and reload httpd",
                         export->path, export->no_owner);
    }
    rv = read_source(&source, conf, res);
    if (rv == APR_SUCCESS) {
        rv = read_pkcs12(&source, res);
    }
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, export->path);
        return rv;
    }
    make_files(files, &source, is_set);
    return is_set
        ? acme_outside_write_set(pwritten, export->path, source.cert->served,
                                 files, names_of_sets(p), &rights, res, p)
        : acme_outside_write(pwritten, export->path,
                             &APR_ARRAY_IDX(files, 0, acme_outside_file_t),
                             &rights, res, p);
}

int acme_export_job_run(const acme_conf_t *conf, apr_uint32_t cert,
                        apr_uint32_t index)
{
    static const struct rlimit none = { 0, 0 };
    acme_result_t res;
    apr_status_t rv;
    apr_pool_t *p;
    int written;

    setrlimit(RLIMIT_CORE, &none);
    umask(022);                 /* a folder that is made for all to enter */
    acme_no_x509_begin();
    acme_cleanse_reserve();
    apr_pool_create(&p, NULL);
    rv = acme_export_job_write(&written, conf, cert, index, &res, p);
    apr_pool_destroy(p);
    if (rv != APR_SUCCESS) {
        printf("%s\n", res.detail);
    }
    else if (written) {
        fputs(ACME_EXPORT_JOB_WRITTEN, stdout);
    }
    fflush(stdout);
    return rv != APR_SUCCESS;
}
