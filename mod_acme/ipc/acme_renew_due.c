/*
 * acme_renew_due.c - does a renewal need force, and how it ended.
 */
#include <apr_strings.h>

#include "acme_next_step.h"
#include "acme_renew_due.h"

#define SOON apr_time_from_sec(30)

acme_renew_due_e acme_renew_due(const acme_state_t *state, apr_time_t now)
{
    if (acme_next_step_is_due(state, now)) {
        return ACME_RENEW_DUE_NOW;
    }
    return state->agreed && !state->deleted
               && (state->attempts || state->left_out)
        ? ACME_RENEW_DUE_FAILED : ACME_RENEW_DUE_NOT;
}

/* "2026-12-01 10:00:00 UTC (in 9 days)" */
static const char *time_text(apr_time_t at, apr_time_t now, apr_pool_t *p)
{
    return apr_psprintf(p, at > now ? "%s (in %s)" : "%s (%s ago)",
                        acme_time_text(at, p),
                        acme_time_interval_text(at > now ? at - now : now - at,
                                                p));
}

/* Who planned the time of the renewal. */
static const char *planned_by(const acme_state_t *state, apr_time_t at,
                              apr_pool_t *p)
{
    if (acme_next_step_has_pick(state)
        && at < acme_next_step_picks_end(state)) {
        return apr_psprintf(p,
                            "because the CA suggested a time from %s to %s",
                            acme_time_text(state->window_start, p),
                            acme_time_text(state->window_end, p));
    }
    if (acme_next_step_has_pick(state)) {
        return "because the last twentieth of the lifetime begins then";
    }
    if (state->renew.percent) {
        return apr_psprintf(p, "because AcmeRenewWindow is %d%%",
                            state->renew.percent);
    }
    if (state->renew.duration) {
        return apr_psprintf(p, "because AcmeRenewWindow is %s",
                            acme_time_interval_text(state->renew.duration, p));
    }
    return "as AcmeRenewWindow is by default";
}

const char *acme_renew_due_text(const acme_state_t *state, apr_time_t now,
                                apr_pool_t *p)
{
    const acme_next_t next = acme_next_step(state, now);
    const char *valid = state->live
        ? apr_pstrcat(p, "; valid until ", time_text(state->not_after, now, p),
                      NULL)
        : "";

    if (state->wanted == ACME_WANT_REVOCATION
        || state->wanted == ACME_WANT_DELETION) {
        return "not renewed: its revocation is under way";
    }
    switch (next.step) {
    case ACME_STEP_AGREE:
        return "not ordered: AcmeTermsOfService agree is missing";
    case ACME_STEP_CONFIGURE:
        return state->deleted
            ? "not renewed: it was revoked, and no other one is ordered"
            : "not ordered: it waits for a changed configuration";
    case ACME_STEP_LIMIT:
        return apr_psprintf(p, "postponed until %s: %s%s",
                            time_text(next.at, now, p), state->limit, valid);
    case ACME_STEP_RENEW:
        return apr_psprintf(p, "not due: renewal is planned at %s, %s%s",
                            time_text(next.at, now, p),
                            next.at == state->names_again_at
                                ? "when its excluded names are tried again"
                                : planned_by(state, next.at, p),
                            valid);
    default:
        return apr_psprintf(p, "not due: next at %s%s",
                            time_text(next.at, now, p), valid);
    }
}

acme_renew_end_e acme_renew_due_end(acme_renew_before_t *before,
                                    const acme_state_t *state, apr_time_t now)
{
    const acme_next_t next = acme_next_step(state, now);

    if (state->live && state->live != before->live) {
        return state->served == state->live ? ACME_RENEW_SERVED
                                            : ACME_RENEW_INSTALLED;
    }
    if (state->wanted != ACME_WANT_NOTHING
        && state->wanted != ACME_WANT_RENEWAL
        && state->wanted != ACME_WANT_DRY_RUN) {
        return ACME_RENEW_REPLACED;
    }
    if (state->attempts > before->attempts
        && (!next.at || next.at > now + SOON)) {
        return ACME_RENEW_FAILED;
    }
    before->attempts = state->attempts;
    if (next.step == ACME_STEP_LIMIT && next.at > now + SOON
        && (state->limit_why == ACME_REASON_RATE_LIMITED
            || state->limit_why == ACME_REASON_CA_SLOW)) {
        return ACME_RENEW_POSTPONED;
    }
    return ACME_RENEW_UNDER_WAY;
}

/*
 * The journal has whole seconds, and a state that was loaded from it, too: the
 * end of an earlier one may be told with them or without.
 */
int acme_renew_due_dry_run_ended(const acme_renew_before_t *before,
                                 const acme_state_t *state)
{
    const apr_time_t at = state->dry_run_at;
    const apr_time_t second = apr_time_sec(before->dry_run_at);
    const int is_earlier = before->dry_run_at
        && (at == before->dry_run_at || at == apr_time_from_sec(second));

    return (state->dry_run == ACME_DRY_RUN_PASSED
            || state->dry_run == ACME_DRY_RUN_FAILED)
        && apr_time_sec(at) >= apr_time_sec(before->asked_at) && !is_earlier;
}
