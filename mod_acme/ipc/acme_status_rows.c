/*
 * acme_status_rows.c - all that is shown of a certificate, in one list of rows.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_name.h"
#include "acme_next_step.h"
#include "acme_status_rows.h"

#define PROGRAMS (ACME_STATUS_LINES | ACME_STATUS_JSON)
#define A_DAY apr_time_from_sec(24 * 3600)
#define PEOPLE (ACME_STATUS_TEXT | ACME_STATUS_PAGE)

/* One that is shown to nobody is left out. */
static void add_row(apr_array_header_t *rows, acme_status_row_t row)
{
    if (row.shown) {
        APR_ARRAY_PUSH(rows, acme_status_row_t) = row;
    }
}

/* These readers, if it is so. */
static unsigned only_if(int is_so, unsigned readers)
{
    return is_so ? readers : 0;
}

static const char *number_text(apr_uint32_t n, apr_pool_t *p)
{
    return apr_psprintf(p, "%u", n);
}

static const char *flag_text(int flag)
{
    return flag ? "true" : "false";
}

/* Did the self check find another certificate, of what this load serves? */
static int is_another_seen(const acme_state_t *state)
{
    return state->check == ACME_CHECK_OTHER && state->live
        && state->live == state->served;
}

acme_reason_e acme_status_rows_reason(const acme_status_cert_t *cert,
                                      apr_time_t now)
{
    const acme_state_t *state = cert->state;

    if (!state) {
        return ACME_REASON_NONE;
    }
    if (!state->agreed) {
        return ACME_REASON_TERMS_NOT_AGREED;
    }
    if (state->deleted) {
        return ACME_REASON_DELETED;
    }
    if (acme_next_step(state, now).step == ACME_STEP_LIMIT) {
        return state->limit_why;
    }
    if (state->attempts) {
        return state->why ? state->why : ACME_REASON_OTHER;
    }
    if (state->left_out) {
        return ACME_REASON_NAMES_QUARANTINED;
    }
    if (cert->is_reload_held && state->live != state->served) {
        return ACME_REASON_RELOAD_HELD;
    }
    if (state->export_failure[0]) {
        return ACME_REASON_EXPORT_FAILED;
    }
    return state->instead == ACME_INSTEAD_FOREIGN || is_another_seen(state)
        ? ACME_REASON_NOT_SERVED : ACME_REASON_NONE;
}

/* May what a rehearsal sees be the cause of it? */
static int is_of_validation(acme_reason_e reason)
{
    return reason == ACME_REASON_NONE || reason == ACME_REASON_OTHER
        || (reason >= ACME_REASON_DNS_NXDOMAIN
            && reason <= ACME_REASON_NAMES_QUARANTINED);
}

acme_reason_e acme_status_rows_seen(const acme_status_cert_t *cert,
                                    apr_time_t now)
{
    const acme_state_t *state = cert->state;

    return state && state->rehearsal == ACME_REHEARSAL_FAULT
        && state->rehearsal_detail[0]
        && is_of_validation(acme_status_rows_reason(cert, now))
        ? state->rehearsal_why : ACME_REASON_NONE;
}

acme_reason_e acme_status_rows_advice(const acme_status_cert_t *cert,
                                      apr_time_t now)
{
    const acme_reason_e reason = acme_status_rows_reason(cert, now);
    const acme_reason_e seen = acme_status_rows_seen(cert, now);

    return reason != ACME_REASON_NONE && seen != ACME_REASON_NONE ? seen
        : reason == ACME_REASON_NAMES_QUARANTINED && cert->state->left_out_why
        ? cert->state->left_out_why : reason;
}

const char *acme_status_rows_seen_text(const acme_status_cert_t *cert,
                                       apr_time_t now, apr_pool_t *p)
{
    const acme_reason_e seen = acme_status_rows_seen(cert, now);
    const acme_reason_t *about = acme_reason_about(seen);

    return seen == ACME_REASON_NONE ? NULL
        : apr_psprintf(p, "Seen from here: %s. (%s) %s",
                       cert->state->rehearsal_detail, about->code,
                       about->remedy);
}

