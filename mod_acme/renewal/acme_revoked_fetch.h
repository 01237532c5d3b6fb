/*
 * acme_revoked_fetch.h - has the CA revoked a certificate?
 *
 * Asked over plain http, as certificates name it: an answer counts for its
 * signature alone.
 */
#ifndef ACME_REVOKED_FETCH_H
#define ACME_REVOKED_FETCH_H

#include "acme_revoked.h"
#include "acme_http.h"

/*
 * Ask the OCSP responder that the leaf names, and where there is none, or none
 * that knows, fetch the CRL that it names.
 *
 * What *out says was signed by the leaf's issuer, the second certificate of
 * chain. On a failure *out is UNKNOWN and res tells of the one that was asked
 * last; ENOENT: the certificate names neither, or the chain has no issuer.
 * UNKNOWN with a success: the responder does not know the certificate, and it
 * names no CRL. Strings in *out are static.
 */
apr_status_t acme_revoked_fetch(acme_revoked_t *out, acme_http_t *http,
                                const acme_chain_t *chain, apr_time_t now,
                                acme_result_t *res, apr_pool_t *p);

#endif
