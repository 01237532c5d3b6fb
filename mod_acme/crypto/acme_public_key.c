/*
 * acme_public_key.c - public keys as octets, to compare them.
 */
#include <string.h>

#include <apr_strings.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#include <openssl/core_names.h>
#else
#include <openssl/ec.h>
#endif

#include "acme_openssl.h"
#include "acme_public_key.h"

/* The point of an EC key may have been compressed where it came from. */
static void encode_points_whole(EVP_PKEY *evp)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    if (EVP_PKEY_base_id(evp) == EVP_PKEY_EC) {
        (void)EVP_PKEY_set_utf8_string_param(
            evp, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
            OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED);
    }
#else
    EC_KEY *ec = EVP_PKEY_get0_EC_KEY(evp);

    if (ec) {
        EC_KEY_set_conv_form(ec, POINT_CONVERSION_UNCOMPRESSED);
    }
#endif
}

acme_octets_t acme_public_key_der(EVP_PKEY *evp, apr_pool_t *p)
{
    acme_octets_t key = { NULL, 0 };
    unsigned char *der = NULL;
    int len;

    if (!evp) {
        return key;
    }
    encode_points_whole(evp);
    len = i2d_PUBKEY(evp, &der);
    if (len > 0 && len <= ACME_PUBLIC_KEY_MAX) {
        key.data = apr_pmemdup(p, der, (apr_size_t)len);
        key.len = (apr_size_t)len;
    }
    OPENSSL_free(der);
    ERR_clear_error();
    return key;
}

acme_octets_t acme_public_key_of(acme_key_t *key, apr_pool_t *p)
{
    return acme_public_key_der(acme_key_evp(key), p);
}

apr_status_t acme_public_key_of_file(acme_octets_t *pkey, const char *path,
                                     acme_result_t *res, apr_pool_t *p)
{
    EVP_PKEY *evp;
    BIO *bio;
    apr_status_t rv;
    int encrypted;

    *pkey = (acme_octets_t) { NULL, 0 };

    rv = acme_openssl_file(&bio, path, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    evp = acme_openssl_key(bio, &encrypted);
    *pkey = acme_public_key_der(evp, p);
    if (!pkey->data && !encrypted) {
        rv = acme_fail_never(res, APR_EINVAL,
                             "%s: no private key that mod_ssl can read",
                             path);
    }
    EVP_PKEY_free(evp);
    BIO_free(bio);
    ERR_clear_error();
    return rv;
}

int acme_public_key_is_same(acme_octets_t a, acme_octets_t b)
{
    return a.data && b.data && a.len == b.len && !memcmp(a.data, b.data, a.len);
}
