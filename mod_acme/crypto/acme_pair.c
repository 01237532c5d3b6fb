/*
 * acme_pair.c - a trial of the pair that mod_ssl would load at a restart.
 *
 * It follows SSL_CTX_use_certificate_chain_file(), which mod_ssl calls: other
 * PEM objects in the file are passed over.
 */
#include <string.h>

#include <apr_strings.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "acme_digest.h"
#include "acme_no_x509.h"
#include "acme_openssl.h"
#include "acme_pair.h"
#include "acme_public_key.h"

/* A leaf, the certificates after it, and its key, as mod_ssl reads them. */
typedef struct {
    X509 *leaf;
    STACK_OF(X509) *rest;
    EVP_PKEY *key;              /* NULL: it has a pass phrase */
} pair_t;

static void free_pair(pair_t *pair)
{
    EVP_PKEY_free(pair->key);
    sk_X509_pop_free(pair->rest, X509_free);
    X509_free(pair->leaf);
}

static apr_status_t read_leaf(pair_t *pair, BIO *bio, const char *what,
                              acme_result_t *res)
{
    pair->leaf = PEM_read_bio_X509_AUX(bio, NULL, acme_openssl_no_passphrase,
                                       NULL);
    if (!pair->leaf) {
        return acme_fail_never(res, APR_EINVAL, "%s: no PEM certificate: %s",
                               what, acme_openssl_reason());
    }
    return APR_SUCCESS;
}

static apr_status_t read_rest(pair_t *pair, BIO *bio, const char *what,
                              acme_result_t *res)
{
    X509 *next;

    pair->rest = sk_X509_new_null();
    if (!pair->rest) {
        return acme_fail(res, APR_ENOMEM, "%s: no memory", what);
    }
    while ((next = PEM_read_bio_X509(bio, NULL, acme_openssl_no_passphrase,
                                     NULL))) {
        if (!sk_X509_push(pair->rest, next)) {
            X509_free(next);
            break;
        }
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        return acme_fail_never(res, APR_EINVAL,
                               "%s: a certificate after the first is damaged: %s",
                               what, acme_openssl_reason());
    }
    ERR_clear_error();          /* the end of the file */
    return APR_SUCCESS;
}

/* What is no PEM is DER for mod_ssl, or base64 of it. */
static EVP_PKEY *read_der_key(const char *data, long len)
{
    BIO *bio = BIO_new_mem_buf(data, (int)len);
    EVP_PKEY *key = bio ? d2i_PrivateKey_bio(bio, NULL) : NULL;
    BIO *base64;

    if (bio && !key && (base64 = BIO_new(BIO_f_base64()))) {
        (void)BIO_reset(bio);
        key = d2i_PrivateKey_bio(BIO_push(base64, bio), NULL);
        BIO_free(base64);
    }
    BIO_free(bio);
    return key;
}

static apr_status_t read_key(pair_t *pair, BIO *bio, const char *what,
                             const char *cert, acme_result_t *res)
{
    char *data;
    const long len = BIO_get_mem_data(bio, &data);
    int encrypted;

    pair->key = acme_openssl_key(bio, &encrypted);
    if (!pair->key && !encrypted) {
        pair->key = read_der_key(data, len);
    }
    if (encrypted) {
        return APR_SUCCESS;     /* only mod_ssl has its pass phrase */
    }
    if (!pair->key) {
        return acme_fail_never(res, APR_EINVAL, "%s: no private key that mod_ssl can read",
                               what);
    }
    if (!X509_check_private_key(pair->leaf, pair->key)) {
        return acme_fail_never(res, APR_EINVAL,
                               "%s: not the key of the certificate in %s",
                               what, cert);
    }
    return APR_SUCCESS;
}

/* A context like that of a server with this list; NULL: OpenSSL failed. */
static SSL_CTX *make_server(const char *ciphers)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    /* A list that OpenSSL refuses: mod_ssl reports it, and the pair is fine. */
    if (ctx && ciphers && *ciphers) {
        (void)SSL_CTX_set_cipher_list(ctx, ciphers);
        ERR_clear_error();
    }
    return ctx;
}

/*
 * The calls that mod_ssl makes, in a context like that of a server with this
 * list of ciphers: OpenSSL refuses here what its security level forbids, such
 * as a signature with SHA-1 or a short key, anywhere in the chain.
 */
