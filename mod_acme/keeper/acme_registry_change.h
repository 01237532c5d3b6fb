/*
 * acme_registry_change.h - a change of one state, written into its journal.
 * For the files acme_registry*.c alone.
 *
 * It is made between acme_registry_change_begin() and one of _save() and
 * _note(), and published by the caller. (acme_registry_table.h)
 */
#ifndef ACME_REGISTRY_CHANGE_H
#define ACME_REGISTRY_CHANGE_H

#include "acme_journal.h"
#include "acme_registry_types.h"

typedef struct {
    acme_registry_t *registry;
    const acme_cert_conf_t *conf;
    acme_state_t *state;
    acme_journal_t *journal;
    apr_time_t now;
    apr_pool_t *p;
} acme_registry_change_t;

acme_registry_change_t acme_registry_change_begin(acme_registry_t *registry,
                                                  apr_uint32_t cert,
                                                  apr_time_t now,
                                                  apr_pool_t *p);

/*
 * Write the state into the journal, and one event more (NULL: none). It is on
 * disk on return: a request, or what would be done once more. A failure is
 * logged, and it is tried again then.
 */
apr_status_t acme_registry_change_save(const acme_registry_change_t *change,
                                       const char *event, const char *detail);

/* The same, and it will be on disk soon: a crash costs no order by it. */
void acme_registry_change_note(const acme_registry_change_t *change,
                               const char *event, const char *detail);

/* The worker's sentence: one line, no control characters, bounded. */
const char *acme_registry_change_detail(const acme_msg_note_t *note,
                                        apr_pool_t *p);

/* The worker's time of the next attempt, at most two days from now. */
apr_time_t acme_registry_change_next_at(apr_time_t at, apr_time_t now);

#endif
