/*
 * acme_pair.c - a trial of the pair that mod_ssl would load at a restart.
 *
 * It follows SSL_CTX_use_certificate_chain_file(), which mod_ssl calls: other
 * PEM objects in the file are passed over.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "acme_openssl.h"
#include "acme_pair.h"

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

static apr_status_t read_certs(pair_t *pair, BIO *bio, const char *what,
                               acme_result_t *res)
{
    X509 *next;

    pair->rest = sk_X509_new_null();
    pair->leaf = PEM_read_bio_X509_AUX(bio, NULL, acme_openssl_no_passphrase,
                                       NULL);
    if (!pair->leaf || !pair->rest) {
        return acme_fail_never(res, APR_EINVAL, "%s: no PEM certificate: %s",
                               what, acme_openssl_reason());
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

static apr_status_t read_key(pair_t *pair, BIO *bio, const char *what,
                             const char *cert, acme_result_t *res)
{
    int encrypted;

    pair->key = acme_openssl_key(bio, &encrypted);
    if (encrypted) {
        return APR_SUCCESS;     /* only mod_ssl has its pass phrase */
    }
    if (!pair->key) {
        return acme_fail_never(res, APR_EINVAL, "%s: no PEM private key",
                               what);
    }
    if (!X509_check_private_key(pair->leaf, pair->key)) {
        return acme_fail_never(res, APR_EINVAL,
                               "%s: not the key of the certificate in %s",
                               what, cert);
    }
    return APR_SUCCESS;
}

/*
 * The calls that mod_ssl makes, in a context like that of a server with this
 * list of ciphers: OpenSSL refuses here what its security level forbids, such
 * as a signature with SHA-1 or a short key, anywhere in the chain.
 */
static apr_status_t load_as_server(const pair_t *pair, const char *what,
                                   const char *ciphers, acme_result_t *res)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    apr_status_t rv = APR_SUCCESS;
    int i, level, loaded;

    if (!ctx) {
        return acme_fail(res, APR_EGENERAL, "%s: OpenSSL: %s", what,
                         acme_openssl_reason());
    }
    /* A list that OpenSSL refuses: mod_ssl reports it, and the pair is fine. */
    if (ciphers && *ciphers) {
        (void)SSL_CTX_set_cipher_list(ctx, ciphers);
        ERR_clear_error();
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

apr_status_t acme_pair_check(const char *cert_path, const char *key_path,
                             const apr_array_header_t *ciphers,
                             acme_result_t *res)
{
    pair_t pair = { 0 };
    BIO *bio;
    apr_status_t rv;

    rv = acme_openssl_file(&bio, cert_path, res);
    if (rv == APR_SUCCESS) {
        rv = read_certs(&pair, bio, cert_path, res);
        BIO_free(bio);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_openssl_file(&bio, key_path, res);
        if (rv == APR_SUCCESS) {
            rv = read_key(&pair, bio, key_path, cert_path, res);
            BIO_free(bio);
        }
    }
    if (rv == APR_SUCCESS) {
        rv = load_in_servers(&pair, cert_path, ciphers, res);
    }
    free_pair(&pair);
    ERR_clear_error();
    return rv;
}

apr_status_t acme_pair_check_pem(const char *certs, const char *key,
                                 const char *what,
                                 const apr_array_header_t *ciphers,
                                 acme_result_t *res)
{
    BIO *certs_bio = BIO_new_mem_buf(certs, -1);
    BIO *key_bio = BIO_new_mem_buf(key, -1);
    pair_t pair = { 0 };
    apr_status_t rv;

    if (!certs_bio || !key_bio) {
        rv = acme_fail(res, APR_ENOMEM, "%s: no memory", what);
    }
    else {
        rv = read_certs(&pair, certs_bio, what, res);
    }
    if (rv == APR_SUCCESS) {
        rv = read_key(&pair, key_bio, what, what, res);
    }
    if (rv == APR_SUCCESS) {
        rv = load_in_servers(&pair, what, ciphers, res);
    }
    free_pair(&pair);
    BIO_free(key_bio);
    BIO_free(certs_bio);
    ERR_clear_error();
    return rv;
}
