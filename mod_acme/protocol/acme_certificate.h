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

/*
 * The PEM chain behind an order's certificate URL, as the CA sent it and at
 * most max octets: not parsed, the keeper does that. palternates may be NULL;
 * else *palternates are the URLs (const char *, checked) of at most
 * ACME_ALTERNATES_MAX other chains for it, empty when the CA has none.
 */
apr_status_t acme_certificate_fetch(const char **ppem, apr_size_t *plen,
                                    apr_array_header_t **palternates,
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
