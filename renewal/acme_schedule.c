/*
 * acme_schedule.c - when: decisions that are functions of their arguments.
 */
#include "acme_schedule.h"

#define MINUTE apr_time_from_sec(60)
#define DAY apr_time_from_sec(24 * 3600)

#define SHORT_LIVED (10 * DAY)
#define RENEW_PERCENT 33
#define RENEW_PERCENT_SHORT 50
#define LEAVE_PERCENT 90        /* a window above it would renew for ever */

#define SPREAD_PART 20          /* chance moves renewal by life / 20 */
#define RETRY_PART 20           /* retries are at most life / 20 apart */
#define REST_PART 20            /* a new one is left alone for life / 20 */
#define CHANCES 1000

apr_time_t acme_renew_at(apr_time_t not_before, apr_time_t not_after,
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
    return not_after - left - life / SPREAD_PART * chance / CHANCES;
}

int acme_chance(const char *serial)
{
    apr_uint32_t hash = 2166136261u;    /* FNV-1a: spread, no secret */

    for (; *serial; serial++) {
        hash = (hash ^ (unsigned char)*serial) * 16777619u;
    }
    return (int)(hash % CHANCES);
}

/* At the CA's word; but one that always says "in a second" is not believed. */
static apr_time_t not_before_floor(const acme_failure_t *failure,
                                   apr_time_t now)
{
    apr_uint32_t n = failure->attempts < 6 ? failure->attempts : 6;
    apr_interval_time_t wait = failure->retry_at - now;

    if (wait < apr_time_from_sec(1 << n)) {
        wait = apr_time_from_sec(1 << n);
    }
    return now + wait;
}

apr_time_t acme_retry_at(const acme_failure_t *failure, apr_time_t now)
{
    static const apr_interval_time_t waits[] = {
        MINUTE, 10 * MINUTE, 100 * MINUTE, DAY
    };
    const apr_uint32_t last = sizeof(waits) / sizeof(*waits) - 1;
    apr_uint32_t n = failure->attempts ? failure->attempts - 1 : 0;
    apr_interval_time_t wait = waits[n < last ? n : last];
    apr_interval_time_t most = failure->lifetime / RETRY_PART;

    if (failure->retry_at > now) {
        return not_before_floor(failure, now);
    }
    if (failure->lifetime && wait > most) {
        wait = most > APR_USEC_PER_SEC ? most : APR_USEC_PER_SEC;
    }
    wait += wait / 10 * (2 * failure->chance - CHANCES) / CHANCES;
    return now + wait;
}

/* The clock was wrong when it was written: no wait of ours is so long. */
static int is_absurd(apr_time_t next_at, apr_time_t now)
{
    return next_at > now + 2 * DAY;
}

/*
 * When the live one is to be renewed. With a wrong clock the CA's answer may
 * look due as soon as it comes: it rests for a while, or we would order
 * without end.
 */
static apr_time_t renewal_of(const acme_state_t *state, apr_time_t now)
{
    const apr_interval_time_t life = state->not_after - state->not_before;
    apr_time_t at = acme_renew_at(state->not_before, state->not_after,
                                  &state->renew, acme_chance(state->serial));

    const apr_interval_time_t left = state->not_after - state->installed;
    apr_interval_time_t rest = life / REST_PART;

    if (left > 0 && rest > left / 2) {
        rest = left / 2;
    }
    if (state->installed <= now && at < state->installed + rest) {
        at = state->installed + rest;
    }
    return at;
}

static acme_next_t next_at(acme_step_e step, apr_time_t at)
{
    acme_next_t next;

    next.step = step;
    next.at = at;
    return next;
}

acme_next_t acme_schedule_next(const acme_state_t *state, apr_time_t now)
{
    apr_time_t renew = 0;

    if (!state->agreed) {
        return next_at(ACME_STEP_AGREE, 0);
    }
    if (state->wanted) {
        return next_at(ACME_STEP_ORDER, now);
    }
    if (state->live && state->covers) {
        renew = renewal_of(state, now);
    }
    /* With a certificate to lose, "never" is not believed: asked again. */
    if (state->attempts && state->retry == ACME_RETRY_NEVER && !renew) {
        return next_at(ACME_STEP_CONFIGURE, 0);
    }
    if (state->attempts && state->next_at > now
        && !is_absurd(state->next_at, now)) {
        return renew > state->next_at ? next_at(ACME_STEP_RENEW, renew)
                                      : next_at(ACME_STEP_RETRY,
                                                state->next_at);
    }
    if (renew > now) {
        return next_at(ACME_STEP_RENEW, renew);
    }
    return next_at(state->ordering ? ACME_STEP_FINISH : ACME_STEP_ORDER, now);
}

int acme_schedule_is_due(const acme_state_t *state, apr_time_t now)
{
    acme_next_t next = acme_schedule_next(state, now);

    return next.at && next.at <= now;
}

const char *acme_step_word(acme_step_e step)
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
    }
    return "";
}
