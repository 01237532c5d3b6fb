/*
 * acme_state_load.h - the state of a certificate, read from the store and
 * written into its journal.
 */
#ifndef ACME_STATE_LOAD_H
#define ACME_STATE_LOAD_H

#include "acme_journal.h"
#include "acme_state.h"
#include "acme_store.h"

/* The events of a dry run that ended, in the journal; kind is the reason. */
#define ACME_STATE_LOAD_DRY_RUN_PASSED "dry-run-passed"
#define ACME_STATE_LOAD_DRY_RUN_FAILED "dry-run-failed"

/*
 * Read the state of the certificate with this index in the configuration, which
 * has this journal. A live folder that cannot be read counts as missing; status
 * and res report that, and state is complete in any case.
 */
apr_status_t acme_state_load(acme_state_t *state, const acme_conf_t *conf,
                             apr_uint32_t index, acme_store_t *store,
                             const acme_journal_t *journal,
                             acme_result_t *res, apr_pool_t *p);

/* Set the members that are computed from the lists of the journal: recent,
   left_out, names_again_at, past and pasts. */
void acme_state_load_journal(acme_state_t *state,
                             const acme_journal_t *journal,
                             const acme_conf_t *conf,
                             const acme_cert_conf_t *cert, apr_time_t now);

/* Set the members of the journal that keep the state over a restart. Texts stay
   those of state, which lives as long as journal. */
void acme_state_load_to_journal(acme_journal_t *journal,
                                const acme_state_t *state);

/* What the journal calls a result of the self check, a literal. */
const char *acme_state_load_check_word(acme_check_e check);

#endif
