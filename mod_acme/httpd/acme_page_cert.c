/*
 * acme_page_cert.c - one certificate on a page of its own.
 *
 * Commands are shown by their program alone: arguments may have a secret.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_known_ca.h"
#include "acme_next_step.h"
#include "acme_page_cert.h"

#define REFRESH 60              /* seconds; while an order runs: */
#define REFRESH_RUNNING 5

typedef struct {
    acme_page_out_t *out;
    const acme_page_view_t *view;
    int i;
    const acme_cert_conf_t *conf;
    const acme_state_t *state;  /* NULL: the keeper still reads its store */
    const acme_journal_t *journal;      /* NULL: it cannot be read */
    const char *journal_problem;
    const acme_page_files_t *files;
    const char *held;
    apr_time_t now;
    apr_pool_t *p;
} page_t;

int acme_page_cert_find(const acme_page_view_t *view, const char *id)
{
    int i = view->conf->certs->nelts - 1;

    while (i >= 0 && strcmp(APR_ARRAY_IDX(view->conf->certs, i,
                                          acme_cert_conf_t).id, id)) {
        i--;
    }
    return i;
}

static void put_heading(const page_t *page, const char *id, const char *title)
{
    acme_page_out_format(page->out, "<section aria-labelledby=\"%s\">"
                         "<h2 id=\"%s\">%s</h2>\n", id, id, title);
}

/* A row of a list of definitions; the value is any text. */
static void put_fact(const page_t *page, const char *label, const char *text)
{
    if (text && *text) {
        acme_page_out_html(page->out, "<dt>");
        acme_page_out_html(page->out, label);
        acme_page_out_html(page->out, "</dt><dd>");
        acme_page_out_text(page->out, text);
        acme_page_out_html(page->out, "</dd>\n");
    }
}

static void put_time(const page_t *page, const char *label, apr_time_t t)
{
    if (t) {
        acme_page_out_html(page->out, "<dt>");
        acme_page_out_html(page->out, label);
        acme_page_out_html(page->out, "</dt><dd>");
        acme_page_out_time(page->out, t, page->now);
        acme_page_out_html(page->out, "</dd>\n");
    }
}

/* begin of a table; its headings end with NULL. */
static void begin_table(const page_t *page, const char *class,
                        const char *caption, const char *const *headings)
{
    acme_page_out_format(page->out, "<div class=\"table\"><table "
                         "role=\"table\" class=\"%s\"><caption>", class);
    acme_page_out_html(page->out, caption);
    acme_page_out_html(page->out, "</caption><thead role=\"rowgroup\">"
                                  "<tr role=\"row\">");
    for (; *headings; headings++) {
        acme_page_out_html(page->out, "<th role=\"columnheader\" "
                                      "scope=\"col\">");
        acme_page_out_html(page->out, *headings);
        acme_page_out_html(page->out, "</th>");
    }
    acme_page_out_html(page->out, "</tr></thead><tbody role=\"rowgroup\">\n");
}

static void end_table(const page_t *page)
{
    acme_page_out_html(page->out, "</tbody></table></div>\n");
}

static void begin_cell(const page_t *page, const char *label)
{
    acme_page_out_format(page->out, "<td role=\"cell\" data-label=\"%s\">",
                         label);
}

static void put_cell(const page_t *page, const char *label, const char *text)
{
    begin_cell(page, label);
    acme_page_out_text(page->out, text);
    acme_page_out_html(page->out, "</td>");
}

static void put_time_cell(const page_t *page, const char *label, apr_time_t t)
{
    begin_cell(page, label);
    acme_page_out_time(page->out, t, page->now);
    acme_page_out_html(page->out, "</td>");
}

static void begin_row(const page_t *page, const char *text)
{
    acme_page_out_html(page->out, "<tr role=\"row\"><th role=\"rowheader\" "
                                  "scope=\"row\">");
    acme_page_out_text(page->out, text);
    acme_page_out_html(page->out, "</th>");
}

static void end_row(const page_t *page)
{
    acme_page_out_html(page->out, "</tr>\n");
}

