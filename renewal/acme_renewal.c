/*
 * acme_renewal.c - one certificate, from the order to the installation.
 */
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "acme_account.h"
#include "acme_certificate.h"
#include "acme_name.h"
#include "acme_problem.h"
#include "acme_schedule.h"
#include "acme_validation.h"

/* An order that the CA refuses so often is dropped, whatever it says. */
#define ORDER_TRIES_MAX 3

/* The account's URL is asked for once and remembered by the keeper. */
static apr_status_t register_account(acme_work_t *work)
{
    const char *url;
    apr_status_t rv;

    rv = acme_work_prepare(work); /* another order may have been faster */
    if (rv != APR_SUCCESS || work->prepared->account_url[0]) {
        return rv;
    }
    rv = acme_account_register(&url, &work->session, &work->res, work->p);
    if (rv == APR_SUCCESS) {
        rv = acme_work_tell_url(work, ACME_MSG_ACCOUNT, url);
    }
    return rv;
}

static apr_status_t ensure_account(acme_work_t *work)
{
    acme_cas_t *cas = work->shop->cas;
    apr_status_t rv;

    if (work->prepared->account_url[0]) {
        return APR_SUCCESS;
    }
    acme_cas_lock_account(cas, work->cert->ca);
    rv = register_account(work);
    acme_cas_unlock_account(cas, work->cert->ca);
    return rv;
}

static apr_status_t note_ordered(acme_work_t *work, const char *how)
{
    const char *ca = acme_url_host(acme_ca_url(work->session.ca), work->p);
    const char *url = acme_text_clean(work->order->url, ACME_URL_MAX, work->p);

    return acme_work_note(
        work, ACME_NOTE_ORDERED,
        apr_psprintf(work->p, "%s %s for %s, %s", how, ca,
                     acme_names_text(work->cert->names, work->p), url));
}

static apr_status_t create_order(acme_work_t *work)
{
    apr_status_t rv;

    rv = acme_order_create(&work->order, &work->session, work->cert->id,
                           &work->res, work->p);
    if (rv == APR_SUCCESS) {
        rv = acme_work_tell_url(work, ACME_MSG_ORDER, work->order->url);
    }
    if (rv == APR_SUCCESS) {
        rv = note_ordered(work, "from");
    }
    return rv;
}

/* Does the CA say that it knows no such order? Trouble of its own is not that. */
static int is_gone(const acme_result_t *res)
{
    return res->problem[0] && res->retry != ACME_RETRY_LATER
           && !acme_problem_is(res, "serverInternal")
           && !acme_problem_is(res, "accountDoesNotExist");
}

/*
 * The unfinished order goes on where it stood. One that the CA does not know
 * any more, or that came to nothing, is forgotten: ENOENT.
 */
static apr_status_t resume_order(acme_work_t *work)
{
    const char *url = work->prepared->order_url;
    apr_status_t rv;

    if (!url[0]) {
        return APR_ENOENT;
    }
    rv = acme_order_fetch(&work->order, &work->session, url, work->cert->id,
                          &work->res, work->p);
    if (rv == APR_SUCCESS && work->order->status != ACME_ORDER_INVALID) {
        acme_work_tell_url(work, ACME_MSG_ORDER, url);
        return note_ordered(work, "resumed at");
    }
    if (rv == APR_SUCCESS || is_gone(&work->res)) {
        rv = acme_work_tell_url(work, ACME_MSG_ORDER, "");
        return rv == APR_SUCCESS ? APR_ENOENT : rv;
    }
    return rv;
}

static apr_status_t ensure_order(acme_work_t *work)
{
    apr_status_t rv = resume_order(work);

    return APR_STATUS_IS_ENOENT(rv) ? create_order(work) : rv;
}

static apr_status_t finalize(acme_work_t *work)
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

