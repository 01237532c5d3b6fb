/*
 * acme_install.c - a certificate's key and request, from their making to the
 * installation.
 *
 * What an order needs is on disk before the CA issues: no order is lost by a
 * crash. What the CA has, such as a chain, can be fetched again by the order's
 * URL, which is forgotten last.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_cert_reader.h"
#include "acme_install_check.h"
#include "acme_csr.h"
#include "acme_digest.h"
#include "acme_install.h"
#include "acme_key_maker.h"
#include "acme_file.h"
#include "acme_journal.h"
#include "acme_live_link.h"
#include "acme_meta.h"
#include "acme_name.h"
#include "acme_next_key.h"
#include "acme_next_step.h"
#include "acme_public_key.h"
#include "acme_self_signed.h"

#define DIGEST_MAX 64           /* octets: acme_conf_digest() has fewer */
#define KEY_SIZE_MAX (16 * 1024)

/*
 * Longer than any public CA may issue: nothing to measure others by. A company
 * may have its own (AcmeCACertificateFile); but a chain that anybody could
 * have made must not stay for ever.
 */
#define LIFETIME_USUAL apr_time_from_sec(400 * 24 * 3600)
#define LIFETIME_PRIVATE apr_time_from_sec(10LL * 366 * 24 * 3600)

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

/*
 * An order that does not end is dropped: its URL came from a worker, and it
 * may be nobody's. The CA forgets most orders within a week.
 */
#define ORDER_AGE_MAX (7 * A_DAY)
#define ORDER_RESUMES_MAX 10

/* The part of a certificate that is prepared or installed. */
typedef struct {
    acme_registry_t *registry;
    acme_store_t *store;
    const acme_log_t *log;
    const acme_conf_t *conf;
    const acme_cert_conf_t *cert;
    const acme_state_t *state;
    acme_target_t about;
    apr_time_t now;
    acme_result_t *res;
    apr_pool_t *p;
} install_t;

static install_t make_install(acme_registry_t *registry,
                              const acme_target_t *about, acme_result_t *res,
                              apr_pool_t *p)
{
    const acme_conf_t *conf = acme_registry_conf(registry);
    const install_t in = { .registry = registry,
                           .store = acme_registry_store(registry),
                           .log = acme_registry_log(registry),
                           .conf = conf,
                           .cert = acme_conf_cert(conf, about->cert),
                           .state = acme_registry_state(registry,
                                                        about->cert),
                           .about = *about,
                           .now = apr_time_now(),
                           .res = res,
                           .p = p };

    return in;
}

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
               cert, about->part, pending->names, p)) != 0
        /* That key may be stolen: AcmeKeyReuse, and then a revocation. */
        || acme_archive_is_void_key(acme_registry_store(registry), cert->id,
                                    pending->key_pem, p)) {
        return acme_fail(res, APR_ENOENT, "%s: no key and request are pending",
                         cert->id);
    }
    *ppending = pending;
    return APR_SUCCESS;
}

/* After a success, a detail says which foreign file the store moved aside. */
static void log_moved_aside(const install_t *in, apr_status_t rv)
{
    if (rv == APR_SUCCESS && in->res->detail[0]) {
        acme_log(in->log, ACME_LOG_WARNING, in->cert->id, "%s",
                 in->res->detail);
    }
}

/* "fullchain" of the second part: .../live/<id>/fullchain-rsa.pem */
static const char *live_path(const install_t *in, const char *name,
                             apr_uint32_t part)
{
    return acme_store_live(in->store, in->cert->id,
                           apr_pstrcat(in->p, name,
                                       acme_conf_suffix(in->cert, part),
                                       ".pem", NULL),
                           in->p);
}

/*
 * AcmeKeyReuse: the key of the live certificate, if its type is right. That of
 * a revoked one may be stolen: it is not used again. NULL: none.
 */
static acme_key_t *live_key(const install_t *in)
{
    acme_key_type_e type;
    acme_result_t res;
    acme_key_t *key;
    int n;

    if (in->state->revoked
        || acme_live_link_read(&n, in->store, in->cert->id, &res, in->p)
        || acme_archive_is_void(in->store, in->cert->id, n, in->p)
        || acme_key_load(&key, live_path(in, "privkey", in->about.part), &res,
                      in->p)
        || acme_key_type(&type, key, &res)
        || type != acme_conf_key_type(in->cert, in->about.part)) {
        return NULL;
    }
    return key;
}

