/*
 * acme_ctl_wait.c - what came of requests to renew.
 *
 * The keeper's state says how it stands, the journal what happened meanwhile.
 */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "acme_ctl_term.h"
#include "acme_ctl_wait.h"
#include "acme_journal.h"
#include "acme_status_rows.h"

/* How often the keeper is asked, at most; and the time between two questions,
   for it has others to serve. */
#define LOOK apr_time_from_msec(250)
#define LOOK_EACH apr_time_from_msec(5)

/* A reload takes some seconds; a server that was stopped stays away. */
#define ABSENCE_MAX apr_time_from_sec(60)

static void read_journal(acme_journal_t **pjournal,
                         const acme_ctl_command_t *run, const char *id,
                         apr_pool_t *p)
{
    acme_result_t ignored;

    acme_journal_look(pjournal, acme_store_at(run->state_dir, p), id, &ignored,
                      p);
}

void acme_ctl_wait_begin(acme_ctl_wait_t *wait, const acme_ctl_command_t *run,
                         const acme_ctl_cert_t *cert, acme_want_e want)
{
    acme_journal_t *journal;

    *wait = (acme_ctl_wait_t){ .cert = cert, .want = want, .detail = "",
                               .costs = "", .end = "", .step = "",
                               .left_out = "" };
    wait->before.live = cert->state.live;
    wait->before.attempts = cert->state.attempts;
    wait->before.asked_at = apr_time_now();
    wait->before.dry_run_at = cert->state.dry_run_at;
    read_journal(&journal, run, cert->id, run->p);
    acme_journal_mark(&wait->told, journal, run->p);
}

static void say(const acme_ctl_wait_t *wait, apr_time_t when,
                const char *event, const char *detail)
{
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, when);
    printf("%02d:%02d:%02d ", t.tm_hour, t.tm_min, t.tm_sec);
    acme_ctl_term_put(stdout, wait->cert->id);
    printf(": ");
    acme_ctl_term_put(stdout, event);
    if (*detail) {
        printf("%s", *event ? ": " : "");
        acme_ctl_term_put(stdout, detail);
    }
    printf("\n");
    fflush(stdout);
}

/* What happened since the last look. The end of a dry run is a result. */
static void read_events(acme_ctl_wait_t *wait, const acme_ctl_command_t *run,
                        int is_quiet, apr_pool_t *p)
{
    acme_journal_t *journal;
    int i;

    read_journal(&journal, run, wait->cert->id, p);
    for (i = acme_journal_unread(journal, &wait->told);
         i < journal->events->nelts; i++) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(journal->events, i, acme_journal_event_t);

        if (!is_quiet && strncmp(event->event, "dry-run", 7)) {
            say(wait, event->when, event->event, event->detail);
        }
        if (!strcmp(event->event, "done") || !strcmp(event->event, "failed")) {
            wait->end = apr_pstrdup(run->p, event->event);
            wait->detail = apr_pstrdup(run->p, event->detail);
        }
    }
    acme_journal_mark(&wait->told, journal, run->p);
}

static void set_result(acme_ctl_wait_t *wait, const char *result,
                       const char *detail, acme_reason_e reason, int is_bad)
{
    wait->result = result;
    wait->detail = detail;
    wait->reason = reason;
    wait->is_bad = is_bad;
}

static const char *reason_text(acme_reason_e reason, const char *detail,
                               apr_pool_t *p)
{
    return reason ? apr_psprintf(p, "%s (%s)", detail,
                                 acme_reason_about(reason)->code)
                  : apr_pstrdup(p, detail);
}

/* " without old.example.org, which keeps failing (dns-failed)"; "": it has
   all names. */
static const char *without_text(const acme_state_t *state, apr_pool_t *p)
{
    const char *code = acme_reason_about(state->left_out_why)->code;

    return !state->left_out ? ""
        : apr_psprintf(p, " without %s, which keep%s failing%s%s%s",
                       acme_status_rows_left_out(state, p),
                       state->left_out == 1 ? "s" : "", *code ? " (" : "",
                       code, *code ? ")" : "");
}

