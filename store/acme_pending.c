/*
 * acme_pending.c - pending/<id>/: key, CSR and order URL of an order under way.
 *
 * order.json is written last and removed first: while it is there, the key
 * and the CSR beside it belong together and to it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_file.h"
#include "acme_json.h"
#include "acme_pending.h"
#include "acme_text.h"

#define KEY_SIZE_MAX (16 * 1024)
#define CSR_SIZE_MAX (64 * 1024)
#define ORDER_SIZE_MAX (8 * 1024)
#define DIGEST_MAX 128

static const char *file_path(const acme_store_t *store, const char *id,
                             const char *file, apr_pool_t *p)
{
    return acme_store_path(store, "pending", apr_pstrcat(p, id, "/", file,
                                                         NULL), p);
}

/* order.json: {"url": "...", "digest": "..."}; without an order no url. */
static apr_status_t parse_order(acme_pending_t *pending, const char *body,
                                apr_size_t len, const char *path,
                                acme_result_t *res, apr_pool_t *p)
{
    json_t *json;
    apr_status_t rv;

    rv = acme_json_parse(&json, body, len, path, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    pending->digest = acme_json_string(json, "digest", DIGEST_MAX, p);
    if (!pending->digest) {
        return acme_fail(res, APR_EGENERAL, "%s: no digest in it", path);
    }
    if (!json_object_get(json, "url")) {
        return APR_SUCCESS;
    }
    pending->order_url = acme_json_string(json, "url", ACME_URL_MAX, p);
    if (!pending->order_url) {
        return acme_fail(res, APR_EGENERAL, "%s: no URL in it", path);
    }
    rv = acme_url_check(pending->order_url, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, path);
    }
    return rv;
}

/* ENOENT: no order is under way. APR_EGENERAL: something is there instead. */
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

/* Key and CSR; both must be there, since there is an order.json. */
static apr_status_t read_parts(acme_pending_t *pending, acme_store_t *store,
                               const char *id, acme_result_t *res,
                               apr_pool_t *p)
{
    const char *csr;
    apr_size_t key_len;
    apr_status_t rv;

    rv = acme_file_read_secret(&pending->key_pem, &key_len,
                               file_path(store, id, "key.pem", p),
                               KEY_SIZE_MAX, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_file_read(&csr, &pending->csr_len,
                            file_path(store, id, "csr.der", p),
                            CSR_SIZE_MAX, res, p);
    }
    if (APR_STATUS_IS_ENOENT(rv)) {
        return APR_EGENERAL;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* What a crash of the machine makes of files on some file systems. */
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

static apr_status_t write_order(const acme_pending_t *pending,
                                acme_store_t *store, const char *id,
                                acme_result_t *res, apr_pool_t *p)
{
    const char *path = file_path(store, id, "order.json", p);
    const char *text;
    apr_status_t rv;
    json_t *json;

    /* What would not be read again must not be written. */
    if (pending->order_url) {
        rv = acme_url_check(pending->order_url, res, p);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    json = json_pack("{s:s*, s:s}", "url", pending->order_url,
                     "digest", pending->digest);
    if (!json || strlen(pending->digest) > DIGEST_MAX) {
        json_decref(json);
        return acme_fail(res, APR_EINVAL, "%s: bad digest", path);
    }
    text = acme_json_text(acme_json_own(json, p), 2, p);
    return acme_file_write(path, text, strlen(text), 0600, res, p);
}

/* Until order.json is written again, nothing is under way. */
static apr_status_t forget_order(acme_store_t *store, const char *id,
                                 acme_result_t *res, apr_pool_t *p)
{
    const char *path = file_path(store, id, "order.json", p);

    if (unlink(path) == 0) {
        return acme_dir_sync(acme_store_path(store, "pending", id, p), res);
    }
    /* ENOTDIR is for the caller, who makes or removes the folder. */
    if (errno == ENOENT || errno == ENOTDIR) {
        return APR_SUCCESS;
    }
    return acme_fail_errno(res, errno, "%s: cannot remove", path);
}

apr_status_t acme_pending_save(acme_store_t *store, const char *id,
                               const acme_pending_t *pending,
                               acme_result_t *res, apr_pool_t *p)
{
    apr_status_t rv;

    acme_result_clear(res);

    rv = forget_order(store, id, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_store_dir(store, acme_store_path(store, "pending", id, p), 0700,
                        res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_file_write(file_path(store, id, "key.pem", p), pending->key_pem,
                         strlen(pending->key_pem), 0600, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_file_write(file_path(store, id, "csr.der", p), pending->csr,
                         pending->csr_len, 0600, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return write_order(pending, store, id, res, p);
}

apr_status_t acme_pending_order(acme_store_t *store, const char *id,
                                const char *order_url, acme_result_t *res,
                                apr_pool_t *p)
{
    acme_pending_t pending = { NULL };
    apr_status_t rv;

    rv = read_order(&pending, store, id, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    pending.order_url = order_url;
    return write_order(&pending, store, id, res, p);
}

apr_status_t acme_pending_remove(acme_store_t *store, const char *id,
                                 acme_result_t *res, apr_pool_t *p)
{
    apr_status_t rv;

    rv = forget_order(store, id, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return acme_dir_remove(acme_store_path(store, "pending", id, p), res, p);
}
