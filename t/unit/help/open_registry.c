/*
 * open_registry.c - see open_registry.h.
 */
#include "open_registry.h"

int published;

void publish(void *baton, const acme_state_t *state)
{
    (void)baton;
    (void)state;
    published++;
}

acme_registry_t *open_registry(const acme_conf_t *conf)
{
    acme_registry_t *registry = apr_pcalloc(pool, sizeof(*registry));

    registry->conf = conf;
    registry->log = &test_log;
    registry->publish = publish;
    registry->store = open_store();
    acme_registry_open(registry, pool);
    return registry;
}

acme_journal_t *journal_of(const char *id)
{
    acme_journal_t *journal;

    assert_int_equal(acme_journal_load(&journal, open_store(), id, &res,
                                       pool), 0);
    return journal;
}

const char *last_event(const char *id)
{
    acme_journal_t *journal = journal_of(id);

    return journal->events->nelts
               ? APR_ARRAY_IDX(journal->events, journal->events->nelts - 1,
                               acme_journal_event_t)
                     .event
               : "none";
}