static apr_status_t load_as_server(const pair_t *pair, const char *what,
                                   const char *ciphers, acme_result_t *res)
{
    SSL_CTX *ctx = make_server(ciphers);
    apr_status_t rv = APR_SUCCESS;
    int i, level, loaded;

    if (!ctx) {
        return acme_fail(res, APR_EGENERAL, "%s: OpenSSL: %s", what,
                         acme_openssl_reason());
    }
    level = SSL_CTX_get_security_level(ctx);
    loaded = SSL_CTX_use_certificate(ctx, pair->leaf) == 1;
    for (i = 0; loaded && i < sk_X509_num(pair->rest); i++) {
        loaded = SSL_CTX_add1_chain_cert(ctx,
                                         sk_X509_value(pair->rest, i)) == 1;
    }
    if (!loaded
        || (pair->key && (SSL_CTX_use_PrivateKey(ctx, pair->key) != 1
                          || SSL_CTX_check_private_key(ctx) != 1))) {
        rv = acme_fail_never(res, APR_EINVAL,
                             "%s: mod_ssl would not load it: OpenSSL refuses it at security level %d: %s",
                             what, level, acme_openssl_reason());
    }
    SSL_CTX_free(ctx);
    return rv;
}

/* Load the pair as each of the servers with these ciphers would. */
static apr_status_t load_in_servers(const pair_t *pair, const char *what,
                                    const apr_array_header_t *ciphers,
                                    acme_result_t *res)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    if (!ciphers || !ciphers->nelts) {
        return load_as_server(pair, what, NULL, res);
    }
    for (i = 0; rv == APR_SUCCESS && i < ciphers->nelts; i++) {
        rv = load_as_server(pair, what, APR_ARRAY_IDX(ciphers, i,
                                                      const char *), res);
    }
    return rv;
}

/* In which texts, and what they are called. */
typedef struct {
    BIO *certs, *key;
    const char *certs_name, *key_name;
    int is_leaf_alone;          /* nothing is read behind the first one */
} texts_t;

static apr_status_t check_texts(const texts_t *texts,
                                const apr_array_header_t *ciphers,
                                acme_result_t *res)
{
    pair_t pair = { 0 };
    apr_status_t rv;

    rv = acme_no_x509_check(res);
    if (rv == APR_SUCCESS) {
        rv = read_leaf(&pair, texts->certs, texts->certs_name, res);
    }
    if (rv == APR_SUCCESS && !texts->is_leaf_alone) {
        rv = read_rest(&pair, texts->certs, texts->certs_name, res);
    }
    if (rv == APR_SUCCESS) {
        rv = read_key(&pair, texts->key, texts->key_name, texts->certs_name,
                      res);
    }
    if (rv == APR_SUCCESS) {
        rv = load_in_servers(&pair, texts->certs_name, ciphers, res);
    }
    free_pair(&pair);
    ERR_clear_error();
    return rv;
}

static apr_status_t check_files(texts_t *texts,
                                const apr_array_header_t *ciphers,
                                acme_result_t *res)
{
    apr_status_t rv = acme_openssl_file(&texts->certs, texts->certs_name, res);

    if (rv == APR_SUCCESS) {
        rv = acme_openssl_file(&texts->key, texts->key_name, res);
    }
    if (rv == APR_SUCCESS) {
        rv = check_texts(texts, ciphers, res);
    }
    BIO_free(texts->key);
    BIO_free(texts->certs);
    return rv;
}

apr_status_t acme_pair_check(const char *cert_path, const char *key_path,
                             const apr_array_header_t *ciphers,
                             acme_result_t *res)
{
    texts_t texts = { .certs_name = cert_path, .key_name = key_path };

    return check_files(&texts, ciphers, res);
}

apr_status_t acme_pair_check_leaf(const char *cert_path, const char *key_path,
                                  const apr_array_header_t *ciphers,
                                  acme_result_t *res)
{
    texts_t texts = { .certs_name = cert_path, .key_name = key_path,
                      .is_leaf_alone = 1 };

    return check_files(&texts, ciphers, res);
}

