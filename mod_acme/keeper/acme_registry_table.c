/*
 * acme_registry_table.c - the table of states, and their changes.
 */
#include "acme_registry_table.h"

const acme_cert_conf_t *acme_registry_table_cert(
    const acme_registry_t *registry, apr_uint32_t cert)
{
    return acme_conf_cert(registry->conf, cert);
}

int acme_registry_table_is_latest(const acme_registry_t *registry,
                                  const acme_registry_change_row_t *row)
{
    return registry->states[row->cert].change == row->change;
}

/* There is room for two of each: that takes one step a change in the mean. */
static void drop_changes(acme_registry_t *registry)
{
    apr_uint32_t i, kept = 0;

    for (i = 0; i < registry->nchanges; i++) {
        if (acme_registry_table_is_latest(registry, &registry->changes[i])) {
            registry->changes[kept++] = registry->changes[i];
        }
    }
    registry->nchanges = kept;
}

void acme_registry_table_publish(acme_registry_t *registry, apr_uint32_t cert)
{
    acme_state_t *state = &registry->states[cert];
    const char is_ordering = state->ordering != 0;

    registry->orders += is_ordering - registry->ordering[cert];
    registry->ordering[cert] = is_ordering;
    state->change = ++registry->change;
    if (registry->nchanges == registry->changes_max) {
        drop_changes(registry);
    }
    registry->changes[registry->nchanges++] =
        (acme_registry_change_row_t){ .change = state->change, .cert = cert };
    registry->with.publish(registry->with.publish_baton, state);
}