const char *acme_status_rows_left_out(const acme_state_t *state,
                                      apr_pool_t *p)
{
    const apr_uint32_t named = state->left_out_named;

    if (!state->left_out_names[0] || named > state->left_out) {
        return apr_psprintf(p, "%u of its names", state->left_out);
    }
    return named == state->left_out
        ? apr_pstrdup(p, state->left_out_names)
        : apr_psprintf(p, "%s and %u more", state->left_out_names,
                       state->left_out - named);
}

const char *acme_status_rows_state(const acme_state_t *state, apr_time_t now)
{
    const char *word = acme_state_word(state, now);

    return !strcmp(word, "valid") && state->live
        && state->live != state->served
        ? "valid, served after the next reload" : word;
}

const char *acme_status_rows_times(apr_uint32_t n, apr_pool_t *p)
{
    return n == 1 ? "once" : apr_psprintf(p, "%u times", n);
}

int acme_status_rows_is_ill(const acme_state_t *state, apr_time_t now)
{
    return state->attempts || !state->agreed || state->post.waiting
           || state->deploy.waiting
           || (state->revoked && !state->deleted)
           || state->instead == ACME_INSTEAD_FOREIGN || is_another_seen(state)
           || state->export_failure[0]
           || (state->live && state->not_after <= now);
}

static void add_names(apr_array_header_t *rows, const acme_status_cert_t *cert,
                      apr_pool_t *p)
{
    add_row(rows, (acme_status_row_t){
        .key = "names", .label = "names", .type = ACME_STATUS_LIST,
        .list = cert->names, .value = apr_array_pstrcat(p, cert->names, ','),
        .text = apr_array_pstrcat(p, cert->names, ' '),
        .shown = PROGRAMS | ACME_STATUS_TEXT });
    add_row(rows, (acme_status_row_t){
        .key = "names", .label = "names",
        .text = acme_name_list_text(cert->names, p),
        .column = ACME_STATUS_NAMES, .shown = ACME_STATUS_PAGE });
}

/* What visitors get while it is not served; "": nothing to tell people. */
typedef struct {
    const char *word;
    const char *text;
} not_served_t;

static const not_served_t *not_served(const acme_state_t *state)
{
    static const not_served_t
        later = { "after-reload", "after the next reload" },
        foreign = { "no", "no: visitors of one of its names get something else" },
        another = { "no", "no: visitors of one of its names get another certificate" },
        stand_in = { "stand-in", "another certificate of the store that has its names, until its own is issued" },
        placeholder = { "placeholder", "" };

    return state->live && state->live != state->served ? &later
        : state->instead == ACME_INSTEAD_FOREIGN ? &foreign
        : is_another_seen(state) ? &another
        : state->instead == ACME_INSTEAD_STAND_IN ? &stand_in : &placeholder;
}

/* The certificate that is there. */
static void add_live(apr_array_header_t *rows, const acme_state_t *state,
                     apr_pool_t *p)
{
    const not_served_t *served = not_served(state);
    const int is_served = state->live && state->live == state->served
        && !state->instead && !is_another_seen(state);
    const unsigned live = only_if(state->live, ACME_STATUS_LINES);
    const unsigned text = only_if(state->live, ACME_STATUS_TEXT);

    add_row(rows, (acme_status_row_t){
        .key = "validFrom", .value = acme_time_json(state->not_before, p),
        .shown = ACME_STATUS_JSON | live });
    add_row(rows, (acme_status_row_t){
        .key = "validUntil", .label = "valid until",
        .value = acme_time_json(state->not_after, p),
        .text = state->live ? acme_time_text(state->not_after, p) : "-",
        .column = ACME_STATUS_UNTIL,
        .shown = ACME_STATUS_JSON | ACME_STATUS_PAGE | live | text });
    add_row(rows, (acme_status_row_t){
        .key = "serial", .label = "serial", .value = state->serial,
        .text = state->serial, .shown = ACME_STATUS_JSON | live | text });
    add_row(rows, (acme_status_row_t){
        .key = "issuer", .label = "issuer", .value = state->issuer,
        .text = state->issuer, .shown = ACME_STATUS_JSON | live | text });
    add_row(rows, (acme_status_row_t){
        .key = "served", .type = ACME_STATUS_FLAG,
        .value = flag_text(is_served), .shown = ACME_STATUS_JSON });
    add_row(rows, (acme_status_row_t){
        .key = "served", .label = "served",
        .value = is_served ? "yes" : served->word, .text = served->text,
        .column = ACME_STATUS_STATE,
        .shown = ACME_STATUS_LINES | only_if(*served->text, PEOPLE) });
}

