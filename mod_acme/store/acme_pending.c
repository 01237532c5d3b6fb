/*
 * acme_pending.c - pending/<id>/: key, CSR and order URL of an order under way.
 *
 * order.json is written last and removed first: while it exists, the key and
 * the CSR beside it belong together and to it. chain.pem is the issued chain if
 * order.json says so.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "acme_file.h"
#include "acme_json.h"
#include "acme_pending.h"
#include "acme_time.h"
#include "acme_url.h"

#define KEY_SIZE_MAX (16 * 1024)
#define CSR_SIZE_MAX (64 * 1024)
#define ORDER_SIZE_MAX (512 * 1024)
#define CHAIN_SIZE_MAX (64 * 1024)
#define DIGEST_MAX 128
#define NAME_SIZE_MAX 255
#define TIME_MAX 64
#define RESUMED_MAX 1000000     /* fits an int, whatever the file says */
#define PART_MARK '+'           /* no id has one */

static const char *file_path(const acme_store_t *store, const char *id,
                             const char *file, apr_pool_t *p)
{
    return acme_store_path(store, "pending", apr_pstrcat(p, id, "/", file,
                                                         NULL), p);
}

/* An optional URL; checked, since the file may have been edited. */
static apr_status_t parse_url(const char **purl, const json_t *json,
                              const char *key, const char *path,
                              acme_result_t *res, apr_pool_t *p)
{
    apr_status_t rv;

    *purl = NULL;
    if (!json_object_get(json, key)) {
        return APR_SUCCESS;
    }
    *purl = acme_json_string(json, key, ACME_URL_MAX, p);
    if (!*purl) {
        return acme_fail(res, APR_EGENERAL, "%s: the member %s is not a URL", path,
                         key);
    }
    rv = acme_url_check(*purl, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, path);
    }
    return rv;
}

/*
 * order.json: {"digest": "...", "names": [...], "account": "...",
 * "url": "...", "since": "...", "resumed": 1, "issued": true,
 * "certificate": "..."}; the members after names are optional.
 */
