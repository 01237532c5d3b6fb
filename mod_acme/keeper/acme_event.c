/*
 * acme_event.c - AcmeHook notify.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_hook_run.h"
#include "acme_event.h"

#define WORD(name, word) word,
static const char *const words[ACME_EVENTS] = { ACME_HOOK_EVENTS(WORD) };

struct acme_event_sink_t {
    const acme_conf_t *conf;
    const acme_store_t *store;
    acme_hook_runner_t *hooks;
    const acme_log_t *log;
};

acme_event_sink_t *acme_event_sink_create(const acme_conf_t *conf,
                                          const acme_store_t *store,
                                          acme_hook_runner_t *hooks,
                                          const acme_log_t *log, apr_pool_t *p)
{
    acme_event_sink_t *sink = apr_pcalloc(p, sizeof(*sink));

    sink->conf = conf;
    sink->store = store;
    sink->hooks = hooks;
    sink->log = log;
    return sink;
}

/* The output is in the log already; a failure is logged here. */
static void hook_ended(void *baton, apr_status_t status,
                       const acme_result_t *res, const char *output)
{
    const acme_event_sink_t *sink = baton;

    (void)output;
    if (status != APR_SUCCESS) {
        acme_log(sink->log, ACME_LOG_WARNING, "notify", "%s", res->detail);
    }
}

void acme_event_send(acme_event_sink_t *sink, const acme_state_t *state,
                     acme_event_e event, const char *detail, apr_pool_t *p)
{
    acme_hook_event_t fields = { NULL };
    acme_hook_t hook = { NULL };
    const acme_cert_conf_t *cert;
    int i;

    if (!sink) {
        return;
    }
    cert = acme_conf_cert(sink->conf, state->cert);
    if (!cert->hooks) {
        return;
    }
    fields.event = words[event];
    fields.id = cert->id;
    fields.names = cert->names;
    fields.problem = state->problem;
    fields.detail = detail;
    if (state->live) {
        fields.live = acme_store_path(sink->store, "live", cert->id, p);
        fields.cert = acme_store_live(sink->store, cert->id, "cert.pem", p);
        fields.chain = acme_store_live(sink->store, cert->id, "chain.pem", p);
        fields.fullchain =
            acme_store_live(sink->store, cert->id, "fullchain.pem", p);
        fields.privkey =
            acme_store_live(sink->store, cert->id, "privkey.pem", p);
        fields.not_after = state->not_after;
    }

    hook.event = &fields;
    hook.timeout = cert->hook_timeout;
    hook.outlives = 1;
    hook.done = hook_ended;
    hook.baton = sink;
    for (i = 0; i < cert->hooks->nelts; i++) {
        hook.command = APR_ARRAY_IDX(cert->hooks, i, acme_hook_conf_t).command;
        acme_hook_run_start(sink->hooks, &hook);
    }
}
