/*
 * acme_renewal.c - one certificate, from the order to the installation.
 */
#include <apr_strings.h>

#include "acme_chain_pick.h"
#include "acme_challenge_pick.h"
#include "acme_name.h"
#include "acme_order_begin.h"
#include "acme_problem.h"
#include "acme_schedule.h"
#include "acme_validation.h"
#include "acme_admin_task.h"

/* An order that the CA refuses so often is dropped, whatever it says. */
#define ORDER_TRIES_MAX 3

static apr_status_t finalize(acme_task_t *work)
{
    apr_status_t rv = APR_SUCCESS;

    if (work->order->status == ACME_ORDER_READY) {
        rv = acme_order_finalize(&work->order, &work->session, work->order,
                                 work->cert->id, &work->res, work->p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_validation_await(work, ACME_ORDER_VALID);
    }
    return rv;
}

static apr_status_t fetch_and_install(acme_task_t *work)
{
    const char *pem, *url = work->order->certificate;
    apr_size_t len;
    apr_status_t rv;

    if (!url) {
        return acme_fail(&work->res, APR_EGENERAL,
                         "%s: the order is "
                         "valid, but the CA names no certificate",
                         work->cert->id);
    }
    rv = acme_chain_pick_fetch(&pem, &len, &url, work);
    if (rv == APR_SUCCESS) {
        rv = acme_task_install(work, pem, len, url);
        work->dead = rv == APR_EINVAL; /* it would be refused again */
    }
    return rv;
}

static apr_status_t run_order(acme_task_t *work)
{
    apr_status_t rv;

    rv = acme_order_begin_order(work);
    if (rv == APR_SUCCESS) {
        rv = acme_validation_run(work);
    }
    if (rv == APR_SUCCESS) {
        rv = finalize(work);
    }
    if (rv == APR_SUCCESS) {
        rv = fetch_and_install(work);
    }
    return rv;
}

/*
 * A challenge failed on a name, which ends the order. As long as there is
 * another type to try, the next order does that at once.
 */
static int try_another_challenge(acme_task_t *work)
{
    if (work->blamed == ACME_NO_NAME
        || work->blamed_challenge >= ACME_CHALLENGES
        || (work->flags[work->blamed] & (1u << work->blamed_challenge))) {
        return 0;               /* each type is tried once a run */
    }
    work->flags[work->blamed] |= (unsigned char)(1u << work->blamed_challenge);
    if (!acme_challenge_pick_another(work)) {
        return 0;
    }
    acme_task_note(work, ACME_NOTE_CHALLENGE,
                   apr_pstrcat(work->p, work->res.detail,
                               "; another challenge is tried", NULL));
    acme_validation_withdraw(work);
    work->blamed = ACME_NO_NAME;
    work->blamed_challenge = ACME_CHALLENGES;
    work->dead = 0;
    work->valid_before = 0;
    return acme_task_tell_url(work, ACME_MSG_ORDER, "") == APR_SUCCESS
           && acme_task_prepare(work) == APR_SUCCESS;
}

/* One key type: its own order, for the same names. */
static apr_status_t run_part(acme_task_t *work)
{
    apr_status_t rv;

    rv = acme_task_prepare(work);
    if (rv == APR_SUCCESS && work->prepared->issued) {
        return acme_task_install(work, NULL, 0, NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_order_begin_account(work);
    }
    while (rv == APR_SUCCESS && (rv = run_order(work)) != APR_SUCCESS
           && try_another_challenge(work)) {
        rv = APR_SUCCESS;
    }
    return rv;
}

static apr_status_t order(acme_task_t *work)
{
    apr_status_t rv = APR_SUCCESS;

    for (work->about.part = 0;
         rv == APR_SUCCESS && work->about.part < acme_conf_parts(work->cert);
         work->about.part++) {
        rv = run_part(work);
        if (rv != APR_SUCCESS) {
            return rv;          /* about is still the part that failed */
        }
        acme_validation_withdraw(work);
        work->valid_before = 0;
    }
    work->about.part = 0;
    return rv;
}

/* What the administrator asked for, or a certificate. */
static apr_status_t go(acme_task_t *work)
{
    return work->state->wanted > ACME_WANT_RENEWAL ? acme_admin_task_run(work)
                                                   : order(work);
}

/* The CA lost the account: it is registered again, once. */
static apr_status_t go_again(acme_task_t *work)
{
    apr_status_t rv = acme_order_begin_account_again(work);

    return rv == APR_SUCCESS ? go(work) : rv;
}

/* What one CA refuses for ever, the next one may do. */
static acme_retry_e retry_of(const acme_failure_t *failure,
                             const acme_result_t *why)
{
    return failure->cas > 1 && failure->attempts % failure->cas
        ? ACME_RETRY_SOON : why->retry;
}

/* Tell the keeper why, and when it is tried again. */
static void give_up(acme_task_t *work)
{
    const acme_result_t why = work->res;
    acme_msg_note_t *body = apr_pcalloc(work->p, sizeof(*body));
    const apr_time_t now = apr_time_now();
    acme_failure_t failure = acme_schedule_failure(work->state, why.retry_at,
                                                   now, acme_task_chance());

    if (work->dead || why.retry == ACME_RETRY_NEVER
        || (why.problem[0] && failure.attempts % ORDER_TRIES_MAX == 0)) {
        acme_task_tell_url(work, ACME_MSG_ORDER, "");
    }

    body->about = work->about;
    body->note = ACME_NOTE_FAILED;
    body->retry = retry_of(&failure, &why);
    body->want = (apr_uint32_t)work->state->wanted;
    body->next_at = acme_schedule_retry_at(&failure, now);
    body->name = work->blamed;
    body->challenge = work->blamed_challenge;
    body->why = (apr_uint32_t)why.reason;
    apr_cpystrn(body->problem, why.problem, sizeof(body->problem));
    apr_cpystrn(body->detail, why.detail, sizeof(body->detail));
    acme_client_call(NULL, work->client, ACME_MSG_NOTE, body, &work->res,
                     work->p);
}

static void run_with_http(acme_task_t *work)
{
    apr_status_t rv;

    rv = go(work);
    if (rv != APR_SUCCESS
        && acme_problem_is(&work->res, "accountDoesNotExist")) {
        rv = go_again(work);
    }
    if (acme_stop_is(work->shop->stop)) {
        return; /* whoever comes after us resumes it */
    }
    acme_ca_pool_report(work->shop->cas,
                        acme_conf_ca_index(work->cert, work->about.ca),
                        rv == APR_SUCCESS || work->ours ? NULL : &work->res,
                        apr_time_now(), work->p);
    acme_validation_withdraw(work);
    if (rv != APR_SUCCESS) {
        give_up(work);
    }
}

void acme_renewal_run(const acme_workshop_t *shop, acme_turn_t *turn,
                      apr_pool_t *p)
{
    const acme_state_t *state = &turn->state;
    const acme_cert_conf_t *cert = acme_conf_cert(shop->conf, state->cert);
    acme_task_t *work;

    if (!acme_ca_pool_allow(shop->cas, acme_conf_ca_index(cert, turn->ca),
                            state->wanted != ACME_WANT_NOTHING,
                            apr_time_now())) {
        return; /* looked at again soon */
    }
    work = acme_task_begin(shop, turn, p);
    if (!work) {
        return; /* no keeper, nobody to tell */
    }
    if (state->wanted || state->attempts) {
        acme_ca_directory_forget(work->session.ca);
    }
    if (work->session.http) {
        run_with_http(work);
    }
    else {
        give_up(work);
    }
    acme_task_end(work);
}
