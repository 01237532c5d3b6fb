/*
 * open_registry.c - see open_registry.h.
 */
#include <poll.h>

#include "acme_cert_reader.h"
#include "acme_key_maker.h"
#include "acme_registry_journals.h"
#include "open_registry.h"
#include "with_launcher.h"

int published;

static acme_registry_t *opened; /* NULL: none in this pool */

static apr_status_t forget_opened(void *unused)
{
    (void)unused;
    opened = NULL;
    return APR_SUCCESS;
}

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
    opened = acme_registry_create(&with, pool);
    apr_pool_cleanup_register(pool, NULL, forget_opened,
                              apr_pool_cleanup_null);
    return opened;
}

void wait_for_reading(void)
{
    struct pollfd fd = { acme_cert_reader_fd(), POLLIN, 0 };
    apr_interval_time_t took;

    assert_int_equal(poll(&fd, 1, 60 * 1000), 1);
    while (acme_cert_reader_step(&took, apr_time_now())) {
        continue;
    }
}

static void wait_for_key(void)
{
    struct pollfd fd = { acme_key_maker_fd(), POLLIN, 0 };

    assert_int_equal(poll(&fd, 1, 60 * 1000), 1);
    assert_true(acme_key_maker_step(apr_time_now()));
}

apr_status_t prepare_now(acme_pending_t **ppending, const char **pflags,
                         acme_registry_t *registry,
                         const acme_target_t *about)
{
    apr_status_t rv;

    acme_cert_reader_turn(1);
    while (rv = acme_install_pending_prepare(ppending, pflags, registry, about,
                                             &res, pool),
           APR_STATUS_IS_EAGAIN(rv) || rv == APR_EINPROGRESS) {
        if (rv == APR_EINPROGRESS) {
            wait_for_reading();
            continue;
        }
        wait_for_key();
    }
    return rv;
}

apr_status_t begin_install(acme_install_t **pone, acme_registry_t *registry,
                           acme_reload_t *reload, const acme_target_t *about,
                           const acme_issued_t *issued, acme_sync_t *sync,
                           acme_result_t *why)
{
    apr_status_t rv;

    acme_cert_reader_turn(1);
    while (rv = acme_install_begin(pone, registry, reload, about, issued, sync,
                                   why, pool),
           rv == APR_EINPROGRESS) {
        assert_null(*pone);
        wait_for_reading();
    }
    return rv;
}

acme_state_t *state_of(const acme_registry_t *registry, int i)
{
    return (acme_state_t *)acme_registry_state(registry, (apr_uint32_t)i);
}

acme_journal_t *journal_of(const char *id)
{
    acme_journal_t *journal;

    if (opened) {
        acme_registry_journals_write_all(opened, pool);
    }
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
