/*
 * acme_batch_member.c - an order joins the batch, stays and leaves.
 */
#include "acme_batch_member.h"

/* How often the keeper is asked whether pre has ended, */
#define LOOK apr_time_from_msec(200)

/* and told that the order stays. */
#define STAY apr_time_from_sec(3)

static int has_commands(const acme_task_t *task)
{
    return acme_conf_hook(task->cert, ACME_HOOK_PRE, 0)
           || acme_conf_hook(task->cert, ACME_HOOK_POST, 0);
}

static apr_status_t send_step(int *pis_open, const acme_task_t *task,
                              acme_validate_e step, acme_result_t *res)
{
    const acme_msg_validate_t body = { task->signing->about,
                                       (apr_uint32_t)step };
    acme_message_t reply;
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, task->p);
    rv = acme_keeper_client_call(&reply, task->keeper, ACME_MSG_VALIDATE,
                                 &body, res, p);
    *pis_open = rv == APR_SUCCESS
                && ((const acme_msg_validating_t *)reply.body)->is_open;
    apr_pool_destroy(p);
    return rv;
}

apr_status_t acme_batch_member_join(acme_task_attempt_t *attempt,
                                    const acme_task_t *task,
                                    acme_task_failure_t *why)
{
    apr_status_t rv = APR_SUCCESS;
    int is_open = !has_commands(task);

    attempt->is_validating = !is_open;
    while (rv == APR_SUCCESS && !is_open) {
        rv = send_step(&is_open, task, ACME_VALIDATE_JOIN, &why->res);
        if (rv == APR_SUCCESS && !is_open
            && apr_time_now() > task->signing->end) {
            rv = acme_fail(
                &why->res, APR_TIMEUP,
                "%s: commands of AcmeHook pre have not ended within half an hour",
                task->cert->id);
            rv = acme_result_reason(&why->res, ACME_REASON_HOOK_FAILED);
        }
        if (rv == APR_SUCCESS && !is_open
            && acme_stop_wait(task->env->stop, LOOK)) {
            rv = acme_fail(&why->res, APR_EINTR, "%s: stopped",
                           task->cert->id);
        }
    }
    why->is_local |= rv != APR_SUCCESS;
    attempt->joined_at = apr_time_now();
    return rv;
}

apr_status_t acme_batch_member_wait(acme_task_attempt_t *attempt,
                                    const acme_task_t *task,
                                    apr_interval_time_t wait)
{
    const apr_time_t end = apr_time_now() + wait;
    apr_interval_time_t left;
    acme_result_t ignored;
    int is_open;

    while (attempt->is_validating && attempt->joined_at + STAY < end) {
        left = attempt->joined_at + STAY - apr_time_now();
        /* A clock that was set back meanwhile does not make it longer. */
        if (acme_stop_wait(task->env->stop, left < STAY ? left : STAY)) {
            return APR_EINTR;
        }
        (void)send_step(&is_open, task, ACME_VALIDATE_JOIN, &ignored);
        attempt->joined_at = apr_time_now();
    }
    left = end - apr_time_now();
    return acme_stop_wait(task->env->stop, left < wait ? left : wait);
}

void acme_batch_member_leave(acme_task_attempt_t *attempt,
                             const acme_task_t *task, int is_done)
{
    acme_result_t ignored;
    int is_open;

    if (attempt->is_validating || (is_done && has_commands(task))) {
        attempt->is_validating = 0;
        (void)send_step(&is_open, task,
                        is_done ? ACME_VALIDATE_DONE : ACME_VALIDATE_FAILED,
                        &ignored);
    }
}
