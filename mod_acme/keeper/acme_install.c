/*
 * acme_install.c - a certificate's key and request, from their making to the
 * installation.
 *
 * At every step what was paid for is on disk before anything else is done.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_install_check.h"
#include "acme_csr.h"
#include "acme_install.h"
#include "acme_file.h"
#include "acme_meta.h"
#include "acme_name.h"

#define DIGEST_MAX 64           /* octets: acme_conf_digest() has fewer */
#define KEY_SIZE_MAX (16 * 1024)

const char *acme_install_pending_name(const acme_cert_conf_t *cert,
                                      apr_uint32_t part, apr_pool_t *p)
{
    return part == 0 ? cert->id
        : acme_pending_part(cert->id, acme_key_type_name(
              acme_conf_key_type(cert, part)), p);
}

apr_status_t acme_install_find_pending(acme_pending_t **ppending,
                                       acme_registry_t *registry,
                                       const acme_target_t *about,
                                       acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_conf_t *cert =
        acme_conf_cert(acme_registry_conf(registry), about->cert);
    acme_pending_t *pending;
    apr_status_t rv;

    *ppending = NULL;
    rv = acme_pending_load(&pending, acme_registry_store(registry),
                           acme_install_pending_name(cert, about->part, p),
                           res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!acme_name_all_in(pending->names, cert->names)
        || strcmp(pending->digest, acme_conf_request(
               cert, about->part, pending->names, p)) != 0) {
        return acme_fail(res, APR_ENOENT, "%s: nothing is pending", cert->id);
    }
    *ppending = pending;
    return APR_SUCCESS;
}

/* The store survives foreign files, and then a success has a detail. */
static void tell_what_was_set_aside(const acme_registry_t *registry,
                                    const acme_cert_conf_t *cert,
                                    apr_status_t rv, const acme_result_t *res)
{
    if (rv == APR_SUCCESS && res->detail[0]) {
        acme_log(acme_registry_log(registry), ACME_LOG_WARNING, cert->id, "%s",
                 res->detail);
    }
}

/* AcmeKeyReuse: that of the live certificate, when its type is right. */
static acme_key_t *live_key(const acme_registry_t *registry,
                            const acme_cert_conf_t *cert, apr_uint32_t part,
                            apr_pool_t *p)
{
    const char *file = apr_pstrcat(p, "privkey", acme_conf_suffix(cert, part),
                                   ".pem", NULL);
    acme_key_type_e type;
    acme_result_t res;
    acme_key_t *key;

    if (acme_key_load(
            &key,
            acme_store_live(acme_registry_store(registry), cert->id, file, p),
            &res, p)
        || acme_key_type(&type, key, &res)
        || type != acme_conf_key_type(cert, part)) {
        return NULL;
    }
    return key;
}

/* The key of a revoked one may be another's too: it has an end. */
static apr_status_t make_key(acme_key_t **pkey,
                             const acme_registry_t *registry,
                             const acme_cert_conf_t *cert, apr_uint32_t part,
                             int revoked, acme_result_t *res, apr_pool_t *p)
{
    *pkey =
        cert->key_reuse && !revoked ? live_key(registry, cert, part, p) : NULL;
    return *pkey ? APR_SUCCESS
                 : acme_key_generate(pkey, acme_conf_key_type(cert, part),
                                     res, p);
}

