/*
 * acme_next_step.c - what happens next with a certificate, and when.
 */
#include "acme_next_step.h"

#define MINUTE apr_time_from_sec(60)
#define DAY apr_time_from_sec(24 * 3600)

#define SHORT_LIVED (10 * DAY)
#define RENEW_PERCENT 33
#define RENEW_PERCENT_SHORT 50
#define LEAVE_PERCENT 90        /* a window above it would renew for ever */

#define SPREAD_PART 20          /* chance moves renewal by life / 20 */
#define REST_PART 20            /* a new one is left alone for life / 20 */
#define PICK_PART 20            /* in the last life / 20 no pick counts */
#define CHANCES 1000

apr_time_t acme_next_step_renew_at(apr_time_t not_before, apr_time_t not_after,
                                   const acme_window_t *window, int chance)
{
    const apr_interval_time_t life = not_after - not_before;
    apr_interval_time_t left = window->duration;
    int percent = window->percent;

    if (!percent && (!left || left > life / 100 * LEAVE_PERCENT)) {
        percent = life < SHORT_LIVED ? RENEW_PERCENT_SHORT : RENEW_PERCENT;
    }
    if (percent > LEAVE_PERCENT) {
        percent = LEAVE_PERCENT;
    }
    if (percent) {
        left = life / 100 * percent;
    }
    /* Divided first: a lifetime may be 10,000 years. */
    return not_after - left - life / SPREAD_PART / CHANCES * chance;
}

int acme_next_step_chance(const char *serial)
{
    apr_uint32_t hash = 2166136261u;    /* FNV-1a: spread, no secret */

    for (; *serial; serial++) {
        hash = (hash ^ (unsigned char)*serial) * 16777619u;
    }
    return (int)(hash % CHANCES);
}

int acme_next_step_is_absurd(apr_time_t at, apr_time_t now)
{
    return at > now + 2 * DAY;
}

int acme_next_step_has_pick(const acme_state_t *state)
{
    return state->use_renewal_info && state->window_start && state->pick;
}

apr_time_t acme_next_step_picks_end(const acme_state_t *state)
{
    return state->not_after
        - (state->not_after - state->not_before) / PICK_PART;
}

/*
 * With a wrong clock, or a CA that is mistaken, each new certificate is due
 * as soon as it is there: the first one is believed, then we rest for 1, 10,
 * 100 minutes and for days.
 */
static apr_interval_time_t rest_of_hasty(const acme_state_t *state)
{
    static const int minutes[] = { 0, 0, 1, 10, 100 };

    return state->recent < sizeof(minutes) / sizeof(*minutes)
        ? minutes[state->recent] * MINUTE : DAY;
}

/* How long a new one is left alone. */
static apr_interval_time_t rest_of(const acme_state_t *state, apr_time_t now)
{
    const apr_interval_time_t left = state->not_after - state->installed;
    apr_interval_time_t rest =
        (state->not_after - state->not_before) / REST_PART;

    if (state->revoked
        || (acme_next_step_has_pick(state)
            && now < acme_next_step_picks_end(state))) {
        rest = rest_of_hasty(state);
    }
    return left > 0 && rest > left / 2 ? left / 2 : rest;
}

static apr_time_t planned_at(const acme_state_t *state)
{
    const apr_time_t end = acme_next_step_picks_end(state);

    if (!acme_next_step_has_pick(state)) {
        return acme_next_step_renew_at(state->not_before, state->not_after,
                                       &state->renew,
                                       acme_next_step_chance(state->serial));
    }
    return state->pick < end ? state->pick : end;
}

/*
 * When the live one is to be renewed. With a wrong clock the CA's answer may
 * look due as soon as it comes: it rests for a while, or we would order
 * without end.
 */
apr_time_t acme_next_step_renewal(const acme_state_t *state, apr_time_t now)
{
    const apr_time_t at = state->revoked ? now : planned_at(state);
    const apr_time_t rested = state->installed + rest_of(state, now);

    return state->installed <= now && at < rested ? rested : at;
}

