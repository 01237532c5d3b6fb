/*
 * acme_validation.c - from a new order to one that the CA has validated.
 */
#include <apr_strings.h>

#include "acme_alpn_cert.h"
#include "acme_challenge_pick.h"
#include "acme_dns01.h"
#include "acme_persist_check.h"
#include "acme_validation.h"

/* So long a CA may take to validate, and to issue. */
#define ORDER_WAIT_MAX apr_time_from_sec(10 * 60)

/*
 * The order is asked for again when the CA's validators have come and gone:
 * each look too early is a request more. Without them the first look is after
 * LOOK_FIRST, and the next ones later and later.
 */
#define VALIDATORS_LOOK apr_time_from_msec(25)
#define VALIDATORS_QUIET apr_time_from_msec(150)
#define LOOK_FIRST apr_time_from_sec(3)
#define LOOK_ISSUED apr_time_from_msec(300)
#define LOOK_MAX apr_time_from_sec(10)

/* Every so many looks at a pending order its authorizations are looked at. */
#define LOOKS_PER_AUTHZ 4

/* One authorization with the challenge that is to be answered. */
typedef struct {
    const acme_authorization_t *authz;
    acme_challenge_pick_t choice;
} begun_t;

static apr_status_t answer_here(acme_task_t *work, const begun_t *begun)
{
    const acme_solver_t *solver = work->shop->solver;
    const acme_challenge_t *challenge = begun->choice.challenge;
    acme_challenge_response_t answer;
    apr_status_t rv;

    answer.type = begun->choice.type;
    answer.name = begun->authz->name;
    answer.sni = acme_alpn_cert_sni(answer.name, work->p);
    answer.token = challenge->token;
    answer.key_authorization = acme_challenge_key_authorization(
        challenge->token, work->prepared->thumbprint, work->p);
    rv = solver->present(solver->baton, &answer, &work->res);
    if (rv == APR_SUCCESS) {
        APR_ARRAY_PUSH(work->answers, acme_challenge_response_t) = answer;
    }
    return rv;
}

static apr_status_t tell_ca(acme_task_t *work, const begun_t *begun)
{
    if (begun->choice.challenge->begun) {
        return APR_SUCCESS; /* answered before a reload; it goes on */
    }
    return acme_authorization_respond(&work->session, begun->choice.challenge,
                                      begun->authz->name, &work->res, work->p);
}

/* The authorization came to nothing: whose fault was it? */
static apr_status_t take_failure(acme_task_t *work,
                                 const acme_authorization_t *authz)
{
    int i;

    work->res = authz->error;
    work->dead = 1;
    work->blamed = acme_challenge_pick_name(work, authz);
    for (i = 0; i < authz->challenges->nelts; i++) {
        const acme_challenge_t *challenge =
            &APR_ARRAY_IDX(authz->challenges, i, acme_challenge_t);

        if (challenge->failed && challenge->kind >= 0) {
            work->blamed_challenge = (apr_uint32_t)challenge->kind;
        }
    }
    return authz->error.status;
}

/* Look at each authorization; the pending ones go into begun (or NULL). */
static apr_status_t visit_authorizations(acme_task_t *work,
                                         apr_array_header_t *begun)
{
    const apr_array_header_t *urls = work->order->authorizations;
    apr_status_t rv = APR_SUCCESS;
    acme_authorization_t *authz;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < urls->nelts; i++) {
        rv = acme_authorization_fetch(&authz, &work->session,
                                      APR_ARRAY_IDX(urls, i, const char *),
                                      &work->res, work->p);
        if (rv != APR_SUCCESS) {
            break;
        }
        if (authz->status == ACME_AUTHORIZATION_FAILED) {
            rv = take_failure(work, authz);
        }
        else if (authz->status == ACME_AUTHORIZATION_VALID) {
            work->valid_before += begun != NULL;
        }
        else if (begun) {
            begun_t *row = apr_array_push(begun);

            row->authz = authz;
            acme_persist_check_report(work, authz);
            rv = acme_challenge_pick_make(&row->choice, work, authz);
        }
    }
    return rv;
}

static int is_at(const begun_t *begun, acme_challenge_e type)
{
    return begun->choice.type == type;
}