static apr_status_t make_pending(acme_pending_t **ppending,
                                 acme_registry_t *registry,
                                 const acme_target_t *about,
                                 apr_array_header_t *names, acme_result_t *res,
                                 apr_pool_t *p)
{
    const acme_cert_conf_t *cert =
        acme_conf_cert(acme_registry_conf(registry), about->cert);
    const apr_uint32_t part = about->part;
    acme_pending_t *pending = apr_pcalloc(p, sizeof(*pending));
    acme_key_t *key;
    apr_status_t rv;

    rv = make_key(&key, registry, cert, part,
                  acme_registry_state(registry, about->cert)->revoked, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_key_pem(&pending->key_pem, key, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_csr_make(&pending->csr, &pending->csr_len, key, names,
                           cert->must_staple, res, p);
    }
    if (rv == APR_SUCCESS) {
        pending->names = names;
        pending->digest = acme_conf_request(cert, part, names, p);
        rv = acme_pending_save(acme_registry_store(registry),
                               acme_install_pending_name(cert, part, p),
                               pending, res, p);
        tell_what_was_set_aside(registry, cert, rv, res);
    }
    *ppending = rv == APR_SUCCESS ? pending : NULL;
    return rv;
}

apr_status_t acme_install_prepare(acme_pending_t **ppending,
                                  const char **pflags,
                                  acme_registry_t *registry,
                                  const acme_target_t *about,
                                  acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_conf_t *cert =
        acme_conf_cert(acme_registry_conf(registry), about->cert);
    apr_array_header_t *names = acme_registry_names_to_order(
        registry, about->cert, pflags, apr_time_now(), p);
    apr_status_t rv;

    rv = acme_install_find_pending(ppending, registry, about, res, p);
    if (rv == APR_SUCCESS && acme_name_all_in(names, (*ppending)->names)
        && acme_name_all_in((*ppending)->names, names)) {
        return rv;
    }
    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        acme_log(acme_registry_log(registry), ACME_LOG_WARNING, cert->id, "%s",
                 res->detail);
    }
    return make_pending(ppending, registry, about, names, res, p);
}

/*
 * Longer than any public CA may issue: nothing to measure others by. A company
 * may have its own (AcmeCACertificateFile); but a chain that anybody could
 * have made must not stay for ever.
 */
#define LIFETIME_USUAL apr_time_from_sec(400 * 24 * 3600)
#define LIFETIME_PRIVATE apr_time_from_sec(10LL * 366 * 24 * 3600)

/*
 * How long a new one must last at least: as long as the live one, unless it
 * may have its reasons to end earlier. Those are another configuration, one
 * that is revoked or lacks a name, and a CA that shortens its lifetimes: when
 * the administrator asked, half of the lifetime is enough, and from the warn
 * window on anything is.
 */
static apr_time_t replaced_until(const acme_registry_t *registry,
                                 const acme_cert_conf_t *cert,
                                 const acme_state_t *state, apr_time_t now,
                                 apr_pool_t *p)
{
    const apr_interval_time_t life = state->not_after - state->not_before;
    const json_t *meta;
    const char *digest;

    if (life > LIFETIME_USUAL || state->revoked || !state->covers
        || state->left_out
        || now >= acme_state_warn_at(state, state->not_after)) {
        return 0;
    }
    meta = acme_meta_live(acme_registry_store(registry), cert->id, p);
    digest = meta ? acme_json_string(meta, "digest", DIGEST_MAX, p) : NULL;
    if (!digest || strcmp(digest, cert->digest) != 0) {
        return 0;
    }
    return state->wanted && now + life / 2 < state->not_after
        ? now + life / 2 : state->not_after;
}

static void keep_aside(acme_registry_t *registry, const acme_cert_conf_t *cert,
                       const char *pem, apr_size_t len,
                       const acme_result_t *why, apr_pool_t *p)
{
    /* One a certificate: many bad ones must not push out what else is kept. */
    const char *name = apr_pstrcat(p, cert->id, "-refused.pem", NULL);
    const char *path =
        acme_store_path(acme_registry_store(registry), "aside", name, p);
    acme_result_t res;

    if (acme_file_write(path, pem, len, 0600, &res, p)) {
        acme_log(acme_registry_log(registry), ACME_LOG_ERROR, cert->id,
                 "the refused "
                 "certificate could not be kept: %s",
                 res.detail);
        return;
    }
    acme_log(acme_registry_log(registry), ACME_LOG_ERROR, cert->id,
             "refused: %s; it is kept "
             "as %s and was never served",
             why->detail, path);
}

