/*
 * acme_install_issued.c - is what the CA issued to be served?
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_install_issued.h"
#include "acme_file.h"
#include "acme_install_check.h"
#include "acme_json.h"
#include "acme_meta.h"
#include "acme_pem.h"

#define DIGEST_MAX 64           /* octets: acme_conf_digest() has fewer */

/*
 * Longer than any public CA may issue: nothing to measure others by. A company
 * may have its own (AcmeCACertificateFile); but a chain that anybody could
 * have made must not stay for ever.
 */
#define LIFETIME_USUAL apr_time_from_sec(400 * 24 * 3600)
#define LIFETIME_PRIVATE apr_time_from_sec(10LL * 366 * 24 * 3600)

/*
 * The earliest expiry that a new certificate may have: that of the live one,
 * unless there is a reason to expire earlier. Reasons are another
 * configuration, a live certificate that is revoked or lacks a name, and a CA
 * that shortens its lifetimes: when the administrator requested the renewal,
 * half of the lifetime is enough, and from the warn window on any.
 */
static apr_time_t replaced_until(const acme_install_part_t *in)
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

static int has_private_ca(const acme_install_part_t *in)
{
    apr_uint32_t i;

    for (i = 0; i < (apr_uint32_t)in->cert->routes->nelts; i++) {
        if (acme_conf_route(in->conf, in->cert, i)->roots) {
            return 1;
        }
    }
    return 0;
}

/* What would be installed is what is tried, and what the state is read from
   then: without words between, and with lines of one length. */
static acme_octets_t written(const char *pem, apr_size_t len, apr_pool_t *p)
{
    apr_array_header_t *ders;
    acme_result_t ignored;

    if (!memchr(pem, '\0', len)
        && acme_pem_read(&ders, pem, len, &ignored, p) == APR_SUCCESS) {
        pem = acme_pem_text(ders, 0, p);
        len = strlen(pem);
    }                           /* else the reader says what is wrong */
    return (acme_octets_t) { (const unsigned char *)pem, len };
}

apr_status_t acme_install_issued_read(acme_cert_reading_t **pchain,
                                      const acme_install_part_t *in,
                                      const char *pem, apr_size_t len)
{
    const acme_octets_t octets = written(pem, len, in->p);
    apr_status_t rv = acme_cert_reader_ask(pchain, octets, in->cert->ciphers,
                                           in->res, in->p);

    if (rv == APR_SUCCESS && (*pchain)->facts.parsed.status != APR_SUCCESS) {
        *in->res = (*pchain)->facts.parsed;
        rv = in->res->status;
    }
    return rv;
}

apr_status_t acme_install_issued_check_loads(const acme_install_part_t *in,
                                             const acme_cert_reading_t *chain)
{
    if (chain->facts.loads.status != APR_SUCCESS) {
        *in->res = chain->facts.loads;          /* the CA may do better */
        acme_result_prefix(in->res, in->cert->id);
        if (in->res->status == APR_EINVAL) {
            in->res->reason = ACME_REASON_CHAIN_REFUSED;
        }
    }
    return chain->facts.loads.status;
}

apr_status_t acme_install_issued_check(const acme_install_part_t *in,
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
        rv = acme_install_issued_check_loads(in, chain);
    }
    return rv;
}

void acme_install_issued_keep_refused(const acme_install_part_t *in,
                                      const acme_issued_t *issued)
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
