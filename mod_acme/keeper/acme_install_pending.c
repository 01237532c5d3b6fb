/*
 * acme_install_pending.c - a certificate's key and request.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_install_pending.h"
#include "acme_archive.h"
#include "acme_cert_reader.h"
#include "acme_csr.h"
#include "acme_digest.h"
#include "acme_install_part.h"
#include "acme_key_maker.h"
#include "acme_live_link.h"
#include "acme_name.h"
#include "acme_next_key.h"
#include "acme_public_key.h"
#include "acme_registry_order.h"
#include "acme_registry_revoked.h"
#include "acme_self_signed.h"

#define A_DAY apr_time_from_sec(24 * 3600)

/*
 * An order that does not end is dropped: its URL came from a worker, and it
 * may be nobody's. The CA forgets most orders within a week.
 */
#define ORDER_AGE_MAX (7 * A_DAY)
#define ORDER_RESUMES_MAX 10

const char *acme_install_pending_name(const acme_cert_conf_t *cert,
                                      apr_uint32_t part, apr_pool_t *p)
{
    return part == 0 ? cert->id
        : acme_pending_part(cert->id, acme_key_type_name(
              acme_conf_key_type(cert, part)), p);
}

apr_status_t acme_install_pending_find(acme_pending_t **ppending,
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
        || acme_registry_revoked_has_key(registry, about->cert,
                                         pending->key_pem, p)) {
        return acme_fail(res, APR_ENOENT, "%s: no key and request are pending",
                         cert->id);
    }
    *ppending = pending;
    return APR_SUCCESS;
}

/*
 * AcmeKeyReuse: the key of the live certificate, if its type is right. That of
 * a revoked one may be stolen: it is not used again. NULL: none.
 */
static acme_key_t *live_key(const acme_install_part_t *in)
{
    acme_key_type_e type;
    acme_result_t res;
    acme_key_t *key;
    int n;

    if (in->state->revoked
        || acme_live_link_read(&n, in->store, in->cert->id, &res, in->p)
        || acme_archive_is_void(in->store, in->cert->id, n, in->p)
        || acme_key_load(
            &key, acme_install_part_live_path(in, "privkey", in->about.part),
            &res, in->p)
        || acme_key_type(&type, key, &res)
        || type != acme_conf_key_type(in->cert, in->about.part)) {
        return NULL;
    }
    return key;
}

static apr_status_t make_key(acme_key_t **pkey, const acme_install_part_t *in)
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
                                 const acme_install_part_t *in,
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
        if (rv == APR_SUCCESS && cert->key_reuse == ACME_KEY_REUSE_NEXT) {
            acme_next_key_missed(in->registry, &in->about, in->p);
        }
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
        acme_install_part_log_aside(in, rv);
    }
    *ppending = rv == APR_SUCCESS ? pending : NULL;
    return rv;
}

/* Has the live certificate the pending key? */
static int is_key_live(const acme_install_part_t *in,
                       const acme_pending_t *pending)
{
    acme_octets_t live;
    acme_result_t ignored;
    acme_key_t *key;

    return !acme_key_parse(&key, pending->key_pem, "pending", &ignored, in->p)
        && !acme_public_key_of_file(
            &live, acme_install_part_live_path(in, "privkey", in->about.part),
            &ignored, in->p)
        && acme_public_key_is_same(live, acme_public_key_of(key, in->p));
}

/*
 * A power failure brings an order back whose certificate is live: it is over,
 * but where the keeper died before it noted so, and the worker ends it. So is
 * one whose key was to be reused, under another AcmeKeyReuse.
 */
static int is_over(const acme_install_part_t *in,
                   const acme_pending_t *pending)
{
    return in->cert->key_reuse == ACME_KEY_REUSE_OFF && in->state->live
        && !acme_install_part_is_state_old(in)
        && (in->state->wanted != ACME_WANT_RENEWAL
            || acme_install_part_is_asked_since(in))
        && is_key_live(in, pending);
}

/* The key of a request may have been made under another AcmeKeyReuse. */
static int has_right_key(const acme_install_part_t *in,
                         const acme_pending_t *pending)
{
    return in->cert->key_reuse == ACME_KEY_REUSE_NEXT
        ? acme_next_key_may_finish(in->registry, &in->about, live_key(in),
                                   pending, in->p)
        : !is_over(in, pending);
}

/* "/etc/apache2/a.conf:7, /etc/apache2/b.conf:1 and 3 more" */
static const char *places_text(const acme_install_part_t *in)
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
 * What is tried, the same for all keys of a type: who asks again while it is
 * being read asks the same. NULL: it cannot be made.
 */
