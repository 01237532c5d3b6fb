/*
 * acme_authorization.h - one name's authorization and the challenges in it.
 * (8555, 7.1.4, 7.5)
 *
 * A challenge of a type that we do not know, or one without what its type
 * needs, is there and harmless: acme_authorization_challenge() passes it over.
 */
#ifndef ACME_AUTHORIZATION_H
#define ACME_AUTHORIZATION_H

#include <apr_tables.h>

#include "acme_session.h"
#include "acme_challenge.h"

#define ACME_TOKEN_MAX 128      /* characters of base64url */

typedef enum {
    ACME_AUTHORIZATION_PENDING,
    ACME_AUTHORIZATION_VALID,
    ACME_AUTHORIZATION_FAILED /* invalid, deactivated, expired, revoked */
} acme_authorization_e;

typedef struct {
    const char *type;           /* "http-01", ...; clean for people */
    int kind;                   /* acme_challenge_e; -1: a type unknown here */
    const char *url;
    const char *token;          /* checked base64url; NULL when it has none */
    int begun;                  /* processing: it was answered before */
    int failed;
    /* Of dns-persist-01 only; NULL and 0 elsewhere. */
    apr_array_header_t *issuers;        /* const char *: DNS names, one of
                                           which the record begins with */
    int persist_draft;          /* 1 or 2, by the shape of the challenge */
} acme_challenge_t;

typedef struct {
    acme_authorization_e status;
    const char *name;           /* the identifier as acme_name.h has names,
                                   without the "*." of a wildcard */
    int wildcard;
    apr_array_header_t *challenges;     /* acme_challenge_t */
    acme_result_t error;        /* when failed: the challenge's problem */
} acme_authorization_t;

/*
 * Fetch the authorization at url into p. (8555, 7.5) One that failed at the CA
 * is a success, with status and error set. On failure, of the request or when
 * the reply is malformed, *pauthz is NULL.
 */
apr_status_t acme_authorization_fetch(acme_authorization_t **pauthz,
                                      acme_session_t *session, const char *url,
                                      acme_result_t *res, apr_pool_t *p);

/*
 * The first challenge of this type that can be answered, or NULL: it has not
 * failed, and it has a token, or issuers when it is dns-persist-01.
 */
const acme_challenge_t *acme_authorization_challenge(
    const acme_authorization_t *authz, acme_challenge_e type);

/*
 * Ask the CA to validate the challenge: {} for every type (8555, 7.5.1). name
 * is for the message of a failure.
 */
apr_status_t acme_authorization_respond(acme_session_t *session,
                                        const acme_challenge_t *challenge,
                                        const char *name, acme_result_t *res,
                                        apr_pool_t *p);

#endif
