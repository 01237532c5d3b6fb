/*
 * acme_ctl_logs.h - acmectl logs: the journal of a certificate.
 */
#ifndef ACME_CTL_LOGS_H
#define ACME_CTL_LOGS_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_logs_options[];

int acme_ctl_logs_run(acme_ctl_command_t *run);

#endif
