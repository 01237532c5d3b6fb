/*
 * acme_http.h - requests over https, bounded in size and time. Plain http
 * only for what is signed by itself: OCSP answers and CRLs.
 *
 * The one place that knows libcurl. An acme_http_t keeps its connections and
 * is used by one thread at a time. The process ignores SIGPIPE, as httpd does.
 */
#ifndef ACME_HTTP_H
#define ACME_HTTP_H

#include <apr_tables.h>

#include "acme_result.h"
#include "acme_stop.h"

#define ACME_HTTP_BODY_MAX (64 * 1024)  /* octets of a reply's body, unless
                                           its request says otherwise */

/* A client, with its kept connections. */
typedef struct acme_http_t acme_http_t;

/*
 * Roots that are parsed already. This floor knows no OpenSSL but libcurl's.
 * ready: a number, another one when the roots are others than before; 0: they
 * cannot be had, and ca_file is read in their place. use: set them on a
 * connection's SSL_CTX *, else 0. From any thread that uses a client.
 */
typedef struct {
    void *baton;
    unsigned int (*ready)(void *baton);
    int (*use)(void *baton, void *ssl_ctx);
} acme_http_roots_t;

typedef struct {
    const char *user_agent;
    const char *ca_file;        /* PEM roots; NULL: the system's */
    const acme_http_roots_t *roots;     /* the same ones; NULL: they are parsed
                                           for each connection */
    const char *proxy;          /* URL; NULL: none, whatever the environment */
    acme_stop_t *stop;          /* ends a transfer at once */
    int stall;                  /* seconds without an octet; 0: 20 */
    int total;                  /* seconds of a transfer; 0: 60 */
} acme_http_conf_t;

typedef enum { ACME_HTTP_GET, ACME_HTTP_HEAD, ACME_HTTP_POST } acme_http_e;

typedef struct {
    acme_http_e method;
    const char *url;            /* https only, unless plain */
    const char *content_type;   /* with POST */
    const char *body;           /* with POST */
    apr_size_t body_len;        /* octets of body; 0: strlen(body) */
    int plain;                  /* boolean: http as well, for a reply that is
                                   signed itself */
    apr_size_t body_max;        /* octets of the reply's body; 0:
                                   ACME_HTTP_BODY_MAX */
    const char *address;        /* a visit, as a CA's validator makes it: to
                                   this IP address, whatever the DNS says, with
                                   no proxy; its TLS certificate is not
                                   verified, and of a longer body the first
                                   body_max octets are taken. NULL: none */
} acme_http_request_t;

/*
 * All of it in the pool of the call. Headers are NULL when absent or when they
 * hold more than 0x20 to 0x7e.
 */
typedef struct {
    int status;                 /* 200, ... */
    const char *content_type;   /* lower case, without parameters */
    const char *location;
    const char *server;         /* of Server */
    const char *replay_nonce;
    apr_time_t retry_after;     /* acme_retry_after_parse(); 0: none */
    apr_interval_time_t latency;        /* microseconds, of the whole
                                           transfer */
    apr_array_header_t *links;  /* const char *: values of Link, at most 32 */
    const char *body;           /* NUL-terminated as well */
    apr_size_t body_len;
} acme_http_reply_t;

/*
 * Once a process, before any thread uses http: APR_EGENERAL when libcurl does
 * not start. acme_http_term() after all such threads have ended.
 */
apr_status_t acme_http_init(acme_result_t *res);
void acme_http_term(void);

/*
 * Where libcurl has the system's roots: a file, and a folder or NULL. False:
 * it does not say.
 */
int acme_http_system_roots(const char **pfile, const char **pfolder);

/* The TLS library of libcurl, as "OpenSSL/3.0.17"; "": it does not say. */
const char *acme_http_tls_library(void);

/*
 * A client that lives as long as p. conf is copied; its strings and its stop
 * must outlive p. On failure *phttp is NULL and the status APR_ENOMEM.
 */
apr_status_t acme_http_create(acme_http_t **phttp,
                              const acme_http_conf_t *conf,
                              acme_result_t *res, apr_pool_t *p);

/*
 * Send a request, wait for the reply: connected within 30 s, done within
 * 60 s, at most body_max octets of body, 200 header lines and 64 KiB of
 * headers: what is more is refused while it comes in. GET and HEAD must not
 * stall for 20 s; at a POST the CA may compute for the whole time. request
 * stays the caller's.
 *
 * GET and HEAD are redirected three times, to what acme_url_check() allows
 * only. The reply is the redirect itself where it is not followed, as with
 * POST, whose URL is signed (8555, 6.4), and with plain.
 *
 * Any HTTP status is a success here, and *preply is in p. On failure *preply is
 * NULL: APR_EINTR when stopped, ECONNREFUSED and the like when a visit does
 * not come to a connection, APR_TIMEUP after one of the times above,
 * APR_EINVAL for a URL that acme_url_check() (plain:
 * acme_url_check_plain()) refuses, else APR_EGENERAL. res->reason is
 * CA_UNREACHABLE, CA_UNTRUSTED or CA_ANSWER where it applies.
 */
apr_status_t acme_http_send(acme_http_reply_t **preply, acme_http_t *http,
                            const acme_http_request_t *request,
                            acme_result_t *res, apr_pool_t *p);

#endif
