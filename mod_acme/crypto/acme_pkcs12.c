/*
 * acme_pkcs12.c - a key and its certificates in one PKCS#12 file.
 *
 * Two files of the same are never equal: salts are random. So that one can be
 * recognized without its password, and without parsing it, the salt of its MAC
 * is a mark: a keyed digest of all that is in it. It stands at its end.
 */
#include <string.h>

#include <apr_strings.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pkcs12.h>

#include "acme_cleanse.h"
#include "acme_openssl.h"
#include "acme_pkcs12.h"

#define ITERATIONS 10000
#define MARK 32                 /* octets of it */
#define KEY_ID 20               /* octets of SHA-1, as OpenSSL's own */

static const acme_octets_t *cert_at(const acme_pkcs12_t *what, int i)
{
    return &APR_ARRAY_IDX(what->certs, i, acme_octets_t);
}

/* Keyed with the private key, so that nobody can try passwords with it. */
static int make_mark(unsigned char mark[MARK], const acme_pkcs12_t *what,
                     apr_pool_t *p)
{
    apr_size_t len = strlen(what->name) + strlen(what->password) + 2;
    unsigned char *all, *at;
    unsigned int n = 0;
    acme_result_t ignored;
    const char *pem;
    int i;

    if (acme_key_pem(&pem, what->key, &ignored, p)) {
        return 0;
    }
    for (i = 0; i < what->certs->nelts; i++) {
        len += cert_at(what, i)->len;
    }
    at = all = acme_cleanse_alloc(len, p);
    memcpy(at, what->name, strlen(what->name) + 1);
    at += strlen(what->name) + 1;
    memcpy(at, what->password, strlen(what->password) + 1);
    at += strlen(what->password) + 1;
    for (i = 0; i < what->certs->nelts; i++) {
        memcpy(at, cert_at(what, i)->data, cert_at(what, i)->len);
        at += cert_at(what, i)->len;
    }
    return HMAC(EVP_sha256(), pem, (int)strlen(pem), all, len, mark, &n)
           && n == MARK;
}

/* A certificate is a SEQUENCE, which OpenSSL copies without a look into it. */
static PKCS12_SAFEBAG *make_bag(const acme_octets_t *cert)
{
    ASN1_STRING *octets = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
    PKCS12_SAFEBAG *bag = NULL;

    if (octets && ASN1_STRING_set(octets, cert->data, (int)cert->len)) {
        bag = PKCS12_item_pack_safebag(octets, ASN1_ITEM_rptr(ASN1_SEQUENCE),
                                       NID_x509Certificate, NID_certBag);
    }
    ASN1_STRING_free(octets);
    return bag;
}

static int add_certs(STACK_OF(PKCS12_SAFEBAG) *bags, const acme_pkcs12_t *what,
                     unsigned char id[KEY_ID])
{
    int i;

    for (i = 0; i < what->certs->nelts; i++) {
        PKCS12_SAFEBAG *bag = make_bag(cert_at(what, i));

        if (!bag || !sk_PKCS12_SAFEBAG_push(bags, bag)) {
            PKCS12_SAFEBAG_free(bag);
            return 0;
        }
        if (i == 0
            && (!PKCS12_add_friendlyname_utf8(bag, what->name, -1)
                || !PKCS12_add_localkeyid(bag, id, KEY_ID))) {
            return 0;
        }
    }
    return 1;
}

static int add_key(STACK_OF(PKCS12_SAFEBAG) **pbags, const acme_pkcs12_t *what,
                   unsigned char id[KEY_ID])
{
    PKCS12_SAFEBAG *bag = PKCS12_add_key(pbags, acme_key_evp(what->key), 0,
                                         ITERATIONS, NID_aes_256_cbc,
                                         what->password);

    return bag && PKCS12_add_friendlyname_utf8(bag, what->name, -1)
           && PKCS12_add_localkeyid(bag, id, KEY_ID);
}

/* The caller frees it; NULL when OpenSSL fails. */
static PKCS12 *make_file(const acme_pkcs12_t *what, unsigned char *mark)
{
    STACK_OF(PKCS12_SAFEBAG) *certs = sk_PKCS12_SAFEBAG_new_null();
    STACK_OF(PKCS12_SAFEBAG) *keys = NULL;
    STACK_OF(PKCS7) *safes = NULL;
    PKCS12 *file = NULL;
    unsigned char id[KEY_ID];

    if (certs
        && EVP_Digest(cert_at(what, 0)->data, cert_at(what, 0)->len, id, NULL,
                      EVP_sha1(), NULL)
        && add_certs(certs, what, id) && add_key(&keys, what, id)
        && PKCS12_add_safe(&safes, certs, NID_aes_256_cbc, ITERATIONS,
                           what->password)
        && PKCS12_add_safe(&safes, keys, -1, 0, NULL)) {
        file = PKCS12_add_safes(safes, 0);
    }
    if (file && !PKCS12_set_mac(file, what->password, -1, mark, MARK,
                                ITERATIONS, EVP_sha256())) {
        PKCS12_free(file);
        file = NULL;
    }
    sk_PKCS7_pop_free(safes, PKCS7_free);
    sk_PKCS12_SAFEBAG_pop_free(keys, PKCS12_SAFEBAG_free);
    sk_PKCS12_SAFEBAG_pop_free(certs, PKCS12_SAFEBAG_free);
    return file;
}

apr_status_t acme_pkcs12_make(acme_octets_t *pout, const acme_pkcs12_t *what,
                              acme_result_t *res, apr_pool_t *p)
{
    unsigned char mark[MARK], *at;
    PKCS12 *file = NULL;
    int len = 0;

    *pout = (acme_octets_t) { NULL, 0 };

    if (what->certs->nelts && make_mark(mark, what, p)) {
        file = make_file(what, mark);
    }
    if (file) {
        len = i2d_PKCS12(file, NULL);
    }
    if (len > 0) {
        pout->data = at = acme_cleanse_alloc((apr_size_t)len, p);
        pout->len = (apr_size_t)i2d_PKCS12(file, &at);
    }
    PKCS12_free(file);
    if (len <= 0) {
        return acme_fail(res, APR_EGENERAL, "PKCS#12: OpenSSL: %s",
                         acme_openssl_reason());
    }
    return APR_SUCCESS;
}

int acme_pkcs12_is_of(acme_octets_t file, const acme_pkcs12_t *what,
                      apr_pool_t *p)
{
    static const unsigned char iterations[] = {
        0x02, 0x02, ITERATIONS >> 8, ITERATIONS & 0xff  /* an INTEGER */
    };
    const apr_size_t end = MARK + sizeof(iterations);
    unsigned char mark[MARK];

    return file.len > end && make_mark(mark, what, p)
           && !memcmp(file.data + file.len - end, mark, MARK)
           && !memcmp(file.data + file.len - sizeof(iterations), iterations,
                      sizeof(iterations));
}
