/*
 * acme_parallel.h - how many orders a CA is given side by side, learned from
 * how it bears them.
 *
 * One a route, in memory only. It knows no lock: the threads that share one
 * call it under theirs. Time is passed in; nothing here acts.
 */
#ifndef ACME_PARALLEL_H
#define ACME_PARALLEL_H

#include <apr_time.h>

typedef struct {
    int limit;                  /* orders side by side, now; 1 to most */
    int most;
    int is_lowered;             /* it was at least once */
    int orders;                 /* that ended since the limit changed */
    apr_time_t lowered_at;
    apr_interval_time_t best;   /* of an order's replies; 0: none yet */
} acme_parallel_t;

/* The limit is start, and never more than most. */
void acme_parallel_begin(acme_parallel_t *parallel, int start, int most);

/*
 * A request that was sent at sent was refused with 429 or 503. The limit is
 * halved, once for all that were under way together. True when it was lowered.
 */
int acme_parallel_refused(acme_parallel_t *parallel, apr_time_t sent,
                          apr_time_t now);

/*
 * An order has ended, and its replies took latency on average. More than a
 * second and four times the best: the limit is lowered by a quarter, once for
 * as many orders as it allows. Else it is raised by one: for each second order
 * as long as it was never lowered, later for as many orders as it allows.
 */
void acme_parallel_replied(acme_parallel_t *parallel,
                           apr_interval_time_t latency, apr_time_t now);

#endif