/* The step of an order under way, and how long it has been there. */
static void put_step(const page_t *page)
{
    const acme_journal_event_t *last = NULL;
    apr_time_t since;

    if (!page->state || !page->state->ordering) {
        return;
    }
    since = page->state->ordering_since;
    if (page->journal) {
        last = acme_journal_step(page->journal, since);
    }
    acme_page_out_html(page->out, "<dt>Step of the order</dt><dd>");
    acme_page_out_html(page->out, acme_explain_step(last ? last->event : NULL));
    acme_page_out_html(page->out, ", since ");
    acme_page_out_time(page->out, last ? last->when : since, page->now);
    acme_page_out_html(page->out, "</dd>\n");
}

/* What the administrator tries, while he does. */
static void put_dry_run(const page_t *page)
{
    const acme_state_t *state = page->state;

    if (!state || state->dry_run != ACME_DRY_RUN_UNDER_WAY) {
        return;
    }
    acme_page_out_html(page->out, "<dt>Dry run</dt><dd>under way since ");
    acme_page_out_time(page->out, state->dry_run_at, page->now);
    acme_page_out_html(page->out, state->dry_run_detail[0] ? "; " : "");
    acme_page_out_text(page->out, state->dry_run_detail);
    acme_page_out_html(page->out, "</dd>\n");
}

static void put_sentences(const page_t *page, const acme_explain_t *explain)
{
    acme_page_out_html(page->out, "<p>");
    acme_page_frame_badge(page->out, explain->kind,
                          page->state ? acme_status_rows_state(page->state,
                                                               page->now)
                                      : "starting");
    acme_page_out_html(page->out, "</p><dl class=\"card says\">\n");
    put_fact(page, "What is so", explain->so);
    put_fact(page, "Why", explain->why);
    put_step(page);
    put_dry_run(page);
    put_fact(page, "What happens next", explain->next);
    put_fact(page, "What you can do", explain->remedy);
    acme_page_out_html(page->out, "</dl>\n");
}

static void put_lifetime(const page_t *page, acme_explain_kind_e kind)
{
    acme_page_life_t life;

    if (!page->state || !page->state->live) {
        return;
    }
    life = acme_page_frame_life(page->state, page->now);
    put_heading(page, "life", "Lifetime");
    acme_page_out_html(page->out, "<div class=\"card\">");
    acme_page_frame_bar(page->out, &life, kind, 1, page->now, page->p);
    acme_page_frame_legend(page->out, kind);
    acme_page_out_html(page->out, "<dl>\n");
    put_time(page, "Valid from", life.not_before);
    put_time(page, "Installed", page->state->installed);
    put_time(page, acme_next_step_has_pick(page->state)
                       ? "Window of the CA begins" : "Renewal window begins",
             life.window_start);
    put_time(page, "Window ends", life.window_end);
    put_time(page, "Renewal planned", life.planned);
    put_time(page, "Warnings begin",
             acme_state_warn_at(page->state, life.not_after));
    put_time(page, life.not_after > page->now ? "Expires" : "Expired",
             life.not_after);
    if (page->state->explanation[0]) {
        put_fact(page, "The CA explains it at", page->state->explanation);
    }
    acme_page_out_html(page->out, "</dl></div></section>\n");
}

static void put_chain(const page_t *page, const acme_page_live_t *live)
{
    int i;

    for (i = 0; i < live->chain->nelts; i++) {
        acme_page_out_text(page->out, APR_ARRAY_IDX(live->chain, i,
                                                    const char *));
        acme_page_out_html(page->out, ", issued by ");
    }
    acme_page_out_text(page->out, live->topmost[0] ? live->topmost
                                                   : live->issuer);
}

