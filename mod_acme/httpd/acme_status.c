/*
 * acme_status.c - the section in server-status, and the lines in ?auto.
 *
 * What comes from the board was written by others, and part of it by a CA:
 * escaped, always.
 */
#include <string.h>

#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <mod_status.h>
#include <apr_optional_hooks.h>

#include "acme_server_conf.h"
#include "acme_name.h"
#include "acme_next_step.h"
#include "acme_status.h"

static acme_board_t *board;
static const acme_conf_t *conf;

void acme_status_init(acme_board_t *the_board, const acme_conf_t *the_conf)
{
    board = the_board;
    conf = the_conf;
}

/* One certificate as it is shown. */
typedef struct {
    const acme_cert_conf_t *cert;
    acme_state_t state;
    acme_next_t next;
    const char *word;
} shown_t;

static void collect(shown_t *shown, int i, apr_time_t now)
{
    shown->cert = acme_conf_cert(conf, (apr_uint32_t)i);
    if (!acme_board_state(board, i, &shown->state)) {
        /* Right after a load the keeper is still reading its store. */
        memset(shown, 0, sizeof(*shown));
        shown->cert = acme_conf_cert(conf, (apr_uint32_t)i);
        shown->next.step = ACME_STEP_FINISH;
        shown->word = "starting";
        return;
    }
    shown->state.serial[ACME_SERIAL_SIZE - 1] = '\0';
    shown->state.issuer[ACME_ISSUER_SIZE - 1] = '\0';
    shown->state.problem[ACME_PROBLEM_SIZE - 1] = '\0';
    shown->state.detail[ACME_DETAIL_SIZE - 1] = '\0';
    shown->state.limit[ACME_DETAIL_SIZE - 1] = '\0';
    shown->state.explanation[ACME_EXPLANATION_SIZE - 1] = '\0';
    shown->next = acme_next_step(&shown->state, now);
    shown->word = acme_state_word(&shown->state, now);
}

/* Lines for scripts must stay lines. */
static void line(request_rec *r, int i, const char *key, const char *value)
{
    ap_rprintf(r, "AcmeCertificate[%d]%s: %s\n", i, key,
               acme_text_clean(value, ACME_DETAIL_SIZE, r->pool));
}

static void lines_of_cert(request_rec *r, int i, const shown_t *shown)
{
    const acme_state_t *state = &shown->state;
    apr_pool_t *p = r->pool;

    line(r, i, "Id", shown->cert->id);
    line(r, i, "Names", apr_array_pstrcat(p, shown->cert->names, ','));
    line(r, i, "State", shown->word);
    line(r, i, "Served", state->served && state->served == state->live
         ? "yes" : state->live ? "after-reload" : "placeholder");
    if (state->live) {
        line(r, i, "Serial", state->serial);
        line(r, i, "Issuer", state->issuer);
        line(r, i, "ValidFrom", acme_time_rfc3339(state->not_before, p));
        line(r, i, "ValidUntil", acme_time_rfc3339(state->not_after, p));
    }
    line(r, i, "NextStep", acme_next_step_word(shown->next.step));
    if (shown->next.at) {
        line(r, i, "NextAt", acme_time_rfc3339(shown->next.at, p));
    }
    if (shown->next.step == ACME_STEP_LIMIT) {
        line(r, i, "Limit", state->limit);
    }
    if (state->window_start && state->live) {
        line(r, i, "WindowStart", acme_time_rfc3339(state->window_start, p));
        line(r, i, "WindowEnd", acme_time_rfc3339(state->window_end, p));
    }
    if (state->explanation[0]) {
        line(r, i, "Explanation", state->explanation);
    }
    if (state->left_out) {
        line(r, i, "LeftOut", apr_itoa(p, (int)state->left_out));
        line(r, i, "LeftOutUntil", acme_time_rfc3339(state->names_again_at,
                                                     p));
    }
    line(r, i, "Attempts", apr_itoa(p, (int)state->attempts));
    if (state->problem[0] || state->detail[0]) {
        line(r, i, "Problem", apr_pstrcat(p, state->problem,
                                          state->problem[0] ? " " : "",
                                          state->detail, NULL));
    }
}

