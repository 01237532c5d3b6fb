/*
 * acme_state_load.h - how a certificate stands, read from the store and
 * written into its journal.
 */
#ifndef ACME_STATE_LOAD_H
#define ACME_STATE_LOAD_H

#include "acme_journal.h"
#include "acme_state.h"
#include "acme_store.h"

/*
 * Read how a certificate stands from the store. A damaged journal is set aside
 * and a live folder that can't be read is treated as missing; the status and
 * res tell of it, and state is whole in any case.
 */
apr_status_t acme_state_load(acme_state_t *state, const acme_conf_t *conf,
                             apr_uint32_t index, acme_store_t *store,
                             acme_result_t *res, apr_pool_t *p);

/* What only the journal's lists tell: how many names are left out, ... */
void acme_state_load_journal(acme_state_t *state,
                             const acme_journal_t *journal,
                             const acme_conf_t *conf,
                             const acme_cert_conf_t *cert, apr_time_t now);

/* What is remembered of it over restarts. */
void acme_state_load_to_journal(acme_journal_t *journal,
                           const acme_state_t *state);

#endif
