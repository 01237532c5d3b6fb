/*
 * acme_admin_task.h - what an administrator asks for with acmectl, other than a
 * renewal: a chain, a revocation, something about an account.
 */
#ifndef ACME_ADMIN_TASK_H
#define ACME_ADMIN_TASK_H

#include "acme_task.h"

/* Do what the state's wanted says, and tell the keeper when it is done. */
apr_status_t acme_admin_task_run(acme_task_t *work);

#endif
