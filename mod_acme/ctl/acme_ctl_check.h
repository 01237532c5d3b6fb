/*
 * acme_ctl_check.h - acmectl check: each name as a CA would see it.
 */
#ifndef ACME_CTL_CHECK_H
#define ACME_CTL_CHECK_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_check_options[];

int acme_ctl_check_run(acme_ctl_command_t *run);

#endif
