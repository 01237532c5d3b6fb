/*
 * acme_result.h - the outcome of a call that failed, in words for people.
 *
 * A call that can fail returns an apr_status_t, which steers the program, and
 * fills an acme_result_t, which the status page and the error log show. The
 * lower floors never log: they fill a result and return.
 */
#ifndef ACME_RESULT_H
#define ACME_RESULT_H

#include <apr_errno.h>
#include <apr_time.h>

#include "acme_reason.h"

/* Will trying again ever help? Asked of every error. */
typedef enum {
    ACME_RETRY_SOON,        /* nonce, timeout, 5xx: the next run may do */
    ACME_RETRY_LATER,       /* rate limited: not before retry_at */
    ACME_RETRY_NEVER        /* our input is bad: wait for a new configuration */
} acme_retry_e;

#define ACME_PROBLEM_SIZE 128
#define ACME_DETAIL_SIZE  1024

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/*
 * Plain memory without pointers and without padding, so that it can be copied,
 * kept and sent to another process. A result is meaningful only after a call
 * that failed. Behind the end of both texts there are zeros only.
 */
typedef struct {
    apr_status_t status;
    acme_retry_e retry;
    apr_time_t retry_at;                /* 0: our own back-off decides */
    acme_reason_e reason;               /* OTHER unless a caller set another */
    apr_uint32_t unused;                /* 0 */
    char problem[ACME_PROBLEM_SIZE];    /* the CA's problem type, or "" */
    char detail[ACME_DETAIL_SIZE];      /* a sentence, its subject first */
} acme_result_t;

#pragma GCC diagnostic pop

/* Make res as it is before any failure: zeros and empty texts. */
void acme_result_clear(acme_result_t *res);

/*
 * Record a failure: replaces all of res and returns status. retry is
 * ACME_RETRY_SOON and reason ACME_REASON_OTHER; a caller that knows better
 * sets them afterwards. The detail is cut at ACME_DETAIL_SIZE - 1 octets. The
 * arguments may point into res: it is replaced after they were read.
 */
apr_status_t acme_fail(acme_result_t *res, apr_status_t status,
                       const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As acme_fail, with ": " and APR's own text for status appended. */
apr_status_t acme_fail_errno(acme_result_t *res, apr_status_t status,
                             const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As acme_fail, for input that will fail again: ACME_RETRY_NEVER. */
apr_status_t acme_fail_never(acme_result_t *res, apr_status_t status,
                             const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Set the reason of a failure that is in res; returns its status. */
apr_status_t acme_result_reason(acme_result_t *res, acme_reason_e reason);

/*
 * Put "subject: " before the detail of a failure that is handed upwards, cut
 * at ACME_DETAIL_SIZE - 1 octets. The rest of res stays.
 */
void acme_result_prefix(acme_result_t *res, const char *subject);

#endif
