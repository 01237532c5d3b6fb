/*
 * acme_rehearsal_dns.c - what the DNS says of names.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "acme_dns_persist.h"
#include "acme_name.h"
#include "acme_rehearsal_dns.h"

#define LABEL_DNS_01 "_acme-challenge."
#define NOT_IN_TIME "the DNS servers did not answer in time"

/* The lookups of one row. */
typedef struct {
    acme_dns_lookup_t *four;    /* NULL: it is an address */
    acme_dns_lookup_t *six;
    acme_dns_lookup_t *zone;    /* NULL: not wanted */
    acme_dns_lookup_t *persist;
} lookups_t;

/* Those of CAA are by the name, as many names have the same above them. */
typedef struct {
    acme_dns_resolver_t *resolver;
    apr_hash_t *caa;
    apr_array_header_t *all;    /* acme_dns_lookup_t * */
    apr_pool_t *p;
} run_t;

static acme_dns_lookup_t *begin(run_t *run, acme_dns_lookup_t *lookup)
{
    APR_ARRAY_PUSH(run->all, acme_dns_lookup_t *) = lookup;
    return lookup;
}

static acme_dns_lookup_t *begin_records(run_t *run, const char *name,
                                        acme_dns_rr_e type)
{
    return begin(run, acme_dns_lookup_records(run->resolver, name, type,
                                              run->p));
}

/* Of the name and of all above it, each once. (8659, 3) */
static void begin_caa(run_t *run, const char *name)
{
    for (; name; name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL) {
        if (!apr_hash_get(run->caa, name, APR_HASH_KEY_STRING)) {
            apr_hash_set(run->caa, name, APR_HASH_KEY_STRING,
                         begin_records(run, name, ACME_RR_CAA));
        }
    }
}

static lookups_t begin_row(run_t *run, const acme_rehearsal_dns_t *row)
{
    const char *base = acme_name_base(row->name);
    lookups_t lookups = { NULL, NULL, NULL, NULL };

    if (acme_name_is_ip(row->name)) {
        return lookups;
    }
    lookups.four = begin_records(run, base, ACME_RR_A);
    lookups.six = begin_records(run, base, ACME_RR_AAAA);
    begin_caa(run, base);
    if (row->wants_zone) {
        lookups.zone = begin(run, acme_dns_lookup_authority(
            run->resolver, apr_pstrcat(run->p, LABEL_DNS_01, base, NULL),
            run->p));
    }
    if (row->wants_persist) {
        lookups.persist = begin(run, acme_dns_lookup_txt(
            run->resolver, NULL, acme_dns_persist_record(row->name, run->p),
            run->p));
    }
    return lookups;
}

/* Until all are over. */
static apr_status_t wait_for_all(run_t *run, apr_time_t end,
                                 acme_result_t *res)
{
    int i = 0;

    while (i < run->all->nelts) {
        const apr_interval_time_t left = end - apr_time_now();

        if (acme_dns_lookup_is_over(APR_ARRAY_IDX(run->all, i,
                                                  acme_dns_lookup_t *))) {
            i++;
        }
        else if (left <= 0) {
            break;
        }
        else if (acme_dns_lookup_run(run->resolver, left, res) == APR_EINTR) {
            return APR_EINTR;
        }
    }
    return APR_SUCCESS;
}

/* ENOENT: there are none. Else *pwhy says why they are not known. */
static apr_status_t read_values(apr_array_header_t **pvalues,
                                const char **pwhy,
                                const acme_dns_lookup_t *lookup,
                                apr_pool_t *p)
{
    acme_result_t res;
    apr_status_t rv;

    *pvalues = NULL;
    *pwhy = NULL;
    if (!acme_dns_lookup_is_over(lookup)) {
        *pwhy = NOT_IN_TIME;
        return APR_TIMEUP;
    }
    rv = acme_dns_lookup_values(pvalues, lookup, &res);
    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        *pwhy = apr_pstrdup(p, res.detail);
    }
    return rv;
}

