/*
 * acme_dns01.h - dns-01: the records of one order, which the keeper sets and
 * removes (acme_publish.h): where they are, and who sees them. (8555, 8.4)
 */
#ifndef ACME_DNS01_H
#define ACME_DNS01_H

#include "acme_task.h"

/* Can AcmeDns set a record of this name: is it in the zone that it updates? */
int acme_dns01_can_update(const acme_dns_conf_t *dns, const char *name);

/* This challenge of this name is answered by a record. */
void acme_dns01_add(acme_task_attempt_t *attempt, const acme_task_t *task,
                    const acme_authorization_t *authz,
                    const acme_challenge_t *challenge);

/*
 * The order was begun before a reload: records of authorizations that ended
 * meanwhile may still be there, and are removed with the others.
 */
void acme_dns01_adopt(acme_task_attempt_t *attempt, const acme_task_t *task);

/* Where a CNAME leads is where a record has to be: of all that were added, or
   (left) of those that were adopted. Before they are set or removed. */
void acme_dns01_locate(acme_task_attempt_t *attempt, const acme_task_t *task,
                       int left);

/* Wait until the name servers have all that were set. When some don't have them
   in time, the log says so, and the CA decides. */
apr_status_t acme_dns01_wait(const acme_task_attempt_t *attempt,
                             const acme_task_t *task,
                             acme_task_failure_t *why);

#endif
