/*
 * acme_rate_limits.h - the limits of all CAs, counted from the states of all
 * certificates: which may be ordered now, which waits, and until when.
 *
 * It knows no lock: the scheduler's thread has it alone. Time is
 * passed in; a CA is named by its position in the certificate's list.
 */
#ifndef ACME_RATE_LIMITS_H
#define ACME_RATE_LIMITS_H

#include "acme_ca_pool.h"
#include "acme_rate_buckets.h"
#include "acme_state.h"

typedef struct acme_rate_limits_t acme_rate_limits_t;

/* As if nothing had happened yet. conf and the limits live as long as p. */
acme_rate_limits_t *acme_rate_limits_create(const acme_conf_t *conf,
                                            apr_pool_t *p);

/* A state changed: what is new of its past is counted by the next count. */
void acme_rate_limits_read(acme_rate_limits_t *limits,
                           const acme_state_t *state, apr_time_t now);

/* All changes were read: count what is new. */
void acme_rate_limits_count(acme_rate_limits_t *limits, apr_time_t now);

/* An order is under way, and uses up what it will; until it ended. */
void acme_rate_limits_begin(acme_rate_limits_t *limits,
                            const acme_state_t *state, apr_uint32_t ca,
                            apr_time_t now);
void acme_rate_limits_end(acme_rate_limits_t *limits, apr_uint32_t cert);

/*
 * When it may be ordered: now, or the earliest time. Then *why is a sentence,
 * from p; or NULL, when those under way may use up what is left: to be called
 * again when they ended.
 */
apr_time_t acme_rate_limits_next(const char **why,
                                 const acme_rate_limits_t *limits,
                                 const acme_state_t *state, apr_uint32_t ca,
                                 apr_time_t now, apr_pool_t *p);

/* For acme_ca_pool_choose(): the CAs from which it can't be ordered now. */
void acme_rate_limits_full(unsigned char full[ACME_CHOICE_MAX],
                           const acme_rate_limits_t *limits,
                           const acme_state_t *state, apr_time_t now,
                           apr_pool_t *p);

/*
 * Where it can be ordered first: the position of a CA, by its limits and by
 * paused, until when each is left alone. The first one of several.
 */
apr_uint32_t acme_rate_limits_first(const acme_rate_limits_t *limits,
                                    const acme_state_t *state,
                                    const apr_time_t paused[ACME_CHOICE_MAX],
                                    apr_time_t now, apr_pool_t *p);

/* It is postponed, because of why; until it begins, or has no limit. */
void acme_rate_limits_wait(acme_rate_limits_t *limits,
                           const acme_state_t *state, apr_uint32_t ca,
                           const char *why, apr_time_t now);

/*
 * A line for the log about a CA at which certificates began to wait since it
 * was asked last: when the last of all that wait is ordered. NULL: no more.
 */
const char *acme_rate_limits_news(acme_rate_limits_t *limits, apr_time_t now,
                                  apr_pool_t *p);

#endif
