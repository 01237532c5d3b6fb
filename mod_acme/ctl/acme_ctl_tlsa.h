/*
 * acme_ctl_tlsa.h - acmectl tlsa: the records for DANE of a certificate.
 */
#ifndef ACME_CTL_TLSA_H
#define ACME_CTL_TLSA_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_tlsa_options[];

int acme_ctl_tlsa_run(acme_ctl_command_t *run);

#endif
