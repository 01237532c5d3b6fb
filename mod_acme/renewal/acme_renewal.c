/*
 * acme_renewal.c - one certificate, from the order to the installation.
 *
 * Its life is read downwards, in the steps of 8555, 7.1.3 and 7.4.
 */
#include "acme_account_settle.h"
#include "acme_batch_member.h"
#include "acme_chain_pick.h"
#include "acme_challenge_pick.h"
#include "acme_order_begin.h"
#include "acme_renewal.h"
#include "acme_validation.h"

void acme_renewal_run(const acme_task_env_t *env, acme_task_request_t *request,
                      apr_pool_t *p)
{
    acme_task_attempt_t attempt = { .answers = NULL };
    acme_task_failure_t why;
    acme_task_chain_t chain;
    acme_target_t *about;
    const acme_task_t *task;
    int account_was_asked = 0;
    apr_status_t rv;

    if (!acme_task_may_begin(env, request)) {
        return;                 /* the scheduler tries again soon */
    }
    rv = acme_task_begin(&task, env, request, &why, p);
    if (!task) {
        return;                 /* no keeper, nobody to report it to */
    }
    about = &task->signing->about;

    /* A part is a key type: its own order, for the same names. */
    while (rv == APR_SUCCESS && about->part < acme_conf_parts(task->cert)) {
        acme_task_failure_clear(&why);
        /* Many orders may follow each other, each of the size of the first. */
        apr_pool_clear(task->p);
        attempt.order = NULL;
        attempt.order_pool = NULL;
        rv = acme_task_prepare(&attempt, task, &why.res);
        if (rv == APR_SUCCESS && attempt.prepared->issued) {
            rv = acme_task_install_waiting(task, &why.res);
            about->part += rv == APR_SUCCESS;
            continue;
        }
        if (rv == APR_SUCCESS) {
            rv = acme_account_settle_url(&attempt, task, &why.res);
        }
        if (rv == APR_SUCCESS) {
            rv = acme_order_begin(&attempt, task, &why);
        }
        if (rv == APR_SUCCESS) {
            rv = acme_validation_begin(&attempt, task, &why);
        }
        if (rv == APR_SUCCESS) {
            rv = acme_validation_wait(&attempt, task, ACME_ORDER_READY, &why);
        }
        if (rv == APR_SUCCESS) {
            acme_batch_member_leave(&attempt, task, 1);
        }
        if (rv == APR_SUCCESS) {
            rv = acme_validation_note(&attempt, task, &why.res);
        }
        if (rv == APR_SUCCESS) {
            rv = acme_validation_finalize(&attempt, task, &why);
        }
        if (rv == APR_SUCCESS) {
            rv = acme_validation_wait(&attempt, task, ACME_ORDER_VALID, &why);
        }
        if (rv == APR_SUCCESS) {
            rv = acme_chain_pick_fetch(&chain, task, attempt.order->certificate,
                                       &why.res);
        }
        if (rv == APR_SUCCESS) {
            rv = acme_task_install(task, chain.pem, chain.len, chain.url,
                                   &why.res);
            why.order_is_lost = rv == APR_EINVAL;
            why.is_local = rv != APR_SUCCESS;
            acme_task_explain_refused(&why, &attempt, task);
        }
        if (acme_stop_is(env->stop)) {
            break;              /* whoever comes after us resumes it */
        }
        acme_validation_withdraw(&attempt, task);

        if (rv == APR_SUCCESS) {
            about->part++;
        }
        else if (!account_was_asked
                 && acme_account_settle_again(&attempt, task, &why.res)) {
            account_was_asked = 1;
            rv = APR_SUCCESS;   /* with the account that our key has */
        }
        else if (acme_challenge_pick_next(&attempt, task, &why)) {
            rv = APR_SUCCESS;   /* a new order; this challenge is left out */
        }
    }
    acme_task_end(task, rv, &why);
}
