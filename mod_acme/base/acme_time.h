/*
 * acme_time.h - reading and writing times, durations, windows.
 *
 * Times are apr_time_t, microseconds since 1970, and durations microseconds.
 * The parsers are strict: a form that they do not know is refused, or 0.
 */
#ifndef ACME_TIME_H
#define ACME_TIME_H

#include <apr_pools.h>
#include <apr_time.h>

#include "acme_result.h"

/*
 * "30s", "10m", "12h", "30d" in microseconds: more than 0, at most 3650 days.
 * On failure *pd is 0 and the status APR_EINVAL.
 */
apr_status_t acme_time_duration_parse(apr_interval_time_t *pd,
                                      const char *text, acme_result_t *res);

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* "30d" is a duration, "33%" a part (1 to 99) of a lifetime. */
typedef struct {
    apr_interval_time_t duration;       /* 0 when percent is set */
    apr_int32_t percent;                /* 0 when duration is set */
    apr_uint32_t unused;                /* padding would hold stale memory,
                                           and a window travels in messages */
} acme_window_t;

#pragma GCC diagnostic pop

/* Of two times; 0 is never. */
apr_time_t acme_time_earlier(apr_time_t a, apr_time_t b);

/* On failure *pw is zeros and the status APR_EINVAL. */
apr_status_t acme_time_window_parse(acme_window_t *pw, const char *text,
                                    acme_result_t *res);

/* "2026-11-21 05:36:05 UTC" in p, for people; "never" for 0. */
const char *acme_time_text(apr_time_t t, apr_pool_t *p);

/*
 * "41 s", "12 min", "5 h", "29 days" in p, for people: in the largest unit of
 * which there are two, rounded down. "0 s" for a negative duration.
 */
const char *acme_time_interval_text(apr_interval_time_t d, apr_pool_t *p);

/*
 * A time as RFC 3339, 5.6 writes it ("expires" of an order, 8555, 7.1.3; also
 * meta.json), without the fraction of its second. 0 when text is NULL, is not
 * such a time or is before 1970.
 */
apr_time_t acme_time_parse(const char *text);

/* "2026-11-21T05:36:05Z" in p: whole seconds. (3339, 5.6) */
const char *acme_time_rfc3339(apr_time_t t, apr_pool_t *p);

/* The same for a value of JSON, which has none for 0: NULL. */
const char *acme_time_json(apr_time_t t, apr_pool_t *p);

#endif
