/*
 * acme_page_list.c - all certificates on one page.
 *
 * There may be ten thousand: what is shown of all is counted in one pass over
 * the board, and only the rows of a page are made.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_name.h"
#include "acme_next_step.h"
#include "acme_page_list.h"
#include "acme_text.h"
#include "acme_time.h"

#define PAGE 50                 /* rows of a page */
#define RUNNING_SHOWN 20        /* orders under way */
#define REFRESH 60              /* seconds; while orders run: */
#define REFRESH_RUNNING 10

/* What is known of each certificate when rows are chosen. */
typedef struct {
    int i;                      /* index in the configuration */
    acme_explain_kind_e kind;
    apr_time_t not_after;       /* 0: there is none */
} row_t;

typedef struct {
    acme_page_out_t *out;
    const acme_page_frame_t *frame;
    const acme_page_query_t *query;
    const acme_page_view_t *view;
    const char *held;
    apr_time_t now;
    apr_pool_t *p;
    acme_state_t *state;        /* a buffer */

    int counts[ACME_EXPLAIN_KINDS];
    int not_agreed;
    row_t soonest;              /* i < 0: none has a certificate */
    apr_array_header_t *running;        /* row_t: orders under way, and */
    apr_array_header_t *rows;   /* row_t: what was asked for */
    int page, pages;            /* of rows */
} list_t;

static const acme_cert_conf_t *conf_of(const list_t *list, int i)
{
    return &APR_ARRAY_IDX(list->view->conf->certs, i, acme_cert_conf_t);
}

/* Is the text q, in lower case, in text? */
static int has_text(const char *text, const char *q, apr_size_t len)
{
    for (; *text; text++) {
        apr_size_t n = 0;

        while (n < len && (text[n] == q[n]
                           || (text[n] >= 'A' && text[n] <= 'Z'
                               && text[n] + ('a' - 'A') == q[n]))) {
            n++;
        }
        if (n == len) {
            return 1;
        }
    }
    return !len;
}

static int has_any(const apr_array_header_t *texts, const char *q,
                   apr_size_t len)
{
    int i;

    for (i = 0; i < texts->nelts; i++) {
        if (has_text(APR_ARRAY_IDX(texts, i, const char *), q, len)) {
            return 1;
        }
    }
    return 0;
}

/* The most urgent first; of those, what ends first; then as configured. */
static int compare_rows(const void *a, const void *b)
{
    const row_t *one = a, *two = b;

    if (one->kind != two->kind) {
        return one->kind < two->kind ? -1 : 1;
    }
    if (one->not_after != two->not_after) {
        return one->not_after < two->not_after ? -1 : 1;
    }
    return one->i < two->i ? -1 : 1;
}

/* What is searched for, in lower case; a name in its own script as it is in a
   certificate. */
static const char *needle_of(const list_t *list)
{
    const char *q = list->query->q, *at = q, *name;
    acme_result_t res;

    while (*at && (unsigned char)*at < 0x80) {
        at++;
    }
    if (*at && !acme_name_normalise(&name, q, &res, list->p)) {
        return name;
    }
    return acme_text_lower(q, strlen(q), list->p);
}

/* One pass over the board. */
static void count_all(list_t *list)
{
    const char *q = needle_of(list);
    const apr_size_t len = strlen(q);
    const int n = list->view->conf->certs->nelts;
    int i;

    list->running = apr_array_make(list->p, 4, sizeof(row_t));
    list->rows = apr_array_make(list->p, n ? n : 1, sizeof(row_t));
    list->soonest.i = -1;
    for (i = 0; i < n; i++) {
        const acme_status_cert_t cert = acme_page_view_cert(
            list->view, i, list->state, list->held);
        const int has_one = cert.state && cert.state->live;
        const row_t row = {
            .i = i, .kind = acme_explain_kind(&cert, list->now),
            .not_after = has_one ? cert.state->not_after : 0
        };

        list->counts[row.kind]++;
        list->not_agreed += cert.state && !cert.state->agreed;
        if (row.not_after && (list->soonest.i < 0
                              || row.not_after < list->soonest.not_after)) {
            list->soonest = row;
        }
        if (cert.state && cert.state->ordering) {
            APR_ARRAY_PUSH(list->running, row_t) = row;
        }
        if ((list->query->kind == ACME_EXPLAIN_KINDS
             || (acme_explain_kind_e)list->query->kind == row.kind)
            && (!len || has_text(cert.id, q, len)
                || has_any(cert.names, q, len))) {
            APR_ARRAY_PUSH(list->rows, row_t) = row;
        }
    }
    qsort(list->rows->elts, (size_t)list->rows->nelts, sizeof(row_t),
          compare_rows);
}

