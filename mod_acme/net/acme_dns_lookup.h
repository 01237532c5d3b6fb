/*
 * acme_dns_lookup.h - the DNS: TXT values, and which servers are responsible.
 *
 * A resolver is used by one thread. A lookup goes on while that thread is in
 * acme_dns_lookup_run().
 */
#ifndef ACME_DNS_LOOKUP_H
#define ACME_DNS_LOOKUP_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "acme_result.h"
#include "acme_stop.h"

#define ACME_DNS_LOOKUP_TIMEOUT apr_time_from_sec(5)

typedef struct {
    acme_stop_t *stop;          /* leaves at once */
    const char *servers;        /* the recursive ones: "127.0.0.1:5353,..." ;
                                   NULL: as the system has them */
    const char *authority_port; /* where name servers of zones listen, for
                                   tests; NULL: 53 */
    apr_interval_time_t timeout; /* of one question with its retries;
                                           0: ACME_DNS_LOOKUP_TIMEOUT */
} acme_dns_lookup_conf_t;

typedef struct acme_dns_resolver_t acme_dns_resolver_t;

/* The zone of a name and its name servers. */
typedef struct {
    const char *record;         /* the name behind all CNAMEs */
    const char *zone;           /* the zone that it is in */
    const apr_array_header_t *servers;  /* const char *: "192.0.2.1:53",
                                           "[2001:db8::1]:53"; 1 to 16 */
    apr_interval_time_t interval;       /* between looks, 2 s to 60 s: how
                                           long the zone lets others remember
                                           that there is none (2308, 5) */
} acme_dns_authority_t;

/* conf is copied; its strings and its stop must outlive p. */
apr_status_t acme_dns_lookup_open(acme_dns_resolver_t **presolver,
                                  const acme_dns_lookup_conf_t *conf,
                                  acme_result_t *res, apr_pool_t *p);

/*
 * One lookup. It ends with p, or by acme_dns_lookup_end(); p must not outlive
 * the resolver.
 */
typedef struct acme_dns_lookup_t acme_dns_lookup_t;

/*
 * TXT values of name. server NULL: as the recursive servers see it, CNAMEs
 * followed. Else that one server ("192.0.2.1:53") is asked, recursion not
 * desired, and no CNAME followed that leads out of its answer.
 */
acme_dns_lookup_t *acme_dns_lookup_txt(acme_dns_resolver_t *resolver,
                                       const char *server, const char *name,
                                       apr_pool_t *p);

/*
 * Find the zone of name, which need not exist, and its name servers. The zone
 * is the owner of the SOA, which comes with a negative answer or is found at a
 * parent. Success means at least one server.
 */
acme_dns_lookup_t *acme_dns_lookup_authority(acme_dns_resolver_t *resolver,
                                             const char *name, apr_pool_t *p);

/* True once the result, or a failure, is there. */
int acme_dns_lookup_is_over(const acme_dns_lookup_t *lookup);

/*
 * The result of a lookup that is over, in the lookup's pool: TXT values as
 * acme_dns_lookup_txt_wait() returns them, or zone and name servers. On
 * failure the status and res are the lookup's.
 */
apr_status_t acme_dns_lookup_values(apr_array_header_t **pvalues,
                                    const acme_dns_lookup_t *lookup,
                                    acme_result_t *res);
apr_status_t acme_dns_lookup_servers(acme_dns_authority_t *out,
                                     const acme_dns_lookup_t *lookup,
                                     acme_result_t *res);

/* End a lookup, over or not; its result must not be used afterwards. */
void acme_dns_lookup_end(acme_dns_lookup_t *lookup);

/*
 * Let all lookups go on. APR_SUCCESS when something came, which need not end
 * a lookup; APR_TIMEUP when nothing did for most; APR_EINTR when stopped.
 */
apr_status_t acme_dns_lookup_run(acme_dns_resolver_t *resolver,
                                 apr_interval_time_t most, acme_result_t *res);

/* A clock that nobody sets: for intervals, it has no date. */
apr_time_t acme_dns_lookup_now(void);

/*
 * TXT values of name, at most 64: const char *, the character-strings of a
 * record joined, each at most 4096 octets of 0x20 to 0x7e; what is not such
 * a text is left out. APR_ENOENT when there are none, APR_TIMEUP when nobody
 * answered, APR_EINTR when stopped.
 */
apr_status_t acme_dns_lookup_txt_wait(apr_array_header_t **pvalues,
                                      acme_dns_resolver_t *resolver,
                                      const char *name, acme_result_t *res,
                                      apr_pool_t *p);

#endif
