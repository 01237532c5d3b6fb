/*
 * acme_parallel.c - how many orders a CA is given side by side.
 *
 * Quickly down and slowly up, as TCP does it: a CA that refuses counts what it
 * refuses, and is slower for its other clients as well.
 */
#include "acme_parallel.h"

#define RAISED_AFTER 2          /* orders, until it was lowered once */
#define SLOW_TIMES 4            /* the best latency */
#define SLOW_MIN apr_time_from_sec(1)

/* A CA that is slower for good is its own measure after some orders: the best
   doubles in about fifty. */
#define BEST_FADES 64

void acme_parallel_begin(acme_parallel_t *parallel, int start, int most)
{
    *parallel = (acme_parallel_t) { .limit = start < most ? start : most,
                                    .most = most };
}

static int lower_to(acme_parallel_t *parallel, int limit, apr_time_t now)
{
    const int is_lower = parallel->limit > 1;

    parallel->limit = limit > 1 ? limit : 1;
    parallel->is_lowered = 1;
    parallel->orders = 0;
    parallel->lowered_at = now;
    return is_lower;
}

int acme_parallel_refused(acme_parallel_t *parallel, apr_time_t sent,
                          apr_time_t now)
{
    /* A clock that was set back makes each of them count, until it is as late
       again: to be too careful costs time only. */
    if (parallel->lowered_at > sent && parallel->lowered_at <= now) {
        return 0;
    }
    return lower_to(parallel, parallel->limit / 2, now);
}

static int is_slow(const acme_parallel_t *parallel,
                   apr_interval_time_t latency)
{
    return latency > SLOW_MIN && parallel->best
        && latency > SLOW_TIMES * parallel->best;
}

static void learn_best(acme_parallel_t *parallel, apr_interval_time_t latency)
{
    const apr_interval_time_t faded = parallel->best
                                      + parallel->best / BEST_FADES;

    parallel->best = !parallel->best || latency < faded ? latency : faded;
}

void acme_parallel_replied(acme_parallel_t *parallel,
                           apr_interval_time_t latency, apr_time_t now)
{
    const int slow = is_slow(parallel, latency);
    const int enough = parallel->is_lowered ? parallel->limit : RAISED_AFTER;

    if (latency <= 0) {
        return;                 /* it had no reply */
    }
    learn_best(parallel, latency);
    parallel->orders++;
    if (slow) {
        /* Those that were under way when it was lowered are slow too. */
        if (!parallel->is_lowered || parallel->orders > parallel->limit) {
            lower_to(parallel, parallel->limit * 3 / 4, now);
        }
    }
    else if (parallel->orders >= enough) {
        parallel->orders = 0;
        parallel->limit += parallel->limit < parallel->most;
    }
}
