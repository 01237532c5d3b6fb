/*
 * acme_ctl_show.c - acmectl status: certificates as text and as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme_ctl_show.h"
#include "acme_json.h"
#include "acme_status_rows.h"

static apr_array_header_t *rows_of(const apr_array_header_t *certs, int i,
                                   apr_time_t now, apr_pool_t *p)
{
    const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(certs, i, acme_ctl_cert_t);
    const acme_status_cert_t view = {
        .id = cert->id, .names = cert->names, .state = &cert->state,
        .is_reload_held = cert->is_reload_held
    };

    return acme_status_rows_make(&view, now, p);
}

void acme_ctl_show_text(const apr_array_header_t *certs, apr_time_t now,
                        apr_pool_t *p)
{
    int i, k;

    for (i = 0; i < certs->nelts; i++) {
        const apr_array_header_t *rows = rows_of(certs, i, now, p);

        printf("%s: %s\n",
               acme_status_rows_find(rows, "id", ACME_STATUS_TEXT)->text,
               acme_status_rows_find(rows, "state", ACME_STATUS_TEXT)->text);
        for (k = 2; k < rows->nelts; k++) {
            const acme_status_row_t *row =
                &APR_ARRAY_IDX(rows, k, acme_status_row_t);

            if (row->shown & ACME_STATUS_TEXT) {
                printf("    %s: %s\n", row->label, row->text);
            }
        }
    }
    if (!certs->nelts) {
        printf("no certificate is managed\n");
    }
}

static json_t *value_of(const acme_status_row_t *row)
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
    return row->value ? json_string(row->value) : json_null();
}

void acme_ctl_show_json(const apr_array_header_t *certs, apr_time_t now,
                        apr_pool_t *p)
{
    json_t *array = acme_json_own(json_array(), p);
    int i, k;

    for (i = 0; i < certs->nelts; i++) {
        const apr_array_header_t *rows = rows_of(certs, i, now, p);
        json_t *json = json_object();

        for (k = 0; k < rows->nelts; k++) {
            const acme_status_row_t *row =
                &APR_ARRAY_IDX(rows, k, acme_status_row_t);

            if (row->shown & ACME_STATUS_JSON) {
                json_object_set_new(json, row->key, value_of(row));
            }
        }
        json_array_append_new(array, json);
    }
    printf("%s\n", acme_json_text(array, 2, p));
}
