/*
 * acme_ctl_explain.c - acmectl explain: what is so, why, what is next, what to
 * do.
 */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_ctl_checks.h"
#include "acme_ctl_explain.h"
#include "acme_ctl_show.h"
#include "acme_ctl_store.h"
#include "acme_ctl_term.h"
#include "acme_explain.h"

const acme_ctl_option_t acme_ctl_explain_options[] = {
    ACME_CTL_OPTION_JSON,
    ACME_CTL_OPTIONS_END
};

/* While no httpd runs, nothing else happens next. */
static void explain(acme_explain_t *texts, const acme_ctl_cert_t *cert,
                    apr_time_t now, apr_pool_t *p)
{
    const acme_status_cert_t view = acme_ctl_show_view(cert);

    acme_explain_make(texts, &view, now, p);
    if (!cert->is_from_store) {
        return;
    }
    if (acme_status_rows_reason(&view, now) == ACME_REASON_NONE) {
        texts->why = "httpd does not run with this AcmeStateDir.";
        texts->remedy = "Start httpd.";
    }
    else {
        texts->remedy = apr_pstrcat(p, "Start httpd. ", texts->remedy, NULL);
    }
    texts->next = "Nothing before httpd is started.";
}

static json_t *object_of(const acme_ctl_cert_t *cert, apr_time_t now,
                         apr_pool_t *p)
{
    const acme_status_cert_t view = acme_ctl_show_view(cert);
    const acme_reason_e reason = acme_status_rows_reason(&view, now);
    const apr_array_header_t *checks = acme_ctl_checks_make(cert, now, p);
    json_t *json = json_object(), *list = json_array();
    acme_explain_t texts;
    int i;

    explain(&texts, cert, now, p);
    for (i = 0; i < checks->nelts; i++) {
        const acme_ctl_check_t *check = &APR_ARRAY_IDX(checks, i,
                                                       acme_ctl_check_t);

        json_array_append_new(list, json_pack(
            "{s:o, s:s, s:o}",
            "check", acme_json_from_text(check->name, 400, p),
            "result", acme_ctl_checks_word(check->result),
            "detail", acme_json_from_text(check->detail, 2000, p)));
    }
    json_object_set_new(json, "id", acme_json_from_text(cert->id, 200, p));
    json_object_set_new(json, "kind",
                        json_string(acme_explain_kind_word(texts.kind)));
    json_object_set_new(json, "so", acme_json_from_text(texts.so, 2000, p));
    json_object_set_new(json, "why", acme_json_from_text(texts.why, 3000, p));
    json_object_set_new(json, "next",
                        acme_json_from_text(texts.next, 2000, p));
    json_object_set_new(json, "remedy",
                        acme_json_from_text(texts.remedy, 2000, p));
    json_object_set_new(json, "reason",
                        json_string(acme_reason_about(reason)->code));
    json_object_set_new(json, "checks", list);
    json_object_set_new(json, "source", json_string(cert->is_from_store
                                                    ? "store" : "keeper"));
    return json;
}

static void put_sentences(const acme_explain_t *texts)
{
    const struct {
        const char *label, *text;
    } rows[] = { { "What is so", texts->so }, { "Why", texts->why },
                 { "What is next", texts->next },
                 { "What you can do", texts->remedy } };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        printf("  %-17s", rows[i].label);
        acme_ctl_term_put_wrapped(stdout, rows[i].text, 19);
    }
}

/* One that failed has the word of acmectl status. */
static const char *heading(const acme_ctl_cert_t *cert,
                           acme_explain_kind_e kind, apr_time_t now)
{
    return kind == ACME_EXPLAIN_FAILING && cert->state.attempts
        ? acme_state_word(&cert->state, now) : acme_explain_kind_word(kind);
}

static void put_text(const acme_ctl_command_t *run,
                     const acme_ctl_cert_t *cert)
{
    static const acme_ctl_term_color_e colors[] = {
        ACME_CTL_TERM_GREEN, ACME_CTL_TERM_YELLOW, ACME_CTL_TERM_RED,
        ACME_CTL_TERM_YELLOW
    };
    const apr_array_header_t *checks = acme_ctl_checks_make(cert, run->now,
                                                            run->p);
    acme_explain_t texts;
    int i, width = 0;

    explain(&texts, cert, run->now, run->p);
    acme_ctl_term_put(stdout, cert->id);
    fputs(": ", stdout);
    acme_ctl_term_color(stdout, texts.kind == ACME_EXPLAIN_FAILING
                            ? ACME_CTL_TERM_RED
                        : texts.kind == ACME_EXPLAIN_FINE
                            ? ACME_CTL_TERM_GREEN : ACME_CTL_TERM_YELLOW,
                        heading(cert, texts.kind, run->now), run->is_coloured);
    fputs("\n\n", stdout);
    put_sentences(&texts);
    fputs("\n  Checks\n", stdout);
    for (i = 0; i < checks->nelts; i++) {
        const int len = (int)strlen(acme_ctl_term_text(
            APR_ARRAY_IDX(checks, i, acme_ctl_check_t).name, run->p));

        width = len > width ? len : width;
    }
    for (i = 0; i < checks->nelts; i++) {
        const acme_ctl_check_t *check = &APR_ARRAY_IDX(checks, i,
                                                       acme_ctl_check_t);

        fputs("    ", stdout);
        acme_ctl_term_color(stdout, colors[check->result],
                            apr_psprintf(run->p, "%-8s",
                                         acme_ctl_checks_word(check->result)),
                            run->is_coloured);
        printf("%-*s  ", width, acme_ctl_term_text(check->name, run->p));
        acme_ctl_term_put(stdout, check->detail);
        fputs("\n", stdout);
    }
}

int acme_ctl_explain_run(acme_ctl_command_t *run)
{
    const int is_json = acme_ctl_command_option(run, "--json") != NULL;
    json_t *array = json_array();
    int i, ill = 0;

    for (i = 0; i < run->certs->nelts; i++) {
        acme_ctl_cert_t *cert = &APR_ARRAY_IDX(run->certs, i, acme_ctl_cert_t);

        if (!cert->is_from_store && !cert->state.covers) {
            cert->lacks = acme_ctl_store_lacks(cert, run->state_dir, run->p);
        }
        ill |= cert->is_from_store
            || acme_status_rows_is_ill(&cert->state, run->now);
        if (is_json) {
            json_array_append_new(array, object_of(cert, run->now, run->p));
            continue;
        }
        if (i > 0) {
            putchar('\n');
        }
        put_text(run, cert);
    }
    acme_json_own(array, run->p);
    if (is_json) {
        acme_ctl_show_json(stdout, json_incref(array), run->p);
    }
    return ill ? ACME_CTL_FAILED : ACME_CTL_DONE;
}
