/*
 * acme_ctl_show.c - certificates as a table, in detail, and as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_ctl_health.h"
#include "acme_ctl_show.h"
#include "acme_ctl_term.h"
#include "acme_explain.h"
#include "acme_next_step.h"
#include "acme_status_json.h"

acme_status_cert_t acme_ctl_show_view(const acme_ctl_cert_t *cert)
{
    return (acme_status_cert_t){
        .id = cert->id, .names = cert->names, .state = &cert->state,
        .is_reload_held = cert->is_reload_held, .lacks = cert->lacks
    };
}

static apr_array_header_t *rows_of(const acme_ctl_cert_t *cert, apr_time_t now,
                                   apr_pool_t *p)
{
    const acme_status_cert_t view = acme_ctl_show_view(cert);

    return acme_status_rows_make(&view, now, p);
}

static const char *text_of(const apr_array_header_t *rows, const char *key)
{
    const acme_status_row_t *row = acme_status_rows_find(rows, key,
                                                         ACME_STATUS_TEXT);

    return row ? row->text : NULL;
}

/* The columns of the table. */
typedef enum {
    COLUMN_ID,
    COLUMN_STATE,
    COLUMN_UNTIL,
    COLUMN_NEXT,
    COLUMNS
} column_e;

/* A line of the table, and what stands below it. */
typedef struct {
    const char *cells[COLUMNS];
    acme_ctl_term_color_e color;        /* of the state */
    const char *seen;           /* of a rehearsal; NULL: no fault of now */
    const char *reason;         /* NULL: none */
    const char *detail;         /* the same */
} line_t;

static acme_ctl_term_color_e color_of(const acme_ctl_cert_t *cert,
                                      apr_time_t now)
{
    switch (acme_ctl_health_of(cert, acme_ctl_health_no_days, now)) {
    case ACME_CTL_HEALTH_OK:
        return cert->state.ordering ? ACME_CTL_TERM_YELLOW
            : cert->state.deleted ? ACME_CTL_TERM_PLAIN : ACME_CTL_TERM_GREEN;
    case ACME_CTL_HEALTH_WARNING:
        return ACME_CTL_TERM_YELLOW;
    default:
        return ACME_CTL_TERM_RED;
    }
}

/* "renew 2026-12-01 10:00:00 UTC (in 9 days)" */
static const char *next_cell(const acme_ctl_cert_t *cert, apr_time_t now,
                             apr_pool_t *p)
{
    const acme_next_t next = acme_next_step(&cert->state, now);
    const char *word = acme_next_step_word(next.step);

    if (cert->state.deleted) {
        return "-";
    }
    return next.at > now
        ? apr_pstrcat(p, word, " ", acme_explain_time(next.at, now, p), NULL)
        : word;
}

static line_t line_of(const acme_ctl_cert_t *cert, apr_time_t now,
                      apr_pool_t *p)
{
    const acme_state_t *state = &cert->state;
    const apr_array_header_t *rows = rows_of(cert, now, p);
    const acme_status_cert_t view = acme_ctl_show_view(cert);
    line_t line = { .color = color_of(cert, now) };

    line.cells[COLUMN_ID] = acme_ctl_term_text(cert->id, p);
    line.cells[COLUMN_STATE] = cert->is_from_store
        ? acme_state_word(state, now) : acme_status_rows_state(state, now);
    line.cells[COLUMN_UNTIL] = state->live
        ? acme_explain_time(state->not_after, now, p) : "-";
    line.cells[COLUMN_NEXT] = next_cell(cert, now, p);
    line.seen = acme_status_rows_seen_text(&view, now, p);
    line.reason = text_of(rows, "reason");
    line.detail = state->left_out && !state->attempts
        ? text_of(rows, "leftOut") : state->attempts ? state->detail
        : state->limit[0] && state->limit_until > now ? state->limit
        : state->export_failure[0] ? state->export_failure
        : state->deploy.waiting ? state->deploy.failure
        : state->post.waiting ? state->post.failure
        : cert->store_problem;
    return line;
}

static void put_summary(FILE *file, const apr_array_header_t *certs,
                        apr_time_t now, apr_pool_t *p)
{
    const acme_ctl_cert_t *first = NULL;
    int counts[ACME_EXPLAIN_KINDS] = { 0 };
    int i, is_begun = 0;

    for (i = 0; i < certs->nelts; i++) {
        const acme_ctl_cert_t *cert = &APR_ARRAY_IDX(certs, i,
                                                     acme_ctl_cert_t);
        const acme_status_cert_t view = acme_ctl_show_view(cert);

        counts[acme_explain_kind(&view, now)]++;
        if (cert->state.live
            && (!first || cert->state.not_after < first->state.not_after)) {
            first = cert;
        }
    }
    fprintf(file, "%d certificate%s:", certs->nelts,
            certs->nelts == 1 ? "" : "s");
    for (i = 0; i < ACME_EXPLAIN_KINDS; i++) {
        if (counts[i]) {
            fprintf(file, "%s %d %s", is_begun++ ? "," : "", counts[i],
                    acme_explain_kind_word((acme_explain_kind_e)i));
        }
    }
    if (first) {
        fprintf(file, "; the first %s %s",
                first->state.not_after > now ? "expires" : "expired",
                acme_explain_distance(first->state.not_after, now, p));
    }
    fputs("\n\n", file);
}

