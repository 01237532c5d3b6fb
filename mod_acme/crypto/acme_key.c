/*
 * acme_key.c - private keys: made, read, written, and used to sign a JWS.
 */
#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "acme_cleanse.h"
#include "acme_key.h"
#include "acme_openssl.h"
#include "acme_text.h"

#define RSA_BITS_MIN 2048       /* public CAs certify no shorter key */
#define TEXT_SHOWN 40           /* characters of a bad value */

/* The values of AcmeKeyTypes. */
static const struct {
    const char *name;
    int curve;
    int bits;
} types[] = {
    [ACME_KEY_P256]    = { "p256", NID_X9_62_prime256v1, 0 },
    [ACME_KEY_P384]    = { "p384", NID_secp384r1, 0 },
    [ACME_KEY_RSA2048] = { "rsa2048", NID_undef, 2048 },
    [ACME_KEY_RSA3072] = { "rsa3072", NID_undef, 3072 },
    [ACME_KEY_RSA4096] = { "rsa4096", NID_undef, 4096 }
};

/* How a kind of key signs, and its name in a JWK. (7518, 3.1, 6) */
typedef struct {
    int nid;                    /* the curve's, or that of RSA */
    const char *alg;
    const char *crv;            /* NULL: RSA */
    int octets;                 /* of a coordinate, and of r and of s */
    const EVP_MD *(*md)(void);
} key_kind_t;

static const key_kind_t kinds[] = {
    { NID_X9_62_prime256v1, "ES256", "P-256", 32, EVP_sha256 },
    { NID_secp384r1, "ES384", "P-384", 48, EVP_sha384 },
    { EVP_PKEY_RSA, "RS256", NULL, 0, EVP_sha256 }
};

struct acme_key_t {
    EVP_PKEY *evp;
    const key_kind_t *kind;
};

static const key_kind_t *find_kind(EVP_PKEY *evp)
{
    int nid = EVP_PKEY_base_id(evp);
    apr_size_t i;

    if (nid == EVP_PKEY_EC) {
        nid = acme_openssl_curve(evp);
    }
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].nid == nid) {
            return &kinds[i];
        }
    }
    return NULL;
}

static apr_status_t free_evp(void *evp)
{
    EVP_PKEY_free(evp);
    return APR_SUCCESS;
}

static acme_key_t *make_key(EVP_PKEY *evp, const key_kind_t *kind,
                            apr_pool_t *p)
{
    acme_key_t *key = apr_pcalloc(p, sizeof(*key));

    key->evp = evp;
    key->kind = kind;
    apr_pool_cleanup_register(p, evp, free_evp, apr_pool_cleanup_null);
    return key;
}

apr_status_t acme_key_type_parse(acme_key_type_e *ptype, const char *text,
                                 acme_result_t *res)
{
    apr_size_t i;

    *ptype = ACME_KEY_P256;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!apr_cstr_casecmp(text, types[i].name)) {
            *ptype = (acme_key_type_e)i;
            return APR_SUCCESS;
        }
    }
    return acme_fail_never(
        res, APR_EINVAL,
        "key type \"%.*s\": must be p256, p384, rsa2048, rsa3072 or rsa4096",
        TEXT_SHOWN, text);
}

const char *acme_key_type_name(acme_key_type_e type)
{
    return types[type].name;
}

apr_status_t acme_key_type(acme_key_type_e *ptype, acme_key_t *key,
                           acme_result_t *res)
{
    int bits = EVP_PKEY_bits(key->evp);
    apr_size_t i;

    *ptype = ACME_KEY_P256;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (key->kind->crv ? types[i].curve == key->kind->nid
                           : types[i].bits == bits) {
            *ptype = (acme_key_type_e)i;
            return APR_SUCCESS;
        }
    }
    return acme_fail_never(
        res, APR_EINVAL,
        "private key: RSA of %d bits is not a key type; must be p256, p384, rsa2048, rsa3072 or rsa4096",
        bits);
}

