/*
 * open_registry.h - what the keeper's floor works on: the registry of a
 * configuration, its store, and a log that can be read.
 */
#ifndef OPEN_REGISTRY_H
#define OPEN_REGISTRY_H

#include "acme_install.h"
#include "acme_install_pending.h"
#include "acme_journal.h"
#include "acme_registry.h"
#include "log_file.h"
#include "make_conf.h"
#include "open_store.h"

extern int published;           /* how often publish() was called */

void publish(void *baton, const acme_state_t *state);

/* The registry as a keeper has it that started now. */
acme_registry_t *open_registry(const acme_conf_t *conf);

/* acme_install_pending_prepare(), and the wait for a key that another process
   makes. */
apr_status_t prepare_now(acme_pending_t **ppending, const char **pflags,
                         acme_registry_t *registry,
                         const acme_target_t *about);

/* The answers of acme_cert_reader_ask() that are under way. */
void wait_for_reading(void);

/* acme_install_begin(), and again when what it asked has been read. */
apr_status_t begin_install(acme_install_t **pone, acme_registry_t *registry,
                           acme_reload_t *reload, const acme_target_t *about,
                           const acme_issued_t *issued, acme_sync_t *sync,
                           acme_result_t *why);

/* A test may change what only the registry changes otherwise. */
acme_state_t *state_of(const acme_registry_t *registry, int i);

/* On disk: what the registry opened last keeps back is written before. */
acme_journal_t *journal_of(const char *id);
const char *last_event(const char *id);

#endif
