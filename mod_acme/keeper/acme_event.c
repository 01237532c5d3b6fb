/*
 * acme_event.c - AcmeHook notify.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_hook_run.h"
#include "acme_event.h"

static const char *const words[] = {
    "installed", "failed", "expiring", "revoked", "window-moved",
    "terms-changed", "stuck"
};

/* It wrote what it had to say to the log, and a failure of it is there too. */
static void ended(void *baton, apr_status_t status, const acme_result_t *res,
                  const char *output)
{
    const acme_registry_t *registry = baton;

    (void)output;
    if (status != APR_SUCCESS) {
        acme_log(registry->log, ACME_LOG_WARNING, "notify", "%s", res->detail);
    }
}

static void describe(acme_hook_event_t *event, const acme_registry_t *registry,
                     const acme_cert_conf_t *cert, const acme_state_t *state,
                     apr_pool_t *p)
{
    event->id = cert->id;
    event->names = cert->names;
    event->problem = state->problem;
    if (state->live) {
        event->live = acme_store_path(registry->store, "live", cert->id, p);
        event->cert =
            acme_store_live(registry->store, cert->id, "cert.pem", p);
        event->chain =
            acme_store_live(registry->store, cert->id, "chain.pem", p);
        event->fullchain =
            acme_store_live(registry->store, cert->id, "fullchain.pem", p);
        event->privkey =
            acme_store_live(registry->store, cert->id, "privkey.pem", p);
        event->not_after = state->not_after;
    }
}

void acme_event_send(acme_registry_t *registry, apr_uint32_t cert,
                     acme_event_e what, const char *detail, apr_pool_t *p)
{
    const acme_cert_conf_t *conf = acme_conf_cert(registry->conf, cert);
    acme_hook_event_t event = { NULL };
    acme_hook_t hook = { NULL };
    int i;

    if (!registry->hooks || !conf->hooks) {
        return;
    }
    describe(&event, registry, conf, &registry->states[cert], p);
    event.event = words[what];
    event.detail = detail;
    hook.event = &event;
    hook.timeout = conf->hook_timeout;
    hook.outlives = 1;
    hook.done = ended;
    hook.baton = registry;
    for (i = 0; i < conf->hooks->nelts; i++) {
        hook.command = APR_ARRAY_IDX(conf->hooks, i, acme_hook_conf_t).command;
        acme_hook_run_start(registry->hooks, &hook);
    }
}
