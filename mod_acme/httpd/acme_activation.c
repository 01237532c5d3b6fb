/*
 * acme_activation.c - which certificate a load of the configuration serves.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_ssl.h>

#include "acme_activation.h"
#include "acme_archive.h"
#include "acme_chain.h"
#include "acme_server_conf.h"
#include "acme_file.h"
#include "acme_name.h"
#include "acme_pair.h"
#include "acme_placeholder.h"
#include "acme_state.h"

APLOG_USE_MODULE(acme);

/* What was served before this load: in the process pool, over reloads. */
#define SERVED_KEY "mod_acme_served"

/* Of the placeholder for servers that have no name. (2606, 2) */
#define NO_NAME "no-name.invalid"

typedef struct {
    char serial[ACME_SERIAL_SIZE];
} served_t;

static acme_activation_files_t *files;     /* by the index of the certificate */
static acme_activation_files_t unordered;  /* where there is none to order */
static const acme_conf_t *loaded;

static void add_files(acme_activation_files_t *found, const char *cert,
                      const char *key)
{
    APR_ARRAY_PUSH(found->certs, const char *) = cert;
    APR_ARRAY_PUSH(found->keys, const char *) = key;
}

/* OpenSSL has room for one EC key and one RSA key: the first of each. */
static int is_first_of_kind(const acme_cert_conf_t *cert, apr_uint32_t part)
{
    const int rsa = acme_conf_key_type(cert, part) >= ACME_KEY_RSA2048;
    apr_uint32_t i;

    for (i = 0; i < part; i++) {
        if ((acme_conf_key_type(cert, i) >= ACME_KEY_RSA2048) == rsa) {
            return 0;
        }
    }
    return 1;
}

/*
 * Not by the link: it may be swapped between two reads. The first part was
 * found to be good; of the others, those that are.
 */
static void find_parts(acme_activation_files_t *found,
                       const acme_cert_conf_t *cert, const char *archive,
                       apr_pool_t *p)
{
    acme_result_t ignored;
    apr_uint32_t i;

    for (i = 0; i < acme_conf_parts(cert); i++) {
        const char *suffix = acme_conf_suffix(cert, i);
        const char *chain = apr_pstrcat(p, archive, "/fullchain", suffix,
                                        ".pem", NULL);
        const char *key = apr_pstrcat(p, archive, "/privkey", suffix, ".pem",
                                      NULL);

        if (!is_first_of_kind(cert, i)) {
            continue;
        }
        if (i > 0 && acme_pair_check(chain, key, cert->ciphers, &ignored)) {
            return;             /* a key type that was added since */
        }
        add_files(found, chain, key);
    }
}

static int find_live(acme_activation_files_t *found, acme_cert_conf_t *cert,
                     acme_store_t *store, server_rec *s, apr_pool_t *p)
{
    const acme_archive_want_t want = { .id = cert->id,
                                       .ciphers = cert->ciphers,
                                       .now = apr_time_now() };
    acme_result_t res;
    apr_status_t rv;
    int live, n;

    rv = acme_archive_find_good(&n, &live, store, &want, &res, p);
    if (rv == APR_SUCCESS && n != live) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "acme: %s: %s; the certificate before it, archive/%s/%d, is served until a new one is installed",
                     cert->id, res.detail, cert->id, n);
    }
    if (rv == APR_SUCCESS) {
        find_parts(found, cert, acme_archive_path(store, cert->id, n, p), p);
        cert->served = n;
        return 1;
    }
    if (!APR_STATUS_IS_ENOENT(rv)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "acme: %s: %s; the placeholder is served until a new certificate is installed",
                     cert->id, res.detail);
    }
    return 0;
}

/*
 * Without a store there is no place for placeholders either, and mod_ssl
 * would end the server: httpd's runtime folder must do.
 */
static const char *spare_folder(server_rec *s, apr_pool_t *p)
{
    const char *path = ap_runtime_dir_relative(p, "acme-placeholder");
    acme_result_t res;

    if (acme_file_dir_make(path, 0700, &res, p)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "acme: %s", res.detail);
    }
    return path;
}

static void find_placeholder(acme_activation_files_t *found,
                             const acme_cert_conf_t *cert,
                             const char *folder, server_rec *s,
                             apr_pool_t *p)
{
    const apr_time_t now = apr_time_now();
    acme_placeholder_t made;
    acme_result_t res;
    apr_status_t rv;

    rv = acme_placeholder_find(&made, folder, cert, now, &res, p);
    if (rv != APR_SUCCESS && rv != APR_EINVAL) {
        rv = acme_placeholder_find(&made, spare_folder(s, p), cert, now, &res,
                                   p);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "acme: %s: %s: cannot create a placeholder: %s",
                     apr_array_pstrcat(p, cert->places, ' '), cert->id,
                     res.detail);
        return;
    }
    add_files(found, made.cert, made.key);
}

static void make_files(acme_activation_files_t *empty, apr_pool_t *p)
{
    empty->certs = apr_array_make(p, 2, sizeof(const char *));
    empty->keys = apr_array_make(p, 2, sizeof(const char *));
}

