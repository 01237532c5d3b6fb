/*
 * acme_self_signed.h - what a vhost shows until the CA has answered.
 */
#ifndef ACME_SELF_SIGNED_H
#define ACME_SELF_SIGNED_H

#include <apr_tables.h>

#include "acme_key.h"

typedef struct {
    acme_key_t *key;
    const apr_array_header_t *names;    /* const char *, see acme_name.h */
    apr_time_t now;
    apr_interval_time_t valid;          /* from an hour before now */
} acme_self_signed_t;

/* A self-signed certificate as PEM in p. */
apr_status_t acme_self_signed_make(const char **ppem,
                                   const acme_self_signed_t *from,
                                   acme_result_t *res, apr_pool_t *p);

#endif
