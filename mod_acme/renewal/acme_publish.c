/*
 * acme_publish.c - what the keeper publishes for one order.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_challenge_pick.h"
#include "acme_publish.h"

acme_publish_row_t *acme_publish_add(acme_task_attempt_t *attempt,
                                     const acme_task_t *task,
                                     const acme_authorization_t *authz,
                                     acme_challenge_e type, const char *token)
{
    acme_publish_row_t *row;

    if (!attempt->published) {
        attempt->published =
            apr_array_make(task->p, 4, sizeof(acme_publish_row_t));
    }
    row = apr_array_push(attempt->published);
    memset(row, 0, sizeof(*row));
    row->type = type;
    row->name = acme_challenge_pick_name(task->cert, authz, task->p);
    row->token = token;
    return row;
}

apr_array_header_t *acme_publish_rows(const acme_task_attempt_t *attempt,
                                      acme_challenge_e type, int left,
                                      apr_pool_t *p)
{
    apr_array_header_t *rows =
        apr_array_make(p, 4, sizeof(acme_publish_row_t *));
    int i;

    for (i = 0; attempt->published && i < attempt->published->nelts; i++) {
        acme_publish_row_t *row =
            &APR_ARRAY_IDX(attempt->published, i, acme_publish_row_t);

        if (row->type == type && row->left == left) {
            APR_ARRAY_PUSH(rows, acme_publish_row_t *) = row;
        }
    }
    return rows;
}

/* remaining: how many of the same batch follow, for CERTBOT_... */
static apr_status_t send_row(const acme_task_t *task,
                             const acme_publish_row_t *row,
                             acme_publish_e action, int remaining,
                             acme_result_t *res)
{
    acme_msg_publish_t *body = apr_pcalloc(task->p, sizeof(*body));

    body->about = task->signing->about;
    body->action = action;
    body->challenge = row->type;
    body->name = row->name;
    body->remaining = (apr_uint32_t)remaining;
    apr_cpystrn(body->token, row->token, sizeof(body->token));
    if (row->record.record) {
        apr_cpystrn(body->record, row->record.record, sizeof(body->record));
    }
    return acme_keeper_client_call(NULL, task->keeper, ACME_MSG_PUBLISH, body,
                                   res, task->p);
}

/* The action for each row that has not failed yet; those that fail keep why. */
static void send_all(const acme_task_t *task, const apr_array_header_t *rows,
                     acme_publish_e action)
{
    acme_result_t res;
    int i;

    for (i = 0; i < rows->nelts && !acme_stop_is(task->env->stop); i++) {
        acme_publish_row_t *row = APR_ARRAY_IDX(rows, i, acme_publish_row_t *);

        if (!row->failure
            && send_row(task, row, action, rows->nelts - i - 1, &res)) {
            row->failure = apr_pmemdup(task->p, &res, sizeof(res));
        }
    }
}

/* A failure to publish, as one of the challenge. */
static acme_task_failure_t failure_of(const acme_publish_row_t *row)
{
    acme_task_failure_t failure = { .name = row->name,
                                    .challenge = row->type,
                                    .is_local = 1 };

    failure.res = *row->failure;
    return failure;
}

/*
 * Of the names whose answer could not be published, *why gets one, which
 * decides how the order goes on: one that no other type is left for, if there
 * is any.
 * The keeper is told of the others.
 */
static apr_status_t fail_rows(acme_task_attempt_t *attempt,
                              const acme_task_t *task,
                              const apr_array_header_t *rows,
                              acme_task_failure_t *why)
{
    const acme_publish_row_t *first = NULL;
    acme_task_failure_t failure;
    acme_result_t ignored;
    int i, is_left = 1;

    for (i = 0; i < rows->nelts && is_left; i++) {
        const acme_publish_row_t *row =
            APR_ARRAY_IDX(rows, i, const acme_publish_row_t *);

        if (row->failure) {
            failure = failure_of(row);
            is_left = acme_challenge_pick_is_left(attempt, task, &failure);
            if (!first || !is_left) {
                first = row;
            }
        }
    }
    if (!first) {
        return APR_SUCCESS;
    }
    for (i = 0; i < rows->nelts; i++) {
        const acme_publish_row_t *row =
            APR_ARRAY_IDX(rows, i, const acme_publish_row_t *);

        if (row->failure && row != first) {
            failure = failure_of(row);
            if (!acme_challenge_pick_another(attempt, task, &failure)) {
                acme_task_note_name(task, &failure, &ignored);
            }
        }
    }
    *why = failure_of(first);
    return why->res.status;
}

/* Commands may take longer than a reply is waited for. */
static apr_status_t await_all(const acme_task_t *task, acme_result_t *res)
{
    const acme_msg_cert_t about = { task->signing->about };
    apr_status_t rv;

    do {
        rv = acme_keeper_client_call(NULL, task->keeper, ACME_MSG_AWAIT,
                                     &about, res, task->p);
    } while (APR_STATUS_IS_EAGAIN(rv) && apr_time_now() < task->signing->end);
    return rv;
}

/* Begin all, then wait for all. */
static apr_status_t publish(acme_task_attempt_t *attempt,
                            const acme_task_t *task, acme_task_failure_t *why)
{
    apr_array_header_t *tokens =
        acme_publish_rows(attempt, ACME_HTTP_01, 0, task->p);
    apr_array_header_t *all =
        acme_publish_rows(attempt, ACME_DNS_01, 0, task->p);
    apr_status_t rv, failed;

    if (!tokens->nelts && !all->nelts) {
        return APR_SUCCESS;
    }
    /* They are counted down apart: their commands are others. */
    send_all(task, all, ACME_PUBLISH_PRESENT);
    send_all(task, tokens, ACME_PUBLISH_PRESENT);
    apr_array_cat(all, tokens);
    rv = await_all(task, &why->res);
    if (rv != APR_SUCCESS) {
        send_all(task, all, ACME_PUBLISH_RESULT);
    }
    if (acme_stop_is(task->env->stop)) {
        return acme_fail(&why->res, APR_EINTR, "%s: stopped", task->cert->id);
    }
    failed = fail_rows(attempt, task, all, why);
    return failed == APR_SUCCESS ? rv : failed;
}

apr_status_t acme_publish_present(acme_task_attempt_t *attempt,
                                  const acme_task_t *task,
                                  acme_task_failure_t *why)
{
    apr_status_t rv;

    atomic_store(&task->request->waits_for_dns, 1);
    rv = publish(attempt, task, why);
    why->is_local = rv != APR_SUCCESS;
    atomic_store(&task->request->waits_for_dns, 0);
    return rv;
}

void acme_publish_cleanup(acme_task_attempt_t *attempt,
                          const acme_task_t *task)
{
    const acme_publish_row_t all_tokens = { .type = ACME_HTTP_01,
                                            .name = ACME_NO_NAME,
                                            .token = "" };
    apr_array_header_t *records =
        acme_publish_rows(attempt, ACME_DNS_01, 0, task->p);
    acme_result_t ignored;
    int i;

    apr_array_cat(records,
                  acme_publish_rows(attempt, ACME_DNS_01, 1, task->p));
    for (i = 0; i < records->nelts; i++) {
        send_row(task, APR_ARRAY_IDX(records, i, const acme_publish_row_t *),
                 ACME_PUBLISH_CLEANUP, records->nelts - i - 1, &ignored);
    }
    if (task->cert->http) {
        send_row(task, &all_tokens, ACME_PUBLISH_CLEANUP, 0, &ignored);
    }
    attempt->published = NULL;
}
