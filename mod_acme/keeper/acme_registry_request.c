/*
 * acme_registry_request.c - requests of the administrator.
 */
#include <apr_strings.h>

#include "acme_registry_request.h"
#include "acme_name_quarantine.h"
#include "acme_registry_change.h"
#include "acme_registry_limit.h"
#include "acme_registry_table.h"
#include "acme_state_load.h"

/* For the log and the journal, in the order of acme_want_e. */
static const char *const request_names[ACME_WANTS] = {
    "",
    "renewal",
    "new chain",
    "revocation",
    "revocation without a new certificate",
    "update of the account's contacts",
    "new account key",
    "deactivation of the account",
    "dry run"
};

apr_status_t acme_registry_request_add(acme_registry_t *registry,
                                       const acme_msg_want_t *want,
                                       apr_time_t now, apr_pool_t *p)
{
    const apr_uint32_t cert = want->about.cert;
    const acme_registry_change_t change =
        acme_registry_change_begin(registry, cert, now, p);
    acme_state_t *state = &registry->states[cert];
    apr_status_t rv;

    acme_log(registry->log, ACME_LOG_NOTICE,
             acme_registry_table_cert(registry, cert)->id,
             "requested by the administrator: %s", request_names[want->want]);
    state->wanted = (acme_want_e)want->want;
    state->wanted_ca = want->about.ca;
    state->reason = want->reason;
    if (want->want == ACME_WANT_RENEWAL
        || want->want == ACME_WANT_REVOCATION) {
        state->deleted = 0; /* it is ordered again */
    }
    if (want->want == ACME_WANT_DRY_RUN) {
        state->dry_run = ACME_DRY_RUN_UNDER_WAY;
        state->dry_run_why = ACME_REASON_NONE;
        state->dry_run_at = now;
        state->dry_run_detail[0] = '\0';
    }
    else {
        if (state->dry_run == ACME_DRY_RUN_UNDER_WAY) {
            state->dry_run = ACME_DRY_RUN_NONE; /* this takes its place */
        }
        state->next_at = 0;
        acme_registry_limit_forget(state);
    }
    if (want->want == ACME_WANT_RENEWAL) {
        acme_name_quarantine_try_all(change.journal, now);
    }
    rv = acme_registry_change_save(&change, "asked",
                                   request_names[want->want]);
    acme_registry_table_publish(registry, cert);
    return rv;
}

void acme_registry_request_done(acme_registry_t *registry,
                                const acme_msg_want_t *want, apr_time_t now,
                                apr_pool_t *p)
{
    const apr_uint32_t cert = want->about.cert;
    acme_state_t *state = &registry->states[cert];
    const char *request = request_names[state->wanted];
    acme_registry_change_t change;

    if (state->wanted == ACME_WANT_NOTHING || state->wanted != want->want) {
        return;
    }
    acme_log(registry->log, ACME_LOG_NOTICE,
             acme_registry_table_cert(registry, cert)->id, "done: %s",
             request);
    state->revoked |= state->wanted == ACME_WANT_REVOCATION
                      || state->wanted == ACME_WANT_DELETION;
    state->deleted |= state->wanted == ACME_WANT_DELETION;
    /* Before the journal is written, or it is done again after a restart. */
    state->wanted = ACME_WANT_NOTHING;
    change = acme_registry_change_begin(registry, cert, now, p);
    acme_registry_change_save(&change, "done", request);
    acme_registry_table_publish(registry, cert);
}

void acme_registry_request_end_renewal(acme_state_t *state)
{
    if (state->wanted == ACME_WANT_RENEWAL) {
        state->wanted = ACME_WANT_NOTHING;
    }
}

void acme_registry_request_failed(acme_registry_t *registry,
                                  const acme_msg_note_t *note, apr_time_t now,
                                  apr_pool_t *p)
{
    const apr_uint32_t cert = note->about.cert;
    acme_state_t *state = &registry->states[cert];
    const char *request = request_names[note->want];
    const char *detail = acme_registry_change_detail(note, p);
    acme_registry_change_t change;

    state->ordering = 0;
    if (state->wanted != note->want) {
        return;
    }
    acme_log(registry->log, ACME_LOG_ERROR,
             acme_registry_table_cert(registry, cert)->id,
             "failed: %s: %s; not retried: repeat the request with acmectl",
             request, detail);
    state->wanted = ACME_WANT_NOTHING;
    change = acme_registry_change_begin(registry, cert, now, p);
    acme_registry_change_save(&change, "failed",
                              apr_pstrcat(p, request, ": ", detail, NULL));
}

void acme_registry_request_dry_run(acme_registry_t *registry,
                                   const acme_msg_note_t *note, apr_time_t now,
                                   apr_pool_t *p)
{
    const apr_uint32_t cert = note->about.cert;
    const int has_failed = note->note == ACME_NOTE_DRY_RUN_FAILED;
    acme_state_t *state = &registry->states[cert];
    const char *detail = acme_registry_change_detail(note, p);
    acme_journal_event_t *event;
    acme_registry_change_t change;

    if (state->wanted != ACME_WANT_DRY_RUN) {
        return;                 /* another request replaced it */
    }
    apr_cpystrn(state->dry_run_detail, detail, sizeof(state->dry_run_detail));
    acme_log(registry->log, has_failed ? ACME_LOG_WARNING : ACME_LOG_NOTICE,
             acme_registry_table_cert(registry, cert)->id, "dry run%s: %s",
             has_failed                                ? " failed"
             : note->note == ACME_NOTE_DRY_RUN_PASSED ? " passed"
                                                       : "",
             detail);
    if (note->note == ACME_NOTE_DRY_RUN) {
        return;
    }
    state->wanted = ACME_WANT_NOTHING;
    state->dry_run = has_failed ? ACME_DRY_RUN_FAILED : ACME_DRY_RUN_PASSED;
    state->dry_run_why = has_failed ? acme_reason_bound(note->why)
                                    : ACME_REASON_NONE;
    state->dry_run_at = now;
    change = acme_registry_change_begin(registry, cert, now, p);
    event = acme_journal_add(change.journal, now,
                             has_failed ? ACME_STATE_LOAD_DRY_RUN_FAILED
                                        : ACME_STATE_LOAD_DRY_RUN_PASSED,
                             state->dry_run_detail);
    event->kind = acme_reason_about(state->dry_run_why)->code;
    acme_registry_change_save(&change, NULL, NULL);
}
