/*
 * open_registry.c - see open_registry.h.
 */
#include "open_registry.h"
#include "with_launcher.h"

int published;

void publish(void *baton, const acme_state_t *state)
{
    (void)baton;
    (void)state;
    published++;
}

acme_registry_t *open_registry(const acme_conf_t *conf)
{
    const acme_registry_conf_t with = { .conf = conf,
                                        .store = open_store(),
                                        .log = &test_log,
                                        .publish = publish };

    if (acme_launcher_is_gone()) {
        with_launcher(NULL);
    }
    return acme_registry_create(&with, pool);
}

acme_state_t *state_of(const acme_registry_t *registry, int i)
{
    return (acme_state_t *)acme_registry_state(registry, (apr_uint32_t)i);
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
