/*
 * acme_undelivered_file.c - undelivered/<id>.json: what notify did not deliver.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_file.h"
#include "acme_json_file.h"
#include "acme_time.h"
#include "acme_undelivered_file.h"

#define FILE_MAX (256 * 1024)
#define EVENTS_MAX 64
#define WORD_MAX 64
#define TIME_MAX 64

static const char *events_path(const acme_store_t *store, const char *id,
                               apr_pool_t *p)
{
    return acme_store_path(store, "undelivered",
                           apr_pstrcat(p, id, ".json", NULL), p);
}

static const char *text_of(const json_t *json, const char *key,
                           apr_size_t max, apr_pool_t *p)
{
    const char *text = acme_json_string(json, key, max, p);

    return text ? text : "";
}

static apr_uint32_t count_of(const json_t *json, const char *key)
{
    const apr_int64_t count = acme_json_int(json, key);

    return count > 0 && count <= APR_UINT32_MAX ? (apr_uint32_t)count : 0;
}

static void parse_events(apr_array_header_t *events, const json_t *array,
                         apr_pool_t *p)
{
    const json_t *row;
    size_t i;

    json_array_foreach((json_t *)array, i, row) {
        const acme_undelivered_t event = {
            .event = acme_json_string(row, "event", WORD_MAX, p),
            .since = acme_time_parse(text_of(row, "since", TIME_MAX, p)),
            .next_at = acme_time_parse(text_of(row, "nextAt", TIME_MAX, p)),
            .failures = count_of(row, "failures"),
            .interrupted = count_of(row, "interrupted"),
            .commands = acme_json_strings(row, "commands", WORD_MAX, p),
            .live = acme_json_true(row, "live"),
            .not_after = acme_time_parse(text_of(row, "notAfter", TIME_MAX,
                                                 p)),
            .problem = text_of(row, "problem", ACME_PROBLEM_SIZE, p),
            .detail = text_of(row, "detail", ACME_DETAIL_SIZE, p),
            .failure = text_of(row, "failure", ACME_DETAIL_SIZE, p)
        };

        if (event.event && event.commands && event.since
            && events->nelts < EVENTS_MAX) {
            APR_ARRAY_PUSH(events, acme_undelivered_t) = event;
        }
    }
}

apr_status_t acme_undelivered_file_load(apr_array_header_t **pevents,
                                        acme_store_t *store, const char *id,
                                        acme_result_t *res, apr_pool_t *p)
{
    const char *path = events_path(store, id, p);
    json_t *json;
    apr_status_t rv;

    *pevents = apr_array_make(p, 2, sizeof(acme_undelivered_t));
    rv = acme_json_file_load(&json, store, path, FILE_MAX, res, p);
    if (rv != APR_SUCCESS) {
        return APR_STATUS_IS_ENOENT(rv) ? APR_SUCCESS : rv;
    }
    parse_events(*pevents, json_object_get(json, "events"), p);
    return APR_SUCCESS;
}

static json_t *events_json(const apr_array_header_t *events, apr_pool_t *p)
{
    json_t *array = json_array();
    int i;

    for (i = 0; i < events->nelts; i++) {
        const acme_undelivered_t *event =
            &APR_ARRAY_IDX(events, i, acme_undelivered_t);

        json_array_append_new(
            array,
            json_pack("{s:s, s:s, s:s*, s:I, s:I, s:o, s:b, s:s*, s:s, s:s,"
                      " s:s}",
                      "event", event->event,
                      "since", acme_time_rfc3339(event->since, p),
                      "nextAt", acme_time_json(event->next_at, p),
                      "failures", (json_int_t)event->failures,
                      "interrupted", (json_int_t)event->interrupted,
                      "commands", acme_json_array(event->commands),
                      "live", event->live,
                      "notAfter", acme_time_json(event->not_after, p),
                      "problem", event->problem,
                      "detail", event->detail,
                      "failure", event->failure));
    }
    return array;
}

apr_status_t acme_undelivered_file_save(acme_store_t *store, const char *id,
                                        const apr_array_header_t *events,
                                        acme_result_t *res, apr_pool_t *p)
{
    const char *path = events_path(store, id, p);

    if (!events->nelts) {
        return acme_file_dir_remove(path, res, p);
    }
    return acme_json_file_save(
        path, json_pack("{s:o}", "events", events_json(events, p)), 0600, res,
        p);
}
