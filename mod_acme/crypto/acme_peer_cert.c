/*
 * acme_peer_cert.c - the certificate that a TLS server shows to a visitor.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "acme_no_x509.h"
#include "acme_openssl.h"
#include "acme_peer_cert.h"
#include "acme_self_signed.h"

#define SERIAL_MAX 40           /* hex digits: 20 octets (5280, 4.1.2.2) */

/* For the server to close: what it still sends would else be answered with a
   reset, which it would log. */
#define LEAVE_MAX apr_time_from_msec(300)
#define LEAVE_OCTETS_MAX (64 * 1024)

/* Both as OpenSSL names them: up to TLS 1.2 the cipher has the kind of key,
   from 1.2 on the signature. */
static const struct {
    const char *ciphers;
    const char *signatures;     /* NULL: OpenSSL's own */
} accepted[] = {
    [ACME_PEER_ANY_KEY] = { "ALL:!aNULL:@SECLEVEL=0", NULL },
    [ACME_PEER_EC_KEY] = { "aECDSA:@SECLEVEL=0",
                           "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512" },
    [ACME_PEER_RSA_KEY] = { "aRSA:@SECLEVEL=0",
                            "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512" }
};

/* A connection on its way. */
typedef struct {
    const acme_peer_t *peer;
    apr_time_t end;
    int fd;
    acme_result_t *res;
} visit_t;

static apr_status_t no_answer(const visit_t *visit)
{
    return acme_fail(visit->res, APR_TIMEUP, "no answer within %d s",
                     (int)apr_time_sec(visit->peer->timeout));
}

/* Wait for these events of the socket. */
static apr_status_t wait_for(const visit_t *visit, short events)
{
    struct pollfd fds[] = {
        { .fd = visit->fd, .events = events },
        { .fd = acme_stop_fd(visit->peer->stop), .events = POLLIN }
    };
    const apr_interval_time_t left = visit->end - apr_time_now();
    int n;

    if (acme_stop_is(visit->peer->stop)) {
        return acme_fail(visit->res, APR_EINTR, "stopped");
    }
    if (left <= 0) {
        return no_answer(visit);
    }
    n = poll(fds, 2, (int)apr_time_as_msec(left) + 1);
    if (n == 0) {
        return no_answer(visit);
    }
    if (n < 0 && errno != EINTR) {
        return acme_fail_errno(visit->res, errno, "poll");
    }
    return fds[1].revents && n > 0
        ? acme_fail(visit->res, APR_EINTR, "stopped") : APR_SUCCESS;
}

/* The socket's address; 0: it is no IP address. */
static socklen_t make_address(struct sockaddr_storage *address,
                              const acme_peer_t *peer)
{
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;

    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, peer->address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((unsigned short)peer->port);
        return sizeof(*four);
    }
    if (inet_pton(AF_INET6, peer->address, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((unsigned short)peer->port);
        return sizeof(*six);
    }
    return 0;
}

static apr_status_t connect_to(visit_t *visit)
{
    struct sockaddr_storage address;
    const socklen_t len = make_address(&address, visit->peer);
    socklen_t error_len = sizeof(int);
    int error = 0;
    apr_status_t rv;

    if (!len) {
        return acme_fail(visit->res, APR_EINVAL, "no IP address");
    }
    visit->fd = socket(address.ss_family, SOCK_STREAM, 0);
    if (visit->fd < 0
        || fcntl(visit->fd, F_SETFD, FD_CLOEXEC) < 0
        || fcntl(visit->fd, F_SETFL, O_NONBLOCK) < 0) {
        return acme_fail(visit->res, errno, "%s", strerror(errno));
    }
    if (!connect(visit->fd, (struct sockaddr *)&address, len)) {
        return APR_SUCCESS;
    }
    if (errno != EINPROGRESS) {
        return acme_fail(visit->res, errno, "%s", strerror(errno));
    }
    rv = wait_for(visit, POLLOUT);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (getsockopt(visit->fd, SOL_SOCKET, SO_ERROR, &error, &error_len)) {
        error = errno;
    }
    return error ? acme_fail(visit->res, error, "%s", strerror(error))
                 : APR_SUCCESS;
}

/* Instead of OpenSSL's verification: the leaf that came is kept. */
static int keep_leaf(X509_STORE_CTX *chain, void *pleaf)
{
    X509 **leaf = pleaf;

    X509_free(*leaf);
    *leaf = X509_STORE_CTX_get0_cert(chain);
    if (*leaf) {
        X509_up_ref(*leaf);
    }
    return 1;
}

/* Old servers are visited, too: an administrator's openssl.cnf says nothing
   about what visitors get. */
static SSL_CTX *make_context(const acme_peer_t *peer, X509 **leaf)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    const char *signatures = accepted[peer->key].signatures;

    if (!ctx) {
        return NULL;
    }
    SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_cert_verify_callback(ctx, keep_leaf, leaf);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    if (!SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION)
        || !SSL_CTX_set_cipher_list(ctx, accepted[peer->key].ciphers)
        || (signatures && !SSL_CTX_set1_sigalgs_list(ctx, signatures))) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

/* Until the handshake is over, well or badly. */
static apr_status_t shake_hands(SSL *ssl, const visit_t *visit)
{
    for (;;) {
        const int n = SSL_connect(ssl);
        const int why = n == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl, n);
        apr_status_t rv;

        if (why == SSL_ERROR_NONE) {
            return APR_SUCCESS;
        }
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
            const unsigned long error = ERR_peek_error();
            const char *reason = error ? ERR_reason_error_string(error)
                                       : NULL;

            return acme_fail(visit->res, APR_EGENERAL,
                             "the TLS handshake failed: %s",
                             reason ? reason : "the connection was closed");
        }
        rv = wait_for(visit, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
}

