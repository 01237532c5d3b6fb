/*
 * acme_self_signed.h - what a vhost shows until the CA has answered.
 */
#ifndef ACME_SELF_SIGNED_H
#define ACME_SELF_SIGNED_H

#include <apr_tables.h>

#include "acme_key.h"

/*
 * A self-signed certificate (PEM) for names, valid for this long from an hour
 * before now.
 */
apr_status_t acme_self_signed_make(const char **ppem, acme_key_t *key,
                                   const apr_array_header_t *names,
                                   apr_time_t now, apr_interval_time_t valid,
                                   acme_result_t *res, apr_pool_t *p);

#endif
