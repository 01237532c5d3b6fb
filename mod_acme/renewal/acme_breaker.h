/*
 * acme_breaker.h - is a CA well? Learned from what its replies were like.
 *
 * One a CA, in memory only. It knows no lock: the threads that share one call
 * it under theirs. Time and chance are passed in; nothing here acts.
 */
#ifndef ACME_BREAKER_H
#define ACME_BREAKER_H

#include <apr_pools.h>
#include <apr_time.h>

typedef enum {
    ACME_BREAKER_CLOSED,        /* well: all may ask */
    ACME_BREAKER_OPEN,          /* it failed: nobody asks */
    ACME_BREAKER_PAUSED,        /* it asked us to wait: nobody asks */
    ACME_BREAKER_HALF_OPEN      /* one request tries it, the others wait */
} acme_breaker_e;

/* Why it opened last. */
typedef enum {
    ACME_BREAKER_IN_A_ROW,
    ACME_BREAKER_MOSTLY,
    ACME_BREAKER_SLOWLY
} acme_breaker_why_e;

/* Begins as zeroes: closed. */
typedef struct {
    apr_uint32_t opened;        /* times in a row; 0: closed */
    apr_time_t open_until;
    apr_time_t paused_until;
    apr_time_t probed_at;       /* a probe is under way since; 0: none is */
    acme_breaker_why_e why;
    unsigned int recent;        /* a bit a reply, the newest the lowest: 1 is
                                   a failure */
    int replies;                /* how many bits of it count */
    int failures;               /* in a row */
    int slow;                   /* in a row */
} acme_breaker_t;

/*
 * May one ask the CA now? Where it is half open, the first who asks is its
 * probe and must tell how it ended; one that doesn't within two minutes is
 * forgotten, and the next who asks is the probe.
 */
int acme_breaker_allow(acme_breaker_t *breaker, apr_time_t now);

/*
 * Somebody asks whatever is known of it, as an administrator told us to: his
 * request is the probe, and a pause ends.
 */
void acme_breaker_probe(acme_breaker_t *breaker, apr_time_t now);

/*
 * It replied: any reply that is not a 5xx, a 4xx with a problem document too.
 * Closes the breaker when its probe did that. latency is the average of the
 * replies since the last report: three times in a row more than 20 s open it.
 */
void acme_breaker_success(acme_breaker_t *breaker, apr_time_t now,
                          apr_interval_time_t latency);

/*
 * No connection, no reply in time, or a 5xx. It opens after three in a row or
 * more than half of the last ten, for 30 s, and twice as long each time that
 * its probe fails, up to 15 min; a tenth more or less as chance (0 to 999)
 * wants.
 */
void acme_breaker_failure(acme_breaker_t *breaker, apr_time_t now,
                          int chance);

/* A 503 or 429 with Retry-After: no failure, but nobody asks until then. */
void acme_breaker_pause(acme_breaker_t *breaker, apr_time_t until);

acme_breaker_e acme_breaker_state(const acme_breaker_t *breaker,
                                  apr_time_t now);

/*
 * Would acme_breaker_allow() refuse? Claims nothing; for the choice among CAs.
 */
int acme_breaker_is_open(const acme_breaker_t *breaker, apr_time_t now);

/* When a request may be sent: now, or the end of what forbids it. */
apr_time_t acme_breaker_next_at(const acme_breaker_t *breaker, apr_time_t now);

/* A sentence for people, ca (its host) first. */
const char *acme_breaker_text(const acme_breaker_t *breaker, const char *ca,
                              apr_time_t now, apr_pool_t *p);

#endif
