/*
 * acme_history.h - what the limits of a CA count: written into the journal, and
 * read from it into the state.
 */
#ifndef ACME_HISTORY_H
#define ACME_HISTORY_H

#include "acme_journal.h"
#include "acme_message.h"

/*
 * Say of an event which order it is about: at which CA, what for, for which
 * names. state is how the certificate stood before; note of ORDERED.
 */
void acme_history_ordered(acme_journal_event_t *event,
                          const acme_msg_note_t *note, const acme_conf_t *conf,
                          const acme_state_t *state,
                          const acme_journal_t *journal, apr_pool_t *p);

/* The same of a challenge that failed on a name; of none: nothing is said. */
void acme_history_failed(acme_journal_event_t *event,
                         const acme_msg_note_t *note, const acme_conf_t *conf);

/* Fill past and pasts of the state. */
void acme_history_read(acme_state_t *state, const acme_journal_t *journal,
                       const acme_conf_t *conf, const acme_cert_conf_t *cert,
                       apr_time_t now);

#endif
