/*
 * acme_ctl_call.h - how acmectl was called: its arguments.
 */
#ifndef ACME_CTL_CALL_H
#define ACME_CTL_CALL_H

typedef struct {
    const char *state_dir;
    const char *verb;
    const char *id;             /* or what to do with accounts */
    const char *ca;             /* part of its URL; NULL: any */
    const char *until;          /* of records; NULL: for ever */
    int reason;                 /* of a revocation; may be
                                   ACME_REVOKE_REASON_NONE */
    int json;
    int force;
    int chain;
    int delete;
} acme_ctl_call_t;

/*
 * Read the arguments into call, which the caller has zeroed; its strings are
 * those of argv. 0 when an option, its value or the number of arguments is
 * wrong; for a wrong reason the message is on stderr.
 */
int acme_ctl_call_read(acme_ctl_call_t *call, int argc,
                       const char *const *argv);

/* How acmectl is called, to stderr. */
void acme_ctl_call_usage(void);

#endif