/* A new one is installed: served, or what it waits for. */
static void judge_served(acme_ctl_wait_t *wait, const acme_ctl_command_t *run,
                         const acme_msg_listed_t *listed, int is_quiet)
{
    const acme_state_t *state = &listed->state;
    const char *without = without_text(state, run->keeper.p);

    if (state->left_out && !*wait->left_out) {
        wait->left_out = apr_pstrdup(run->p, state->left_out_names);
    }
    if (state->served == state->live) {
        set_result(wait, "renewed",
                   apr_pstrcat(run->p, "renewed", without,
                               ", and served now; valid until ",
                               acme_time_text(state->not_after, run->p), NULL),
                   ACME_REASON_NONE, 0);
    }
    else if (listed->is_reloaded_by_hand) {
        set_result(wait, "installed",
                   apr_pstrcat(run->p, "renewed", without,
                               ", and installed; served after the next reload of httpd (AcmeActivate none)",
                               NULL),
                   ACME_REASON_NONE, 0);
    }
    else if (!is_quiet && !wait->is_told && listed->is_reload_held) {
        wait->is_told = 1;
        say(wait, apr_time_now(), "installed",
            "the reload is postponed; see the error log");
    }
}

static void judge_renewal(acme_ctl_wait_t *wait, const acme_ctl_command_t *run,
                          const acme_msg_listed_t *listed, int is_quiet)
{
    const acme_state_t *state = &listed->state;
    const apr_time_t now = apr_time_now();
    const char *text;

    switch (acme_renew_due_end(&wait->before, state, now)) {
    case ACME_RENEW_SERVED:
    case ACME_RENEW_INSTALLED:
        judge_served(wait, run, listed, is_quiet);
        break;
    case ACME_RENEW_FAILED:
        text = reason_text(state->why, state->detail, run->p);
        if (state->next_at > now) {
            text = apr_pstrcat(run->p, text, "; next attempt at ",
                               acme_time_text(state->next_at, run->p), NULL);
        }
        set_result(wait, "failed", apr_pstrcat(run->p, "failed: ", text, NULL),
                   state->why ? state->why : ACME_REASON_OTHER, 1);
        break;
    case ACME_RENEW_POSTPONED:
        set_result(wait, "postponed",
                   apr_psprintf(run->p, "postponed until %s: %s",
                                acme_time_text(state->limit_until, run->p),
                                state->limit),
                   state->limit_why, 1);
        break;
    case ACME_RENEW_REPLACED:
        set_result(wait, "replaced",
                   "another request of an administrator took its place",
                   ACME_REASON_NONE, 1);
        break;
    case ACME_RENEW_UNDER_WAY:
        break;
    }
}

/* A request that is not an order ends with an event, and is not repeated. */
static void judge_chain(acme_ctl_wait_t *wait, const acme_ctl_command_t *run,
                        const acme_msg_listed_t *listed, int is_quiet)
{
    const acme_state_t *state = &listed->state;

    if (state->wanted == ACME_WANT_CHAIN) {
        return;
    }
    if (!strcmp(wait->end, "failed")) {
        set_result(wait, "failed",
                   apr_pstrcat(run->p, "failed: ", wait->detail, NULL),
                   ACME_REASON_OTHER, 1);
    }
    else if (strcmp(wait->end, "done")) {
        set_result(wait, "replaced",
                   "another request of an administrator took its place",
                   ACME_REASON_NONE, 1);
    }
    else if (state->live == wait->before.live) {
        set_result(wait, "unchanged", "the CA has the same chain as before",
                   ACME_REASON_NONE, 0);
    }
    else {
        judge_served(wait, run, listed, is_quiet);
    }
}

static void judge_dry_run(acme_ctl_wait_t *wait, const acme_ctl_command_t *run,
                          const acme_msg_listed_t *listed, int is_quiet)
{
    const acme_state_t *state = &listed->state;

    if (state->wanted == ACME_WANT_DRY_RUN) {
        if (state->dry_run_detail[0]
            && strcmp(wait->step, state->dry_run_detail)) {
            wait->step = apr_pstrdup(run->p, state->dry_run_detail);
            if (!is_quiet) {
                say(wait, apr_time_now(), "dry run", wait->step);
            }
        }
        return;
    }
    if (!acme_renew_due_dry_run_ended(&wait->before, state)) {
        set_result(wait, "replaced",
                   "another request of an administrator took its place",
                   ACME_REASON_NONE, 1);
    }
    else if (state->dry_run == ACME_DRY_RUN_PASSED) {
        set_result(wait, "passed",
                   apr_pstrcat(run->p, "dry run passed: ",
                               state->dry_run_detail, NULL),
                   ACME_REASON_NONE, 0);
    }
    else {
        set_result(wait, "failed",
                   apr_pstrcat(run->p, "dry run failed: ",
                               reason_text(state->dry_run_why,
                                           state->dry_run_detail, run->p),
                               NULL),
                   state->dry_run_why, 1);
    }
}

