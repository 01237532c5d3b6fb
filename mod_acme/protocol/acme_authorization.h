/*
 * acme_authorization.h - one name's authorization and the challenges in it.
 * (8555, 7.1.4, 7.5)
 *
 * Challenges of unknown types, and those without the members that their type
 * needs, are kept; acme_authorization_challenge() skips them.
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
    const char *token;          /* checked base64url; NULL: the challenge has
                                   none, or a bad one */
    int begun;                  /* processing or valid: answered before */
    int failed;                 /* invalid */
    const acme_result_t *error; /* its problem, whatever its status: a CA that
                                   lets us retry leaves it pending (8555, 8.2);
                                   NULL: none */
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
    apr_array_header_t *challenges;     /* acme_challenge_t, at most 8 */
    acme_result_t error;        /* when FAILED: the problem of the first
                                   challenge that has one; else unset */
} acme_authorization_t;

/*
 * Fetch the authorization at url (8555, 7.5). *pauthz is in p, and nothing
 * else of the reply, so that many can be kept.
 *
 * On failure *pauthz is NULL: as acme_session_post(), or APR_EINVAL for a
 * reply that is not JSON, or APR_EGENERAL for an object without a known status
 * or a valid identifier. An authorization that failed is a success here: see
 * its status and error.
 */
apr_status_t acme_authorization_fetch(acme_authorization_t **pauthz,
                                      acme_session_t *session, const char *url,
                                      acme_result_t *res, apr_pool_t *p);

/*
 * The first challenge of this type that can be answered: it has not failed,
 * and it has a token, or issuers if the type is dns-persist-01. It belongs to
 * authz. NULL: there is no such challenge.
 */
const acme_challenge_t *acme_authorization_challenge(
    const acme_authorization_t *authz, acme_challenge_e type);

/*
 * Ask the CA to validate, or to retry: the answer to the challenge is in place.
 * The payload is {} for every type (8555, 7.5.1). name is for the error's
 * sentence. *phas_error is true when the CA has tried already, and its reply
 * has an error. Fails as acme_session_post() does.
 */
apr_status_t acme_authorization_respond(int *phas_error,
                                        acme_session_t *session,
                                        const acme_challenge_t *challenge,
                                        const char *name, acme_result_t *res,
                                        apr_pool_t *p);

#endif
