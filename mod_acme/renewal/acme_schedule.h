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
    ACME_STEP_FINISH,           /* an order is under way */
    ACME_STEP_LIMIT             /* at a time, for a limit of the CA's */
} acme_step_e;

typedef struct {
    acme_step_e step;
    apr_time_t at;              /* 0: no time is known */
} acme_next_t;

/*
 * A live one is renewed at its pick where the CA suggested a window, but no
 * later than a twentieth of its lifetime before its end, else when
 * acme_schedule_renew_at() says; at once when it was revoked. What was just installed
 * rests: a twentieth of the lifetime; with a pick, or revoked, not at all,
 * but 1, 10, 100 minutes and a day when it is one of several within a day.
 */
acme_next_t acme_schedule_next(const acme_state_t *state, apr_time_t now);

/* Is there something to do now? */
int acme_schedule_is_due(const acme_state_t *state, apr_time_t now);

/* "renew", "retry", ...: a word for scripts. */
const char *acme_schedule_step_word(acme_step_e step);

/*
 * The time of renewal: window before not_after, and up to a twentieth of the
 * lifetime earlier as chance (0 to 999) wants. An empty window is the
 * default: 33 %, 50 % of lifetimes below 10 days. A duration above 90 % of the
 * lifetime is taken as the default too, and a part above 90 % as 90 %.
 */
apr_time_t acme_schedule_renew_at(apr_time_t not_before, apr_time_t not_after,
                                  const acme_window_t *window, int chance);

/* The same for each look at one certificate, different for another: 0-999. */
int acme_schedule_chance(const char *serial);

/*
 * A time in the CA's window [start, end), drawn once for each window and then
 * kept. The last third of the window is never drawn: retries need it, as the
 * CA exempts from its limits only what arrives within. What would be past is
 * now (9773, 4.2); 0 when end <= start. chance: 0 to 999.
 */
apr_time_t acme_schedule_pick_draw(apr_time_t start, apr_time_t end,
                                   apr_time_t now, int chance);

typedef struct {
    apr_uint32_t attempts;      /* failures in a row, this one included */
    apr_time_t retry_at;        /* what the CA said; 0: nothing */
    apr_interval_time_t lifetime;   /* of the certificate there is; 0: none */
    int chance;                 /* 0 to 999 */
    apr_time_t window_end;      /* of the CA's window, which has begun; 0:
                                   there is none */
    apr_uint32_t cas;           /* how many CAs take turns, as no live
                                   certificate can wait; 0: they don't */
} acme_failure_t;

/*
 * When to try again. Where CAs take turns, the next one in a few seconds,
 * whatever this one said, until all have failed; what follows counts such
 * rounds. At the CA's word, else six times in what is left of its window, at
 * least 12 minutes apart, and after the window in 1, 10 and 100 minutes;
 * without a window in 1, 10, 100 minutes, then daily. In a twentieth of the
 * lifetime when that is sooner, so that short-lived certificates have more
 * than one try. A tenth more or less, within a window only more.
 */
apr_time_t acme_schedule_retry_at(const acme_failure_t *failure,
                                  apr_time_t now);

/* A failure of now, with what the state knows; retry_at as in the struct. */
acme_failure_t acme_schedule_failure(const acme_state_t *state,
                                     apr_time_t retry_at, apr_time_t now,
                                     int chance);

/*
 * Which CA to use now: an index in the certificate's list of CAs. The first,
 * until something failed. As long as a good certificate is live the time from
 * its renewal to its warn window is shared out among the CAs; from then on,
 * and when none is live, it was revoked or lacks a name, they take turns by
 * attempts. open (or NULL) has an octet for each CA: those that are not 0
 * (acme_breaker_is_open()) are passed over, unless all are.
 */
apr_uint32_t acme_schedule_ca(const acme_state_t *state, apr_time_t now,
                              const unsigned char *open);

/*
 * Send replaces (9773, 5) when ordering from ca (index in the certificate's
 * list)? Only to the CA that issued it, and in its last twentieth no more.
 * is_refused: it was refused for this certificate already.
 */
int acme_schedule_replaces(const acme_state_t *state, apr_uint32_t ca,
                           int is_refused, apr_time_t now);

/*
 * When to ask for renewal information next: now, or later. 0: never, as it is
 * switched off, nothing is live or it has expired, or it came from a CA that
 * isn't configured.
 */
apr_time_t acme_schedule_ask_at(const acme_state_t *state, apr_time_t now);

/*
 * ask_at after an answer (9773, 4.3). failures: temporary errors in a row,
 * this one included: a minute, doubled up to six hours; 0 after a good answer
 * or a lasting error: six hours. All of it only where retry_after is 0, as
 * the CA has the first word, from a minute to a day.
 */
apr_time_t acme_schedule_ask_retry(apr_uint32_t failures,
                                   apr_time_t retry_after, apr_time_t now,
                                   int chance);

#endif