/* How it came to be served; people are told what a reload is not the reason
   of, and why one is needed. */
static void add_activation(apr_array_header_t *rows, const acme_state_t *state,
                           apr_pool_t *p)
{
    const int is_loaded = state->live && state->live == state->served;
    const int is_live = is_loaded && state->activated;
    const char *why = acme_state_not_live_text(state->not_live);

    add_row(rows, (acme_status_row_t){
        .key = "activated", .label = "activated",
        .value = !is_loaded ? NULL : is_live ? "live" : "reload",
        .text = is_live ? "in running workers, without a reload"
            : apr_pstrcat(p, "by a reload: ", why, NULL),
        .column = ACME_STATUS_STATE,
        .shown = ACME_STATUS_JSON
            | only_if(is_live, ACME_STATUS_LINES | PEOPLE)
            | only_if(state->live && *why, PEOPLE) });
}

/* What httpd was found to serve, when it was visited; people are told on the
   page only what is wrong. */
static void add_check(apr_array_header_t *rows, const acme_state_t *state,
                      apr_pool_t *p)
{
    const int is_checked = state->check != ACME_CHECK_NONE
        && state->live == state->served;
    const int is_told = is_checked && state->check_detail[0];

    add_row(rows, (acme_status_row_t){
        .key = "selfChecked", .label = "self check",
        .value = is_checked ? acme_time_json(state->checked, p) : NULL,
        .text = apr_pstrcat(p, "at ", acme_time_text(state->checked, p), ": ",
                            state->check_places, NULL),
        .shown = ACME_STATUS_JSON
            | only_if(is_checked, ACME_STATUS_LINES | ACME_STATUS_TEXT) });
    add_row(rows, (acme_status_row_t){
        .key = "servedAt", .value = is_checked ? state->check_places : "",
        .shown = ACME_STATUS_JSON | only_if(is_checked, ACME_STATUS_LINES) });
    add_row(rows, (acme_status_row_t){
        .key = "selfCheckDetail", .label = is_another_seen(state)
            ? "self check" : "self check: could not see what is served",
        .value = is_told ? state->check_detail : "",
        .text = state->check_detail, .column = ACME_STATUS_PROBLEM,
        .shown = ACME_STATUS_JSON
            | only_if(is_told, ACME_STATUS_LINES | PEOPLE) });
}

/* What a rehearsal of the validations found, beside the CA's own words. */
static void add_rehearsal(apr_array_header_t *rows, const acme_state_t *state,
                          apr_pool_t *p)
{
    const int is_told = state->rehearsal == ACME_REHEARSAL_FAULT;
    const char *code = acme_reason_about(state->rehearsal_why)->code;

    add_row(rows, (acme_status_row_t){
        .key = "check", .label = "check",
        .value = is_told ? state->rehearsal_detail : "",
        .text = apr_psprintf(p, "%s: %s (seen from this machine at %s)", code,
                             state->rehearsal_detail,
                             acme_time_text(state->rehearsed, p)),
        .column = ACME_STATUS_PROBLEM,
        .shown = ACME_STATUS_JSON
            | only_if(is_told, ACME_STATUS_LINES | PEOPLE) });
    add_row(rows, (acme_status_row_t){
        .key = "checkReason", .value = is_told ? code : "",
        .shown = ACME_STATUS_JSON | only_if(is_told, ACME_STATUS_LINES) });
    add_row(rows, (acme_status_row_t){
        .key = "checkedAt", .value = acme_time_json(state->rehearsed, p),
        .shown = ACME_STATUS_JSON
            | only_if(state->rehearsed != 0, ACME_STATUS_LINES) });
}

