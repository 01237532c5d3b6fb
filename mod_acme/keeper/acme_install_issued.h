/*
 * acme_install_issued.h - a chain that the CA issued: read, and checked before
 * it is served. What it must be is in acme_install_check.h.
 *
 * All fill the res of the part.
 */
#ifndef ACME_INSTALL_ISSUED_H
#define ACME_INSTALL_ISSUED_H

#include "acme_cert_reader.h"
#include "acme_install_part.h"
#include "acme_pending.h"

/* A chain that the CA issued for a part. */
typedef struct {
    const char *pem;
    apr_size_t len;             /* 0: none, install the pending parts */
    const char *url;            /* where the CA has it, or NULL */
} acme_issued_t;

/* Have a chain read. APR_EINVAL: it is refused. APR_EINPROGRESS as
   acme_cert_reader_ask(). Else nothing is known of it. */
apr_status_t acme_install_issued_read(acme_cert_reading_t **pchain,
                                      const acme_install_part_t *in,
                                      const char *pem, apr_size_t len);

/* mod_ssl must be able to load it, or it would end the server. */
apr_status_t acme_install_issued_check_loads(
    const acme_install_part_t *in, const acme_cert_reading_t *chain);

/* Is it what the pending request asked for, and can it be served? */
apr_status_t acme_install_issued_check(const acme_install_part_t *in,
                                       const acme_cert_reading_t *chain,
                                       const acme_pending_t *pending);

/* Keep a refused one in aside/, and log why. One file a certificate: many
   refused ones must not displace other files. */
void acme_install_issued_keep_refused(const acme_install_part_t *in,
                                      const acme_issued_t *issued);

#endif
