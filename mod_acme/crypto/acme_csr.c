/*
 * acme_csr.c - a certificate request, and a placeholder until it is answered.
 *
 * Extensions are built from objects, never from OpenSSL's configuration
 * strings: in those a name could hold syntax.
 */
#include <string.h>

#include <apr_strings.h>

#include <openssl/bn.h>
#include <openssl/tls1.h>
#include <openssl/x509v3.h>

#include "acme_csr.h"
#include "acme_name.h"
#include "acme_openssl.h"

#define CN_OCTETS_MAX 64        /* 5280, A.1: ub-common-name */
#define SERIAL_BITS 127         /* 16 octets, positive */
#define X509_V3 2
#define REQUEST_V1 0

/* Issuer and subject: who meets it in a browser should know what it is. */
#define PLACEHOLDER_CN "placeholder of mod_acme"
#define PLACEHOLDER_LEAD apr_time_from_sec(60 * 60)     /* clocks differ */

static GENERAL_NAME *make_san(const char *name)
{
    unsigned char octets[16];
    int len = acme_name_ip_octets(octets, name);
    GENERAL_NAME *san = GENERAL_NAME_new();
    ASN1_STRING *value;

    value = ASN1_STRING_type_new(len ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    if (!san || !value
        || !ASN1_STRING_set(value, len ? (const void *)octets : name,
                            len ? len : -1)) {
        ASN1_STRING_free(value);
        GENERAL_NAME_free(san);
        return NULL;
    }
    GENERAL_NAME_set0_value(san, len ? GEN_IPADD : GEN_DNS, value);
    return san;
}

/* The subjectAltName for names, or NULL. */
static GENERAL_NAMES *make_sans(const apr_array_header_t *names)
{
    GENERAL_NAMES *sans = GENERAL_NAMES_new();
    GENERAL_NAME *san;
    int i;

    for (i = 0; sans && i < names->nelts; i++) {
        san = make_san(APR_ARRAY_IDX(names, i, const char *));
        if (!san || !sk_GENERAL_NAME_push(sans, san)) {
            GENERAL_NAME_free(san);
            GENERAL_NAMES_free(sans);
            sans = NULL;
        }
    }
    return sans;
}

/* A name of cn alone; with NULL an empty one. NULL is a failure. */
static X509_NAME *make_subject(const char *cn)
{
    X509_NAME *name = X509_NAME_new();

    if (name && cn
        && !X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
                                       (const unsigned char *)cn, -1, -1, 0)) {
        X509_NAME_free(name);
        return NULL;
    }
    return name;
}

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
        feature = NULL;         /* that of features now */
        done = X509V3_add1_i2d(pexts, NID_tlsfeature, features, 0, 0) > 0;
    }
    ASN1_INTEGER_free(feature);
    TLS_FEATURE_free(features);
    return done;
}

static int fill_request(X509_REQ *req, const apr_array_header_t *names,
                        int must_staple)
{
    STACK_OF(X509_EXTENSION) *exts = NULL;
    X509_NAME *subject = make_subject(find_cn(names));
    GENERAL_NAMES *sans = make_sans(names);
    int done;

    done = subject && sans
           && X509_REQ_set_version(req, REQUEST_V1)
           && X509_REQ_set_subject_name(req, subject)
           && X509V3_add1_i2d(&exts, NID_subject_alt_name, sans, 0, 0) > 0
           && (!must_staple || add_must_staple(&exts))
           && X509_REQ_add_extensions(req, exts);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    GENERAL_NAMES_free(sans);
    X509_NAME_free(subject);
    return done;
}

apr_status_t acme_csr_make(const unsigned char **pder, apr_size_t *plen,
                           acme_key_t *key, const apr_array_header_t *names,
                           int must_staple, acme_result_t *res, apr_pool_t *p)
{
    EVP_PKEY *evp = acme_key_evp(key);
    X509_REQ *req = X509_REQ_new();
    unsigned char *der = NULL;
    apr_status_t rv;
    int len = 0;

    *pder = NULL;
    *plen = 0;

    if (!names->nelts) {
        rv = acme_fail_never(res, APR_EINVAL,
                             "certificate request: no names to ask for");
        goto out;
    }
    if (!req || !fill_request(req, names, must_staple)
        || !X509_REQ_set_pubkey(req, evp)
        || !X509_REQ_sign(req, evp, EVP_sha256())
        || (len = i2d_X509_REQ(req, &der)) <= 0) {
        rv = acme_fail(res, APR_EGENERAL, "certificate request for %s: %s",
                       acme_name_list_text(names, p), acme_openssl_reason());
        goto out;
    }

    *pder = apr_pmemdup(p, der, (apr_size_t)len);
    *plen = (apr_size_t)len;
    rv = APR_SUCCESS;
out:
    OPENSSL_free(der);
    X509_REQ_free(req);
    return rv;
}

static int set_serial(X509 *x509)
{
    BIGNUM *bn = BN_new();
    int done;

    done = bn && BN_rand(bn, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY)
           && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x509));
    BN_free(bn);
    return done;
}

static int set_extensions(X509 *x509, const apr_array_header_t *names)
{
    BASIC_CONSTRAINTS *no_ca = BASIC_CONSTRAINTS_new();
    EXTENDED_KEY_USAGE *usage = EXTENDED_KEY_USAGE_new();
    GENERAL_NAMES *sans = make_sans(names);
    int done;

    done = no_ca && usage && sans
           && sk_ASN1_OBJECT_push(usage, OBJ_nid2obj(NID_server_auth))
           && X509_add1_ext_i2d(x509, NID_basic_constraints, no_ca, 1, 0) > 0
           && X509_add1_ext_i2d(x509, NID_ext_key_usage, usage, 0, 0) > 0
           && X509_add1_ext_i2d(x509, NID_subject_alt_name, sans, 0, 0) > 0;
    GENERAL_NAMES_free(sans);
    EXTENDED_KEY_USAGE_free(usage);
    BASIC_CONSTRAINTS_free(no_ca);
    return done;
}

apr_status_t acme_placeholder_make(const char **ppem, acme_key_t *key,
                                   const apr_array_header_t *names,
                                   apr_time_t now, apr_interval_time_t valid,
                                   acme_result_t *res, apr_pool_t *p)
{
    apr_time_t from = now - PLACEHOLDER_LEAD;
    X509_NAME *name = make_subject(PLACEHOLDER_CN);
    EVP_PKEY *evp = acme_key_evp(key);
    X509 *x509 = X509_new();
    apr_status_t rv = APR_SUCCESS;

    *ppem = NULL;

    if (!names->nelts) {
        rv = acme_fail_never(res, APR_EINVAL, "placeholder: no names for it");
        goto out;
    }
    if (!name || !x509
        || !X509_set_version(x509, X509_V3)
        || !set_serial(x509)
        || !X509_set_issuer_name(x509, name)
        || !X509_set_subject_name(x509, name)
        || !acme_openssl_set_times(x509, from, from + valid)
        || !set_extensions(x509, names)
        || !X509_set_pubkey(x509, evp)
        || !X509_sign(x509, evp, EVP_sha256())
        || !(*ppem = acme_openssl_pem(x509, p))) {
        rv = acme_fail(res, APR_EGENERAL, "placeholder for %s: %s",
                       acme_name_list_text(names, p), acme_openssl_reason());
    }
out:
    X509_free(x509);
    X509_NAME_free(name);
    return rv;
}
