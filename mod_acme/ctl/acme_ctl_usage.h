/*
 * acme_ctl_usage.h - the usage and the help of acmectl, from its table of
 * commands.
 */
#ifndef ACME_CTL_USAGE_H
#define ACME_CTL_USAGE_H

#include <stdio.h>

#include "acme_ctl_command.h"

/* Write the usage of verb to file; NULL: that of all. */
void acme_ctl_usage_put(FILE *file, const acme_ctl_verb_t *verbs,
                        const acme_ctl_verb_t *verb);

/* Write what verb does, and each of its options; NULL: what each does. */
void acme_ctl_usage_put_help(FILE *file, const acme_ctl_verb_t *verbs,
                             const acme_ctl_verb_t *verb);

#endif
