/*
 * acme_revoke_reason.h - why a certificate was or is revoked. (5280, 5.3.1)
 */
#ifndef ACME_REVOKE_REASON_H
#define ACME_REVOKE_REASON_H

#include "acme_result.h"

#define ACME_REVOKE_REASON_NONE (-1)    /* the request names none */

/* "keyCompromise", ... for a CRLReason; NULL when code is not one. Constant. */
const char *acme_revoke_reason_name(long code);

/*
 * The code of a reason that the holder of a certificate may give (8555, 7.6):
 * "keyCompromise", ... in letters of any case. On failure *preason is
 * ACME_REVOKE_REASON_NONE, the status APR_EINVAL, and res lists the reasons.
 */
apr_status_t acme_revoke_reason_parse(int *preason, const char *text,
                                      acme_result_t *res);

#endif
