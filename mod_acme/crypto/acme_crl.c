/*
 * acme_crl.c - a list of revoked certificates. (5280, 5)
 *
 * A certificate that is not in the list counts as good. So a list that does
 * not cover it is refused: CAs split theirs, and sign all parts.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "acme_crl.h"
#include "acme_openssl.h"

/* Is url among the names of a distribution point? */
static int point_has(const DIST_POINT_NAME *point, const char *url)
{
    const GENERAL_NAME *name;
    const ASN1_STRING *value;
    int i;

    if (point->type != 0) {
        return 0;
    }
    for (i = 0; i < sk_GENERAL_NAME_num(point->name.fullname); i++) {
        name = sk_GENERAL_NAME_value(point->name.fullname, i);
        value = name->d.uniformResourceIdentifier;
        if (name->type == GEN_URI
            && ASN1_STRING_length(value) == (int)strlen(url)
            && !memcmp(ASN1_STRING_get0_data(value), url, strlen(url))) {
            return 1;
        }
    }
    return 0;
}

/* Does crl cover a leaf whose list is at url? (5280, 5.2.5, 6.3.3) */
static int scope_covers(const X509_CRL *crl, const char *url)
{
    int found, covers;
    ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(
        crl, NID_issuing_distribution_point, &found, NULL);

    if (!idp) {
        return found == -1;     /* else damaged, or there twice */
    }
    covers = idp->onlyCA <= 0 && idp->onlyattr <= 0 && idp->indirectCRL <= 0
             && !idp->onlysomereasons
             && (!idp->distpoint || (url && point_has(idp->distpoint, url)));
    ISSUING_DIST_POINT_free(idp);
    return covers;
}

/* A list with an unknown critical extension must not be used. (5280, 5.2) */
static int has_unknown_critical(const X509_CRL *crl)
{
    int i = -1;

    while ((i = X509_CRL_get_ext_by_critical(crl, 1, i)) >= 0) {
        /* OpenSSL 4 has it const, former ones do not take one that is. */
        if (OBJ_obj2nid(X509_EXTENSION_get_object(X509_CRL_get_ext(crl, i)))
            != NID_issuing_distribution_point) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t check_crl(X509_CRL *crl, X509 *issuer, const char *url,
                              acme_result_t *res)
{
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer))
        || !(X509_get_key_usage(issuer) & KU_CRL_SIGN)) {
        return acme_fail(res, APR_EINVAL,
                         "CRL: not issued by the certificate's issuer");
    }
    if (X509_CRL_verify(crl, X509_get0_pubkey(issuer)) != 1) {
        return acme_fail(res, APR_EINVAL, "CRL: its signature is not valid");
    }
    if (has_unknown_critical(crl) || !scope_covers(crl, url)) {
        return acme_fail(res, APR_EINVAL,
                         "CRL: it does not cover the certificate");
    }
    return APR_SUCCESS;
}

apr_status_t acme_crl_read(acme_revoked_t *out, const acme_chain_t *chain,
                           const acme_octets_t *der, apr_time_t now,
                           acme_result_t *res, apr_pool_t *p)
{
    const unsigned char *rest = der->data;
    X509 *leaf = acme_chain_x509(chain, 0);
    ASN1_ENUMERATED *reason = NULL;
    X509_REVOKED *entry;
    X509_CRL *crl;
    X509 *issuer;
    apr_status_t rv;

    memset(out, 0, sizeof(*out));

    crl = d2i_X509_CRL(NULL, &rest, (long)der->len);
    if (!crl || rest != der->data + der->len) {
        rv = acme_fail(res, APR_EINVAL, "CRL: it is damaged");
        goto out;
    }
    rv = acme_revoked_issuer(&issuer, chain, res, p);
    if (rv == APR_SUCCESS) {
        rv = check_crl(crl, issuer, acme_chain_leaf(chain)->crl_url, res);
    }
    if (rv != APR_SUCCESS) {
        goto out;
    }
    rv = acme_revoked_is_fresh(&out->next_update,
                               X509_CRL_get0_lastUpdate(crl),
                               X509_CRL_get0_nextUpdate(crl), now, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, "CRL");
        goto out;
    }
    out->status = ACME_REVOKED_NO;
    if (X509_CRL_get0_by_serial(crl, &entry, X509_get_serialNumber(leaf))
        == 1) {
        out->status = ACME_REVOKED_YES;
        acme_openssl_time(&out->when, X509_REVOKED_get0_revocationDate(entry));
        reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
        if (reason) {
            out->reason = acme_revoke_reason_name(ASN1_ENUMERATED_get(reason));
        }
    }
out:
    ASN1_ENUMERATED_free(reason);
    X509_CRL_free(crl);
    ERR_clear_error();
    return rv;
}
