/*
 * acme_event.h - AcmeHook notify: an administrator's commands are run when
 * something happened. (docs/design.md, Hooks)
 */
#ifndef ACME_EVENT_H
#define ACME_EVENT_H

#include "acme_hook_run.h"
#include "acme_state.h"
#include "acme_store.h"

typedef enum {
    ACME_EVENT_INSTALLED,
    ACME_EVENT_FAILED,
    ACME_EVENT_EXPIRING, /* a failure within the warn window */
    ACME_EVENT_REVOKED,
    ACME_EVENT_WINDOW_MOVED, /* the CA wants it renewed earlier */
    ACME_EVENT_TERMS_CHANGED,
    ACME_EVENT_STUCK, /* waits for the administrator */
    ACME_EVENTS
} acme_event_e;

/* Where events go: the hooks of the configuration. */
typedef struct acme_event_sink_t acme_event_sink_t;

/* All that is given lives as long as p. */
acme_event_sink_t *acme_event_sink_create(const acme_conf_t *conf,
                                          const acme_store_t *store,
                                          acme_hook_runner_t *hooks,
                                          const acme_log_t *log,
                                          apr_pool_t *p);

/*
 * Start the hooks of the certificate that state is of; returns at once.
 * detail: a sentence. Without hooks, or with sink NULL, nothing happens.
 */
void acme_event_send(acme_event_sink_t *sink, const acme_state_t *state,
                     acme_event_e event, const char *detail, apr_pool_t *p);

#endif
