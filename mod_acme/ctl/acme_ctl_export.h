/*
 * acme_ctl_export.h - acmectl export: a certificate in a format for another
 * program.
 */
#ifndef ACME_CTL_EXPORT_H
#define ACME_CTL_EXPORT_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_export_options[];

int acme_ctl_export_run(acme_ctl_command_t *run);

#endif
