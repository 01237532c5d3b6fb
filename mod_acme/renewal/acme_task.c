/*
 * acme_task.c - one certificate's task, and what it says to the keeper.
 */
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "acme_counters.h"
#include "acme_problem.h"
#include "acme_task.h"

#define TASK_MAX apr_time_from_sec(30 * 60)

/* To look too early costs a request, and too late the time. */
const acme_task_waits_t acme_task_waits = {
    .seen_every = apr_time_from_msec(5),
    .looks = { .first = apr_time_from_msec(20),
               .longest = apr_time_from_sec(10) },
    .failing = apr_time_from_msec(300),
    .authorizations = apr_time_from_sec(3),
    .total = apr_time_from_sec(10 * 60),
    .error_lasts = apr_time_from_sec(6)
};

void acme_task_failure_clear(acme_task_failure_t *why)
{
    memset(why, 0, sizeof(*why));
    acme_result_clear(&why->res);
    why->name = ACME_NO_NAME;
    why->challenge = ACME_CHALLENGES;
}

/* The session's way to a signature. (acme_sign_cb) */
static apr_status_t sign(const char **pbody, void *baton,
                         const acme_session_post_t *post, const char *nonce,
                         acme_result_t *res, apr_pool_t *p)
{
    const acme_task_signing_t *signing = baton;
    acme_msg_sign_t *body = apr_pcalloc(p, sizeof(*body));
    acme_message_t reply;
    apr_status_t rv;

    /* A CA that is slow at each request must not hold one of few threads. */
    if (apr_time_now() > signing->end) {
        acme_fail(res, APR_TIMEUP, "%s: not finished within half an hour",
                  signing->id);
        return acme_result_reason(res, ACME_REASON_CA_SLOW);
    }
    body->about = signing->about;
    body->kind = post->kind;
    body->with = signing->with;
    apr_cpystrn(body->url, post->url, sizeof(body->url));
    apr_cpystrn(body->nonce, nonce, sizeof(body->nonce));
    rv = acme_keeper_client_call(&reply, signing->keeper, ACME_MSG_SIGN, body,
                                 res, p);
    *pbody = rv == APR_SUCCESS ? reply.tail : NULL;
    return rv;
}

static apr_uint32_t route_index(const acme_task_t *task)
{
    return acme_conf_route_index(task->cert, task->request->ca);
}

/* The session's requests are counted as its CA's. (acme_session_seen_cb) */
static void count_request(void *baton, acme_resource_e resource, int status,
                          apr_interval_time_t latency)
{
    const acme_task_t *task = baton;

    acme_ca_pool_seen(task->env->cas, route_index(task), status, latency,
                      apr_time_now());
    acme_counters_request(acme_conf_ca_index(task->cert, task->request->ca),
                          resource, status, latency);
}

apr_status_t acme_task_borrow(acme_http_t **phttp, const acme_task_t *task,
                              acme_result_t *res)
{
    return acme_ca_pool_borrow(phttp, task->env->cas, route_index(task), res);
}

void acme_task_give_back(const acme_task_t *task, acme_http_t *http)
{
    acme_ca_pool_return(task->env->cas, route_index(task), http);
}

/* (acme_session_lender_t) */
static apr_status_t borrow(acme_http_t **phttp, void *baton,
                           acme_result_t *res)
{
    return acme_task_borrow(phttp, baton, res);
}

static void give_back(void *baton, acme_http_t *http)
{
    acme_task_give_back(baton, http);
}

int acme_task_may_begin(const acme_task_env_t *env,
                        const acme_task_request_t *request)
{
    const acme_state_t *state = &request->state;
    const apr_uint32_t route = acme_conf_route_index(
        acme_conf_cert(env->conf, state->cert), request->ca);
    const apr_time_t now = apr_time_now();

    if (state->wanted) {
        acme_ca_pool_probe(env->cas, route, now);
    }
    else if (!acme_ca_pool_allow(env->cas, route, now)) {
        return 0;
    }
    if (state->wanted || state->attempts) {
        acme_ca_directory_forget(acme_ca_pool_ca(env->cas, route));
    }
    return 1;
}

