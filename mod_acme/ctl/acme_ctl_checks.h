/*
 * acme_ctl_checks.h - what was checked of a certificate, each with its result.
 */
#ifndef ACME_CTL_CHECKS_H
#define ACME_CTL_CHECKS_H

#include "acme_ctl_keeper.h"

typedef enum {
    ACME_CTL_CHECKS_OK,
    ACME_CTL_CHECKS_WAITS,      /* for a time or for somebody */
    ACME_CTL_CHECKS_FAILED,
    ACME_CTL_CHECKS_UNKNOWN
} acme_ctl_checks_result_e;

typedef struct {
    const char *name;           /* "self check *:443" */
    acme_ctl_checks_result_e result;
    const char *detail;         /* not escaped; "" */
} acme_ctl_check_t;

/* The checks (acme_ctl_check_t) in p; details may be cert's. */
apr_array_header_t *acme_ctl_checks_make(const acme_ctl_cert_t *cert,
                                         apr_time_t now, apr_pool_t *p);

/* "ok", "waits", "failed", "unknown": constant. */
const char *acme_ctl_checks_word(acme_ctl_checks_result_e result);

#endif
