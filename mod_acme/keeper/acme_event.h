/*
 * acme_event.h - AcmeHook notify: the administrator's commands are run on an
 * event. (docs/design.md, Commands)
 *
 * An event that a command did not deliver is kept in the store
 * (acme_undelivered_file.h), the newest of each kind of a certificate, and
 * tried again for three days.
 */
#ifndef ACME_EVENT_H
#define ACME_EVENT_H

#include "acme_hook_event.h"
#include "acme_hook_run.h"
#include "acme_state.h"
#include "acme_store.h"

/* The hooks of the configuration, to which events are sent. */
typedef struct acme_event_sink_t acme_event_sink_t;

/* All arguments live at least as long as p. What was not delivered before is
   read from the store. */
acme_event_sink_t *acme_event_sink_create(const acme_conf_t *conf,
                                          acme_store_t *store,
                                          acme_hook_runner_t *hooks,
                                          const acme_log_t *log,
                                          apr_pool_t *p);

/* Which events of a certificate could not be delivered. */
typedef void acme_event_failing_cb(void *baton, apr_uint32_t cert,
                                   const acme_hooks_failing_t *failing);

/* Call failing with baton now, for each certificate that has some, and with
   each change. sink may be NULL. */
void acme_event_watch(acme_event_sink_t *sink, acme_event_failing_cb *failing,
                      void *baton);

/*
 * Start the hooks of the certificate that state belongs to, and return at once.
 * detail is a sentence for people. A hook that fails is logged, and is run
 * again, unless the event happens again meanwhile. Without hooks,
 * or with sink NULL, nothing happens. p is for the call, here and below.
 *
 * They start later when many commands run, or when the same event came often:
 * one that waits is replaced by its equal, so that the last one of each is
 * never lost and their number is bounded by the configuration.
 */
void acme_event_send(acme_event_sink_t *sink, const acme_state_t *state,
                     acme_event_e event, const char *detail, apr_pool_t *p);

/* Start what waits and may start. To be called after acme_hook_run_step(), and
   at the time of acme_event_wake(); 0: nothing waits for a time. */
void acme_event_step(acme_event_sink_t *sink, apr_time_t now, apr_pool_t *p);
apr_time_t acme_event_wake(const acme_event_sink_t *sink, apr_time_t now);

/* The keeper ends, and may be killed any moment: save what is not delivered,
   and start all that waits for a place, as many as may run. The next keeper
   delivers the others, and once more, after their timeout, those whose end
   nobody heard. */
void acme_event_flush(acme_event_sink_t *sink, apr_time_t now, apr_pool_t *p);

#endif
