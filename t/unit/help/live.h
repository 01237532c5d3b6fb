/*
 * live.h - a live certificate's state, and times to talk about it.
 */
#ifndef LIVE_H
#define LIVE_H

#include "acme_state.h"
#include "pool.h"

#define SECONDS(n) apr_time_from_sec((apr_int64_t)(n))
#define MINUTES(n) SECONDS(60 * (n))
#define HOURS(n) SECONDS(3600 * (n))
#define DAYS(n) HOURS(24 * (n))
#define NOW SECONDS(1795239365)         /* 2026-11-21 05:36:05 */

#define CHANCE_MIN 0
#define CHANCE_MIDDLE 500
#define CHANCE_MAX 999

extern const acme_window_t no_window;

/* window "" is that of a configuration that says nothing. */
acme_window_t window_of(const char *text);

/* A good certificate that has cas CAs, warned of 10 % before its end. */
void make_live(acme_state_t *state, apr_interval_time_t life,
               apr_interval_time_t age, apr_uint32_t cas);

void set_window(acme_state_t *state, apr_time_t start, apr_time_t end,
                apr_time_t pick);

#endif