static void put_tile(const list_t *list, int kind, const char *word, int n)
{
    acme_page_query_t query = *list->query;

    query.kind = kind;
    query.page = 1;
    acme_page_out_format(list->out, "<li class=\"%s%s\"><a href=",
                         kind < ACME_EXPLAIN_KINDS ? word : "",
                         n ? "" : " zero");
    acme_page_query_link(list->out, &query);
    acme_page_out_format(list->out, "%s><strong>%d</strong> %s</a></li>\n",
                         list->query->kind == kind ? " aria-current=\"true\""
                                                   : "", n, word);
}

static void put_summary(const list_t *list)
{
    acme_page_out_t *out = list->out;
    int kind;

    acme_page_out_html(out, "<nav aria-label=\"Certificates by state\">"
                            "<ul class=\"tiles\">\n");
    put_tile(list, ACME_EXPLAIN_KINDS,
             list->view->conf->certs->nelts == 1 ? "certificate"
                                                 : "certificates",
             list->view->conf->certs->nelts);
    for (kind = 0; kind < ACME_EXPLAIN_KINDS; kind++) {
        put_tile(list, kind,
                 acme_explain_kind_word((acme_explain_kind_e)kind),
                 list->counts[kind]);
    }
    acme_page_out_html(out, "</ul></nav>\n");
    if (list->soonest.i >= 0) {
        acme_page_query_t query = *list->query;

        query.id = conf_of(list, list->soonest.i)->id;
        acme_page_out_html(out, "<p class=\"summary\">Soonest expiry: <a href=");
        acme_page_query_link(out, &query);
        acme_page_out_html(out, ">");
        acme_page_out_text(out, query.id);
        acme_page_out_html(out, "</a>, ");
        acme_page_out_time(out, list->soonest.not_after, list->now);
        acme_page_out_html(out, "</p>\n");
    }
}

static void put_alert(const list_t *list, int is_failing, const char *title,
                      const char *text)
{
    acme_page_out_format(list->out, "<div class=\"card alert%s\" "
                         "role=\"status\"><strong>",
                         is_failing ? " failing" : "");
    acme_page_out_html(list->out, title);
    acme_page_out_html(list->out, "</strong> ");
    acme_page_out_text(list->out, text);
    acme_page_out_html(list->out, "</div>\n");
}

/* A worker may not signal the keeper, but it sees whether there is one. */
static int is_gone(pid_t pid)
{
    return pid > 0 && kill(pid, 0) < 0 && errno == ESRCH;
}

static void put_alerts(const list_t *list)
{
    pid_t keeper, renewal;

    if (!list->view->conf->certs->nelts) {
        return;
    }
    if (!list->view->board) {
        put_alert(list, 1, "Certificates are not renewed.",
                  "Shared memory could not be made when httpd was loaded: read its error log.");
        return;
    }
    acme_board_pids(list->view->board, &keeper, &renewal);
    if (is_gone(keeper)) {
        put_alert(list, 1, "The keeper does not run.",
                  "httpd starts another one within seconds. If this lasts, read its error log; nothing is renewed meanwhile.");
    }
    if (is_gone(renewal)) {
        put_alert(list, 0, "The renewal threads do not run.",
                  "Another worker of httpd takes over within seconds.");
    }
    if (list->held[0]) {
        put_alert(list, 0, "A reload of httpd is postponed:", list->held);
    }
    if (list->not_agreed) {
        put_alert(list, 0, apr_psprintf(list->p, "Terms of service: %d "
                                        "certificate%s waiting.",
                                        list->not_agreed,
                                        list->not_agreed == 1 ? " is"
                                                              : "s are"),
                  "Nothing is ordered before you agree to the terms of the CA: read them, set \"AcmeTermsOfService agree\" and reload httpd.");
    }
}

