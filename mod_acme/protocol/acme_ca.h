/*
 * acme_ca.h - a CA as a client sees it: its directory, its nonces, and signed
 * requests to it. (8555, 6.2 to 6.5, 7.1.1, 7.2)
 *
 * An acme_ca_t is shared by all threads; an acme_session_t is one thread's.
 * Nobody here holds a key: bodies come signed from the session's callback.
 */
#ifndef ACME_CA_H
#define ACME_CA_H

#include "acme_http.h"

#define ACME_NONCE_MAX 512      /* octets; longer ones are dropped */

#define ACME_PROFILES_MAX 64    /* of a directory; the rest is dropped */
#define ACME_PROFILE_MAX 64     /* octets of a profile's name */
#define ACME_HASH_PREFIX_MAX 200        /* octets of accountHashPrefix */

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

typedef apr_status_t acme_sign_cb(const char **pbody, void *baton,
                                  acme_sign_e kind, const char *url,
                                  const char *nonce, acme_result_t *res,
                                  apr_pool_t *p);

typedef struct acme_ca_t acme_ca_t;

/* A profile that a CA offers (draft-ietf-acme-profiles); clean for people. */
typedef struct {
    const char *name;
    const char *description;    /* "" when there is none */
} acme_profile_t;

/* All URLs checked; NULL where the CA has none. */
typedef struct {
    const char *new_nonce;
    const char *new_account;
    const char *new_order;
    const char *revoke_cert;
    const char *key_change;
    const char *renewal_info;
    const char *terms_of_service;       /* clean for people, may be NULL */
    int external_account_required;
    apr_array_header_t *profiles;       /* acme_profile_t; never NULL */
    /* Of draft-ietf-acme-dns-persist-02. */
    apr_array_header_t *issuer_domain_names;    /* const char *, normalised;
                                                   never NULL */
    const char *account_hash_prefix;    /* NULL when there is no good one */
} acme_directory_t;

typedef struct {
    acme_ca_t *ca;
    acme_http_t *http;
    acme_sign_cb *sign;
    void *baton;
    apr_uint32_t requests;      /* sent so far, the directory's not counted */
} acme_session_t;

/* url is the directory's. Lives as long as p. */
apr_status_t acme_ca_create(acme_ca_t **pca, const char *url, apr_pool_t *p);

const char *acme_ca_url(const acme_ca_t *ca);

/*
 * The directory, a copy in p: asked once, then kept for a day. A meta that is
 * missing or no object counts as empty.
 */
apr_status_t acme_ca_directory(const acme_directory_t **pdir,
                               acme_session_t *session, acme_result_t *res,
                               apr_pool_t *p);

/* Ask for it anew the next time: somebody says that it has changed. */
void acme_ca_directory_forget(acme_ca_t *ca);

/*
 * Send one signed request. The nonce is one that an earlier reply brought,
 * else asked for (newNonce). badNonce is tried again with the nonce of the
 * error reply, at most 20 times (8555, 6.5). Success is a reply with a 2xx;
 * else res is the CA's problem, told of what, and *preply the reply that
 * brought it; NULL when there was none.
 */
apr_status_t acme_ca_post(acme_http_reply_t **preply, acme_session_t *session,
                          acme_sign_e kind, const char *url, const char *what,
                          acme_result_t *res, apr_pool_t *p);

/* The URL of what a request made: the reply's Location, checked. */
apr_status_t acme_ca_location(const char **purl,
                              const acme_http_reply_t *reply,
                              const char *what, acme_result_t *res,
                              apr_pool_t *p);

#endif
