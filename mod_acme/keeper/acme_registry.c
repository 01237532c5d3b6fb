/*
 * acme_registry.c - the states of all certificates.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_registry.h"
#include "acme_live_mend.h"
#include "acme_registry_journals.h"
#include "acme_registry_table.h"
#include "acme_state_load.h"
#include "acme_take_over.h"
#include "acme_trials.h"

#define COMPLAIN_EVERY apr_time_from_sec(3600)

/* An administrator may copy a store while it is used. */
static void mend_live(const acme_registry_t *registry, apr_uint32_t cert,
                      apr_pool_t *p)
{
    const acme_cert_conf_t *conf = acme_registry_table_cert(registry, cert);
    const int live = registry->states[cert].live;
    acme_result_t res;
    const apr_status_t rv = acme_live_mend(registry->store, conf->id,
                                           live ? live : conf->served, &res,
                                           p);

    if (rv != APR_SUCCESS || res.detail[0]) {
        acme_log(registry->log, rv == APR_SUCCESS ? ACME_LOG_WARNING
                                                  : ACME_LOG_ERROR,
                 conf->id, "%s", res.detail);
    }
}

void acme_registry_refresh(acme_registry_t *registry, apr_uint32_t cert,
                           apr_pool_t *p)
{
    acme_state_t *state = &registry->states[cert];
    const int ordering = state->ordering, live = state->live;
    const acme_look_up_e look_up = state->look_up;
    const apr_uint32_t look_up_ca = state->look_up_ca;
    const acme_not_live_e not_live = state->not_live;
    const apr_time_t since = state->ordering_since, check_at = state->check_at;
    const apr_time_t rehearse_at = state->rehearse_at;
    const apr_uint32_t rehearse_fully = state->rehearse_fully;
    const apr_time_t dry_run_at = state->dry_run_at;
    char dry_run_detail[ACME_DRY_RUN_DETAIL_SIZE];
    const acme_hooks_failing_t post = state->post, deploy = state->deploy,
                               notify = state->notify;
    const apr_time_t next_key_made = state->next_key_made;
    const apr_time_t next_key_from = state->next_key_from;
    char export_failure[ACME_DETAIL_SIZE];
    acme_result_t res;

    memcpy(export_failure, state->export_failure, sizeof(export_failure));
    memcpy(dry_run_detail, state->dry_run_detail, sizeof(dry_run_detail));
    mend_live(registry, cert, p);
    if (acme_state_load(state, registry->conf, cert, registry->store,
                        acme_registry_journals_open(registry, cert, p), &res,
                        p)) {
        acme_log(registry->log, ACME_LOG_ERROR,
                 acme_registry_table_cert(registry, cert)->id, "%s",
                 res.detail);
    }
    state->ordering = ordering;
    state->ordering_since = since;
    state->look_up = look_up;   /* an order may end before the witness asks */
    state->look_up_ca = look_up_ca;
    if (state->live == live) {
        state->not_live = not_live;
    }
    if (check_at) {
        state->check_at = check_at;     /* the load is the same */
    }
    state->rehearse_at = rehearse_at;
    state->rehearse_fully = rehearse_fully;
    if (dry_run_at && state->dry_run == ACME_DRY_RUN_UNDER_WAY) {
        state->dry_run_at = dry_run_at;
        memcpy(state->dry_run_detail, dry_run_detail, sizeof(dry_run_detail));
    }
    state->post = post;
    state->deploy = deploy;
    state->notify = notify;
    state->next_key_made = next_key_made;
    state->next_key_from = next_key_from;
    memcpy(state->export_failure, export_failure, sizeof(export_failure));
    acme_registry_table_publish(registry, cert);
}

static void set_failing(acme_registry_t *registry, apr_uint32_t cert,
                        acme_hooks_failing_t *place,
                        const acme_hooks_failing_t *failing)
{
    if (memcmp(place, failing, sizeof(*place)) != 0) {
        *place = *failing;
        acme_registry_table_publish(registry, cert);
    }
}

static void notify_failing(void *baton, apr_uint32_t cert,
                           const acme_hooks_failing_t *failing)
{
    acme_registry_t *registry = baton;

    set_failing(registry, cert, &registry->states[cert].notify, failing);
}