static void put_id(const list_t *list, int i)
{
    acme_page_query_t query = *list->query;

    query.id = conf_of(list, i)->id;
    acme_page_out_html(list->out, "<a href=");
    acme_page_query_link(list->out, &query);
    acme_page_out_html(list->out, ">");
    acme_page_out_text(list->out, query.id);
    acme_page_out_html(list->out, "</a>");
}

/* The newest event of an order that began then; NULL: there is none. */
static const char *last_event(const list_t *list, int i, apr_time_t since)
{
    const char *problem;
    const acme_journal_t *journal = acme_page_view_journal(&problem,
                                                           list->view, i,
                                                           list->p);
    const acme_journal_event_t *event =
        journal ? acme_journal_step(journal, since) : NULL;

    return event ? event->event : NULL;
}

static void put_running(const list_t *list)
{
    acme_page_out_t *out = list->out;
    int k;

    if (!list->running->nelts) {
        return;
    }
    acme_page_out_format(out, "<section aria-labelledby=\"running\">"
                         "<h2 id=\"running\">Orders under way: %d</h2>\n"
                         "<div class=\"table\"><table role=\"table\">"
                         "<caption>Their steps, and when they began</caption>"
                         "<thead role=\"rowgroup\"><tr role=\"row\">",
                         list->running->nelts);
    acme_page_out_html(out,
        "<th role=\"columnheader\" scope=\"col\">Certificate</th>"
        "<th role=\"columnheader\" scope=\"col\">Step</th>"
        "<th role=\"columnheader\" scope=\"col\">Since</th>"
        "</tr></thead><tbody role=\"rowgroup\">\n");
    for (k = 0; k < list->running->nelts && k < RUNNING_SHOWN; k++) {
        const int i = APR_ARRAY_IDX(list->running, k, row_t).i;
        apr_time_t since;

        if (!acme_page_view_state(list->view, i, list->state)) {
            continue;
        }
        since = list->state->ordering_since;
        acme_page_out_html(out, "<tr role=\"row\"><th role=\"rowheader\" "
                                "scope=\"row\">");
        put_id(list, i);
        acme_page_out_html(out, "</th><td role=\"cell\" data-label=\"Step\">");
        acme_page_out_html(out, acme_explain_step(last_event(list, i, since)));
        acme_page_out_html(out, "</td><td role=\"cell\" data-label=\"Since\">");
        acme_page_out_time(out, since, list->now);
        acme_page_out_html(out, "</td></tr>\n");
    }
    acme_page_out_html(out, "</tbody></table></div>");
    if (list->running->nelts > RUNNING_SHOWN) {
        acme_page_out_format(out, "<p class=\"soft\">%d more are not shown "
                             "here.</p>", list->running->nelts - RUNNING_SHOWN);
    }
    acme_page_out_html(out, "</section>\n");
}

static void put_form(const list_t *list)
{
    acme_page_out_t *out = list->out;
    int kind;

    acme_page_out_html(out,
        "<form method=\"get\" role=\"search\"><div><label for=\"q\">Search in "
        "names</label><input id=\"q\" name=\"q\" type=\"search\" "
        "maxlength=\"253\" value=\"");
    acme_page_out_text(out, list->query->q);
    acme_page_out_html(out, "\"></div>\n<div><label for=\"state\">State"
                            "</label><select id=\"state\" name=\"state\">"
                            "<option value=\"\">all</option>");
    for (kind = 0; kind < ACME_EXPLAIN_KINDS; kind++) {
        acme_page_out_format(out, "<option%s>%s</option>",
                             list->query->kind == kind ? " selected" : "",
                             acme_explain_kind_word(
                                 (acme_explain_kind_e)kind));
    }
    acme_page_out_html(out, "</select></div>\n");
    if (list->query->refresh >= 0) {
        acme_page_out_format(out, "<input type=\"hidden\" name=\"refresh\" "
                             "value=\"%d\">", list->query->refresh);
    }
    acme_page_out_html(out, "<button>Search</button></form>\n");
}

