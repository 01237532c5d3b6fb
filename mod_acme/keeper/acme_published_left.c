/*
 * acme_published_left.c - what an earlier keeper published is taken over.
 */
#include <apr_strings.h>

#include "acme_publish_check.h"
#include "acme_published_command.h"
#include "acme_published_left.h"
#include "acme_token_file.h"
#include "acme_token_left.h"

/* So long after its start a keeper waits for those who go on with an order,
   before it removes what an earlier keeper published. */
#define LEFT_MAX apr_time_from_sec(60)

/*
 * Take over one that an earlier keeper published. NULL: it cannot be. A record
 * is one of a dry run or rehearsal that has ended.
 */
static acme_published_record_t *adopt(acme_published_t *records,
                                      const acme_token_file_t *file,
                                      const acme_conf_t *conf)
{
    const int cert = acme_token_left_cert(file, conf);
    acme_publish_job_t what = {
        .purpose = file->record ? ACME_PUBLISH_FOR_REHEARSAL
                                : ACME_PUBLISH_FOR_ORDER,
        .cert = cert < 0 ? ACME_PUBLISHED_NO_CERT : (apr_uint32_t)cert,
        .id = apr_pstrdup(records->p, file->id),
        .name = file->name,
        .token = file->token,
        .value = file->value,
        .record = file->record,
        .dns = file->record ? acme_token_left_dns(file, conf) : NULL,
        .http = file->record
                    ? NULL
                    : acme_token_left_conf(file, conf, records->p)
    };
    acme_result_t res;
    acme_published_record_t *record;
    const char *key;

    if (file->record && !what.dns) {
        acme_log(
            records->log, ACME_LOG_WARNING, what.id,
            "the TXT record %s was set by an earlier process and is not removed, because %s is not in AcmeDns any more",
            acme_text_clean(file->record, ACME_NAME_MAX, records->p),
            acme_text_clean(file->server ? file->server : file->cleanup,
                            ACME_DETAIL_SIZE, records->p));
        return NULL;
    }
    if (!file->record && !what.http) {
        acme_log(
            records->log, ACME_LOG_WARNING, what.id,
            "the token of http-01 for %s was published by an earlier process and is not removed, because %s is not a cleanup command of AcmeHttp any more",
            file->name, file->cleanup);
        return NULL;
    }
    if (acme_publish_check(&key, &what, &res, records->p)) {
        acme_log(records->log, ACME_LOG_WARNING, what.id, "%s", res.detail);
        return NULL;
    }
    record = acme_published_table_make(records, key, what.value);
    acme_published_table_keep_job(record, &what);
    if (cert >= 0) {
        acme_published_table_add_holder(record, what.cert);
    }
    record->begun = 1;
    record->is_remembered = 1;
    record->remove_at = records->now + LEFT_MAX;
    record->folders = file->folders;
    record->since = file->since < records->now ? file->since : records->now;
    record->may_be_there = 1;
    record->auth_output =
        file->output ? apr_pstrdup(record->p, file->output) : NULL;
    return record;
}

void acme_published_left_load(acme_published_t *records, acme_store_t *store,
                              const acme_conf_t *conf, apr_time_t now)
{
    apr_array_header_t *files;
    acme_result_t res;
    apr_pool_t *p;
    int i;

    records->store = store;
    records->now = now;
    apr_pool_create(&p, records->p);
    files = acme_token_file_list(store, p);
    for (i = 0; i < files->nelts; i++) {
        const acme_token_file_t *file =
            &APR_ARRAY_IDX(files, i, acme_token_file_t);
        acme_published_record_t *record = adopt(records, file, conf);

        if (!record) {
            (void)acme_token_file_remove(store, file, &res, p);
        }
        else if (record->what.http
                 && !acme_token_left_is_wanted(record->what.http,
                                               record->what.cert, conf)) {
            record->remove_at = 0;
            record->holders->nelts = 0;
            acme_published_command_remove(record);
        }
    }
    apr_pool_destroy(p);
}
