/*
 * acme_tls_alpn01.c - tls-alpn-01 answered in the handshake.
 *
 * All of it happens in mod_ssl's ALPN callback: it asks who proposes a
 * protocol, tells who proposed it that the connection has been switched, and
 * asks that one for a certificate. A visitor's connection costs us a few
 * octets of its pool.
 */
#include <string.h>

#include <httpd.h>

#include "acme_tls_alpn01.h"

#ifdef ACME_HAVE_ALPN

#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_ssl.h>
#include <mod_ssl_openssl.h>

#include "acme_alpn_cert.h"
#include "acme_counters.h"
#include "acme_server_conf.h"

APLOG_USE_MODULE(acme);

#define PROTOCOL "acme-tls/1"           /* 8737, 3 */

typedef struct {
    const char *sni;
    unsigned char digest[ACME_ALPN_DIGEST_OCTETS];
    int switched;
} challenge_t;

/* Of each TLS connection of a client. */
typedef struct {
    SSL *ssl;
    challenge_t *challenge;             /* NULL: a visitor's */
} alpn_conn_t;

static int protocol_wanted;
static acme_board_t *board;
static ap_filter_rec_t *end_filter;

/*
 * Keys of this process, each made when it is first needed. An RSA key takes a
 * while: only TLS 1.2 with a vhost that has no other asks for one.
 */
static struct {
    apr_thread_mutex_t *mutex;
    apr_pool_t *pool;
    acme_key_t *p256;
    acme_key_t *rsa;
} keys;

/* The list that was replaced last, and what replaced it. */
static struct {
    const apr_array_header_t *before;
    apr_array_header_t *after;
} protocols;

int acme_tls_alpn01_available(void)
{
    return 1;
}

void acme_tls_alpn01_prepare(const acme_conf_t *conf)
{
    protocol_wanted = conf->certs->nelts > 0;
    protocols.before = NULL;
}

void acme_tls_alpn01_init(acme_board_t *the_board)
{
    board = the_board;
}

/* Threads may come as late as under exit(): never freed. */
void acme_tls_alpn01_child_init(void)
{
    if (board
        && (apr_pool_create_unmanaged_ex(&keys.pool, NULL, NULL)
            || apr_thread_mutex_create(&keys.mutex, APR_THREAD_MUTEX_DEFAULT,
                                       keys.pool))) {
        board = NULL;
    }
}

/*
 * A list may be shared with other servers, so it is replaced; those that had
 * one list still do. Without a list httpd speaks HTTP/1.1 alone; that must be
 * in it as soon as there is one.
 */
static void add_protocol(server_rec *s, apr_pool_t *p)
{
    core_server_config *core = ap_get_core_module_config(s->module_config);

    if (ap_array_str_contains(core->protocols, PROTOCOL)) {
        return;
    }
    if (core->protocols != protocols.before) {
        protocols.before = core->protocols;
        protocols.after = apr_array_copy(p, core->protocols);
        if (!protocols.after->nelts) {
            APR_ARRAY_PUSH(protocols.after, const char *) = AP_PROTOCOL_HTTP1;
        }
        APR_ARRAY_PUSH(protocols.after, const char *) = PROTOCOL;
    }
    core->protocols = protocols.after;
}

/* mod_ssl has set this server up: the one list of those that speak TLS. */
static int init_server(server_rec *s, apr_pool_t *p, int is_proxy,
                       SSL_CTX *ctx)
{
    (void)ctx;
    if (protocol_wanted && !is_proxy) {
        add_protocol(s, p);
    }
    return OK;
}

static int pre_handshake(conn_rec *c, SSL *ssl, int is_proxy)
{
    alpn_conn_t *conn;

    if (!board || is_proxy) {
        return DECLINED;
    }
    conn = apr_palloc(c->pool, sizeof(*conn));
    conn->ssl = ssl;
    conn->challenge = NULL;
    ap_set_module_config(c->conn_config, &acme_module, conn);
    return OK;
}

static alpn_conn_t *conn_of(const conn_rec *c)
{
    return ap_get_module_config(c->conn_config, &acme_module);
}

