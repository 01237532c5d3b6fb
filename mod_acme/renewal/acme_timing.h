/*
 * acme_timing.h - when: decisions that are functions of their arguments.
 *
 * Time and chance are passed in; nothing here acts.
 */
#ifndef ACME_TIMING_H
#define ACME_TIMING_H

#include "acme_ca_pace.h"
#include "acme_next_step.h"

/*
 * A time in the CA's window [start, end), drawn once for each window and then
 * kept. The last third of the window is never drawn: retries need it, as the
 * CA exempts from its limits only what arrives within. What would be past is
 * now (9773, 4.2); 0 when end <= start. chance: 0 to 999.
 */
apr_time_t acme_timing_pick_draw(apr_time_t start, apr_time_t end,
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
apr_time_t acme_timing_retry_at(const acme_failure_t *failure, apr_time_t now);

/*
 * Not before this, after a certificate that was issued and then refused: CAs
 * bear few of the same names in a week. 0, for the usual pauses, the first
 * time; then a day, or a twentieth of a short lifetime.
 */
apr_time_t acme_timing_refused_at(const acme_state_t *state, apr_time_t now);

/* A failure of now, with what the state knows; retry_at as in the struct. */
acme_failure_t acme_timing_failure(const acme_state_t *state,
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
apr_uint32_t acme_timing_ca(const acme_state_t *state, apr_time_t now,
                            const unsigned char *open);

/*
 * Send replaces (9773, 5) when ordering from ca (index in the certificate's
 * list)? Only to the CA that issued it, and in its last twentieth no more.
 * is_refused: it was refused for this certificate already.
 */
int acme_timing_replaces(const acme_state_t *state, apr_uint32_t ca,
                         int is_refused, apr_time_t now);

/*
 * When to ask for renewal information next: now, or later. 0: never, as it is
 * switched off, nothing is live or it has expired, or it came from a CA that
 * isn't configured.
 */
apr_time_t acme_timing_ask_at(const acme_state_t *state, apr_time_t now);

/*
 * ask_at after an answer (9773, 4.3). failures: temporary errors in a row,
 * this one included: a minute, doubled up to six hours; 0 after a good answer
 * or a lasting error: six hours. All of it only where retry_after is 0, as
 * the CA has the first word, from a minute to a day.
 */
apr_time_t acme_timing_ask_retry(apr_uint32_t failures, apr_time_t retry_after,
                                 apr_time_t now, int chance);

/* Bounds of the looks below. */
typedef struct {
    apr_interval_time_t first;          /* the first look, of a CA of which
                                           nothing is known */
    apr_interval_time_t longest;        /* between two looks */
} acme_look_bounds_t;

/*
 * When to look whether the CA is done, since it began. before is the look
 * before, since then as well; 0: none.
 *
 * The first look is at the usual time: the median of what was measured, or the
 * newest where that is less. What is measured is the time of a look, so the CA
 * was done a little earlier: after three in a row that were made with the first
 * look, this comes an eighth earlier, then a quarter, then at half of the time,
 * until it is too early. After one that was too early come the usual time, and
 * the median or the newest, where they are later and not more than four times
 * as late; then half more each time. Where nothing is known it is the double.
 */
apr_interval_time_t acme_timing_look(const acme_pace_t *pace,
                                     apr_interval_time_t before,
                                     const acme_look_bounds_t *bounds);

/* An order whose challenges were answered; times are since the last answer. */
typedef struct {
    const acme_ca_pace_t *pace;
    int is_seen;                /* validators come to this server */
    apr_uint32_t challenges;    /* that were answered */
    apr_uint32_t visits;        /* of validators, for all of them */
    apr_interval_time_t visited;        /* the last visit */
    apr_interval_time_t before; /* the look before; 0: none */
} acme_validation_t;

/* Did as many validators come as the CA usually sends? One that never sends any
   is no question: false. */
int acme_timing_validators_came(const acme_validation_t *validation);

/*
 * When to look whether the order is ready. Once as many validators came as the
 * CA usually sends, that is reckoned from their last visit. While they have not
 * come it is late: they may go to another server, or fewer be sent. A CA whose
 * validators never come is looked at as one that looks elsewhere.
 */
apr_interval_time_t acme_timing_validation_look(
    const acme_validation_t *validation, const acme_look_bounds_t *bounds);

#endif
