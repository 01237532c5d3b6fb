/*
 * acme_sni.c - the certificate that a visitor's name needs.
 *
 * What a handshake may need is loaded in the parent, once a load: no file is
 * read and nothing is locked or allocated by us later.
 */
#include <stdint.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "acme_name.h"
#include "acme_sni.h"

APLOG_USE_MODULE(acme);

static apr_hash_t *by_name;     /* name: index + 1 of its certificate */

static int index_of(const char *name)
{
    return (int)(intptr_t)apr_hash_get(by_name, name, APR_HASH_KEY_STRING)
        - 1;
}

int acme_sni_find(const char *host)
{
    char name[ACME_NAME_MAX + 1];
    const apr_size_t len = strlen(host);
    char *dot;
    apr_size_t i;
    int index;

    if (len >= sizeof(name)) {
        return -1;
    }
    for (i = 0; i <= len; i++) {
        name[i] = (char)apr_tolower(host[i]);
    }
    index = index_of(name);
    dot = strchr(name, '.');
    if (index < 0 && dot && dot > name) {
        *--dot = '*';           /* the one label that a wildcard stands for */
        index = index_of(dot);
    }
    return index;
}

int acme_sni_of_server(const acme_server_conf_t *server, const char *host)
{
    const int index = host ? acme_sni_find(host) : -1;
    int i;

    for (i = 0; i < server->certs->nelts; i++) {
        if (APR_ARRAY_IDX(server->certs, i, int) == index) {
            return index;
        }
    }
    return APR_ARRAY_IDX(server->certs, 0, int);
}

static void index_names(const acme_conf_t *conf, apr_pool_t *p)
{
    int i, k;

    by_name = apr_hash_make(p);
    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_cert_conf_t *cert = acme_conf_cert(conf, (apr_uint32_t)i);

        for (k = 0; k < cert->names->nelts; k++) {
            apr_hash_set(by_name, APR_ARRAY_IDX(cert->names, k, const char *),
                         APR_HASH_KEY_STRING, (void *)(intptr_t)(i + 1));
        }
    }
}

#ifdef ACME_HAVE_ALPN

#include <mod_ssl_openssl.h>

#include "acme_activation.h"
#include "acme_chain.h"
#include "acme_key.h"
#include "acme_openssl.h"

#define PROTOCOL "acme-tls/1"   /* 8737, 3 */

/* Of what is in it, all is the pool's of this load. */
typedef struct {
    X509 *leaf;
    STACK_OF(X509) *rest;
    EVP_PKEY *key;
} pair_t;

/* One certificate, ready for handshakes. */
typedef struct {
    apr_array_header_t *pairs;  /* pair_t, one of each kind of key */
} credentials_t;

static credentials_t *loaded;   /* by the index of the certificate */
static const acme_conf_t *conf_loaded;

int acme_sni_available(void)
{
    return 1;
}

void acme_sni_prepare(const acme_conf_t *conf, apr_pool_t *p)
{
    index_names(conf, p);
    conf_loaded = conf;
    loaded = apr_pcalloc(p, (apr_size_t)(conf->certs->nelts + 1)
                         * sizeof(*loaded));
}

static apr_status_t free_stack(void *stack)
{
    sk_X509_free(stack);        /* not what is in it */
    return APR_SUCCESS;
}

