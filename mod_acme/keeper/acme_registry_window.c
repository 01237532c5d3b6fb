/*
 * acme_registry_window.c - renewal information of the CA (RFC 9773).
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_registry_window.h"
#include "acme_registry_change.h"
#include "acme_registry_table.h"

/* A new window: the time in it is drawn once, and kept. */
static void set_window(acme_registry_t *registry, acme_state_t *state,
                       const acme_msg_window_t *window, apr_pool_t *p)
{
    const char *id = acme_registry_table_cert(registry, state->cert)->id;
    const int earlier = state->pick && window->end < state->window_start;

    apr_cpystrn(state->explanation,
                acme_text_clean(window->explanation,
                                sizeof(state->explanation) - 1, p),
                sizeof(state->explanation));
    if (window->start == state->window_start
        && window->end == state->window_end && state->pick) {
        return;
    }
    state->window_start = window->start;
    state->window_end = window->end;
    state->pick = window->pick >= window->start && window->pick < window->end
        ? window->pick : window->start;
    acme_log(registry->log, ACME_LOG_NOTICE, id,
             "renewal info: the CA suggests %s to %s; renewal at %s%s%s",
             acme_time_text(window->start, p), acme_time_text(window->end, p),
             acme_time_text(state->pick, p),
             state->explanation[0] ? ", because: " : "", state->explanation);
    if (earlier) {
        acme_event_send(registry->with.events, state, ACME_EVENT_WINDOW_MOVED,
                        state->explanation, p);
    }
}

void acme_registry_window_suggested(acme_registry_t *registry,
                                    const acme_msg_window_t *window,
                                    apr_time_t now, apr_pool_t *p)
{
    const apr_uint32_t cert = window->about.cert;
    acme_state_t *state = &registry->states[cert];
    acme_registry_change_t change;

    if (!state->live || strcmp(window->cert_id, state->cert_id) != 0) {
        return; /* the certificate was replaced meanwhile */
    }
    if (window->start > 0 && window->start < window->end) {
        set_window(registry, state, window, p);
    }
    if (window->revoked && !state->revoked) {
        acme_log(
            registry->log, ACME_LOG_ERROR,
            acme_registry_table_cert(registry, cert)->id,
            "revoked: the CA revoked the certificate; a new one is ordered now");
        state->revoked = 1;
        acme_event_send(registry->with.events, state, ACME_EVENT_REVOKED,
                        "the CA revoked the certificate", p);
    }
    state->ask_failures = window->failures;
    state->ask_at = acme_registry_change_next_at(window->ask_at, now);
    change = acme_registry_change_begin(registry, cert, now, p);
    if (state->revoked) {
        acme_registry_change_save(&change, NULL, NULL);
    }
    else {
        acme_registry_change_note(&change, NULL, NULL);
    }
    acme_registry_table_publish(registry, cert);
}
