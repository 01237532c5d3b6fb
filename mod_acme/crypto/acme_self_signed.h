/*
 * acme_self_signed.h - a vhost's certificate until the CA issues one.
 */
#ifndef ACME_SELF_SIGNED_H
#define ACME_SELF_SIGNED_H

#include <apr_tables.h>

#include "acme_key.h"

/* The caller's; only read. */
typedef struct {
    acme_key_t *key;
    const apr_array_header_t *names;    /* const char *, see acme_name.h */
    apr_time_t now;
    apr_interval_time_t valid;          /* microseconds, from an hour before
                                           now */
} acme_self_signed_t;

/*
 * A certificate for all of names, signed by key itself, as PEM in p; for TLS
 * servers, and not of a CA. On failure *ppem is NULL: APR_EINVAL, for good,
 * when there are no names; APR_EGENERAL when OpenSSL fails.
 */
apr_status_t acme_self_signed_make(const char **ppem,
                                   const acme_self_signed_t *from,
                                   acme_result_t *res, apr_pool_t *p);

#endif
