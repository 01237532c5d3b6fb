/*
 * acme_ctl_health.h - how urgent a certificate is: for the order of a list, for
 * colours, and for Nagios.
 */
#ifndef ACME_CTL_HEALTH_H
#define ACME_CTL_HEALTH_H

#include "acme_ctl_keeper.h"

/* Nagios' levels and exit codes. */
typedef enum {
    ACME_CTL_HEALTH_OK,
    ACME_CTL_HEALTH_WARNING,
    ACME_CTL_HEALTH_CRITICAL,
    ACME_CTL_HEALTH_UNKNOWN
} acme_ctl_health_e;

/* Days before the expiry; -1: AcmeWarnWindow decides. */
typedef struct {
    int warning;
    int critical;
} acme_ctl_health_days_t;

extern const acme_ctl_health_days_t acme_ctl_health_no_days;

/*
 * Critical is what visitors notice, or soon will: the certificate is expired or
 * was revoked; something else is served in its place; orders fail and there is
 * none yet, or it is in its warn window; or it expires within days->critical.
 *
 * A warning is everything else that needs the administrator, the warn window or
 * days->warning, and a certificate that was not issued yet. A deleted one is
 * OK: that is what the administrator wanted.
 */
acme_ctl_health_e acme_ctl_health_of(const acme_ctl_cert_t *cert,
                                     acme_ctl_health_days_t days,
                                     apr_time_t now);

/* "OK", "WARNING", "CRITICAL", "UNKNOWN": constant. */
const char *acme_ctl_health_word(acme_ctl_health_e health);

/*
 * The certificates as pointers, const acme_ctl_cert_t *, in p, the most urgent
 * first: by their health, then those with an order under way, then by expiry.
 */
apr_array_header_t *acme_ctl_health_sort(const apr_array_header_t *certs,
                                         apr_time_t now, apr_pool_t *p);

#endif
