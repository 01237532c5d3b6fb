/*
 * acme_ctl_checks.c - what was checked of a certificate, each with its result.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_ctl_checks.h"
#include "acme_explain.h"
#include "acme_next_step.h"

const char *acme_ctl_checks_word(acme_ctl_checks_result_e result)
{
    static const char *const words[] = { "ok", "waits", "failed", "unknown" };

    return words[result];
}

static void add(apr_array_header_t *checks, const char *name,
                acme_ctl_checks_result_e result, const char *detail)
{
    APR_ARRAY_PUSH(checks, acme_ctl_check_t) = (acme_ctl_check_t){
        .name = name, .result = result, .detail = detail
    };
}

static void add_certificate(apr_array_header_t *checks,
                            const acme_state_t *state, apr_time_t now,
                            apr_pool_t *p)
{
    const char *until = acme_explain_time(state->not_after, now, p);

    if (!state->live) {
        add(checks, "certificate", ACME_CTL_CHECKS_WAITS,
            "none was issued yet");
    }
    else if (state->not_after <= now) {
        add(checks, "certificate", ACME_CTL_CHECKS_FAILED,
            apr_pstrcat(p, "expired ", until, NULL));
    }
    else if (state->revoked) {
        add(checks, "certificate", ACME_CTL_CHECKS_FAILED,
            "revoked by the CA");
    }
    else {
        add(checks, "certificate", ACME_CTL_CHECKS_OK,
            apr_pstrcat(p, "valid until ", until, NULL));
    }
}

static void add_names(apr_array_header_t *checks, const acme_ctl_cert_t *cert,
                      apr_time_t now, apr_pool_t *p)
{
    const acme_state_t *state = &cert->state;
    const char *code = acme_reason_about(state->left_out_why)->code;

    if (state->left_out) {
        add(checks, "names", ACME_CTL_CHECKS_FAILED,
            apr_psprintf(p, "%s: excluded, failed %s%s%s%s; tried again %s",
                         acme_status_rows_left_out(state, p),
                         acme_status_rows_times(state->left_out_failures, p),
                         *code ? " (" : "", code, *code ? ")" : "",
                         acme_explain_time(state->names_again_at, now, p)));
    }
    else if (state->live && !state->covers) {
        add(checks, "names", ACME_CTL_CHECKS_WAITS,
            cert->lacks ? apr_pstrcat(p, "the certificate lacks ", cert->lacks,
                                      NULL)
                        : "the names, key types or CA of the certificate differ from the configured ones");
    }
    else {
        add(checks, "names", ACME_CTL_CHECKS_OK, "none is excluded");
    }
}

static void add_order(apr_array_header_t *checks, const acme_state_t *state,
                      apr_time_t now, apr_pool_t *p)
{
    if (!state->agreed) {
        add(checks, "order", ACME_CTL_CHECKS_WAITS,
            "AcmeTermsOfService agree is missing");
    }
    else if (state->ordering) {
        add(checks, "order", ACME_CTL_CHECKS_WAITS,
            apr_pstrcat(p, "under way since ",
                        acme_explain_time(state->ordering_since, now, p),
                        NULL));
    }
    else if (state->attempts) {
        add(checks, "order", ACME_CTL_CHECKS_FAILED,
            apr_psprintf(p, "%u failed attempt%s: %s", state->attempts,
                         state->attempts == 1 ? "" : "s", state->detail));
    }
    else {
        add(checks, "order", ACME_CTL_CHECKS_OK, "no attempt failed since the last certificate");
    }
}

/* What acmectl check, or the witness after a failed validation, found. */
static void add_rehearsal(apr_array_header_t *checks,
                          const acme_state_t *state, apr_time_t now,
                          apr_pool_t *p)
{
    const char *code = state->rehearsal == ACME_REHEARSAL_FAULT
        ? acme_reason_about(state->rehearsal_why)->code : "";

    if (state->rehearsal == ACME_REHEARSAL_NONE) {
        return;
    }
    add(checks, "names as a CA sees them",
        state->rehearsal == ACME_REHEARSAL_FAULT ? ACME_CTL_CHECKS_FAILED
        : state->rehearsal == ACME_REHEARSAL_UNSEEN ? ACME_CTL_CHECKS_UNKNOWN
                                                     : ACME_CTL_CHECKS_OK,
        apr_pstrcat(p, state->rehearsal_detail[0] ? state->rehearsal_detail
                                                  : "no fault was seen from this machine",
                    *code ? " (" : "", code, *code ? "), " : ", ",
                    acme_explain_time(state->rehearsed, now, p), NULL));
}

static void add_limit(apr_array_header_t *checks, const acme_state_t *state,
                      apr_time_t now)
{
    const int is_limited = acme_next_step(state, now).step == ACME_STEP_LIMIT;

    add(checks, "limits of the CA",
        is_limited ? ACME_CTL_CHECKS_WAITS : ACME_CTL_CHECKS_OK,
        is_limited ? state->limit : "none postpones an order");
}

