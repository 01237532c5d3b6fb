/*
 * acme_ocsp.c - a request to an OCSP responder, and its answer. (6960)
 *
 * The signer is checked here and not by OpenSSL, which would want a store of
 * roots: the issuer is known, from a chain whose links were verified.
 */
#include <string.h>

#include <apr_strings.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "acme_ocsp.h"
#include "acme_openssl.h"

/* With SHA-1, as RFC 5019, 2.1.1 wants it: it names, it does not sign. */
static OCSP_CERTID *make_id(const acme_chain_t *chain, X509 *issuer)
{
    return OCSP_cert_to_id(EVP_sha1(), acme_chain_x509(chain, 0), issuer);
}

apr_status_t acme_ocsp_request(const char **pder, apr_size_t *plen,
                               const acme_chain_t *chain, acme_result_t *res,
                               apr_pool_t *p)
{
    OCSP_REQUEST *request = NULL;
    OCSP_CERTID *id = NULL;
    unsigned char *der = NULL;
    X509 *issuer;
    apr_status_t rv;
    int len;

    *pder = NULL;
    *plen = 0;

    rv = acme_revoked_issuer(&issuer, chain, res, p);
    if (rv != APR_SUCCESS) {
        goto out;
    }
    request = OCSP_REQUEST_new();
    id = make_id(chain, issuer);
    if (!request || !id || !OCSP_request_add0_id(request, id)) {
        rv = acme_fail(res, APR_EGENERAL, "OCSP request: %s",
                       acme_openssl_reason());
        goto out;
    }
    id = NULL;              /* the request's now */
    len = i2d_OCSP_REQUEST(request, &der);
    if (len <= 0) {
        rv = acme_fail(res, APR_EGENERAL, "OCSP request: %s",
                       acme_openssl_reason());
        goto out;
    }

    *pder = apr_pmemdup(p, der, (apr_size_t)len);
    *plen = (apr_size_t)len;
out:
    OPENSSL_free(der);
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
    return rv;
}

/* The signed part of a reply; the caller frees it. */
static apr_status_t open_reply(OCSP_BASICRESP **pbasic,
                               const acme_octets_t *der,
                               acme_result_t *res)
{
    const unsigned char *rest = der->data;
    OCSP_RESPONSE *response;
    apr_status_t rv = APR_SUCCESS;
    int status;

    *pbasic = NULL;

    response = d2i_OCSP_RESPONSE(NULL, &rest, (long)der->len);
    if (!response || rest != der->data + der->len) {
        rv = acme_fail(res, APR_EINVAL, "OCSP answer: it is damaged");
        goto out;
    }
    status = OCSP_response_status(response);
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        rv = acme_fail(res, APR_EGENERAL,
                       "OCSP answer: the responder refuses to answer: %s",
                       OCSP_response_status_str(status));
        goto out;
    }
    *pbasic = OCSP_response_get1_basic(response);
    if (!*pbasic) {
        rv = acme_fail(res, APR_EINVAL, "OCSP answer: of an unknown type");
    }
out:
    OCSP_RESPONSE_free(response);
    return rv;
}

/*
 * May signer answer for issuer? It is the issuer, or the issuer certified it
 * for just that purpose. (6960, 4.2.2.2)
 */
static int may_answer(X509 *signer, X509 *issuer, apr_time_t now)
{
    if (!X509_cmp(signer, issuer)) {
        return 1;
    }
    return X509_check_issued(issuer, signer) == X509_V_OK
           && X509_verify(signer, X509_get0_pubkey(issuer)) == 1
           && (X509_get_extension_flags(signer) & EXFLAG_XKUSAGE)
           && (X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN)
           && (X509_get_key_usage(signer) & KU_DIGITAL_SIGNATURE)
           && acme_revoked_is_within(X509_get0_notBefore(signer),
                                     X509_get0_notAfter(signer), now);
}

static apr_status_t check_signature(OCSP_BASICRESP *basic, X509 *issuer,
                                    apr_time_t now, acme_result_t *res)
{
    STACK_OF(X509) *known = sk_X509_new_null();
    apr_status_t rv = APR_SUCCESS;
    X509 *signer;

    if (!known || !sk_X509_push(known, issuer)) {
        rv = acme_fail(res, APR_ENOMEM, "OCSP answer: out of memory");
        goto out;
    }
    if (!OCSP_resp_get0_signer(basic, &signer, known)
        || !may_answer(signer, issuer, now)) {
        rv = acme_fail(
            res, APR_EINVAL,
            "OCSP answer: its signer may not answer for the certificate's issuer");
        goto out;
    }
    /* OpenSSL finds the same signer, and verifies the signature alone. */
    if (OCSP_basic_verify(basic, known, NULL, OCSP_NOVERIFY) != 1) {
        rv = acme_fail(res, APR_EINVAL,
                       "OCSP answer: its signature is not valid");
    }
out:
    sk_X509_free(known);
    return rv;
}

static apr_status_t read_status(acme_revoked_t *out, OCSP_BASICRESP *basic,
                                OCSP_CERTID *id, apr_time_t now,
                                acme_result_t *res, apr_pool_t *p)
{
    ASN1_GENERALIZEDTIME *when, *from, *until;
    int status, reason;
    apr_status_t rv;

    if (!id || !OCSP_resp_find_status(basic, id, &status, &reason, &when,
                                      &from, &until)) {
        return acme_fail(res, APR_EINVAL,
                         "OCSP answer: not about this certificate");
    }
    rv = acme_revoked_is_fresh(&out->next_update, from, until, now, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, "OCSP answer");
        return rv;
    }
    if (status == V_OCSP_CERTSTATUS_GOOD) {
        out->status = ACME_REVOKED_NO;
    }
    else if (status == V_OCSP_CERTSTATUS_REVOKED) {
        out->status = ACME_REVOKED_YES;
        out->reason = acme_revoke_reason_name(reason);
        acme_openssl_time(&out->when, when);
    }
    return APR_SUCCESS;
}

apr_status_t acme_ocsp_read(acme_revoked_t *out, const acme_chain_t *chain,
                            const acme_octets_t *der, apr_time_t now,
                            acme_result_t *res, apr_pool_t *p)
{
    OCSP_BASICRESP *basic = NULL;
    OCSP_CERTID *id = NULL;
    X509 *issuer;
    apr_status_t rv;

    memset(out, 0, sizeof(*out));

    rv = acme_revoked_issuer(&issuer, chain, res, p);
    if (rv == APR_SUCCESS) {
        rv = open_reply(&basic, der, res);
    }
    if (rv == APR_SUCCESS) {
        rv = check_signature(basic, issuer, now, res);
    }
    if (rv == APR_SUCCESS) {
        id = make_id(chain, issuer);
        rv = read_status(out, basic, id, now, res, p);
    }
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    ERR_clear_error();
    return rv;
}
