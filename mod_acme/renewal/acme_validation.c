/*
 * acme_validation.c - from a new order to one that the CA has validated.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_alpn_cert.h"
#include "acme_batch_member.h"
#include "acme_challenge_pick.h"
#include "acme_dns01.h"
#include "acme_problem.h"
#include "acme_publish.h"
#include "acme_validation.h"

/* Of so many looks at an order that is late, its authorizations are fetched at
   the last one. */
#define LOOKS_PER_AUTHZ 4

/* One authorization with the challenge that is answered. */
typedef struct {
    const acme_authorization_t *authz;
    acme_challenge_pick_t pick;
    apr_time_t failing_since;   /* the CA tried and has an error; 0: none */
} answered_t;

#define RETRIES_LAST 10         /* where the CA retries by itself */

/* The authorization came to nothing: which challenge of which name did? */
static apr_status_t explain_failed(acme_task_failure_t *why,
                                   const acme_task_t *task,
                                   const acme_authorization_t *authz)
{
    int i;

    why->res = authz->error;
    why->order_is_lost = 1;
    why->name = acme_challenge_pick_name(task->cert, authz, task->p);
    for (i = 0; i < authz->challenges->nelts; i++) {
        const acme_challenge_t *challenge =
            &APR_ARRAY_IDX(authz->challenges, i, acme_challenge_t);

        if (challenge->failed && challenge->kind >= 0) {
            why->challenge = (apr_uint32_t)challenge->kind;
        }
    }
    return authz->error.status;
}

/* One that was answered before a reload goes on. */
static apr_status_t respond(const acme_task_t *task, answered_t *row,
                            acme_result_t *res)
{
    int has_error = 0;
    apr_status_t rv = APR_SUCCESS;

    if (!row->pick.challenge->begun) {
        rv = acme_authorization_respond(&has_error, task->session,
                                        row->pick.challenge, row->authz->name,
                                        res, task->p);
    }
    if (has_error && !row->failing_since) {
        row->failing_since = apr_time_now();
    }
    return rv;
}

/* What has become of the challenge that we answered; NULL: it is not there. */
static const acme_challenge_t *find_answered(const acme_authorization_t *authz,
                                             const answered_t *row)
{
    int i;

    for (i = 0; i < authz->challenges->nelts; i++) {
        const acme_challenge_t *challenge =
            &APR_ARRAY_IDX(authz->challenges, i, acme_challenge_t);

        if (!strcmp(challenge->url, row->pick.challenge->url)) {
            return challenge;
        }
    }
    return NULL;
}

/*
 * A pending authorization whose challenge has an error: the CA waits until it
 * is asked to retry (8555, 8.2), and some wait for ever. It is asked, and an
 * error that stays is the challenge's failure.
 */
static apr_status_t judge_pending(const acme_task_attempt_t *attempt,
                                  const acme_task_t *task,
                                  const acme_authorization_t *authz,
                                  acme_task_failure_t *why)
{
    const apr_interval_time_t lasts = task->env->waits->error_lasts;
    const acme_challenge_t *challenge = NULL;
    const apr_time_t now = apr_time_now();
    answered_t *row = NULL;
    acme_result_t ignored;
    int i;

    for (i = 0; !challenge && i < attempt->answered->nelts; i++) {
        row = &APR_ARRAY_IDX(attempt->answered, i, answered_t);
        challenge = find_answered(authz, row);
    }
    if (!challenge) {
        return APR_SUCCESS;
    }
    if (!challenge->error) {
        row->failing_since = 0;
        return APR_SUCCESS;
    }
    if (!row->failing_since) {
        row->failing_since = now;
    }
    if (now - row->failing_since
        >= (challenge->begun ? RETRIES_LAST * lasts : lasts)) {
        why->res = *challenge->error;
        why->order_is_lost = 1;
        why->name = acme_challenge_pick_name(task->cert, authz, task->p);
        why->challenge = (apr_uint32_t)row->pick.type;
        return why->res.status;
    }
    if (!challenge->begun) {
        (void)respond(task, row, &ignored);     /* the error tells it better */
    }
    return APR_SUCCESS;
}