apr_status_t acme_key_generate(acme_key_t **pkey, acme_key_type_e type,
                               acme_result_t *res, apr_pool_t *p)
{
    int bits = types[type].bits;
    EVP_PKEY *evp = NULL;
    EVP_PKEY_CTX *ctx;
    apr_status_t rv;

    *pkey = NULL;

    ctx = EVP_PKEY_CTX_new_id(bits ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL);
    if (!ctx || EVP_PKEY_keygen_init(ctx) <= 0
        || (bits
            ? EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits)
            : EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, types[type].curve))
           <= 0
        || EVP_PKEY_keygen(ctx, &evp) <= 0) {
        rv = acme_fail(res, APR_EGENERAL, "new %s key: %s", types[type].name,
                       acme_openssl_reason());
        goto out;
    }

    *pkey = make_key(evp, find_kind(evp), p);
    rv = APR_SUCCESS;
out:
    EVP_PKEY_CTX_free(ctx);
    return rv;
}

static apr_status_t read_key(acme_key_t **pkey, BIO *bio, const char *what,
                             acme_result_t *res, apr_pool_t *p)
{
    const key_kind_t *kind;
    EVP_PKEY *evp;
    int encrypted;
    apr_status_t rv;

    evp = acme_openssl_key(bio, &encrypted);
    if (!evp && encrypted) {
        rv = acme_fail_never(
            res, APR_EINVAL,
            "%s: the key is encrypted; store it without a pass phrase", what);
        goto out;
    }
    if (!evp) {
        rv = acme_fail_never(res, APR_EINVAL, "%s: no PEM private key", what);
        goto out;
    }
    kind = find_kind(evp);
    if (!kind) {
        rv = acme_fail_never(
            res, APR_EINVAL,
            "%s: neither an RSA key nor an EC key on P-256 or P-384", what);
        goto out;
    }
    if (!kind->crv && EVP_PKEY_bits(evp) < RSA_BITS_MIN) {
        rv = acme_fail_never(
            res, APR_EINVAL,
            "%s: an RSA key of %d bits, at least %d are required", what,
            EVP_PKEY_bits(evp), RSA_BITS_MIN);
        goto out;
    }

    *pkey = make_key(evp, kind, p);
    evp = NULL;             /* the pool's now */
    rv = APR_SUCCESS;
out:
    /* A success may leave errors as well: the tries of OpenSSL's decoders. */
    ERR_clear_error();
    EVP_PKEY_free(evp);
    return rv;
}

apr_status_t acme_key_load(acme_key_t **pkey, const char *path,
                           acme_result_t *res, apr_pool_t *p)
{
    BIO *bio;
    apr_status_t rv;

    *pkey = NULL;

    rv = acme_openssl_file(&bio, path, res);
    if (rv == APR_SUCCESS) {
        rv = read_key(pkey, bio, path, res, p);
        BIO_free(bio);
    }
    return rv;
}

apr_status_t acme_key_parse(acme_key_t **pkey, const char *pem,
                            const char *what, acme_result_t *res,
                            apr_pool_t *p)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    apr_status_t rv;

    *pkey = NULL;

    if (!bio) {
        return acme_fail(res, APR_ENOMEM, "%s: no memory for a key", what);
    }
    rv = read_key(pkey, bio, what, res, p);
    BIO_free(bio);
    return rv;
}

apr_status_t acme_key_pem(const char **ppem, acme_key_t *key,
                          acme_result_t *res, apr_pool_t *p)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *data, *pem;
    apr_status_t rv;
    long len;

    *ppem = NULL;

    if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio, key->evp, NULL, NULL, 0,
                                               NULL, NULL)) {
        rv = acme_fail(res, APR_EGENERAL, "private key: cannot be written: %s",
                       acme_openssl_reason());
        goto out;
    }
    len = BIO_get_mem_data(bio, &data);
    pem = acme_cleanse_alloc((apr_size_t)len + 1, p);
    memcpy(pem, data, (apr_size_t)len);
    pem[len] = '\0';

    *ppem = pem;
    rv = APR_SUCCESS;
out:
    BIO_free(bio);
    return rv;
}

EVP_PKEY *acme_key_evp(acme_key_t *key)
{
    return key->evp;
}

const char *acme_key_alg(acme_key_t *key)
{
    return key->kind->alg;
}

