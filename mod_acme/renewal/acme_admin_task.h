/*
 * acme_admin_task.h - what an administrator asks for with acmectl, other than a
 * renewal: a chain, a revocation, something about an account.
 */
#ifndef ACME_ADMIN_TASK_H
#define ACME_ADMIN_TASK_H

#include "acme_task.h"

/*
 * Do what the state's wanted says. Success and failure are reported to the
 * keeper; nothing is returned.
 */
void acme_admin_task_run(const acme_task_env_t *env,
                         acme_task_request_t *request, apr_pool_t *p);

#endif