static apr_status_t make_key(acme_key_t **pkey, const install_t *in)
{
    const char *failed;
    const apr_status_t rv = acme_key_maker_take(
        pkey, &failed, acme_conf_key_type(in->cert, in->about.part), in->now,
        in->res, in->p);

    acme_key_maker_log(in->log, in->cert->id, failed);
    if (APR_STATUS_IS_EAGAIN(rv)) {
        acme_result_prefix(in->res, in->cert->id);
    }
    return rv;
}

static apr_status_t make_pending(acme_pending_t **ppending,
                                 const install_t *in,
                                 apr_array_header_t *names)
{
    const acme_cert_conf_t *cert = in->cert;
    const apr_uint32_t part = in->about.part;
    acme_pending_t *pending = apr_pcalloc(in->p, sizeof(*pending));
    acme_octets_t csr;
    acme_key_t *key = NULL;
    apr_status_t rv = APR_SUCCESS;

    *ppending = NULL;
    if (cert->key_reuse != ACME_KEY_REUSE_OFF) {
        key = live_key(in);
    }
    if (cert->key_reuse == ACME_KEY_REUSE_NEXT) {
        key = acme_next_key_choose(in->registry, &in->about, key, in->now,
                                   in->p);
    }
    if (!key) {
        rv = make_key(&key, in);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_key_pem(&pending->key_pem, key, in->res, in->p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_csr_make(&csr, key, names,
                           cert->must_staple ? ACME_CSR_MUST_STAPLE
                                             : ACME_CSR_PLAIN,
                           in->res, in->p);
    }
    if (rv == APR_SUCCESS) {
        pending->csr = csr.data;
        pending->csr_len = csr.len;
        pending->names = names;
        pending->digest = acme_conf_request(cert, part, names, in->p);
        rv = acme_pending_save(in->store,
                               acme_install_pending_name(cert, part, in->p),
                               pending, in->res, in->p);
        log_moved_aside(in, rv);
    }
    *ppending = rv == APR_SUCCESS ? pending : NULL;
    return rv;
}

/* Is the live link another one than the state knows? An installation that
   failed at its last sync has left it. */
static int is_state_old(const install_t *in)
{
    acme_result_t ignored;
    int n;

    return !acme_live_link_read(&n, in->store, in->cert->id, &ignored, in->p)
        && n != in->state->live;
}

/*
 * Was the renewal requested after the live certificate was installed, and not
 * before it? Seconds are enough: an order takes longer than a power failure
 * that brings an older one back.
 */
static int is_asked_since(const install_t *in)
{
    acme_journal_t *journal;
    acme_result_t ignored;
    apr_time_t asked = 0;
    int i;

    if (in->state->wanted != ACME_WANT_RENEWAL) {
        return 0;
    }
    (void)acme_journal_look(&journal, in->store, in->cert->id, &ignored,
                            in->p);
    for (i = 0; i < journal->events->nelts; i++) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(journal->events, i, acme_journal_event_t);

        if (!strcmp(event->event, "asked")) {
            asked = event->when;
        }
    }
    return apr_time_sec(asked) > apr_time_sec(in->state->installed);
}

/* Has the live certificate the pending key? */
static int is_key_live(const install_t *in, const acme_pending_t *pending)
{
    acme_octets_t live;
    acme_result_t ignored;
    acme_key_t *key;

    return !acme_key_parse(&key, pending->key_pem, "pending", &ignored, in->p)
        && !acme_public_key_of_file(&live, live_path(in, "privkey",
                                                     in->about.part),
                                    &ignored, in->p)
        && acme_public_key_is_same(live, acme_public_key_of(key, in->p));
}

/*
 * A power failure brings an order back whose certificate is live: it is over,
 * but where the keeper died before it noted so, and the worker ends it. So is
 * one whose key was to be reused, under another AcmeKeyReuse.
 */
