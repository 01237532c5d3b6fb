/*
 * acme_rehearsal_task.h - each name of a certificate as a CA would see it.
 */
#ifndef ACME_REHEARSAL_TASK_H
#define ACME_REHEARSAL_TASK_H

#include "acme_task.h"

/* How long one takes at most. */
#define ACME_REHEARSAL_MAX apr_time_from_sec(10)

/*
 * Look at the CAA records and addresses of the names, and at ports 80 and 443
 * of each address where a challenge would come there, with env->solver for a
 * token of the rehearsal's own. The keeper is sent what was found (REHEARSED),
 * unless the process stops.
 */
void acme_rehearsal_task_run(const acme_task_env_t *env,
                             acme_task_request_t *request, apr_pool_t *p);

#endif
