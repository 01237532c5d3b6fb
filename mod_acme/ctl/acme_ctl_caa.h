/*
 * acme_ctl_caa.h - acmectl caa: the CAA records that allow a certificate.
 */
#ifndef ACME_CTL_CAA_H
#define ACME_CTL_CAA_H

#include "acme_ctl_command.h"

extern const acme_ctl_option_t acme_ctl_caa_options[];

int acme_ctl_caa_run(acme_ctl_command_t *run);

#endif
