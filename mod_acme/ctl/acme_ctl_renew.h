/*
 * acme_ctl_renew.h - acmectl renew: order certificates now.
 */
#ifndef ACME_CTL_RENEW_H
#define ACME_CTL_RENEW_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_renew_options[];

int acme_ctl_renew_run(acme_ctl_command_t *run);

/* An invalid call is one without a keeper, too. */
int acme_ctl_renew_fail(const acme_ctl_command_t *run,
                        const acme_result_t *res);

#endif