static void put_certificates(const page_t *page)
{
    static const char *const headings[] = { "Key type", "Issuer", "Serial",
                                            "Valid from", "Valid until",
                                            "Chain up to", NULL };
    int k;

    put_heading(page, "certificates", "Certificates");
    if (page->files->problem[0]) {
        acme_page_out_html(page->out, "<p class=\"card\">");
        acme_page_out_text(page->out, page->state && !page->state->live
                                          ? "There is none yet."
                                          : page->files->problem);
        acme_page_out_html(page->out, "</p>");
    }
    if (page->files->lives->nelts) {
        begin_table(page, "firm", "One of each key type", headings);
        for (k = 0; k < page->files->lives->nelts; k++) {
            const acme_page_live_t *live = &APR_ARRAY_IDX(
                page->files->lives, k, acme_page_live_t);

            begin_row(page, live->key_type);
            put_cell(page, headings[1], live->issuer);
            begin_cell(page, headings[2]);
            acme_page_out_html(page->out, "<code>");
            acme_page_out_text(page->out, live->serial);
            acme_page_out_html(page->out, "</code></td>");
            put_time_cell(page, headings[3], live->not_before);
            put_time_cell(page, headings[4], live->not_after);
            begin_cell(page, headings[5]);
            put_chain(page, live);
            acme_page_out_html(page->out, "</td>");
            end_row(page);
        }
        end_table(page);
        acme_page_out_html(page->out, "<p class=\"small soft\">Files: <code>");
        acme_page_out_text(page->out, page->files->folder);
        acme_page_out_html(page->out, "</code></p>\n");
    }
    acme_page_out_html(page->out, "</section>\n");
}

static const acme_journal_name_t *failed_name(const page_t *page,
                                              const char *name)
{
    int i;

    for (i = 0; page->journal && i < page->journal->names->nelts; i++) {
        const acme_journal_name_t *failed = &APR_ARRAY_IDX(
            page->journal->names, i, acme_journal_name_t);

        if (!strcmp(failed->name, name) && failed->failures) {
            return failed;
        }
    }
    return NULL;
}

static void put_names(const page_t *page)
{
    int i;

    put_heading(page, "names", apr_psprintf(page->p, "Names: %d",
                                            page->conf->names->nelts));
    acme_page_out_html(page->out, "<div class=\"card\"><ul class=\"names\">\n");
    for (i = 0; i < page->conf->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(page->conf->names, i, const char *);
        const acme_journal_name_t *failed = failed_name(page, name);

        acme_page_out_html(page->out, "<li>");
        acme_page_out_text(page->out, name);
        if (failed) {
            acme_page_out_format(page->out, "<span class=\"sub failing\">"
                                 "failed %s in a row%s",
                                 acme_status_rows_times(failed->failures,
                                                        page->p),
                                 failed->left_out ? ", excluded; retried "
                                                  : "");
            if (failed->left_out) {
                acme_page_out_time(page->out, failed->again_at, page->now);
            }
            acme_page_out_html(page->out, "</span>");
        }
        acme_page_out_html(page->out, "</li>\n");
    }
    acme_page_out_html(page->out, "</ul></div></section>\n");
}

static void put_vhosts(const page_t *page)
{
    static const char *const headings[] = { "Virtual host", "Port",
                                            "Configured in", NULL };
    const apr_array_header_t *vhosts = page->view->vhosts[page->i];
    int k;

    put_heading(page, "used", "Where it is used");
    begin_table(page, "", "Virtual hosts with this certificate", headings);
    for (k = 0; k < vhosts->nelts; k++) {
        const acme_page_vhost_t *vhost = &APR_ARRAY_IDX(vhosts, k,
                                                        acme_page_vhost_t);

        begin_row(page, vhost->name);
        put_cell(page, headings[1], vhost->port
                     ? apr_psprintf(page->p, "%d", vhost->port) : "any");
        begin_cell(page, headings[2]);
        acme_page_out_html(page->out, "<code>");
        acme_page_out_text(page->out,
                           acme_page_view_place(vhost, page->p));
        acme_page_out_html(page->out, "</code></td>");
        end_row(page);
    }
    end_table(page);
    acme_page_out_html(page->out, "</section>\n");
}

static void put_self_check(const page_t *page)
{
    static const char *const words[ACME_CHECKS] = {
        [ACME_CHECK_NONE] = "not done yet",
        [ACME_CHECK_SERVED] = "httpd serves it at each address",
        [ACME_CHECK_UNKNOWN] = "somewhere it could not be seen",
        [ACME_CHECK_OTHER] = "somewhere another certificate is served"
    };
    const acme_state_t *state = page->state;

    if (!state) {
        return;
    }
    put_heading(page, "check", "Self check");
    acme_page_out_html(page->out, "<dl class=\"card\">\n");
    put_fact(page, "Result", state->check < ACME_CHECKS ? words[state->check]
                                                        : words[0]);
    put_time(page, "Done", state->checked);
    put_fact(page, "Addresses", state->check_places);
    put_fact(page, "Found", state->check_detail);
    put_time(page, "Reloaded because of it", state->check_reload_at);
    put_time(page, "Next check", state->check_at);
    acme_page_out_html(page->out, "</dl></section>\n");
}

