/*
 * acme_challenge_pick.h - which challenge of a name is answered.
 */
#ifndef ACME_CHALLENGE_PICK_H
#define ACME_CHALLENGE_PICK_H

#include "acme_task.h"

typedef struct {
    acme_challenge_e type;
    const acme_challenge_t *challenge;
} acme_challenge_pick_t;

/*
 * The first one that is configured, can work for this name, is offered, and
 * did not fail the last time; when all have failed, the first of them again.
 * A wildcard goes by the DNS, an address by its ports. dns-persist-01 counts
 * only when its record is there. ENOTIMPL: none can be answered, and why says
 * what would be needed.
 */
apr_status_t acme_challenge_pick(acme_challenge_pick_t *pick,
                                 const acme_task_attempt_t *attempt,
                                 const acme_task_t *task,
                                 const acme_authorization_t *authz,
                                 acme_task_failure_t *why);

/* Position of an authorization's name in the configuration; ACME_NO_NAME. */
apr_uint32_t acme_challenge_pick_name(const acme_cert_conf_t *cert,
                                      const acme_authorization_t *authz,
                                      apr_pool_t *p);

/* Is there another type for the name that has not failed on it? */
int acme_challenge_pick_is_left(const acme_task_attempt_t *attempt,
                                const acme_task_t *task,
                                const acme_task_failure_t *why);

/*
 * A challenge failed on a name: later orders leave it out as long as another
 * type is left, of which the keeper is told. Each type is tried once; false
 * when none is left.
 */
int acme_challenge_pick_another(acme_task_attempt_t *attempt,
                                const acme_task_t *task,
                                const acme_task_failure_t *why);

/*
 * A challenge failed on a name, which ends the order. When another type can
 * still be tried, then by a new order at once: the keeper is told, and the
 * attempt knows that this one failed. Each type is tried once. False when
 * none is left.
 */
int acme_challenge_pick_next(acme_task_attempt_t *attempt,
                             const acme_task_t *task,
                             const acme_task_failure_t *why);

#endif