/* Does one of the challenges have an error, and no verdict yet? */
static int is_failing(const acme_task_attempt_t *attempt)
{
    int i;

    for (i = 0; i < attempt->answered->nelts; i++) {
        if (APR_ARRAY_IDX(attempt->answered, i, answered_t).failing_since) {
            return 1;
        }
    }
    return 0;
}

/*
 * Each authorization of the order; a failure when one of them failed. Those
 * that are pending are put into pending; the memory of the others goes.
 */
static apr_status_t fetch_authorizations(apr_array_header_t *pending,
                                         const acme_task_attempt_t *attempt,
                                         const acme_task_t *task,
                                         acme_task_failure_t *why)
{
    const apr_array_header_t *urls = attempt->order->authorizations;
    acme_authorization_t *authz;
    apr_status_t rv = APR_SUCCESS;
    apr_pool_t *own;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < urls->nelts; i++) {
        apr_pool_create(&own, task->p);
        rv = acme_authorization_fetch(&authz, task->session,
                                      APR_ARRAY_IDX(urls, i, const char *),
                                      &why->res, own);
        if (rv == APR_SUCCESS && authz->status == ACME_AUTHORIZATION_FAILED) {
            rv = explain_failed(why, task, authz);
        }
        if (rv == APR_SUCCESS && !pending
            && authz->status == ACME_AUTHORIZATION_PENDING
            && attempt->order->status == ACME_ORDER_PENDING) {
            rv = judge_pending(attempt, task, authz, why);
        }
        if (rv == APR_SUCCESS && pending
            && authz->status == ACME_AUTHORIZATION_PENDING) {
            APR_ARRAY_PUSH(pending, const acme_authorization_t *) = authz;
        }
        else {
            apr_pool_destroy(own);
        }
    }
    return rv;
}

static apr_status_t find_failed(const acme_task_attempt_t *attempt,
                                const acme_task_t *task,
                                acme_task_failure_t *why)
{
    return fetch_authorizations(NULL, attempt, task, why);
}

/* Challenges of http-01 and tls-alpn-01 are answered by this server. */
static apr_status_t present_answer(acme_task_attempt_t *attempt,
                                   const acme_task_t *task,
                                   const answered_t *row, acme_result_t *res)
{
    const acme_solver_t *solver = task->env->solver;
    const acme_challenge_t *challenge = row->pick.challenge;
    acme_challenge_response_t answer;
    apr_status_t rv;

    answer.type = row->pick.type;
    answer.name = row->authz->name;
    answer.sni = acme_alpn_cert_sni(answer.name, task->p);
    answer.token = challenge->token;
    answer.key_authorization = acme_challenge_key_authorization(
        challenge->token, attempt->prepared->thumbprint, task->p);
    rv = solver->present(solver->baton, &answer, res);
    if (rv == APR_SUCCESS) {
        APR_ARRAY_PUSH(attempt->answers, acme_challenge_response_t) = answer;
    }
    return rv;
}

/* "http-01", "http-01, dns-01": what was chosen. */
static const char *types_text(const apr_array_header_t *rows, apr_pool_t *p)
{
    const char *text = "";
    int type, i;

    for (type = 0; type < ACME_CHALLENGES; type++) {
        for (i = 0; i < rows->nelts; i++) {
            if (APR_ARRAY_IDX(rows, i, answered_t).pick.type
                == (acme_challenge_e)type) {
                text = apr_pstrcat(p, text, *text ? ", " : "",
                                   acme_challenge_name((acme_challenge_e)type),
                                   NULL);
                break;
            }
        }
    }
    return text;
}

/* Tell the CA to look, for each challenge of this type. */
static apr_status_t respond_all(const apr_array_header_t *rows,
                                acme_challenge_e type, const acme_task_t *task,
                                acme_result_t *res)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < rows->nelts; i++) {
        answered_t *row = &APR_ARRAY_IDX(rows, i, answered_t);

        if (row->pick.type == type) {
            rv = respond(task, row, res);
        }
    }
    return rv;
}

