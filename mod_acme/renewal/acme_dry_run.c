/*
 * acme_dry_run.c - what an order would do, up to valid authorizations.
 *
 * It tells nobody how well the CA is, and no time of a next try: only the
 * administrator who waits for it hears how it ended.
 */
#include <apr_strings.h>

#include "acme_account_settle.h"
#include "acme_batch_member.h"
#include "acme_challenge_pick.h"
#include "acme_dry_run.h"
#include "acme_known_ca.h"
#include "acme_order_begin.h"
#include "acme_validation.h"

#define DRY_RUN_MAX apr_time_from_sec(30 * 60)  /* since it was requested */

/* "Let's Encrypt (staging), acme-staging-v02.api.letsencrypt.org" */
static const char *ca_text(const acme_task_t *task)
{
    const char *url = acme_ca_url(task->session->ca);
    const acme_known_ca_t *known = acme_known_ca_of_url(url, task->p);

    return known ? apr_pstrcat(task->p, known->title, ", ",
                               acme_url_host(url, task->p), NULL)
                 : acme_url_host(url, task->p);
}

/* Is it made at the staging environment of the CA? */
static int is_staging(const acme_task_t *task)
{
    return acme_conf_ca_index(task->cert, task->request->ca)
        != acme_conf_ca_index(task->cert,
                              task->request->ca
                                  - (apr_uint32_t)task->cert->cas->nelts);
}

/* What was seen to work. */
static const char *passed_text(const acme_task_attempt_t *attempt,
                               const acme_task_t *task)
{
    const int all = attempt->order->authorizations->nelts;
    const int fresh = all - attempt->valid_before;
    const char *text = "the CA demands no authorization";

    if (fresh > 0) {
        text = apr_psprintf(task->p, "%d name%s validated by %s", fresh,
                            fresh == 1 ? "" : "s",
                            attempt->types && *attempt->types
                                ? attempt->types : "the CA");
    }
    if (all > fresh) {
        text = apr_psprintf(task->p,
                            "%s%d name%s not validated: the CA has a valid authorization from before",
                            fresh > 0 ? apr_pstrcat(task->p, text, ", ", NULL)
                                      : "",
                            all - fresh, all - fresh == 1 ? "" : "s");
    }
    return apr_psprintf(task->p, "%s, at %s%s", text, ca_text(task),
                        is_staging(task) ? "" : ", which has no staging environment that is known");
}

static void report(const acme_task_t *task, apr_status_t rv,
                   const char *passed, const acme_task_failure_t *why)
{
    acme_msg_note_t *body = apr_pcalloc(task->lasting, sizeof(*body));
    acme_result_t ignored;

    body->about = task->signing->about;
    body->about.part = 0;
    body->name = why->name;
    body->challenge = why->challenge;
    if (rv == APR_SUCCESS) {
        body->note = ACME_NOTE_DRY_RUN_PASSED;
        apr_cpystrn(body->detail, passed, sizeof(body->detail));
    }
    else {
        body->note = ACME_NOTE_DRY_RUN_FAILED;
        body->why = why->res.reason ? (apr_uint32_t)why->res.reason
                                    : ACME_REASON_OTHER;
        apr_cpystrn(body->problem, why->res.problem, sizeof(body->problem));
        apr_cpystrn(body->detail, why->res.detail, sizeof(body->detail));
    }
    acme_keeper_client_call(NULL, task->keeper, ACME_MSG_NOTE, body, &ignored,
                            task->lasting);
}

/* One order; *ppassed: what was seen to work, in task->lasting. */
static apr_status_t try_order(const char **ppassed,
                              acme_task_attempt_t *attempt,
                              const acme_task_t *task,
                              acme_task_failure_t *why)
{
    apr_status_t rv;

    acme_task_failure_clear(why);
    apr_pool_clear(task->p);
    attempt->order = NULL;
    attempt->order_pool = NULL;
    rv = acme_task_prepare(attempt, task, &why->res);
    if (rv == APR_SUCCESS) {
        rv = acme_account_settle_url(attempt, task, &why->res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_order_begin(attempt, task, why);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_validation_begin(attempt, task, why);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_validation_wait(attempt, task, ACME_ORDER_READY, why);
    }
    if (rv == APR_SUCCESS) {
        acme_batch_member_leave(attempt, task, 1);
        *ppassed = apr_pstrdup(task->lasting, passed_text(attempt, task));
        rv = acme_validation_note(attempt, task, &why->res);
    }
    return rv;
}

void acme_dry_run_run(const acme_task_env_t *env, acme_task_request_t *request,
                      apr_pool_t *p)
{
    const apr_time_t end = request->state.dry_run_at + DRY_RUN_MAX;
    acme_task_attempt_t attempt = { .answers = NULL };
    const char *passed = "";
    const acme_task_t *task;
    int account_was_asked = 0, is_over = 0;
    acme_task_failure_t why;
    apr_status_t rv;

    rv = acme_task_begin(&task, env, request, &why, p);
    if (!task) {
        return;                 /* no keeper, nobody to report it to */
    }
    task->signing->end = end;
    if (rv == APR_SUCCESS && apr_time_now() > end) {
        rv = acme_fail(&why.res, APR_TIMEUP,
                       "%s: the dry run has not ended within half an hour",
                       task->cert->id);
        is_over = 1;
    }
    /* The administrator may have put things right since it was read. */
    acme_ca_directory_forget(task->session->ca);
    while (rv == APR_SUCCESS && !is_over) {
        rv = try_order(&passed, &attempt, task, &why);
        if (acme_stop_is(env->stop)) {
            break;              /* whoever comes after us begins anew */
        }
        acme_validation_withdraw(&attempt, task);
        is_over = 1;
        if (rv != APR_SUCCESS && !account_was_asked
            && acme_account_settle_again(&attempt, task, &why.res)) {
            account_was_asked = 1;
            is_over = 0;
        }
        else if (rv != APR_SUCCESS
                 && acme_challenge_pick_next(&attempt, task, &why)) {
            is_over = 0;        /* as in an order: another challenge */
        }
        rv = is_over ? rv : APR_SUCCESS;
    }
    if (!acme_stop_is(env->stop)) {
        report(task, rv, passed, &why);
    }
}
