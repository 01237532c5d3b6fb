/*
 * acme_batch_file.c - run/batch.json: a batch of validations that is open.
 */
#include <string.h>

#include "acme_batch_file.h"
#include "acme_file.h"
#include "acme_json_file.h"
#include "acme_time.h"

#define FILE_MAX (4 * 1024 * 1024)
#define DIGEST_MAX 64
#define TIME_MAX 64

static const char *batch_path(const acme_store_t *store, apr_pool_t *p)
{
    return acme_store_path(store, "run", "batch.json", p);
}

acme_batch_file_t *acme_batch_file_make(apr_pool_t *p)
{
    acme_batch_file_t *batch = apr_pcalloc(p, sizeof(*batch));

    batch->ids = apr_array_make(p, 4, sizeof(const char *));
    batch->done = apr_array_make(p, 2, sizeof(const char *));
    batch->post = apr_array_make(p, 2, sizeof(const char *));
    batch->begun = apr_array_make(p, 2, sizeof(const char *));
    return batch;
}

apr_status_t acme_batch_file_load(acme_batch_file_t **pbatch,
                                  acme_store_t *store, acme_result_t *res,
                                  apr_pool_t *p)
{
    const char *path = batch_path(store, p);
    acme_batch_file_t *batch = apr_pcalloc(p, sizeof(*batch));
    json_t *json;
    apr_status_t rv;

    *pbatch = NULL;
    rv = acme_json_file_load(&json, store, path, FILE_MAX, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    batch->opened = acme_time_parse(acme_json_string(json, "opened", TIME_MAX,
                                                     p));
    batch->ids = acme_json_strings(json, "certificates", ACME_ID_MAX, p);
    batch->done = acme_json_strings(json, "done", DIGEST_MAX, p);
    batch->post = acme_json_strings(json, "post", DIGEST_MAX, p);
    batch->begun = acme_json_strings(json, "begun", DIGEST_MAX, p);
    batch->posts_begun = (int)acme_json_int(json, "postsBegun");
    batch->is_told = acme_json_true(json, "told");
    if (!batch->opened || !batch->ids || !batch->done || !batch->post
        || !batch->begun) {
        return acme_json_file_refuse(store, path, "a batch of this version",
                                     res, p);
    }
    *pbatch = batch;
    return APR_SUCCESS;
}

apr_status_t acme_batch_file_save(acme_store_t *store,
                                  const acme_batch_file_t *batch,
                                  acme_result_t *res, apr_pool_t *p)
{
    const char *path = batch_path(store, p);
    json_t *json = json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:i}",
                             "opened", acme_time_rfc3339(batch->opened, p),
                             "told", batch->is_told,
                             "certificates", acme_json_array(batch->ids),
                             "done", acme_json_array(batch->done),
                             "post", acme_json_array(batch->post),
                             "begun", acme_json_array(batch->begun),
                             "postsBegun", batch->posts_begun);

    return acme_json_file_save(path, json, 0600, res, p);
}

apr_status_t acme_batch_file_remove(acme_store_t *store, acme_result_t *res,
                                    apr_pool_t *p)
{
    return acme_file_dir_remove(batch_path(store, p), res, p);
}
