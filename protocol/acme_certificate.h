/*
 * acme_certificate.h - fetching what was issued. (8555, 7.4.2)
 */
#ifndef ACME_CERTIFICATE_H
#define ACME_CERTIFICATE_H

#include "acme_ca.h"

/*
 * The PEM chain behind an order's certificate URL, as the CA sent it and at
 * most max octets: not parsed, the keeper does that.
 */
apr_status_t acme_certificate_fetch(const char **ppem, apr_size_t *plen,
                                    acme_session_t *session, const char *url,
                                    apr_size_t max, acme_result_t *res,
                                    apr_pool_t *p);

#endif