static apr_status_t load_pair(pair_t *pair, const char *cert_path,
                              const char *key_path, acme_result_t *res,
                              apr_pool_t *p)
{
    acme_chain_t *chain;
    acme_key_t *key;
    apr_status_t rv;
    int i;

    rv = acme_chain_load(&chain, cert_path, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_key_load(&key, key_path, res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    pair->leaf = acme_chain_x509(chain, 0);
    pair->key = acme_key_evp(key);
    pair->rest = sk_X509_new_null();
    apr_pool_cleanup_register(p, pair->rest, free_stack,
                              apr_pool_cleanup_null);
    for (i = 1; acme_chain_x509(chain, i); i++) {
        if (!sk_X509_push(pair->rest, acme_chain_x509(chain, i))) {
            return acme_fail(res, APR_ENOMEM, "%s: no memory", cert_path);
        }
    }
    return APR_SUCCESS;
}

static int use_pair(SSL *ssl, const pair_t *pair)
{
    return SSL_use_cert_and_key(ssl, pair->leaf, pair->key, pair->rest, 1);
}

/* OpenSSL refuses keys that are too small for the server's security level. */
static apr_status_t try_credentials(const pair_t *pair, SSL_CTX *ctx,
                                    const char *path, acme_result_t *res)
{
    SSL *ssl = SSL_new(ctx);
    const int ok = ssl && use_pair(ssl, pair) == 1;

    SSL_free(ssl);
    return ok ? APR_SUCCESS
        : acme_fail_never(res, APR_EINVAL,
                          "%s: OpenSSL does not accept it: %s", path,
                          acme_openssl_reason());
}

static apr_status_t load_pairs(credentials_t *credentials, int index,
                               SSL_CTX *ctx, acme_result_t *res,
                               apr_pool_t *p)
{
    const acme_activation_files_t *files = acme_activation_files(index);
    apr_status_t rv = APR_SUCCESS;
    int i;

    credentials->pairs = apr_array_make(p, 2, sizeof(pair_t));
    for (i = 0; rv == APR_SUCCESS && i < files->certs->nelts; i++) {
        const char *path = APR_ARRAY_IDX(files->certs, i, const char *);
        pair_t pair;

        rv = load_pair(&pair, path, APR_ARRAY_IDX(files->keys, i,
                                                  const char *), res, p);
        if (rv == APR_SUCCESS) {
            rv = try_credentials(&pair, ctx, path, res);
        }
        if (rv == APR_SUCCESS) {
            APR_ARRAY_PUSH(credentials->pairs, pair_t) = pair;
        }
    }
    if (rv != APR_SUCCESS) {
        apr_array_clear(credentials->pairs);    /* mod_ssl's own it is */
    }
    return rv;
}

/* Other virtual hosts may have needed it before. */
static void load(int index, server_rec *s, SSL_CTX *ctx, apr_pool_t *p)
{
    credentials_t *credentials = &loaded[index];
    acme_result_t res;

    if (!credentials->pairs
        && load_pairs(credentials, index, ctx, &res, p)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "acme: %s: not served: %s",
                     acme_conf_cert(conf_loaded, (apr_uint32_t)index)->id,
                     res.detail);
    }
}

/*
 * TLS 1.3 has chosen a protocol by now, and with it mod_ssl the certificate
 * that a validator asks for. TLS 1.2 does it later, and replaces ours.
 */
static int is_challenge(const SSL *ssl)
{
    const unsigned char *protocol;
    unsigned int len;

    SSL_get0_alpn_selected(ssl, &protocol, &len);
    return len == sizeof(PROTOCOL) - 1 && !memcmp(protocol, PROTOCOL, len);
}

/* In each full handshake of a virtual host with several; 0 would end it. */
static int choose(SSL *ssl, void *data)
{
    const acme_server_conf_t *server = data;
    const int index = acme_sni_of_server(
        server, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    const apr_array_header_t *pairs = loaded[index].pairs;
    int i, ok = 1;

    if (index == APR_ARRAY_IDX(server->certs, 0, int) || !pairs->nelts
        || is_challenge(ssl)) {
        return 1;
    }
    SSL_certs_clear(ssl);       /* also of a kind of key that we have not */
    for (i = 0; ok == 1 && i < pairs->nelts; i++) {
        ok = use_pair(ssl, &APR_ARRAY_IDX(pairs, i, pair_t));
    }
    return ok == 1;
}

static int init_server(server_rec *s, apr_pool_t *p, int is_proxy,
                       SSL_CTX *ctx)
{
    acme_server_conf_t *server = acme_server_conf(s);
    int i;

    if (is_proxy || !server->given) {
        return DECLINED;
    }
    server->is_without_tls13 = SSL_CTX_get_max_proto_version(ctx)
        && SSL_CTX_get_max_proto_version(ctx) < TLS1_3_VERSION;
    if (server->certs->nelts < 2) {
        return DECLINED;
    }
    for (i = 1; i < server->certs->nelts; i++) {
        load(APR_ARRAY_IDX(server->certs, i, int), s, ctx, p);
    }
    SSL_CTX_set_cert_cb(ctx, choose, server);
    return OK;
}

void acme_sni_hooks(apr_pool_t *p)
{
    (void)p;
    APR_OPTIONAL_HOOK(ssl, init_server, init_server, NULL, NULL,
                      APR_HOOK_MIDDLE);
}

#else

int acme_sni_available(void)
{
    return 0;
}

void acme_sni_prepare(const acme_conf_t *conf, apr_pool_t *p)
{
    index_names(conf, p);
}

void acme_sni_hooks(apr_pool_t *p)
{
    (void)p;
}

#endif
