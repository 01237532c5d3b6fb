/*
 * acme_registry_order.c - orders: under way, noted and failed.
 */
#include <apr_strings.h>

#include "acme_registry_order.h"
#include "acme_counters.h"
#include "acme_history.h"
#include "acme_name_quarantine.h"
#include "acme_next_step.h"
#include "acme_registry.h"
#include "acme_registry_change.h"
#include "acme_registry_expiry.h"
#include "acme_registry_journals.h"
#include "acme_registry_limit.h"
#include "acme_registry_request.h"
#include "acme_registry_table.h"
#include "acme_rehearsal.h"

int acme_registry_order_count(const acme_registry_t *registry)
{
    return registry->orders;
}

apr_array_header_t *acme_registry_order_names(const acme_registry_t *registry,
                                              apr_uint32_t cert,
                                              const char **pflags,
                                              apr_time_t now, apr_pool_t *p)
{
    const acme_cert_conf_t *conf = acme_registry_table_cert(registry, cert);
    const acme_journal_t *entry =
        acme_registry_journals_open(registry, cert, p);

    *pflags = acme_name_quarantine_flags(conf, entry, now, p);
    return acme_name_quarantine_names(conf, entry, now, p);
}

void acme_registry_order_begun(acme_registry_t *registry, apr_uint32_t cert,
                               apr_time_t now)
{
    acme_state_t *state = &registry->states[cert];

    if (!state->ordering) {
        state->ordering_since = now;
    }
    state->ordering = 1;
    acme_registry_table_publish(registry, cert);
}

void acme_registry_order_gone(acme_registry_t *registry, apr_uint32_t cert)
{
    registry->states[cert].ordering = 0;
    acme_registry_table_publish(registry, cert);
}

/* Only the administrator can remove the reason of the failure. */
static int is_stuck(const acme_state_t *state)
{
    return state->retry == ACME_RETRY_NEVER
        && !(state->live && state->covers);
}

static const char *next_attempt(const acme_state_t *state, apr_pool_t *p)
{
    if (is_stuck(state)) {
        return "the order waits for a changed configuration, or acmectl renew";
    }
    return apr_pstrcat(p, "next attempt at ",
                       acme_time_text(state->next_at, p), NULL);
}

/*
 * Would nobody retry it but for the request? A certificate that is due, or is
 * not there, is retried anyway.
 */
static int is_only_requested(const acme_state_t *state, apr_time_t now)
{
    return state->wanted == ACME_WANT_RENEWAL && state->live && state->covers
        && state->retry != ACME_RETRY_NEVER
        && acme_next_step_renewal(state, now) > now;
}

/* Blame the name that the worker names, and decide whether it is excluded. */
static acme_blame_e blame_name(const acme_registry_t *registry,
                               const acme_msg_note_t *note,
                               acme_journal_t *entry, apr_time_t now,
                               apr_pool_t *p)
{
    const acme_cert_conf_t *conf =
        acme_registry_table_cert(registry, note->about.cert);
    acme_fault_t fault;

    if (note->name >= (apr_uint32_t)conf->names->nelts) {
        return ACME_BLAME_NOTED;
    }
    fault.name = APR_ARRAY_IDX(conf->names, note->name, const char *);
    fault.challenge = note->challenge;
    fault.is_lasting = note->retry == ACME_RETRY_NEVER;
    fault.why = acme_reason_bound(note->why);
    fault.detail = acme_text_clean(note->detail, ACME_JOURNAL_DETAIL_MAX, p);
    return acme_name_quarantine_blame(
        entry, &fault, conf, &registry->states[note->about.cert], now);
}

static void log_left_out(const acme_registry_t *registry,
                         const acme_msg_note_t *note)
{
    const acme_cert_conf_t *conf =
        acme_registry_table_cert(registry, note->about.cert);

    acme_log(
        registry->log, ACME_LOG_WARNING, conf->id,
        "quarantine: %s keeps failing validation; ordering the certificate without it. It is retried daily. Fix the cause or remove the name",
        APR_ARRAY_IDX(conf->names, note->name, const char *));
}

/*
 * The order failed, and the state with it, unless the name to blame is
 * excluded already: then the order was a retry of that name only. In both
 * cases of quarantine a requested renewal is still due, for the other names.
 */