/* Present what we answer ourselves, and let the CA look at it. */
static apr_status_t begin_here(acme_task_t *work,
                               const apr_array_header_t *all)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < all->nelts; i++) {
        const begun_t *begun = &APR_ARRAY_IDX(all, i, begun_t);

        if (is_at(begun, ACME_HTTP_01) || is_at(begun, ACME_TLS_ALPN_01)) {
            rv = answer_here(work, begun);
        }
        if (rv == APR_SUCCESS && !is_at(begun, ACME_DNS_01)) {
            rv = tell_ca(work, begun);
        }
    }
    return rv;
}

/* All records side by side; the CA looks when all servers have them. */
static apr_status_t begin_dns(acme_task_t *work, const apr_array_header_t *all)
{
    apr_status_t rv;
    int i;

    for (i = 0; i < all->nelts; i++) {
        const begun_t *begun = &APR_ARRAY_IDX(all, i, begun_t);

        if (is_at(begun, ACME_DNS_01)) {
            acme_dns01_add(work, begun->authz, begun->choice.challenge);
        }
    }
    rv = acme_dns01_present(work);
    work->ours = rv != APR_SUCCESS;
    for (i = 0; rv == APR_SUCCESS && i < all->nelts; i++) {
        const begun_t *begun = &APR_ARRAY_IDX(all, i, begun_t);

        if (is_at(begun, ACME_DNS_01)) {
            rv = tell_ca(work, begun);
        }
    }
    return rv;
}

/* "http-01", "http-01, dns-01": what was chosen. */
static const char *types_text(const apr_array_header_t *all, apr_pool_t *p)
{
    const char *text = "";
    int type, i;

    for (type = 0; type < ACME_CHALLENGES; type++) {
        for (i = 0; i < all->nelts; i++) {
            if (is_at(&APR_ARRAY_IDX(all, i, begun_t),
                      (acme_challenge_e)type)) {
                text = apr_pstrcat(p, text, *text ? ", " : "",
                                   acme_challenge_name((acme_challenge_e)type),
                                   NULL);
                break;
            }
        }
    }
    return text;
}

static apr_status_t begin_validation(acme_task_t *work)
{
    apr_array_header_t *all = apr_array_make(work->p, 4, sizeof(begun_t));
    apr_status_t rv;

    rv = visit_authorizations(work, all);
    if (rv == APR_SUCCESS) {
        rv = begin_here(work, all);
    }
    if (rv == APR_SUCCESS) {
        rv = begin_dns(work, all);
    }
    work->types = types_text(all, work->p);
    return rv;
}

static apr_uint32_t seen(const acme_task_t *work)
{
    const acme_solver_t *solver = work->shop->solver;
    apr_uint32_t n = 0;
    int i;

    for (i = 0; i < work->answers->nelts; i++) {
        n += solver->seen(
            solver->baton,
            &APR_ARRAY_IDX(work->answers, i, acme_challenge_response_t));
    }
    return n;
}

/* Until the validators have come and gone, or most has passed. */
static apr_status_t wait_for_validators(acme_task_t *work,
                                        apr_interval_time_t most)
{
    const apr_time_t end = apr_time_now() + most;
    const apr_uint32_t tokens = (apr_uint32_t)work->answers->nelts;
    apr_uint32_t before = 0, count;
    apr_time_t last = 0, now;
    apr_status_t rv;

    while ((now = apr_time_now()) < end) {
        count = seen(work);
        if (count != before) {
            before = count;
            last = now;
        }
        if (tokens && count >= tokens && now - last >= VALIDATORS_QUIET) {
            return APR_SUCCESS;
        }
        rv = acme_stop_wait(work->shop->stop, VALIDATORS_LOOK);
        if (rv != APR_SUCCESS) {
            return acme_fail(&work->res, rv, "stopped");
        }
    }
    return APR_SUCCESS;
}

static apr_status_t wait_for_look(acme_task_t *work, int look,
                                  acme_order_e until)
{
    const apr_time_t retry_after = work->order->retry_after;
    const apr_time_t now = apr_time_now();
    apr_interval_time_t wait = LOOK_ISSUED << (look < 5 ? look : 5);

    if (look == 0 && until == ACME_ORDER_READY) {
        return wait_for_validators(work, LOOK_FIRST);
    }
    if (retry_after > now) {
        wait = retry_after - now;
    }
    if (wait > LOOK_MAX && retry_after <= now) {
        wait = LOOK_MAX;
    }
    if (acme_stop_wait(work->shop->stop, wait) != APR_SUCCESS) {
        return acme_fail(&work->res, APR_EINTR, "stopped");
    }
    return APR_SUCCESS;
}

