/*
 * acme_dns_query.h - questions to DNS servers, many side by side.
 *
 * The one place that knows c-ares. A set of questions is used by one thread;
 * nothing happens to them but in acme_dns_query_run().
 */
#ifndef ACME_DNS_QUERY_H
#define ACME_DNS_QUERY_H

#include <apr_pools.h>

#include "acme_dns_message.h"
#include "acme_result.h"
#include "acme_stop.h"

typedef struct acme_dns_queries_t acme_dns_queries_t;
typedef struct acme_dns_query_t acme_dns_query_t;

/*
 * Called once with the answer to a query, which no longer exists then. On
 * failure why says the reason in words, and message is NULL. The octets are
 * valid during the call, which may send further queries and cancel others.
 */
typedef void acme_dns_query_cb(void *baton, apr_status_t rv, const char *why,
                               const unsigned char *message, apr_size_t len);

/*
 * servers: the recursive ones, "127.0.0.1:5353,[::1]:53"; NULL: as the system
 * has them. APR_EINVAL when they are written otherwise. timeout: of one
 * question with its retries. Text and stop must outlive p; what is still
 * under way when p is destroyed is not reported.
 */
apr_status_t acme_dns_query_open(acme_dns_queries_t **pall, acme_stop_t *stop,
                                 const char *servers,
                                 apr_interval_time_t timeout,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * Ask the server ("192.0.2.1:53"), recursion not desired; with NULL, the
 * recursive ones. It begins when there is room: at most 64 servers are asked
 * at a time, each at most 64 questions. The text is copied.
 */
acme_dns_query_t *acme_dns_query_send(acme_dns_queries_t *all,
                                      const char *server, const char *name,
                                      acme_dns_rr_e type,
                                      acme_dns_query_cb *cb, void *baton);

/* Never call back for this query, which must not have been reported. */
void acme_dns_query_cancel(acme_dns_query_t *question);

/*
 * Run the queries. APR_SUCCESS as soon as one was reported, APR_TIMEUP when
 * that takes longer than most (microseconds), APR_EINTR when stopped.
 */
apr_status_t acme_dns_query_run(acme_dns_queries_t *all,
                                apr_interval_time_t most, acme_result_t *res);

/* A clock that nobody sets: for intervals, it has no date. */
apr_time_t acme_dns_query_now(void);

#endif
