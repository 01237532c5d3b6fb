/*
 * acme_name_quarantine.h - which names of a certificate are ordered: all but
 * those that keep failing, so that the others get their certificate.
 */
#ifndef ACME_NAME_QUARANTINE_H
#define ACME_NAME_QUARANTINE_H

#include "acme_journal.h"
#include "acme_state.h"

/* const char *: the names that are ordered now, in the order of the
   configuration; all, if each one is excluded. The array is in p or is that of
   cert, its texts are those of cert. */
apr_array_header_t *acme_name_quarantine_names(const acme_cert_conf_t *cert,
                                               const acme_journal_t *journal,
                                               apr_time_t now, apr_pool_t *p);

/* An octet for each configured name, in p: a bit for each acme_challenge_e that
   failed on it, and ACME_NAME_LEFT_OUT. (acme_message.h) */
const char *acme_name_quarantine_flags(const acme_cert_conf_t *cert,
                                       const acme_journal_t *journal,
                                       apr_time_t now, apr_pool_t *p);

/* Store in *state which configured names are excluded, and when the first one
   of them is retried. */
void acme_name_quarantine_left_out(acme_state_t *state,
                                   const acme_cert_conf_t *cert,
                                   const acme_journal_t *journal);

typedef enum {
    ACME_BLAME_NOTED,           /* the name is ordered further on */
    ACME_BLAME_LEFT_OUT,        /* the name is excluded from now on */
    ACME_BLAME_STILL_OUT        /* the retry of an excluded name failed */
} acme_blame_e;

/* An order failed because of this name, which is configured. */
typedef struct {
    const char *name;
    apr_uint32_t challenge;     /* that failed, or ACME_CHALLENGES */
    int is_lasting;             /* the CA never issues for this name */
    acme_reason_e why;
    const char *detail;         /* a sentence that lives as long as the
                                   journal; NULL: none */
} acme_fault_t;

/*
 * Count a failure of a name in the journal. The name is excluded after three
 * failures in a row, or after a lasting one, if the other names wait for their
 * first certificate, or if theirs is in its warn window. The last name is
 * never excluded. An excluded name is retried daily, after a week weekly.
 */
acme_blame_e acme_name_quarantine_blame(acme_journal_t *journal,
                                        const acme_fault_t *fault,
                                        const acme_cert_conf_t *cert,
                                        const acme_state_t *state,
                                        apr_time_t now);

/* All excluded names are retried with the next order. */
void acme_name_quarantine_try_all(acme_journal_t *journal, apr_time_t now);

/* Store that a type of challenge failed on a name, without a failure of the
   name: another type follows in the same run. */
void acme_name_quarantine_challenge(acme_journal_t *journal, const char *name,
                                    apr_uint32_t challenge,
                                    const acme_cert_conf_t *cert,
                                    apr_time_t now);

/*
 * These names have a certificate now: their failures are removed from the
 * journal, but not the challenges that failed for a name.
 */
void acme_name_quarantine_issued(acme_journal_t *journal,
                                 const apr_array_header_t *names);

#endif
