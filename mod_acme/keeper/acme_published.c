/*
 * acme_published.c - TXT records of dns-01 and tokens of http-01.
 */
#include "acme_dns_command.h"
#include "acme_published.h"
#include "acme_published_command.h"
#include "acme_time.h"

/* Whoever publishes for a dry run or a rehearsal has ended after this, or was
   killed: nobody goes on with it, so the keeper removes it. */
#define DRY_RUN_MAX apr_time_from_sec(35 * 60)
#define REHEARSAL_MAX apr_time_from_sec(60)

acme_published_t *acme_published_create(const acme_log_t *log, apr_pool_t *p)
{
    acme_published_t *records = apr_pcalloc(p, sizeof(*records));

    records->log = log;
    records->hooks = acme_hook_run_create(log, p);
    records->p = p;
    return records;
}

/* Check the job, and find or make its record. */
static apr_status_t prepare(acme_published_record_t **precord,
                            acme_published_t *records,
                            const acme_publish_job_t *what, acme_result_t *res)
{
    const char *name;
    apr_status_t rv;
    apr_pool_t *p;

    *precord = NULL;
    apr_pool_create(&p, records->p);
    rv = acme_publish_check(&name, what, res, p);
    if (rv == APR_SUCCESS && what->dns) {
        rv = acme_dns_command_check(what->dns, res, p);
    }
    if (rv == APR_SUCCESS) {
        *precord = acme_published_table_want(records, name, what);
        if (*precord) {
            acme_published_table_keep_job(*precord, what);
        }
        else {
            rv = acme_fail(
                res, APR_ENOSPC,
                "%s: too much of this certificate is being published already",
                what->name);
        }
    }
    apr_pool_destroy(p);
    return rv;
}

/* After a failure was reported, the next present begins anew. */
static void forget_reported(acme_published_t *records, apr_uint32_t cert)
{
    acme_published_record_t *record;

    for (record = records->first; record; record = record->next) {
        if (record->reported
            && acme_published_table_holder(record, cert) >= 0) {
            record->failed = 0;
        }
    }
}

/* When the keeper removes it; 0: it does not. */
static apr_time_t end_of(const acme_published_record_t *record)
{
    switch (record->what.purpose) {
    case ACME_PUBLISH_FOR_DRY_RUN:
        return record->since + DRY_RUN_MAX;
    case ACME_PUBLISH_FOR_REHEARSAL:
        return record->since + REHEARSAL_MAX;
    default:
        return 0;
    }
}

