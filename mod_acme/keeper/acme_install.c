/*
 * acme_install.c - what the CA issued, until it is live.
 *
 * What an order needs is on disk before the CA issues: no order is lost by a
 * crash. What the CA has, such as a chain, can be fetched again by the order's
 * URL, which is forgotten last.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_install.h"
#include "acme_archive.h"
#include "acme_file.h"
#include "acme_install_bundle.h"
#include "acme_install_issued.h"
#include "acme_install_part.h"
#include "acme_install_pending.h"
#include "acme_meta.h"
#include "acme_next_key.h"
#include "acme_next_step.h"
#include "acme_public_key.h"
#include "acme_registry_live.h"
#include "acme_registry_order.h"

/*
 * Installations of a certificate within a day that nobody asked for: a worker
 * that is not ours could bring chains of its own making without end, each with
 * an archive and a reload. Honest renewals, of days, are fewer; those of a
 * certificate that lives for hours or minutes are not counted when it is due,
 * but they rest.
 */
#define INSTALLS_A_DAY 12
#define A_DAY apr_time_from_sec(24 * 3600)
#define INSTALL_REST apr_time_from_sec(60)
#define EARLIEST 1000           /* chance of acme_next_step_renew_at() */

/* Does live/ lead to the leaf already, as when the first reply was lost? It may
   be damaged: what the state says decides. */
static int is_linked(const acme_install_part_t *in,
                     const acme_cert_reading_t *chain)
{
    const char *text;
    acme_result_t res;
    apr_size_t len;

    return !acme_file_read(&text, &len,
                           acme_install_part_live_path(in, "cert",
                                                       in->about.part),
                           ACME_CHAIN_SIZE_MAX, &res, in->p)
        && !strcmp(text, chain->leaf_pem);
}

/* Is the chain for the pending key? The order of another key must go on. */
static int is_made_for(const acme_cert_reading_t *chain,
                       const acme_pending_t *pending, apr_pool_t *p)
{
    acme_result_t res;
    acme_key_t *key;

    return !acme_key_parse(&key, pending->key_pem, "pending", &res, p)
        && acme_public_key_is_same(chain->facts.key,
                                   acme_public_key_of(key, p));
}

/*
 * Is it time for another certificate, by the lifetime of the live one? What
 * workers report (a window, a revocation) does not count here.
 */
static int is_due(const acme_install_part_t *in)
{
    const acme_state_t *state = in->state;

    return !state->live || !state->covers
        || (in->now >= acme_next_step_renew_at(state->not_before,
                                               state->not_after,
                                               &state->renew, EARLIEST)
            && (in->now < state->installed
                || in->now >= state->installed + INSTALL_REST));
}

/* After a refusal the order is dropped: no worker may end it later. */
static apr_status_t check_frequency(const acme_install_part_t *in)
{
    const char *id = in->cert->id;
    const apr_time_t first = acme_archive_made_at(in->store, id,
                                                  INSTALLS_A_DAY, in->now,
                                                  in->p);
    acme_result_t ignored;

    if (first <= in->now - A_DAY || in->state->wanted == ACME_WANT_RENEWAL
        || is_due(in)) {
        return APR_SUCCESS;
    }
    (void)acme_pending_reorder(
        in->store, acme_install_pending_name(in->cert, in->about.part, in->p),
        &ignored, in->p);
    acme_fail(in->res, APR_EBUSY,
              "%s: replaced too often: %d times within a day; the next certificate is installed after %s, or after acmectl renew %s --force",
              id, INSTALLS_A_DAY, acme_time_text(first + A_DAY, in->p), id);
    in->res->retry = ACME_RETRY_LATER;
    in->res->retry_at = first + A_DAY;
    if (acme_registry_may_complain(in->registry, in->about.cert, in->now)) {
        acme_log(in->log, ACME_LOG_ERROR, id, "refused: %s", in->res->detail);
    }
    return acme_result_reason(in->res, ACME_REASON_INSTALL_LIMITED);
}

static void prune(const acme_install_part_t *in)
{
    acme_result_t res;

    if (acme_archive_prune(in->store, in->cert->id, in->state->served, in->now,
                           &res, in->p)) {
        acme_log(in->log, ACME_LOG_WARNING, in->cert->id, "%s", res.detail);
    }
}