static int is_over(const install_t *in, const acme_pending_t *pending)
{
    return in->cert->key_reuse == ACME_KEY_REUSE_OFF && in->state->live
        && !is_state_old(in)
        && (in->state->wanted != ACME_WANT_RENEWAL || is_asked_since(in))
        && is_key_live(in, pending);
}

/* The key of a request may have been made under another AcmeKeyReuse. */
static int has_right_key(const install_t *in, const acme_pending_t *pending)
{
    return in->cert->key_reuse == ACME_KEY_REUSE_NEXT
        ? acme_next_key_may_finish(in->registry, &in->about, live_key(in),
                                   pending, in->p)
        : !is_over(in, pending);
}

/* "/etc/apache2/a.conf:7, /etc/apache2/b.conf:1 and 3 more" */
static const char *places_text(const install_t *in)
{
    return in->cert->places && in->cert->places->nelts
        ? acme_name_list_text(in->cert->places, in->p) : in->cert->id;
}

/*
 * Trials that went well: key type and list of ciphers. The key itself makes no
 * difference, and hundreds of certificates have the same of both.
 */
#define TRIALS_MAX 32
#define TRIAL_OCTETS 16

static struct {
    acme_key_type_e type;
    char list[2 * TRIAL_OCTETS + 1];    /* a digest; "": a free row */
} trials[TRIALS_MAX];

static int has_gone_well(acme_key_type_e type, const char *digest)
{
    int i = TRIALS_MAX;

    while (--i >= 0 && (!*digest || trials[i].type != type
                        || strcmp(trials[i].list, digest))) {
        continue;
    }
    return i >= 0;
}

static void note_trial(acme_key_type_e type, const char *digest)
{
    static int next;

    trials[next].type = type;
    apr_cpystrn(trials[next].list, digest, sizeof(trials[next].list));
    next = (next + 1) % TRIALS_MAX;
}

/*
 * A trial before the order: whatever the CA issued for a key that a virtual
 * host's security level forbids would be refused, time after time.
 */
static apr_status_t check_key(const install_t *in,
                              const acme_pending_t *pending)
{
    const acme_key_type_e type = acme_conf_key_type(in->cert, in->about.part);
    const apr_array_header_t *ciphers = in->cert->ciphers;
    const acme_self_signed_t trial = { .key_pem = pending->key_pem,
                                       .names = pending->names,
                                       .now = in->now,
                                       .valid = A_DAY };
    apr_array_header_t *one = apr_array_make(in->p, 1, sizeof(const char *));
    acme_cert_reading_t *reading;
    acme_octets_t octets;
    acme_result_t why;
    const char *pem = NULL;
    int i;

    APR_ARRAY_PUSH(one, const char *) = "";
    for (i = 0; ciphers && i < ciphers->nelts; i++) {
        const char *list = APR_ARRAY_IDX(ciphers, i, const char *);
        const char *digest = acme_digest_hex(list, strlen(list), TRIAL_OCTETS,
                                             in->p);

        if (has_gone_well(type, digest)) {
            continue;
        }
        if (!pem && acme_self_signed_make(&pem, &trial, &why, in->p)) {
            return APR_SUCCESS; /* of the key itself nothing is known */
        }
        octets = (acme_octets_t) { (const unsigned char *)pem, strlen(pem) };
        APR_ARRAY_IDX(one, 0, const char *) = list;
        if (acme_cert_reader_read(&reading, octets, one, &why, in->p)) {
            return APR_SUCCESS;
        }
        if (reading->facts.loads.status == APR_EINVAL) {
            acme_fail_never(
                in->res, APR_EINVAL,
                "%s: nothing is ordered: a key of type %s (AcmeKeyTypes) cannot be served by a virtual host with SSLCipherSuite %s; see %s: %s",
                in->cert->id, acme_key_type_name(type),
                *list ? list : "(not set)", places_text(in),
                reading->facts.loads.detail);
            return acme_result_reason(in->res, ACME_REASON_KEY_TOO_WEAK);
        }
        if (reading->facts.loads.status == APR_SUCCESS) {
            note_trial(type, digest);
        }
    }
    return APR_SUCCESS;
}