/* After a changed configuration another certificate may have its position. */
static int is_of(const acme_ctl_wait_t *wait, const acme_message_t *reply)
{
    const apr_size_t len = strlen(wait->cert->id);

    return reply->tail && !strncmp(reply->tail, wait->cert->id, len)
        && reply->tail[len] == '\n';
}

/* Its state from the keeper; a failure is that of the connection. */
static apr_status_t look(acme_ctl_wait_t *wait, acme_ctl_command_t *run,
                         int is_quiet, acme_result_t *res)
{
    acme_msg_cert_t body = { { wait->cert->state.cert, 0, 0 } };
    apr_pool_t *p = run->keeper.p;
    const acme_msg_listed_t *listed;
    acme_message_t reply;
    apr_status_t rv;

    rv = acme_ctl_keeper_request(&reply, &run->keeper, ACME_MSG_LIST, &body,
                                 res);
    if (rv == APR_SUCCESS && !is_of(wait, &reply)) {
        rv = APR_ENOENT;
    }
    if (APR_STATUS_IS_ENOENT(rv)) {
        set_result(wait, "replaced",
                   "httpd was reloaded with a configuration that has other certificates; see acmectl status",
                   ACME_REASON_NONE, 1);
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    listed = reply.body;
    if (listed->state.change != wait->change) {
        wait->change = listed->state.change;
        read_events(wait, run, is_quiet, p);
    }
    switch (wait->want) {
    case ACME_WANT_DRY_RUN:
        judge_dry_run(wait, run, listed, is_quiet);
        break;
    case ACME_WANT_CHAIN:
        judge_chain(wait, run, listed, is_quiet);
        break;
    default:
        judge_renewal(wait, run, listed, is_quiet);
        break;
    }
    return APR_SUCCESS;
}

static int count_open(const apr_array_header_t *waits)
{
    int i, n = 0;

    for (i = 0; i < waits->nelts; i++) {
        n += !APR_ARRAY_IDX(waits, i, acme_ctl_wait_t).result;
    }
    return n;
}

/* The keeper of the next load, which counts changes anew. */
static void reconnect(apr_array_header_t *waits, acme_ctl_command_t *run)
{
    acme_result_t ignored;
    int i;

    for (i = 0; i < waits->nelts; i++) {
        APR_ARRAY_IDX(waits, i, acme_ctl_wait_t).change = 0;
    }
    acme_ctl_keeper_close(&run->keeper);
    acme_ctl_keeper_connect(&run->keeper, run->state_dir, &ignored,
                            run->keeper.p);
}

static apr_status_t look_at_all(apr_array_header_t *waits,
                                acme_ctl_command_t *run, int is_quiet,
                                acme_result_t *res)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < waits->nelts; i++) {
        acme_ctl_wait_t *wait = &APR_ARRAY_IDX(waits, i, acme_ctl_wait_t);

        if (!wait->result) {
            rv = look(wait, run, is_quiet, res);
        }
    }
    return rv;
}

/* It is not known what comes of those that are still waited for. */
static void end_all(apr_array_header_t *waits, const char *result,
                    const char *detail)
{
    int i;

    for (i = 0; i < waits->nelts; i++) {
        acme_ctl_wait_t *wait = &APR_ARRAY_IDX(waits, i, acme_ctl_wait_t);

        if (!wait->result) {
            set_result(wait, result, detail, ACME_REASON_NONE, 1);
        }
    }
}

void acme_ctl_wait_all(apr_array_header_t *waits, acme_ctl_command_t *run,
                       apr_interval_time_t timeout, int is_quiet)
{
    const apr_time_t end = apr_time_now() + timeout;
    apr_pool_t *replies, *before = run->keeper.p;
    apr_time_t gone_since = 0, now;
    acme_result_t res;
    apr_status_t rv;

    apr_pool_create(&replies, run->p);
    run->keeper.p = replies;
    while (count_open(waits)) {
        now = apr_time_now();
        rv = look_at_all(waits, run, is_quiet, &res);
        gone_since = rv == APR_SUCCESS ? 0 : gone_since ? gone_since : now;
        if (gone_since && now - gone_since > ABSENCE_MAX) {
            end_all(waits, "no-keeper", apr_pstrdup(run->p, res.detail));
        }
        else if (now > end) {
            end_all(waits, "timed-out",
                    "not known yet how it ends: the time of --timeout is over; see acmectl status");
        }
        else if (count_open(waits)) {
            apr_sleep(LOOK + count_open(waits) * LOOK_EACH);
        }
        if (rv != APR_SUCCESS) {
            reconnect(waits, run);
        }
        apr_pool_clear(replies);
    }
    run->keeper.p = before;
}