/* The certificate is live: failures are only logged. */
static void forget_order(const acme_install_part_t *in)
{
    const char *id = in->cert->id;
    acme_result_t res;

    if (acme_pending_remove(in->store, id, &res, in->p)) {
        acme_log(in->log, ACME_LOG_WARNING, id, "%s", res.detail);
    }
    acme_next_key_update(in->registry, in->about.cert, in->now, in->p);
    prune(in);
}

static void end_order(const acme_install_part_t *in,
                      const apr_array_header_t *names)
{
    acme_registry_live_installed(in->registry, in->about.cert, names, in->now,
                                 in->p);
    forget_order(in);
}

/*
 * The certificate is live, but its order was not ended: an installation failed
 * at the sync of live/, or its keeper was killed, or a power failure has brought
 * the order back. The last is of no use for what was requested since; is_news:
 * nobody knew that it was live.
 */
static void end_left_order(const acme_install_part_t *in, int is_news,
                           const apr_array_header_t *names)
{
    if (!is_news && acme_install_part_is_asked_since(in)) {
        acme_log(in->log, ACME_LOG_NOTICE, in->cert->id,
                 "the order that was resumed is that of the live certificate; a new one is made");
        acme_registry_order_gone(in->registry, in->about.cert);
        forget_order(in);
    }
    else {
        end_order(in, names);
    }
}

/* What an installation does last, should one have ended before it: that live/
   lasts, that the state knows it, and that httpd serves it. *pis_news: the
   state did not. */
static apr_status_t settle_live(int *pis_news, const acme_install_part_t *in,
                                acme_reload_t *reload)
{
    const apr_time_t until = in->state->served ? in->state->not_after : 0;
    const apr_status_t rv = acme_file_sync(
        acme_store_path(in->store, "live", NULL, in->p), in->res);

    *pis_news = acme_install_part_is_state_old(in);
    if (rv == APR_SUCCESS && *pis_news) {
        acme_registry_refresh(in->registry, in->about.cert, in->p);
        acme_reload_schedule(reload, in->state, until, in->now);
    }
    return rv;
}

/* An installation whose archive is written. */
struct acme_install_t {
    acme_install_part_t in;
    acme_reload_t *reload;
    acme_install_bundle_t *bundle;
    acme_install_brought_t brought;
    int is_order;               /* and not a new chain alone */
    apr_time_t served_until;    /* the certificate before it */
    acme_archive_making_t *making;
    int n;                      /* of the archive */
    apr_status_t status;
};

static apr_status_t fill_archive(acme_install_t **pinstall,
                                 acme_install_t *install, acme_sync_t *sync)
{
    const acme_install_part_t *in = &install->in;
    acme_install_bundle_t *bundle = install->bundle;
    apr_status_t rv;

    bundle->archive.meta = acme_meta_text(&bundle->meta, in->p);
    rv = acme_archive_fill(&install->making, in->store, in->cert->id,
                           &bundle->archive, sync, in->res, in->p);
    acme_install_part_log_aside(in, rv);
    if (rv == APR_SUCCESS) {
        *pinstall = install;
    }
    return rv;
}

static acme_install_t *make_job(const acme_install_part_t *in,
                                acme_reload_t *reload,
                                const acme_install_brought_t *brought)
{
    acme_install_t *install = apr_pcalloc(in->p, sizeof(*install));

    install->in = *in;
    install->reload = reload;
    install->brought = *brought;
    install->bundle = acme_install_bundle_make(in);
    install->served_until = in->state->served ? in->state->not_after : 0;
    return install;
}

/* Until it is live the order could be resumed for it; but the CA may be away
   then, or the disk full now. */
static apr_status_t keep_brought(const acme_install_part_t *in,
                                 const acme_install_brought_t *brought,
                                 acme_result_t *res)
{
    return acme_pending_issued(
        in->store, acme_install_pending_name(in->cert, in->about.part, in->p),
        brought->chain->full_pem, brought->url, res, in->p);
}

