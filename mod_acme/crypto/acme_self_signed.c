/*
 * acme_self_signed.c - a vhost's certificate until the CA issues one.
 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <apr_strings.h>

#include "acme_name.h"
#include "acme_openssl.h"
#include "acme_self_signed.h"

#define SERIAL_BITS 127         /* 16 octets, positive */
#define X509_V3 2

#define LEAD apr_time_from_sec(60 * 60)     /* clocks differ */

static const int curves[ACME_SELF_SIGNED_KINDS] = {
    [ACME_SELF_SIGNED_P256] = NID_X9_62_prime256v1,
    [ACME_SELF_SIGNED_P384] = NID_secp384r1,
    [ACME_SELF_SIGNED_P521] = NID_secp521r1
};

static apr_status_t clear_text(void *text)
{
    OPENSSL_cleanse(text, strlen(text));
    return APR_SUCCESS;
}

apr_status_t acme_self_signed_key(const char **ppem, acme_self_signed_e kind,
                                  acme_result_t *res, apr_pool_t *p)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    BIO *bio = BIO_new(BIO_s_secmem());
    EVP_PKEY *evp = NULL;
    apr_status_t rv = APR_SUCCESS;
    char *data, *text;
    long len;

    *ppem = NULL;

    if (!ctx || !bio || EVP_PKEY_keygen_init(ctx) <= 0
        || EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, curves[kind]) <= 0
        || EVP_PKEY_CTX_set_ec_param_enc(ctx, OPENSSL_EC_NAMED_CURVE) <= 0
        || EVP_PKEY_keygen(ctx, &evp) <= 0
        || !PEM_write_bio_PrivateKey(bio, evp, NULL, NULL, 0, NULL, NULL)) {
        rv = acme_fail(res, APR_EGENERAL, "key of a placeholder: %s",
                       acme_openssl_reason());
        goto out;
    }
    len = BIO_get_mem_data(bio, &data);
    text = apr_pstrmemdup(p, data, (apr_size_t)len);
    apr_pool_cleanup_register(p, text, clear_text, apr_pool_cleanup_null);
    *ppem = text;
out:
    EVP_PKEY_free(evp);
    BIO_free(bio);
    EVP_PKEY_CTX_free(ctx);
    return rv;
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    int encrypted;
    EVP_PKEY *evp = bio ? acme_openssl_key(bio, &encrypted) : NULL;

    BIO_free(bio);
    ERR_clear_error();
    return evp;
}

static const EVP_MD *digest_for(EVP_PKEY *evp)
{
    const int bits = EVP_PKEY_security_bits(evp);

    return bits >= 256 ? EVP_sha512() : bits >= 192 ? EVP_sha384()
                                                    : EVP_sha256();
}

apr_status_t acme_self_signed_make(const char **ppem,
                                   const acme_self_signed_t *from,
                                   acme_result_t *res, apr_pool_t *p)
{
    apr_time_t begin = from->now - LEAD;
    X509_NAME *name = acme_openssl_name(ACME_SELF_SIGNED_CN);
    GENERAL_NAMES *sans = acme_openssl_sans(from->names);
    BASIC_CONSTRAINTS *no_ca = BASIC_CONSTRAINTS_new();
    EXTENDED_KEY_USAGE *usage = EXTENDED_KEY_USAGE_new();
    EVP_PKEY *evp = read_key(from->key_pem);
    BIGNUM *serial = BN_new();
    X509 *x509 = X509_new();
    apr_status_t rv = APR_SUCCESS;

    *ppem = NULL;

    if (!from->names->nelts) {
        rv = acme_fail_never(res, APR_EINVAL, "placeholder: no names for it");
        goto out;
    }
    if (!evp) {
        rv = acme_fail_never(res, APR_EINVAL, "placeholder: no key for it");
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
        || !X509_sign(x509, evp, digest_for(evp))
        || !(*ppem = acme_openssl_pem(x509, p))) {
        rv = acme_fail(res, APR_EGENERAL, "placeholder for %s: %s",
                       acme_name_list_text(from->names, p),
                       acme_openssl_reason());
    }
out:
    EVP_PKEY_free(evp);
    X509_free(x509);
    BN_free(serial);
    EXTENDED_KEY_USAGE_free(usage);
    BASIC_CONSTRAINTS_free(no_ca);
    GENERAL_NAMES_free(sans);
    X509_NAME_free(name);
    return rv;
}

int acme_self_signed_is(const acme_chain_t *chain)
{
    X509 *leaf = acme_chain_x509(chain, 0);
    EVP_PKEY *key = X509_get0_pubkey(leaf);
    const int is = key && !X509_NAME_cmp(X509_get_subject_name(leaf),
                                         X509_get_issuer_name(leaf))
        && X509_verify(leaf, key) == 1;

    ERR_clear_error();
    return is;
}
