/*
 * acme_ctl_revoke.h - acmectl revoke: revoke a certificate at its CA.
 */
#ifndef ACME_CTL_REVOKE_H
#define ACME_CTL_REVOKE_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_revoke_options[];

int acme_ctl_revoke_run(acme_ctl_command_t *run);

#endif
