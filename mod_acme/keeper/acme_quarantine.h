/*
 * acme_quarantine.h - which names of a certificate are ordered: all, but for one
 * that keeps failing and would take the others down with it.
 */
#ifndef ACME_QUARANTINE_H
#define ACME_QUARANTINE_H

#include "acme_journal.h"
#include "acme_state.h"

/* const char *: those to be ordered now, in the order of the configuration. */
apr_array_header_t *acme_quarantine_names(const acme_cert_conf_t *cert,
                                          const acme_journal_t *journal,
                                          apr_time_t now, apr_pool_t *p);

/* An octet of flags (acme_message.h) for each configured name. */
const char *acme_quarantine_flags(const acme_cert_conf_t *cert,
                                  const acme_journal_t *journal,
                                  apr_time_t now, apr_pool_t *p);

/* How many names are left out, and when one of them is tried again. */
apr_uint32_t acme_quarantine_left_out(apr_time_t *pagain_at,
                                      const acme_cert_conf_t *cert,
                                      const acme_journal_t *journal);

typedef enum {
    ACME_BLAME_NOTED,
    ACME_BLAME_LEFT_OUT,        /* from now on */
    ACME_BLAME_STILL_OUT        /* it was tried again and failed again */
} acme_blame_e;

/* Why an order failed: because of this name, which is configured. */
typedef struct {
    const char *name;
    apr_uint32_t challenge;     /* that failed, or ACME_CHALLENGES */
    int is_lasting;             /* the CA says that it never issues for it */
} acme_fault_t;

/*
 * A name is left out after some failures in a row, or a lasting one, when the
 * others wait for their first certificate, or when the one that they have
 * comes to its end. The last one that is left never is.
 */
acme_blame_e acme_quarantine_blame(acme_journal_t *journal,
                                   const acme_fault_t *fault,
                                   const acme_cert_conf_t *cert,
                                   const acme_state_t *state, apr_time_t now);

/* Those that are left out are tried with the next order. */
void acme_quarantine_try_all(acme_journal_t *journal, apr_time_t now);

/* A type of challenge failed on a name; that is all that is remembered. */
void acme_quarantine_challenge(acme_journal_t *journal, const char *name,
                               apr_uint32_t challenge,
                               const acme_cert_conf_t *cert, apr_time_t now);

/*
 * These have a certificate: whatever failed before is forgotten, but for the
 * challenges that don't work for a name.
 */
void acme_quarantine_issued(acme_journal_t *journal,
                            const apr_array_header_t *names);

#endif
