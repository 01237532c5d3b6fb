/*
 * acme_counters.h - what all processes count, for monitoring. (docs/design.md,
 * The board)
 *
 * Shared memory that lives as long as httpd, across reloads. Whoever counts
 * adds to it, from any thread, and takes no lock. Workers can write anything
 * there: the keeper adds and never reads, and what is shown are numbers only.
 * Names are not in it: they are in each process's own memory.
 */
#ifndef ACME_COUNTERS_H
#define ACME_COUNTERS_H

#include "acme_conf.h"
#include "acme_reason.h"
#include "acme_resource.h"

/* How an order ended. */
typedef enum {
    ACME_ATTEMPT_SUCCESS,       /* the certificate is installed */
    ACME_ATTEMPT_FAILURE,
    ACME_ATTEMPTS
} acme_attempt_e;

/* What came of a request for a challenge's answer. */
typedef enum {
    ACME_SEEN_ANSWERED,
    ACME_SEEN_UNKNOWN,          /* of no challenge of ours */
    ACME_SEEN_FAILED,           /* of one, and it could not be answered */
    ACME_SEENS
} acme_seen_e;

/* What came of a reload that the keeper wanted. */
typedef enum {
    ACME_RELOAD_SIGNALLED,      /* httpd got the signal */
    ACME_RELOAD_POSTPONED,      /* for a reason, counted once while it lasts */
    ACME_RELOAD_IGNORED,        /* httpd got the signal and did not reload */
    ACME_RELOADS
} acme_reload_e;

/* The status of a CA's reply: its first digit, or that there was none. */
typedef enum {
    ACME_REPLY_NONE,
    ACME_REPLY_2XX,
    ACME_REPLY_3XX,
    ACME_REPLY_4XX,
    ACME_REPLY_5XX,
    ACME_REPLY_OTHER,
    ACME_REPLIES
} acme_reply_e;

/* Who shows that it runs. */
typedef enum {
    ACME_PULSE_KEEPER,
    ACME_PULSE_RENEWAL,
    ACME_PULSE_WITNESS,
    ACME_PULSES
} acme_pulse_e;

/* Of a histogram: upper bounds in seconds, as text, the last one "+Inf". */
#define ACME_COUNTERS_BUCKETS 12
extern const char *const acme_counters_bounds[ACME_COUNTERS_BUCKETS];

/* CAs by host; one more host counts as "other", in the last row. */
#define ACME_COUNTERS_CAS 16

/*
 * In httpd's parent, at each load: count into the memory that lasting holds,
 * which it gets the first time. Certificates and hosts that it knows keep
 * their numbers. conf and p live as long as the load. After a failure, of
 * APR's, nothing is counted.
 */
apr_status_t acme_counters_open(const acme_conf_t *conf, apr_pool_t *lasting,
                                acme_result_t *res, apr_pool_t *p);

/* Count. cert and ca are positions in the configuration; nothing happens
   before acme_counters_open(). */
void acme_counters_attempt(apr_uint32_t cert, acme_attempt_e result);
void acme_counters_failure(apr_uint32_t ca, acme_reason_e reason);
/* status 0: there was no reply. */
void acme_counters_request(apr_uint32_t ca, acme_resource_e resource,
                           int status, apr_interval_time_t latency);
void acme_counters_challenge(acme_challenge_e type, acme_seen_e result);
void acme_counters_reload(acme_reload_e result);
void acme_counters_hook_failure(void);
void acme_counters_pulse(acme_pulse_e who, apr_time_t now);

/*
 * For pages. row is below ACME_COUNTERS_CAS; 0 and NULL where nothing is
 * counted. Whatever a worker wrote: a number is at most 2^53, a time not
 * negative and before the year 10000, and what is beyond that counts as 0.
 */
apr_uint64_t acme_counters_attempts(apr_uint32_t cert, acme_attempt_e result);
/* The host of a row, NULL: the row is not used. */
const char *acme_counters_ca(apr_uint32_t row);
/* The row of a CA of the configuration; ACME_COUNTERS_CAS: none. */
apr_uint32_t acme_counters_row(apr_uint32_t ca);
apr_uint64_t acme_counters_failures(apr_uint32_t row, acme_reason_e reason);
apr_uint64_t acme_counters_requests(apr_uint32_t row, acme_resource_e resource,
                                    acme_reply_e reply);
/* How many replies took at most the time of each bound, and the sum. */
void acme_counters_latency(apr_uint64_t buckets[ACME_COUNTERS_BUCKETS],
                           apr_interval_time_t *psum, apr_uint32_t row,
                           acme_resource_e resource);
apr_uint64_t acme_counters_challenges(acme_challenge_e type,
                                      acme_seen_e result);
apr_uint64_t acme_counters_reloads(acme_reload_e result);
apr_uint64_t acme_counters_hook_failures(void);

/* When it showed last that it runs; 0: never. */
apr_time_t acme_counters_pulse_at(acme_pulse_e who);
/* Did it so within the last minute and a half? */
int acme_counters_is_up(acme_pulse_e who, apr_time_t now);

#endif
