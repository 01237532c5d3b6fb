/*
 * acme_ctl_version.c - acmectl version: which release this is.
 */
#include <stdio.h>

#include "acme_ctl_version.h"

const acme_ctl_option_t acme_ctl_version_options[] = {
    ACME_CTL_OPTIONS_END
};

int acme_ctl_version_run(acme_ctl_command_t *run)
{
    printf("acmectl (mod_acme) " ACME_VERSION "\n"
           "state directory: %s\n", run->state_dir);
    return ACME_CTL_DONE;
}