/* NULL: there is a certificate to order for all of them. */
static acme_cert_conf_t *find_unordered(const server_rec *s, apr_pool_t *p)
{
    acme_cert_conf_t *none = NULL;

    for (; s; s = s->next) {
        const acme_server_conf_t *conf = acme_server_conf(s);

        if (!conf->is_unordered) {
            continue;
        }
        if (!none) {
            none = apr_pcalloc(p, sizeof(*none));
            none->id = NO_NAME;
            none->names = apr_array_make(p, 1, sizeof(const char *));
            none->places = apr_array_make(p, 1, sizeof(const char *));
            none->ciphers = apr_array_make(p, 1, sizeof(const char *));
            APR_ARRAY_PUSH(none->names, const char *) = NO_NAME;
        }
        APR_ARRAY_PUSH(none->places, const char *) = conf->place;
        if (!acme_name_in(none->ciphers, conf->ciphers)) {
            APR_ARRAY_PUSH(none->ciphers, const char *) = conf->ciphers;
        }
    }
    return none;
}

void acme_activation_prepare(acme_conf_t *conf, server_rec *s, apr_pool_t *p)
{
    acme_store_t *store = acme_store_at(conf->state_dir, p);
    acme_store_t *opened;
    const char *folder = acme_store_path(store, "placeholder", NULL, p);
    const acme_cert_conf_t *none = find_unordered(s, p);
    acme_result_t res;
    int i;

    loaded = conf;
    files = apr_pcalloc(p, (apr_size_t)(conf->certs->nelts + 1)
                        * sizeof(*files));
    make_files(&unordered, p);
    if (!conf->certs->nelts && !none) {
        return;
    }
    if (acme_store_open(&opened, conf->state_dir, &res, p)
        || res.detail[0]) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "acme: %s", res.detail);
    }
    for (i = 0; i < conf->certs->nelts; i++) {
        acme_cert_conf_t *cert = &APR_ARRAY_IDX(conf->certs, i,
                                                acme_cert_conf_t);

        make_files(&files[i], p);
        if (!find_live(&files[i], cert, store, s, p)) {
            find_placeholder(&files[i], cert, folder, s, p);
        }
    }
    if (none) {
        find_placeholder(&unordered, none, folder, s, p);
    }
}

const acme_activation_files_t *acme_activation_files(int cert)
{
    return &files[cert];
}

int acme_activation_is_served(int cert)
{
    return cert >= 0 && acme_conf_cert(loaded, (apr_uint32_t)cert)->served;
}

/* One of a kind of key is all that mod_ssl takes: that of the first name. */
static int add_cert_files(server_rec *s, apr_pool_t *p,
                          apr_array_header_t *cert_files,
                          apr_array_header_t *key_files)
{
    acme_server_conf_t *conf = acme_server_conf(s);
    const acme_activation_files_t *first;

    (void)p;
    if (!(conf->certs || conf->is_unordered) || cert_files->nelts) {
        return DECLINED;
    }
    first = conf->certs
        ? acme_activation_files(APR_ARRAY_IDX(conf->certs, 0, int))
        : &unordered;
    if (!first->certs->nelts) {
        return DECLINED;
    }
    /* A key that was left behind without its certificate belongs to none of
       ours, and mod_ssl takes the first for the first. */
    apr_array_clear(key_files);
    apr_array_cat(cert_files, first->certs);
    apr_array_cat(key_files, first->keys);
    conf->given = conf->certs != NULL;
    return DONE;
}

/* The certificate that this load serves; NULL: a placeholder. */
static const acme_cert_info_t *leaf_of(const acme_cert_conf_t *cert,
                                       const acme_activation_files_t *found,
                                       apr_pool_t *p)
{
    acme_chain_t *chain;
    acme_result_t res;

    if (!cert->served
        || acme_chain_load(&chain, APR_ARRAY_IDX(found->certs, 0,
                                                 const char *), &res, p)) {
        return NULL;
    }
    return acme_chain_leaf(chain);
}

void acme_activation_report(const acme_conf_t *conf, server_rec *s,
                            apr_pool_t *p)
{
    apr_pool_t *process = s->process->pool;
    void *data = NULL;
    apr_hash_t *before;
    int i;

    apr_pool_userdata_get(&data, SERVED_KEY, process);
    before = data ? data : apr_hash_make(process);
    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_cert_conf_t *cert = acme_conf_cert(conf, (apr_uint32_t)i);
        const acme_cert_info_t *leaf = leaf_of(cert, &files[i], p);
        served_t *served = apr_hash_get(before, cert->id,
                                        APR_HASH_KEY_STRING);

        if (!served) {
            served = apr_pcalloc(process, sizeof(*served));
            apr_hash_set(before, apr_pstrdup(process, cert->id),
                         APR_HASH_KEY_STRING, served);
        }
        if (!leaf || !strcmp(served->serial, leaf->serial)) {
            continue;
        }
        apr_cpystrn(served->serial, leaf->serial, sizeof(served->serial));
        if (data) {             /* not at the server's start */
            ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                         "acme: %s: reloaded: now served, serial %s, valid until %s",
                         cert->id, leaf->serial,
                         acme_time_text(leaf->not_after, p));
        }
    }
    apr_pool_userdata_set(before, SERVED_KEY, NULL, process);
}

void acme_activation_hooks(apr_pool_t *p)
{
    ap_hook_ssl_add_cert_files(add_cert_files, NULL, NULL, APR_HOOK_MIDDLE);
    (void)p;
}
