/*
 * acme_ctl_status.h - acmectl status: what is managed, and until when.
 */
#ifndef ACME_CTL_STATUS_H
#define ACME_CTL_STATUS_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_status_options[];

int acme_ctl_status_run(acme_ctl_command_t *run);

/* With --nagios a failure is a line, and UNKNOWN. */
int acme_ctl_status_fail(const acme_ctl_command_t *run,
                         const acme_result_t *res);

#endif