/* The authorizations that are pending, with the challenge to answer. */
static apr_status_t pick_challenges(apr_array_header_t *rows,
                                    acme_task_attempt_t *attempt,
                                    const acme_task_t *task,
                                    acme_task_failure_t *why)
{
    apr_array_header_t *authzs = apr_array_make(
        task->p, 4, sizeof(acme_authorization_t *));
    int i;
    apr_status_t rv;

    rv = fetch_authorizations(authzs, attempt, task, why);
    attempt->valid_before = attempt->order->authorizations->nelts
                          - authzs->nelts;
    for (i = 0; rv == APR_SUCCESS && i < authzs->nelts; i++) {
        const acme_authorization_t *authz =
            APR_ARRAY_IDX(authzs, i, const acme_authorization_t *);
        answered_t *row;

        row = apr_array_push(rows);
        memset(row, 0, sizeof(*row));
        row->authz = authz;
        rv = acme_challenge_pick(&row->pick, attempt, task, authz, why);
    }
    return rv;
}

apr_status_t acme_validation_begin(acme_task_attempt_t *attempt,
                                   const acme_task_t *task,
                                   acme_task_failure_t *why)
{
    apr_array_header_t *rows = apr_array_make(task->p, 4, sizeof(answered_t));
    apr_status_t rv;
    int i;

    attempt->valid_before = 0;
    attempt->types = NULL;
    attempt->answered = rows;
    attempt->answers = apr_array_make(task->p, 4,
                                      sizeof(acme_challenge_response_t));
    if (attempt->order->status == ACME_ORDER_READY) {
        attempt->valid_before = attempt->order->authorizations->nelts;
        attempt->types = "";
    }
    if (attempt->order->status != ACME_ORDER_PENDING) {
        return APR_SUCCESS;
    }

    rv = pick_challenges(rows, attempt, task, why);
    attempt->types = types_text(rows, task->p);
    if (rv == APR_SUCCESS && rows->nelts) {
        rv = acme_batch_member_join(attempt, task, why);
    }

    /* What others publish is published side by side, and before the CA looks;
       it looks at the rest meanwhile. */
    for (i = 0; rv == APR_SUCCESS && i < rows->nelts; i++) {
        answered_t *row = &APR_ARRAY_IDX(rows, i, answered_t);
        const acme_challenge_e type = row->pick.type;

        if (type == ACME_HTTP_01 || type == ACME_TLS_ALPN_01) {
            rv = present_answer(attempt, task, row, &why->res);
        }
        if (type == ACME_DNS_01) {
            acme_dns01_add(attempt, task, row->authz, row->pick.challenge);
        }
        else if (type == ACME_HTTP_01 && task->cert->http) {
            acme_publish_add(attempt, task, row->authz, type,
                             row->pick.challenge->token);
        }
        else if (rv == APR_SUCCESS) {
            rv = respond(task, row, &why->res);
        }
    }
    if (rv == APR_SUCCESS) {
        acme_dns01_locate(attempt, task, 0);
        rv = acme_publish_present(attempt, task, why);
    }
    if (rv == APR_SUCCESS && attempt->published) {
        rv = acme_batch_member_join(attempt, task, why);    /* it took long */
    }
    if (rv == APR_SUCCESS && task->cert->http) {
        rv = respond_all(rows, ACME_HTTP_01, task, &why->res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_dns01_wait(attempt, task, why);
    }
    if (rv == APR_SUCCESS && attempt->published) {
        rv = acme_batch_member_join(attempt, task, why);    /* so did this */
    }
    if (rv == APR_SUCCESS) {
        rv = respond_all(rows, ACME_DNS_01, task, &why->res);
    }
    return rv;
}

/* A wait for the order. */
typedef struct {
    acme_order_e until;         /* READY or VALID */
    apr_time_t begun;
    int looks;                  /* at the order */
    int looks_since_visit;
    int looks_late;             /* the authorizations may tell more */
    apr_time_t retry_after;     /* to look not before; 0: the CA did not say */
    acme_validation_t validation;       /* of READY; of VALID only the last
                                           look */
} waiting_t;

/* Of this server alone it is known whether validators came. */
static int is_seen(const acme_task_attempt_t *attempt, const acme_task_t *task)
{
    return attempt->answers->nelts && !task->cert->http
        && attempt->answers->nelts == attempt->answered->nelts;
}

static waiting_t begin_wait(const acme_task_attempt_t *attempt,
                            const acme_task_t *task, acme_order_e until)
{
    return (waiting_t) {
        .until = until,
        .begun = apr_time_now(),
        .validation = {
            .pace = &attempt->prepared->pace,
            .is_seen = until == ACME_ORDER_READY && is_seen(attempt, task),
            .challenges = (apr_uint32_t)attempt->answered->nelts
        }
    };
}

static apr_uint32_t count_visits(const acme_task_attempt_t *attempt,
                                 const acme_task_t *task)
{
    const acme_solver_t *solver = task->env->solver;
    apr_uint32_t count = 0;
    int i;

    for (i = 0; i < attempt->answers->nelts; i++) {
        count += solver->seen(solver->baton,
                              &APR_ARRAY_IDX(attempt->answers, i,
                                             acme_challenge_response_t));
    }
    return count;
}

/* When to look at the order: at the CA's word, else as others took. */
static apr_time_t next_look(const waiting_t *waiting,
                            const acme_task_attempt_t *attempt,
                            const acme_task_t *task)
{
    const acme_task_waits_t *waits = task->env->waits;
    const acme_validation_t *validation = &waiting->validation;
    apr_interval_time_t look;

    if (waiting->retry_after) {
        return waiting->retry_after;
    }
    if (waiting->until == ACME_ORDER_VALID) {
        return waiting->begun
             + acme_timing_look(&validation->pace->of[ACME_PACE_ISSUED],
                                validation->before, &waits->looks);
    }
    look = acme_timing_validation_look(validation, &waits->looks);
    if (is_failing(attempt) && look < validation->before + waits->failing) {
        look = validation->before + waits->failing;
    }
    return waiting->begun + look;
}

/* Wait until it is time to look. Validators that come bring that forward. */
static apr_status_t wait_for_look(waiting_t *waiting,
                                  acme_task_attempt_t *attempt,
                                  const acme_task_t *task)
{
    acme_validation_t *validation = &waiting->validation;
    const apr_interval_time_t every = task->env->waits->seen_every;
    const apr_time_t retry_after = attempt->order->retry_after;
    apr_time_t now = apr_time_now(), last, at;
    apr_uint32_t visits;

    /* Of a new order it is not about what has been answered since. */
    waiting->retry_after =
        retry_after > now
        && (waiting->looks || waiting->until == ACME_ORDER_VALID)
            ? retry_after : 0;
    do {
        last = now;
        visits = validation->is_seen ? count_visits(attempt, task) : 0;
        if (visits != validation->visits) {
            validation->visits = visits;
            validation->visited = now - waiting->begun;
            waiting->looks_since_visit = 0;
        }
        at = next_look(waiting, attempt, task);
        if (at <= now) {
            break;
        }
        if (acme_batch_member_wait(attempt, task,
                                   validation->is_seen && at - now > every
                                       ? every : at - now)) {
            return APR_EINTR;
        }
        now = apr_time_now();
    } while (now >= last);      /* a clock that is set back ends the wait */
    waiting->looks++;
    waiting->looks_since_visit++;
    validation->before = now > waiting->begun ? now - waiting->begun : 1;
    return APR_SUCCESS;
}

/* Was each challenge answered now, and none before a reload? */
static int is_measured(const acme_task_attempt_t *attempt)
{
    int i;

    for (i = 0; i < attempt->answered->nelts; i++) {
        if (APR_ARRAY_IDX(attempt->answered, i,
                          answered_t).pick.challenge->begun) {
            return 0;
        }
    }
    return attempt->answered->nelts > 0;
}

/* The order got as far: later orders begin with what was measured here. */
static void report_pace(const waiting_t *waiting,
                        const acme_task_attempt_t *attempt,
                        const acme_task_t *task)
{
    const acme_validation_t *validation = &waiting->validation;
    acme_msg_pace_t measured = { .looks = { 0 } };
    acme_pace_e what = ACME_PACE_ISSUED;
    int i;

    if (!waiting->looks
        || (waiting->until == ACME_ORDER_READY && !is_measured(attempt))) {
        return;
    }
    for (i = 0; i < ACME_PACES; i++) {
        measured.values[i] = ACME_NOT_MEASURED;
    }
    if (waiting->until == ACME_ORDER_READY) {
        what = validation->is_seen ? ACME_PACE_SEEN : ACME_PACE_UNSEEN;
    }
    measured.values[what] =
        (apr_uint32_t)apr_time_as_msec(validation->before);
    measured.looks[what] = (apr_uint32_t)waiting->looks;
    if (validation->is_seen) {
        measured.values[ACME_PACE_VISITS] =
            count_visits(attempt, task) / validation->challenges;
    }
    if (validation->is_seen && acme_timing_validators_came(validation)
        && validation->before >= validation->visited) {
        measured.values[ACME_PACE_SETTLED] = (apr_uint32_t)apr_time_as_msec(
            validation->before - validation->visited);
        measured.looks[ACME_PACE_SETTLED] =
            (apr_uint32_t)waiting->looks_since_visit;
    }
    acme_task_send_pace(task, &measured);
}

/* The order came to nothing: the reason is in it or in an authorization. */
static apr_status_t explain_invalid(const acme_task_attempt_t *attempt,
                                    const acme_task_t *task,
                                    acme_task_failure_t *why)
{
    apr_status_t rv;

    why->order_is_lost = 1;
    rv = find_failed(attempt, task, why);
    if (rv == APR_SUCCESS) {
        why->res = attempt->order->error;
        rv = why->res.status;
    }
    if (rv == APR_SUCCESS) {
        acme_fail(&why->res, APR_EGENERAL,
                  "%s: the CA marked the order invalid and gave no reason",
                  task->cert->id);
        rv = acme_result_reason(&why->res, ACME_REASON_ORDER_INVALID);
    }
    return rv;
}

/* Fetch the order anew; the memory of the one before goes. */
static apr_status_t fetch_order(acme_task_attempt_t *attempt,
                                const acme_task_t *task, acme_result_t *res)
{
    acme_order_t *order;
    apr_pool_t *own;
    apr_status_t rv;

    apr_pool_create(&own, task->p);
    rv = acme_order_fetch(&order, task->session, attempt->order->url,
                          &attempt->scope, res, own);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(own);
        return rv;
    }
    attempt->order = order;
    if (attempt->order_pool) {
        apr_pool_destroy(attempt->order_pool);
    }
    attempt->order_pool = own;
    return APR_SUCCESS;
}