/* The challenge of a connection that mod_ssl has switched for us, or NULL. */
static challenge_t *switched_of(const conn_rec *c)
{
    alpn_conn_t *conn = conn_of(c);

    return conn && conn->challenge && conn->challenge->switched
        ? conn->challenge : NULL;
}

/* A validator offers this one protocol. (8737, 3) */
static int is_protocol_offered(const apr_array_header_t *offers)
{
    return offers && offers->nelts == 1
        && !strcmp(APR_ARRAY_IDX(offers, 0, const char *), PROTOCOL);
}

static challenge_t *find_challenge(const SSL *ssl, apr_pool_t *p)
{
    const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    challenge_t *challenge;

    if (!asked) {
        return NULL;
    }
    challenge = apr_pcalloc(p, sizeof(*challenge));
    challenge->sni = acme_alpn_cert_sni(asked, p);
    return acme_board_find_alpn(board, challenge->sni, challenge->digest)
        ? challenge : NULL;
}

/* Twice for one connection if the client is asked to say hello again. */
static int propose(conn_rec *c, request_rec *r, server_rec *s,
                   const apr_array_header_t *offers,
                   apr_array_header_t *proposals)
{
    alpn_conn_t *conn = conn_of(c);

    (void)s;
    if (!conn || r || !is_protocol_offered(offers)) {
        return DECLINED;
    }
    if (!conn->challenge) {
        conn->challenge = find_challenge(conn->ssl, c->pool);
    }
    if (!conn->challenge) {
        acme_counters_challenge(ACME_TLS_ALPN_01, ACME_SEEN_UNKNOWN);
        return DECLINED;
    }
    APR_ARRAY_PUSH(proposals, const char *) = PROTOCOL;
    return OK;
}

static apr_status_t free_ssl(void *ssl)
{
    SSL_free(ssl);
    return APR_SUCCESS;
}

/*
 * Below mod_ssl. What it reads after the handshake would be a request, and
 * there must be none: the connection has ended. (8737, 3)
 */
static apr_status_t end_after_handshake(ap_filter_t *f,
                                        apr_bucket_brigade *bb,
                                        ap_input_mode_t mode,
                                        apr_read_type_e block,
                                        apr_off_t readbytes)
{
    const SSL *ssl = f->ctx;

    if (SSL_is_init_finished(ssl)) {
        return APR_EOF;
    }
    return ap_get_brigade(f->next, bb, mode, block, readbytes);
}

/*
 * Clients are not verified here, so this session must not be resumed where
 * they are: it is one of another context.
 */
static void set_session_apart(SSL *ssl)
{
    SSL_SESSION *session = SSL_get_session(ssl);

    if (session) {
        SSL_SESSION_set1_id_context(session, (const unsigned char *)PROTOCOL,
                                    sizeof(PROTOCOL) - 1);
    }
}

static int switch_protocol(conn_rec *c, request_rec *r, server_rec *s,
                           const char *protocol)
{
    alpn_conn_t *conn = conn_of(c);

    (void)r;
    (void)s;
    if (!conn || !conn->challenge || strcmp(protocol, PROTOCOL)) {
        return DECLINED;
    }
    conn->challenge->switched = 1;
    c->keepalive = AP_CONN_CLOSE;
    set_session_apart(conn->ssl);
    /* mod_ssl frees it when it gives the connection up; the filter stays. */
    SSL_up_ref(conn->ssl);
    apr_pool_cleanup_register(c->pool, conn->ssl, free_ssl,
                              apr_pool_cleanup_null);
    ap_add_input_filter_handle(end_filter, conn->ssl, NULL, c);
    return OK;
}

static const char *get_protocol(const conn_rec *c)
{
    return switched_of(c) ? PROTOCOL : NULL;
}

/*
 * TLS 1.3 has not chosen a certificate yet. TLS 1.2 has, together with the
 * way it signs: ours must have a key of the same type.
 */
static apr_status_t choose_type(acme_key_type_e *ptype, const SSL *ssl,
                                acme_result_t *res)
{
    EVP_PKEY *chosen = SSL_get_privatekey(ssl);
    const int id = chosen ? EVP_PKEY_base_id(chosen) : EVP_PKEY_NONE;

    *ptype = ACME_KEY_P256;
    if (SSL_version(ssl) >= TLS1_3_VERSION || id == EVP_PKEY_EC) {
        return APR_SUCCESS;
    }
    *ptype = ACME_KEY_RSA2048;
    return id == EVP_PKEY_RSA ? APR_SUCCESS
        : acme_fail_never(res, APR_ENOTIMPL,
                          "TLS 1.2 requires a virtual host with an EC or RSA key");
}

