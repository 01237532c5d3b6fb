/*
 * acme_status.c - the section in server-status, and the lines in ?auto.
 *
 * What comes from the board was written by others, and part of it by a CA:
 * escaped, always.
 */
#include <apr_lib.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <mod_status.h>
#include <apr_optional_hooks.h>

#include "acme_page_view.h"
#include "acme_status.h"
#include "acme_status_rows.h"
#include "acme_text.h"

#define TEXT_MAX (ACME_DETAIL_SIZE + ACME_PROBLEM_SIZE)

static int is_wanted;

void acme_status_init(void)
{
    is_wanted = 1;
}

/* The rows of one certificate. Right after a load the keeper is still reading
   its store. */
static apr_array_header_t *rows_of(const acme_page_view_t *view, int i,
                                   const char *held, apr_time_t now,
                                   apr_pool_t *p)
{
    const acme_status_cert_t cert = acme_page_view_cert(
        view, i, apr_palloc(p, sizeof(acme_state_t)), held);

    return acme_status_rows_make(&cert, now, p);
}

/* Lines for scripts must stay lines. */
static const char *plain_text(const char *text, request_rec *r)
{
    return acme_text_clean(text, TEXT_MAX, r->pool);
}

static void show_lines(request_rec *r, const acme_page_view_t *view,
                       const char *held)
{
    const apr_time_t now = apr_time_now();
    pid_t keeper, renewal;
    int i, k;

    acme_board_pids(view->board, &keeper, &renewal);
    ap_rprintf(r, "AcmeCertificates: %d\n", view->conf->certs->nelts);
    ap_rprintf(r, "AcmeKeeperPid: %d\n", (int)keeper);
    ap_rprintf(r, "AcmeRenewalPid: %d\n", (int)renewal);
    if (held[0]) {
        ap_rprintf(r, "AcmeReloadHeld: %s\n", plain_text(held, r));
    }
    for (i = 0; i < view->conf->certs->nelts; i++) {
        const apr_array_header_t *rows = rows_of(view, i, held, now,
                                                 r->pool);

        for (k = 0; k < rows->nelts; k++) {
            const acme_status_row_t *row =
                &APR_ARRAY_IDX(rows, k, acme_status_row_t);

            if (row->shown & ACME_STATUS_LINES) {
                ap_rprintf(r, "AcmeCertificate[%d]%c%s: %s\n", i,
                           apr_toupper(row->key[0]), row->key + 1,
                           plain_text(row->value, r));
            }
        }
    }
}

static const char *html(const char *text, request_rec *r)
{
    return ap_escape_html(r->pool, plain_text(text, r));
}

/*
 * All of one column. What the column is about needs no label: its first row,
 * but in the last column each one.
 */
static void show_cell(request_rec *r, const apr_array_header_t *rows,
                      acme_status_column_e column)
{
    int is_first = 1, k;

    ap_rputs("<td>", r);
    for (k = 0; k < rows->nelts; k++) {
        const acme_status_row_t *row =
            &APR_ARRAY_IDX(rows, k, acme_status_row_t);
        const int is_labelled = !is_first || column == ACME_STATUS_PROBLEM;

        if (!(row->shown & ACME_STATUS_PAGE) || row->column != column) {
            continue;
        }
        ap_rvputs(r, is_first ? "" : "<br />", is_labelled ? row->label : "",
                  is_labelled ? ": " : "", html(row->text, r), NULL);
        is_first = 0;
    }
    ap_rputs("</td>", r);
}

static void show_html(request_rec *r, const acme_page_view_t *view,
                      const char *held)
{
    static const char *const headings[ACME_STATUS_COLUMNS] = {
        "Certificate", "Names", "State", "Valid until", "Next", "Last problem"
    };
    const apr_time_t now = apr_time_now();
    int i, column;

    ap_rputs("<hr />\n<h3>Certificates kept by mod_acme</h3>\n", r);
    if (held[0]) {
        ap_rprintf(r, "<p><strong>A reload is postponed:</strong> %s</p>\n",
                   html(held, r));
    }
    ap_rputs("<table border=\"1\"><tr>", r);
    for (column = 0; column < ACME_STATUS_COLUMNS; column++) {
        ap_rvputs(r, "<th>", headings[column], "</th>", NULL);
    }
    ap_rputs("</tr>\n", r);
    for (i = 0; i < view->conf->certs->nelts; i++) {
        const apr_array_header_t *rows = rows_of(view, i, held, now,
                                                 r->pool);

        ap_rputs("<tr>", r);
        for (column = 0; column < ACME_STATUS_COLUMNS; column++) {
            show_cell(r, rows, (acme_status_column_e)column);
        }
        ap_rputs("</tr>\n", r);
    }
    ap_rputs("</table>\n", r);
}

static int on_status(request_rec *r, int flags)
{
    const acme_page_view_t *view = is_wanted ? acme_page_view_begin(r->pool)
                                             : NULL;
    const char *held;

    if (!view || !view->board) {
        return OK;
    }
    held = acme_page_view_held(view, r->pool);
    if (flags & AP_STATUS_SHORT) {
        show_lines(r, view, held);
    }
    else {
        show_html(r, view, held);
    }
    return OK;
}

void acme_status_hooks(apr_pool_t *p)
{
    (void)p;
    APR_OPTIONAL_HOOK(ap, status_hook, on_status, NULL, NULL,
                      APR_HOOK_MIDDLE);
}
