/*
 * acme_revoked.h - the common part of OCSP answers and CRLs: whether a
 * certificate is revoked, as its issuer said, for a time.
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
    const char *reason;         /* YES: as in 5280, 5.3.1, constant; NULL:
                                   none given */
    apr_time_t next_update;     /* a newer answer is there by then; 0: not
                                   given */
} acme_revoked_t;

/*
 * The certificate that issued the leaf: the chain's, which frees it. On failure
 * *pissuer is NULL: APR_ENOENT, for good, when nothing follows the leaf,
 * APR_EINVAL when acme_chain_linked() fails.
 */
apr_status_t acme_revoked_issuer(struct x509_st **pissuer,
                                 const acme_chain_t *chain,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * Does an answer that was made at from and holds until until count at now?
 * until may be NULL, absent: the answer counts for a day. Clocks may differ by
 * 5 minutes. *pnext is until, or 0. Else APR_EINVAL, *pnext is 0, and res says
 * why, for the caller to put a subject before it.
 */
apr_status_t acme_revoked_is_fresh(apr_time_t *pnext,
                                   const struct asn1_string_st *from,
                                   const struct asn1_string_st *until,
                                   apr_time_t now,
                                   acme_result_t *res, apr_pool_t *p);

/* Is now between from and until, give or take 5 minutes? */
int acme_revoked_is_within(const struct asn1_string_st *from,
                           const struct asn1_string_st *until, apr_time_t now);

#endif
