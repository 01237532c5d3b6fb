/*
 * acme_state.c - what follows from the state of a certificate alone.
 */
#include "acme_state.h"

int acme_state_renews(const acme_state_t *state, apr_uint32_t ca,
                      apr_time_t now)
{
    return state->live && state->same_names && state->issued_by == ca
        && !(state->names_again_at && state->names_again_at <= now);
}

apr_time_t acme_state_warn_at(const acme_state_t *state, apr_time_t not_after)
{
    const apr_interval_time_t life = not_after - state->not_before;
    const acme_window_t *warn = &state->warn;

    return not_after - (warn->percent ? life / 100 * warn->percent
                                      : warn->duration);
}

const char *acme_state_dry_run_word(acme_dry_run_e dry_run)
{
    static const char *const words[ACME_DRY_RUNS] = {
        [ACME_DRY_RUN_NONE] = "",
        [ACME_DRY_RUN_UNDER_WAY] = "under-way",
        [ACME_DRY_RUN_PASSED] = "passed",
        [ACME_DRY_RUN_FAILED] = "failed"
    };

    return (int)dry_run >= 0 && dry_run < ACME_DRY_RUNS ? words[dry_run] : "";
}

const char *acme_state_word(const acme_state_t *state, apr_time_t now)
{
    if (!state->agreed) {
        return "not-agreed";
    }
    if (state->deleted) {
        return "deleted";
    }
    if (state->not_after && state->not_after <= now) {
        return "expired";
    }
    if (state->ordering) {
        return state->live ? "renewing" : "ordering";
    }
    if (state->attempts) {
        return "failed";
    }
    if (state->live && state->revoked) {
        return "revoked";
    }
    return state->live ? "valid"
        : state->instead == ACME_INSTEAD_STAND_IN ? "stand-in" : "placeholder";
}
