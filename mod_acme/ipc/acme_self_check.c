/*
 * acme_self_check.c - when httpd is visited, and what follows from it.
 */
#include <string.h>

#include "acme_self_check.h"

#define HOUR apr_time_from_sec(3600)
#define DAY apr_time_from_sec(24 * 3600)

/* Its time of day, the next time. */
static apr_time_t next_daily(const char *id, apr_time_t now)
{
    apr_uint32_t phase = 5381;
    apr_time_t since;

    while (*id) {
        phase = phase * 33 + (unsigned char)*id++;
    }
    since = (now - apr_time_from_sec(phase % (24 * 3600))) % DAY;
    return now + DAY - since;
}

apr_time_t acme_self_check_first_at(const acme_self_check_past_t *past,
                                    apr_time_t now)
{
    if (past->check == ACME_CHECK_SERVED
        || (past->is_first && past->installed + HOUR <= now)) {
        return next_daily(past->id, now);
    }
    return now;
}

apr_time_t acme_self_check_next_at(const char *id, acme_check_e check,
                                   apr_uint32_t tries, apr_time_t now)
{
    static const apr_interval_time_t waits[] = {
        apr_time_from_sec(60), apr_time_from_sec(600), apr_time_from_sec(6000)
    };

    if (check == ACME_CHECK_SERVED || !tries
        || tries > sizeof(waits) / sizeof(*waits)) {
        return next_daily(id, now);
    }
    return now + waits[tries - 1];
}

int acme_self_check_is_due(const acme_state_t *state, apr_time_t now)
{
    return state->live && state->live == state->served
        && state->instead != ACME_INSTEAD_STAND_IN
        && state->check_at && state->check_at <= now;
}

int acme_self_check_can_reload(const acme_state_t *state, const char *reloaded,
                               int is_ours)
{
    return is_ours && state->check == ACME_CHECK_OTHER
        && state->instead == ACME_INSTEAD_NOTHING
        && strcmp(reloaded, state->serial) != 0;
}

int acme_self_check_may_reload(const acme_state_t *states, apr_uint32_t count,
                               apr_uint32_t cert, apr_time_t now)
{
    apr_uint32_t i;

    for (i = 0; i < count; i++) {
        const acme_state_t *state = &states[i];

        if (i != cert && state->check == ACME_CHECK_OTHER
            && state->check_reloaded) {
            return 0;
        }
        if (state->check_reload_at && state->check_reload_at <= now
            && now - state->check_reload_at < HOUR) {
            return 0;
        }
    }
    return 1;
}