/* bn padded to so many octets; 0: without padding. (7518, 6.2.1, 6.3.1) */
static const char *number_base64url(const BIGNUM *bn, int octets,
                                    apr_pool_t *p)
{
    int len = octets ? octets : BN_num_bytes(bn);
    unsigned char *buf = apr_palloc(p, (apr_size_t)len);

    return BN_bn2binpad(bn, buf, len) == len
           ? acme_text_base64url(buf, (apr_size_t)len, p) : NULL;
}

apr_status_t acme_key_jwk(const char **pjwk, acme_key_t *key,
                          acme_result_t *res, apr_pool_t *p)
{
    const key_kind_t *kind = key->kind;
    BIGNUM *a = NULL, *b = NULL;
    const char *a64 = NULL, *b64 = NULL;
    apr_status_t rv;

    *pjwk = NULL;

    if (acme_openssl_public(&a, &b, key->evp)) {
        a64 = number_base64url(a, kind->octets, p);
        b64 = number_base64url(b, kind->octets, p);
    }
    if (!a64 || !b64) {
        rv = acme_fail(res, APR_EGENERAL, "private key: no public part: %s",
                       acme_openssl_reason());
        goto out;
    }

    *pjwk = kind->crv
            ? apr_psprintf(
                p, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
                kind->crv, a64, b64)
            : apr_psprintf(p, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}",
                           b64, a64);
    rv = APR_SUCCESS;
out:
    BN_free(a);
    BN_free(b);
    return rv;
}

apr_status_t acme_key_thumbprint(const char **pthumb, acme_key_t *key,
                                 acme_result_t *res, apr_pool_t *p)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned int len;
    const char *jwk;
    apr_status_t rv;

    *pthumb = NULL;

    rv = acme_key_jwk(&jwk, key, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!EVP_Digest(jwk, strlen(jwk), md, &len, EVP_sha256(), NULL)) {
        return acme_fail(res, APR_EGENERAL, "thumbprint: %s",
                         acme_openssl_reason());
    }
    *pthumb = acme_text_base64url(md, len, p);
    return APR_SUCCESS;
}

/*
 * A signature as OpenSSL makes it, in p; NULL when it fails. For EC it is a
 * DER sequence of r and s, for RSA the octets that a JWS has.
 */
static unsigned char *sign_plain(size_t *plen, acme_key_t *key,
                                 const char *data, apr_size_t len,
                                 apr_pool_t *p)
{
    const unsigned char *in = (const unsigned char *)data;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char *sig = NULL;

    if (ctx
        && EVP_DigestSignInit(ctx, NULL, key->kind->md(), NULL, key->evp) > 0
        && EVP_DigestSign(ctx, NULL, plen, in, len) > 0) {
        sig = apr_palloc(p, *plen);
        if (EVP_DigestSign(ctx, sig, plen, in, len) <= 0) {
            sig = NULL;
        }
    }
    EVP_MD_CTX_free(ctx);
    return sig;
}

/* r and s side by side, each of so many octets, in p; NULL on failure. */
static unsigned char *join_r_and_s(const unsigned char *der, size_t len,
                                   int octets, apr_pool_t *p)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    unsigned char *sig = apr_palloc(p, 2 * (apr_size_t)octets);
    const BIGNUM *r, *s;

    if (!pair) {
        return NULL;
    }
    ECDSA_SIG_get0(pair, &r, &s);
    if (BN_bn2binpad(r, sig, octets) != octets
        || BN_bn2binpad(s, sig + octets, octets) != octets) {
        sig = NULL;
    }
    ECDSA_SIG_free(pair);
    return sig;
}

apr_status_t acme_key_sign(acme_octets_t *psig, acme_key_t *key,
                           const char *data, apr_size_t len,
                           acme_result_t *res, apr_pool_t *p)
{
    int octets = key->kind->octets;
    unsigned char *sig;
    size_t sig_len;

    memset(psig, 0, sizeof(*psig));

    sig = sign_plain(&sig_len, key, data, len, p);
    if (sig && octets) {
        sig = join_r_and_s(sig, sig_len, octets, p);
        sig_len = 2 * (size_t)octets;
    }
    if (!sig) {
        return acme_fail(res, APR_EGENERAL, "%s signature: %s",
                         key->kind->alg, acme_openssl_reason());
    }
    psig->data = sig;
    psig->len = sig_len;
    return APR_SUCCESS;
}