acme_registry_t *acme_registry_create(const acme_registry_conf_t *conf,
                                      apr_pool_t *p)
{
    const apr_uint32_t n = (apr_uint32_t)conf->conf->certs->nelts;
    acme_registry_t *registry = apr_pcalloc(p, sizeof(*registry));
    apr_pool_t *scratch;
    apr_uint32_t i;

    registry->with = *conf;
    registry->conf = conf->conf;
    registry->store = conf->store;
    registry->log = conf->log;
    registry->states = apr_pcalloc(p, (n + 1) * sizeof(*registry->states));
    registry->warned = apr_pcalloc(p, (n + 1) * sizeof(*registry->warned));
    registry->complained =
        apr_pcalloc(p, (n + 1) * sizeof(*registry->complained));
    registry->reloads = apr_pcalloc(p, n + 1);
    registry->rehearsals =
        apr_pcalloc(p, (n + 1) * sizeof(*registry->rehearsals));
    registry->noted = apr_pcalloc(p, (n + 1) * sizeof(*registry->noted));
    registry->none_revoked = apr_pcalloc(p, n + 1);
    registry->p = p;
    registry->ordering = apr_pcalloc(p, n + 1);
    registry->changes_max = 2 * (n + 1);
    registry->changes =
        apr_palloc(p, registry->changes_max * sizeof(*registry->changes));
    apr_pool_create(&scratch, p);
    acme_trials_recall(registry->store);
    for (i = 0; i < n; i++) {
        acme_take_over(&APR_ARRAY_IDX(conf->conf->certs, i, acme_cert_conf_t),
                       conf->store, conf->log, scratch);
        acme_registry_refresh(registry, i, scratch);
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
    acme_trials_release();
    acme_event_watch(registry->with.events, notify_failing, registry);
    return registry;
}

const acme_conf_t *acme_registry_conf(const acme_registry_t *registry)
{
    return registry->conf;
}

acme_store_t *acme_registry_store(const acme_registry_t *registry)
{
    return registry->store;
}

const acme_log_t *acme_registry_log(const acme_registry_t *registry)
{
    return registry->log;
}

const acme_state_t *acme_registry_state(const acme_registry_t *registry,
                                        apr_uint32_t cert)
{
    return &registry->states[cert];
}

const acme_state_t *acme_registry_next_change(const acme_registry_t *registry,
                                              apr_uint64_t change)
{
    apr_uint32_t first = 0, end = registry->nchanges;

    while (first < end) {       /* the first after change */
        const apr_uint32_t middle = first + (end - first) / 2;

        if (registry->changes[middle].change > change) {
            end = middle;
        }
        else {
            first = middle + 1;
        }
    }
    while (first < registry->nchanges
           && !acme_registry_table_is_latest(registry,
                                             &registry->changes[first])) {
        first++;
    }
    return first < registry->nchanges
        ? &registry->states[registry->changes[first].cert] : NULL;
}

apr_uint64_t acme_registry_last_change(const acme_registry_t *registry)
{
    return registry->change;
}

int acme_registry_look_up(acme_registry_t *registry, apr_uint32_t cert,
                          acme_look_up_e look_up, apr_uint32_t ca)
{
    acme_state_t *state = &registry->states[cert];

    if (state->look_up) {
        return 0;
    }
    state->look_up = look_up;
    state->look_up_ca = ca;
    acme_registry_table_publish(registry, cert);
    return 1;
}

int acme_registry_may_complain(acme_registry_t *registry, apr_uint32_t cert,
                               apr_time_t now)
{
    const apr_time_t last = registry->complained[cert];

    if (last && last <= now && now - last < COMPLAIN_EVERY) {
        return 0;
    }
    registry->complained[cert] = now;
    return 1;
}

void acme_registry_send_event(acme_registry_t *registry, apr_uint32_t cert,
                              acme_event_e event, const char *detail,
                              apr_pool_t *p)
{
    acme_event_send(registry->with.events, &registry->states[cert], event,
                    detail, p);
}

void acme_registry_deploy_failing(acme_registry_t *registry,
                                  apr_uint32_t cert,
                                  const acme_hooks_failing_t *failing)
{
    set_failing(registry, cert, &registry->states[cert].deploy, failing);
}

void acme_registry_post_failing(acme_registry_t *registry, apr_uint32_t cert,
                                const acme_hooks_failing_t *failing)
{
    set_failing(registry, cert, &registry->states[cert].post, failing);
}

void acme_registry_looked_up(acme_registry_t *registry, apr_uint32_t cert)
{
    registry->states[cert].look_up = ACME_LOOK_UP_NOTHING;
    acme_registry_table_publish(registry, cert);
}

void acme_registry_exported(acme_registry_t *registry, apr_uint32_t cert,
                            const char *failure)
{
    acme_state_t *state = &registry->states[cert];

    apr_cpystrn(state->export_failure, failure,
                sizeof(state->export_failure));
    acme_registry_table_publish(registry, cert);
}

void acme_registry_next_keys(acme_registry_t *registry, apr_uint32_t cert,
                             apr_time_t made)
{
    const acme_cert_conf_t *conf = acme_conf_cert(registry->with.conf, cert);
    acme_state_t *state = &registry->states[cert];

    if (state->next_key_made != made) {
        state->next_key_made = made;
        state->next_key_from = made ? made + conf->next_key_age : 0;
        acme_registry_table_publish(registry, cert);
    }
}