static acme_next_t next_at(acme_step_e step, apr_time_t at)
{
    acme_next_t next;

    next.step = step;
    next.at = at;
    return next;
}

/* Is it for an order that something is wanted? */
static int is_for_order(const acme_state_t *state)
{
    return state->wanted == ACME_WANT_NOTHING
        || state->wanted == ACME_WANT_RENEWAL
        || state->wanted == ACME_WANT_DRY_RUN;
}

/* A dry run comes first, and changes nothing of what is next. */
static int is_wanted(const acme_state_t *state)
{
    return state->wanted && state->wanted != ACME_WANT_DRY_RUN;
}

/* To be ordered now, if no limit is known to stand in the way. */
static acme_next_t next_now(const acme_state_t *state, apr_time_t now)
{
    if (!state->ordering && is_for_order(state) && state->limit_until > now
        && !acme_next_step_is_absurd(state->limit_until, now)) {
        return next_at(ACME_STEP_LIMIT, state->limit_until);
    }
    return next_at(state->ordering && !is_wanted(state) ? ACME_STEP_FINISH
                                                        : ACME_STEP_ORDER, now);
}

/* Is this the pause after a failure? */
static int is_waiting(const acme_state_t *state, apr_time_t now)
{
    return state->attempts && state->next_at > now
        && !acme_next_step_is_absurd(state->next_at, now);
}

acme_next_t acme_next_step(const acme_state_t *state, apr_time_t now)
{
    apr_time_t renew = 0;

    if (!state->agreed) {
        return next_at(ACME_STEP_AGREE, 0);
    }
    if (is_wanted(state)) {
        /* A requested renewal that failed: a new request begins at once. */
        return state->wanted == ACME_WANT_RENEWAL && is_waiting(state, now)
            ? next_at(ACME_STEP_RETRY, state->next_at)
            : next_now(state, now);
    }
    if (state->deleted) {
        return next_at(ACME_STEP_CONFIGURE, 0);
    }
    /* With a certificate to lose, "never" is not believed: asked again. */
    if (state->attempts && state->retry == ACME_RETRY_NEVER
        && !(state->live && state->covers)) {
        return next_at(ACME_STEP_CONFIGURE, 0);
    }
    if (state->live && state->covers) {
        renew = acme_next_step_renewal(state, now);
        if (state->names_again_at && state->names_again_at < renew) {
            renew = state->names_again_at;
        }
    }
    if (is_waiting(state, now)) {
        return renew > state->next_at ? next_at(ACME_STEP_RENEW, renew)
                                      : next_at(ACME_STEP_RETRY,
                                                state->next_at);
    }
    if (renew > now) {
        return next_at(ACME_STEP_RENEW, renew);
    }
    return next_now(state, now);
}

int acme_next_step_is_due(const acme_state_t *state, apr_time_t now)
{
    const acme_next_t next = acme_next_step(state, now);

    /* Who orders knows whether the pause is over, or another CA can do it. */
    if (next.step == ACME_STEP_LIMIT
        && state->limit_why != ACME_REASON_CA_SLOW
        && (state->limit_why == ACME_REASON_CA_PAUSED || state->cas > 1)) {
        return 1;
    }
    return next.at && next.at <= now;
}

const char *acme_next_step_word(acme_step_e step)
{
    switch (step) {
    case ACME_STEP_ORDER:
        return "order";
    case ACME_STEP_RENEW:
        return "renew";
    case ACME_STEP_RETRY:
        return "retry";
    case ACME_STEP_CONFIGURE:
        return "configure";
    case ACME_STEP_AGREE:
        return "agree";
    case ACME_STEP_FINISH:
        return "finish";
    case ACME_STEP_LIMIT:
        return "limit";
    }
    return "";
}
