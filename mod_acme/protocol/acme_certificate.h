/*
 * acme_certificate.h - fetching what was issued, and revoking it. (8555,
 * 7.4.2, 7.6)
 */
#ifndef ACME_CERTIFICATE_H
#define ACME_CERTIFICATE_H

#include <apr_tables.h>

#include "acme_revoke_reason.h"
#include "acme_session.h"

#define ACME_ALTERNATES_MAX 10  /* further chains of one certificate */

typedef struct {
    const char *pem;            /* as the CA sent it, not parsed */
    apr_size_t len;             /* octets of pem, without the NUL after it */
    apr_array_header_t *alternates;     /* const char *: URLs, checked, of at
                                           most ACME_ALTERNATES_MAX others */
} acme_certificate_chain_t;

/*
 * Fetch the chain at url, an order's certificate URL or one of the alternates.
 * (8555, 7.4.2)
 *
 * On success all of *out is in p; alternates is empty when the CA offers no
 * other chain. On failure *out is all NULL and 0: besides the failures of
 * acme_session_post(), APR_EGENERAL for another content type or more than max
 * octets.
 */
apr_status_t acme_certificate_fetch(acme_certificate_chain_t *out,
                                    acme_session_t *session, const char *url,
                                    apr_size_t max, acme_result_t *res,
                                    apr_pool_t *p);

/*
 * The payload of revokeCert; reason may be ACME_REVOKE_REASON_NONE. (8555,
 * 7.6)
 */
const char *acme_certificate_revoke_payload(const unsigned char *der,
                                            apr_size_t len, int reason,
                                            apr_pool_t *p);

/*
 * Revoke the certificate that the session's callback knows of. One that is
 * revoked already is a success. APR_ENOTIMPL: the CA has no revokeCert.
 */
apr_status_t acme_certificate_revoke(acme_session_t *session,
                                     acme_result_t *res, apr_pool_t *p);

#endif
