/*
 * acme_live_check.c - what the CA says of a certificate that is live.
 */
#include <apr_strings.h>

#include "acme_live_check.h"
#include "acme_order_begin.h"
#include "acme_renewal_info.h"
#include "acme_revoked_fetch.h"
#include "acme_schedule.h"
#include "acme_task.h"

static void take_window(acme_msg_window_t *body,
                        const acme_renewal_info_t *info, apr_time_t now)
{
    body->start = info->start;
    body->end = info->end;
    body->pick = acme_schedule_pick_draw(info->start, info->end, now,
                                         acme_task_chance());
    body->ask_at = info->ask_at;
    if (info->explanation) {
        apr_cpystrn(body->explanation, info->explanation,
                    sizeof(body->explanation));
    }
}

/* A temporary trouble backs off; a lasting one rests for hours. */
static void take_failure(acme_msg_window_t *body, const acme_state_t *state,
                         const acme_result_t *res, apr_time_t now)
{
    body->failures = res->retry == ACME_RETRY_NEVER
                     || APR_STATUS_IS_ENOTIMPL(res->status)
        ? 0 : state->ask_failures + 1;
    body->ask_at = acme_schedule_ask_retry(body->failures, res->retry_at, now,
                                           acme_task_chance());
}

static void tell_breaker(acme_task_t *work, apr_status_t rv,
                         const acme_result_t *res, apr_time_t now)
{
    acme_ca_pool_report(work->shop->cas,
                        acme_conf_ca_index(work->cert, work->about.ca),
                        rv == APR_SUCCESS ? NULL : res, now, work->p);
}

static void ask_for_window(acme_task_t *work, acme_msg_window_t *body,
                           apr_time_t now)
{
    const acme_state_t *state = work->state;
    acme_renewal_info_t info;
    acme_result_t res;
    apr_status_t rv;

    rv = acme_renewal_info_fetch(&info, &work->session, state->cert_id, now,
                                 &res, work->p);
    if (rv == APR_SUCCESS) {
        take_window(body, &info, now);
    }
    else {
        take_failure(body, state, &res, now);
    }
    if (acme_stop_is(work->shop->stop)) {
        return;
    }
    tell_breaker(work, rv, &res, now);
    if (rv == APR_SUCCESS || APR_STATUS_IS_ENOTIMPL(rv)) {
        acme_order_begin_terms(work); /* the directory is known by now */
    }
}

/* Where the certificate names a responder or a CRL. */
static int is_revoked(acme_task_t *work, apr_time_t now)
{
    const char *url, *pem;
    apr_size_t len;
    acme_revoked_t revoked;
    acme_chain_t *chain;
    acme_result_t res;

    return !acme_task_live(&url, &pem, &len, work)
           && !acme_chain_parse(&chain, pem, len, &res, work->p)
           && !acme_revoked_fetch(&revoked, work->session.http, chain, now,
                                  &res, work->p)
           && revoked.status == ACME_REVOKED_YES;
}

void acme_live_check_run(const acme_workshop_t *shop, acme_turn_t *turn,
                         apr_pool_t *p)
{
    const acme_state_t *state = &turn->state;
    const apr_time_t now = apr_time_now();
    acme_msg_window_t *body = apr_pcalloc(p, sizeof(*body));
    const acme_cert_conf_t *cert = acme_conf_cert(shop->conf, state->cert);
    acme_task_t *work;

    if (!acme_ca_pool_allow(shop->cas, acme_conf_ca_index(cert, turn->ca), 0,
                            now)) {
        return; /* looked at again soon */
    }
    work = acme_task_begin(shop, turn, p);
    if (!work || !work->session.http) {
        return;
    }
    body->about = work->about;
    apr_cpystrn(body->cert_id, state->cert_id, sizeof(body->cert_id));
    ask_for_window(work, body, now);
    body->revoked = (apr_uint32_t)is_revoked(work, now);
    if (!acme_stop_is(shop->stop)) {
        acme_client_call(NULL, work->client, ACME_MSG_WINDOW, body,
                         &work->res, p);
    }
    acme_task_end(work);
}