/* A line below one of the table; NULL or "": none. */
static void put_below(FILE *file, const char *text)
{
    if (text && *text) {
        fputs("    ", file);
        acme_ctl_term_put(file, text);
        fputc('\n', file);
    }
}

static void put_line(FILE *file, const line_t *line, const int *widths,
                     int is_coloured)
{
    int i;

    for (i = 0; i < COLUMNS; i++) {
        const int pad = i + 1 < COLUMNS
            ? widths[i] - (int)strlen(line->cells[i]) + 2 : 0;

        acme_ctl_term_color(file, i == COLUMN_STATE ? line->color
                                                    : ACME_CTL_TERM_PLAIN,
                            line->cells[i], is_coloured);
        fprintf(file, "%*s", pad, "");
    }
    fputc('\n', file);
    put_below(file, line->seen);
    put_below(file, line->reason);
    put_below(file, line->detail);
}

void acme_ctl_show_table(FILE *file, const apr_array_header_t *certs,
                         int is_coloured, apr_time_t now, apr_pool_t *p)
{
    static const line_t header = {
        .cells = { "CERTIFICATE", "STATE", "VALID UNTIL", "NEXT" }
    };
    apr_array_header_t *sorted = acme_ctl_health_sort(certs, now, p);
    line_t *lines = apr_palloc(p, sizeof(*lines)
                                      * ((size_t)sorted->nelts + 1));
    int widths[COLUMNS] = { 0 };
    int i, k;

    if (!certs->nelts) {
        fputs("no certificate is managed\n", file);
        return;
    }
    put_summary(file, certs, now, p);
    for (i = 0; i <= sorted->nelts; i++) {
        lines[i] = i ? line_of(APR_ARRAY_IDX(sorted, i - 1,
                                             const acme_ctl_cert_t *), now, p)
                     : header;
        for (k = 0; k < COLUMNS; k++) {
            const int width = (int)strlen(lines[i].cells[k]);

            widths[k] = width > widths[k] ? width : widths[k];
        }
    }
    for (i = 0; i <= sorted->nelts; i++) {
        put_line(file, &lines[i], widths, is_coloured);
    }
}

/* What a row says to people, its time with the distance from now. */
static const char *detail_text(const acme_status_row_t *row,
                               const acme_ctl_cert_t *cert, apr_time_t now,
                               apr_pool_t *p)
{
    const acme_next_t next = acme_next_step(&cert->state, now);

    if (!strcmp(row->key, "validUntil")) {
        return acme_explain_time(cert->state.not_after, now, p);
    }
    if (!strcmp(row->key, "nextStep") && next.at) {
        return apr_pstrcat(p, acme_next_step_word(next.step), " at ",
                           acme_explain_time(next.at, now, p), NULL);
    }
    return row->text;
}

void acme_ctl_show_detail(FILE *file, const acme_ctl_cert_t *cert,
                          int is_coloured, apr_time_t now, apr_pool_t *p)
{
    const apr_array_header_t *rows = rows_of(cert, now, p);
    int i;

    acme_ctl_term_put(file, cert->id);
    fputs(": ", file);
    acme_ctl_term_color(file, color_of(cert, now),
                        acme_state_word(&cert->state, now), is_coloured);
    fputc('\n', file);
    for (i = 2; i < rows->nelts; i++) {
        const acme_status_row_t *row = &APR_ARRAY_IDX(rows, i,
                                                      acme_status_row_t);

        if (!(row->shown & ACME_STATUS_TEXT)
            || (cert->is_from_store && !strcmp(row->key, "served"))) {
            continue;
        }
        fprintf(file, "    %s: ", row->label);
        acme_ctl_term_put(file, detail_text(row, cert, now, p));
        fputc('\n', file);
    }
    if (cert->store_problem) {
        fputs("    journal: ", file);
        acme_ctl_term_put(file, cert->store_problem);
        fputc('\n', file);
    }
}

json_t *acme_ctl_show_object(const acme_ctl_cert_t *cert, apr_time_t now,
                             apr_pool_t *p)
{
    json_t *json = acme_status_json_make(rows_of(cert, now, p), p);

    json_object_set_new(json, "source", json_string(cert->is_from_store
                                                    ? "store" : "keeper"));
    return json;
}

void acme_ctl_show_json(FILE *file, json_t *json, apr_pool_t *p)
{
    char *text = json_dumps(acme_json_own(json, p),
                            JSON_INDENT(2) | JSON_ENSURE_ASCII);

    fprintf(file, "%s\n", text ? text : "null");
    free(text);
}
