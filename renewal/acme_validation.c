/*
 * acme_validation.c - from a new order to one that the CA has validated.
 */
#include <apr_strings.h>

#include "acme_authorization.h"
#include "acme_name.h"
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

/* "http-01, dns-01": for the sentence that none of them can be answered. */
static const char *types_text(const acme_authz_t *authz, apr_pool_t *p)
{
    apr_array_header_t *types = apr_array_make(p, 4, sizeof(char *));
    int i;

    for (i = 0; i < authz->challenges->nelts; i++) {
        const acme_challenge_t *challenge =
            &APR_ARRAY_IDX(authz->challenges, i, acme_challenge_t);

        APR_ARRAY_PUSH(types, const char *) = challenge->type;
    }
    return types->nelts
               ? acme_text_clean(apr_array_pstrcat(p, types, ' '), 200, p)
               : "none";
}

/* Present the token before the CA is told that it may look. */
static apr_status_t answer_challenge(acme_work_t *work,
                                     const acme_authz_t *authz)
{
    const acme_solver_t *solver = work->shop->solver;
    const acme_challenge_t *challenge = acme_authz_challenge(authz, "http-01");
    const char *key_authorization;
    apr_status_t rv;

    if (!challenge) {
        return acme_fail_never(&work->res, APR_ENOTIMPL,
                               "%s: the CA "
                               "offers no challenge that can be answered "
                               "here (it offers: %s)",
                               authz->name, types_text(authz, work->p));
    }
    key_authorization = apr_pstrcat(work->p, challenge->token, ".",
                                    work->prepared->thumbprint, NULL);
    rv = solver->present(solver->baton, challenge->token, key_authorization,
                         &work->res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    APR_ARRAY_PUSH(work->tokens, const char *) = challenge->token;
    if (challenge->begun) {
        return APR_SUCCESS; /* answered before a reload; it goes on */
    }
    return acme_challenge_answer(&work->session, challenge, authz->name,
                                 &work->res, work->p);
}

/* Look at each authorization; with answer, begin those that are pending. */
static apr_status_t visit_authorizations(acme_work_t *work, int answer)
{
    const apr_array_header_t *urls = work->order->authorizations;
    apr_status_t rv = APR_SUCCESS;
    acme_authz_t *authz;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < urls->nelts; i++) {
        rv = acme_authz_fetch(&authz, &work->session,
                              APR_ARRAY_IDX(urls, i, const char *), &work->res,
                              work->p);
        if (rv != APR_SUCCESS) {
            break;
        }
        if (authz->status == ACME_AUTHZ_FAILED) {
            work->res = authz->error;
            work->dead = 1;
            rv = authz->error.status;
        }
        else if (authz->status == ACME_AUTHZ_VALID) {
            work->valid_before += answer;
        }
        else if (answer) {
            rv = answer_challenge(work, authz);
        }
    }
    return rv;
}

static apr_uint32_t seen(const acme_work_t *work)
{
    const acme_solver_t *solver = work->shop->solver;
    apr_uint32_t n = 0;
    int i;

    for (i = 0; i < work->tokens->nelts; i++) {
        n += solver->seen(solver->baton,
                          APR_ARRAY_IDX(work->tokens, i, const char *));
    }
    return n;
}

/* Until the validators have come and gone, or most has passed. */
static apr_status_t wait_for_validators(acme_work_t *work,
                                        apr_interval_time_t most)
{
    const apr_time_t end = apr_time_now() + most;
    const apr_uint32_t tokens = (apr_uint32_t)work->tokens->nelts;
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

static apr_status_t wait_for_look(acme_work_t *work, int look,
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
static apr_status_t explain_invalid(acme_work_t *work)
{
    apr_status_t rv;

    work->dead = 1;
    rv = visit_authorizations(work, 0);
    if (rv == APR_SUCCESS) {
        work->res = work->order->error;
        rv = work->res.status;
    }
    if (rv == APR_SUCCESS) {
        rv = acme_fail(&work->res, APR_EGENERAL,
                       "%s: the CA ended the "
                       "order without a word why",
                       work->cert->id);
    }
    return rv;
}

/* A CA that names a far time must not hold one of our threads until then. */
static apr_status_t come_later(acme_work_t *work)
{
    const apr_time_t at = work->order->retry_after;

    acme_fail(&work->res, APR_EAGAIN,
              "%s: the CA says to come again at "
              "%s",
              work->cert->id, acme_time_text(at, work->p));
    work->res.retry = ACME_RETRY_LATER;
    work->res.retry_at = at;
    return APR_EAGAIN;
}

apr_status_t acme_validation_await(acme_work_t *work, acme_order_e until)
{
    const apr_time_t end = apr_time_now() + ORDER_WAIT_MAX;
    apr_status_t rv = APR_SUCCESS;
    int look = 0;

    while (rv == APR_SUCCESS && work->order->status < until) {
        if (apr_time_now() > end) {
            return acme_fail(&work->res, APR_TIMEUP,
                             "%s: the CA did not "
                             "%s within 10 minutes",
                             work->cert->id,
                             until == ACME_ORDER_READY ? "validate" : "issue");
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
            rv = visit_authorizations(work, 0);
        }
    }
    if (rv == APR_SUCCESS && work->order->status == ACME_ORDER_INVALID) {
        rv = explain_invalid(work);
    }
    return rv;
}

static apr_status_t note_validated(acme_work_t *work)
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
            apr_psprintf(work->p, "%d name%s by http-01 in %d.%d s", fresh,
                         fresh == 1 ? "" : "s", (int)apr_time_sec(took),
                         (int)(apr_time_msec(took) / 100));
    }
    if (fresh && fresh < all) {
        detail = apr_psprintf(work->p, "%s, %d still valid from before",
                              detail, all - fresh);
    }
    return acme_work_note(work, ACME_NOTE_VALIDATED, detail);
}

apr_status_t acme_validation_run(acme_work_t *work)
{
    apr_status_t rv = APR_SUCCESS;

    if (work->order->status == ACME_ORDER_READY) {
        work->valid_before = work->order->authorizations->nelts;
        return note_validated(work);
    }
    if (work->order->status == ACME_ORDER_PENDING) {
        rv = visit_authorizations(work, 1);
        if (rv == APR_SUCCESS) {
            rv = acme_validation_await(work, ACME_ORDER_READY);
        }
        if (rv == APR_SUCCESS) {
            rv = note_validated(work);
        }
    }
    return rv;
}

void acme_validation_withdraw(const acme_work_t *work)
{
    const acme_solver_t *solver = work->shop->solver;
    int i;

    for (i = 0; i < work->tokens->nelts; i++) {
        solver->withdraw(solver->baton,
                         APR_ARRAY_IDX(work->tokens, i, const char *));
    }
}
