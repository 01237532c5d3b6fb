/*
 * acme_ctl_call.h - the command line of acmectl.
 */
#ifndef ACME_CTL_CALL_H
#define ACME_CTL_CALL_H

#include <apr_time.h>

/* Longer than the parent of httpd takes to replace a keeper that hangs. */
#define ACME_CTL_TIMEOUT apr_time_from_sec(70)

/* The strings are those of argv, or constants. */
typedef struct {
    const char *state_dir;
    const char *verb;
    const char *id;             /* of a certificate; with account: the
                                   subcommand */
    const char *ca;             /* part of its URL; NULL: any */
    const char *until;          /* expiry of records; NULL: for ever */
    int reason;                 /* of a revocation; may be
                                   ACME_REVOKE_REASON_NONE */
    apr_interval_time_t timeout;        /* for each answer of the keeper */
    int json;
    int force;
    int chain;
    int delete;
} acme_ctl_call_t;

/*
 * Read the arguments into call, which is zeroed. Returns 0 for an invalid
 * command line; a wrong --reason or --timeout is explained on stderr.
 */
int acme_ctl_call_read(acme_ctl_call_t *call, int argc,
                       const char *const *argv);

/* Print the usage to stderr. */
void acme_ctl_call_usage(void);

#endif
