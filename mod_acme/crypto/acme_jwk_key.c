/*
 * acme_jwk_key.c - private keys that are not plain PEM.
 *
 * A JWK becomes the DER that PEM has of the same numbers (8017, A.1.2; 5915,
 * 3): OpenSSL's calls that build a key from numbers differ in each version.
 */
#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "acme_cleanse.h"
#include "acme_jwk_key.h"
#include "acme_openssl.h"
#include "acme_text.h"

#define NUMBER_MAX 3000         /* characters: RSA of 16384 bits has 2731 */
#define DER_MAX (16 * 1024)     /* octets */
#define PEM_LINE 64             /* characters (7468, 2) */
#define PASS_MAX 1024

/* DER that is written from its start; 0 octets of room left: it is full. */
typedef struct {
    unsigned char *data;
    apr_size_t len;
    int is_full;
} der_t;

static void put(der_t *der, const void *data, apr_size_t len)
{
    if (der->is_full || len > DER_MAX - der->len) {
        der->is_full = 1;
        return;
    }
    memcpy(der->data + der->len, data, len);
    der->len += len;
}

static void put_head(der_t *der, unsigned char tag, apr_size_t len)
{
    const unsigned char head[4] = { tag, 0x82, (unsigned char)(len >> 8),
                                    (unsigned char)len };
    const unsigned char one[3] = { tag, 0x81, (unsigned char)len };
    const unsigned char least[2] = { tag, (unsigned char)len };

    if (len > 255) {
        put(der, head, sizeof(head));
    }
    else if (len > 127) {
        put(der, one, sizeof(one));
    }
    else {
        put(der, least, sizeof(least));
    }
}

/* A member in base64url, decoded; none: it is missing, or something else. */
static acme_octets_t member(const json_t *jwk, const char *name, apr_pool_t *p)
{
    const char *text = json_string_value(json_object_get(jwk, name));
    acme_octets_t octets = { NULL, 0 };
    unsigned char *data;
    char *copy;
    apr_size_t i, len;

    if (!acme_text_is_base64url(text, NUMBER_MAX)) {
        return octets;
    }
    len = strlen(text);
    copy = acme_cleanse_alloc(len + 1, p);
    for (i = 0; i <= len; i++) {
        copy[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
    }
    data = acme_cleanse_alloc((apr_size_t)apr_base64_decode_len(copy) + 1, p);
    octets.len = (apr_size_t)apr_base64_decode_binary(data, copy);
    octets.data = data;
    return octets;
}

/* A positive INTEGER: least octets, and a zero before a first bit. */
static void put_integer(der_t *der, acme_octets_t number)
{
    const unsigned char *data = (const unsigned char *)number.data;
    apr_size_t len = number.len;
    int pad;

    while (len > 1 && !data[0]) {
        data++;
        len--;
    }
    pad = len && (data[0] & 0x80);
    put_head(der, 0x02, len + (apr_size_t)pad);
    put(der, "", (apr_size_t)pad);
    put(der, data, len);
}

static der_t new_der(apr_pool_t *p)
{
    return (der_t) { .data = acme_cleanse_alloc(DER_MAX, p) };
}

/* 0: a number is missing. */
static int rsa_body(der_t *body, const json_t *jwk, apr_pool_t *p)
{
    static const char *const names[] = { "n", "e", "d", "p", "q", "dp", "dq",
                                         "qi" };
    acme_octets_t number;
    size_t i;

    put(body, "\x02\x01\x00", 3);
    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        number = member(jwk, names[i], p);
        if (!number.len) {
            return 0;
        }
        put_integer(body, number);
    }
    return 1;
}

static int ec_body(der_t *body, const json_t *jwk, apr_pool_t *p)
{
    static const struct {
        const char *crv;
        apr_size_t octets;
        const char *oid;
        apr_size_t len;
    } curves[] = {
        { "P-256", 32, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 12 },
        { "P-384", 48, "\xa0\x07\x06\x05\x2b\x81\x04\x00\x22", 9 }
    };
    const char *crv = json_string_value(json_object_get(jwk, "crv"));
    const acme_octets_t x = member(jwk, "x", p), y = member(jwk, "y", p);
    const acme_octets_t d = member(jwk, "d", p);
    size_t i;

    for (i = 0; crv && i < sizeof(curves) / sizeof(*curves); i++) {
        const apr_size_t size = curves[i].octets;

        if (strcmp(crv, curves[i].crv) != 0 || x.len != size || y.len != size
            || d.len != size) {
            continue;
        }
        put(body, "\x02\x01\x01", 3);
        put_head(body, 0x04, size);
        put(body, d.data, size);
        put(body, curves[i].oid, curves[i].len);
        put_head(body, 0xa1, 2 * size + 4);
        put_head(body, 0x03, 2 * size + 2);
        put(body, "\x00\x04", 2);
        put(body, x.data, size);
        put(body, y.data, size);
        return 1;
    }
    return 0;
}

