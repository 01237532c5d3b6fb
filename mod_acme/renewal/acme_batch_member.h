/*
 * acme_batch_member.h - an order as a member of the batch of validations that
 * commands of AcmeHook pre and post frame.
 *
 * The keeper runs the commands. A keeper that comes after another one does not
 * know the members: so an order says that it stays, as long as it waits.
 */
#ifndef ACME_BATCH_MEMBER_H
#define ACME_BATCH_MEMBER_H

#include "acme_task.h"

/*
 * Join, or stay, and wait until the commands of pre have succeeded. A failure
 * is local: it says nothing about the CA. APR_SUCCESS at once without commands.
 */
apr_status_t acme_batch_member_join(acme_task_attempt_t *attempt,
                                    const acme_task_t *task,
                                    acme_task_failure_t *why);

/* Wait so long, and stay meanwhile. APR_EINTR: stopped. */
apr_status_t acme_batch_member_wait(acme_task_attempt_t *attempt,
                                    const acme_task_t *task,
                                    apr_interval_time_t wait);

/* The validations have ended; is_done: with success, also of an order that was
   validated before a reload. Once is enough. */
void acme_batch_member_leave(acme_task_attempt_t *attempt,
                             const acme_task_t *task, int is_done);

#endif