static const char *trial_cert(const acme_install_part_t *in,
                              const acme_pending_t *pending,
                              acme_key_type_e type)
{
    static const char *pems[ACME_KEY_RSA4096 + 1];
    static apr_pool_t *lasting;
    const acme_self_signed_t trial = { .key_pem = pending->key_pem,
                                       .names = pending->names,
                                       .now = in->now,
                                       .valid = A_DAY };
    acme_result_t ignored;
    const char *pem;

    if (!pems[type]
        && acme_self_signed_make(&pem, &trial, &ignored, in->p)
               == APR_SUCCESS) {
        if (!lasting) {
            apr_pool_create(&lasting, NULL);
        }
        pems[type] = apr_pstrdup(lasting, pem);
    }
    return pems[type];
}

/* Who tried more than is remembered would begin again without end. */
static apr_status_t try_list(acme_cert_reading_t **preading,
                             const acme_install_part_t *in, const char *pem,
                             const char *list, acme_result_t *why)
{
    const acme_octets_t octets = { (const unsigned char *)pem, strlen(pem) };
    apr_array_header_t *one = apr_array_make(in->p, 1, sizeof(const char *));

    APR_ARRAY_PUSH(one, const char *) = list;
    return in->cert->ciphers->nelts > TRIALS_MAX
        ? acme_cert_reader_read(preading, octets, one, why, in->p)
        : acme_cert_reader_ask(preading, octets, one, why, in->p);
}

/*
 * A trial before the order: whatever the CA issued for a key that a virtual
 * host's security level forbids would be refused, time after time.
 */
static apr_status_t check_key(const acme_install_part_t *in,
                              const acme_pending_t *pending)
{
    const acme_key_type_e type = acme_conf_key_type(in->cert, in->about.part);
    const apr_array_header_t *ciphers = in->cert->ciphers;
    acme_cert_reading_t *reading;
    acme_result_t why;
    const char *pem;
    apr_status_t rv;
    int i;

    for (i = 0; ciphers && i < ciphers->nelts; i++) {
        const char *list = APR_ARRAY_IDX(ciphers, i, const char *);
        const char *digest = acme_digest_hex(list, strlen(list), TRIAL_OCTETS,
                                             in->p);

        if (has_gone_well(type, digest)) {
            continue;
        }
        pem = trial_cert(in, pending, type);
        if (!pem) {
            return APR_SUCCESS; /* of the key itself nothing is known */
        }
        rv = try_list(&reading, in, pem, list, &why);
        if (rv == APR_EINPROGRESS) {
            *in->res = why;
            acme_result_prefix(in->res, in->cert->id);
            return rv;
        }
        if (rv != APR_SUCCESS) {
            return APR_SUCCESS;
        }
        if (reading->facts.loads.status == APR_EINVAL) {
            acme_fail_never(
                in->res, APR_EINVAL,
                "%s: nothing is ordered: a key of type %s (AcmeKeyTypes) cannot be served by a virtual host with the ciphers %s (SSLCipherSuite and CipherString of SSLOpenSSLConfCmd, in their order, with | between two); see %s: %s",
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
static void resume_order(const acme_install_part_t *in,
                         acme_pending_t *pending)
{
    const char *name =
        acme_install_pending_name(in->cert, in->about.part, in->p);
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

apr_status_t acme_install_pending_prepare(acme_pending_t **ppending,
                                          const char **pflags,
                                          acme_registry_t *registry,
                                          const acme_target_t *about,
                                          acme_result_t *res, apr_pool_t *p)
{
    const acme_install_part_t in = acme_install_part(registry, about, res, p);
    apr_array_header_t *names =
        acme_registry_order_names(registry, about->cert, pflags, in.now, p);
    apr_status_t rv;

    rv = acme_install_pending_find(ppending, registry, about, res, p);
    if (rv == APR_SUCCESS && acme_name_all_in(names, (*ppending)->names)
        && acme_name_all_in((*ppending)->names, names)
        && has_right_key(&in, *ppending)) {
        rv = check_key(&in, *ppending);
        if (rv == APR_SUCCESS) {
            resume_order(&in, *ppending);
        }
        return rv;
    }
    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        acme_log(in.log, ACME_LOG_WARNING, in.cert->id, "%s", res->detail);
    }
    rv = make_pending(ppending, &in, names);
    return rv == APR_SUCCESS ? check_key(&in, *ppending) : rv;
}
