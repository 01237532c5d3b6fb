/*
 * acme_published.h - the answers to challenges that are published outside of
 * this server, or are being published or removed: TXT records of dns-01 and
 * tokens of http-01. (8555, 8.3 and 8.4)
 *
 * Commands run side by side, but never two for one value of one record, and
 * those of AcmeHttp exec for one certificate one after the other, as scripts of
 * certbot's expect. How many wait is bounded by the configuration, whatever a
 * worker asks for. A token is remembered in the store before it is published,
 * and so is a record that belongs to no order: of a dry run or a rehearsal.
 * Those are removed by the keeper when whoever published them does not do it.
 */
#ifndef ACME_PUBLISHED_H
#define ACME_PUBLISHED_H

#include "acme_hook_run.h"
#include "acme_publish_job.h"
#include "acme_store.h"

#define ACME_PUBLISHED_FDS ACME_HOOK_FDS

typedef struct acme_published_t acme_published_t;

acme_published_t *acme_published_create(const acme_log_t *log, apr_pool_t *p);

/*
 * Begin to publish; acme_published_result() has the result. what is copied; its
 * id, names, dns and http live as long as records.
 *
 * After a failure nothing was begun: APR_EINVAL for an invalid name, token or
 * value (ACME_RETRY_NEVER), the failures of acme_dns_command_check() and of a
 * token that cannot be remembered, APR_ENOSPC for too many: a certificate has
 * room for two values of each of its names, and the oldest record that is idle
 * is forgotten for another.
 */
apr_status_t acme_published_present(acme_published_t *records,
                                    const acme_publish_job_t *what,
                                    acme_result_t *res);

/*
 * Begin to remove it, after its present if that still runs, and not while
 * another certificate needs the same value. It may be one that was never
 * published here, or could not be: a record is removed nevertheless. Failures
 * as above; a failure of the command is only logged, but from a webroot it is
 * tried again for a week, first after a minute, and nobody waits for that. The
 * command goes on when the keeper ends.
 */
apr_status_t acme_published_cleanup(acme_published_t *records,
                                    const acme_publish_job_t *what,
                                    acme_result_t *res);

/* The same of all tokens of http-01 that the certificate has. */
void acme_published_cleanup_tokens(acme_published_t *records,
                                   apr_uint32_t cert);

/* Is any being published, or removed for the first time? */
int acme_published_busy(const acme_published_t *records);

/* Does a command run or wait for the certificate, but for a rehearsal? */
int acme_published_running(const acme_published_t *records, apr_uint32_t cert);

/*
 * The first failure among the presents of the certificate that have ended, but
 * for those of a rehearsal, or APR_SUCCESS. A failure that was returned once is
 * forgotten with the next present or with the cleanup.
 */
apr_status_t acme_published_result(acme_published_t *records,
                                   apr_uint32_t cert, acme_result_t *res);

/*
 * Why the last present of it failed, which has ended; APR_SUCCESS for one that
 * did not, or that is not known (any more).
 */
apr_status_t acme_published_outcome(const acme_published_t *records,
                                    const acme_publish_job_t *what,
                                    acme_result_t *res);

/* For the loop: as acme_hook_run_poll(), acme_hook_run_wake() and
   acme_hook_run_step(). */
int acme_published_poll(const acme_published_t *records, struct pollfd *fds);
apr_time_t acme_published_wake(const acme_published_t *records,
                               apr_time_t now);
int acme_published_step(acme_published_t *records, apr_time_t now);

#endif
