/*
 * acme_dns_records.h - the TXT records of dns-01 that are set, or are being set
 * or removed. (8555, 8.4)
 *
 * Commands run side by side, but never two for one value of one record. How
 * many wait is bounded by the configuration, whatever a worker asks for.
 */
#ifndef ACME_DNS_RECORDS_H
#define ACME_DNS_RECORDS_H

#include "acme_dns_command.h"
#include "acme_hook_run.h"

#define ACME_RECORD_VALUE_LEN 43        /* base64url of SHA-256 (8555, 8.4) */
#define ACME_RECORD_FDS ACME_HOOK_FDS

typedef struct acme_dns_records_t acme_dns_records_t;

acme_dns_records_t *acme_dns_records_create(const acme_log_t *log,
                                            apr_pool_t *p);

/*
 * Begin to set a record; acme_dns_records_result() has the result. what is
 * copied; its id and names, and dns, live as long as records.
 *
 * After a failure nothing was begun: APR_EINVAL for an invalid name, token or
 * value (ACME_RETRY_NEVER), the failures of acme_dns_command_check(),
 * APR_ENOSPC for too many records: a certificate has room for two values of
 * each of its names, and the oldest one that is idle is forgotten for another.
 */
apr_status_t acme_dns_records_present(acme_dns_records_t *records,
                                      const acme_dns_command_job_t *what,
                                      const acme_dns_conf_t *dns,
                                      acme_result_t *res);

/*
 * Begin to remove a record, after its present if that still runs, and not
 * while another certificate needs the same value. The record may be one that
 * was never set here, or could not be. Failures as above; a failure of the
 * command is only logged. The command goes on when the keeper ends.
 */
apr_status_t acme_dns_records_cleanup(acme_dns_records_t *records,
                                      const acme_dns_command_job_t *what,
                                      const acme_dns_conf_t *dns,
                                      acme_result_t *res);

/* Is any record being set or removed? */
int acme_dns_records_busy(const acme_dns_records_t *records);

/* Does a command run or wait for the certificate? */
int acme_dns_records_running(const acme_dns_records_t *records,
                             apr_uint32_t cert);

/*
 * The first failure among the presents of the certificate that have ended, or
 * APR_SUCCESS. A failure that was returned once is forgotten with the next
 * present or with the cleanup.
 */
apr_status_t acme_dns_records_result(acme_dns_records_t *records,
                                     apr_uint32_t cert, acme_result_t *res);

/*
 * Why the last present of this record failed, which has ended; APR_SUCCESS for
 * one that did not, or that is not known (any more).
 */
apr_status_t acme_dns_records_outcome(const acme_dns_records_t *records,
                                      const acme_dns_command_job_t *what,
                                      acme_result_t *res);

/* For the loop: as acme_hook_run_poll(), acme_hook_run_wake() and
   acme_hook_run_step(). */
int acme_dns_records_poll(const acme_dns_records_t *records,
                          struct pollfd *fds);
apr_time_t acme_dns_records_wake(const acme_dns_records_t *records,
                                 apr_time_t now);
int acme_dns_records_step(acme_dns_records_t *records, apr_time_t now);

#endif