/* The order came to nothing: the reason is in it or in an authorization. */
static apr_status_t explain_invalid(acme_task_t *work)
{
    apr_status_t rv;

    work->dead = 1;
    rv = visit_authorizations(work, NULL);
    if (rv == APR_SUCCESS) {
        work->res = work->order->error;
        rv = work->res.status;
    }
    if (rv == APR_SUCCESS) {
        acme_fail(&work->res, APR_EGENERAL,
                  "%s: the CA ended the "
                  "order without a word why",
                  work->cert->id);
        rv = acme_result_reason(&work->res, ACME_REASON_ORDER_INVALID);
    }
    return rv;
}

/* A CA that names a far time must not hold one of our threads until then. */
static apr_status_t come_later(acme_task_t *work)
{
    const apr_time_t at = work->order->retry_after;

    acme_fail(&work->res, APR_EAGAIN,
              "%s: the CA says to come again at "
              "%s",
              work->cert->id, acme_time_text(at, work->p));
    work->res.retry = ACME_RETRY_LATER;
    work->res.retry_at = at;
    return acme_result_reason(&work->res, ACME_REASON_CA_SLOW);
}

apr_status_t acme_validation_await(acme_task_t *work, acme_order_e until)
{
    const apr_time_t end = apr_time_now() + ORDER_WAIT_MAX;
    apr_status_t rv = APR_SUCCESS;
    int look = 0;

    while (rv == APR_SUCCESS && work->order->status < until) {
        if (apr_time_now() > end) {
            acme_fail(&work->res, APR_TIMEUP,
                      "%s: the CA did not "
                      "%s within 10 minutes",
                      work->cert->id,
                      until == ACME_ORDER_READY ? "validate" : "issue");
            return acme_result_reason(&work->res, ACME_REASON_CA_SLOW);
        }
        if (work->order->retry_after > end) {
            return come_later(work);
        }
        rv = wait_for_look(work, look++, until);
        if (rv == APR_SUCCESS) {
            rv = acme_order_fetch(&work->order, &work->session,
                                  work->order->url, work->cert->id, &work->res,
                                  work->p);
        }
        if (rv == APR_SUCCESS && look % LOOKS_PER_AUTHZ == 0
            && work->order->status == ACME_ORDER_PENDING) {
            rv = visit_authorizations(work, NULL);
        }
    }
    if (rv == APR_SUCCESS && work->order->status == ACME_ORDER_INVALID) {
        rv = explain_invalid(work);
    }
    return rv;
}

static apr_status_t note_validated(acme_task_t *work)
{
    const int all = work->order->authorizations->nelts;
    const int fresh = all - work->valid_before;
    const apr_interval_time_t took = apr_time_now() - work->begun;
    const char *detail;

    if (!fresh) {
        detail = apr_psprintf(work->p,
                              "%d name%s, still valid from "
                              "before",
                              all, all == 1 ? "" : "s");
    }
    else {
        detail =
            apr_psprintf(work->p, "%d name%s by %s in %d.%d s", fresh,
                         fresh == 1 ? "" : "s", work->types,
                         (int)apr_time_sec(took),
                         (int)(apr_time_msec(took) / 100));
    }
    if (fresh && fresh < all) {
        detail = apr_psprintf(work->p, "%s, %d still valid from before",
                              detail, all - fresh);
    }
    return acme_task_note(work, ACME_NOTE_VALIDATED, detail);
}

apr_status_t acme_validation_run(acme_task_t *work)
{
    apr_status_t rv = APR_SUCCESS;

    if (work->order->status == ACME_ORDER_READY) {
        work->valid_before = work->order->authorizations->nelts;
        return note_validated(work);
    }
    if (work->order->status == ACME_ORDER_PENDING) {
        rv = begin_validation(work);
        if (rv == APR_SUCCESS) {
            rv = acme_validation_await(work, ACME_ORDER_READY);
        }
        if (rv == APR_SUCCESS) {
            rv = note_validated(work);
        }
    }
    return rv;
}

void acme_validation_withdraw(acme_task_t *work)
{
    const acme_solver_t *solver = work->shop->solver;
    int i;

    for (i = 0; i < work->answers->nelts; i++) {
        solver->withdraw(
            solver->baton,
            &APR_ARRAY_IDX(work->answers, i, acme_challenge_response_t));
    }
    work->answers->nelts = 0;
    acme_dns01_cleanup(work);
}
