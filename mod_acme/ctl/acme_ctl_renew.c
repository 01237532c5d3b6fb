/*
 * acme_ctl_renew.c - acmectl renew: order certificates now.
 */
#include <stdio.h>

#include "acme_ctl_renew.h"
#include "acme_next_step.h"
#include "acme_revoke_reason.h"

const acme_ctl_option_t acme_ctl_renew_options[] = {
    { "--force", NULL, "order a new certificate in any case" },
    { "--chain", NULL, "only download the chain again" },
    ACME_CTL_OPTIONS_END
};

int acme_ctl_renew_run(acme_ctl_command_t *run)
{
    const acme_ctl_cert_t *cert = acme_ctl_command_cert(run);
    const acme_state_t *state = &cert->state;
    const int is_chain = acme_ctl_command_option(run, "--chain") != NULL;
    const acme_msg_want_t body = {
        .about.cert = state->cert,
        .want = is_chain ? ACME_WANT_CHAIN : ACME_WANT_RENEWAL,
        .reason = ACME_REVOKE_REASON_NONE
    };

    if (is_chain) {
        if (!state->live) {
            printf("%s: has no certificate yet\n", cert->id);
            return ACME_CTL_FAILED;
        }
        return acme_ctl_command_want(run, &body, cert->id,
                                     "the chain is being downloaded again");
    }
    if (!acme_ctl_command_option(run, "--force") && !state->attempts
        && !state->left_out && !acme_next_step_is_due(state, run->now)) {
        printf("%s: not due, valid until %s; use --force to renew now\n",
               cert->id, acme_time_text(state->not_after, run->p));
        return ACME_CTL_FAILED;
    }
    return acme_ctl_command_want(run, &body, cert->id, "is being renewed");
}
