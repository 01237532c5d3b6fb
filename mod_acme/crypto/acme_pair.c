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

/* A list that OpenSSL refuses: mod_ssl reports it, and the pair is fine. */
static void set_ciphers(SSL_CTX *ctx, const char *list, size_t len)
{
    char *copy = len ? OPENSSL_strndup(list, len) : NULL;

    if (copy) {
        (void)SSL_CTX_set_cipher_list(ctx, copy);
        ERR_clear_error();
    }
    OPENSSL_free(copy);
}

/*
 * A context like that of a server with these lists; NULL: OpenSSL failed. The
 * security level of one list holds until another list names one.
 */
static SSL_CTX *make_server(const char *ciphers)
{
    static const char then[] = ACME_PAIR_THEN;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    while (ctx && ciphers && *ciphers) {
        const size_t len = strcspn(ciphers, then);

        set_ciphers(ctx, ciphers, len);
        ciphers += len + (ciphers[len] != '\0');
    }
    return ctx;
}

/*
 * The calls that mod_ssl makes, for a connection of such a server: OpenSSL
 * refuses here what its security level forbids, such as a signature with SHA-1
 * or a short key, anywhere in the chain.
 */
static apr_status_t load_in_server(const pair_t *pair, const char *what,
                                   SSL_CTX *ctx, acme_result_t *res)
{
    SSL *ssl = ctx ? SSL_new(ctx) : NULL;
    apr_status_t rv = APR_SUCCESS;
    int i, loaded;

    if (!ssl) {
        return acme_fail(res, APR_EGENERAL, "%s: OpenSSL: %s", what,
                         acme_openssl_reason());
    }
    loaded = SSL_use_certificate(ssl, pair->leaf) == 1;
    for (i = 0; loaded && i < sk_X509_num(pair->rest); i++) {
        loaded = SSL_add1_chain_cert(ssl, sk_X509_value(pair->rest, i)) == 1;
    }
    if (!loaded
        || (pair->key && (SSL_use_PrivateKey(ssl, pair->key) != 1
                          || SSL_check_private_key(ssl) != 1))) {
        rv = acme_fail_never(res, APR_EINVAL,
                             "%s: mod_ssl would not load it: OpenSSL refuses it at security level %d: %s",
                             what, SSL_CTX_get_security_level(ctx),
                             acme_openssl_reason());
    }
    SSL_free(ssl);
    return rv;
}

static int count_servers(const apr_array_header_t *ciphers)
{
    return ciphers && ciphers->nelts ? ciphers->nelts : 1;
}

static SSL_CTX *make_nth_server(const apr_array_header_t *ciphers, int i)
{
    return make_server(ciphers && ciphers->nelts
                       ? APR_ARRAY_IDX(ciphers, i, const char *) : NULL);
}

/* Load the pair as each of the servers with these ciphers would. */
static apr_status_t load_in_servers(const pair_t *pair, const char *what,
                                    const apr_array_header_t *ciphers,
                                    acme_result_t *res)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < count_servers(ciphers); i++) {
        SSL_CTX *ctx = make_nth_server(ciphers, i);

        rv = load_in_server(pair, what, ctx, res);
        SSL_CTX_free(ctx);
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

struct acme_pair_servers_t {
    int count;
    SSL_CTX *ctx[];             /* NULL: OpenSSL failed */
};

static apr_status_t free_servers(void *data)
{
    acme_pair_servers_t *servers = data;
    int i;

    for (i = 0; i < servers->count; i++) {
        SSL_CTX_free(servers->ctx[i]);
    }
    return APR_SUCCESS;
}

acme_pair_servers_t *acme_pair_servers(const apr_array_header_t *ciphers,
                                       apr_pool_t *p)
{
    const int count = count_servers(ciphers);
    acme_pair_servers_t *servers = apr_pcalloc(
        p, sizeof(*servers) + (apr_size_t)count * sizeof(SSL_CTX *));

    while (servers->count < count) {
        servers->ctx[servers->count] = make_nth_server(ciphers,
                                                       servers->count);
        servers->count++;
    }
    ERR_clear_error();
    apr_pool_cleanup_register(p, servers, free_servers, apr_pool_cleanup_null);
    return servers;
}

/* With a reference of its own to each. */
static int take_chain(pair_t *pair, const acme_chain_t *chain)
{
    X509 *x509;
    int i;

    pair->leaf = acme_chain_x509(chain, 0);
    X509_up_ref(pair->leaf);
    pair->rest = sk_X509_new_null();
    for (i = 1; pair->rest && (x509 = acme_chain_x509(chain, i)); i++) {
        X509_up_ref(x509);
        if (!sk_X509_push(pair->rest, x509)) {
            X509_free(x509);
            return 0;
        }
    }
    return pair->rest != NULL;
}

apr_status_t acme_pair_check_chain(const acme_chain_t *chain,
                                   const char *cert_path, const char *key_path,
                                   const acme_pair_servers_t *servers,
                                   acme_result_t *res)
{
    pair_t pair = { 0 };
    apr_status_t rv;
    BIO *bio;
    int i;

    rv = acme_openssl_file(&bio, key_path, res);
    if (rv == APR_SUCCESS && !take_chain(&pair, chain)) {
        rv = acme_fail(res, APR_ENOMEM, "%s: no memory", cert_path);
    }
    if (rv == APR_SUCCESS) {
        rv = read_key(&pair, bio, key_path, cert_path, res);
    }
    for (i = 0; rv == APR_SUCCESS && i < servers->count; i++) {
        rv = load_in_server(&pair, cert_path, servers->ctx[i], res);
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