apr_status_t acme_pair_check_certs(acme_octets_t *pkey, acme_octets_t certs,
                                   const apr_array_header_t *ciphers,
                                   acme_result_t *res, apr_pool_t *p)
{
    static const char what[] = "certificate";
    BIO *bio = BIO_new_mem_buf(certs.data, (int)certs.len);
    pair_t pair = { 0 };
    apr_status_t rv;

    *pkey = (acme_octets_t) { NULL, 0 };

    rv = acme_no_x509_check(res);
    if (rv == APR_SUCCESS && !bio) {
        rv = acme_fail(res, APR_ENOMEM, "%s: no memory", what);
    }
    if (rv == APR_SUCCESS) {
        rv = read_leaf(&pair, bio, what, res);
    }
    if (rv == APR_SUCCESS) {
        *pkey = acme_public_key_der(X509_get0_pubkey(pair.leaf), p);
        rv = read_rest(&pair, bio, what, res);
    }
    if (rv == APR_SUCCESS) {
        rv = load_in_servers(&pair, what, ciphers, res);
    }
    free_pair(&pair);
    BIO_free(bio);
    ERR_clear_error();
    return rv;
}

/* FIPS mode refuses more than its level does. */
static int has_fips(void)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    return EVP_default_properties_is_fips_enabled(NULL);
#else
    return 0;
#endif
}

static int level_of(const char *ciphers)
{
    SSL_CTX *ctx = make_server(ciphers);
    const int level = ctx ? SSL_CTX_get_security_level(ctx) : -1;

    SSL_CTX_free(ctx);
    ERR_clear_error();
    return level;
}

const char *acme_pair_scene(const apr_array_header_t *ciphers, apr_pool_t *p)
{
    const char *text = apr_psprintf(p, "%s\n%s\n%d",
                                    OpenSSL_version(OPENSSL_VERSION),
                                    OpenSSL_version(OPENSSL_BUILT_ON),
                                    has_fips());
    int i;

    if (!ciphers || !ciphers->nelts) {
        text = apr_psprintf(p, "%s\n%d", text, level_of(NULL));
    }
    for (i = 0; ciphers && i < ciphers->nelts; i++) {
        const char *list = APR_ARRAY_IDX(ciphers, i, const char *);

        text = apr_psprintf(p, "%s\n%d %s", text, level_of(list), list);
    }
    return acme_digest_hex(text, strlen(text), ACME_PAIR_SCENE_MAX / 2, p);
}

int acme_pair_has_pass_phrase(const char *key_path)
{
    int encrypted = 0;
    acme_result_t res;
    BIO *bio;

    if (acme_openssl_file(&bio, key_path, &res) == APR_SUCCESS) {
        EVP_PKEY_free(acme_openssl_key(bio, &encrypted));
    }
    BIO_free(bio);
    ERR_clear_error();
    return encrypted;
}

const char *acme_pair_public_key(const char *cert_path, apr_pool_t *p)
{
    const ASN1_BIT_STRING *bits;
    const char *name = "";
    acme_result_t res;
    X509 *leaf = NULL;
    BIO *bio;

    if (acme_openssl_file(&bio, cert_path, &res) == APR_SUCCESS) {
        leaf = PEM_read_bio_X509_AUX(bio, NULL, acme_openssl_no_passphrase,
                                     NULL);
    }
    bits = leaf ? X509_get0_pubkey_bitstr(leaf) : NULL;
    if (bits) {
        name = acme_digest_hex(ASN1_STRING_get0_data(bits),
                               (apr_size_t)ASN1_STRING_length(bits),
                               ACME_DIGEST_OCTETS, p);
    }
    X509_free(leaf);
    BIO_free(bio);
    ERR_clear_error();
    return name;
}

apr_status_t acme_pair_check_ciphers(const char *list, acme_result_t *res)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    apr_status_t rv = APR_SUCCESS;

    if (!ctx) {
        return acme_fail(res, APR_EGENERAL, "SSLCipherSuite: OpenSSL: %s",
                         acme_openssl_reason());
    }
    if (SSL_CTX_set_cipher_list(ctx, list) != 1) {
        rv = acme_fail_never(res, APR_EINVAL,
                             "SSLCipherSuite: OpenSSL refuses the list: %s",
                             acme_openssl_reason());
    }
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return rv;
}
