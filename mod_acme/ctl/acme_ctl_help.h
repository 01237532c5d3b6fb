/*
 * acme_ctl_help.h - acmectl help: what acmectl can do.
 */
#ifndef ACME_CTL_HELP_H
#define ACME_CTL_HELP_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_help_options[];

int acme_ctl_help_run(acme_ctl_command_t *run);

#endif
