/*
 * acme_revoke_reason.c - why a certificate was or is revoked. (5280, 5.3.1)
 */
#include <apr_cstr.h>

#include "acme_revoke_reason.h"

#define REASON_SHOWN 64         /* octets of a refused one */

/* The index is the code. Those that a CA alone gives are not a holder's. */
static const struct {
    const char *name;
    int is_holders;
} reasons[] = {
    { "unspecified", 1 },
    { "keyCompromise", 1 },
    { "cACompromise", 0 },
    { "affiliationChanged", 1 },
    { "superseded", 1 },
    { "cessationOfOperation", 1 },
    { "certificateHold", 0 },
    { NULL, 0 },
    { "removeFromCRL", 0 },
    { "privilegeWithdrawn", 1 },
    { "aACompromise", 0 }
};

#define REASONS ((int)(sizeof(reasons) / sizeof(*reasons)))

const char *acme_revoke_reason_name(long code)
{
    return code >= 0 && code < REASONS ? reasons[code].name : NULL;
}

apr_status_t acme_revoke_reason_parse(int *preason, const char *text,
                                      acme_result_t *res)
{
    int i;

    *preason = ACME_REVOKE_REASON_NONE;

    for (i = 0; i < REASONS; i++) {
        if (reasons[i].is_holders
            && !apr_cstr_casecmp(text, reasons[i].name)) {
            *preason = i;
            return APR_SUCCESS;
        }
    }
    return acme_fail_never(res, APR_EINVAL, "reason \"%.*s\": must be unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation or privilegeWithdrawn",
                           REASON_SHOWN, text);
}
