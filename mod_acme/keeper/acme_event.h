/*
 * acme_event.h - AcmeHook: the administrator's commands are run on an event.
 * (docs/design.md, Commands)
 */
#ifndef ACME_EVENT_H
#define ACME_EVENT_H

#include "acme_hook_event.h"
#include "acme_hook_run.h"
#include "acme_state.h"
#include "acme_store.h"

/* The hooks of the configuration, to which events are sent. */
typedef struct acme_event_sink_t acme_event_sink_t;

/* All arguments live at least as long as p. */
acme_event_sink_t *acme_event_sink_create(const acme_conf_t *conf,
                                          const acme_store_t *store,
                                          acme_hook_runner_t *hooks,
                                          const acme_log_t *log,
                                          apr_pool_t *p);

/*
 * Start the hooks of the certificate that state belongs to, and return at
 * once. detail is a sentence for people. A hook that fails is logged. Without
 * hooks, or with sink NULL, nothing happens. p is for the call.
 */
void acme_event_send(acme_event_sink_t *sink, const acme_state_t *state,
                     acme_event_e event, const char *detail, apr_pool_t *p);

#endif
