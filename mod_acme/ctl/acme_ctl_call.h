/*
 * acme_ctl_call.h - the command line of acmectl.
 */
#ifndef ACME_CTL_CALL_H
#define ACME_CTL_CALL_H

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
    int json;
    int force;
    int chain;
    int delete;
} acme_ctl_call_t;

/*
 * Read the arguments into call, which is zeroed. Returns 0 for an invalid
 * command line; a wrong --reason is explained on stderr.
 */
int acme_ctl_call_read(acme_ctl_call_t *call, int argc,
                       const char *const *argv);

/* Print the usage to stderr. */
void acme_ctl_call_usage(void);

#endif