/* Resume the order of pending once more, or drop it: its URL is NULL then. */
static void resume_order(const install_t *in, acme_pending_t *pending)
{
    const char *name = acme_install_pending_name(in->cert, in->about.part,
                                                 in->p);
    const int is_old = pending->since
        && in->now - pending->since > ORDER_AGE_MAX;
    acme_result_t res;
    apr_status_t rv;

    if (!pending->order_url || pending->issued) {
        return;
    }
    if (!is_old && pending->resumed < ORDER_RESUMES_MAX) {
        rv = acme_pending_resumed(in->store, name, in->now, &res, in->p);
    }
    else {
        acme_log(in->log, ACME_LOG_WARNING, in->cert->id,
                 "the order %s is dropped, and a new one is made: %s",
                 pending->order_url,
                 is_old ? "it has not ended within seven days"
                        : "it was resumed ten times and has not ended");
        pending->order_url = NULL;
        rv = acme_pending_reorder(in->store, name, &res, in->p);
        acme_registry_order_gone(in->registry, in->about.cert);
    }
    if (rv != APR_SUCCESS) {
        acme_log(in->log, ACME_LOG_WARNING, in->cert->id, "%s", res.detail);
    }
}

apr_status_t acme_install_prepare(acme_pending_t **ppending,
                                  const char **pflags,
                                  acme_registry_t *registry,
                                  const acme_target_t *about,
                                  acme_result_t *res, apr_pool_t *p)
{
    const install_t in = make_install(registry, about, res, p);
    apr_array_header_t *names = acme_registry_names_to_order(
        registry, about->cert, pflags, in.now, p);
    apr_status_t rv;

    rv = acme_install_find_pending(ppending, registry, about, res, p);
    if (rv == APR_SUCCESS && acme_name_all_in(names, (*ppending)->names)
        && acme_name_all_in((*ppending)->names, names)
        && has_right_key(&in, *ppending)) {
        resume_order(&in, *ppending);
        return check_key(&in, *ppending);
    }
    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        acme_log(in.log, ACME_LOG_WARNING, in.cert->id, "%s", res->detail);
    }
    rv = make_pending(ppending, &in, names);
    return rv == APR_SUCCESS ? check_key(&in, *ppending) : rv;
}

/*
 * The earliest expiry that a new certificate may have: that of the live one,
 * unless there is a reason to expire earlier. Reasons are another
 * configuration, a live certificate that is revoked or lacks a name, and a CA
 * that shortens its lifetimes: when the administrator requested the renewal,
 * half of the lifetime is enough, and from the warn window on any.
 */
static apr_time_t replaced_until(const install_t *in)
{
    const acme_state_t *state = in->state;
    const apr_interval_time_t life = state->not_after - state->not_before;
    const json_t *meta;
    const char *digest;

    if (life > LIFETIME_USUAL || state->revoked || !state->covers
        || state->left_out
        || in->now >= acme_state_warn_at(state, state->not_after)) {
        return 0;
    }
    meta = acme_meta_live(in->store, in->cert->id, in->p);
    digest = meta ? acme_json_string(meta, "digest", DIGEST_MAX, in->p) : NULL;
    if (!digest || strcmp(digest, in->cert->digest) != 0) {
        return 0;
    }
    return state->wanted && state->wanted != ACME_WANT_DRY_RUN
        && in->now + life / 2 < state->not_after
        ? in->now + life / 2 : state->not_after;
}

static int has_private_ca(const install_t *in)
{
    apr_uint32_t i;

    for (i = 0; i < (apr_uint32_t)in->cert->routes->nelts; i++) {
        if (acme_conf_route(in->conf, in->cert, i)->roots) {
            return 1;
        }
    }
    return 0;
}

/* Have a chain read. APR_EINVAL: it is refused; else nothing is known of it. */
static apr_status_t read_chain(acme_cert_reading_t **pchain,
                               const install_t *in, const char *pem,
                               apr_size_t len)
{
    const acme_octets_t octets = { (const unsigned char *)pem, len };
    apr_status_t rv = acme_cert_reader_read(pchain, octets, in->cert->ciphers,
                                            in->res, in->p);

    if (rv == APR_SUCCESS && (*pchain)->facts.parsed.status != APR_SUCCESS) {
        *in->res = (*pchain)->facts.parsed;
        rv = in->res->status;
    }
    return rv;
}

