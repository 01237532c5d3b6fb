/*
 * acme_ocsp.h - a request to an OCSP responder, and its answer. (6960)
 *
 * Nothing is sent from here: renewal/acme_revoked_fetch.h does that.
 */
#ifndef ACME_OCSP_H
#define ACME_OCSP_H

#include "acme_revoked.h"

/*
 * The request about the leaf of chain: *plen octets of DER in p, without a
 * nonce (5019, 2.1.1). On failure *pder is NULL: as acme_revoked_issuer()
 * fails, or APR_EGENERAL when OpenSSL does.
 */
apr_status_t acme_ocsp_request(const char **pder, apr_size_t *plen,
                               const acme_chain_t *chain, acme_result_t *res,
                               apr_pool_t *p);

/*
 * Read the answer to that request (DER), about the leaf of chain. The answer
 * counts when it is fresh at now and signed by the issuer, or by a responder
 * that the issuer certified for it (6960, 4.2.2.2); out->reason is constant.
 * A responder may not know the certificate (yet): UNKNOWN, and a success.
 *
 * Else *out is UNKNOWN: APR_EINVAL for an answer that does not count,
 * APR_EGENERAL when the responder refuses to answer, else as
 * acme_revoked_issuer() fails. p is for res only.
 */
apr_status_t acme_ocsp_read(acme_revoked_t *out, const acme_chain_t *chain,
                            const acme_octets_t *der, apr_time_t now,
                            acme_result_t *res, apr_pool_t *p);

#endif
