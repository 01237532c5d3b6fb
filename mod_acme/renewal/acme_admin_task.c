/*
 * acme_admin_task.c - what an administrator asks for with acmectl.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_account.h"
#include "acme_account_settle.h"
#include "acme_admin_task.h"
#include "acme_certificate.h"
#include "acme_chain_pick.h"
#include "acme_problem.h"

/* The same leaf with the chain that the CA has for it today. */
static apr_status_t request_new_chain(const acme_task_t *task,
                                      acme_result_t *res)
{
    acme_task_chain_t live, chain;
    apr_status_t rv;

    rv = acme_task_fetch_live(&live, task, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!live.url) {
        return acme_fail_never(
            res, APR_ENOENT,
            "%s: the URL of the certificate at the CA is not known; renew the certificate instead",
            task->cert->id);
    }
    rv = acme_chain_pick_fetch(&chain, task, live.url, res);
    return rv == APR_SUCCESS
        ? acme_task_install(task, chain.pem, chain.len, chain.url, res) : rv;
}

/* By the account; where the CA does not let it, by the certificate's key. */
static apr_status_t revoke_part(const acme_task_t *task, int has_account,
                                acme_result_t *res)
{
    apr_status_t rv;

    if (has_account) {
        rv = acme_certificate_revoke(task->session, res, task->p);
        if (rv == APR_SUCCESS
            || (!acme_problem_is(res, "unauthorized")
                && !acme_problem_is(res, "accountDoesNotExist"))) {
            return rv;
        }
    }
    task->signing->with |= ACME_WITH_CERT_KEY;
    rv = acme_certificate_revoke(task->session, res, task->p);
    task->signing->with &= ~(apr_uint32_t)ACME_WITH_CERT_KEY;
    return rv;
}

/*
 * The keeper makes the next key when it signs for it. (8555, 7.3.5) Nobody may
 * settle the account meanwhile: the CA would say that it has the old key, the
 * next one would be dropped, and then be the account's.
 */
static apr_status_t change_key(const acme_task_t *task, acme_result_t *res)
{
    const apr_uint32_t ca = acme_conf_ca_index(task->cert, task->request->ca);
    acme_result_t ignored;
    apr_status_t rv;

    acme_ca_pool_lock_account(task->env->cas, ca);
    rv = acme_account_key_change(task->session, res, task->p);
    if (rv == APR_SUCCESS) {
        rv = acme_task_send_key(task, ACME_KEY_PROMOTE, res);
    }
    else if (res->problem[0] && res->retry == ACME_RETRY_NEVER) {
        /* Refused for certain; when its fate is unknown, both keys stay. */
        acme_task_send_key(task, ACME_KEY_DROP, &ignored);
    }
    acme_ca_pool_unlock_account(task->env->cas, ca);
    return rv;
}

/* What is done for each key type. */
static apr_status_t do_parts(acme_task_attempt_t *attempt,
                             const acme_task_t *task, acme_result_t *res)
{
    acme_target_t *about = &task->signing->about;
    apr_status_t rv = APR_SUCCESS;

    for (about->part = 0;
         rv == APR_SUCCESS && about->part < acme_conf_parts(task->cert);
         about->part++) {
        rv = task->state->wanted == ACME_WANT_CHAIN
            ? request_new_chain(task, res)
            : revoke_part(task, !attempt->prepared->deactivated, res);
    }
    about->part = 0;
    return rv;
}

static apr_status_t do_task(acme_task_attempt_t *attempt,
                            const acme_task_t *task, acme_result_t *res)
{
    const char *url, *thumbprint;
    apr_status_t rv;

    rv = acme_task_prepare(attempt, task, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    thumbprint = apr_pstrdup(task->p, attempt->prepared->thumbprint);
    if (!attempt->prepared->deactivated) {
        rv = acme_account_settle(attempt, task, res);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    url = attempt->prepared->account_url;
    switch (task->state->wanted) {
    case ACME_WANT_CHAIN:
    case ACME_WANT_REVOCATION:
    case ACME_WANT_DELETION:
        rv = do_parts(attempt, task, res);
        break;
    case ACME_WANT_UPDATE:
        /* Those that had changed were sent when the account was settled. */
        if (!attempt->prepared->contacts_changed) {
            rv = acme_account_settle_contacts(task, url, res);
        }
        break;
    case ACME_WANT_ROLLOVER:
        /* One that was begun before may just have come to its end. */
        if (!strcmp(attempt->prepared->thumbprint, thumbprint)) {
            rv = change_key(task, res);
        }
        break;
    case ACME_WANT_DEACTIVATION:
        rv = acme_account_deactivate(task->session, url, res, task->p);
        if (rv != APR_SUCCESS
            && acme_problem_is(res, "accountDoesNotExist")) {
            rv = APR_SUCCESS;   /* it needs no end */
        }
        break;
    default:
        break;
    }
    return rv == APR_SUCCESS ? acme_task_send_done(task, task->state->wanted,
                                                   res) : rv;
}

void acme_admin_task_run(const acme_task_env_t *env,
                         acme_task_request_t *request, apr_pool_t *p)
{
    acme_task_attempt_t attempt = { .answers = NULL };
    acme_task_failure_t why;
    const acme_task_t *task;
    apr_status_t rv;

    if (!acme_task_may_begin(env, request)) {
        return;
    }
    rv = acme_task_begin(&task, env, request, &why, p);
    if (!task) {
        return;                 /* no keeper, nobody to report it to */
    }
    if (rv == APR_SUCCESS) {
        rv = do_task(&attempt, task, &why.res);
        if (rv != APR_SUCCESS
            && acme_account_settle_again(&attempt, task, &why.res)) {
            rv = do_task(&attempt, task, &why.res);
        }
    }
    acme_task_end(task, rv, &why);
}
