/*
 * acme_next_step.h - what happens next with a certificate, and when.
 *
 * A function of the state and the time, so that who acts and who shows it
 * say the same. Time and chance are passed in; nothing here acts.
 */
#ifndef ACME_NEXT_STEP_H
#define ACME_NEXT_STEP_H

#include "acme_state.h"

/* What happens next with a certificate. */
typedef enum {
    ACME_STEP_ORDER,            /* at once */
    ACME_STEP_RENEW,            /* at a time */
    ACME_STEP_RETRY,            /* at a time, after a failure */
    ACME_STEP_CONFIGURE,        /* the administrator changes something */
    ACME_STEP_AGREE,            /* AcmeTermsOfService agree */
    ACME_STEP_FINISH,           /* an order is under way */
    ACME_STEP_LIMIT             /* at a time, for a limit of the CA's */
} acme_step_e;

typedef struct {
    acme_step_e step;
    apr_time_t at;              /* 0: no time is known */
} acme_next_t;

/*
 * A live certificate is renewed when acme_next_step_renewal() says; at once
 * when a name or a CA was added that it does not cover.
 */
acme_next_t acme_next_step(const acme_state_t *state, apr_time_t now);

/* Is there something to do now? The pause of a CA that is known is for people
   alone: another CA may do, and this one may answer before its end. */
int acme_next_step_is_due(const acme_state_t *state, apr_time_t now);

/* "renew", "retry", ...: a word for scripts. */
const char *acme_next_step_word(acme_step_e step);

/*
 * When the live one is renewed: at its pick where the CA suggested a window,
 * but no later than a twentieth of its lifetime before its end, else when
 * acme_next_step_renew_at() says; at once when it was revoked. What was just
 * installed rests: a twentieth of the lifetime; with a pick, or revoked, not
 * at all, but 1, 10, 100 minutes and a day when it is one of several within a
 * day.
 */
apr_time_t acme_next_step_renewal(const acme_state_t *state, apr_time_t now);

/*
 * The time of renewal without a pick: window before not_after, and up to a
 * twentieth of the lifetime earlier as chance (0 to 999) wants. An empty
 * window is the default: 33 %, 50 % of lifetimes below 10 days. A duration
 * above 90 % of the lifetime is taken as the default too, and a part above
 * 90 % as 90 %.
 */
apr_time_t acme_next_step_renew_at(apr_time_t not_before,
                                   apr_time_t not_after,
                                   const acme_window_t *window, int chance);

/* The same for each look at one certificate, different for another: 0-999. */
int acme_next_step_chance(const char *serial);

/* Does the CA's window count, and was a time in it drawn? */
int acme_next_step_has_pick(const acme_state_t *state);

/* From here to its end the certificate is renewed, whatever was picked. */
apr_time_t acme_next_step_picks_end(const acme_state_t *state);

/*
 * Is it later than any wait of ours? The clock was wrong when it was written,
 * and it counts for nothing.
 */
int acme_next_step_is_absurd(apr_time_t at, apr_time_t now);

#endif
