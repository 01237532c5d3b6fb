/*
 * acme_look_up.h - what the keeper wants to know from the CA itself.
 */
#ifndef ACME_LOOK_UP_H
#define ACME_LOOK_UP_H

#include "acme_task.h"

/*
 * Ask what request->state.look_up says, and report it to the keeper: the hosts
 * of the directory and its terms of service; for the records of
 * dns-persist-01 also our account, found by its key (8555, 7.3.1), and their
 * form, for which an order may have to be made. Only the witness is believed.
 */
void acme_look_up_run(const acme_task_env_t *env, acme_task_request_t *request,
                      apr_pool_t *p);

#endif
