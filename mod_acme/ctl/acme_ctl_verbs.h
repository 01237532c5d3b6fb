/*
 * acme_ctl_verbs.h - the table of acmectl's commands.
 */
#ifndef ACME_CTL_VERBS_H
#define ACME_CTL_VERBS_H

#include "acme_ctl_command.h"

/* In the order of the help; the last row has no word. */
extern const acme_ctl_verb_t acme_ctl_verbs[];

#endif