static apr_status_t parse_order(acme_pending_t *pending, const char *body,
                                apr_size_t len, const char *path,
                                acme_result_t *res, apr_pool_t *p)
{
    apr_int64_t resumed;
    json_t *json;
    apr_status_t rv;

    rv = acme_json_parse(&json, body, len, path, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    pending->digest = acme_json_string(json, "digest", DIGEST_MAX, p);
    if (!pending->digest) {
        return acme_fail(res, APR_EGENERAL, "%s: the member digest is missing", path);
    }
    pending->names = acme_json_strings(json, "names", NAME_SIZE_MAX, p);
    if (!pending->names) {
        return acme_fail(res, APR_EGENERAL, "%s: the member names is missing", path);
    }
    pending->account = acme_json_string(json, "account", ACME_ID_MAX, p);
    pending->issued = acme_json_true(json, "issued");
    pending->since =
        acme_time_parse(acme_json_string(json, "since", TIME_MAX, p));
    resumed = acme_json_int(json, "resumed");
    pending->resumed = resumed < 0 || resumed > RESUMED_MAX ? RESUMED_MAX
                                                            : (int)resumed;
    rv = parse_url(&pending->order_url, json, "url", path, res, p);
    if (rv == APR_SUCCESS) {
        rv = parse_url(&pending->cert_url, json, "certificate", path, res, p);
    }
    return rv;
}

/* ENOENT: no order is under way. APR_EGENERAL: the file is damaged. */
static apr_status_t read_order(acme_pending_t *pending, acme_store_t *store,
                               const char *id, acme_result_t *res,
                               apr_pool_t *p)
{
    const char *path = file_path(store, id, "order.json", p);
    const char *body;
    apr_size_t len;
    apr_status_t rv;

    rv = acme_file_read(&body, &len, path, ORDER_SIZE_MAX, res, p);
    if (APR_STATUS_IS_ENOTDIR(rv)) {
        return APR_EGENERAL;
    }
    if (rv == APR_SUCCESS
        && parse_order(pending, body, len, path, res, p) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    return rv;
}

/* Key, CSR and chain: all must be there, since order.json says so. */
static apr_status_t read_parts(acme_pending_t *pending, acme_store_t *store,
                               const char *id, acme_result_t *res,
                               apr_pool_t *p)
{
    const char *csr;
    apr_size_t key_len, chain_len;
    apr_status_t rv;

    rv = acme_file_read_secret(&pending->key_pem, &key_len,
                               file_path(store, id, "key.pem", p),
                               KEY_SIZE_MAX, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_file_read(&csr, &pending->csr_len,
                            file_path(store, id, "csr.der", p),
                            CSR_SIZE_MAX, res, p);
    }
    if (rv == APR_SUCCESS && pending->issued) {
        rv = acme_file_read(&pending->chain_pem, &chain_len,
                            file_path(store, id, "chain.pem", p),
                            CHAIN_SIZE_MAX, res, p);
    }
    if (APR_STATUS_IS_ENOENT(rv)) {
        return APR_EGENERAL;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* On some file systems a crash of the machine leaves empty files. */
    if (key_len == 0 || pending->csr_len == 0) {
        return acme_fail(res, APR_EGENERAL, "%s: empty files",
                         acme_store_path(store, "pending", id, p));
    }
    pending->csr = (const unsigned char *)csr;
    return APR_SUCCESS;
}

apr_status_t acme_pending_load(acme_pending_t **ppending, acme_store_t *store,
                               const char *id, acme_result_t *res,
                               apr_pool_t *p)
{
    acme_pending_t *pending = apr_pcalloc(p, sizeof(*pending));
    apr_status_t rv;

    *ppending = NULL;

    rv = read_order(pending, store, id, res, p);
    if (rv == APR_SUCCESS) {
        rv = read_parts(pending, store, id, res, p);
    }
    if (rv == APR_EGENERAL) {
        return acme_store_damaged(store, acme_store_path(store, "pending", id,
                                                         p), res, p);
    }
    if (rv == APR_SUCCESS) {
        *ppending = pending;
    }
    return rv;
}

/* A URL that could not be read again must not be written. */
static apr_status_t check_stored_url(const char *url, acme_result_t *res,
                                     apr_pool_t *p)
{
    return url ? acme_url_check(url, res, p) : APR_SUCCESS;
}

/*
 * What a sync has made last is replaced by what is synced, never by less. Where
 * nothing was ordered the older one has nothing to lose: whether it or an empty
 * file is there after a power failure, the order that came now is lost.
 */
typedef enum { IS_NEW, HAS_LASTED } order_e;

static apr_status_t write_order(const acme_pending_t *pending, order_e older,
                                acme_store_t *store, const char *id,
                                acme_result_t *res, apr_pool_t *p)
{
    const char *path = file_path(store, id, "order.json", p);
    const char *text;
    apr_status_t rv;
    json_t *json;

    rv = check_stored_url(pending->order_url, res, p);
    if (rv == APR_SUCCESS) {
        rv = check_stored_url(pending->cert_url, res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    json = json_pack("{s:o, s:s, s:s*, s:s*, s:s*, s:i, s:b, s:s*}",
                     "names", acme_json_array(pending->names),
                     "digest", pending->digest, "account", pending->account,
                     "url", pending->order_url,
                     "since", acme_time_json(pending->since, p),
                     "resumed", pending->resumed,
                     "issued", pending->issued,
                     "certificate", pending->cert_url);
    if (!json || strlen(pending->digest) > DIGEST_MAX) {
        json_decref(json);
        return acme_fail(res, APR_EINVAL, "%s: the digest is too long, or a text is not UTF-8", path);
    }
    text = acme_json_text(acme_json_own(json, p), 2, p);
    return older == IS_NEW
        ? acme_file_replace(path, text, strlen(text), 0600, res, p)
        : acme_file_update(path, text, strlen(text), 0600, res, p);
}

/* Remove order.json: until it is written again, no order is under way. */
static apr_status_t forget_order(acme_store_t *store, const char *id,
                                 acme_result_t *res, apr_pool_t *p)
{
    const char *path = file_path(store, id, "order.json", p);

    /* ENOTDIR is for the caller, who makes or removes the folder. */
    if (unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR) {
        return APR_SUCCESS;
    }
    return acme_fail_errno(res, errno, "%s: cannot remove", path);
}

apr_status_t acme_pending_save(acme_store_t *store, const char *id,
                               const acme_pending_t *pending,
                               acme_result_t *res, apr_pool_t *p)
{
    const char *folder = acme_store_path(store, "pending", id, p);
    apr_status_t rv;
    int made;

    acme_result_clear(res);

    rv = forget_order(store, id, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_store_dir_put(&made, store, folder, 0700, res, p);
    }
    if (rv == APR_SUCCESS && !made) {
        /* Or the order could come back, beside the key that is written now:
           also one that a keeper has removed that died then. */
        rv = acme_file_sync(folder, res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_file_put(file_path(store, id, "key.pem", p),
                           pending->key_pem, strlen(pending->key_pem), 0600,
                           res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_file_put(file_path(store, id, "csr.der", p), pending->csr,
                           pending->csr_len, 0600, res);
    }
    return rv == APR_SUCCESS ? write_order(pending, IS_NEW, store, id, res, p)
                             : rv;
}

/* Key, CSR, order and where they are. */
static void add_all(acme_sync_t *sync, const acme_store_t *store,
                    const char *id, apr_pool_t *p)
{
    acme_sync_add(sync, file_path(store, id, "key.pem", p));
    acme_sync_add(sync, file_path(store, id, "csr.der", p));
    acme_sync_add(sync, file_path(store, id, "order.json", p));
    acme_sync_add(sync, acme_store_path(store, "pending", id, p));
    acme_sync_add(sync, acme_store_path(store, "pending", NULL, p));
}

apr_status_t acme_pending_order(acme_store_t *store, const char *id,
                                const acme_pending_order_t *order,
                                acme_sync_t *sync, acme_result_t *res,
                                apr_pool_t *p)
{
    acme_pending_t pending = { NULL };
    order_e older;
    apr_status_t rv;

    acme_sync_begin(sync);
    rv = read_order(&pending, store, id, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    older = pending.account ? HAS_LASTED : IS_NEW;
    if (!pending.order_url || !order->url
        || strcmp(pending.order_url, order->url) != 0) {
        pending.since = order->url ? order->now : 0;
        pending.resumed = 0;
    }
    pending.account = order->account;
    pending.order_url = order->url;
    rv = write_order(&pending, older, store, id, res, p);
    if (rv == APR_SUCCESS && order->url) {
        add_all(sync, store, id, p);
    }
    return rv;
}

apr_status_t acme_pending_resumed(acme_store_t *store, const char *id,
                                  apr_time_t now, acme_result_t *res,
                                  apr_pool_t *p)
{
    acme_pending_t pending = { NULL };
    apr_status_t rv;

    rv = read_order(&pending, store, id, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!pending.since) {
        pending.since = now;
    }
    pending.resumed += pending.resumed < RESUMED_MAX;
    return write_order(&pending, HAS_LASTED, store, id, res, p);
}

apr_status_t acme_pending_reorder(acme_store_t *store, const char *id,
                                  acme_result_t *res, apr_pool_t *p)
{
    acme_pending_t pending = { NULL };
    apr_status_t rv;

    rv = read_order(&pending, store, id, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    pending.order_url = pending.cert_url = NULL;
    pending.since = 0;
    pending.resumed = 0;
    pending.issued = 0;
    return write_order(&pending, HAS_LASTED, store, id, res, p);
}

apr_status_t acme_pending_issued(acme_store_t *store, const char *id,
                                 const char *chain_pem, const char *cert_url,
                                 acme_result_t *res, apr_pool_t *p)
{
    acme_pending_t pending = { NULL };
    apr_status_t rv;

    rv = read_order(&pending, store, id, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_file_update(file_path(store, id, "chain.pem", p), chain_pem,
                              strlen(chain_pem), 0600, res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    pending.issued = 1;
    pending.cert_url = cert_url;
    return write_order(&pending, HAS_LASTED, store, id, res, p);
}

const char *acme_pending_part(const char *id, const char *key_type,
                              apr_pool_t *p)
{
    return apr_psprintf(p, "%s%c%s", id, PART_MARK, key_type);
}

static apr_status_t remove_one(acme_store_t *store, const char *id,
                               acme_result_t *res, apr_pool_t *p)
{
    const apr_status_t rv = forget_order(store, id, res, p);

    return rv == APR_SUCCESS
        ? acme_file_dir_drop(acme_store_path(store, "pending", id, p), res)
        : rv;
}

/* Names below pending/ that are parts of id. */
static apr_array_header_t *parts_of_pending(const acme_store_t *store,
                                            const char *id, apr_pool_t *p)
{
    apr_array_header_t *parts = apr_array_make(p, 2, sizeof(const char *));
    const char *prefix = acme_pending_part(id, "", p);
    apr_finfo_t info;
    apr_dir_t *dir;

    if (apr_dir_open(&dir, acme_store_path(store, "pending", NULL, p), p)) {
        return parts;
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (!strncmp(info.name, prefix, strlen(prefix))) {
            APR_ARRAY_PUSH(parts, const char *) = apr_pstrdup(p, info.name);
        }
    }
    apr_dir_close(dir);
    return parts;
}

apr_status_t acme_pending_remove(acme_store_t *store, const char *id,
                                 acme_result_t *res, apr_pool_t *p)
{
    const apr_array_header_t *parts = parts_of_pending(store, id, p);
    apr_status_t rv;
    int i;

    rv = remove_one(store, id, res, p);
    for (i = 0; rv == APR_SUCCESS && i < parts->nelts; i++) {
        rv = remove_one(store, APR_ARRAY_IDX(parts, i, const char *), res, p);
    }
    return rv;
}

apr_status_t acme_pending_destroy(acme_store_t *store, const char *id,
                                  acme_result_t *res, apr_pool_t *p)
{
    const apr_status_t rv = acme_pending_remove(store, id, res, p);

    /* Also where nothing was left: who removed it may not have synced. */
    return rv == APR_SUCCESS
        ? acme_file_sync(acme_store_path(store, "pending", NULL, p), res)
        : rv;
}
