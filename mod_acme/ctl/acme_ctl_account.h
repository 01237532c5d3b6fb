/*
 * acme_ctl_account.h - acmectl account: the accounts at the CAs.
 */
#ifndef ACME_CTL_ACCOUNT_H
#define ACME_CTL_ACCOUNT_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_account_options[];

int acme_ctl_account_run(acme_ctl_command_t *run);

#endif