static void add_revoked(apr_array_header_t *rows,
                        const acme_status_cert_t *cert,
                        const acme_state_t *state, apr_pool_t *p)
{
    add_row(rows, (acme_status_row_t){
        .key = "revoked", .type = ACME_STATUS_FLAG,
        .value = flag_text(state->revoked), .shown = ACME_STATUS_JSON });
    add_row(rows, (acme_status_row_t){
        .key = "deleted", .type = ACME_STATUS_FLAG,
        .value = flag_text(state->deleted), .shown = ACME_STATUS_JSON });
    add_row(rows, (acme_status_row_t){
        .key = "deleted", .label = "revoked, and nothing is ordered",
        .text = apr_pstrcat(p, "acmectl renew ", cert->id,
                            " --force gets a new one", NULL),
        .column = ACME_STATUS_PROBLEM,
        .shown = only_if(state->deleted, PEOPLE) });
    add_row(rows, (acme_status_row_t){
        .key = "revoked", .label = "revoked", .text = "a new one is ordered",
        .column = ACME_STATUS_PROBLEM,
        .shown = only_if(state->revoked && !state->deleted, PEOPLE) });
}

/* "renewal at 2026-12-01 10:00:00 UTC (in 9 days)" */
static const char *next_text(const acme_state_t *state, acme_next_t next,
                             apr_time_t now, apr_pool_t *p)
{
    const char *what = "";

    switch (next.step) {
    case ACME_STEP_ORDER:
        return state->ordering ? "an order is under way"
                               : "to be ordered now";
    case ACME_STEP_FINISH:
        return state->ordering ? "an order is under way"
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
        return apr_psprintf(p, state->limit_why == ACME_REASON_CA_PAUSED
                                   ? "postponed until %s (in %s)"
                                   : "postponed by a CA rate limit until %s (in %s)",
                            acme_time_text(next.at, p),
                            acme_time_interval_text(next.at - now, p));
    }
    return apr_psprintf(p, "%s at %s (in %s)", what,
                        acme_time_text(next.at, p),
                        acme_time_interval_text(next.at - now, p));
}

static void add_next(apr_array_header_t *rows, const acme_state_t *state,
                     acme_next_t next, apr_time_t now, apr_pool_t *p)
{
    const char *word = acme_next_step_word(next.step);
    const int is_limited = next.step == ACME_STEP_LIMIT;
    const unsigned window = only_if(state->window_start && state->window_end
                                        && state->live,
                                    ACME_STATUS_LINES);

    add_row(rows, (acme_status_row_t){
        .key = "nextStep", .label = "next", .value = word,
        .text = next.at ? apr_pstrcat(p, word, " at ",
                                      acme_time_text(next.at, p), NULL)
                        : word,
        .shown = PROGRAMS | ACME_STATUS_TEXT });
    add_row(rows, (acme_status_row_t){
        .key = "nextStep", .label = "next",
        .text = next_text(state, next, now, p),
        .column = ACME_STATUS_NEXT, .shown = ACME_STATUS_PAGE });
    add_row(rows, (acme_status_row_t){
        .key = "nextAt", .value = acme_time_json(next.at, p),
        .shown = ACME_STATUS_JSON | only_if(next.at != 0, ACME_STATUS_LINES) });
    add_row(rows, (acme_status_row_t){
        .key = "limit", .label = "limit", .text = state->limit,
        .value = is_limited ? state->limit : "",
        .column = ACME_STATUS_PROBLEM,
        .shown = ACME_STATUS_JSON
            | only_if(is_limited, ACME_STATUS_LINES | PEOPLE) });
    add_row(rows, (acme_status_row_t){
        .key = "windowStart", .value = acme_time_json(state->window_start, p),
        .shown = ACME_STATUS_JSON | window });
    add_row(rows, (acme_status_row_t){
        .key = "windowEnd", .value = acme_time_json(state->window_end, p),
        .shown = ACME_STATUS_JSON | window });
    add_row(rows, (acme_status_row_t){
        .key = "explanation", .label = "the CA explains it at",
        .value = state->explanation, .text = state->explanation,
        .column = ACME_STATUS_NEXT,
        .shown = ACME_STATUS_JSON
            | only_if(state->explanation[0],
                      ACME_STATUS_LINES | ACME_STATUS_PAGE) });
}

