/*
 * acme_export_queue.h - the copies of AcmeExport, from the keeper's side: when
 * each is written, and what is told of it.
 *
 * A keeper begins with each load of httpd, so it begins with all of them; with
 * those of one certificate again when running workers were given another one.
 * What is there already, as it should be, stays (acme_export_job.h). One that
 * fails is tried again, later and later, until this load ends. A directive
 * whose folder does not answer has one job at a time, and does not hold up
 * others.
 */
#ifndef ACME_EXPORT_QUEUE_H
#define ACME_EXPORT_QUEUE_H

#include "acme_process.h"
#include "acme_registry.h"

#define ACME_EXPORTS_AT_ONCE 4
#define ACME_EXPORT_FDS (ACME_EXPORTS_AT_ONCE * ACME_PROCESS_FDS)

typedef struct acme_export_queue_t acme_export_queue_t;

/* For the certificates that are served. With p the jobs end. */
acme_export_queue_t *acme_export_queue_create(acme_registry_t *registry,
                                              apr_pool_t *p);

/* Fill fds with what to poll for, at most ACME_EXPORT_FDS. Returns how many. */
int acme_export_queue_poll(const acme_export_queue_t *queue,
                           struct pollfd *fds);

/* Call acme_export_queue_step() at this time at the latest; 0: all is done. */
apr_time_t acme_export_queue_wake(const acme_export_queue_t *queue,
                                  apr_time_t now);

/* Until when a command that has other programs read the copies of the
   certificate anew waits for them, at most: 10 minutes after it was served; 0:
   they are all there. */
apr_time_t acme_export_queue_wait(const acme_export_queue_t *queue,
                                  apr_uint32_t cert);

/* A number that changes when the copies of a certificate are all there. */
apr_uint64_t acme_export_queue_changes(const acme_export_queue_t *queue);

/* Start and end jobs. */
void acme_export_queue_step(acme_export_queue_t *queue, apr_time_t now,
                            apr_pool_t *p);

#endif
