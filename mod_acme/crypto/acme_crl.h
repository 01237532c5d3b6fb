/*
 * acme_crl.h - a list of revoked certificates. (5280, 5)
 */
#ifndef ACME_CRL_H
#define ACME_CRL_H

#include "acme_revoked.h"

/*
 * Look for the leaf of chain in a list (DER). The list counts when the issuer,
 * the second certificate of chain, signed it, when it is fresh at now, and
 * when it is a whole list for such certificates: no delta, not of some reasons
 * or of other issuers (5280, 5.2.5), and, when it names where it is published,
 * from the leaf's crl_url.
 *
 * On success *out is YES or NO, and next_update the list's; out->reason is
 * constant. Else *out is UNKNOWN: APR_EINVAL for a list that does not count,
 * else as acme_revoked_issuer() fails. p is for res only.
 */
apr_status_t acme_crl_read(acme_revoked_t *out, const acme_chain_t *chain,
                           const acme_octets_t *der, apr_time_t now,
                           acme_result_t *res, apr_pool_t *p);

#endif
