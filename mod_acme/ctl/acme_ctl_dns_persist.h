/*
 * acme_ctl_dns_persist.h - acmectl dns-persist: the records of dns-persist-01.
 */
#ifndef ACME_CTL_DNS_PERSIST_H
#define ACME_CTL_DNS_PERSIST_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_dns_persist_options[];

int acme_ctl_dns_persist_run(acme_ctl_command_t *run);

#endif
