/*
 * acme_cert_callback.c - the certificate of a handshake.
 *
 * What mod_ssl did not load of a virtual host with several is loaded in the
 * parent, once a load: no file is read later.
 */
#include "acme_cert_callback.h"

#ifdef ACME_HAVE_CERT_CALLBACK

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <mod_ssl_openssl.h>

#include <openssl/err.h>

#include "acme_activation.h"
#include "acme_chain.h"
#include "acme_key.h"
#include "acme_live.h"
#include "acme_openssl.h"
#include "acme_sni.h"

APLOG_USE_MODULE(acme);

#define PROTOCOL "acme-tls/1"   /* 8737, 3 */

/* Major version of OpenSSL's, in its number. */
#define MAJOR(number) ((number) >> 28)

/* One certificate, ready for handshakes. */
typedef struct {
    apr_array_header_t *pairs;  /* acme_live_credentials_t, one of each kind of
                                   key; of what is in it, all is the pool's of
                                   this load */
} credentials_t;

/* What this virtual host's SSL_CTX says of a generation, as each has a
   security level of its own. 0: of none. In each process. */
typedef struct {
    _Atomic apr_uint32_t accepted;
    _Atomic apr_uint32_t refused;
    const acme_live_cert_t *_Atomic last;   /* that it accepted, kept for what
                                               it refuses; NULL: none. Changed
                                               with the lock */
} verdict_t;

/* The callback's argument: a virtual host. */
typedef struct acme_cert_vhost_t {
    server_rec *s;
    const char *file;           /* where it starts */
    const acme_server_found_t *server;
    verdict_t verdicts[];       /* of each of server->certs */
} vhost_t;

static credentials_t *loaded;   /* by the index of the certificate */
static const acme_conf_t *conf_loaded;
static const char *last_file;

const char *acme_cert_callback_obstacle(void)
{
    return MAJOR(OpenSSL_version_num()) == MAJOR(OPENSSL_VERSION_NUMBER) ? NULL
        : "mod_acme was built with another major version of OpenSSL than httpd runs with; build it again";
}

void acme_cert_callback_prepare(const acme_conf_t *conf, apr_pool_t *p)
{
    conf_loaded = conf;
    last_file = NULL;           /* it was the load's before */
    loaded = apr_pcalloc(p, (apr_size_t)(conf->certs->nelts + 1)
                         * sizeof(*loaded));
}

static apr_status_t free_stack(void *stack)
{
    sk_X509_free(stack);        /* not what is in it */
    return APR_SUCCESS;
}

static apr_status_t load_pair(acme_live_credentials_t *pair,
                              const char *cert_path, const char *key_path,
                              acme_result_t *res, apr_pool_t *p)
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

/* In the place of all that the connection has, also of a kind of key that these
   have not. */
static int use_pairs(SSL *ssl, const acme_live_credentials_t *pairs, int n)
{
    int i, ok = 1;

    SSL_certs_clear(ssl);
    for (i = 0; ok == 1 && i < n; i++) {
        ok = SSL_use_cert_and_key(ssl, pairs[i].leaf, pairs[i].key,
                                  pairs[i].rest, 1);
    }
    return ok == 1;
}

/* OpenSSL refuses keys that are too small for the server's security level. */
static int is_accepted(SSL_CTX *ctx, const acme_live_credentials_t *pairs,
                       int n)
{
    SSL *ssl = SSL_new(ctx);
    const int ok = ssl && use_pairs(ssl, pairs, n);

    SSL_free(ssl);
    return ok;
}