static const char *pem_of(const der_t *der, const char *label, apr_pool_t *p)
{
    const int len = apr_base64_encode_len((int)der->len);
    char *text = acme_cleanse_alloc((apr_size_t)len, p);
    const apr_size_t room = (apr_size_t)len + (apr_size_t)len / PEM_LINE + 100;
    char *pem = acme_cleanse_alloc(room, p);
    char *end = pem;
    apr_size_t i, n;

    n = (apr_size_t)apr_base64_encode_binary(text, der->data, (int)der->len)
        - 1;
    end += apr_snprintf(end, room, "-----BEGIN %s-----\n", label);
    for (i = 0; i < n; i += PEM_LINE) {
        end += apr_snprintf(end, room - (apr_size_t)(end - pem), "%.*s\n",
                            (int)(n - i < PEM_LINE ? n - i : PEM_LINE),
                            text + i);
    }
    apr_snprintf(end, room - (apr_size_t)(end - pem), "-----END %s-----\n",
                 label);
    return pem;
}

/* OpenSSL reads numbers of any kind; do they belong together? */
static int is_whole(acme_key_t *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(acme_key_evp(key), NULL);
    const int is = ctx && EVP_PKEY_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return is;
}

apr_status_t acme_jwk_key_parse(acme_key_t **pkey, const json_t *jwk,
                                const char *what, acme_result_t *res,
                                apr_pool_t *p)
{
    const char *kty = json_string_value(json_object_get(jwk, "kty"));
    const int is_rsa = kty && !strcmp(kty, "RSA");
    const int is_ec = kty && !strcmp(kty, "EC");
    der_t body = new_der(p), der = new_der(p);
    apr_status_t rv;

    *pkey = NULL;

    if (!(is_rsa && rsa_body(&body, jwk, p))
        && !(is_ec && ec_body(&body, jwk, p))) {
        return acme_fail_never(
            res, APR_EINVAL,
            "%s: not a JWK of an RSA key, or of an EC key on P-256 or P-384",
            what);
    }
    put_head(&der, 0x30, body.len);
    put(&der, body.data, body.len);
    if (body.is_full || der.is_full) {
        return acme_fail_never(res, APR_EINVAL, "%s: the key is too long",
                               what);
    }
    rv = acme_key_parse(pkey, pem_of(&der, is_rsa ? "RSA PRIVATE KEY"
                                                  : "EC PRIVATE KEY", p),
                        what, res, p);
    if (rv == APR_SUCCESS && !is_whole(*pkey)) {
        *pkey = NULL;
        rv = acme_fail_never(res, APR_EINVAL,
                             "%s: the numbers of the key do not belong together",
                             what);
    }
    return rv;
}

static int copy_pass(char *buf, int size, int rwflag, void *baton)
{
    const acme_octets_t *pass = baton;

    (void)rwflag;
    if (pass->len > (apr_size_t)size) {
        return -1;
    }
    memcpy(buf, pass->data, pass->len);
    return (int)pass->len;
}

apr_status_t acme_jwk_key_decrypt(acme_key_t **pkey, const char *pem,
                                  acme_octets_t pass, const char *what,
                                  acme_result_t *res, apr_pool_t *p)
{
    BIO *in = BIO_new_mem_buf(pem, -1);
    BIO *out = BIO_new(BIO_s_secmem());
    EVP_PKEY *evp = NULL;
    char *data, *plain;
    apr_status_t rv;
    long len;

    *pkey = NULL;

    if (in && pass.len <= PASS_MAX) {
        evp = PEM_read_bio_PrivateKey(in, NULL, copy_pass, &pass);
    }
    if (!evp || !out
        || !PEM_write_bio_PKCS8PrivateKey(out, evp, NULL, NULL, 0, NULL,
                                          NULL)) {
        rv = acme_fail_never(res, APR_EINVAL,
                             "%s: no PEM private key, or of another pass phrase",
                             what);
        goto out;
    }
    len = BIO_get_mem_data(out, &data);
    plain = acme_cleanse_alloc((apr_size_t)len + 1, p);
    memcpy(plain, data, (apr_size_t)len);
    plain[len] = '\0';
    rv = acme_key_parse(pkey, plain, what, res, p);
out:
    ERR_clear_error();
    EVP_PKEY_free(evp);
    BIO_free(out);
    BIO_free(in);
    return rv;
}
