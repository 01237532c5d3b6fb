/*
 * acme_registry_change.c - a change of one state.
 */
#include "acme_registry_change.h"
#include "acme_registry_journals.h"
#include "acme_registry_revoked.h"
#include "acme_registry_table.h"
#include "acme_state_load.h"

#define NEXT_MAX apr_time_from_sec(2 * 24 * 3600)

acme_registry_change_t acme_registry_change_begin(acme_registry_t *registry,
                                                  apr_uint32_t cert,
                                                  apr_time_t now,
                                                  apr_pool_t *p)
{
    const acme_registry_change_t change = {
        .registry = registry,
        .conf = acme_registry_table_cert(registry, cert),
        .state = &registry->states[cert],
        .journal = acme_registry_journals_open(registry, cert, p),
        .now = now,
        .p = p
    };

    return change;
}

/* Write the state into the journal, and one event more (NULL: none). */
static void change_end(const acme_registry_change_t *change, const char *event,
                       const char *detail)
{
    acme_registry_revoked_record(change->registry, change->state->cert,
                                 change->now, change->p);
    acme_state_load_to_journal(change->journal, change->state);
    change->journal->digest = change->conf->settings;
    if (event) {
        acme_journal_add(change->journal, change->now, event, detail);
    }
    acme_state_load_journal(change->state, change->journal,
                            change->registry->conf, change->conf, change->now);
}

apr_status_t acme_registry_change_save(const acme_registry_change_t *change,
                                       const char *event, const char *detail)
{
    change_end(change, event, detail);
    return acme_registry_journals_save(change->registry, change->state->cert,
                                       change->journal, change->now,
                                       change->p);
}

void acme_registry_change_note(const acme_registry_change_t *change,
                               const char *event, const char *detail)
{
    acme_registry_t *registry = change->registry;
    const char *id = change->conf->id, *text;
    acme_result_t res;

    change_end(change, event, detail);
    if (acme_journal_text(&text, registry->store, id, change->journal, &res,
                          change->p)) {
        acme_log(registry->log, ACME_LOG_ERROR, id, "%s", res.detail);
        return;
    }
    acme_registry_journals_write_soon(registry, change->state->cert, text,
                                      change->now);
}

const char *acme_registry_change_detail(const acme_msg_note_t *note,
                                        apr_pool_t *p)
{
    return acme_text_clean(note->detail, ACME_DETAIL_SIZE - 1, p);
}

apr_time_t acme_registry_change_next_at(apr_time_t at, apr_time_t now)
{
    return at < now || at > now + NEXT_MAX ? now + NEXT_MAX : at;
}
