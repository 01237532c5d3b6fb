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

static const acme_window_t no_window;

/* window "" is that of a configuration that says nothing. */
static inline acme_window_t window_of(const char *text)
{
    acme_window_t window = no_window;
    acme_result_t res;

    if (*text && acme_time_window_parse(&window, text, &res)) {
        fail_msg("%s", res.detail);
    }
    return window;
}

/* A good certificate that has cas CAs, warned of 10 % before its end. */
static inline void make_live(acme_state_t *state, apr_interval_time_t life,
                      apr_interval_time_t age, apr_uint32_t cas)
{
    memset(state, 0, sizeof(*state));
    state->agreed = state->live = state->covers = 1;
    state->not_before = NOW - age;
    state->installed = state->not_before;
    state->not_after = state->not_before + life;
    state->warn = window_of("10%");
    state->use_renewal_info = 1;
    state->cas = cas;
    apr_cpystrn(state->serial, "04deadbeef", sizeof(state->serial));
    apr_cpystrn(state->cert_id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE",
                sizeof(state->cert_id));
}

static inline void set_window(acme_state_t *state, apr_time_t start, apr_time_t end,
                       apr_time_t pick)
{
    state->window_start = start;
    state->window_end = end;
    state->pick = pick;
}

#endif
