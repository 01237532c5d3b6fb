/*
 * acme_dns01.h - dns-01: the records of one order, set by the keeper,
 * seen by all name servers, removed again. (8555, 8.4)
 */
#ifndef ACME_DNS01_H
#define ACME_DNS01_H

#include "acme_task.h"

/* This challenge of this name is answered by a record. */
void acme_dns01_add(acme_task_attempt_t *attempt, const acme_task_t *task,
                    const acme_authorization_t *authz,
                    const acme_challenge_t *challenge);

/*
 * The order was begun before a reload: records of authorizations that ended
 * meanwhile may still be there, and are removed with the others.
 */
void acme_dns01_adopt(acme_task_attempt_t *attempt, const acme_task_t *task);

/*
 * Set all that were added, side by side, and wait until the name servers have
 * them. When some don't have them in time, the log says so, and the CA decides.
 *
 * A record that cannot be set is a failure of its challenge, as one that the CA
 * does not accept: why has a name with no other type, if there is one, and the
 * keeper is told of the other names.
 */
apr_status_t acme_dns01_present(acme_task_attempt_t *attempt,
                                const acme_task_t *task,
                                acme_task_failure_t *why);

/* Remove all that were added, whether they were set or not. */
void acme_dns01_cleanup(acme_task_attempt_t *attempt, const acme_task_t *task);

#endif