/* The program of each command of a kind: "/usr/local/bin/x", "/y". */
static const char *programs_of(const page_t *page, acme_hook_e kind)
{
    const acme_hook_conf_t *hook;
    const char *text = "";
    int n;

    for (n = 0; (hook = acme_conf_hook(page->conf, kind, n)); n++) {
        text = apr_pstrcat(page->p, text, n ? ", " : "",
                           APR_ARRAY_IDX(hook->command, 0, const char *),
                           NULL);
    }
    return text;
}

static void put_failing(const page_t *page, const acme_hooks_failing_t *what)
{
    if (what && what->waiting) {
        acme_page_out_format(page->out, "<span class=\"sub failing\">failed "
                             "%u time%s; retried ", what->failures,
                             what->failures == 1 ? "" : "s");
        if (what->next_at) {
            acme_page_out_time(page->out, what->next_at, page->now);
        }
        else {
            acme_page_out_html(page->out, "soon");
        }
        acme_page_out_html(page->out, ": ");
        acme_page_out_text(page->out, what->failure);
        acme_page_out_html(page->out, "</span>");
    }
}

static void put_hooks(const page_t *page)
{
    const acme_state_t *state = page->state;
    const struct {
        const char *label;
        acme_hook_e kind;
        const acme_hooks_failing_t *what;
    } kinds[] = {
        { "AcmeHook pre", ACME_HOOK_PRE, NULL },
        { "AcmeHook post", ACME_HOOK_POST, state ? &state->post : NULL },
        { "AcmeHook deploy", ACME_HOOK_DEPLOY, state ? &state->deploy : NULL },
        { "AcmeHook notify", ACME_HOOK_NOTIFY, state ? &state->notify : NULL }
    };
    size_t k;

    for (k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
        const char *programs = programs_of(page, kinds[k].kind);
        const acme_hooks_failing_t *what = kinds[k].what;

        if (programs[0] || (what && what->waiting)) {
            acme_page_out_format(page->out, "<dt>%s</dt><dd>",
                                 kinds[k].label);
            acme_page_out_text(page->out, programs[0] ? programs
                                                      : "not configured now");
            put_failing(page, what);
            acme_page_out_html(page->out, "</dd>\n");
        }
    }
}

static void put_exports(const page_t *page)
{
    const apr_array_header_t *exports = page->conf->exports;
    int k;

    for (k = 0; exports && k < exports->nelts; k++) {
        put_fact(page, "AcmeExport", APR_ARRAY_IDX(exports, k,
                                                   acme_export_conf_t).path);
    }
    if (page->state) {
        put_fact(page, "Not exported", page->state->export_failure);
    }
}

static void put_cas(const page_t *page)
{
    apr_uint32_t k;

    for (k = 0; k < (apr_uint32_t)page->conf->cas->nelts; k++) {
        const char *url = acme_conf_ca(page->view->conf, page->conf, k)->url;
        const acme_known_ca_t *known = acme_known_ca_of_url(url, page->p);

        put_fact(page, k ? "Then CA" : "CA",
                 known ? apr_pstrcat(page->p, known->title, ", ", url, NULL)
                       : url);
    }
}

static void put_settings(const page_t *page)
{
    put_heading(page, "settings", "Settings and commands");
    acme_page_out_html(page->out, "<dl class=\"card\">\n");
    put_cas(page);
    put_fact(page, "Profile", page->conf->profile);
    put_fact(page, "Key types", acme_conf_key_types(page->conf, page->p));
    put_fact(page, "Challenges", acme_conf_challenges(page->conf, page->p));
    put_fact(page, "Must-staple", page->conf->must_staple ? "on" : "");
    put_hooks(page);
    put_exports(page);
    acme_page_out_html(page->out, "</dl></section>\n");
}