static void put_page_link(const list_t *list, const acme_page_query_t *query,
                          const char *text, const char *rel)
{
    acme_page_out_html(list->out, "<a href=");
    acme_page_query_link(list->out, query);
    acme_page_out_format(list->out, "%s%s%s>%s</a>\n", *rel ? " rel=\"" : "",
                         rel, *rel ? "\"" : "", text);
}

/* number: the member of query that says which page it is. */
static void put_pages(const list_t *list, acme_page_query_t *query,
                      int *number, int page, int pages, const char *label)
{
    acme_page_out_t *out = list->out;

    if (pages < 2) {
        return;
    }
    acme_page_out_format(out, "<nav class=\"pages\" aria-label=\"%s\">\n",
                         label);
    if (page > 1) {
        *number = 1;
        put_page_link(list, query, "First", "");
        *number = page - 1;
        put_page_link(list, query, "Previous", "prev");
    }
    acme_page_out_format(out, "<span>Page %d of %d</span>\n", page, pages);
    if (page < pages) {
        *number = page + 1;
        put_page_link(list, query, "Next", "next");
        *number = pages;
        put_page_link(list, query, "Last", "");
    }
    acme_page_out_html(out, "</nav>\n");
}

/* Those that are not the id, which most often is the first one. */
static void put_names(const list_t *list, const acme_cert_conf_t *cert)
{
    apr_array_header_t *names = apr_array_make(list->p, cert->names->nelts,
                                               sizeof(const char *));
    int i;

    for (i = 0; i < cert->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(cert->names, i, const char *);

        if (strcmp(name, cert->id)) {
            APR_ARRAY_PUSH(names, const char *) = name;
        }
    }
    if (names->nelts) {
        acme_page_out_html(list->out, "<span class=\"sub\">");
        acme_page_out_text(list->out, acme_name_list_text(names, list->p));
        acme_page_out_html(list->out, "</span>");
    }
}

/* The life of one, with its end in words. */
static void put_life(const list_t *list, const acme_page_life_t *life,
                     acme_explain_kind_e kind)
{
    if (!life->not_after) {
        acme_page_out_html(list->out, "<span class=\"soft\">no certificate "
                                      "yet</span>");
        return;
    }
    acme_page_frame_bar(list->out, life, kind, 0, list->now, list->p);
    acme_page_out_html(list->out, life->not_after > list->now ? "expires "
                                                              : "expired ");
    acme_page_out_time(list->out, life->not_after, list->now);
}

static void put_next(const list_t *list, const acme_status_cert_t *cert)
{
    static const char *const words[] = {
        [ACME_STEP_ORDER] = "order starts now",
        [ACME_STEP_RENEW] = "renewal ",
        [ACME_STEP_RETRY] = "next attempt ",
        [ACME_STEP_CONFIGURE] = "waits for the administrator",
        [ACME_STEP_AGREE] = "waits for the administrator",
        [ACME_STEP_FINISH] = "order under way since ",
        [ACME_STEP_LIMIT] = "order follows "
    };
    const acme_reason_e reason = acme_status_rows_reason(cert, list->now);
    const char *seen = acme_status_rows_seen_text(cert, list->now, list->p);
    acme_next_t next;

    if (!cert->state) {
        acme_page_out_html(list->out, "the keeper is starting");
        return;
    }
    next = acme_next_step(cert->state, list->now);
    if (cert->state->ordering) {
        next = (acme_next_t) { ACME_STEP_FINISH,
                               cert->state->ordering_since };
    }
    acme_page_out_html(list->out, words[next.step]);
    if (next.at && next.step != ACME_STEP_ORDER) {
        acme_page_out_time(list->out, next.at, list->now);
    }
    if (seen) {
        acme_page_out_html(list->out, "<span class=\"sub failing\">");
        acme_page_out_text(list->out, seen);
        acme_page_out_html(list->out, "</span>");
    }
    if (cert->state->left_out) {
        acme_page_out_html(list->out, "<span class=\"sub\">left out: ");
        acme_page_out_text(list->out, acme_status_rows_left_out(cert->state,
                                                                list->p));
        acme_page_out_html(list->out, "</span>");
    }
    if (reason != ACME_REASON_NONE) {
        acme_page_out_format(list->out, "<span class=\"sub%s\">",
                             acme_explain_kind(cert, list->now)
                                     == ACME_EXPLAIN_FAILING ? " failing"
                                                             : "");
        acme_page_out_text(list->out, acme_reason_about(reason)->sentence);
        acme_page_out_html(list->out, " <code>");
        acme_page_out_text(list->out, acme_reason_about(reason)->code);
        acme_page_out_html(list->out, "</code></span>");
    }
}

