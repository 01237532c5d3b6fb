/*
 * acme_self_signed.c - a vhost's certificate until the CA issues one.
 */
#include <openssl/bn.h>
#include <openssl/x509v3.h>

#include "acme_name.h"
#include "acme_openssl.h"
#include "acme_self_signed.h"

#define SERIAL_BITS 127         /* 16 octets, positive */
#define X509_V3 2

/* Issuer and subject: a browser shows it. */
#define SUBJECT_CN "placeholder of mod_acme"
#define LEAD apr_time_from_sec(60 * 60)     /* clocks differ */

apr_status_t acme_self_signed_make(const char **ppem,
                                   const acme_self_signed_t *from,
                                   acme_result_t *res, apr_pool_t *p)
{
    apr_time_t begin = from->now - LEAD;
    X509_NAME *name = acme_openssl_name(SUBJECT_CN);
    GENERAL_NAMES *sans = acme_openssl_sans(from->names);
    BASIC_CONSTRAINTS *no_ca = BASIC_CONSTRAINTS_new();
    EXTENDED_KEY_USAGE *usage = EXTENDED_KEY_USAGE_new();
    EVP_PKEY *evp = acme_key_evp(from->key);
    BIGNUM *serial = BN_new();
    X509 *x509 = X509_new();
    apr_status_t rv = APR_SUCCESS;

    *ppem = NULL;

    if (!from->names->nelts) {
        rv = acme_fail_never(res, APR_EINVAL, "placeholder: no names for it");
        goto out;
    }
    if (!name || !sans || !no_ca || !usage || !serial || !x509
        || !X509_set_version(x509, X509_V3)
        || !BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY)
        || !BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509))
        || !X509_set_issuer_name(x509, name)
        || !X509_set_subject_name(x509, name)
        || !acme_openssl_set_times(x509, begin, begin + from->valid)
        || !sk_ASN1_OBJECT_push(usage, OBJ_nid2obj(NID_server_auth))
        || X509_add1_ext_i2d(x509, NID_basic_constraints, no_ca, 1, 0) <= 0
        || X509_add1_ext_i2d(x509, NID_ext_key_usage, usage, 0, 0) <= 0
        || X509_add1_ext_i2d(x509, NID_subject_alt_name, sans, 0, 0) <= 0
        || !X509_set_pubkey(x509, evp)
        || !X509_sign(x509, evp, EVP_sha256())
        || !(*ppem = acme_openssl_pem(x509, p))) {
        rv = acme_fail(res, APR_EGENERAL, "placeholder for %s: %s",
                       acme_name_list_text(from->names, p),
                       acme_openssl_reason());
    }
out:
    X509_free(x509);
    BN_free(serial);
    EXTENDED_KEY_USAGE_free(usage);
    BASIC_CONSTRAINTS_free(no_ca);
    GENERAL_NAMES_free(sans);
    X509_NAME_free(name);
    return rv;
}