/* As a visitor who wants nothing more, and waits for the other side. */
static void take_leave(SSL *ssl, visit_t *visit)
{
    acme_result_t ignored;
    char rest[4096];
    int octets = 0;

    visit->res = &ignored;
    visit->end = apr_time_now() + LEAVE_MAX;
    SSL_shutdown(ssl);
    shutdown(visit->fd, SHUT_WR);
    while (octets < LEAVE_OCTETS_MAX && !wait_for(visit, POLLIN)) {
        const ssize_t n = read(visit->fd, rest, sizeof(rest));

        if (n <= 0) {
            return;
        }
        octets += (int)n;
    }
}

/* Cut: a hostile one may be as long as a certificate. */
static const char *serial_of(const X509 *x509, apr_pool_t *p)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    char *text = apr_pstrndup(p, hex ? hex : "", SERIAL_MAX);
    char *at;

    for (at = text; *at; at++) {
        *at = (char)apr_tolower(*at);
    }
    OPENSSL_free(hex);
    BN_free(number);
    return text;
}

static int fill(acme_peer_cert_t *cert, X509 *x509, apr_pool_t *p)
{
    unsigned char *der = NULL;
    const int len = i2d_X509(x509, &der);
    const int is_made = len > 0 && acme_digest_make(cert->digest, der,
                                                    (apr_size_t)len);

    OPENSSL_free(der);
    cert->serial = serial_of(x509, p);
    cert->issuer = acme_cert_info_name_text(X509_get_issuer_name(x509), p);
    cert->is_self_signed = !X509_NAME_cmp(X509_get_issuer_name(x509),
                                          X509_get_subject_name(x509));
    cert->is_placeholder = cert->is_self_signed
        && !strcmp(cert->issuer, ACME_SELF_SIGNED_CN);
    ERR_clear_error();
    return is_made;
}

/* The one protocol, as the extension has it: its length first. (7301, 3.1) */
static int offer_protocol(SSL *ssl, const char *protocol)
{
    unsigned char offer[256];
    const size_t len = protocol ? strlen(protocol) : 0;

    if (!len || len > 255) {
        return 1;
    }
    offer[0] = (unsigned char)len;
    memcpy(offer + 1, protocol, len);
    return !SSL_set_alpn_protos(ssl, offer, (unsigned)len + 1);
}

static int is_protocol_taken(const SSL *ssl, const char *protocol)
{
    const unsigned char *taken;
    unsigned len;

    SSL_get0_alpn_selected(ssl, &taken, &len);
    return protocol && len == strlen(protocol)
        && !memcmp(taken, protocol, len);
}

static apr_status_t ask(X509 **leaf, int *phas_protocol, visit_t *visit)
{
    SSL_CTX *ctx = make_context(visit->peer, leaf);
    SSL *ssl = ctx ? SSL_new(ctx) : NULL;
    const char *name = visit->peer->name;
    apr_status_t rv;

    if (!ssl || (name && !SSL_set_tlsext_host_name(ssl, name))
        || !offer_protocol(ssl, visit->peer->protocol)
        || !SSL_set_fd(ssl, visit->fd)) {
        rv = acme_fail(visit->res, APR_EGENERAL, "%s", acme_openssl_reason());
    }
    else {
        ERR_clear_error();
        rv = shake_hands(ssl, visit);
        if (*leaf && rv != APR_EINTR) {
            rv = APR_SUCCESS;
        }
        if (rv == APR_SUCCESS) {
            *phas_protocol = is_protocol_taken(ssl, visit->peer->protocol);
            take_leave(ssl, visit);
        }
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return rv;
}

apr_status_t acme_peer_cert_fetch(acme_peer_cert_t *cert,
                                  const acme_peer_t *peer, acme_result_t *res,
                                  apr_pool_t *p)
{
    visit_t visit = { .peer = peer, .end = apr_time_now() + peer->timeout,
                      .fd = -1, .res = res };
    X509 *leaf = NULL;
    int has_protocol = 0;
    apr_status_t rv;

    memset(cert, 0, sizeof(*cert));

    rv = acme_no_x509_check(res);
    if (rv == APR_SUCCESS) {
        rv = connect_to(&visit);
    }
    if (rv == APR_SUCCESS) {
        rv = ask(&leaf, &has_protocol, &visit);
    }
    if (rv == APR_SUCCESS && !(leaf && fill(cert, leaf, p))) {
        rv = acme_fail(res, APR_EGENERAL, "no certificate was shown");
    }
    cert->has_protocol = rv == APR_SUCCESS && has_protocol;
    X509_free(leaf);
    if (visit.fd >= 0) {
        close(visit.fd);
    }
    return rv;
}

int acme_peer_cert_of_chain(acme_peer_cert_t *cert, const acme_chain_t *chain,
                            apr_pool_t *p)
{
    memset(cert, 0, sizeof(*cert));
    return fill(cert, acme_chain_x509(chain, 0), p);
}

int acme_peer_cert_is_same(const acme_peer_cert_t *a,
                           const acme_peer_cert_t *b)
{
    return !memcmp(a->digest, b->digest, sizeof(a->digest));
}
