/*
 * acme_time.h - reading and writing times, durations, windows.
 *
 * Whatever reads a text is strict: what it does not know is refused, or 0.
 */
#ifndef ACME_TIME_H
#define ACME_TIME_H

#include <apr_pools.h>
#include <apr_time.h>

#include "acme_result.h"

/* "30s", "10m", "12h", "30d": more than nothing, at most 10 years. */
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

apr_status_t acme_time_window_parse(acme_window_t *pw, const char *text,
                                    acme_result_t *res);

/* "2026-11-21 05:36:05 UTC", or "never" for 0. */
const char *acme_time_text(apr_time_t t, apr_pool_t *p);

/*
 * "41 s", "12 min", "5 h", "29 days": in the largest unit of which there are
 * two, rounded down. "0 s" for less than nothing.
 */
const char *acme_time_interval_text(apr_interval_time_t d, apr_pool_t *p);

/* RFC 3339, as in expires and in meta.json; 0 for any other text. */
apr_time_t acme_time_parse(const char *text);

/* t as RFC 3339 in UTC, in p: "2026-11-21T05:36:05Z". */
const char *acme_time_rfc3339(apr_time_t t, apr_pool_t *p);

#endif