/* The excluded names that the state has. */
static const apr_array_header_t *left_out_list(const acme_state_t *state,
                                               apr_pool_t *p)
{
    apr_array_header_t *list = apr_array_make(p, 4, sizeof(const char *));
    char *last, *name = apr_strtok(apr_pstrdup(p, state->left_out_names), ", ",
                                   &last);

    for (; name; name = apr_strtok(NULL, ", ", &last)) {
        APR_ARRAY_PUSH(list, const char *) = name;
    }
    return list;
}

static void add_failure(apr_array_header_t *rows, const acme_state_t *state,
                        apr_pool_t *p)
{
    const char *until = acme_time_text(state->names_again_at, p);
    const char *code = acme_reason_about(state->left_out_why)->code;
    const unsigned left_out = only_if(state->left_out != 0, ACME_STATUS_LINES);

    add_row(rows, (acme_status_row_t){
        .key = "leftOut", .label = "left out", .type = ACME_STATUS_NUMBER,
        .value = number_text(state->left_out, p),
        .text = apr_psprintf(p, "%s (%s%sfailed %s; tried again at %s)",
                             acme_status_rows_left_out(state, p), code,
                             *code ? ", " : "",
                             acme_status_rows_times(state->left_out_failures,
                                                    p), until),
        .column = ACME_STATUS_PROBLEM,
        .shown = ACME_STATUS_JSON | left_out
            | only_if(state->left_out != 0, PEOPLE) });
    add_row(rows, (acme_status_row_t){
        .key = "leftOutUntil",
        .value = acme_time_json(state->names_again_at, p),
        .shown = ACME_STATUS_JSON
            | (state->names_again_at ? left_out : 0) });
    add_row(rows, (acme_status_row_t){
        .key = "leftOutNames", .type = ACME_STATUS_LIST,
        .list = left_out_list(state, p), .value = state->left_out_names,
        .shown = ACME_STATUS_JSON | left_out });
    add_row(rows, (acme_status_row_t){
        .key = "leftOutReason", .value = code,
        .shown = ACME_STATUS_JSON | left_out });
    add_row(rows, (acme_status_row_t){
        .key = "attempts", .label = "failed", .type = ACME_STATUS_NUMBER,
        .value = number_text(state->attempts, p),
        .text = apr_psprintf(p, "%s: %s",
                             acme_status_rows_times(state->attempts, p),
                             state->detail),
        .column = ACME_STATUS_PROBLEM,
        .shown = PROGRAMS | only_if(state->attempts != 0, PEOPLE) });
    add_row(rows, (acme_status_row_t){
        .key = "problem", .value = state->problem,
        .shown = ACME_STATUS_JSON });
    add_row(rows, (acme_status_row_t){
        .key = "detail", .value = state->detail, .shown = ACME_STATUS_JSON });
    add_row(rows, (acme_status_row_t){
        .key = "problem",
        .value = apr_pstrcat(p, state->problem, state->problem[0] ? " " : "",
                             state->detail, NULL),
        .shown = only_if(state->problem[0] || state->detail[0],
                         ACME_STATUS_LINES) });
}

/* "2 times: /x: exit status 1; next attempt at ..." */
static const char *failing_text(const acme_hooks_failing_t *failing,
                                apr_pool_t *p)
{
    const char *next = failing->next_at
        ? acme_time_text(failing->next_at, p) : "once";

    return apr_psprintf(p, "%s failed %u time%s: %s; next attempt at %s",
                        failing->waiting == 1
                            ? "a command" : apr_psprintf(p, "%u commands, one",
                                                         failing->waiting),
                        failing->failures, failing->failures == 1 ? "" : "s",
                        failing->failure, next);
}

