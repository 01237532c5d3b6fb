/*
 * acme_stop.h - leave now: one flag that ends every wait and transfer.
 *
 * A child of httpd that must go runs exit() under its threads, and a thread
 * inside OpenSSL crashes then. So whoever waits, waits on this as well.
 */
#ifndef ACME_STOP_H
#define ACME_STOP_H

#include <apr_pools.h>
#include <apr_time.h>

typedef struct acme_stop_t acme_stop_t;

/* Made once, lives as long as p. Its descriptors are close-on-exec. */
apr_status_t acme_stop_create(acme_stop_t **pstop, apr_pool_t *p);

/* From any thread; async-signal-safe. Everything that waits returns. */
void acme_stop_now(acme_stop_t *stop);

/* Was acme_stop_now() called? From any thread. */
int acme_stop_is(const acme_stop_t *stop);

/* APR_SUCCESS after the time has passed, APR_EINTR as soon as stopped. */
apr_status_t acme_stop_wait(acme_stop_t *stop, apr_interval_time_t time);

/* Readable from acme_stop_now() on, for whoever has a poll of his own. */
int acme_stop_fd(const acme_stop_t *stop);

#endif
