/*
 * acme_crl.h - a list of revoked certificates. (5280, 5)
 */
#ifndef ACME_CRL_H
#define ACME_CRL_H

#include "acme_revoked.h"

/*
 * Read a list (DER) and look for the leaf of chain. It counts
 * when the issuer signed it, when it is fresh, and when it is a whole list
 * for such certificates: no delta, not of some reasons or of other issuers,
 * and, when it says from where it is fetched, from there. Else it is a
 * failure, *out is UNKNOWN, and res says why.
 */
apr_status_t acme_crl_read(acme_revoked_t *out, const acme_chain_t *chain,
                           const acme_octets_t *der, apr_time_t now,
                           acme_result_t *res, apr_pool_t *p);

#endif
