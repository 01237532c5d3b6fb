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
    int has_answers;            /* the servers do answer */
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
        const apr_interval_time_t left = end - acme_dns_lookup_now();

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

/* ENOENT: there are none. Else *failed says why they are not known. */
static apr_status_t read_values(apr_array_header_t **pvalues,
                                acme_rehearsal_dns_failure_t *failed,
                                const acme_dns_lookup_t *lookup,
                                const run_t *run)
{
    acme_result_t res;
    apr_status_t rv;

    *pvalues = NULL;
    memset(failed, 0, sizeof(*failed));
    if (!acme_dns_lookup_is_over(lookup)) {
        failed->why = NOT_IN_TIME;
        failed->is_ours = 1;
        return APR_TIMEUP;
    }
    rv = acme_dns_lookup_values(pvalues, lookup, &res);
    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        failed->why = apr_pstrdup(run->p, res.detail);
        failed->is_ours = rv == APR_TIMEUP || !run->has_answers;
    }
    return rv;
}

/* Is one of the CAA lookups answered? Those of the topmost names mostly are. */
static int has_answers(const run_t *run)
{
    apr_hash_index_t *at;

    for (at = apr_hash_first(run->p, run->caa); at; at = apr_hash_next(at)) {
        const acme_dns_lookup_t *lookup = apr_hash_this_val(at);
        apr_array_header_t *ignored;
        acme_result_t res;
        apr_status_t rv;

        if (acme_dns_lookup_is_over(lookup)) {
            rv = acme_dns_lookup_values(&ignored, lookup, &res);
            if (rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv)) {
                return 1;
            }
        }
    }
    return 0;
}

static void read_addresses(acme_rehearsal_dns_t *row, const lookups_t *lookups,
                           const run_t *run)
{
    apr_array_header_t *all = apr_array_make(run->p, 4, sizeof(const char *));
    acme_rehearsal_dns_failure_t failed;
    apr_array_header_t *found;

    row->addresses = all;
    if (!lookups->four) {
        APR_ARRAY_PUSH(all, const char *) = row->name;
        return;
    }
    if (!read_values(&found, &row->failed, lookups->six, run)) {
        apr_array_cat(all, found);      /* as CAs prefer them */
    }
    if (!read_values(&found, &failed, lookups->four, run)) {
        apr_array_cat(all, found);
    }
    if (failed.why) {
        row->failed = failed;
    }
    row->is_nxdomain = acme_dns_lookup_is_nxdomain(lookups->four)
        && acme_dns_lookup_is_nxdomain(lookups->six);
}

/* The first name upwards that has records; a failure ends the search, as it
   does for a CA. (8659, 3) */
static void read_caa(acme_rehearsal_dns_t *row, const run_t *run)
{
    const char *name = acme_name_base(row->name);
    apr_status_t rv = APR_ENOENT;

    for (; name && APR_STATUS_IS_ENOENT(rv);
         name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL) {
        apr_array_header_t *found;

        rv = read_values(&found, &row->caa_failed,
                         apr_hash_get(run->caa, name, APR_HASH_KEY_STRING),
                         run);
        if (rv == APR_SUCCESS) {
            row->caa_at = name;
            row->caa = found;
        }
    }
}

static void read_zone(acme_rehearsal_dns_t *row,
                      const acme_dns_lookup_t *lookup, const run_t *run)
{
    acme_dns_authority_t authority;
    acme_result_t res;
    apr_status_t rv;

    if (!acme_dns_lookup_is_over(lookup)) {
        row->zone_failed.why = NOT_IN_TIME;
        row->zone_failed.is_ours = 1;
        return;
    }
    rv = acme_dns_lookup_servers(&authority, lookup, &res);
    if (rv != APR_SUCCESS) {
        row->zone_failed.why = apr_pstrdup(run->p, res.detail);
        row->zone_failed.is_ours = rv == APR_TIMEUP || !run->has_answers;
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

    read_addresses(row, lookups, run);
    if (lookups->four) {
        read_caa(row, run);
    }
    if (lookups->zone) {
        read_zone(row, lookups->zone, run);
    }
    if (lookups->persist) {
        read_values(&found, &row->persist_failed, lookups->persist, run);
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
    run.has_answers = has_answers(&run);
    for (i = 0; rv == APR_SUCCESS && i < rows->nelts; i++) {
        read_row(&APR_ARRAY_IDX(rows, i, acme_rehearsal_dns_t), &lookups[i],
                 &run);
    }
    return rv;
}

apr_array_header_t *acme_rehearsal_dns_addresses(
    acme_rehearsal_dns_failure_t *failed, const char *host,
    const acme_dns_lookup_conf_t *conf, apr_time_t end, apr_pool_t *p)
{
    acme_rehearsal_dns_t row = { .name = host };
    run_t run = { .caa = apr_hash_make(p),
                  .all = apr_array_make(p, 2, sizeof(acme_dns_lookup_t *)),
                  .has_answers = 1, .p = p };
    lookups_t lookups = { NULL, NULL, NULL, NULL };
    acme_result_t ignored;

    memset(failed, 0, sizeof(*failed));
    if (acme_dns_lookup_open(&run.resolver, conf, &ignored, p)) {
        failed->why = NOT_IN_TIME;
        failed->is_ours = 1;
        return apr_array_make(p, 1, sizeof(const char *));
    }
    lookups.six = begin_records(&run, host, ACME_RR_AAAA);
    lookups.four = begin_records(&run, host, ACME_RR_A);
    wait_for_all(&run, end, &ignored);
    read_addresses(&row, &lookups, &run);
    *failed = row.failed;
    return apr_array_copy(p, row.addresses);
}