apr_status_t acme_published_present(acme_published_t *records,
                                    const acme_publish_job_t *what,
                                    acme_result_t *res)
{
    acme_published_record_t *record;
    apr_status_t rv;

    rv = prepare(&record, records, what, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    forget_reported(records, what->cert);
    record->failed = 0;
    record->tries = 0;
    record->since = apr_time_now();
    record->remove_at = end_of(record);
    acme_published_table_add_holder(record, what->cert);
    rv = acme_published_table_remember(record, res);
    if (rv == APR_SUCCESS) {
        acme_published_command_start(record, ACME_PUBLISHED_PRESENT);
    }
    else if (acme_published_table_is_idle(record) && !record->begun) {
        acme_published_table_forget(record);
    }
    return rv;
}

/* What no certificate needs any more is removed. The record may be gone. */
static void give_up(acme_published_record_t *record, apr_uint32_t cert)
{
    acme_published_table_remove_holder(record, cert);
    if (record->holders->nelts == 0) {
        acme_published_command_remove(record);
    }
}

apr_status_t acme_published_cleanup(acme_published_t *records,
                                    const acme_publish_job_t *what,
                                    acme_result_t *res)
{
    acme_published_record_t *record;
    apr_status_t rv;

    rv = prepare(&record, records, what, res);
    if (rv == APR_SUCCESS) {
        give_up(record, what->cert);
    }
    return rv;
}

/* The removal of one may end with others being forgotten, so each time the
   first one is looked for. */
static acme_published_record_t *find_token(const acme_published_t *records,
                                           apr_uint32_t cert)
{
    acme_published_record_t *record;

    for (record = records->first; record; record = record->next) {
        if (record->what.http
            && acme_published_table_holder(record, cert) >= 0) {
            return record;
        }
    }
    return NULL;
}

void acme_published_cleanup_tokens(acme_published_t *records,
                                   apr_uint32_t cert)
{
    acme_published_record_t *record;

    while ((record = find_token(records, cert)) != NULL) {
        give_up(record, cert);
    }
}

/* Is its removal tried again, now? */
static int is_retry(const acme_published_record_t *record)
{
    return record->tries && !acme_published_table_is_idle(record);
}

int acme_published_busy(const acme_published_t *records)
{
    const acme_published_record_t *record;

    for (record = records->first; record; record = record->next) {
        if (!acme_published_table_is_idle(record) && !is_retry(record)) {
            return 1;
        }
    }
    return 0;
}

/* Or of a dry run: a rehearsal may be beside either. */
static int is_of_order(const acme_published_record_t *record)
{
    return record->what.purpose != ACME_PUBLISH_FOR_REHEARSAL;
}

int acme_published_running(const acme_published_t *records, apr_uint32_t cert)
{
    const acme_published_record_t *record;

    for (record = records->first; record; record = record->next) {
        if (!acme_published_table_is_idle(record)
            && acme_published_table_is_of(record, cert)
            && is_of_order(record)) {
            return 1;
        }
    }
    return 0;
}

apr_status_t acme_published_result(acme_published_t *records,
                                   apr_uint32_t cert, acme_result_t *res)
{
    const acme_published_record_t *found = NULL;
    acme_published_record_t *record;

    for (record = records->first; record; record = record->next) {
        if (record->failed && acme_published_table_holder(record, cert) >= 0
            && is_of_order(record)) {
            record->reported = 1;
            if (!found || record->order < found->order) {
                found = record;
            }
        }
    }
    if (!found) {
        return APR_SUCCESS;
    }
    *res = found->res;
    return found->res.status;
}

apr_status_t acme_published_outcome(const acme_published_t *records,
                                    const acme_publish_job_t *what,
                                    acme_result_t *res)
{
    const acme_published_record_t *record;
    const char *name;
    apr_status_t rv;
    apr_pool_t *p;

    apr_pool_create(&p, records->p);
    rv = acme_publish_check(&name, what, res, p);
    if (rv == APR_SUCCESS) {
        record = acme_published_table_find(records, name, what);
        if (record && record->failed) {
            *res = record->res;
            rv = res->status;
        }
    }
    apr_pool_destroy(p);
    return rv;
}

int acme_published_poll(const acme_published_t *records, struct pollfd *fds)
{
    return acme_hook_run_poll(records->hooks, fds);
}

/* The one whose removal is tried again next; NULL: none, or none while another
   is. One after the other, so that a dead folder takes one place of all. */
static acme_published_record_t *find_retry(const acme_published_t *records)
{
    acme_published_record_t *record, *next = NULL;

    for (record = records->first; record; record = record->next) {
        if (is_retry(record)) {
            return NULL;
        }
        if (record->retry_at && (!next || record->retry_at < next->retry_at)) {
            next = record;
        }
    }
    return next;
}

/* The one that the keeper removes next; NULL: none. */
static acme_published_record_t *find_left(const acme_published_t *records)
{
    acme_published_record_t *record, *next = NULL;

    for (record = records->first; record; record = record->next) {
        if (record->remove_at
            && (!next || record->remove_at < next->remove_at)) {
            next = record;
        }
    }
    return next;
}

apr_time_t acme_published_wake(const acme_published_t *records, apr_time_t now)
{
    const acme_published_record_t *retry = find_retry(records);
    const acme_published_record_t *left = find_left(records);

    return acme_time_earlier(
        acme_time_earlier(acme_hook_run_wake(records->hooks, now),
                          left ? left->remove_at : 0),
        retry ? retry->retry_at : 0);
}

/* Nobody went on with the orders of these. */
static void remove_left(acme_published_t *records, apr_time_t now)
{
    acme_published_record_t *record;

    while ((record = find_left(records)) != NULL
           && now >= record->remove_at) {
        record->remove_at = 0;
        record->holders->nelts = 0;
        acme_published_command_remove(record);
    }
}

int acme_published_step(acme_published_t *records, apr_time_t now)
{
    acme_published_record_t *retry = find_retry(records);

    records->now = now;
    if (retry && now >= retry->retry_at) {
        acme_published_command_start(retry, ACME_PUBLISHED_CLEANUP);
    }
    remove_left(records, now);
    return acme_hook_run_step(records->hooks, now);
}
