/*
 * acme_schedule.h - when: decisions that are functions of their arguments.
 *
 * Time and chance are passed in; nothing here acts.
 */
#ifndef ACME_SCHEDULE_H
#define ACME_SCHEDULE_H

#include "acme_state.h"

/* What happens next with a certificate. */
typedef enum {
    ACME_STEP_ORDER,            /* at once */
    ACME_STEP_RENEW,            /* at a time */
    ACME_STEP_RETRY,            /* at a time, after a failure */
    ACME_STEP_CONFIGURE,        /* the administrator changes something */
    ACME_STEP_AGREE,            /* AcmeTermsOfService agree */
    ACME_STEP_FINISH            /* an order is under way */
} acme_step_e;

typedef struct {
    acme_step_e step;
    apr_time_t at;              /* 0: no time is known */
} acme_next_t;

acme_next_t acme_schedule_next(const acme_state_t *state, apr_time_t now);

/* Is there something to do now? */
int acme_schedule_is_due(const acme_state_t *state, apr_time_t now);

/* "renew", "retry", ...: a word for scripts. */
const char *acme_step_word(acme_step_e step);

/*
 * The time of renewal: window before not_after, and up to a twentieth of the
 * lifetime earlier as chance (0 to 999) wants. An empty window is the
 * default: 33 %, 50 % of lifetimes below 10 days. A duration above 90 % of the
 * lifetime is taken as the default too, and a part above 90 % as 90 %.
 */
apr_time_t acme_renew_at(apr_time_t not_before, apr_time_t not_after,
                         const acme_window_t *window, int chance);

/* The same for each look at one certificate, different for another: 0-999. */
int acme_chance(const char *serial);

typedef struct {
    apr_uint32_t attempts;      /* failures in a row, this one included */
    apr_time_t retry_at;        /* what the CA said; 0: nothing */
    apr_interval_time_t lifetime;   /* of the certificate there is; 0: none */
    int chance;                 /* 0 to 999 */
} acme_failure_t;

/*
 * When to try again: at the CA's word, else after 1, 10, 100 minutes, then
 * daily, or after a twentieth of the lifetime when that is sooner, so that
 * short-lived certificates have more than one try; a tenth more or less.
 */
apr_time_t acme_retry_at(const acme_failure_t *failure, apr_time_t now);

#endif
