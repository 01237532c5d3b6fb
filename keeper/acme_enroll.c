/*
 * acme_enroll.c - a certificate's key and request, from their making to the
 * installation.
 *
 * At every step what was paid for is on disk before anything else is done.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_check.h"
#include "acme_csr.h"
#include "acme_enroll.h"
#include "acme_file.h"
#include "acme_meta.h"

#define DIGEST_MAX 64           /* octets: acme_conf_digest() has fewer */

apr_status_t acme_enroll_find(acme_pending_t **ppending, acme_book_t *book,
                              const acme_cert_conf_t *cert,
                              acme_result_t *res, apr_pool_t *p)
{
    apr_status_t rv;

    rv = acme_pending_load(ppending, book->store, cert->id, res, p);
    if (rv == APR_SUCCESS && strcmp((*ppending)->digest, cert->digest) != 0) {
        *ppending = NULL;
        return acme_fail(res, APR_ENOENT, "%s: nothing is pending", cert->id);
    }
    return rv;
}

/* The store survives foreign files, and then a success has a detail. */
static void tell_what_was_set_aside(const acme_book_t *book,
                                    const acme_cert_conf_t *cert,
                                    apr_status_t rv, const acme_result_t *res)
{
    if (rv == APR_SUCCESS && res->detail[0]) {
        acme_log(book->log, ACME_LOG_WARNING, cert->id, "%s", res->detail);
    }
}

