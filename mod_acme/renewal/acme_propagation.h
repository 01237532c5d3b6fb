/*
 * acme_propagation.h - wait until all name servers have a record, before the
 * CA looks.
 *
 * A CA may ask any of a zone's servers, and one that lacks the value fails the
 * validation. (8555, 8.4)
 */
#ifndef ACME_PROPAGATION_H
#define ACME_PROPAGATION_H

#include <apr_tables.h>

#include "acme_dns_lookup.h"

typedef struct {
    const char *name;           /* what the CA asks for:
                                   "_acme-challenge.example.org" */
    const char *record;         /* behind all CNAMEs, where the value is set */
    const char *value;          /* of a TXT record there, beside others */
} acme_propagation_record_t;

/*
 * Look at once, then again and again: after 2 s, later and later, and at the
 * latest after the zone's own interval. records holds
 * acme_propagation_record_t.
 *
 * A record is there when each server of its zone that answers has it, and at
 * least one does, and then this machine's resolver (or conf's servers) sees it
 * as well: the CA may share its cache. It is not asked before, so that it does
 * not keep that there is none; if it cannot answer it does not count. Where no
 * server of the zone can be asked, be it that none is found or that none
 * answers, the resolver decides. Records do not wait for each other.
 *
 * APR_SUCCESS when all are there. APR_TIMEUP after most: res names a record and
 * the server or resolver that lacks it, and the caller may well go on.
 * APR_EINTR when stopped. APR_EINVAL when conf is bad.
 */
apr_status_t acme_propagation_wait(const apr_array_header_t *records,
                                   const acme_dns_lookup_conf_t *conf,
                                   apr_interval_time_t most,
                                   acme_result_t *res, apr_pool_t *p);

#endif
