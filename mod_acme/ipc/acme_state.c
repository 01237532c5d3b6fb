/*
 * acme_state.c - what follows from the state of a certificate alone.
 */
#include <string.h>

#include <apr_strings.h>

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

void acme_state_clear_left_out(acme_state_t *state)
{
    state->left_out = state->left_out_failures = state->left_out_named = 0;
    state->left_out_why = ACME_REASON_NONE;
    state->names_again_at = 0;
    memset(state->left_out_names, 0, sizeof(state->left_out_names));
    memset(state->left_out_detail, 0, sizeof(state->left_out_detail));
}

void acme_state_add_left_out(acme_state_t *state, const acme_left_out_t *name)
{
    const apr_size_t used = strlen(state->left_out_names);
    const char *comma = used ? ", " : "";

    if (!state->left_out++) {
        state->left_out_failures = name->failures;
        state->left_out_why = name->why;
        apr_cpystrn(state->left_out_detail, name->detail ? name->detail : "",
                    sizeof(state->left_out_detail));
    }
    if (!state->names_again_at || name->again_at < state->names_again_at) {
        state->names_again_at = name->again_at;
    }
    /* One that does not fit ends the list: the first are named. */
    if (state->left_out_named + 1 == state->left_out
        && used + strlen(comma) + strlen(name->name)
               < sizeof(state->left_out_names)) {
        state->left_out_named++;
        apr_snprintf(state->left_out_names + used,
                     sizeof(state->left_out_names) - used, "%s%s", comma,
                     name->name);
    }
}

const char *acme_state_not_live_text(acme_not_live_e not_live)
{
    static const char *const texts[ACME_NOT_LIVES] = {
        [ACME_NOT_LIVE_NONE] = "",
        [ACME_NOT_LIVE_SYSTEM] = "running workers cannot be given certificates here (see the error log of httpd's start)",
        [ACME_NOT_LIVE_STAPLE] = "it has must-staple, and mod_ssl gets its OCSP response only with a reload",
        [ACME_NOT_LIVE_STAPLED] = "SSLUseStapling is on for it, and mod_ssl gets its OCSP response only with a reload",
        [ACME_NOT_LIVE_STANDS_IN] = "another certificate that is missing is replaced by it as well",
        [ACME_NOT_LIVE_LACKS] = "it lacks a name, for which another certificate is served",
        [ACME_NOT_LIVE_FAILED] = "visitors got another certificate when running workers were given one",
        [ACME_NOT_LIVE_REFUSED] = "running workers could not be given it (see the error log)"
    };

    return (unsigned)not_live < ACME_NOT_LIVES ? texts[not_live] : texts[0];
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

static const char *const words[] = {
    "placeholder", "stand-in", "ordering", "valid", "renewing", "failed",
    "expired", "revoked", "deleted", "not-agreed"
};

enum {
    PLACEHOLDER, STAND_IN, ORDERING, VALID, RENEWING, FAILED,
    EXPIRED, REVOKED, DELETED, NOT_AGREED
};

static int word_index(const acme_state_t *state, apr_time_t now)
{
    if (!state->agreed) {
        return NOT_AGREED;
    }
    if (state->deleted) {
        return DELETED;
    }
    if (state->not_after && state->not_after <= now) {
        return EXPIRED;
    }
    if (state->ordering) {
        return state->live ? RENEWING : ORDERING;
    }
    if (state->attempts) {
        return FAILED;
    }
    if (state->live && state->revoked) {
        return REVOKED;
    }
    return state->live ? VALID
        : state->instead == ACME_INSTEAD_STAND_IN ? STAND_IN : PLACEHOLDER;
}

const char *acme_state_word(const acme_state_t *state, apr_time_t now)
{
    return words[word_index(state, now)];
}

const char *acme_state_word_at(int i)
{
    return i < (int)(sizeof(words) / sizeof(*words)) ? words[i] : NULL;
}
