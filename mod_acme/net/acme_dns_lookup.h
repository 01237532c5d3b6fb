/*
 * acme_dns_lookup.h - the DNS: TXT values, and which servers are responsible.
 *
 * A resolver is used by one thread. Its lookups proceed while that thread is
 * in acme_dns_lookup_run(). Times are in microseconds.
 */
#ifndef ACME_DNS_LOOKUP_H
#define ACME_DNS_LOOKUP_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "acme_dns_message.h"
#include "acme_result.h"
#include "acme_stop.h"

#define ACME_DNS_LOOKUP_TIMEOUT apr_time_from_sec(5)

/* How a resolver queries. */
typedef struct {
    acme_stop_t *stop;          /* ends acme_dns_lookup_run() at once */
    const char *servers;        /* the recursive ones: "127.0.0.1:5353,..." ;
                                   NULL: as the system has them */
    const char *authority_port; /* where name servers of zones listen, for
                                   tests; NULL: 53 */
    apr_interval_time_t timeout;        /* of one query with its retries;
                                           0: ACME_DNS_LOOKUP_TIMEOUT */
} acme_dns_lookup_conf_t;

typedef struct acme_dns_resolver_t acme_dns_resolver_t;

/* The zone of a name, and the servers that are responsible for it. */
typedef struct {
    const char *record;         /* the name behind all CNAMEs that count */
    const char *zone;           /* the zone that it is in */
    const apr_array_header_t *servers;  /* const char *: "192.0.2.1:53",
                                           "[2001:db8::1]:53"; 1 to 16 */
    apr_interval_time_t interval;       /* between lookups, 2 s to 60 s: how
                                           long others may cache that there
                                           is no record (2308, 5) */
} acme_dns_authority_t;

/*
 * A resolver that lives as long as p. conf is copied; its strings and its stop
 * must outlive p. On failure *presolver is NULL, as acme_dns_query_open() has
 * it.
 */
apr_status_t acme_dns_lookup_open(acme_dns_resolver_t **presolver,
                                  const acme_dns_lookup_conf_t *conf,
                                  acme_result_t *res, apr_pool_t *p);

/*
 * One lookup. It ends with the pool that it was begun with, or by
 * acme_dns_lookup_end(); before the resolver does, or with it.
 */
typedef struct acme_dns_lookup_t acme_dns_lookup_t;

/*
 * Begin a lookup of the TXT values of name. server NULL: at the recursive
 * servers, and CNAMEs are followed. Else at that one server ("192.0.2.1:53"),
 * recursion not desired, and no CNAME is followed that leads out of its
 * answer. server and name are copied. Never NULL.
 */
acme_dns_lookup_t *acme_dns_lookup_txt(acme_dns_resolver_t *resolver,
                                       const char *server, const char *name,
                                       apr_pool_t *p);

/*
 * Begin a lookup of the records of one type (A, AAAA, CAA) of name at the
 * recursive servers, CNAMEs followed. name is copied. Never NULL. Its outcome
 * is that of acme_dns_lookup_values(); APR_EGENERAL also when the servers do
 * not know whether there are such records (SERVFAIL).
 */
acme_dns_lookup_t *acme_dns_lookup_records(acme_dns_resolver_t *resolver,
                                           const char *name,
                                           acme_dns_rr_e type, apr_pool_t *p);

/* Is it over, as the name does not exist at all? */
int acme_dns_lookup_is_nxdomain(const acme_dns_lookup_t *lookup);

/*
 * Begin a lookup of the zone of name, which need not exist, and of its
 * servers. A cache is asked for the names above it only: it would keep that
 * name does not exist, and whoever shares it would not see a record that is
 * set a moment later. What is at name, the zone's own servers say; only if
 * none of them answers is the cache asked for a CNAME.
 *
 * CNAMEs are followed, but for one that a wildcard makes: it is meant for
 * hosts, and a record at its name takes its place. name is copied. Never NULL.
 */
acme_dns_lookup_t *acme_dns_lookup_authority(acme_dns_resolver_t *resolver,
                                             const char *name, apr_pool_t *p);

/* The same, and no CNAME is followed: the record is name. */
acme_dns_lookup_t *acme_dns_lookup_zone(acme_dns_resolver_t *resolver,
                                        const char *name, apr_pool_t *p);

/* Did lookup succeed or fail? Then its outcome can be read, and no earlier. */
int acme_dns_lookup_is_over(const acme_dns_lookup_t *lookup);

/*
 * The outcome of acme_dns_lookup_txt() or acme_dns_lookup_records(), once it is
 * over: the values as acme_dns_rr_t has them, and the status of
 * acme_dns_lookup_txt_wait() below. The values are the lookup's; on
 * failure *pvalues is NULL.
 */
apr_status_t acme_dns_lookup_values(apr_array_header_t **pvalues,
                                    const acme_dns_lookup_t *lookup,
                                    acme_result_t *res);

/*
 * The outcome of the two above, once it is over: 1 to 16 servers.
 * The strings are the lookup's. On failure *out is zeros: APR_ENOENT when no
 * zone is found, APR_TIMEUP when a server did not answer, else APR_EGENERAL.
 */
apr_status_t acme_dns_lookup_servers(acme_dns_authority_t *out,
                                     const acme_dns_lookup_t *lookup,
                                     acme_result_t *res);

/* End a lookup, over or not, and free it with its outcome. */
void acme_dns_lookup_end(acme_dns_lookup_t *lookup);

/*
 * Let all lookups proceed. APR_SUCCESS when a query is answered or failed,
 * which need not end a lookup; APR_TIMEUP when none was for most; APR_EINTR
 * when stopped.
 */
apr_status_t acme_dns_lookup_run(acme_dns_resolver_t *resolver,
                                 apr_interval_time_t most, acme_result_t *res);

/* acme_dns_query_now(), for callers of lookups. */
apr_time_t acme_dns_lookup_now(void);

/*
 * Look up TXT values of name at the recursive servers, and wait for them. At
 * most 64, in p: const char *, the character-strings of a record joined, each
 * at most 4096 octets of 0x20 to 0x7e; other values are left out.
 *
 * On failure *pvalues is NULL: APR_ENOENT when there are no values, APR_TIMEUP
 * when no server answered, APR_EINTR when stopped, else APR_EGENERAL.
 */
apr_status_t acme_dns_lookup_txt_wait(apr_array_header_t **pvalues,
                                      acme_dns_resolver_t *resolver,
                                      const char *name, acme_result_t *res,
                                      apr_pool_t *p);

#endif