/* All parts that are pending go live together, or wait for each other. */
static apr_status_t complete(acme_install_t **pinstall,
                             const acme_install_part_t *in,
                             acme_reload_t *reload,
                             const acme_install_brought_t *brought,
                             acme_sync_t *sync)
{
    acme_install_t *install = make_job(in, reload, brought);
    acme_result_t ignored;
    apr_status_t rv;
    int waits;

    install->is_order = 1;
    rv = acme_install_bundle_add_pending(install->bundle, &waits, in, brought);
    if (waits) {
        return brought->chain ? keep_brought(in, brought, in->res)
                              : APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        rv = fill_archive(pinstall, install, sync);
    }
    if (rv != APR_SUCCESS && rv != APR_EINPROGRESS && brought->chain) {
        (void)keep_brought(in, brought, &ignored);
    }
    return rv;
}

/* Is this the chain that is live, octet by octet as it would be written? */
static int is_live_chain(const acme_install_part_t *in,
                         const acme_cert_reading_t *chain)
{
    const char *text;
    acme_result_t res;
    apr_size_t len;

    return !acme_file_read(&text, &len,
                           acme_install_part_live_path(in, "fullchain",
                                                       in->about.part),
                           ACME_CHAIN_SIZE_MAX, &res, in->p)
        && !strcmp(text, chain->full_pem);
}

/*
 * The same leaf with the chain that the CA has for it today. The request stays
 * pending until the worker is done with all parts.
 */
static apr_status_t install_new_chain(acme_install_t **pinstall,
                                      const acme_install_part_t *in,
                                      acme_reload_t *reload,
                                      const acme_install_brought_t *brought,
                                      acme_sync_t *sync)
{
    acme_cert_reading_t *chain = brought->chain;
    acme_install_t *install = make_job(in, reload, brought);
    apr_status_t rv;

    if (is_live_chain(in, chain)) {
        return APR_SUCCESS;
    }
    rv = chain->facts.linked.status;
    if (rv != APR_SUCCESS) {
        *in->res = chain->facts.linked;
        return rv;
    }
    rv = check_frequency(in);
    if (rv == APR_SUCCESS) {
        rv = acme_install_bundle_add_live(install->bundle, in, chain);
    }
    return rv == APR_SUCCESS ? fill_archive(pinstall, install, sync) : rv;
}

/* A chain that was kept as the last sync of its installation failed: it may be
   live, and is looked at as if it was brought once more. */
static int find_kept(acme_issued_t *kept, const acme_install_part_t *in)
{
    acme_pending_t *pending;
    acme_result_t ignored;

    if (!acme_install_part_is_state_old(in)
        || acme_install_pending_find(&pending, in->registry, &in->about,
                                     &ignored, in->p)
        || !pending->chain_pem) {
        return 0;
    }
    kept->pem = pending->chain_pem;
    kept->len = strlen(kept->pem);
    kept->url = pending->cert_url;
    return 1;
}

