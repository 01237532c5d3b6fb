/*
 * acme_dns_query.h - queries to DNS servers, many side by side.
 *
 * The one place that knows c-ares. A set of queries is used by one thread;
 * they proceed, and callbacks are called, in acme_dns_query_run() only.
 */
#ifndef ACME_DNS_QUERY_H
#define ACME_DNS_QUERY_H

#include <apr_pools.h>

#include "acme_dns_message.h"
#include "acme_result.h"
#include "acme_stop.h"

/* A set of queries, which share servers, a timeout and a stop. */
typedef struct acme_dns_queries_t acme_dns_queries_t;

/* One query: valid until its callback is called or it is cancelled. */
typedef struct acme_dns_query_t acme_dns_query_t;

/*
 * The outcome of a query, called once; the query is invalid from then on. On
 * success message is the reply, len octets, of which NXDOMAIN may be the
 * rcode. On failure message is NULL, why has the reason, and rv is APR_TIMEUP
 * or APR_EGENERAL. message and why are valid during the call only, in which
 * queries may be sent and others cancelled.
 */
typedef void acme_dns_query_cb(void *baton, apr_status_t rv, const char *why,
                               const unsigned char *message, apr_size_t len);

/*
 * servers: the recursive ones, "127.0.0.1:5353,[::1]:53"; NULL: as the system
 * has them. timeout: microseconds, of one query with its retries. servers and
 * stop must outlive p; queries that are under way when p is destroyed end
 * without a callback.
 *
 * On failure *pall is NULL: APR_EINVAL, for good, when servers are written
 * otherwise; APR_EGENERAL when c-ares does not start.
 */
apr_status_t acme_dns_query_open(acme_dns_queries_t **pall, acme_stop_t *stop,
                                 const char *servers,
                                 apr_interval_time_t timeout,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * Send a query for name and type (class IN) to a server ("192.0.2.1:53"),
 * recursion not desired; with NULL, to the recursive ones. It begins when
 * there is room: at most 64 servers are queried at a time, each with at most
 * 64 queries. server and name are copied; baton must live until cb is called
 * or the query cancelled. NULL when there is no memory: cb is not called then.
 */
acme_dns_query_t *acme_dns_query_send(acme_dns_queries_t *all,
                                      const char *server, const char *name,
                                      acme_dns_rr_e type,
                                      acme_dns_query_cb *cb, void *baton);

/* The callback is not called any more; the query is invalid from then on. */
void acme_dns_query_cancel(acme_dns_query_t *query);

/*
 * Let all queries proceed. APR_SUCCESS as soon as a callback was called,
 * APR_TIMEUP when that takes longer than most (microseconds), APR_EINTR when
 * stopped.
 */
apr_status_t acme_dns_query_run(acme_dns_queries_t *all,
                                apr_interval_time_t most, acme_result_t *res);

/*
 * Microseconds of a clock that cannot be set (CLOCK_MONOTONIC): for intervals,
 * it has no date.
 */
apr_time_t acme_dns_query_now(void);

#endif