/* An authorization can fail long before the CA says so of the order. */
static int is_time_for_authorizations(waiting_t *waiting,
                                      const acme_task_attempt_t *attempt,
                                      const acme_task_t *task)
{
    if (is_failing(attempt)) {
        return 1;
    }
    return waiting->validation.before >= task->env->waits->authorizations
        && ++waiting->looks_late % LOOKS_PER_AUTHZ == 0;
}

apr_status_t acme_validation_wait(acme_task_attempt_t *attempt,
                                  const acme_task_t *task, acme_order_e until,
                                  acme_task_failure_t *why)
{
    waiting_t waiting = begin_wait(attempt, task, until);
    const apr_time_t end = waiting.begun + task->env->waits->total;
    const char *id = task->cert->id;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && attempt->order->status < until) {
        const apr_time_t retry_after = attempt->order->retry_after;

        if (apr_time_now() > end) {
            acme_fail(&why->res, APR_TIMEUP,
                      "%s: the CA did not %s within 10 minutes", id,
                      until == ACME_ORDER_READY ? "validate" : "issue");
            return acme_result_reason(&why->res, ACME_REASON_CA_SLOW);
        }
        /* It must not hold one of our threads until then. */
        if (retry_after > end) {
            acme_fail(&why->res, APR_EAGAIN,
                      "%s: the CA's Retry-After postpones the order until %s",
                      id, acme_time_text(retry_after, task->p));
            why->res.retry = ACME_RETRY_LATER;
            why->res.retry_at = retry_after;
            why->is_postponed = 1;
            return acme_result_reason(&why->res, ACME_REASON_CA_SLOW);
        }
        if (wait_for_look(&waiting, attempt, task)) {
            return acme_fail(&why->res, APR_EINTR, "%s: stopped", id);
        }
        rv = fetch_order(attempt, task, &why->res);
        if (rv == APR_SUCCESS && attempt->order->status == ACME_ORDER_PENDING
            && is_time_for_authorizations(&waiting, attempt, task)) {
            rv = find_failed(attempt, task, why);
        }
    }
    if (rv == APR_SUCCESS && attempt->order->status == ACME_ORDER_INVALID) {
        return explain_invalid(attempt, task, why);
    }
    if (rv == APR_SUCCESS) {
        report_pace(&waiting, attempt, task);
    }
    return rv;
}

