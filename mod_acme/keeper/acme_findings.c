/*
 * acme_findings.c - all that the last rehearsals found, for acmectl.
 */
#include <apr_strings.h>

#include "acme_findings.h"

typedef struct {
    unsigned cert;
    const char *lines;          /* NULL: nothing is kept here */
    apr_pool_t *p;              /* of lines */
} kept_t;

struct acme_findings_t {
    kept_t kept[ACME_FINDINGS_KEPT];
    int next;                   /* the oldest */
};

acme_findings_t *acme_findings_create(apr_pool_t *p)
{
    acme_findings_t *findings = apr_pcalloc(p, sizeof(*findings));
    int i;

    for (i = 0; i < ACME_FINDINGS_KEPT; i++) {
        apr_pool_create(&findings->kept[i].p, p);
    }
    return findings;
}

static int find(const acme_findings_t *findings, unsigned cert)
{
    int i;

    for (i = 0; i < ACME_FINDINGS_KEPT; i++) {
        if (findings->kept[i].lines && findings->kept[i].cert == cert) {
            return i;
        }
    }
    return -1;
}

void acme_findings_keep(acme_findings_t *findings, unsigned cert,
                        const char *lines)
{
    int at = find(findings, cert);
    kept_t *kept;

    if (at < 0) {
        at = findings->next;
        findings->next = (at + 1) % ACME_FINDINGS_KEPT;
    }
    kept = &findings->kept[at];
    apr_pool_clear(kept->p);
    kept->cert = cert;
    kept->lines = apr_pstrdup(kept->p, lines);
}

const char *acme_findings_of(const acme_findings_t *findings, unsigned cert)
{
    const int at = find(findings, cert);

    return at < 0 ? "" : findings->kept[at].lines;
}
