/*
 * acme_ctl_status.c - acmectl status: what is managed, and until when.
 */
#include "acme_ctl_show.h"
#include "acme_ctl_status.h"
#include "acme_status_rows.h"

const acme_ctl_option_t acme_ctl_status_options[] = {
    ACME_CTL_OPTION_JSON,
    ACME_CTL_OPTIONS_END
};

int acme_ctl_status_run(acme_ctl_command_t *run)
{
    int i, ill = 0;

    for (i = 0; i < run->certs->nelts; i++) {
        ill |= acme_status_rows_is_ill(
            &APR_ARRAY_IDX(run->certs, i, acme_ctl_cert_t).state, run->now);
    }
    if (acme_ctl_command_option(run, "--json")) {
        acme_ctl_show_json(run->certs, run->now, run->p);
    }
    else {
        acme_ctl_show_text(run->certs, run->now, run->p);
    }
    return ill ? ACME_CTL_FAILED : ACME_CTL_DONE;
}