static apr_status_t make_pending(acme_pending_t **ppending, acme_book_t *book,
                                 const acme_cert_conf_t *cert,
                                 acme_result_t *res, apr_pool_t *p)
{
    acme_pending_t *pending = apr_pcalloc(p, sizeof(*pending));
    acme_key_t *key;
    apr_status_t rv;

    rv = acme_key_generate(&key, cert->key_type, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_key_pem(&pending->key_pem, key, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_csr_make(&pending->csr, &pending->csr_len, key, cert->names,
                           res, p);
    }
    if (rv == APR_SUCCESS) {
        pending->digest = cert->digest;
        rv = acme_pending_save(book->store, cert->id, pending, res, p);
        tell_what_was_set_aside(book, cert, rv, res);
    }
    *ppending = rv == APR_SUCCESS ? pending : NULL;
    return rv;
}

apr_status_t acme_enroll_begin(acme_pending_t **ppending, acme_book_t *book,
                               const acme_cert_conf_t *cert,
                               acme_result_t *res, apr_pool_t *p)
{
    apr_status_t rv;

    rv = acme_enroll_find(ppending, book, cert, res, p);
    if (rv == APR_SUCCESS) {
        return rv;
    }
    if (!APR_STATUS_IS_ENOENT(rv)) {
        acme_log(book->log, ACME_LOG_WARNING, cert->id, "%s", res->detail);
    }
    return make_pending(ppending, book, cert, res, p);
}

/* Longer than any public CA may issue: nothing to measure others by. */
#define LIFETIME_USUAL apr_time_from_sec(400 * 24 * 3600)

/*
 * How long a new one must last at least: as long as the live one, unless it
 * may have its reasons to end earlier. Those are another configuration, and a
 * CA that shortens its lifetimes: when the administrator asked, half of the
 * lifetime is enough, and from the warn window on anything is.
 */
static apr_time_t replaced_until(const acme_book_t *book,
                                 const acme_cert_conf_t *cert,
                                 const acme_state_t *state, apr_time_t now,
                                 apr_pool_t *p)
{
    const apr_interval_time_t life = state->not_after - state->not_before;
    const json_t *meta;
    const char *digest;

    if (life > LIFETIME_USUAL
        || now >= acme_state_warn_at(state, state->not_after)) {
        return 0;
    }
    meta = acme_meta_live(book->store, cert, p);
    digest = meta ? acme_json_string(meta, "digest", DIGEST_MAX, p) : NULL;
    if (!digest || strcmp(digest, cert->digest) != 0) {
        return 0;
    }
    return state->wanted && now + life / 2 < state->not_after
        ? now + life / 2 : state->not_after;
}

static void keep_aside(acme_book_t *book, const acme_cert_conf_t *cert,
                       const char *pem, apr_size_t len,
                       const acme_result_t *why, apr_pool_t *p)
{
    /* One a certificate: many bad ones must not push out what else is kept. */
    const char *name = apr_pstrcat(p, cert->id, "-refused.pem", NULL);
    const char *path = acme_store_path(book->store, "aside", name, p);
    acme_result_t res;

    if (acme_file_write(path, pem, len, 0600, &res, p)) {
        acme_log(book->log, ACME_LOG_ERROR, cert->id, "the refused "
                 "certificate could not be kept: %s", res.detail);
        return;
    }
    acme_log(book->log, ACME_LOG_ERROR, cert->id, "refused: %s; it is kept "
             "as %s and was never served", why->detail, path);
}

static apr_status_t check(const acme_chain_t *chain, acme_book_t *book,
                          const acme_cert_conf_t *cert,
                          const acme_state_t *state,
                          const acme_pending_t *pending, acme_result_t *res,
                          apr_pool_t *p)
{
    acme_asked_t asked;
    apr_status_t rv;

    asked.cert = cert;
    asked.now = apr_time_now();
    asked.replaced_until = replaced_until(book, cert, state, asked.now, p);
    rv = acme_key_parse(&asked.key, pending->key_pem, cert->id, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_check_chain(chain, &asked, res, p);
    }
    return rv;
}

/* Is it what is live already, as when the reply was lost the first time? */
static int is_live(const acme_chain_t *chain, const acme_book_t *book,
                   const acme_cert_conf_t *cert, apr_pool_t *p)
{
    const char *path = acme_store_live(book->store, cert->id, "cert.pem", p);
    const char *text;
    acme_result_t res;
    apr_size_t len;

    return acme_file_read(&text, &len, path, ACME_CHAIN_SIZE_MAX, &res, p)
           == APR_SUCCESS
        && !strcmp(text, acme_chain_pem_leaf(chain, p));
}

/* Or is another key pending by now? Its order must not be ended. */
static int is_made_for(const acme_chain_t *chain,
                       const acme_pending_t *pending, apr_pool_t *p)
{
    acme_result_t res;
    acme_key_t *key;

    return acme_key_parse(&key, pending->key_pem, "pending", &res, p)
           == APR_SUCCESS
        && acme_chain_has_key(chain, key);
}

/* The order is over: nothing here can cost the certificate any more. */
static void finish(acme_book_t *book, apr_uint32_t index, apr_time_t now,
                   apr_pool_t *p)
{
    const char *id = acme_conf_cert(book->conf, index)->id;
    acme_result_t res;

    acme_book_installed(book, index, now, p);
    if (acme_pending_remove(book->store, id, &res, p)
        || acme_archive_prune(book->store, id, now, &res, p)) {
        acme_log(book->log, ACME_LOG_WARNING, id, "%s", res.detail);
    }
}

static apr_status_t put_live(acme_book_t *book, apr_uint32_t index,
                             const acme_pending_t *pending,
                             const acme_chain_t *chain, apr_time_t now,
                             acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_conf_t *cert = acme_conf_cert(book->conf, index);
    const acme_leaf_t *leaf = acme_chain_leaf(chain);
    acme_archive_t archive;
    apr_status_t rv;
    int n;

    archive.key_pem = pending->key_pem;
    archive.cert_pem = acme_chain_pem_leaf(chain, p);
    archive.chain_pem = acme_chain_pem_rest(chain, p);
    archive.full_pem = acme_chain_pem_full(chain, p);
    archive.meta = acme_meta_text(book->conf, cert, leaf, now, p);
    rv = acme_archive_install(&n, book->store, cert->id, &archive, res, p);
    tell_what_was_set_aside(book, cert, rv, res);
    if (rv == APR_SUCCESS) {
        acme_book_reload(book, index, p);
        acme_log(book->log, ACME_LOG_NOTICE, cert->id, "installed: serial "
                 "%s, issued by %s, valid until %s, as archive/%s/%d",
                 leaf->serial, leaf->issuer,
                 acme_time_text(leaf->not_after, p), cert->id, n);
    }
    return rv;
}

apr_status_t acme_enroll_install(acme_book_t *book, acme_reload_t *reload,
                                 apr_uint32_t index, const char *pem,
                                 apr_size_t len, acme_result_t *res,
                                 apr_pool_t *p)
{
    const acme_cert_conf_t *cert = acme_conf_cert(book->conf, index);
    const acme_state_t *state = &book->states[index];
    const apr_time_t now = apr_time_now();
    const apr_time_t served_until = state->served ? state->not_after : 0;
    acme_pending_t *pending;
    acme_chain_t *chain;
    apr_status_t rv;

    rv = acme_chain_parse(&chain, pem, len, res, p);
    if (rv != APR_SUCCESS) {
        goto refused;
    }
    rv = acme_enroll_find(&pending, book, cert, res, p);
    if (state->live && is_live(chain, book, cert, p)) {
        if (rv != APR_SUCCESS || is_made_for(chain, pending, p)) {
            finish(book, index, now, p);    /* it may not have come to that */
        }
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = check(chain, book, cert, state, pending, res, p);
    if (rv != APR_SUCCESS) {
        goto refused;
    }

    rv = put_live(book, index, pending, chain, now, res, p);
    if (rv == APR_SUCCESS) {
        finish(book, index, now, p);
        acme_reload_want(reload, state, served_until, now);
    }
    return rv;

refused:
    keep_aside(book, cert, pem, len, res, p);
    return rv;
}