static void read_addresses(acme_rehearsal_dns_t *row, const lookups_t *lookups,
                           apr_pool_t *p)
{
    apr_array_header_t *all = apr_array_make(p, 4, sizeof(const char *));
    apr_array_header_t *found;
    const char *why;

    row->addresses = all;
    if (!lookups->four) {
        APR_ARRAY_PUSH(all, const char *) = row->name;
        return;
    }
    if (!read_values(&found, &why, lookups->six, p)) {
        apr_array_cat(all, found);      /* as CAs prefer them */
    }
    row->failed = why;
    if (!read_values(&found, &why, lookups->four, p)) {
        apr_array_cat(all, found);
    }
    if (why) {
        row->failed = why;
    }
    row->is_nxdomain = acme_dns_lookup_is_nxdomain(lookups->four)
        && acme_dns_lookup_is_nxdomain(lookups->six);
}

/* The first name upwards that has records; a failure ends the search, as it
   does for a CA. (8659, 3) */
static void read_caa(acme_rehearsal_dns_t *row, const run_t *run,
                     apr_pool_t *p)
{
    const char *name = acme_name_base(row->name);
    apr_status_t rv = APR_ENOENT;

    for (; name && APR_STATUS_IS_ENOENT(rv);
         name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL) {
        apr_array_header_t *found;

        rv = read_values(&found, &row->caa_failed,
                         apr_hash_get(run->caa, name, APR_HASH_KEY_STRING),
                         p);
        if (rv == APR_SUCCESS) {
            row->caa_at = name;
            row->caa = found;
        }
    }
}

static void read_zone(acme_rehearsal_dns_t *row,
                      const acme_dns_lookup_t *lookup, apr_pool_t *p)
{
    acme_dns_authority_t authority;
    acme_result_t res;

    if (!acme_dns_lookup_is_over(lookup)) {
        row->zone_failed = NOT_IN_TIME;
    }
    else if (acme_dns_lookup_servers(&authority, lookup, &res)) {
        row->zone_failed = apr_pstrdup(p, res.detail);
    }
    else {
        row->record = authority.record;
        row->zone = authority.zone;
        row->servers = authority.servers;
    }
}

static void read_row(acme_rehearsal_dns_t *row, const lookups_t *lookups,
                     const run_t *run)
{
    apr_array_header_t *found;

    read_addresses(row, lookups, run->p);
    if (lookups->four) {
        read_caa(row, run, run->p);
    }
    if (lookups->zone) {
        read_zone(row, lookups->zone, run->p);
    }
    if (lookups->persist) {
        read_values(&found, &row->persist_failed, lookups->persist, run->p);
        row->persist = found;
    }
}

apr_status_t acme_rehearsal_dns_look_up(apr_array_header_t *rows,
                                        const acme_dns_lookup_conf_t *conf,
                                        apr_time_t end, acme_result_t *res,
                                        apr_pool_t *p)
{
    run_t run = { .caa = apr_hash_make(p),
                  .all = apr_array_make(p, 64, sizeof(acme_dns_lookup_t *)),
                  .p = p };
    lookups_t *lookups = apr_pcalloc(p, (apr_size_t)(rows->nelts + 1)
                                     * sizeof(*lookups));
    apr_status_t rv;
    int i;

    rv = acme_dns_lookup_open(&run.resolver, conf, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (i = 0; i < rows->nelts; i++) {
        lookups[i] = begin_row(&run, &APR_ARRAY_IDX(rows, i,
                                                    acme_rehearsal_dns_t));
    }
    rv = wait_for_all(&run, end, res);
    for (i = 0; rv == APR_SUCCESS && i < rows->nelts; i++) {
        read_row(&APR_ARRAY_IDX(rows, i, acme_rehearsal_dns_t), &lookups[i],
                 &run);
    }
    return rv;
}

const char *acme_rehearsal_dns_address(const char *host,
                                       const acme_dns_lookup_conf_t *conf,
                                       apr_time_t end, apr_pool_t *p)
{
    run_t run = { .all = apr_array_make(p, 2, sizeof(acme_dns_lookup_t *)),
                  .p = p };
    acme_dns_lookup_t *lookups[2];
    apr_array_header_t *found;
    acme_result_t ignored;
    const char *why;
    int i;

    if (acme_dns_lookup_open(&run.resolver, conf, &ignored, p)) {
        return NULL;
    }
    lookups[0] = begin_records(&run, host, ACME_RR_AAAA);
    lookups[1] = begin_records(&run, host, ACME_RR_A);
    wait_for_all(&run, end, &ignored);
    for (i = 0; i < 2; i++) {
        if (!read_values(&found, &why, lookups[i], p)) {
            return APR_ARRAY_IDX(found, 0, const char *);
        }
    }
    return NULL;
}