/*
 * Did the CA take the CSR, though its reply was late, lost or an error of its
 * own? Its order knows; nothing is repeated before it was looked at.
 */
static int is_finalized(acme_task_attempt_t *attempt, const acme_task_t *task,
                        const acme_result_t *why)
{
    acme_result_t ignored;

    return (!why->problem[0] || acme_problem_is(why, "serverInternal")
            || acme_problem_is(why, "orderNotReady"))
        && !acme_stop_is(task->env->stop)
        && fetch_order(attempt, task, &ignored) == APR_SUCCESS
        && (attempt->order->status == ACME_ORDER_PROCESSING
            || attempt->order->status == ACME_ORDER_VALID);
}

apr_status_t acme_validation_finalize(acme_task_attempt_t *attempt,
                                      const acme_task_t *task,
                                      acme_task_failure_t *why)
{
    acme_order_t *after;
    apr_status_t rv;

    if (attempt->order->status != ACME_ORDER_READY) {
        return APR_SUCCESS;     /* it was before */
    }
    rv = acme_order_finalize(&after, task->session, attempt->order,
                             &attempt->scope, &why->res, task->p);
    if (rv == APR_SUCCESS) {
        attempt->order = after;
        return rv;
    }
    return is_finalized(attempt, task, &why->res) ? APR_SUCCESS : rv;
}

