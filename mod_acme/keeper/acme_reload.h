/*
 * acme_reload.h - one graceful reload for all certificates that finished, and
 * the checks that it must pass first. (docs/design.md, Activation)
 *
 * A reload reads the whole configuration again, and an error in any file ends
 * the server. So each reload that the keeper requests is tested first.
 */
#ifndef ACME_RELOAD_H
#define ACME_RELOAD_H

#include "acme_activate.h"
#include "acme_registry.h"
#include "acme_server.h"

typedef struct acme_reload_t acme_reload_t;

/*
 * server and registry live at least as long as p. held is called with baton
 * whenever the reason changes why the reload is postponed.
 */
acme_reload_t *acme_reload_create(const acme_server_t *server,
                                  acme_registry_t *registry,
                                  acme_held_cb *held, void *baton,
                                  apr_pool_t *p);

/*
 * From now on certificates are first offered to running workers. activate lives
 * at least as long as reload.
 */
void acme_reload_use_live(acme_reload_t *reload, acme_activate_t *activate);

/*
 * Schedule a reload for the certificate of state, which is live on disk and
 * not yet served; no reload where running workers can be given it. Of one that
 * they were given, as visitors get another one, that failed. The one that is served expires at served_until (0: it is the
 * placeholder); the sooner, the shorter the wait for other certificates. In the
 * place of the placeholder it waits for those only that are being ordered. With
 * AcmeActivate none a line is logged instead.
 */
void acme_reload_schedule(acme_reload_t *reload, const acme_state_t *state,
                          apr_time_t served_until, apr_time_t now);

/*
 * When the keeper begins: the same for each certificate that is live already,
 * and not served. A reload that was for these alone, and did not help, is
 * repeated after ever longer times, up to a day.
 */
void acme_reload_resume(acme_reload_t *reload, apr_time_t now);

/*
 * Test the configuration and signal httpd when that is due at now. busy: an
 * order or a DNS command is under way that should end first. Returns when to
 * call again at the latest, 0: not before acme_reload_schedule().
 */
apr_time_t acme_reload_step(acme_reload_t *reload, int busy, apr_time_t now);

/* Call acme_reload_step() also when this is readable; -1: no job runs. */
int acme_reload_fd(const acme_reload_t *reload);

/* Is the next reload postponed, and are certificates waiting for it? */
int acme_reload_is_held(const acme_reload_t *reload);

#endif