/* The newest first. */
static void put_journal(const page_t *page)
{
    static const char *const headings[] = { "When", "Event", "Detail", NULL };
    int k;

    put_heading(page, "journal", "Journal");
    if (!page->journal || !page->journal->events->nelts) {
        acme_page_out_html(page->out, "<p class=\"card\">");
        acme_page_out_text(page->out, page->journal ? "Nothing happened yet."
                                                    : page->journal_problem);
        acme_page_out_html(page->out, "</p></section>\n");
        return;
    }
    begin_table(page, "events", "The newest first", headings);
    for (k = page->journal->events->nelts - 1; k >= 0; k--) {
        const acme_journal_event_t *event = &APR_ARRAY_IDX(
            page->journal->events, k, acme_journal_event_t);

        acme_page_out_html(page->out, "<tr role=\"row\">");
        put_time_cell(page, headings[0], event->when);
        acme_page_out_html(page->out, "<th role=\"rowheader\" scope=\"row\">");
        acme_page_out_text(page->out, event->event);
        acme_page_out_html(page->out, "</th>");
        put_cell(page, headings[2], event->detail);
        end_row(page);
    }
    end_table(page);
    acme_page_out_html(page->out, "</section>\n");
}

/* The rows that acmectl status --json has, for who compares them. */
static void put_values(const page_t *page, const acme_status_cert_t *cert)
{
    static const char *const headings[] = { "Key", "Value", NULL };
    const apr_array_header_t *rows = acme_status_rows_make(cert, page->now,
                                                           page->p);
    int k;

    acme_page_out_html(page->out, "<details><summary>All values</summary>\n");
    begin_table(page, "", "As in acmectl status --json", headings);
    for (k = 0; k < rows->nelts; k++) {
        const acme_status_row_t *row = &APR_ARRAY_IDX(rows, k,
                                                      acme_status_row_t);

        if ((row->shown & ACME_STATUS_JSON) && row->value && row->value[0]) {
            begin_row(page, row->key);
            put_cell(page, headings[1], row->value);
            end_row(page);
        }
    }
    end_table(page);
    acme_page_out_html(page->out, "</details>\n");
}

void acme_page_cert(acme_page_out_t *out, const acme_page_frame_t *frame,
                    const acme_page_view_t *view, int i, apr_pool_t *p)
{
    acme_page_frame_t mine = *frame;
    page_t page = {
        .out = out, .view = view, .i = i,
        .conf = &APR_ARRAY_IDX(view->conf->certs, i, acme_cert_conf_t),
        .held = acme_page_view_held(view, p), .now = frame->now, .p = p
    };
    const acme_status_cert_t cert = acme_page_view_cert(
        view, i, apr_palloc(p, sizeof(acme_state_t)), page.held);
    acme_explain_t explain;

    page.state = cert.state;
    page.journal = acme_page_view_journal(&page.journal_problem, view, i, p);
    page.files = acme_page_view_files(view, i, ACME_PAGE_WITH_CHAINS, p);
    acme_explain_make(&explain, &cert, page.now, p);
    mine.refresh = page.state && (page.state->ordering
                                  || page.state->dry_run
                                         == ACME_DRY_RUN_UNDER_WAY)
        ? REFRESH_RUNNING : REFRESH;
    acme_page_frame_begin(out, &mine, page.conf->id);
    put_sentences(&page, &explain);
    put_lifetime(&page, explain.kind);
    put_certificates(&page);
    put_names(&page);
    put_vhosts(&page);
    put_self_check(&page);
    put_settings(&page);
    put_journal(&page);
    put_values(&page, &cert);
    acme_page_frame_end(out);
}

void acme_page_cert_unknown(acme_page_out_t *out,
                            const acme_page_frame_t *frame)
{
    acme_page_frame_begin(out, frame, "No such certificate");
    acme_page_out_html(out, "<p class=\"card\">No managed certificate has the "
                            "id <code>");
    acme_page_out_text(out, frame->query->id);
    acme_page_out_html(out, "</code>. It may have been removed from the "
                            "configuration.</p>\n");
    acme_page_frame_end(out);
}
