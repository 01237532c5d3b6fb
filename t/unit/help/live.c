/*
 * live.c - see live.h.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_time.h"
#include "live.h"

const acme_window_t no_window;

acme_window_t window_of(const char *text)
{
    acme_window_t window = no_window;
    acme_result_t why;

    if (*text && acme_time_window_parse(&window, text, &why)) {
        fail_msg("%s", why.detail);
    }
    return window;
}

void make_live(acme_state_t *state, apr_interval_time_t life,
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

void set_window(acme_state_t *state, apr_time_t start, apr_time_t end,
                apr_time_t pick)
{
    state->window_start = start;
    state->window_end = end;
    state->pick = pick;
}