static apr_status_t try_pair(const acme_live_credentials_t *pair, SSL_CTX *ctx,
                             const char *path, acme_result_t *res)
{
    return is_accepted(ctx, pair, 1) ? APR_SUCCESS
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

    credentials->pairs = apr_array_make(p, 2,
                                        sizeof(acme_live_credentials_t));
    for (i = 0; rv == APR_SUCCESS && i < files->certs->nelts; i++) {
        const char *path = APR_ARRAY_IDX(files->certs, i, const char *);
        acme_live_credentials_t pair;

        rv = load_pair(&pair, path, APR_ARRAY_IDX(files->keys, i,
                                                  const char *), res, p);
        if (rv == APR_SUCCESS) {
            rv = try_pair(&pair, ctx, path, res);
        }
        if (rv == APR_SUCCESS) {
            APR_ARRAY_PUSH(credentials->pairs, acme_live_credentials_t) = pair;
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

/* For a comparison and a counter. It belongs to no pool: threads may come as
   late as under exit(). */
static atomic_flag is_locked = ATOMIC_FLAG_INIT;

static void lock_last(void)
{
    while (atomic_flag_test_and_set(&is_locked)) {
        sched_yield();
    }
}

static void unlock_last(void)
{
    atomic_flag_clear(&is_locked);
}

static int is_newer(const acme_live_cert_t *live,
                    const acme_live_cert_t *last)
{
    return !last || (apr_int32_t)(live->generation - last->generation) > 0;
}

/* live NULL: nothing is published any more. A process that ends frees none. */
static void keep_last(verdict_t *verdict, const acme_live_cert_t *live)
{
    const acme_live_cert_t *former = NULL;

    if (!live && !verdict->last) {
        return;
    }
    lock_last();
    if (!live || is_newer(live, verdict->last)) {
        former = verdict->last;
        verdict->last = live ? acme_live_cache_share(live) : NULL;
    }
    unlock_last();
    acme_live_cache_release(former);
}

/* The caller's, who releases it; NULL: none. */
static const acme_live_cert_t *take_last(const verdict_t *verdict)
{
    const acme_live_cert_t *last = NULL;

    if (verdict->last) {
        lock_last();
        last = verdict->last ? acme_live_cache_share(verdict->last) : NULL;
        unlock_last();
    }
    return last;
}

/* Once more where the threads of a process ask at once. */
static int has_accepted(vhost_t *vhost, int nth, const acme_live_cert_t *live,
                        SSL_CTX *ctx)
{
    verdict_t *verdict = &vhost->verdicts[nth];
    const acme_cert_conf_t *cert;
    const char *why;

    if (verdict->accepted == live->generation) {
        return 1;
    }
    if (verdict->refused == live->generation) {
        return 0;
    }
    if (is_accepted(ctx, live->pairs, live->kinds)) {
        keep_last(verdict, live);
        verdict->accepted = live->generation;
        return 1;
    }
    why = acme_openssl_reason();        /* and mod_ssl finds none in the queue */
    acme_live_cache_refuse(live);
    if (atomic_exchange(&verdict->refused, live->generation)
        != live->generation) {
        cert = acme_conf_cert(conf_loaded, (apr_uint32_t)APR_ARRAY_IDX(
            vhost->server->certs, nth, int));
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, vhost->s,
                     "acme: %s: OpenSSL does not accept the certificate that was activated live for the virtual host at %s:%u, which goes on with the one that it has: %s",
                     cert->id, vhost->file,
                     vhost->s->defn_line_number, why);
    }
    return 0;
}

static int nth_of(const acme_server_found_t *server, int index)
{
    int i = server->certs->nelts - 1;

    while (i > 0 && APR_ARRAY_IDX(server->certs, i, int) != index) {
        i--;
    }
    return i;
}

/* What is published, as far as this virtual host accepts it: else the last one
   that it did. The caller releases it; NULL: what httpd loaded. */
static const acme_live_cert_t *take_accepted(vhost_t *vhost, int index,
                                             int nth, SSL_CTX *ctx)
{
    const acme_live_cert_t *live = acme_live_take(index);

    if (!live) {
        keep_last(&vhost->verdicts[nth], NULL);
    }
    else if (!has_accepted(vhost, nth, live, ctx)) {
        acme_live_cache_release(live);
        live = take_last(&vhost->verdicts[nth]);
    }
    return live;
}

/* What mod_ssl has, of each kind of key: of a connection it was cleared already,
   and a new one has a copy. The reason is in the queue, where mod_ssl would take
   it for its own. */
static void use_configured(SSL *ssl, SSL_CTX *ctx)
{
    SSL *fresh = SSL_new(ctx);
    long which = SSL_CERT_SET_FIRST;

    ERR_clear_error();
    SSL_certs_clear(ssl);
    while (fresh && SSL_set_current_cert(fresh, which)) {
        STACK_OF(X509) *rest = NULL;

        SSL_get0_chain_certs(fresh, &rest);
        SSL_use_cert_and_key(ssl, SSL_get_certificate(fresh),
                             SSL_get_privatekey(fresh), rest, 1);
        which = SSL_CERT_SET_NEXT;
    }
    SSL_free(fresh);
    ERR_clear_error();
}

/* 0: the connection has nothing, or not all, of what it should have. */
static int use_loaded(SSL *ssl, int index, int nth)
{
    const apr_array_header_t *pairs = nth > 0 ? loaded[index].pairs : NULL;

    return !pairs || !pairs->nelts
        || use_pairs(ssl, (const acme_live_credentials_t *)pairs->elts,
                     pairs->nelts);
}

/*
 * In each full handshake of a virtual host with a callback. 0 would end it.
 * Clients take it ill when the certificate changes in a renegotiation, so a
 * connection is asked about once.
 */
static int choose(SSL *ssl, void *data)
{
    vhost_t *vhost = data;
    SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);
    const acme_live_cert_t *live;
    int index, nth, ok;

    if (is_challenge(ssl)) {
        return 1;
    }
    index = acme_sni_of_server(
        vhost->server, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    nth = nth_of(vhost->server, index);
    live = take_accepted(vhost, index, nth, ctx);
    ok = live ? use_pairs(ssl, live->pairs, live->kinds)
              : use_loaded(ssl, index, nth);
    if (!ok) {
        use_configured(ssl, ctx);
    }
    if (!ok && live && !use_loaded(ssl, index, nth)) {
        use_configured(ssl, ctx);
    }
    acme_live_cache_release(live);
    SSL_set_cert_cb(ssl, NULL, NULL);
    return 1;
}

int acme_cert_callback_is_live(const acme_server_found_t *server, int cert)
{
    const acme_live_cert_t *live = server->handshakes ? acme_live_take(cert)
                                                      : NULL;
    const verdict_t *verdict = live
        ? &server->handshakes->verdicts[nth_of(server, cert)] : NULL;
    const int is = live
        && (verdict->refused != live->generation || verdict->last);

    acme_live_cache_release(live);
    return is;
}

/* mod_ssl has set its callback for OCSP responses by now, if SSLUseStapling is
   on: its configuration is private. */
static void note_stapling(const acme_server_found_t *server, SSL_CTX *ctx)
{
    int (*staple)(SSL *, void *) = NULL;
    int i;

    SSL_CTX_get_tlsext_status_cb(ctx, &staple);
    for (i = 0; staple && i < server->certs->nelts; i++) {
        APR_ARRAY_IDX(conf_loaded->certs, APR_ARRAY_IDX(server->certs, i, int),
                      acme_cert_conf_t).is_stapled = 1;
    }
}

static int init_server(server_rec *s, apr_pool_t *p, int is_proxy,
                       SSL_CTX *ctx)
{
    acme_server_found_t *server = acme_server_conf_found(s);
    vhost_t *vhost;
    int i;

    if (is_proxy || !server->given) {
        return DECLINED;
    }
    server->is_without_tls13 = SSL_CTX_get_max_proto_version(ctx)
        && SSL_CTX_get_max_proto_version(ctx) < TLS1_3_VERSION;
    if (acme_cert_callback_obstacle()
        || (server->certs->nelts < 2 && !acme_live_is_wanted())) {
        return DECLINED;
    }
    for (i = 1; i < server->certs->nelts; i++) {
        load(APR_ARRAY_IDX(server->certs, i, int), s, ctx, p);
    }
    vhost = apr_pcalloc(p, sizeof(*vhost) + (apr_size_t)server->certs->nelts
                           * sizeof(verdict_t));
    note_stapling(server, ctx);
    vhost->s = s;
    vhost->file = last_file = acme_server_conf_file(s, last_file, p);
    vhost->server = server;
    SSL_CTX_set_cert_cb(ctx, choose, vhost);
    server->handshakes = vhost;
    return OK;
}

void acme_cert_callback_hooks(apr_pool_t *p)
{
    (void)p;
    APR_OPTIONAL_HOOK(ssl, init_server, init_server, NULL, NULL,
                      APR_HOOK_MIDDLE);
}

#else

const char *acme_cert_callback_obstacle(void)
{
    return "mod_acme was built without mod_ssl's header mod_ssl_openssl.h, or with a TLS library that has no certificate callback; build it with them";
}

void acme_cert_callback_prepare(const acme_conf_t *conf, apr_pool_t *p)
{
    (void)conf;
    (void)p;
}

int acme_cert_callback_is_live(const acme_server_found_t *server, int cert)
{
    (void)server;
    (void)cert;
    return 0;
}

void acme_cert_callback_hooks(apr_pool_t *p)
{
    (void)p;
}

#endif