apr_status_t acme_validation_note(const acme_task_attempt_t *attempt,
                                  const acme_task_t *task, acme_result_t *res)
{
    const int all = attempt->order->authorizations->nelts;
    const int fresh = all - attempt->valid_before;
    const apr_interval_time_t took = apr_time_now() - task->begun;
    const char *detail;

    if (!attempt->types) {
        return APR_SUCCESS;     /* that was before a reload */
    }
    if (!all) {
        detail = "the CA demands no authorization";
    }
    else if (!fresh) {
        detail = apr_psprintf(task->p, "%d name%s, still valid from before",
                              all, all == 1 ? "" : "s");
    }
    else {
        detail = apr_psprintf(task->p, "%d name%s by %s in %d.%d s", fresh,
                              fresh == 1 ? "" : "s", attempt->types,
                              (int)apr_time_sec(took),
                              (int)(apr_time_msec(took) / 100));
    }
    if (fresh && fresh < all) {
        detail = apr_psprintf(task->p, "%s, %d still valid from before",
                              detail, all - fresh);
    }
    return acme_task_note(task, ACME_NOTE_VALIDATED, detail, res);
}

void acme_validation_withdraw(acme_task_attempt_t *attempt,
                              const acme_task_t *task)
{
    const acme_solver_t *solver = task->env->solver;
    int i;

    acme_batch_member_leave(attempt, task, 0);
    for (i = 0; attempt->answers && i < attempt->answers->nelts; i++) {
        solver->withdraw(solver->baton,
                         &APR_ARRAY_IDX(attempt->answers, i,
                                        acme_challenge_response_t));
    }
    attempt->answers = NULL;
    acme_dns01_locate(attempt, task, 1);
    acme_publish_cleanup(attempt, task);
}
