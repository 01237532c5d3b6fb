/*
 * acme_self_signed.h - a vhost's certificate until the CA issues one.
 */
#ifndef ACME_SELF_SIGNED_H
#define ACME_SELF_SIGNED_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "acme_chain.h"
#include "acme_result.h"

/* Issuer and subject: a browser shows it. */
#define ACME_SELF_SIGNED_CN "placeholder of mod_acme"

/* The caller's; only read. */
typedef struct {
    const char *key_pem;                /* of acme_self_signed_key() */
    const apr_array_header_t *names;    /* const char *, see acme_name.h */
    apr_time_t now;
    apr_interval_time_t valid;          /* microseconds, from an hour before
                                           now */
} acme_self_signed_t;

/* Ever stronger keys, for servers with ever higher security levels. */
typedef enum {
    ACME_SELF_SIGNED_P256,              /* up to level 3 */
    ACME_SELF_SIGNED_P384,              /* 4 */
    ACME_SELF_SIGNED_P521,              /* 5 */
    ACME_SELF_SIGNED_KINDS
} acme_self_signed_e;

/*
 * A new key for such certificates, as PEM in p, which overwrites it when it is
 * cleared. On failure, OpenSSL's, *ppem is NULL and the status APR_EGENERAL.
 */
apr_status_t acme_self_signed_key(const char **ppem, acme_self_signed_e kind,
                                  acme_result_t *res, apr_pool_t *p);

/*
 * A certificate for all of names, signed by the key itself with a digest as
 * strong as it, as PEM in p; for TLS servers, and not of a CA. On failure *ppem
 * is NULL: APR_EINVAL, for good, when there are no names or no key;
 * APR_EGENERAL when OpenSSL fails.
 */
apr_status_t acme_self_signed_make(const char **ppem,
                                   const acme_self_signed_t *from,
                                   acme_result_t *res, apr_pool_t *p);

/* Is the leaf of the chain signed by its own key? It proves nothing. */
int acme_self_signed_is(const acme_chain_t *chain);

#endif