static apr_status_t find_challenge_key(acme_key_t **pkey, acme_key_type_e type,
                                       acme_result_t *res)
{
    acme_key_t **made = type == ACME_KEY_P256 ? &keys.p256 : &keys.rsa;
    apr_status_t rv = APR_SUCCESS;

    apr_thread_mutex_lock(keys.mutex);
    if (!*made) {
        rv = acme_key_generate(made, type, res, keys.pool);
    }
    *pkey = *made;
    apr_thread_mutex_unlock(keys.mutex);
    return rv;
}

static apr_status_t make_answer(const char **pcert_pem, const char **pkey_pem,
                                const SSL *ssl, const challenge_t *challenge,
                                acme_result_t *res, apr_pool_t *p)
{
    acme_alpn_cert_t from = { .sni = challenge->sni,
                              .digest = challenge->digest,
                              .now = apr_time_now() };
    acme_key_type_e type;
    acme_key_t *key;
    apr_status_t rv;

    rv = choose_type(&type, ssl, res);
    if (rv == APR_SUCCESS) {
        rv = find_challenge_key(&key, type, res);
    }
    if (rv == APR_SUCCESS) {
        from.key = key;
        rv = acme_alpn_cert_make(pcert_pem, &from, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_key_pem(pkey_pem, key, res, p);
    }
    return rv;
}

/*
 * mod_ssl puts our certificate beside the vhost's, of which it may have more
 * than one, so those go first.
 */
static int answer_challenge(conn_rec *c, const char *server_name,
                            const char **pcert_pem, const char **pkey_pem)
{
    const challenge_t *challenge = switched_of(c);
    acme_result_t res;
    SSL *ssl;

    (void)server_name;
    if (!challenge) {
        return DECLINED;
    }
    ssl = conn_of(c)->ssl;
    if (make_answer(pcert_pem, pkey_pem, ssl, challenge, &res, c->pool)) {
        ap_log_cerror(APLOG_MARK, APLOG_ERR, 0, c,
                      "acme: %s: cannot answer tls-alpn-01: %s",
                      challenge->sni, res.detail);
        acme_counters_challenge(ACME_TLS_ALPN_01, ACME_SEEN_FAILED);
        *pcert_pem = *pkey_pem = NULL;
        return DECLINED;
    }
    SSL_certs_clear(ssl);
    acme_board_count_alpn(board, challenge->sni);
    acme_counters_challenge(ACME_TLS_ALPN_01, ACME_SEEN_ANSWERED);
    ap_log_cerror(APLOG_MARK, APLOG_DEBUG, 0, c,
                  "acme: answered tls-alpn-01 for %s", challenge->sni);
    return OK;
}

/* Before other clients' hooks: on the board are only names of ours. */
void acme_tls_alpn01_hooks(apr_pool_t *p)
{
    (void)p;
    end_filter = ap_register_input_filter("ACME_ALPN_END",
                                          end_after_handshake, NULL,
                                          AP_FTYPE_NETWORK - 1);
    APR_OPTIONAL_HOOK(ssl, init_server, init_server, NULL, NULL,
                      APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ssl, pre_handshake, pre_handshake, NULL, NULL,
                      APR_HOOK_MIDDLE);
    ap_hook_protocol_propose(propose, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_protocol_switch(switch_protocol, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_protocol_get(get_protocol, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_ssl_answer_challenge(answer_challenge, NULL, NULL, APR_HOOK_FIRST);
}

#else

int acme_tls_alpn01_available(void)
{
    return 0;
}

void acme_tls_alpn01_prepare(const acme_conf_t *conf)
{
    (void)conf;
}

void acme_tls_alpn01_init(acme_board_t *board)
{
    (void)board;
}

void acme_tls_alpn01_child_init(void)
{
}

void acme_tls_alpn01_hooks(apr_pool_t *p)
{
    (void)p;
}

#endif
