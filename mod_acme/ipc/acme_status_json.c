/*
 * acme_status_json.c - the rows of a certificate as a JSON object.
 */
#include <stdlib.h>
#include <string.h>

#include "acme_status_json.h"
#include "acme_time.h"

#define TEXT_MAX (ACME_DETAIL_SIZE + ACME_PROBLEM_SIZE)

json_t *acme_status_json_text(const char *text, apr_pool_t *p)
{
    return text && *text ? acme_json_from_text(text, TEXT_MAX, p)
                         : json_null();
}

json_t *acme_status_json_time(apr_time_t t, apr_pool_t *p)
{
    return t > 0 ? json_string(acme_time_rfc3339(t, p)) : json_null();
}

static json_t *value_of(const acme_status_row_t *row, apr_pool_t *p)
{
    switch (row->type) {
    case ACME_STATUS_NUMBER:
        return json_integer((json_int_t)strtoul(row->value, NULL, 10));
    case ACME_STATUS_FLAG:
        return json_boolean(!strcmp(row->value, "true"));
    case ACME_STATUS_LIST:
        return acme_json_array(row->list);
    case ACME_STATUS_STRING:
        break;
    }
    return row->value ? acme_json_from_text(row->value, TEXT_MAX, p)
                      : json_null();
}

json_t *acme_status_json_make(const apr_array_header_t *rows, apr_pool_t *p)
{
    json_t *json = json_object();
    int i;

    for (i = 0; i < rows->nelts; i++) {
        const acme_status_row_t *row =
            &APR_ARRAY_IDX(rows, i, acme_status_row_t);

        if (row->shown & ACME_STATUS_JSON) {
            json_object_set_new(json, row->key, value_of(row, p));
        }
    }
    return json;
}