static void put_row(const list_t *list, int i)
{
    acme_page_out_t *out = list->out;
    const acme_status_cert_t cert = acme_page_view_cert(
        list->view, i, list->state, list->held);
    const acme_explain_kind_e kind = acme_explain_kind(&cert, list->now);
    const acme_page_life_t life = cert.state
        ? acme_page_frame_life(cert.state, list->now)
        : (acme_page_life_t) { 0 };

    acme_page_out_html(out, "<tr role=\"row\"><th role=\"rowheader\" "
                            "scope=\"row\">");
    put_id(list, i);
    put_names(list, conf_of(list, i));
    acme_page_out_html(out, "</th><td role=\"cell\">");
    acme_page_frame_badge(out, kind, cert.state
                          ? acme_status_rows_state(cert.state, list->now)
                          : "starting");
    acme_page_out_html(out, "</td><td role=\"cell\">");
    put_life(list, &life, kind);
    acme_page_out_html(out, "</td><td role=\"cell\">");
    put_next(list, &cert);
    acme_page_out_html(out, "</td></tr>\n");
}

static int pages_of(int n)
{
    return n ? (n + PAGE - 1) / PAGE : 1;
}

static void put_rows(list_t *list)
{
    acme_page_out_t *out = list->out;
    acme_page_query_t query = *list->query;
    int k;

    list->pages = pages_of(list->rows->nelts);
    list->page = query.page < list->pages ? query.page : list->pages;
    acme_page_out_html(out, "<section aria-labelledby=\"managed\">"
                            "<h2 id=\"managed\">Managed certificates</h2>\n");
    put_form(list);
    if (!list->rows->nelts) {
        acme_page_out_html(out, "<p class=\"card\">No managed certificate is "
                                "like that. <a href=\"?\">Show all</a></p>"
                                "</section>\n");
        return;
    }
    acme_page_frame_legend(out, ACME_EXPLAIN_FINE);
    acme_page_out_html(out, "<div class=\"table\"><table role=\"table\" "
                            "class=\"list\"><caption>");
    acme_page_out_format(out, list->rows->nelts == 1
                                  ? "%d certificate"
                                  : "%d certificates, the most urgent first",
                         list->rows->nelts);
    acme_page_out_html(out,
        "</caption><thead role=\"rowgroup\"><tr role=\"row\">"
        "<th role=\"columnheader\" scope=\"col\" class=\"c1\">Certificate</th>"
        "<th role=\"columnheader\" scope=\"col\" class=\"c2\">State</th>"
        "<th role=\"columnheader\" scope=\"col\" class=\"c3\">Lifetime</th>"
        "<th role=\"columnheader\" scope=\"col\">Next</th>"
        "</tr></thead><tbody role=\"rowgroup\">\n");
    for (k = (list->page - 1) * PAGE;
         k < list->rows->nelts && k < list->page * PAGE; k++) {
        put_row(list, APR_ARRAY_IDX(list->rows, k, row_t).i);
    }
    acme_page_out_html(out, "</tbody></table></div>\n");
    put_pages(list, &query, &query.page, list->page, list->pages,
              "Pages of managed certificates");
    acme_page_out_html(out, "</section>\n");
}

/* How one is that we do not manage. */
typedef struct {
    const acme_page_other_t *other;
    acme_explain_kind_e kind;
    acme_explain_kind_e bar;    /* of its lifetime alone */
    const char *word;
} other_t;

static other_t judge(const acme_page_other_t *other, apr_time_t now)
{
    const apr_interval_time_t life = other->not_after - other->not_before;
    other_t judged = { other, ACME_EXPLAIN_FINE, ACME_EXPLAIN_FINE, "valid" };

    if (other->not_after && other->not_after <= now) {
        judged.kind = judged.bar = ACME_EXPLAIN_FAILING;
        judged.word = "expired";
    }
    else if (other->problem[0]) {
        judged.kind = ACME_EXPLAIN_FAILING;
        judged.word = "problem";
        judged.bar = ACME_EXPLAIN_FINE;
    }
    else if (other->not_after - now < life / 10) {
        judged.kind = judged.bar = ACME_EXPLAIN_WAITING;
        judged.word = "expires soon";
    }
    return judged;
}