/* Of AcmeHook: what did not succeed and is tried again. */
static void add_commands(apr_array_header_t *rows, const acme_state_t *state,
                         apr_pool_t *p)
{
    const struct {
        const char *label, *failing, *next_at, *failure;
        const acme_hooks_failing_t *what;
    } kinds[] = {
        { "post", "postFailing", "postNextAt", "postFailure", &state->post },
        { "deploy", "deployFailing", "deployNextAt", "deployFailure",
          &state->deploy },
        { "notify", "undelivered", "undeliveredNextAt", "undeliveredFailure",
          &state->notify }
    };
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        const acme_hooks_failing_t *what = kinds[i].what;
        const unsigned lines = only_if(what->waiting != 0, ACME_STATUS_LINES);

        add_row(rows, (acme_status_row_t){
            .key = kinds[i].failing, .label = kinds[i].label,
            .type = ACME_STATUS_NUMBER,
            .value = number_text(what->waiting, p),
            .text = failing_text(what, p), .column = ACME_STATUS_PROBLEM,
            .shown = ACME_STATUS_JSON | lines
                | only_if(what->waiting != 0, PEOPLE) });
        add_row(rows, (acme_status_row_t){
            .key = kinds[i].next_at, .value = acme_time_json(what->next_at, p),
            .shown = ACME_STATUS_JSON | (what->next_at ? lines : 0) });
        add_row(rows, (acme_status_row_t){
            .key = kinds[i].failure, .value = what->failure,
            .shown = ACME_STATUS_JSON | lines });
    }
}

static void add_export(apr_array_header_t *rows, const acme_state_t *state)
{
    add_row(rows, (acme_status_row_t){
        .key = "exportFailure", .label = "not exported",
        .value = state->export_failure, .text = state->export_failure,
        .column = ACME_STATUS_PROBLEM,
        .shown = ACME_STATUS_JSON
            | only_if(state->export_failure[0],
                      ACME_STATUS_LINES | PEOPLE) });
}

/* Of AcmeKeyReuse next: when the youngest of them was made, and from when on
   a renewal may use all. */
static void add_next_key(apr_array_header_t *rows, const acme_state_t *state,
                         apr_time_t now, apr_pool_t *p)
{
    const apr_time_t from = state->next_key_from;
    const unsigned shown = only_if(state->next_key_made != 0,
                                   ACME_STATUS_LINES);

    add_row(rows, (acme_status_row_t){
        .key = "nextKeyMade", .label = "next key",
        .value = acme_time_json(state->next_key_made, p),
        .text = apr_psprintf(p, "made at %s; %s",
                             acme_time_text(state->next_key_made, p),
                             from > now
                                 ? apr_psprintf(p, "used from %s on",
                                                acme_time_text(from, p))
                                 : "used by the next renewal"),
        .column = ACME_STATUS_NEXT,
        .shown = ACME_STATUS_JSON | shown | (shown ? PEOPLE : 0) });
    add_row(rows, (acme_status_row_t){
        .key = "nextKeyFrom", .value = acme_time_json(from, p),
        .shown = ACME_STATUS_JSON | shown });
}

/* "passed at 2026-11-21 10:00:00 UTC: 2 names validated by http-01, ..." */
static const char *dry_run_text(const acme_state_t *state, apr_pool_t *p)
{
    if (state->dry_run == ACME_DRY_RUN_UNDER_WAY) {
        return apr_psprintf(p, "under way since %s%s%s",
                            acme_time_text(state->dry_run_at, p),
                            state->dry_run_detail[0] ? ": " : "",
                            state->dry_run_detail);
    }
    return apr_psprintf(p, "%s at %s: %s",
                        acme_state_dry_run_word(state->dry_run),
                        acme_time_text(state->dry_run_at, p),
                        state->dry_run_detail);
}

