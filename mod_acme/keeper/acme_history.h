/*
 * acme_history.h - the orders, certificates and failures that the rate limits
 * of a CA count: written into the journal, and read from it into the state.
 */
#ifndef ACME_HISTORY_H
#define ACME_HISTORY_H

#include "acme_journal.h"
#include "acme_message.h"

/*
 * Complete an event of the journal that note (ORDERED or RESUMED) caused: the
 * CA, the kind of order, a hash of the names that are ordered. state is as it
 * was before the order. Texts of event are in p or in conf.
 */
void acme_history_ordered(acme_journal_event_t *event,
                          const acme_msg_note_t *note, const acme_conf_t *conf,
                          const acme_state_t *state,
                          const acme_journal_t *journal, apr_pool_t *p);

/* The same of a failed challenge: the CA and the name. A note without a name or
   a challenge leaves event as it is. */
void acme_history_failed(acme_journal_event_t *event,
                         const acme_msg_note_t *note, const acme_conf_t *conf);

/* Fill past and pasts of the state: at most ACME_HISTORY_MAX of each kind. */
void acme_history_read(acme_state_t *state, const acme_journal_t *journal,
                       const acme_conf_t *conf, const acme_cert_conf_t *cert,
                       apr_time_t now);

#endif