static apr_status_t fetch_and_install(acme_work_t *work)
{
    const acme_msg_cert_t body = { work->state->cert };
    const char *pem;
    apr_size_t len;
    apr_status_t rv;

    if (!work->order->certificate) {
        return acme_fail(&work->res, APR_EGENERAL,
                         "%s: the order is "
                         "valid, but the CA names no certificate",
                         work->cert->id);
    }
    rv = acme_certificate_fetch(&pem, &len, &work->session,
                                work->order->certificate, ACME_CHAIN_SIZE_MAX,
                                &work->res, work->p);
    if (rv == APR_SUCCESS) {
        rv = acme_client_call_tail(NULL, work->client, ACME_MSG_INSTALL, &body,
                                   pem, len, &work->res, work->p);
        work->dead = rv == APR_EINVAL; /* it would be refused again */
    }
    return rv;
}

static apr_status_t go(acme_work_t *work)
{
    apr_status_t rv;

    rv = acme_work_prepare(work);
    if (rv == APR_SUCCESS) {
        rv = ensure_account(work);
    }
    if (rv == APR_SUCCESS) {
        rv = ensure_order(work);
    }
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
 * The CA lost the account: it is registered again with its key, once. A
 * request that merely failed is no reason to.
 */
static apr_status_t go_again(acme_work_t *work)
{
    const char *lost = work->prepared->account_url;
    acme_cas_t *cas = work->shop->cas;
    apr_status_t rv;

    acme_cas_lock_account(cas, work->cert->ca);
    rv = acme_work_prepare(work);
    if (rv == APR_SUCCESS && !strcmp(lost, work->prepared->account_url)) {
        rv = acme_work_tell_url(work, ACME_MSG_ACCOUNT, "");
    }
    acme_cas_unlock_account(cas, work->cert->ca);
    if (rv == APR_SUCCESS) {
        rv = acme_work_tell_url(work, ACME_MSG_ORDER, "");
    }
    return rv == APR_SUCCESS ? go(work) : rv;
}

static int chance(void)
{
    unsigned char octets[2] = { 0, 0 };

    apr_generate_random_bytes(octets, sizeof(octets));
    return (octets[0] << 8 | octets[1]) % 1000;
}

/* Tell the keeper why, and when it is tried again. */
static void give_up(acme_work_t *work)
{
    const acme_result_t why = work->res;
    const acme_state_t *state = work->state;
    acme_msg_note_t *body = apr_pcalloc(work->p, sizeof(*body));
    acme_failure_t failure;

    failure.attempts = state->attempts + 1;
    failure.retry_at = why.retry_at;
    failure.lifetime = state->not_after - state->not_before;
    failure.chance = chance();
    if (work->dead || why.retry == ACME_RETRY_NEVER
        || (why.problem[0] && failure.attempts % ORDER_TRIES_MAX == 0)) {
        acme_work_tell_url(work, ACME_MSG_ORDER, "");
    }

    body->cert = state->cert;
    body->note = ACME_NOTE_FAILED;
    body->retry = why.retry;
    body->next_at = acme_retry_at(&failure, apr_time_now());
    apr_cpystrn(body->problem, why.problem, sizeof(body->problem));
    apr_cpystrn(body->detail, why.detail, sizeof(body->detail));
    acme_client_call(NULL, work->client, ACME_MSG_NOTE, body, &work->res,
                     work->p);
}

static void run_with_http(acme_work_t *work)
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
    acme_validation_withdraw(work);
    if (rv != APR_SUCCESS) {
        give_up(work);
    }
}

void acme_renewal_run(const acme_workshop_t *shop, const acme_state_t *state,
                      apr_pool_t *p)
{
    acme_work_t *work = apr_pcalloc(p, sizeof(*work));
    const acme_cert_conf_t *cert = acme_conf_cert(shop->conf, state->cert);

    work->shop = shop;
    work->state = state;
    work->cert = cert;
    work->begun = apr_time_now();
    work->tokens = apr_array_make(p, 4, sizeof(const char *));
    work->p = p;
    if (acme_client_open(&work->client, shop->keeper, shop->stop, &work->res,
                         p)) {
        return; /* no keeper, nobody to tell */
    }
    work->session.ca = acme_cas_ca(shop->cas, cert->ca);
    work->session.sign = acme_work_sign;
    work->session.baton = work;
    if (acme_cas_borrow(&work->session.http, shop->cas, cert->ca,
                        &work->res)) {
        give_up(work);
        return;
    }
    run_with_http(work);
    acme_cas_return(shop->cas, cert->ca, work->session.http);
}