/* Of acmectl renew --dry-run; people see the result for a day. */
static void add_dry_run(apr_array_header_t *rows, const acme_state_t *state,
                        apr_time_t now, apr_pool_t *p)
{
    const int is_known = state->dry_run != ACME_DRY_RUN_NONE;
    const int is_shown = is_known
        && (state->dry_run == ACME_DRY_RUN_UNDER_WAY
            || now - state->dry_run_at < A_DAY);
    const unsigned lines = only_if(is_known, ACME_STATUS_LINES);

    add_row(rows, (acme_status_row_t){
        .key = "dryRun", .label = "dry run",
        .value = acme_state_dry_run_word(state->dry_run),
        .text = dry_run_text(state, p),
        .column = ACME_STATUS_NEXT,
        .shown = ACME_STATUS_JSON | lines | only_if(is_shown, PEOPLE) });
    add_row(rows, (acme_status_row_t){
        .key = "dryRunAt", .value = acme_time_json(state->dry_run_at, p),
        .shown = ACME_STATUS_JSON | lines });
    add_row(rows, (acme_status_row_t){
        .key = "dryRunReason",
        .value = acme_reason_about(state->dry_run_why)->code,
        .shown = ACME_STATUS_JSON | lines });
    add_row(rows, (acme_status_row_t){
        .key = "dryRunDetail", .value = state->dry_run_detail,
        .shown = ACME_STATUS_JSON | lines });
}

/* The fault and the remedy are those of the advice. */
static void add_reason(apr_array_header_t *rows, acme_reason_e reason,
                       acme_reason_e advice, apr_pool_t *p)
{
    const acme_reason_t *about = acme_reason_about(reason);
    const acme_reason_t *advised = acme_reason_about(advice);
    const char *fault = acme_reason_fault_word(advised->fault);
    const unsigned others = only_if(reason != ACME_REASON_NONE,
                                    ACME_STATUS_LINES | PEOPLE);

    add_row(rows, (acme_status_row_t){
        .key = "reason", .label = "reason", .value = about->code,
        .text = apr_psprintf(p, "%s: %s", about->code, about->sentence),
        .column = ACME_STATUS_PROBLEM, .shown = ACME_STATUS_JSON | others });
    add_row(rows, (acme_status_row_t){
        .key = "fault", .label = "fault", .value = fault,
        .text = *fault ? fault : "not known",
        .column = ACME_STATUS_PROBLEM, .shown = ACME_STATUS_JSON | others });
    add_row(rows, (acme_status_row_t){
        .key = "remedy", .label = "remedy", .value = advised->remedy,
        .text = advised->remedy,
        .column = ACME_STATUS_PROBLEM, .shown = ACME_STATUS_JSON | others });
}

apr_array_header_t *acme_status_rows_make(const acme_status_cert_t *cert,
                                   apr_time_t now, apr_pool_t *p)
{
    static const acme_state_t nothing_known;
    const acme_state_t *state = cert->state ? cert->state : &nothing_known;
    const acme_next_t next = cert->state ? acme_next_step(state, now)
                                         : (acme_next_t){ ACME_STEP_FINISH,
                                                          0 };
    const char *word = cert->state ? acme_state_word(state, now) : "starting";
    apr_array_header_t *rows = apr_array_make(p, 40, sizeof(acme_status_row_t));

    add_row(rows, (acme_status_row_t){
        .key = "id", .label = "certificate", .value = cert->id,
        .text = cert->id, .column = ACME_STATUS_CERTIFICATE,
        .shown = PROGRAMS | PEOPLE });
    add_row(rows, (acme_status_row_t){
        .key = "state", .label = "state", .value = word, .text = word,
        .column = ACME_STATUS_STATE, .shown = PROGRAMS | PEOPLE });
    add_names(rows, cert, p);
    add_live(rows, state, p);
    add_activation(rows, state, p);
    add_check(rows, state, p);
    add_revoked(rows, cert, state, p);
    add_next(rows, state, next, now, p);
    add_failure(rows, state, p);
    add_rehearsal(rows, state, p);
    add_commands(rows, state, p);
    add_export(rows, state);
    add_next_key(rows, state, now, p);
    add_dry_run(rows, state, now, p);
    add_reason(rows, acme_status_rows_reason(cert, now),
               acme_status_rows_advice(cert, now), p);
    return rows;
}

const acme_status_row_t *acme_status_rows_find(const apr_array_header_t *rows,
                                      const char *key, unsigned reader)
{
    int i;

    for (i = 0; i < rows->nelts; i++) {
        const acme_status_row_t *row =
            &APR_ARRAY_IDX(rows, i, acme_status_row_t);

        if ((row->shown & reader) && !strcmp(row->key, key)) {
            return row;
        }
    }
    return NULL;
}
