/*
 * acme_event.h - AcmeHook notify: an administrator's commands are run when
 * something happened. (docs/design.md, Hooks)
 */
#ifndef ACME_EVENT_H
#define ACME_EVENT_H

#include "acme_hook_event.h"
#include "acme_hook_run.h"
#include "acme_state.h"
#include "acme_store.h"

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
