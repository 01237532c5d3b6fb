/*
 * acme_ctl_version.h - acmectl version: which release this is.
 */
#ifndef ACME_CTL_VERSION_H
#define ACME_CTL_VERSION_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_version_options[];

int acme_ctl_version_run(acme_ctl_command_t *run);

#endif