/* mod_ssl must be able to load it, or it would end the server. */
static apr_status_t check_loads(const install_t *in,
                                const acme_cert_reading_t *chain)
{
    if (chain->facts.loads.status != APR_SUCCESS) {
        *in->res = chain->facts.loads;          /* the CA may do better */
        acme_result_prefix(in->res, in->cert->id);
        in->res->reason = ACME_REASON_CHAIN_REFUSED;
    }
    return chain->facts.loads.status;
}

static apr_status_t check_issued(const install_t *in,
                                 const acme_cert_reading_t *chain,
                                 const acme_pending_t *pending)
{
    acme_install_check_t expected;
    apr_status_t rv;

    expected.life_max = has_private_ca(in) ? LIFETIME_PRIVATE : LIFETIME_USUAL;
    expected.id = in->cert->id;
    expected.names = pending->names;
    expected.now = in->now;
    expected.replaced_until = replaced_until(in);
    rv = acme_key_parse(&expected.key, pending->key_pem, in->cert->id, in->res,
                        in->p);
    if (rv == APR_SUCCESS) {
        rv = acme_install_check_chain(&chain->facts, &expected, in->res, in->p);
    }
    if (rv == APR_SUCCESS) {
        rv = check_loads(in, chain);
    }
    return rv;
}

/* One file a certificate: many refused ones must not displace other files. */
static void keep_refused(const install_t *in, const acme_issued_t *issued)
{
    const char *id = in->cert->id;
    const char *path = acme_store_path(
        in->store, "aside", apr_pstrcat(in->p, id, "-refused.pem", NULL),
        in->p);
    acme_result_t res;

    if (acme_file_write(path, issued->pem, issued->len, 0600, &res, in->p)) {
        acme_log(in->log, ACME_LOG_ERROR, id,
                 "the refused certificate could not be saved: %s", res.detail);
        return;
    }
    acme_log(in->log, ACME_LOG_ERROR, id,
             "refused: %s; the certificate is kept as %s and was never served",
             in->res->detail, path);
}

/* Does live/ lead to the leaf already, as when the first reply was lost? It may
   be damaged: what the state says decides. */
