/*
 * acme_timing.c - when: decisions that are functions of their arguments.
 */
#include "acme_timing.h"

#define MINUTE apr_time_from_sec(60)
#define DAY apr_time_from_sec(24 * 3600)

#define RETRY_PART 20           /* retries are at most life / 20 apart */

#define WINDOW_RESERVE 3        /* the last third of a window is for retries */
#define WINDOW_TRIES 6          /* retries in what is left of a window */
#define WINDOW_WAIT_MIN (12 * MINUTE)   /* a CA bears 5 failures an hour */

#define NEXT_CA_WAIT apr_time_from_sec(2)       /* and up to that more */

#define ASK_MIN MINUTE          /* for renewal information (9773, 4.3.3) */
#define ASK_MAX DAY
#define ASK_LASTING (6 * 3600 * APR_USEC_PER_SEC)
#define ASK_DOUBLINGS 10        /* from a minute to beyond six hours */
#define CHANCES 1000

#define LOOK_LEAST apr_time_from_msec(5)        /* the first look, at least */
#define LOOKS_AT_ONCE 3         /* in a row: the CA may be faster */
#define SLOWER_AFTER 3          /* so have so many in a row, and it is slower */
#define LOOK_LEAP 4             /* a look is at most so many times as late */

/* Validators that have not come are waited for, where it is not known how long
   they take, and longer than they usually take. */
#define VISITS_LATE apr_time_from_sec(1)

/* A tenth more or less. */
static apr_interval_time_t spread(apr_interval_time_t wait, int chance)
{
    return wait + wait / 10 * (2 * chance - CHANCES) / CHANCES;
}

