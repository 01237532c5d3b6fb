/*
 * acme_challenge.h - the challenge types that can be answered here. (8555, 8;
 * 8737; draft-ietf-acme-dns-persist)
 */
#ifndef ACME_CHALLENGE_H
#define ACME_CHALLENGE_H

#include <apr_pools.h>

#include "acme_result.h"

typedef enum {
    ACME_HTTP_01,
    ACME_TLS_ALPN_01,
    ACME_DNS_01,
    ACME_DNS_PERSIST_01,
    ACME_CHALLENGES             /* how many there are */
} acme_challenge_e;

/* The name of a type, "http-01", ...: a constant. */
const char *acme_challenge_name(acme_challenge_e type);

/* The type of this name. Returns 0, and *ptype is unset: no such type here. */
int acme_challenge_parse(acme_challenge_e *ptype, const char *name);

/*
 * The key authorization, in p: token, '.', thumbprint of the account's key.
 * (8555, 8.1)
 */
const char *acme_challenge_key_authorization(const char *token,
                                             const char *thumbprint,
                                             apr_pool_t *p);

/*
 * The value of the TXT record for dns-01, in p: 43 characters of base64url; ""
 * if OpenSSL fails. (8555, 8.4)
 */
const char *acme_challenge_dns01_value(const char *token,
                                       const char *thumbprint, apr_pool_t *p);

/* An answer to a challenge of http-01 or tls-alpn-01. */
typedef struct {
    acme_challenge_e type;
    const char *name;           /* without the "*." of a wildcard */
    const char *sni;            /* server name that validators of tls-alpn-01
                                   send (8737, 3; 8738, 6) */
    const char *token;          /* base64url */
    const char *key_authorization;      /* token.thumbprint (8555, 8.1) */
} acme_challenge_response_t;

#endif