/* "*:443=yes [::1]:444=no": a check for each place. */
static void add_places(apr_array_header_t *checks, const acme_state_t *state,
                       apr_time_t now, apr_pool_t *p)
{
    const char *when = acme_explain_time(state->checked, now, p);
    char *last, *place = apr_strtok(apr_pstrdup(p, state->check_places), " ",
                                    &last);

    for (; place; place = apr_strtok(NULL, " ", &last)) {
        char *equals = strrchr(place, '=');
        const char *word = equals ? equals + 1 : "";

        if (equals) {
            *equals = '\0';
        }
        add(checks, apr_pstrcat(p, "self check ", place, NULL),
            !strcmp(word, "yes") ? ACME_CTL_CHECKS_OK
            : !strcmp(word, "no") ? ACME_CTL_CHECKS_FAILED
                                  : ACME_CTL_CHECKS_UNKNOWN,
            apr_pstrcat(p, !strcmp(word, "yes") ? "it is served"
                        : !strcmp(word, "no") ? "another certificate is served"
                        : "could not be seen", ", visited ", when, NULL));
    }
    if (state->check != ACME_CHECK_SERVED && state->check_detail[0]) {
        add(checks, "self check", state->check == ACME_CHECK_OTHER
                ? ACME_CTL_CHECKS_FAILED : ACME_CTL_CHECKS_UNKNOWN,
            state->check_detail);
    }
}

static void add_served(apr_array_header_t *checks, const acme_ctl_cert_t *cert,
                       apr_time_t now, apr_pool_t *p)
{
    const acme_state_t *state = &cert->state;
    const int is_loaded = state->live && state->live == state->served;

    if (state->instead == ACME_INSTEAD_FOREIGN) {
        add(checks, "served", ACME_CTL_CHECKS_FAILED,
            "visitors of one of its names get something else");
    }
    else if (is_loaded && state->instead == ACME_INSTEAD_NOTHING) {
        add(checks, "served", ACME_CTL_CHECKS_OK,
            state->activated ? "running workers use it, without a reload"
                             : "httpd has loaded it");
    }
    else {
        add(checks, "served", ACME_CTL_CHECKS_WAITS,
            state->live && !is_loaded ? "httpd loads it with its next reload"
            : state->instead == ACME_INSTEAD_STAND_IN
            ? "another certificate of the store stands in for it"
            : "visitors get a self-signed placeholder");
    }
    if (cert->is_reload_held) {
        add(checks, "reload", is_loaded ? ACME_CTL_CHECKS_WAITS
                                        : ACME_CTL_CHECKS_FAILED,
            "postponed: see the error log, and httpd -t");
    }
    else {
        add(checks, "reload", ACME_CTL_CHECKS_OK, "none is postponed");
    }
    if (!is_loaded || state->check == ACME_CHECK_NONE) {
        add(checks, "self check", ACME_CTL_CHECKS_UNKNOWN,
            is_loaded ? "httpd was not visited yet"
                      : "only what httpd has loaded is looked for");
        return;
    }
    add_places(checks, state, now, p);
}

static void add_commands(apr_array_header_t *checks, const acme_state_t *state,
                         apr_time_t now, apr_pool_t *p)
{
    const struct {
        const char *name;
        const acme_hooks_failing_t *what;
    } kinds[] = { { "post commands", &state->post },
                  { "deploy commands", &state->deploy },
                  { "notify commands", &state->notify } };
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        const acme_hooks_failing_t *what = kinds[i].what;

        if (!what->waiting) {
            add(checks, kinds[i].name, ACME_CTL_CHECKS_OK, "none has failed");
            continue;
        }
        add(checks, kinds[i].name, ACME_CTL_CHECKS_FAILED,
            apr_psprintf(p, "%s; next attempt %s", what->failure,
                         what->next_at ? acme_explain_time(what->next_at, now,
                                                           p) : "soon"));
    }
    add(checks, "copies (AcmeExport)",
        state->export_failure[0] ? ACME_CTL_CHECKS_FAILED : ACME_CTL_CHECKS_OK,
        state->export_failure[0] ? state->export_failure : "none has failed");
}

apr_array_header_t *acme_ctl_checks_make(const acme_ctl_cert_t *cert,
                                         apr_time_t now, apr_pool_t *p)
{
    apr_array_header_t *checks = apr_array_make(p, 16,
                                                sizeof(acme_ctl_check_t));
    const acme_state_t *state = &cert->state;

    add_certificate(checks, state, now, p);
    add_names(checks, cert, now, p);
    add_order(checks, state, now, p);
    add_rehearsal(checks, state, now, p);
    if (cert->is_from_store) {
        add(checks, "httpd", ACME_CTL_CHECKS_FAILED,
            "does not run; limits, reloads, commands and copies are not known");
        return checks;
    }
    add_limit(checks, state, now);
    add_served(checks, cert, now, p);
    add_commands(checks, state, now, p);
    return checks;
}
