/*
 * acme_live_check.c - what the CA says of a certificate that is live.
 */
#include <apr_strings.h>

#include "acme_account_settle.h"
#include "acme_live_check.h"
#include "acme_renewal_info.h"
#include "acme_revoked_fetch.h"
#include "acme_timing.h"

/* Temporary failures in a row that look lasting: those of half an hour. */
#define WARN_AFTER 5

/* A temporary failure backs off; a lasting one rests for hours. */
static void fill_failure(acme_msg_window_t *body, const acme_state_t *state,
                         const acme_result_t *res, apr_time_t now)
{
    body->failures = res->retry == ACME_RETRY_NEVER
                     || APR_STATUS_IS_ENOTIMPL(res->status)
        ? 0 : state->ask_failures + 1;
    body->ask_at = acme_timing_ask_retry(body->failures, res->retry_at, now,
                                         acme_task_chance());
}

/*
 * Renewal information that does not work is no failure, and the renewal goes
 * by the lifetime: it is told once of each certificate.
 */
static void warn_once(const acme_task_t *task, const acme_msg_window_t *body,
                      const acme_result_t *res)
{
    const int is_lasting = !body->failures && !task->state->ask_at;
    acme_result_t ignored;

    if (!APR_STATUS_IS_ENOTIMPL(res->status)
        && (is_lasting || body->failures == WARN_AFTER)) {
        acme_task_note(task, ACME_NOTE_WARNING,
                       apr_pstrcat(task->p, "renewal info does not work, the lifetime decides: ",
                                   res->detail, NULL), &ignored);
    }
}

static void fill_window(acme_msg_window_t *body,
                        const acme_renewal_info_t *info, apr_time_t now)
{
    body->start = info->start;
    body->end = info->end;
    body->pick =
        acme_timing_pick_draw(info->start, info->end, now, acme_task_chance());
    body->ask_at = info->ask_at;
    if (info->explanation) {
        apr_cpystrn(body->explanation, info->explanation,
                    sizeof(body->explanation));
    }
}

/* Where the certificate names a responder or a CRL. */
static int is_revoked(const acme_task_t *task, apr_time_t now)
{
    acme_task_chain_t live;
    acme_revoked_t revoked;
    acme_chain_t *chain;
    acme_http_t *http;
    acme_result_t res;
    apr_status_t rv;

    if (acme_task_fetch_live(&live, task, &res)
        || acme_chain_parse(&chain, live.pem, live.len, &res, task->p)
        || acme_task_borrow(&http, task, &res)) {
        return 0;
    }
    rv = acme_revoked_fetch(&revoked, http, chain, now, &res, task->p);
    acme_task_give_back(task, http);
    return rv == APR_SUCCESS && revoked.status == ACME_REVOKED_YES;
}

void acme_live_check_run(const acme_task_env_t *env,
                         acme_task_request_t *request, apr_pool_t *p)
{
    const acme_state_t *state = &request->state;
    const apr_time_t now = apr_time_now();
    acme_msg_window_t *body = apr_pcalloc(p, sizeof(*body));
    acme_task_failure_t why;
    acme_renewal_info_t info;
    acme_result_t ignored;
    const acme_task_t *task;
    apr_status_t rv;

    if (!acme_ca_pool_allow(env->cas,
                            acme_conf_route_index(
                                acme_conf_cert(env->conf, state->cert),
                                request->ca), now)) {
        return;                 /* the scheduler tries again soon */
    }
    if (acme_task_begin(&task, env, request, &why, p)) {
        return;
    }
    body->about = task->signing->about;
    apr_cpystrn(body->cert_id, state->cert_id, sizeof(body->cert_id));

    rv = acme_renewal_info_fetch(&info, task->session, state->cert_id, now,
                                 &why.res, p);
    if (rv == APR_SUCCESS) {
        fill_window(body, &info, now);
    }
    else {
        fill_failure(body, state, &why.res, now);
        warn_once(task, body, &why.res);
    }
    if (acme_stop_is(env->stop)) {
        return;
    }
    acme_task_report_ca(task, rv == APR_SUCCESS ? NULL : &why.res);
    if (rv == APR_SUCCESS || APR_STATUS_IS_ENOTIMPL(rv)) {
        /* The directory is known by now. */
        acme_account_settle_terms(task, &ignored);
    }

    body->revoked = (apr_uint32_t)is_revoked(task, now);
    if (!acme_stop_is(env->stop)) {
        acme_keeper_client_call(NULL, task->keeper, ACME_MSG_WINDOW, body,
                                &ignored, p);
    }
}