static int compare_others(const void *a, const void *b)
{
    const other_t *one = a, *two = b;

    if (one->kind != two->kind) {
        return one->kind < two->kind ? -1 : 1;
    }
    if (one->other->not_after != two->other->not_after) {
        return one->other->not_after < two->other->not_after ? -1 : 1;
    }
    return one->other < two->other ? -1 : 1;
}

static int has_other(const acme_page_other_t *other, const char *q)
{
    const apr_size_t len = strlen(q);
    int i;

    if (!len || has_text(other->path, q, len)
        || has_any(other->names, q, len)) {
        return 1;
    }
    for (i = 0; i < other->vhosts->nelts; i++) {
        if (has_text(APR_ARRAY_IDX(other->vhosts, i, acme_page_vhost_t).name,
                     q, len)) {
            return 1;
        }
    }
    return 0;
}

static apr_array_header_t *choose_others(const list_t *list)
{
    const apr_array_header_t *all = list->view->others;
    const char *q = needle_of(list);
    apr_array_header_t *chosen = apr_array_make(list->p, all->nelts + 1,
                                                sizeof(other_t));
    int i;

    for (i = 0; i < all->nelts; i++) {
        const acme_page_other_t *other = &APR_ARRAY_IDX(all, i,
                                                        acme_page_other_t);

        if (has_other(other, q)) {
            APR_ARRAY_PUSH(chosen, other_t) = judge(other, list->now);
        }
    }
    qsort(chosen->elts, (size_t)chosen->nelts, sizeof(other_t),
          compare_others);
    return chosen;
}

static void put_used_by(const list_t *list, const apr_array_header_t *vhosts)
{
    const acme_page_vhost_t *first = &APR_ARRAY_IDX(vhosts, 0,
                                                    acme_page_vhost_t);

    acme_page_out_html(list->out, "<span class=\"sub\">");
    acme_page_out_text(list->out, first->name);
    acme_page_out_html(list->out, ", <code>");
    acme_page_out_text(list->out, acme_page_view_place(first, list->p));
    acme_page_out_html(list->out, "</code>");
    if (vhosts->nelts > 1) {
        acme_page_out_format(list->out, " and %d more", vhosts->nelts - 1);
    }
    acme_page_out_html(list->out, "</span>");
}

static void put_other(const list_t *list, const other_t *row)
{
    acme_page_out_t *out = list->out;
    const acme_page_other_t *other = row->other;
    const acme_page_life_t life = { .not_before = other->not_before,
                                    .not_after = other->not_after };

    acme_page_out_html(out, "<tr role=\"row\"><th role=\"rowheader\" "
                            "scope=\"row\"><code>");
    acme_page_out_text(out, other->path);
    acme_page_out_html(out, "</code>");
    put_used_by(list, other->vhosts);
    acme_page_out_html(out, "</th><td role=\"cell\">");
    acme_page_frame_badge(out, row->kind, row->word);
    acme_page_out_html(out, "</td><td role=\"cell\">");
    if (other->not_after) {
        put_life(list, &life, row->bar);
    }
    acme_page_out_html(out, "</td><td role=\"cell\">");
    acme_page_out_text(out, other->names->nelts
                            ? acme_name_list_text(other->names, list->p)
                            : "no names known");
    if (other->issuer[0]) {
        acme_page_out_html(out, "<span class=\"sub\">issued by ");
        acme_page_out_text(out, other->issuer);
        acme_page_out_html(out, "</span>");
    }
    if (other->problem[0]) {
        acme_page_out_html(out, "<span class=\"sub failing\">");
        acme_page_out_text(out, other->problem);
        acme_page_out_html(out, "</span>");
    }
    acme_page_out_html(out, "</td></tr>\n");
}

