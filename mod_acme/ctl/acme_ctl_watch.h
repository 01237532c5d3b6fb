/*
 * acme_ctl_watch.h - acmectl watch: running orders, live.
 */
#ifndef ACME_CTL_WATCH_H
#define ACME_CTL_WATCH_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_watch_options[];

int acme_ctl_watch_run(acme_ctl_command_t *run);

#endif
