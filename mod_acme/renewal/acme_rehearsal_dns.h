/*
 * acme_rehearsal_dns.h - what the DNS says of names, all asked side by side.
 */
#ifndef ACME_REHEARSAL_DNS_H
#define ACME_REHEARSAL_DNS_H

#include <apr_tables.h>

#include "acme_dns_lookup.h"

/* A lookup that failed. */
typedef struct {
    const char *why;            /* NULL: it did not fail */
    int is_ours;                /* it says nothing of the name: there was no
                                   answer, or the resolver answers nothing */
} acme_rehearsal_dns_failure_t;

/* A name, and what to ask; the answers are in p of the call. */
typedef struct {
    const char *name;           /* of a certificate; addresses ask nothing */
    int wants_zone;             /* of its record for dns-01 */
    int wants_persist;          /* its record for dns-persist-01 */

    const apr_array_header_t *addresses;        /* const char *; never NULL */
    int is_nxdomain;
    acme_rehearsal_dns_failure_t failed;        /* of one of A and AAAA */
    const char *caa_at;         /* the name with the CAA records that count;
                                   NULL: there are none */
    const apr_array_header_t *caa;      /* const char *, of caa_at */
    acme_rehearsal_dns_failure_t caa_failed;
    const char *record;         /* for dns-01, behind its CNAMEs; NULL */
    const char *zone;
    const apr_array_header_t *servers;  /* const char *, of that zone */
    acme_rehearsal_dns_failure_t zone_failed;
    const apr_array_header_t *persist;  /* const char *; NULL: no record */
    acme_rehearsal_dns_failure_t persist_failed;
} acme_rehearsal_dns_t;

/*
 * Fill rows (acme_rehearsal_dns_t) until end, a time of acme_dns_lookup_now().
 * What is not answered by then has failed. APR_EINTR when stopped, else
 * APR_SUCCESS; another status when there is no resolver, of which res says why.
 */
apr_status_t acme_rehearsal_dns_look_up(apr_array_header_t *rows,
                                        const acme_dns_lookup_conf_t *conf,
                                        apr_time_t end, acme_result_t *res,
                                        apr_pool_t *p);

/*
 * The addresses of a host that a redirect leads to, const char * in p, as CAs
 * prefer them; none: they failed, or there are none. Never NULL.
 */
apr_array_header_t *acme_rehearsal_dns_addresses(
    acme_rehearsal_dns_failure_t *failed, const char *host,
    const acme_dns_lookup_conf_t *conf, apr_time_t end, apr_pool_t *p);

#endif
