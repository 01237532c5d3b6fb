/*
 * acme_ctl_explain.h - acmectl explain: what is so, why, what is next, what to
 * do.
 */
#ifndef ACME_CTL_EXPLAIN_H
#define ACME_CTL_EXPLAIN_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_explain_options[];

int acme_ctl_explain_run(acme_ctl_command_t *run);

#endif