apr_status_t acme_install_begin(acme_install_t **pinstall,
                                acme_registry_t *registry,
                                acme_reload_t *reload,
                                const acme_target_t *about,
                                const acme_issued_t *issued,
                                acme_sync_t *sync, acme_result_t *res,
                                apr_pool_t *p)
{
    const acme_install_part_t in = acme_install_part(registry, about, res, p);
    acme_install_brought_t brought = { .url = apr_pstrdup(p, issued->url) };
    acme_pending_t *pending;
    acme_cert_reading_t *chain;
    acme_issued_t kept;
    int is_there, is_news = 0;
    apr_status_t rv;

    acme_sync_owner(sync, in.cert->id);
    *pinstall = NULL;
    if (!issued->len && find_kept(&kept, &in)) {
        issued = &kept;
        brought.url = kept.url;
    }
    if (!issued->len) {
        rv = check_frequency(&in);
        return rv == APR_SUCCESS
            ? complete(pinstall, &in, reload, &brought, sync) : rv;
    }
    rv = acme_install_issued_read(&chain, &in, issued->pem, issued->len);
    if (rv == APR_EINPROGRESS) {
        return rv;
    }
    if (rv == APR_EINVAL) {
        res->reason = ACME_REASON_CHAIN_REFUSED;
        acme_install_issued_keep_refused(&in, issued);
    }
    if (rv != APR_SUCCESS) {
        return rv;              /* of the chain nothing is known */
    }
    brought.chain = chain;
    is_there = is_linked(&in, chain);
    if (is_there) {
        rv = settle_live(&is_news, &in, reload);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    rv = acme_install_pending_find(&pending, registry, about, res, p);
    if (in.state->live && is_there) {
        if (in.state->wanted == ACME_WANT_CHAIN) {
            return install_new_chain(pinstall, &in, reload, &brought, sync);
        }
        if (!pending || is_made_for(chain, pending, p)) {
            end_left_order(&in, is_news, chain->facts.leaf.names);
        }
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = check_frequency(&in);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_install_issued_check(&in, chain, pending);
    if (rv == APR_EINVAL) {
        acme_install_issued_keep_refused(&in, issued);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return complete(pinstall, &in, reload, &brought, sync);
}

static acme_install_t *job_at(const apr_array_header_t *installs, int i)
{
    return APR_ARRAY_IDX(installs, i, acme_install_t *);
}

/* What was written by a step lasts, but of those whose sync failed. */
static void take_result(const apr_array_header_t *installs,
                        const acme_sync_t *sync)
{
    int i;

    for (i = 0; i < installs->nelts; i++) {
        acme_install_t *install = job_at(installs, i);

        if (install->status == APR_SUCCESS) {
            install->status = acme_sync_ended(sync, install->in.cert->id,
                                              install->in.res);
        }
    }
}

static void sync_step(const apr_array_header_t *installs, acme_sync_t *sync)
{
    acme_result_t ignored;

    (void)acme_sync_run(sync, &ignored);
    take_result(installs, sync);
}

/* It is live, and lasts: the order may be forgotten. */
static void put_live(acme_install_t *install)
{
    const acme_install_part_t *in = &install->in;
    const acme_cert_info_t *leaf =
        APR_ARRAY_IDX(install->bundle->meta.parts, 0, acme_meta_part_t).leaf;

    acme_registry_refresh(in->registry, in->about.cert, in->p);
    acme_log(in->log, ACME_LOG_NOTICE, in->cert->id,
             "installed: serial %s, issued by %s, valid until %s, as archive/%s/%d",
             leaf->serial, leaf->issuer,
             acme_time_text(in->state->not_after, in->p), in->cert->id,
             install->n);
    if (install->is_order) {
        end_order(in, install->bundle->names);
    }
    else {
        prune(in);
    }
    acme_reload_schedule(install->reload, in->state, install->served_until,
                         in->now);
}

void acme_install_finish(const apr_array_header_t *installs,
                         acme_sync_t *sync)
{
    acme_result_t ignored;
    int i;

    take_result(installs, sync);
    for (i = 0; i < installs->nelts; i++) {
        acme_install_t *install = job_at(installs, i);

        acme_sync_owner(sync, install->in.cert->id);
        if (install->status == APR_SUCCESS) {
            install->status = acme_archive_number(install->making, sync,
                                                  install->in.res);
        }
        else {
            acme_archive_drop(install->making);
        }
    }
    sync_step(installs, sync);
    for (i = 0; i < installs->nelts; i++) {
        acme_install_t *install = job_at(installs, i);

        acme_sync_owner(sync, install->in.cert->id);
        if (install->status == APR_SUCCESS) {
            install->status = acme_archive_put_live(
                &install->n, install->making, sync, install->in.res);
            acme_install_part_log_aside(&install->in, install->status);
        }
    }
    sync_step(installs, sync);
    for (i = 0; i < installs->nelts; i++) {
        acme_install_t *install = job_at(installs, i);

        acme_sync_step(sync);   /* its journal is written */
        if (install->status == APR_SUCCESS) {
            put_live(install);
        }
        else if (install->is_order && install->brought.chain) {
            (void)keep_brought(&install->in, &install->brought, &ignored);
        }
    }
}

apr_status_t acme_install_status(const acme_install_t *install)
{
    return install->status;
}

apr_uint32_t acme_install_cert(const acme_install_t *install)
{
    return install->in.about.cert;
}
