/*
 * acme_revoke_reason.h - why a certificate was or is revoked. (5280, 5.3.1)
 */
#ifndef ACME_REVOKE_REASON_H
#define ACME_REVOKE_REASON_H

#include "acme_result.h"

#define ACME_REVOKE_REASON_NONE (-1)    /* the CA is given none */

/* "keyCompromise", ... for a CRLReason; NULL when it is not one. */
const char *acme_revoke_reason_name(long code);

/*
 * A reason that the holder of a certificate may give: "keyCompromise", ... in
 * letters of any case. res lists what is allowed.
 */
apr_status_t acme_revoke_reason_parse(int *preason, const char *text,
                                      acme_result_t *res);

#endif
