/*
 * acme_revoked.h - what OCSP answers and CRLs have in common: whether a
 * certificate is revoked, as its issuer said it, for a time.
 */
#ifndef ACME_REVOKED_H
#define ACME_REVOKED_H

#include "acme_chain.h"
#include "acme_revoke_reason.h"
#include "acme_octets.h"

struct asn1_string_st;          /* OpenSSL's ASN1_TIME */

typedef enum {
    ACME_REVOKED_UNKNOWN,
    ACME_REVOKED_NO,
    ACME_REVOKED_YES
} acme_revoked_e;

typedef struct {
    acme_revoked_e status;
    apr_time_t when;            /* YES: since then; else 0 */
    const char *reason;         /* YES: as in 5280, 5.3.1; NULL: not given */
    apr_time_t next_update;     /* a newer answer is there by then; 0: any
                                   time */
} acme_revoked_t;

/*
 * The certificate that issued the leaf; the chain keeps it. ENOENT when
 * nothing follows the leaf, EINVAL when the chain is not linked.
 */
apr_status_t acme_revoked_issuer(struct x509_st **pissuer,
                                 const acme_chain_t *chain,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * Does an answer count now that was made at from and holds until then (NULL:
 * it does not say so, and counts for a day)? Clocks may differ by 5 minutes.
 * *pnext is until, or 0.
 */
apr_status_t acme_revoked_is_fresh(apr_time_t *pnext,
                                   const struct asn1_string_st *from,
                                   const struct asn1_string_st *until,
                                   apr_time_t now,
                                   acme_result_t *res, apr_pool_t *p);

/* Is now in what from and until enclose, give or take 5 minutes? */
int acme_revoked_is_within(const struct asn1_string_st *from,
                           const struct asn1_string_st *until, apr_time_t now);

#endif
