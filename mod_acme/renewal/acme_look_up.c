/*
 * acme_look_up.c - what the keeper wants to know from the CA itself.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_account.h"
#include "acme_account_settle.h"
#include "acme_look_up.h"
#include "acme_order_begin.h"
#include "acme_persist_check.h"

/* What was asked has ended, as why says: NULL is a success. */
static apr_status_t send_looked(const acme_task_t *task,
                                acme_look_up_e look_up, const char *hosts,
                                const acme_result_t *why, acme_result_t *res)
{
    acme_msg_looked_t *body = apr_pcalloc(task->p, sizeof(*body));
    const acme_message_t request = { .kind = ACME_MSG_LOOKED,
                                     .body = body,
                                     .tail = hosts,
                                     .tail_len = strlen(hosts) };

    body->about = task->signing->about;
    body->look_up = look_up;
    if (why) {
        body->has_failed = 1;
        apr_cpystrn(body->detail, why->detail, sizeof(body->detail));
    }
    return acme_keeper_client_send(NULL, task->keeper, &request, res, task->p);
}

/* A change of the account's key that was begun comes to its end, and it has the
   contacts that are configured. */
static apr_status_t settle(const acme_task_t *task, acme_result_t *res)
{
    acme_task_attempt_t attempt = { .answers = NULL };
    apr_status_t rv;

    rv = acme_task_prepare(&attempt, task, res);
    return rv == APR_SUCCESS ? acme_account_settle(&attempt, task, res) : rv;
}

/* What the CA calls the account of our key is our account. */
static apr_status_t find_account(acme_task_attempt_t *attempt,
                                 const acme_task_t *task, acme_result_t *res)
{
    const char *url;
    apr_status_t rv;

    rv = acme_task_prepare(attempt, task, res);
    if (rv == APR_SUCCESS) {
        rv = acme_account_settle(attempt, task, res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_account_find(&url, task->session, res, task->p);
    }
    if (rv == APR_SUCCESS && strcmp(url, attempt->prepared->account_url)) {
        rv = acme_task_send_url(task, ACME_MSG_ACCOUNT, url, res);
    }
    return rv;
}

/*
 * Before draft 2 only an authorization names the issuer: that of the order
 * that is under way, or of one that is made for this and not gone on with.
 */
static apr_status_t find_records(const acme_task_t *task,
                                 acme_task_failure_t *why)
{
    acme_task_attempt_t attempt = { .answers = NULL };
    const acme_directory_t *dir;
    acme_authorization_t *authz;
    acme_result_t ignored;
    int has_order;
    apr_status_t rv;

    rv = find_account(&attempt, task, &why->res);
    if (rv == APR_SUCCESS) {
        rv = acme_session_directory(&dir, task->session, &why->res, task->p);
    }
    if (rv != APR_SUCCESS
        || acme_persist_check_report_directory(task, dir)) {
        return rv;
    }
    has_order = attempt.prepared->order_url[0] != '\0';
    rv = acme_order_begin(&attempt, task, why);
    if (rv == APR_SUCCESS && !attempt.order->authorizations->nelts) {
        rv = acme_fail(&why->res, APR_ENOENT,
                       "%s: the CA demands no authorization of this order",
                       task->cert->id);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_authorization_fetch(
            &authz, task->session,
            APR_ARRAY_IDX(attempt.order->authorizations, 0, const char *),
            &why->res, task->p);
    }
    if (rv == APR_SUCCESS && !acme_persist_check_report(task, authz)) {
        rv = acme_fail(&why->res, APR_ENOENT,
                       "%s: the CA does not offer the challenge dns-persist-01 for %s",
                       task->cert->id, authz->name);
    }
    if (!has_order) {
        acme_task_send_url(task, ACME_MSG_ORDER, "", &ignored);
    }
    return rv;
}

void acme_look_up_run(const acme_task_env_t *env, acme_task_request_t *request,
                      apr_pool_t *p)
{
    const acme_look_up_e look_up = request->state.look_up;
    const char *hosts = "";
    const acme_directory_t *dir;
    acme_task_failure_t why;
    acme_result_t ignored;
    const acme_task_t *task;
    apr_status_t rv;

    rv = acme_task_begin(&task, env, request, &why, p);
    if (!task) {
        return;
    }
    if (rv == APR_SUCCESS) {
        acme_ca_directory_forget(task->session->ca);
        rv = acme_session_directory(&dir, task->session, &why.res, p);
    }
    if (rv == APR_SUCCESS) {
        hosts = acme_directory_hosts(dir, acme_ca_url(task->session->ca), p);
        acme_account_settle_terms(task, &ignored);
        if (look_up == ACME_LOOK_UP_ACCOUNT) {
            rv = settle(task, &why.res);
        }
        else if (look_up == ACME_LOOK_UP_RECORDS) {
            rv = find_records(task, &why);
        }
    }
    if (!acme_stop_is(env->stop)) {
        send_looked(task, look_up, hosts,
                    rv == APR_SUCCESS ? NULL : &why.res, &ignored);
    }
}
