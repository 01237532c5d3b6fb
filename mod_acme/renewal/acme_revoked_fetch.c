/*
 * acme_revoked_fetch.c - has the CA revoked a certificate?
 *
 * The OCSP answer is small, a CRL may be large: it comes second.
 */
#include <string.h>

#include "acme_crl.h"
#include "acme_ocsp.h"
#include "acme_revoked_fetch.h"
#include "acme_text.h"

#define URL_SHOWN 300           /* octets */
#define CRL_SIZE_MAX (1024 * 1024)      /* octets */

/* A reply with status 200, or a failure. */
static apr_status_t fetch(acme_http_reply_t **preply, acme_http_t *http,
                          const acme_http_request_t *request,
                          acme_result_t *res, apr_pool_t *p)
{
    apr_status_t rv = acme_http_send(preply, http, request, res, p);

    if (rv == APR_SUCCESS && (*preply)->status != 200) {
        rv = acme_fail(res, APR_EGENERAL,
                       "%s: HTTP status %d instead of an answer whether a certificate is revoked",
                       acme_text_clean(request->url, URL_SHOWN, p),
                       (*preply)->status);
        res->retry_at = (*preply)->retry_after;
    }
    return rv;
}

static acme_octets_t der_of(const acme_http_reply_t *reply)
{
    return (acme_octets_t){ .data = (const unsigned char *)reply->body,
                                 .len = reply->body_len };
}

static apr_status_t fetch_ocsp(acme_revoked_t *out, acme_http_t *http,
                             const acme_chain_t *chain, apr_time_t now,
                             acme_result_t *res, apr_pool_t *p)
{
    acme_http_request_t request = {
        .method = ACME_HTTP_POST,
        .url = acme_chain_leaf(chain)->ocsp_url,
        .content_type = "application/ocsp-request",
        .plain = 1
    };
    acme_http_reply_t *reply;
    acme_octets_t der;
    apr_status_t rv;

    rv = acme_ocsp_request(&request.body, &request.body_len, chain, res, p);
    if (rv == APR_SUCCESS) {
        rv = fetch(&reply, http, &request, res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    der = der_of(reply);
    rv = acme_ocsp_read(out, chain, &der, now, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, acme_text_clean(request.url, URL_SHOWN, p));
    }
    return rv;
}

static apr_status_t fetch_crl(acme_revoked_t *out, acme_http_t *http,
                            const acme_chain_t *chain, apr_time_t now,
                            acme_result_t *res, apr_pool_t *p)
{
    acme_http_request_t request = { .method = ACME_HTTP_GET,
                                    .url = acme_chain_leaf(chain)->crl_url,
                                    .plain = 1,
                                    .body_max = CRL_SIZE_MAX };
    acme_http_reply_t *reply;
    acme_octets_t der;
    apr_status_t rv;

    rv = fetch(&reply, http, &request, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    der = der_of(reply);
    rv = acme_crl_read(out, chain, &der, now, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, acme_text_clean(request.url, URL_SHOWN, p));
    }
    return rv;
}

apr_status_t acme_revoked_fetch(acme_revoked_t *out, acme_http_t *http,
                                const acme_chain_t *chain, apr_time_t now,
                                acme_result_t *res, apr_pool_t *p)
{
    const acme_cert_info_t *leaf = acme_chain_leaf(chain);
    apr_status_t rv = APR_SUCCESS;
    struct x509_st *issuer;

    memset(out, 0, sizeof(*out));

    if (!leaf->ocsp_url && !leaf->crl_url) {
        return acme_fail_never(
            res, APR_ENOENT,
            "certificate: it names neither an OCSP responder nor a CRL that could be asked whether it is revoked");
    }
    rv = acme_revoked_issuer(&issuer, chain, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (leaf->ocsp_url) {
        rv = fetch_ocsp(out, http, chain, now, res, p);
    }
    if (leaf->crl_url && out->status == ACME_REVOKED_UNKNOWN
        && rv != APR_EINTR) {
        rv = fetch_crl(out, http, chain, now, res, p);
    }
    return rv;
}
