/*
 * acme_reload.h - one graceful reload for all certificates that finished, and
 * the checks that it must pass first. (docs/design.md, Activation)
 *
 * A reload re-reads the whole configuration, and an error in any file ends
 * the server. So one that we ask for is tried out before.
 */
#ifndef ACME_RELOAD_H
#define ACME_RELOAD_H

#include "acme_registry.h"
#include "acme_server.h"

typedef struct acme_reload_t acme_reload_t;

acme_reload_t *acme_reload_create(const acme_server_t *server,
                                  acme_registry_t *registry,
                                  acme_held_cb *held, void *baton,
                                  apr_pool_t *p);

/*
 * The certificate of state is live on disk and not yet served; the one that
 * is served ends at served_until (0: it is the placeholder). Replacing what
 * ends soon waits less long.
 */
void acme_reload_want(acme_reload_t *reload, const acme_state_t *state,
                      apr_time_t served_until, apr_time_t now);

/*
 * Do what is due. busy: something is under way that should end first. Returns
 * when to call again at the latest, 0: never.
 */
apr_time_t acme_reload_step(acme_reload_t *reload, int busy, apr_time_t now);

/* Call acme_reload_step() also when this is readable; -1: nothing runs. */
int acme_reload_fd(const acme_reload_t *reload);

#endif