static void put_others(const list_t *list)
{
    acme_page_out_t *out = list->out;
    acme_page_query_t query = *list->query;
    apr_array_header_t *rows;
    int page, pages, k;

    if (!list->view->others || list->query->kind < ACME_EXPLAIN_KINDS
        || !list->view->others->nelts) {
        return;
    }
    rows = choose_others(list);
    pages = pages_of(rows->nelts);
    page = query.others < pages ? query.others : pages;
    acme_page_out_html(out, "<section aria-labelledby=\"others\">"
                            "<h2 id=\"others\">Not managed by mod_acme</h2>\n"
                            "<p class=\"soft\">Files that an "
                            "SSLCertificateFile names, as they were when httpd "
                            "was loaded. With <code>AcmeEngine on</code> and "
                            "without that directive, a virtual host gets its "
                            "certificate from mod_acme.</p>\n");
    if (!rows->nelts) {
        acme_page_out_html(out, "<p class=\"card\">None of them is like "
                                "that.</p></section>\n");
        return;
    }
    acme_page_out_format(out,
        "<div class=\"table\"><table role=\"table\" class=\"list\">"
        "<caption>%d file%s, the most urgent first</caption>"
        "<thead role=\"rowgroup\"><tr role=\"row\">"
        "<th role=\"columnheader\" scope=\"col\" class=\"c1\">File</th>"
        "<th role=\"columnheader\" scope=\"col\" class=\"c2\">State</th>",
        rows->nelts, rows->nelts == 1 ? "" : "s");
    acme_page_out_html(out,
        "<th role=\"columnheader\" scope=\"col\" class=\"c3\">Lifetime</th>"
        "<th role=\"columnheader\" scope=\"col\">Names and problems</th>"
        "</tr></thead><tbody role=\"rowgroup\">\n");
    for (k = (page - 1) * PAGE; k < rows->nelts && k < page * PAGE; k++) {
        put_other(list, &APR_ARRAY_IDX(rows, k, other_t));
    }
    acme_page_out_html(out, "</tbody></table></div>\n");
    put_pages(list, &query, &query.others, page, pages,
              "Pages of other certificates");
    acme_page_out_html(out, "</section>\n");
}

static void put_nothing_managed(const list_t *list)
{
    acme_page_out_html(list->out, "<div class=\"card\">");
    if (list->view->engines) {
        acme_page_out_html(list->out,
            "<p><strong>AcmeEngine is on, and there is no certificate to "
            "manage.</strong></p><p>A certificate is managed for each virtual "
            "host with <code>SSLEngine on</code>, a <code>ServerName</code>, "
            "and no <code>SSLCertificateFile</code>. The error log says why a "
            "virtual host is skipped; so does <code>httpd -t -DDUMP_ACME"
            "</code>.</p>");
    }
    else {
        acme_page_out_html(list->out,
            "<p><strong>mod_acme is loaded, and AcmeEngine is off: it manages "
            "no certificate.</strong></p><p>To begin, read the terms of service "
            "of the CA (Let's Encrypt, unless <code>AcmeCA</code> names another "
            "one), write this, and reload httpd:</p>"
            "<pre>AcmeTermsOfService agree\n"
            "AcmeEngine on\n\n"
            "&lt;VirtualHost *:443&gt;\n"
            "    ServerName www.example.org\n"
            "    SSLEngine on\n"
            "&lt;/VirtualHost&gt;</pre>");
    }
    acme_page_out_html(list->out, "</div>\n");
}

void acme_page_list(acme_page_out_t *out, const acme_page_frame_t *frame,
                    const acme_page_view_t *view, apr_pool_t *p)
{
    acme_page_frame_t mine = *frame;
    list_t list = {
        .out = out, .frame = &mine, .query = frame->query, .view = view,
        .held = acme_page_view_held(view, p), .now = frame->now, .p = p,
        .state = apr_palloc(p, sizeof(*list.state))
    };

    count_all(&list);
    mine.refresh = list.running->nelts ? REFRESH_RUNNING : REFRESH;
    acme_page_frame_begin(out, &mine, "Certificates of this server");
    put_alerts(&list);
    if (view->conf->certs->nelts) {
        put_summary(&list);
        put_running(&list);
        put_rows(&list);
    }
    else {
        put_nothing_managed(&list);
    }
    put_others(&list);
    acme_page_frame_end(out);
}
