/*
 * acme_stop.h - one flag that ends every wait and transfer of a process.
 *
 * A child of httpd that must end runs exit() under its threads, and a thread
 * inside OpenSSL crashes then. So every wait of ours is on the stop as well.
 */
#ifndef ACME_STOP_H
#define ACME_STOP_H

#include <apr_pools.h>
#include <apr_time.h>

typedef struct acme_stop_t acme_stop_t;

/*
 * A stop that is not stopped yet. It lives as long as p; its two descriptors
 * are close-on-exec. On failure *pstop is NULL and the status is the errno of
 * pipe2(2).
 */
apr_status_t acme_stop_create(acme_stop_t **pstop, apr_pool_t *p);

/*
 * Stop, for good. Every wait on the stop ends. May be called from any thread
 * and from a signal handler, and more than once.
 */
void acme_stop_now(acme_stop_t *stop);

/* Was acme_stop_now() called? */
int acme_stop_is(const acme_stop_t *stop);

/*
 * Wait for time (microseconds; a clock that is set meanwhile changes nothing).
 * APR_SUCCESS after it, APR_EINTR as soon as stopped. 0 or less only looks.
 */
apr_status_t acme_stop_wait(acme_stop_t *stop, apr_interval_time_t time);

/*
 * A descriptor that is readable from acme_stop_now() on, for a caller with a
 * poll() of its own, which neither reads nor closes it.
 */
int acme_stop_fd(const acme_stop_t *stop);

#endif
