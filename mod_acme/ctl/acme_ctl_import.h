/*
 * acme_ctl_import.h - acmectl import: from another ACME client.
 */
#ifndef ACME_CTL_IMPORT_H
#define ACME_CTL_IMPORT_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_import_options[];

int acme_ctl_import_run(acme_ctl_command_t *run);

#endif