apr_time_t acme_timing_pick_draw(apr_time_t start, apr_time_t end,
                                 apr_time_t now, int chance)
{
    apr_interval_time_t room;
    apr_time_t pick;

    if (end <= start) {
        return 0;
    }
    if (end <= now) {
        return now;
    }
    room = (end - start) - (end - start) / WINDOW_RESERVE;
    pick = start + room / CHANCES * chance;
    return pick > now ? pick : now;
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

/* Several tries while the CA still takes it for the renewal it suggested. */
static apr_interval_time_t wait_in_window(apr_interval_time_t rest)
{
    apr_interval_time_t wait = rest / WINDOW_TRIES;

    return wait < WINDOW_WAIT_MIN ? WINDOW_WAIT_MIN : wait > DAY ? DAY : wait;
}

static apr_interval_time_t wait_after(const acme_failure_t *failure,
                                      apr_time_t now)
{
    static const apr_interval_time_t waits[] = {
        MINUTE, 10 * MINUTE, 100 * MINUTE, DAY
    };
    const apr_uint32_t daily = sizeof(waits) / sizeof(*waits) - 1;
    const apr_uint32_t last = failure->window_end ? daily - 1 : daily;
    const apr_uint32_t cas = failure->cas ? failure->cas : 1;
    apr_uint32_t rounds = failure->attempts / cas;

    if (failure->window_end > now) {
        return wait_in_window(failure->window_end - now);
    }
    rounds = rounds ? rounds - 1 : 0;
    return waits[rounds < last ? rounds : last];
}

apr_time_t acme_timing_retry_at(const acme_failure_t *failure, apr_time_t now)
{
    const apr_interval_time_t most = failure->lifetime / RETRY_PART;
    apr_interval_time_t wait;

    /* What one CA said is nothing to the next. */
    if (failure->cas > 1 && failure->attempts % failure->cas) {
        return now + NEXT_CA_WAIT + NEXT_CA_WAIT / CHANCES * failure->chance;
    }
    if (failure->retry_at > now) {
        return not_before_floor(failure, now);
    }
    wait = wait_after(failure, now);
    if (failure->lifetime && wait > most) {
        wait = most > APR_USEC_PER_SEC ? most : APR_USEC_PER_SEC;
    }
    /* Within a window only more: the least is what the CA bears. */
    return now + spread(wait, failure->window_end > now
                        ? (CHANCES + failure->chance) / 2 : failure->chance);
}

apr_time_t acme_timing_refused_at(const acme_state_t *state, apr_time_t now)
{
    const apr_interval_time_t part =
        state->live ? (state->not_after - state->not_before) / RETRY_PART
                    : DAY;

    if (!state->attempts || state->why != ACME_REASON_CHAIN_REFUSED) {
        return 0;
    }
    return now + (part < DAY ? part : DAY);
}

static int has_ended(const acme_state_t *state, apr_time_t now)
{
    return !state->live || state->not_after <= now;
}

/* Worth waiting for no CA: the certificate that is served is no good. */
static int is_pressing(const acme_state_t *state, apr_time_t now)
{
    return has_ended(state, now) || state->revoked || !state->covers
        || now >= acme_state_warn_at(state, state->not_after);
}

/* Each CA has an even share of the time until the administrator is warned. */
static apr_uint32_t ca_by_time(const acme_state_t *state, apr_time_t now)
{
    const apr_time_t begin = acme_next_step_renewal(state, now);
    const apr_time_t end = acme_state_warn_at(state, state->not_after);
    apr_interval_time_t share;
    apr_uint32_t n;

    if (now <= begin || end <= begin) {
        return 0;
    }
    share = (end - begin) / state->cas;
    n = share ? (apr_uint32_t)((now - begin) / share) : 0;
    return n < state->cas ? n : state->cas - 1;
}

apr_uint32_t acme_timing_ca(const acme_state_t *state, apr_time_t now,
                            const unsigned char *open)
{
    apr_uint32_t first = 0, i, ca;

    if (state->cas < 2) {
        return 0;
    }
    if (state->attempts) {
        first = is_pressing(state, now) ? state->attempts
                                        : ca_by_time(state, now);
    }
    for (i = 0; open && i < state->cas; i++) {
        ca = (first % state->cas + i) % state->cas;
        if (!open[ca]) {
            return ca;
        }
    }
    return first % state->cas;
}

acme_failure_t acme_timing_failure(const acme_state_t *state,
                                   apr_time_t retry_at, apr_time_t now,
                                   int chance)
{
    const int is_over = has_ended(state, now);
    acme_failure_t failure = { 0 };

    failure.attempts = state->attempts + 1;
    failure.retry_at = retry_at;
    failure.lifetime = state->live ? state->not_after - state->not_before : 0;
    failure.chance = chance;
    failure.cas = is_over ? state->cas : 0;
    if (!is_over && !state->revoked && acme_next_step_has_pick(state)
        && state->window_start <= now) {
        failure.window_end = state->window_end;
    }
    return failure;
}

int acme_timing_replaces(const acme_state_t *state, apr_uint32_t ca,
                         int is_refused, apr_time_t now)
{
    return !is_refused && state->use_renewal_info && state->live
        && state->cert_id[0] && state->issued_by != ACME_NO_CA
        && state->issued_by == ca && now <= acme_next_step_picks_end(state);
}

apr_time_t acme_timing_ask_at(const acme_state_t *state, apr_time_t now)
{
    if (!state->use_renewal_info || !state->cert_id[0]
        || state->issued_by == ACME_NO_CA || has_ended(state, now)) {
        return 0;
    }
    return state->ask_at > now && !acme_next_step_is_absurd(state->ask_at, now)
        ? state->ask_at : now;
}

apr_time_t acme_timing_ask_retry(apr_uint32_t failures, apr_time_t retry_after,
                                 apr_time_t now, int chance)
{
    const apr_uint32_t n = failures < ASK_DOUBLINGS ? failures
                                                    : ASK_DOUBLINGS;
    apr_interval_time_t wait = retry_after - now;

    if (retry_after) {
        wait = wait < ASK_MIN ? ASK_MIN : wait > ASK_MAX ? ASK_MAX : wait;
        return now + wait;
    }
    wait = failures ? ASK_MIN << (n - 1) : ASK_LASTING;
    return now + spread(wait < ASK_LASTING ? wait : ASK_LASTING, chance);
}

/*
 * The newest counts where it is less: the CA has become faster, and while that
 * was found out it did without a further look. So do the newest ones where all
 * of them are more: it has become slower.
 */
static apr_interval_time_t usual_look(const acme_pace_t *pace)
{
    const apr_uint32_t median = acme_ca_pace_median(pace);
    apr_uint32_t usual = pace->values[0];
    apr_uint32_t i;

    if (usual > median) {
        for (i = 1; i < SLOWER_AFTER; i++) {
            usual = pace->values[i] < usual ? pace->values[i] : usual;
        }
        usual = usual > median ? usual : median;
    }
    return apr_time_from_msec(usual);
}

/* The longer the first look suffices, the more is dared. */
static apr_interval_time_t first_look(const acme_pace_t *pace,
                                      const acme_look_bounds_t *bounds)
{
    apr_interval_time_t look = usual_look(pace);

    if (!pace->n) {
        return bounds->first;
    }
    if (pace->at_once >= LOOKS_AT_ONCE) {
        look -= pace->at_once == LOOKS_AT_ONCE       ? look / 8
                : pace->at_once == LOOKS_AT_ONCE + 1 ? look / 4
                                                     : look / 2;
    }
    return look > LOOK_LEAST ? look : LOOK_LEAST;
}

/* Is this time worth a look after one that was too early? */
static int is_next(apr_interval_time_t look, apr_interval_time_t before)
{
    return look > before + before / 16 && look <= LOOK_LEAP * before;
}

static apr_interval_time_t next_look(const acme_pace_t *pace,
                                     apr_interval_time_t before,
                                     const acme_look_bounds_t *bounds)
{
    const apr_interval_time_t usual = usual_look(pace);
    const apr_interval_time_t newest = apr_time_from_msec(pace->values[0]);
    const apr_interval_time_t median = apr_time_from_msec(
        acme_ca_pace_median(pace));

    return is_next(usual, before)  ? usual
         : is_next(median, before) ? median
         : is_next(newest, before) ? newest
         : before + bounds->first + (before < 2 * usual ? before / 2 : before);
}

apr_interval_time_t acme_timing_look(const acme_pace_t *pace,
                                     apr_interval_time_t before,
                                     const acme_look_bounds_t *bounds)
{
    const apr_interval_time_t look = before ? next_look(pace, before, bounds)
                                            : first_look(pace, bounds);

    return look - before < bounds->longest ? look : before + bounds->longest;
}

/* As many as came for each challenge; one where that is not known. A look at a
   time when fewer suffice costs less than waiting for one that does not come. */
static apr_uint32_t usual_visits(const acme_ca_pace_t *pace)
{
    const acme_pace_t *visits = &pace->of[ACME_PACE_VISITS];
    const apr_uint32_t median = acme_ca_pace_median(visits);

    if (!visits->n) {
        return 1;
    }
    return visits->values[0] < median ? visits->values[0] : median;
}

int acme_timing_validators_came(const acme_validation_t *validation)
{
    const apr_uint32_t visits = usual_visits(validation->pace);

    return visits && validation->visits / visits >= validation->challenges;
}

apr_interval_time_t acme_timing_validation_look(
    const acme_validation_t *validation, const acme_look_bounds_t *bounds)
{
    const acme_pace_t *seen = &validation->pace->of[ACME_PACE_SEEN];
    const apr_interval_time_t before = validation->before;
    const apr_interval_time_t visited = validation->visited;
    apr_interval_time_t look;

    if (!validation->is_seen) {
        return acme_timing_look(&validation->pace->of[ACME_PACE_UNSEEN],
                                before, bounds);
    }
    if (acme_timing_validators_came(validation)) {
        look = visited
             + acme_timing_look(&validation->pace->of[ACME_PACE_SETTLED],
                                before > visited ? before - visited : 0,
                                bounds);
        /* Whoever asks again and again is not followed with a look each. */
        return look > before + before / 8 ? look : before + before / 8;
    }
    if (usual_visits(validation->pace) && !before) {
        look = VISITS_LATE + 2 * usual_look(seen);
        return look < bounds->longest ? look : bounds->longest;
    }
    return acme_timing_look(seen, before, bounds);
}
