/*
 * acme_session.h - signed requests to a CA, of one thread. (8555, 6.2 to 6.5,
 * 7.2)
 *
 * This floor holds no key: bodies come signed from the session's callback. A
 * session belongs to one thread.
 */
#ifndef ACME_SESSION_H
#define ACME_SESSION_H

#include "acme_ca.h"
#include "acme_http.h"
#include "acme_resource.h"

/*
 * The requests that a client signs; each has one payload and no other. Signed
 * with the account's key: NEW_ACCOUNT and FIND_ACCOUNT with the JWK, all
 * others with the kid. (8555, 6.2)
 */
typedef enum {
    ACME_SIGN_NEW_ACCOUNT,
    ACME_SIGN_NEW_ORDER,
    ACME_SIGN_POST_AS_GET,
    ACME_SIGN_CHALLENGE,        /* {} */
    ACME_SIGN_FINALIZE,
    ACME_SIGN_FIND_ACCOUNT,     /* to newAccount (8555, 7.3.1) */
    ACME_SIGN_UPDATE_ACCOUNT,   /* to the account's URL (8555, 7.3.2) */
    ACME_SIGN_DEACTIVATE,       /* to the account's URL (8555, 7.3.6) */
    ACME_SIGN_KEY_CHANGE,       /* with the old key; in it a JWS of the new
                                   one for the same URL (8555, 7.3.5) */
    ACME_SIGN_REVOKE            /* to revokeCert (8555, 7.6) */
} acme_sign_e;

typedef struct {
    acme_sign_e kind;
    acme_resource_e resource;   /* what it is counted as */
    const char *url;
    const char *what;           /* begins the sentence of a failure */
    apr_size_t body_max;        /* as in acme_http_request_t */
} acme_session_post_t;

/*
 * Sign this request with this nonce: *pbody is the JWS as JSON text in p. A
 * failure fills res and ends the request.
 */
typedef apr_status_t acme_sign_cb(const char **pbody, void *baton,
                                  const acme_session_post_t *post,
                                  const char *nonce, acme_result_t *res,
                                  apr_pool_t *p);

/*
 * A request has ended: with a reply of this status after latency, or with none
 * (status and latency 0). Not called of one that was stopped.
 */
typedef void acme_session_seen_cb(void *baton, acme_resource_e resource,
                                  int status, apr_interval_time_t latency);

/*
 * Connections that sessions share: one that waits for its CA needs none. borrow
 * lends one until give_back; on a failure *phttp is NULL. From any thread.
 */
typedef struct {
    void *baton;
    apr_status_t (*borrow)(acme_http_t **phttp, void *baton,
                           acme_result_t *res);
    void (*give_back)(void *baton, acme_http_t *http);
} acme_session_lender_t;

typedef struct {
    acme_ca_t *ca;
    acme_http_t *http;          /* its own; NULL: one of lender for each
                                   request */
    const acme_session_lender_t *lender;
    acme_sign_cb *sign;
    void *baton;
    acme_session_seen_cb *seen; /* NULL: nobody counts */
    void *seen_baton;
    apr_uint32_t requests;      /* sent so far, the directory's not counted */
    apr_uint32_t replies;       /* to all of them, */
    apr_interval_time_t waited; /* and their latencies together */
} acme_session_t;

/* As acme_http_send(), or as lender fails; counts the reply and its latency. */
apr_status_t acme_session_send(acme_http_reply_t **preply,
                               acme_session_t *session,
                               acme_resource_e resource,
                               const acme_http_request_t *request,
                               acme_result_t *res, apr_pool_t *p);

/* The average latency of this session's replies; 0: there was none. */
apr_interval_time_t acme_session_latency(const acme_session_t *session);

/*
 * The directory, a copy in p: fetched once, then kept by the CA for a day
 * (8555, 7.1.1). *pdir is NULL after a failure, which is that of
 * acme_http_send(), acme_problem_reply() or acme_directory_parse().
 */
apr_status_t acme_session_directory(const acme_directory_t **pdir,
                                    acme_session_t *session,
                                    acme_result_t *res, apr_pool_t *p);

/*
 * Send one signed request (8555, 6.2). The nonce is that of an earlier reply,
 * else a new one (newNonce). After badNonce the request is retried with the
 * nonce of the error reply, at most 20 times (8555, 6.5).
 *
 * Success is a reply with a 2xx status, in p. On failure *preply is the error
 * reply, and res has the CA's problem (acme_problem_reply()), beginning with
 * what; or *preply is NULL, and the directory, the nonce, the signature or the
 * network failed.
 */
apr_status_t acme_session_post(acme_http_reply_t **preply,
                               acme_session_t *session,
                               const acme_session_post_t *post,
                               acme_result_t *res, apr_pool_t *p);

/*
 * The URL of the object that a request created: the reply's Location, which it
 * belongs to, checked. On failure *purl is NULL and res begins with what:
 * APR_EGENERAL for none, else as acme_url_check(). (8555, 7.3, 7.4)
 */
apr_status_t acme_session_location(const char **purl,
                                   const acme_http_reply_t *reply,
                                   const char *what, acme_result_t *res,
                                   apr_pool_t *p);

#endif