static int is_linked(const install_t *in, const acme_cert_reading_t *chain)
{
    const char *text;
    acme_result_t res;
    apr_size_t len;

    return !acme_file_read(&text, &len, live_path(in, "cert", in->about.part),
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
static int is_due(const install_t *in)
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
static apr_status_t check_frequency(const install_t *in)
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
    (void)acme_pending_reorder(in->store,
                               acme_install_pending_name(in->cert,
                                                         in->about.part,
                                                         in->p), &ignored,
                               in->p);
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

static void prune(const install_t *in)
{
    acme_result_t res;

    if (acme_archive_prune(in->store, in->cert->id, in->state->served, in->now,
                           &res, in->p)) {
        acme_log(in->log, ACME_LOG_WARNING, in->cert->id, "%s", res.detail);
    }
}

/* The certificate is live: failures are only logged. */
static void forget_order(const install_t *in)
{
    const char *id = in->cert->id;
    acme_result_t res;

    if (acme_pending_remove(in->store, id, &res, in->p)) {
        acme_log(in->log, ACME_LOG_WARNING, id, "%s", res.detail);
    }
    acme_next_key_update(in->registry, in->about.cert, in->now, in->p);
    prune(in);
}

static void end_order(const install_t *in, const apr_array_header_t *names)
{
    acme_registry_installed(in->registry, in->about.cert, names, in->now,
                            in->p);
    forget_order(in);
}

/*
 * The certificate is live, but its order was not ended: an installation failed
 * at the sync of live/, or its keeper was killed, or a power failure has brought
 * the order back. The last is of no use for what was requested since; is_news:
 * nobody knew that it was live.
 */
static void end_left_order(const install_t *in, int is_news,
                           const apr_array_header_t *names)
{
    if (!is_news && is_asked_since(in)) {
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
static apr_status_t settle_live(int *pis_news, const install_t *in,
                                acme_reload_t *reload)
{
    const apr_time_t until = in->state->served ? in->state->not_after : 0;
    const apr_status_t rv = acme_file_sync(
        acme_store_path(in->store, "live", NULL, in->p), in->res);

    *pis_news = is_state_old(in);
    if (rv == APR_SUCCESS && *pis_news) {
        acme_registry_refresh(in->registry, in->about.cert, in->p);
        acme_reload_schedule(reload, in->state, until, in->now);
    }
    return rv;
}

/* The contents of an archive: all parts, and their meta.json. */
typedef struct {
    acme_archive_t archive;
    acme_meta_t meta;
    const apr_array_header_t *names;    /* in all parts */
} bundle_t;

static bundle_t *make_bundle(const install_t *in)
{
    bundle_t *bundle = apr_pcalloc(in->p, sizeof(*bundle));

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

static void add_to_bundle(bundle_t *bundle, const install_t *in,
                          apr_uint32_t part, const acme_cert_reading_t *chain,
                          const char *key_pem, const char *url)
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

/* Of the part that was brought now: checked already, and not on disk. */
typedef struct {
    acme_cert_reading_t *chain; /* NULL: all parts wait on disk */
    const char *url;            /* or NULL */
} brought_t;

/*
 * Collect the pending parts, each checked once more: days may have passed.
 * *pwaits: a part is missing, is from another CA, or failed the check and is
 * ordered again, with the same key.
 */
static apr_status_t collect_pending(bundle_t *bundle, int *pwaits,
                                    const install_t *in,
                                    const brought_t *brought)
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

        rv = acme_install_find_pending(&pending, in->registry, &part, in->res,
                                       in->p);
        if (APR_STATUS_IS_ENOENT(rv)
            || (rv == APR_SUCCESS
                && ((!is_brought && !pending->issued) || !pending->account
                    || strcmp(pending->account, folder)))) {
            *pwaits = 1;
            return APR_SUCCESS;
        }
        if (rv == APR_SUCCESS && is_brought) {
            add_to_bundle(bundle, in, part.part, chain, pending->key_pem,
                          brought->url);
            continue;
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rv = read_chain(&chain, in, pending->chain_pem,
                        strlen(pending->chain_pem));
        if (rv != APR_SUCCESS && rv != APR_EINVAL) {
            return rv;
        }
        if (rv == APR_SUCCESS) {
            rv = check_issued(in, chain, pending);
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
        add_to_bundle(bundle, in, part.part, chain, pending->key_pem,
                      pending->cert_url);
    }
    return APR_SUCCESS;
}

static apr_status_t load_chain(acme_cert_reading_t **pchain,
                               const install_t *in, const char *path)
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

/* Collect the live parts, but the current one with its new chain. */
static apr_status_t collect_live(bundle_t *bundle, const install_t *in,
                                 acme_cert_reading_t *new_chain)
{
    apr_status_t rv = APR_SUCCESS;
    apr_uint32_t part;

    for (part = 0; rv == APR_SUCCESS && part < acme_conf_parts(in->cert);
         part++) {
        acme_cert_reading_t *chain = new_chain;
        const char *key_pem;
        apr_size_t len;

        rv = acme_file_read_secret(&key_pem, &len,
                                   live_path(in, "privkey", part),
                                   KEY_SIZE_MAX, in->res, in->p);
        if (rv == APR_SUCCESS && part != in->about.part) {
            rv = load_chain(&chain, in, live_path(in, "fullchain", part));
        }
        if (rv == APR_SUCCESS && part == in->about.part) {
            rv = check_loads(in, chain);
        }
        if (rv == APR_SUCCESS) {
            add_to_bundle(bundle, in, part, chain, key_pem,
                          acme_meta_url(in->store, in->cert->id, part, in->p));
        }
    }
    return rv;
}

/* An installation whose archive is written. */
struct acme_install_t {
    install_t in;
    acme_reload_t *reload;
    bundle_t *bundle;
    brought_t brought;
    int is_order;               /* and not a new chain alone */
    apr_time_t served_until;    /* the certificate before it */
    acme_archive_making_t *making;
    int n;                      /* of the archive */
    apr_status_t status;
};

static apr_status_t fill_archive(acme_install_t **pinstall,
                                 acme_install_t *install, acme_sync_t *sync)
{
    const install_t *in = &install->in;
    bundle_t *bundle = install->bundle;
    apr_status_t rv;

    bundle->archive.meta = acme_meta_text(&bundle->meta, in->p);
    rv = acme_archive_fill(&install->making, in->store, in->cert->id,
                           &bundle->archive, sync, in->res, in->p);
    log_moved_aside(in, rv);
    if (rv == APR_SUCCESS) {
        *pinstall = install;
    }
    return rv;
}

static acme_install_t *make_job(const install_t *in, acme_reload_t *reload,
                                const brought_t *brought)
{
    acme_install_t *install = apr_pcalloc(in->p, sizeof(*install));

    install->in = *in;
    install->reload = reload;
    install->brought = *brought;
    install->bundle = make_bundle(in);
    install->served_until = in->state->served ? in->state->not_after : 0;
    return install;
}

/* Until it is live the order could be resumed for it; but the CA may be away
   then, or the disk full now. */
static apr_status_t keep_brought(const install_t *in, const brought_t *brought,
                                 acme_result_t *res)
{
    return acme_pending_issued(
        in->store, acme_install_pending_name(in->cert, in->about.part, in->p),
        brought->chain->full_pem, brought->url, res, in->p);
}

/* All parts that are pending go live together, or wait for each other. */
static apr_status_t complete(acme_install_t **pinstall, const install_t *in,
                             acme_reload_t *reload, const brought_t *brought,
                             acme_sync_t *sync)
{
    acme_install_t *install = make_job(in, reload, brought);
    acme_result_t ignored;
    apr_status_t rv;
    int waits;

    install->is_order = 1;
    rv = collect_pending(install->bundle, &waits, in, brought);
    if (waits) {
        return brought->chain ? keep_brought(in, brought, in->res)
                              : APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        rv = fill_archive(pinstall, install, sync);
    }
    if (rv != APR_SUCCESS && brought->chain) {
        (void)keep_brought(in, brought, &ignored);
    }
    return rv;
}

/* Is this the chain that is live, octet by octet as it would be written? */
static int is_live_chain(const install_t *in, const acme_cert_reading_t *chain)
{
    const char *text;
    acme_result_t res;
    apr_size_t len;

    return !acme_file_read(&text, &len,
                           live_path(in, "fullchain", in->about.part),
                           ACME_CHAIN_SIZE_MAX, &res, in->p)
        && !strcmp(text, chain->full_pem);
}

/*
 * The same leaf with the chain that the CA has for it today. The request stays
 * pending until the worker is done with all parts.
 */
static apr_status_t install_new_chain(acme_install_t **pinstall,
                                      const install_t *in,
                                      acme_reload_t *reload,
                                      const brought_t *brought,
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
        rv = collect_live(install->bundle, in, chain);
    }
    return rv == APR_SUCCESS ? fill_archive(pinstall, install, sync) : rv;
}

/* A chain that was kept as the last sync of its installation failed: it may be
   live, and is looked at as if it was brought once more. */
static int find_kept(acme_issued_t *kept, const install_t *in)
{
    acme_pending_t *pending;
    acme_result_t ignored;

    if (!is_state_old(in)
        || acme_install_find_pending(&pending, in->registry, &in->about,
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
    const install_t in = make_install(registry, about, res, p);
    brought_t brought = { .url = apr_pstrdup(p, issued->url) };
    acme_pending_t *pending;
    acme_cert_reading_t *chain;
    acme_issued_t kept;
    int is_news = 0;
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
    rv = read_chain(&chain, &in, issued->pem, issued->len);
    if (rv != APR_SUCCESS) {
        res->reason = ACME_REASON_CHAIN_REFUSED;
    }
    if (rv != APR_SUCCESS) {
        keep_refused(&in, issued);
        return rv;
    }
    brought.chain = chain;
    if (is_linked(&in, chain)) {
        rv = settle_live(&is_news, &in, reload);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    rv = acme_install_find_pending(&pending, registry, about, res, p);
    if (in.state->live && is_linked(&in, chain)) {
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
    rv = check_issued(&in, chain, pending);
    if (rv != APR_SUCCESS) {
        keep_refused(&in, issued);
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
    const install_t *in = &install->in;
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
            log_moved_aside(&install->in, install->status);
        }
    }
    sync_step(installs, sync);
    for (i = 0; i < installs->nelts; i++) {
        acme_install_t *install = job_at(installs, i);

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
