/*
 * acme_ctl_nagios.h - acmectl status --nagios: one line, as Nagios' plugins
 * print it, and its exit code.
 */
#ifndef ACME_CTL_NAGIOS_H
#define ACME_CTL_NAGIOS_H

#include "acme_ctl_health.h"

/*
 * The line about all certificates, in p, without a newline and without a
 * control character; *phealth, the exit code, is that of the most urgent one.
 * is_running: an httpd answers; else it is a warning at least.
 *
 * "ACME WARNING - 1 of 3 certificates: www.example.org failed
 * (port-80-unreachable), expires in 13 days | certificates=3;;;0 ...".
 */
const char *acme_ctl_nagios_line(acme_ctl_health_e *phealth,
                                 const apr_array_header_t *certs,
                                 acme_ctl_health_days_t days, int is_running,
                                 apr_time_t now, apr_pool_t *p);

/* The same when nothing is known, because of what detail says. */
const char *acme_ctl_nagios_unknown(const char *detail, apr_pool_t *p);

#endif
