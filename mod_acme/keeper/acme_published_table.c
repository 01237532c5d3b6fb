/*
 * acme_published_table.c - records and tokens, and their files in the store.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "acme_dns_command.h"
#include "acme_published_table.h"
#include "acme_token_file.h"

/* Beyond this the oldest idle record is forgotten: a worker that was killed
 * never requests the cleanup of its records. */
#define RECORDS_MAX 4096

/* The same of one certificate: two values of each name, and some more. */
#define OF_ONE_MORE 8

int acme_published_table_holder(const acme_published_record_t *record,
                                apr_uint32_t cert)
{
    int i;

    for (i = 0; i < record->holders->nelts; i++) {
        if (APR_ARRAY_IDX(record->holders, i, apr_uint32_t) == cert) {
            return i;
        }
    }
    return -1;
}

void acme_published_table_add_holder(acme_published_record_t *record,
                                     apr_uint32_t cert)
{
    if (acme_published_table_holder(record, cert) < 0) {
        APR_ARRAY_PUSH(record->holders, apr_uint32_t) = cert;
    }
}

void acme_published_table_remove_holder(acme_published_record_t *record,
                                        apr_uint32_t cert)
{
    int i = acme_published_table_holder(record, cert);

    if (i >= 0) {
        APR_ARRAY_IDX(record->holders, i, apr_uint32_t) =
            *(apr_uint32_t *)apr_array_pop(record->holders);
    }
}

/* As the store has it; without the way how it is removed. */
static acme_token_file_t file_of(const acme_published_record_t *record)
{
    return (acme_token_file_t){ .id = record->what.id,
                                .name = record->name,
                                .token = record->token,
                                .value = record->value,
                                .record = record->what.http ? NULL
                                                            : record->record,
                                .folders = record->folders,
                                .output = record->auth_output };
}

/* The records of an order need no file: whoever goes on with the order knows
   them. */
static int is_for_store(const acme_published_record_t *record)
{
    const acme_token_conf_t *http = record->what.http;

    if (!record->records->store) {
        return 0;
    }
    return http ? http->how == ACME_TOKEN_WEBROOT || http->cleanup
                : record->what.purpose != ACME_PUBLISH_FOR_ORDER;
}

static void remove_file(acme_published_record_t *record)
{
    const acme_token_file_t file = file_of(record);
    acme_result_t res;
    apr_pool_t *p;

    if (!record->is_remembered) {
        return;
    }
    apr_pool_create(&p, record->p);
    if (acme_token_file_remove(record->records->store, &file, &res, p)) {
        acme_log(record->records->log, ACME_LOG_WARNING, record->what.id, "%s",
                 res.detail);
    }
    record->is_remembered = 0;
    apr_pool_destroy(p);
}

apr_status_t acme_published_table_remember(acme_published_record_t *record,
                                           acme_result_t *res)
{
    const acme_token_conf_t *http = record->what.http;
    acme_token_file_t file = file_of(record);
    apr_status_t rv;
    apr_pool_t *p;

    if (!is_for_store(record)) {
        remove_file(record);    /* of a dry run, whose record an order needs */
        return APR_SUCCESS;
    }
    if (!http && record->what.dns->how == ACME_DNS_RFC2136) {
        file.server = record->what.dns->server;
    }
    else if (!http) {
        file.cleanup = acme_dns_command_path(record->what.dns);
    }
    else if (http->how == ACME_TOKEN_EXEC) {
        file.cleanup = APR_ARRAY_IDX(http->cleanup, 0, const char *);
    }
    else {
        file.root = http->root;
    }
    apr_pool_create(&p, record->p);
    rv = acme_token_file_save(record->records->store, &file, res, p);
    apr_pool_destroy(p);
    record->is_remembered |= rv == APR_SUCCESS;
    return rv;
}

void acme_published_table_forget(acme_published_record_t *record)
{
    struct acme_published_t *records = record->records;
    acme_published_record_t **at = &records->first;

    remove_file(record);
    while (*at != record) {
        at = &(*at)->next;
    }
    *at = record->next;
    records->count--;
    apr_pool_destroy(record->p);
}

int acme_published_table_is_idle(const acme_published_record_t *record)
{
    return !record->running && !record->next_action;
}

int acme_published_table_is_of(const acme_published_record_t *record,
                               apr_uint32_t cert)
{
    return record->what.cert == cert
        || acme_published_table_holder(record, cert) >= 0;
}

/* A token that is published is removed, not forgotten. */
static int can_forget(const acme_published_record_t *record)
{
    return acme_published_table_is_idle(record)
        && (!record->what.http || record->retry_at);
}

/* Make room for one more; the oldest idle record may be dropped for it. */
static int make_room(struct acme_published_t *records,
                     const acme_publish_job_t *what)
{
    const int names = what->names ? what->names->nelts : 1;
    acme_published_record_t *record, *oldest = NULL, *own = NULL;
    int count = 0;

    for (record = records->first; record; record = record->next) {
        oldest = !oldest && can_forget(record) ? record : oldest;
        if (acme_published_table_is_of(record, what->cert)) {
            own = !own && can_forget(record) ? record : own;
            count++;
        }
    }
    if (count >= 2 * names + OF_ONE_MORE) {
        oldest = own;
    }
    else if (records->count < RECORDS_MAX) {
        return 1;
    }
    if (oldest) {
        acme_published_table_forget(oldest);
    }
    return oldest != NULL;
}

acme_published_record_t *acme_published_table_make(
    struct acme_published_t *records, const char *name, const char *value)
{
    acme_published_record_t *record, **end;
    apr_pool_t *p;

    apr_pool_create(&p, records->p);
    record = apr_pcalloc(p, sizeof(*record));
    record->p = p;
    record->records = records;
    apr_cpystrn(record->record, name, sizeof(record->record));
    apr_cpystrn(record->value, value, sizeof(record->value));
    record->what.name = record->name;
    record->what.token = record->token;
    record->what.record = record->record;
    record->what.value = record->value;
    record->holders = apr_array_make(p, 1, sizeof(apr_uint32_t));
    for (end = &records->first; *end; end = &(*end)->next) {
        continue;
    }
    *end = record;
    records->count++;
    return record;
}

acme_published_record_t *acme_published_table_find(
    const struct acme_published_t *records, const char *name,
    const acme_publish_job_t *what)
{
    acme_published_record_t *record;

    for (record = records->first; record; record = record->next) {
        if (!record->what.http == !what->http
            && !strcasecmp(record->what.record, name)
            && !strcmp(record->what.value, what->value)) {
            return record;
        }
    }
    return NULL;
}

acme_published_record_t *acme_published_table_want(
    struct acme_published_t *records, const char *name,
    const acme_publish_job_t *what)
{
    acme_published_record_t *record =
        acme_published_table_find(records, name, what);

    if (!record && make_room(records, what)) {
        record = acme_published_table_make(records, name, what->value);
    }
    return record;
}

void acme_published_table_keep_job(acme_published_record_t *record,
                                   const acme_publish_job_t *what)
{
    acme_publish_job_t *kept = &record->what;

    kept->purpose = what->purpose;
    kept->cert = what->cert;
    kept->remaining = what->remaining;
    kept->id = what->id;
    kept->names = what->names;
    apr_cpystrn(record->name, what->name, sizeof(record->name));
    kept->dns = what->dns;
    kept->http = what->http;
    apr_cpystrn(record->token, what->token, sizeof(record->token));
}