apr_status_t acme_task_begin(const acme_task_t **ptask,
                             const acme_task_env_t *env,
                             acme_task_request_t *request,
                             acme_task_failure_t *why, apr_pool_t *p)
{
    acme_task_t *task = apr_pcalloc(p, sizeof(*task));
    acme_session_lender_t *lender;
    apr_status_t rv;

    *ptask = NULL;
    acme_task_failure_clear(why);

    task->env = env;
    task->request = request;
    task->state = &request->state;
    task->cert = acme_conf_cert(env->conf, request->state.cert);
    task->begun = apr_time_now();
    task->lasting = p;
    apr_pool_create(&task->p, p);
    rv = acme_keeper_client_open(&task->keeper, env->keeper, env->stop,
                                 &why->res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    task->signing = apr_pcalloc(p, sizeof(*task->signing));
    task->signing->keeper = task->keeper;
    task->signing->about.cert = request->state.cert;
    task->signing->about.ca = request->ca;
    task->signing->id = task->cert->id;
    task->signing->end = task->begun + TASK_MAX;
    task->session = apr_pcalloc(p, sizeof(*task->session));
    task->session->ca = acme_ca_pool_ca(env->cas, route_index(task));
    task->session->sign = sign;
    task->session->baton = task->signing;
    task->session->seen = count_request;
    task->session->seen_baton = task;
    lender = apr_palloc(p, sizeof(*lender));
    *lender = (acme_session_lender_t) { task, borrow, give_back };
    task->session->lender = lender;
    *ptask = task;
    return APR_SUCCESS;
}

void acme_task_report_ca(const acme_task_t *task, const acme_result_t *why)
{
    acme_ca_pool_report(task->env->cas, route_index(task), why,
                        acme_session_latency(task->session), apr_time_now(),
                        task->p);
}

/* What one CA refuses for ever, the next one may do. */
static acme_retry_e retry_of_failure(const acme_failure_t *failure,
                                     const acme_result_t *why)
{
    return failure->cas > 1 && failure->attempts % failure->cas
        ? ACME_RETRY_SOON : why->retry;
}

/* The CA has not refused: it wants to be asked later. */
static void report_postponed(const acme_task_t *task,
                             const acme_task_failure_t *why)
{
    acme_msg_note_t *body = apr_pcalloc(task->p, sizeof(*body));
    acme_result_t ignored;

    body->about = task->signing->about;
    body->note = ACME_NOTE_LIMIT;
    body->next_at = why->res.retry_at;
    body->why = (apr_uint32_t)why->res.reason;
    apr_cpystrn(body->detail, why->res.detail, sizeof(body->detail));
    acme_keeper_client_call(NULL, task->keeper, ACME_MSG_NOTE, body, &ignored,
                            task->p);
}

/* Why, and when it is tried again. */
static void report_failure(const acme_task_t *task,
                           const acme_task_failure_t *why)
{
    acme_msg_note_t *body = apr_pcalloc(task->p, sizeof(*body));
    const apr_time_t now = apr_time_now();
    const acme_failure_t failure = acme_timing_failure(
        task->state, why->res.retry_at, now, acme_task_chance());
    acme_result_t ignored;

    if (why->order_is_lost || why->res.retry == ACME_RETRY_NEVER
        || (acme_problem_is_answer(&why->res)
            && why->res.retry != ACME_RETRY_LATER
            && failure.attempts % ACME_ORDER_TRIES_MAX == 0)) {
        acme_task_send_url(task, ACME_MSG_ORDER, "", &ignored);
    }

    body->about = task->signing->about;
    body->note = ACME_NOTE_FAILED;
    body->retry = retry_of_failure(&failure, &why->res);
    body->want = (apr_uint32_t)task->state->wanted;
    body->next_at = acme_timing_retry_at(&failure, now);
    body->name = why->name;
    body->challenge = why->challenge;
    body->why = (apr_uint32_t)why->res.reason;
    apr_cpystrn(body->problem, why->res.problem, sizeof(body->problem));
    apr_cpystrn(body->detail, why->res.detail, sizeof(body->detail));
    acme_keeper_client_call(NULL, task->keeper, ACME_MSG_NOTE, body, &ignored,
                            task->p);
}

void acme_task_end(const acme_task_t *task, apr_status_t rv,
                   const acme_task_failure_t *why)
{
    if (!acme_stop_is(task->env->stop)) {
        acme_task_report_ca(task, rv == APR_SUCCESS || why->is_local
                                      || why->is_postponed
                            ? NULL : &why->res);
        if (rv != APR_SUCCESS && why->is_postponed) {
            report_postponed(task, why);
        }
        else if (rv != APR_SUCCESS) {
            report_failure(task, why);
        }
    }
}

void acme_task_explain_refused(acme_task_failure_t *why,
                               const acme_task_attempt_t *attempt,
                               const acme_task_t *task)
{
    const acme_state_t *state = task->state;
    apr_time_t next;

    if (!why->order_is_lost) {
        return;
    }
    if (attempt->is_handed_back) {
        acme_result_prefix(
            &why->res,
            "the CA handed back an older order of the same names, which was finalized before");
    }
    next = acme_timing_refused_at(state, apr_time_now());
    if (next > why->res.retry_at) {
        why->res.retry_at = next;
    }
}

int acme_task_is_dry_run(const acme_task_t *task)
{
    return acme_conf_is_dry_run(task->cert, task->request->ca);
}

int acme_task_chance(void)
{
    unsigned char octets[2] = { 0, 0 };

    apr_generate_random_bytes(octets, sizeof(octets));
    return (octets[0] << 8 | octets[1]) % 1000;
}

apr_status_t acme_task_send_url(const acme_task_t *task, acme_message_e kind,
                                const char *url, acme_result_t *res)
{
    acme_msg_url_t *body = apr_pcalloc(task->p, sizeof(*body));

    if (kind == ACME_MSG_ORDER && acme_task_is_dry_run(task)) {
        return APR_SUCCESS;     /* the next one makes an order of its own */
    }
    body->about = task->signing->about;
    apr_cpystrn(body->url, url, sizeof(body->url));
    return acme_keeper_client_call(NULL, task->keeper, kind, body, res,
                                   task->p);
}

/* What an order's note is in a dry run, before its sentence. */
static const char *dry_run_step(apr_uint32_t note)
{
    switch (note) {
    case ACME_NOTE_ORDERED:
        return "ordered: ";
    case ACME_NOTE_VALIDATED:
        return "validated: ";
    default:
        return "";
    }
}

static apr_status_t send_note(const acme_task_t *task, acme_msg_note_t *body,
                              const char *detail, acme_result_t *res)
{
    body->about = task->signing->about;
    body->with = task->signing->with;
    if (acme_task_is_dry_run(task)) {
        detail = apr_pstrcat(task->p, dry_run_step(body->note), detail, NULL);
        body->note = ACME_NOTE_DRY_RUN;
    }
    apr_cpystrn(body->detail, detail, sizeof(body->detail));
    return acme_keeper_client_call(NULL, task->keeper, ACME_MSG_NOTE, body,
                                   res, task->p);
}

apr_status_t acme_task_note(const acme_task_t *task, acme_note_e what,
                            const char *detail, acme_result_t *res)
{
    acme_msg_note_t *body = apr_pcalloc(task->p, sizeof(*body));

    body->note = what;
    body->name = ACME_NO_NAME;
    body->challenge = ACME_CHALLENGES;
    return send_note(task, body, detail, res);
}

apr_status_t acme_task_note_name(const acme_task_t *task,
                                 const acme_task_failure_t *why,
                                 acme_result_t *res)
{
    acme_msg_note_t *body = apr_pcalloc(task->p, sizeof(*body));

    body->note = ACME_NOTE_NAME;
    body->name = why->name;
    body->challenge = why->challenge;
    body->retry = (apr_uint32_t)why->res.retry;
    return send_note(task, body, why->res.detail, res);
}

apr_status_t acme_task_note_challenge(const acme_task_t *task,
                                      const acme_task_failure_t *why,
                                      acme_result_t *res)
{
    acme_msg_note_t *body = apr_pcalloc(task->p, sizeof(*body));

    body->note = ACME_NOTE_CHALLENGE;
    body->name = why->name;
    body->challenge = why->challenge;
    return send_note(task, body,
                     apr_pstrcat(task->p, why->res.detail,
                                 "; another challenge is tried", NULL), res);
}

apr_status_t acme_task_prepare(acme_task_attempt_t *attempt,
                               const acme_task_t *task, acme_result_t *res)
{
    const apr_size_t n = (apr_size_t)task->cert->names->nelts;
    const acme_msg_cert_t body = { task->signing->about };
    acme_message_t reply;
    apr_status_t rv;

    /* A key may take longer than a reply is waited for. */
    do {
        rv = acme_keeper_client_call(&reply, task->keeper, ACME_MSG_PREPARE,
                                     &body, res, task->p);
    } while (APR_STATUS_IS_EAGAIN(rv)
             && apr_time_now() < task->signing->end);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    attempt->prepared = reply.body;
    if (!attempt->flags) {
        attempt->flags = apr_pcalloc(task->lasting, n + 1);
        memcpy(attempt->flags, reply.tail,
               reply.tail_len < n ? reply.tail_len : n);
    }
    return APR_SUCCESS;
}

apr_status_t acme_task_fetch_live(acme_task_chain_t *chain,
                                  const acme_task_t *task, acme_result_t *res)
{
    const acme_msg_cert_t body = { task->signing->about };
    const acme_msg_url_t *live;
    acme_message_t reply;
    apr_status_t rv;

    memset(chain, 0, sizeof(*chain));

    rv = acme_keeper_client_call(&reply, task->keeper, ACME_MSG_LIVE, &body,
                                 res, task->p);
    if (rv == APR_SUCCESS) {
        live = reply.body;
        chain->url = live->url[0] ? live->url : NULL;
        chain->pem = reply.tail;
        chain->len = reply.tail_len;
    }
    return rv;
}

apr_status_t acme_task_send_key(const acme_task_t *task, acme_key_end_e end,
                                acme_result_t *res)
{
    const acme_msg_key_t body = { task->signing->about, (apr_uint32_t)end };

    return acme_keeper_client_call(NULL, task->keeper, ACME_MSG_KEY, &body,
                                   res, task->p);
}

apr_status_t acme_task_send_done(const acme_task_t *task, acme_want_e want,
                                 acme_result_t *res)
{
    const acme_msg_want_t body = { task->signing->about, (apr_uint32_t)want,
                                   -1 };

    return acme_keeper_client_call(NULL, task->keeper, ACME_MSG_DONE, &body,
                                   res, task->p);
}

void acme_task_send_pace(const acme_task_t *task, acme_msg_pace_t *measured)
{
    acme_result_t ignored;

    if (!acme_task_is_dry_run(task)) {
        measured->about = task->signing->about;
        (void)acme_keeper_client_call(NULL, task->keeper, ACME_MSG_PACE,
                                      measured, &ignored, task->p);
    }
}

apr_status_t acme_task_install(const acme_task_t *task, const char *pem,
                               apr_size_t len, const char *url,
                               acme_result_t *res)
{
    acme_msg_url_t *body = apr_pcalloc(task->p, sizeof(*body));
    const acme_message_t request = { .kind = ACME_MSG_INSTALL,
                                     .body = body,
                                     .tail = pem,
                                     .tail_len = len };
    apr_status_t rv;

    body->about = task->signing->about;
    apr_cpystrn(body->url, url, sizeof(body->url));
    /* It may wait for the reader of certificates, behind others. */
    do {
        rv = acme_keeper_client_send(NULL, task->keeper, &request, res,
                                     task->p);
    } while (APR_STATUS_IS_EAGAIN(rv) && apr_time_now() < task->signing->end);
    return rv;
}

apr_status_t acme_task_install_waiting(const acme_task_t *task,
                                       acme_result_t *res)
{
    return acme_task_install(task, NULL, 0, "", res);
}
