/*
 * acme_findings.h - all that the last rehearsals found, for acmectl.
 *
 * In memory only, and of the last few certificates: the worst finding of each
 * certificate is in its state and journal.
 */
#ifndef ACME_FINDINGS_H
#define ACME_FINDINGS_H

#include <apr_pools.h>

#define ACME_FINDINGS_KEPT 32   /* certificates */

typedef struct acme_findings_t acme_findings_t;

acme_findings_t *acme_findings_create(apr_pool_t *p);

/* Keep a copy of these lines of a certificate; the oldest make room. */
void acme_findings_keep(acme_findings_t *findings, unsigned cert,
                        const char *lines);

/* Those of a certificate, until the next call of the above; "": none. */
const char *acme_findings_of(const acme_findings_t *findings, unsigned cert);

#endif
