/*
 * acme_ctl_wait.h - what came of requests to renew: waited for, with the events
 * of their certificates printed as they happen.
 */
#ifndef ACME_CTL_WAIT_H
#define ACME_CTL_WAIT_H

#include "acme_ctl_command.h"
#include "acme_journal.h"
#include "acme_renew_due.h"

/* One request, and what came of it. */
typedef struct {
    const acme_ctl_cert_t *cert;        /* as it was before */
    acme_want_e want;
    const char *result;         /* a word for scripts; NULL: not known yet */
    const char *detail;         /* a sentence for people, without the id */
    acme_reason_e reason;       /* why it failed */
    const char *costs;          /* lines: of the CA's limits; "" */
    const char *left_out;       /* "a.example, b.example": names that the new
                                   one lacks, because they keep failing */
    int is_bad;                 /* for the exit code */

    acme_renew_before_t before; /* the rest is acme_ctl_wait's own */
    apr_uint64_t change;        /* the state that was looked at last */
    acme_journal_mark_t told;   /* the events that were */
    const char *end;            /* "done" or "failed" of a new chain, "" */
    const char *step;           /* of a dry run */
    int is_told;                /* that it waits for the reload */
} acme_ctl_wait_t;

/* Before its request is sent: the past of the certificate is not told. */
void acme_ctl_wait_begin(acme_ctl_wait_t *wait, const acme_ctl_command_t *run,
                         const acme_ctl_cert_t *cert, acme_want_e want);

/*
 * Wait until all of waits (acme_ctl_wait_t) whose result is NULL have one, at
 * most for timeout. The keeper is connected to again when a reload of httpd
 * replaced it. is_quiet: no progress is printed.
 */
void acme_ctl_wait_all(apr_array_header_t *waits, acme_ctl_command_t *run,
                       apr_interval_time_t timeout, int is_quiet);

#endif
