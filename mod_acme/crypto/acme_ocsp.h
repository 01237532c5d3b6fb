/*
 * acme_ocsp.h - a question to an OCSP responder, and its answer. (6960)
 *
 * Neither sends anything: see acme_revoked_fetch.h.
 */
#ifndef ACME_OCSP_H
#define ACME_OCSP_H

#include "acme_revoked.h"

/* The request (DER) about the leaf; fails as acme_revoked_issuer() does. */
apr_status_t acme_ocsp_request(const char **pder, apr_size_t *plen,
                               const acme_chain_t *chain, acme_result_t *res,
                               apr_pool_t *p);

/*
 * Read the answer to it (DER), about the leaf of chain. It counts when it is
 * fresh and was signed by the issuer, or by whom the issuer certified for
 * that (6960, 4.2.2.2); else it is a failure, *out is UNKNOWN, and res says
 * why. A responder may not know the certificate (yet): UNKNOWN as well, but
 * a success.
 */
apr_status_t acme_ocsp_read(acme_revoked_t *out, const acme_chain_t *chain,
                            const acme_octets_t *der, apr_time_t now,
                            acme_result_t *res, apr_pool_t *p);

#endif