static int has_private_ca(const acme_conf_t *conf,
                          const acme_cert_conf_t *cert)
{
    const acme_ca_conf_t *ca;
    apr_uint32_t i;

    for (i = 0; (ca = acme_conf_ca(conf, cert, i)) != NULL; i++) {
        if (ca->roots) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t check(const acme_chain_t *chain, acme_registry_t *registry,
                          const acme_cert_conf_t *cert,
                          const acme_state_t *state,
                          const acme_pending_t *pending, acme_result_t *res,
                          apr_pool_t *p)
{
    acme_install_check_t asked;
    apr_status_t rv;

    asked.life_max = has_private_ca(acme_registry_conf(registry), cert)
                         ? LIFETIME_PRIVATE
                         : LIFETIME_USUAL;
    asked.id = cert->id;
    asked.names = pending->names;
    asked.now = apr_time_now();
    asked.replaced_until = replaced_until(registry, cert, state, asked.now, p);
    rv = acme_key_parse(&asked.key, pending->key_pem, cert->id, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_install_check_chain(chain, &asked, res, p);
    }
    return rv;
}

/* Is it what is live already, as when the reply was lost the first time? */
static int is_live(const acme_chain_t *chain, const acme_registry_t *registry,
                   const acme_cert_conf_t *cert, apr_uint32_t part,
                   apr_pool_t *p)
{
    const char *path = acme_store_live(
        acme_registry_store(registry), cert->id,
        apr_pstrcat(p, "cert", acme_conf_suffix(cert, part), ".pem", NULL), p);
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
static void finish(acme_registry_t *registry, apr_uint32_t index,
                   const apr_array_header_t *names, apr_time_t now,
                   apr_pool_t *p)
{
    const char *id = acme_conf_cert(acme_registry_conf(registry), index)->id;
    acme_result_t res;

    acme_registry_installed(registry, index, names, now, p);
    if (acme_pending_remove(acme_registry_store(registry), id, &res, p)
        || acme_archive_prune(acme_registry_store(registry), id, now, &res,
                              p)) {
        acme_log(acme_registry_log(registry), ACME_LOG_WARNING, id, "%s",
                 res.detail);
    }
}

/* What goes into an archive: all parts, and the words about them. */
typedef struct {
    acme_archive_t archive;
    acme_meta_t meta;
    const apr_array_header_t *names;    /* in all parts */
} bundle_t;

static bundle_t *make_bundle(apr_time_t now, apr_pool_t *p)
{
    bundle_t *bundle = apr_pcalloc(p, sizeof(*bundle));

    bundle->archive.parts = apr_array_make(p, 2, sizeof(acme_archive_part_t));
    bundle->meta.parts = apr_array_make(p, 2, sizeof(acme_meta_part_t));
    bundle->meta.now = now;
    return bundle;
}

static void add_part(bundle_t *bundle, const acme_cert_conf_t *cert,
                     apr_uint32_t part, const acme_chain_t *chain,
                     const char *key_pem, const char *url, apr_pool_t *p)
{
    acme_archive_part_t *files = apr_array_push(bundle->archive.parts);
    acme_meta_part_t *meta = apr_array_push(bundle->meta.parts);

    meta->key_type = acme_conf_key_type(cert, part);

    files->suffix = acme_conf_suffix(cert, part);
    files->key_pem = key_pem;
    files->cert_pem = acme_chain_pem_leaf(chain, p);
    files->chain_pem = acme_chain_pem_rest(chain, p);
    files->full_pem = acme_chain_pem_full(chain, p);
    meta->leaf = acme_chain_leaf(chain);
    meta->url = url;
    bundle->names = meta->leaf->names;
}

/* What is no good any more is ordered anew, with the same key. */
static void drop_unless(int good, int *pwaits, acme_registry_t *registry,
                        const acme_cert_conf_t *cert, apr_uint32_t part,
                        const acme_result_t *why, apr_pool_t *p)
{
    acme_result_t res;

    if (good) {
        return;
    }
    *pwaits = 1;
    acme_log(acme_registry_log(registry), ACME_LOG_WARNING, cert->id,
             "what was issued for %s "
             "is ordered anew: %s",
             acme_key_type_name(acme_conf_key_type(cert, part)), why->detail);
    if (acme_pending_reorder(acme_registry_store(registry),
                             acme_install_pending_name(cert, part, p), &res,
                             p)) {
        acme_log(acme_registry_log(registry), ACME_LOG_WARNING, cert->id, "%s",
                 res.detail);
    }
}

/*
 * From what is pending, checked as it was when it came: days may have passed.
 * *pwaits: a part is not there yet, is of another CA, or has to be ordered
 * anew.
 */
static apr_status_t collect_pending(bundle_t *bundle, int *pwaits,
                                    acme_registry_t *registry,
                                    const acme_target_t *about,
                                    acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_conf_t *cert =
        acme_conf_cert(acme_registry_conf(registry), about->cert);
    const char *folder =
        acme_conf_ca(acme_registry_conf(registry), cert, about->ca)->folder;
    apr_status_t rv = APR_SUCCESS;
    acme_target_t part = *about;

    for (part.part = 0; rv == APR_SUCCESS
                        && part.part < acme_conf_parts(cert); part.part++) {
        acme_pending_t *pending;
        acme_chain_t *chain;

        rv = acme_install_find_pending(&pending, registry, &part, res, p);
        if (APR_STATUS_IS_ENOENT(rv)
            || (rv == APR_SUCCESS && (!pending->issued || !pending->account
                                      || strcmp(pending->account, folder)))) {
            *pwaits = 1;
            return APR_SUCCESS;
        }
        if (rv == APR_SUCCESS) {
            rv = acme_chain_parse(&chain, pending->chain_pem,
                                  strlen(pending->chain_pem), res, p);
        }
        if (rv == APR_SUCCESS) {
            rv = check(chain, registry, cert,
                       acme_registry_state(registry, about->cert), pending,
                       res, p);
        }
        if (pending) {
            drop_unless(rv == APR_SUCCESS, pwaits, registry, cert, part.part,
                        res, p);
        }
        if (rv == APR_SUCCESS) {
            add_part(bundle, cert, part.part, chain, pending->key_pem,
                     pending->cert_url, p);
        }
    }
    return rv;
}

/* The live parts again, but one with a new chain. */
static apr_status_t collect_live(bundle_t *bundle, acme_registry_t *registry,
                                 const acme_target_t *about,
                                 acme_chain_t *new_chain, acme_result_t *res,
                                 apr_pool_t *p)
{
    const acme_cert_conf_t *cert =
        acme_conf_cert(acme_registry_conf(registry), about->cert);
    apr_status_t rv = APR_SUCCESS;
    apr_uint32_t part;

    for (part = 0; rv == APR_SUCCESS && part < acme_conf_parts(cert);
         part++) {
        const char *suffix = acme_conf_suffix(cert, part);
        const char *key_path = acme_store_live(
            acme_registry_store(registry), cert->id,
            apr_pstrcat(p, "privkey", suffix, ".pem", NULL), p);
        const char *path = acme_store_live(
            acme_registry_store(registry), cert->id,
            apr_pstrcat(p, "fullchain", suffix, ".pem", NULL), p);
        acme_chain_t *chain = new_chain;
        const char *key_pem;
        apr_size_t len;

        rv = acme_file_read_secret(&key_pem, &len, key_path, KEY_SIZE_MAX,
                                   res, p);
        if (rv == APR_SUCCESS && part != about->part) {
            rv = acme_chain_load(&chain, path, res, p);
        }
        if (rv == APR_SUCCESS) {
            add_part(bundle, cert, part, chain, key_pem,
                     acme_meta_url(acme_registry_store(registry), cert->id,
                                   part, p),
                     p);
        }
    }
    return rv;
}

static apr_status_t put_live(acme_registry_t *registry,
                             const acme_target_t *about, bundle_t *bundle,
                             acme_result_t *res, apr_pool_t *p)
{
    const apr_uint32_t index = about->cert;
    const acme_cert_conf_t *cert =
        acme_conf_cert(acme_registry_conf(registry), index);
    const acme_cert_info_t *leaf =
        APR_ARRAY_IDX(bundle->meta.parts, 0, acme_meta_part_t).leaf;
    apr_status_t rv;
    int n;

    bundle->meta.id = cert->id;
    bundle->meta.ca =
        acme_conf_ca(acme_registry_conf(registry), cert, about->ca)->url;
    bundle->meta.profile = cert->profile;
    bundle->meta.digest = cert->digest;
    bundle->meta.key_types = acme_conf_key_types(cert, p);
    bundle->archive.meta = acme_meta_text(&bundle->meta, p);
    rv = acme_archive_install(&n, acme_registry_store(registry), cert->id,
                              &bundle->archive, res, p);
    tell_what_was_set_aside(registry, cert, rv, res);
    if (rv == APR_SUCCESS) {
        acme_registry_refresh(registry, index, p);
        acme_log(
            acme_registry_log(registry), ACME_LOG_NOTICE, cert->id,
            "installed: serial "
            "%s, issued by %s, valid until %s, as archive/%s/%d",
            leaf->serial, leaf->issuer,
            acme_time_text(acme_registry_state(registry, index)->not_after, p),
            cert->id, n);
    }
    return rv;
}

/* All parts that are pending go live together, or wait for each other. */
static apr_status_t complete(acme_registry_t *registry, acme_reload_t *reload,
                             const acme_target_t *about, acme_result_t *res,
                             apr_pool_t *p)
{
    const acme_state_t *state = acme_registry_state(registry, about->cert);
    const apr_time_t served_until = state->served ? state->not_after : 0;
    const apr_time_t now = apr_time_now();
    bundle_t *bundle = make_bundle(now, p);
    int waits = 0;
    apr_status_t rv;

    rv = collect_pending(bundle, &waits, registry, about, res, p);
    if (waits) {
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        rv = put_live(registry, about, bundle, res, p);
    }
    if (rv == APR_SUCCESS) {
        finish(registry, about->cert, bundle->names, now, p);
        acme_reload_want(reload, state, served_until, now);
    }
    return rv;
}

/*
 * The same leaf with what the CA sends behind it today. The wish stays until
 * the worker is done with all parts.
 */
static apr_status_t renew_chain(acme_registry_t *registry,
                                acme_reload_t *reload,
                                const acme_target_t *about,
                                acme_chain_t *chain, acme_result_t *res,
                                apr_pool_t *p)
{
    const acme_state_t *state = acme_registry_state(registry, about->cert);
    const apr_time_t now = apr_time_now();
    bundle_t *bundle = make_bundle(now, p);
    apr_status_t rv;

    rv = acme_chain_linked(chain, res, p);
    if (rv == APR_SUCCESS) {
        rv = collect_live(bundle, registry, about, chain, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = put_live(registry, about, bundle, res, p);
    }
    if (rv == APR_SUCCESS) {
        acme_reload_want(reload, state, state->served ? state->not_after : 0,
                         now);
    }
    return rv;
}

/* It is live: the reply to it was lost, or its chain is to be renewed. */
static apr_status_t install_again(acme_registry_t *registry,
                                  acme_reload_t *reload,
                                  const acme_target_t *about,
                                  acme_chain_t *chain,
                                  const acme_pending_t *pending,
                                  acme_result_t *res, apr_pool_t *p)
{
    if (acme_registry_state(registry, about->cert)->wanted
        == ACME_WANT_CHAIN) {
        return renew_chain(registry, reload, about, chain, res, p);
    }
    if (!pending || is_made_for(chain, pending, p)) {
        finish(registry, about->cert, acme_chain_leaf(chain)->names,
               apr_time_now(), p); /* it may not have come to that */
    }
    return APR_SUCCESS;
}

static apr_status_t install(acme_registry_t *registry, acme_reload_t *reload,
                            const acme_target_t *about,
                            const acme_issued_t *issued, int *prefused,
                            acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_conf_t *cert =
        acme_conf_cert(acme_registry_conf(registry), about->cert);
    const acme_state_t *state = acme_registry_state(registry, about->cert);
    acme_pending_t *pending;
    acme_chain_t *chain;
    apr_status_t rv;

    rv = acme_chain_parse(&chain, issued->pem, issued->len, res, p);
    *prefused = rv != APR_SUCCESS;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_install_find_pending(&pending, registry, about, res, p);
    if (state->live && is_live(chain, registry, cert, about->part, p)) {
        return install_again(registry, reload, about, chain, pending, res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = check(chain, registry, cert, state, pending, res, p);
    *prefused = rv != APR_SUCCESS;
    if (rv == APR_SUCCESS) {
        rv = acme_pending_issued(
            acme_registry_store(registry),
            acme_install_pending_name(cert, about->part, p),
            acme_chain_pem_full(chain, p), issued->url, res, p);
    }
    return rv == APR_SUCCESS ? complete(registry, reload, about, res, p) : rv;
}

apr_status_t acme_install_chain(acme_registry_t *registry,
                                acme_reload_t *reload,
                                const acme_target_t *about,
                                const acme_issued_t *issued,
                                acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_conf_t *cert =
        acme_conf_cert(acme_registry_conf(registry), about->cert);
    int refused = 0;
    apr_status_t rv;

    rv = issued->len
             ? install(registry, reload, about, issued, &refused, res, p)
             : complete(registry, reload, about, res, p);
    if (refused) {
        keep_aside(registry, cert, issued->pem, issued->len, res, p);
    }
    return rv;
}
