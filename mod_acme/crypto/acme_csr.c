/*
 * acme_csr.c - the request for a certificate, which finalizes an order.
 *
 * Extensions are built from objects, never from OpenSSL's configuration
 * strings: in those a name could hold syntax.
 */
#include <string.h>

#include <apr_strings.h>

#include <openssl/tls1.h>
#include <openssl/x509v3.h>

#include "acme_csr.h"
#include "acme_name.h"
#include "acme_openssl.h"

#define CN_OCTETS_MAX 64        /* 5280, A.1: ub-common-name */
#define REQUEST_V1 0

/* The first DNS name that fits into a CN, or NULL. */
static const char *find_cn(const apr_array_header_t *names)
{
    const char *name;
    int i;

    for (i = 0; i < names->nelts; i++) {
        name = APR_ARRAY_IDX(names, i, const char *);
        if (!acme_name_is_ip(name) && strlen(name) <= CN_OCTETS_MAX) {
            return name;
        }
    }
    return NULL;
}

/* The TLS feature status_request, and no other. (7633, 4) */
static int add_must_staple(STACK_OF(X509_EXTENSION) **pexts)
{
    TLS_FEATURE *features = TLS_FEATURE_new();
    ASN1_INTEGER *feature = ASN1_INTEGER_new();
    int done = 0;

    if (features && feature
        && ASN1_INTEGER_set(feature, TLSEXT_TYPE_status_request)
        && sk_ASN1_INTEGER_push(features, feature)) {
        feature = NULL;         /* features owns it now */
        done = X509V3_add1_i2d(pexts, NID_tlsfeature, features, 0, 0) > 0;
    }
    ASN1_INTEGER_free(feature);
    TLS_FEATURE_free(features);
    return done;
}

apr_status_t acme_csr_make(acme_octets_t *pder, acme_key_t *key,
                           const apr_array_header_t *names, acme_csr_e kind,
                           acme_result_t *res, apr_pool_t *p)
{
    X509_NAME *subject = acme_openssl_name(find_cn(names));
    GENERAL_NAMES *sans = acme_openssl_sans(names);
    STACK_OF(X509_EXTENSION) *exts = NULL;
    EVP_PKEY *evp = acme_key_evp(key);
    X509_REQ *req = X509_REQ_new();
    unsigned char *der = NULL;
    apr_status_t rv;
    int len = 0;

    memset(pder, 0, sizeof(*pder));

    if (!names->nelts) {
        rv = acme_fail_never(res, APR_EINVAL,
                             "certificate request: no names to ask for");
        goto out;
    }
    if (!subject || !sans || !req
        || !X509_REQ_set_version(req, REQUEST_V1)
        || !X509_REQ_set_subject_name(req, subject)
        || X509V3_add1_i2d(&exts, NID_subject_alt_name, sans, 0, 0) <= 0
        || (kind == ACME_CSR_MUST_STAPLE && !add_must_staple(&exts))
        || !X509_REQ_add_extensions(req, exts)
        || !X509_REQ_set_pubkey(req, evp)
        || !X509_REQ_sign(req, evp, EVP_sha256())
        || (len = i2d_X509_REQ(req, &der)) <= 0) {
        rv = acme_fail(res, APR_EGENERAL, "certificate request for %s: %s",
                       acme_name_list_text(names, p), acme_openssl_reason());
        goto out;
    }

    pder->data = apr_pmemdup(p, der, (apr_size_t)len);
    pder->len = (apr_size_t)len;
    rv = APR_SUCCESS;
out:
    OPENSSL_free(der);
    X509_REQ_free(req);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    GENERAL_NAMES_free(sans);
    X509_NAME_free(subject);
    return rv;
}