static void show_lines(request_rec *r, const char *held)
{
    const apr_time_t now = apr_time_now();
    pid_t keeper, renewal;
    shown_t shown;
    int i;

    acme_board_pids(board, &keeper, &renewal);
    ap_rprintf(r, "AcmeCertificates: %d\n", conf->certs->nelts);
    ap_rprintf(r, "AcmeKeeperPid: %d\n", (int)keeper);
    ap_rprintf(r, "AcmeRenewalPid: %d\n", (int)renewal);
    if (held[0]) {
        ap_rprintf(r, "AcmeReloadHeld: %s\n",
                   acme_text_clean(held, ACME_DETAIL_SIZE, r->pool));
    }
    for (i = 0; i < conf->certs->nelts; i++) {
        collect(&shown, i, now);
        lines_of_cert(r, i, &shown);
    }
}

static const char *html(const char *text, request_rec *r)
{
    return ap_escape_html(r->pool, acme_text_clean(text, ACME_DETAIL_SIZE,
                                                   r->pool));
}

/* "renew about 2026-12-01 10:00:00 UTC (in 9 days)" */
static const char *next_text(const shown_t *shown, apr_time_t now,
                             apr_pool_t *p)
{
    const acme_next_t *next = &shown->next;
    const char *what = "";

    switch (next->step) {
    case ACME_STEP_ORDER:
        return shown->state.ordering ? "an order is under way"
                                     : "to be ordered now";
    case ACME_STEP_FINISH:
        return shown->state.ordering ? "an order is under way"
                                     : "the keeper is starting";
    case ACME_STEP_CONFIGURE:
        return "waits for a changed configuration, or acmectl renew";
    case ACME_STEP_AGREE:
        return "waits for AcmeTermsOfService agree";
    case ACME_STEP_RENEW:
        what = "renewal";
        break;
    case ACME_STEP_RETRY:
        what = "next attempt";
        break;
    case ACME_STEP_LIMIT:
        what = "waits for a limit of the CA: order";
        break;
    }
    return apr_psprintf(p, "%s at %s (in %s)", what,
                        acme_time_text(next->at, p),
                        acme_time_interval_text(next->at - now, p));
}

static void row_of_cert(request_rec *r, const shown_t *shown, apr_time_t now)
{
    const acme_state_t *state = &shown->state;
    apr_pool_t *p = r->pool;
    const char *word = shown->word;

    if (state->live && state->live != state->served) {
        word = apr_pstrcat(p, word, ", served after the next reload", NULL);
    }
    ap_rprintf(
        r,
        "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td>"
        "<td>%s",
        html(shown->cert->id, r),
        html(acme_name_list_text(shown->cert->names, p), r), html(word, r),
        state->live ? html(acme_time_text(state->not_after, p), r) : "-",
        html(next_text(shown, now, p), r));
    if (state->explanation[0]) {
        ap_rprintf(r, "; the CA explains it at %s",
                   html(state->explanation, r));
    }
    ap_rputs("</td><td>", r);
    if (state->attempts) {
        ap_rprintf(r, "%u failed: %s. ", state->attempts,
                   html(state->detail, r));
    }
    if (shown->next.step == ACME_STEP_LIMIT) {
        ap_rprintf(r, "%s. ", html(state->limit, r));
    }
    if (state->left_out) {
        ap_rprintf(r, "%u of its names left out, as they keep failing; tried "
                   "again at %s", state->left_out,
                   acme_time_text(state->names_again_at, p));
    }
    ap_rputs("</td></tr>\n", r);
}

static void show_html(request_rec *r, const char *held)
{
    const apr_time_t now = apr_time_now();
    shown_t shown;
    int i;

    ap_rputs("<hr />\n<h3>Certificates kept by mod_acme</h3>\n", r);
    if (held[0]) {
        ap_rprintf(r, "<p><strong>A reload is held back:</strong> %s</p>\n",
                   html(held, r));
    }
    ap_rputs("<table border=\"1\"><tr><th>Certificate</th><th>Names</th>"
             "<th>State</th><th>Valid until</th><th>Next</th>"
             "<th>Last problem</th></tr>\n", r);
    for (i = 0; i < conf->certs->nelts; i++) {
        collect(&shown, i, now);
        row_of_cert(r, &shown, now);
    }
    ap_rputs("</table>\n", r);
}

static int on_status(request_rec *r, int flags)
{
    char held[ACME_DETAIL_SIZE];

    if (!board) {
        return OK;
    }
    acme_board_held(board, held, sizeof(held));
    if (flags & AP_STATUS_SHORT) {
        show_lines(r, held);
    }
    else {
        show_html(r, held);
    }
    return OK;
}

void acme_status_hooks(apr_pool_t *p)
{
    (void)p;
    APR_OPTIONAL_HOOK(ap, status_hook, on_status, NULL, NULL,
                      APR_HOOK_MIDDLE);
}
