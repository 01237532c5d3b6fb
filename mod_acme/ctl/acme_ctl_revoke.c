/*
 * acme_ctl_revoke.c - acmectl revoke: revoke a certificate at its CA.
 */
#include <stdio.h>

#include "acme_ctl_revoke.h"
#include "acme_revoke_reason.h"

const acme_ctl_option_t acme_ctl_revoke_options[] = {
    { "--reason", "R", "tell the CA why: unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation or privilegeWithdrawn" },
    { "--delete", NULL, "order no new certificate" },
    ACME_CTL_OPTIONS_END
};

int acme_ctl_revoke_run(acme_ctl_command_t *run)
{
    const acme_ctl_cert_t *cert = acme_ctl_command_cert(run);
    const char *word = acme_ctl_command_option(run, "--reason");
    int reason = ACME_REVOKE_REASON_NONE;
    acme_msg_want_t body = {
        .about.cert = cert->state.cert,
        .want = acme_ctl_command_option(run, "--delete")
            ? ACME_WANT_DELETION : ACME_WANT_REVOCATION
    };
    acme_result_t res;

    if (word && acme_revoke_reason_parse(&reason, word, &res)) {
        return acme_ctl_command_refuse("%s", res.detail);
    }
    body.reason = reason;
    if (!cert->state.live) {
        printf("%s: has no certificate to revoke\n", cert->id);
        return ACME_CTL_FAILED;
    }
    return acme_ctl_command_want(run, &body, cert->id, "is being revoked");
}
