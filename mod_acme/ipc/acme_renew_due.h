/*
 * acme_renew_due.h - does an administrator who asks for a renewal get one
 * without force, and how it ended.
 *
 * Functions of the state and the time: acmectl renew acts on them.
 */
#ifndef ACME_RENEW_DUE_H
#define ACME_RENEW_DUE_H

#include "acme_state.h"

typedef enum {
    ACME_RENEW_DUE_NOW,         /* it is ordered anyway, now */
    ACME_RENEW_DUE_FAILED,      /* its last order failed, or names of it are
                                   excluded: a request tries at once */
    ACME_RENEW_DUE_NOT          /* only with force */
} acme_renew_due_e;

acme_renew_due_e acme_renew_due(const acme_state_t *state, apr_time_t now);

/* Why it is not due, a sentence without its end, in p: "not due: renewal is
   planned at ..., ...". */
const char *acme_renew_due_text(const acme_state_t *state, apr_time_t now,
                                apr_pool_t *p);

/* How it stands with a renewal that was asked for. */
typedef enum {
    ACME_RENEW_UNDER_WAY,
    ACME_RENEW_INSTALLED,       /* and not served yet */
    ACME_RENEW_SERVED,          /* a new one is */
    ACME_RENEW_POSTPONED,       /* by a limit of the CA */
    ACME_RENEW_FAILED,          /* and is not tried again soon */
    ACME_RENEW_REPLACED         /* by another request of an administrator */
} acme_renew_end_e;

/* What it was when it was asked for. */
typedef struct {
    int live;
    apr_uint32_t attempts;
    apr_time_t asked_at;
    apr_time_t dry_run_at;      /* the end of an earlier dry run; 0: none */
} acme_renew_before_t;

/*
 * Compare a later state. A failure after which another CA, or the other names,
 * follow within half a minute is none yet: before->attempts counts up to it.
 */
acme_renew_end_e acme_renew_due_end(acme_renew_before_t *before,
                                    const acme_state_t *state, apr_time_t now);

/* True: the dry run that was asked for has ended, and state tells how. False:
   none has since, so that another request took its place. */
int acme_renew_due_dry_run_ended(const acme_renew_before_t *before,
                                 const acme_state_t *state);

#endif