static void order_failed(acme_registry_t *registry,
                         const acme_msg_note_t *note, apr_time_t now,
                         apr_pool_t *p)
{
    const apr_uint32_t cert = note->about.cert;
    const acme_cert_conf_t *conf = acme_registry_table_cert(registry, cert);
    acme_state_t *state = &registry->states[cert];
    const acme_registry_change_t change =
        acme_registry_change_begin(registry, cert, now, p);
    const acme_blame_e blamed =
        blame_name(registry, note, change.journal, now, p);
    const char *detail = acme_registry_change_detail(note, p);
    const char *expiry, *next;

    state->ordering = 0;
    acme_registry_limit_forget(state);
    acme_counters_attempt(cert, ACME_ATTEMPT_FAILURE);
    acme_counters_failure(acme_conf_ca_index(conf, note->about.ca),
                          acme_reason_bound(note->why));

    if (blamed == ACME_BLAME_STILL_OUT) {
        acme_log(registry->log, ACME_LOG_WARNING, conf->id,
                 "quarantine: still failing: %s", detail);
    }
    else {
        state->attempts++;
        state->retry = note->retry <= ACME_RETRY_NEVER
                           ? (acme_retry_e)note->retry
                           : ACME_RETRY_SOON;
        state->next_at = acme_registry_change_next_at(note->next_at, now);
        state->why = acme_reason_bound(note->why);
        apr_cpystrn(state->problem,
                    acme_text_clean(note->problem, ACME_PROBLEM_SIZE - 1, p),
                    sizeof(state->problem));
        apr_cpystrn(state->detail, detail, sizeof(state->detail));
        if (blamed == ACME_BLAME_LEFT_OUT) {
            log_left_out(registry, note);
            state->retry = ACME_RETRY_SOON;
            state->next_at = now;
            next = "the other names are ordered now";
        }
        else {
            if (!is_only_requested(state, now)) {
                acme_registry_request_end_renewal(state);
            }
            next = next_attempt(state, p);
        }
        expiry = acme_registry_expiry_text(state, now, p);
        acme_log(registry->log, ACME_LOG_ERROR, conf->id,
                 "failed: attempt %u: %s; %s%s", state->attempts,
                 state->detail, next, expiry);
        acme_event_send(registry->with.events, state,
                        *expiry           ? ACME_EVENT_EXPIRING
                        : is_stuck(state) ? ACME_EVENT_STUCK
                                          : ACME_EVENT_FAILED,
                        state->detail, p);
    }

    acme_history_failed(
        acme_journal_add(
            change.journal, now,
            blamed == ACME_BLAME_STILL_OUT ? "quarantine" : "failed", detail),
        note, registry->conf);
    acme_registry_change_save(&change, NULL, NULL);
    if (blamed != ACME_BLAME_NOTED) {
        acme_registry_refresh(registry, cert, p); /* other names to order */
    }
    if (acme_rehearsal_follows(state, acme_reason_bound(note->why),
                               note->name < (apr_uint32_t)conf->names->nelts
                                   && note->challenge < ACME_CHALLENGES,
                               now)) {
        state->rehearse_at = now;
    }
}

/* What is reported of an order besides its failure, by acme_note_e. */
static const struct {
    const char *event;
    acme_log_e level;
} notes[] = {
    [ACME_NOTE_ORDERED] = { "ordered", ACME_LOG_NOTICE },
    [ACME_NOTE_RESUMED] = { "resumed", ACME_LOG_NOTICE },
    [ACME_NOTE_VALIDATED] = { "validated", ACME_LOG_NOTICE },
    [ACME_NOTE_WARNING] = { "warning", ACME_LOG_WARNING },
    [ACME_NOTE_CHALLENGE] = { "challenge", ACME_LOG_WARNING },
    [ACME_NOTE_NAME] = { "name", ACME_LOG_WARNING }
};

static void order_progressed(acme_registry_t *registry,
                             const acme_msg_note_t *note, apr_time_t now,
                             apr_pool_t *p)
{
    const apr_uint32_t cert = note->about.cert;
    const acme_cert_conf_t *conf = acme_registry_table_cert(registry, cert);
    const char *detail = acme_registry_change_detail(note, p);
    const acme_registry_change_t change =
        acme_registry_change_begin(registry, cert, now, p);
    acme_journal_t *entry = change.journal;
    acme_journal_event_t *event =
        acme_journal_add(entry, now, notes[note->note].event, detail);
    acme_blame_e blamed = ACME_BLAME_NOTED;

    if (note->note == ACME_NOTE_CHALLENGE) {
        acme_history_failed(event, note, registry->conf);
        if (note->name < (apr_uint32_t)conf->names->nelts) {
            acme_name_quarantine_challenge(
                entry, APR_ARRAY_IDX(conf->names, note->name, const char *),
                note->challenge, conf, now);
        }
    }
    if (note->note == ACME_NOTE_NAME) {
        acme_history_failed(event, note, registry->conf);
        blamed = blame_name(registry, note, entry, now, p);
    }
    if (note->note == ACME_NOTE_ORDERED || note->note == ACME_NOTE_RESUMED) {
        acme_history_ordered(event, note, registry->conf,
                             &registry->states[cert], entry, p);
    }
    acme_registry_limit_forget(&registry->states[cert]);
    acme_log(registry->log, notes[note->note].level, conf->id, "%s: %s",
             notes[note->note].event, detail);
    if (blamed == ACME_BLAME_LEFT_OUT) {
        log_left_out(registry, note);
    }
    acme_registry_change_note(&change, NULL, NULL);
    if (blamed != ACME_BLAME_NOTED) {
        acme_registry_refresh(registry, cert, p);       /* other names */
    }
}

void acme_registry_order_noted(acme_registry_t *registry,
                               const acme_msg_note_t *note, apr_time_t now,
                               apr_pool_t *p)
{
    if (note->note >= ACME_NOTE_DRY_RUN && note->note < ACME_NOTES) {
        acme_registry_request_dry_run(registry, note, now, p);
    }
    else if (note->note == ACME_NOTE_LIMIT) {
        acme_registry_limit_noted(registry, note, now, p);
    }
    else if (note->note < ACME_NOTE_FAILED) {
        order_progressed(registry, note, now, p);
    }
    else if (note->want > ACME_WANT_RENEWAL && note->want < ACME_WANTS) {
        acme_registry_request_failed(registry, note, now, p);
    }
    else {
        order_failed(registry, note, now, p);
    }
    acme_registry_table_publish(registry, note->about.cert);
}
