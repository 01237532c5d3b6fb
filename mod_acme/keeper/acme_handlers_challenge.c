/*
 * acme_handlers_challenge.c - what the keeper publishes for challenges, and
 * the batch of validations that an order joins.
 */
#include "acme_handlers_challenge.h"
#include "acme_name.h"

/* What the worker asks for, as far as the configuration has it. */
static apr_status_t find_job(acme_publish_job_t *job,
                             const acme_request_t *request)
{
    const acme_msg_publish_t *body = request->message->body;
    const acme_cert_conf_t *cert = request->cert;
    const apr_uint32_t others = (apr_uint32_t)cert->names->nelts - 1;
    const int is_http = body->challenge == ACME_HTTP_01;
    const char *name;

    if ((!is_http && body->challenge != ACME_DNS_01)
        || (is_http ? !cert->http : !cert->dns)
        || body->name >= (apr_uint32_t)cert->names->nelts
        || !acme_text_is_base64url(body->token, ACME_TOKEN_MAX)) {
        return acme_fail(
            request->res, APR_EINVAL,
            "%s: a worker asked for a DNS record or a token of http-01 that is not configured",
            cert->id);
    }
    name = APR_ARRAY_IDX(cert->names, body->name, const char *);
    if (is_http && acme_name_is_wildcard(name)) {
        return acme_fail(request->res, APR_EINVAL,
                         "%s: a wildcard cannot be validated by http-01",
                         name);
    }
    *job = (acme_publish_job_t) {
        .purpose = request->message->who == ACME_BY_WITNESS
                       ? ACME_PUBLISH_FOR_REHEARSAL
                   : acme_request_is_for_dry_run(request)
                       ? ACME_PUBLISH_FOR_DRY_RUN : ACME_PUBLISH_FOR_ORDER,
        .cert = body->about.cert,
        .id = cert->id,
        .dns = is_http ? NULL : cert->dns,
        .http = is_http ? cert->http : NULL,
        .name = acme_name_base(name),
        .token = body->token,
        .record = !is_http && body->record[0] ? body->record : NULL,
        .names = cert->names,
        /* A worker's number is bounded by the names of the certificate. */
        .remaining = (int)(body->remaining < others ? body->remaining
                                                    : others)
    };
    return APR_SUCCESS;
}

/* Commands of an order may not be able to run beside another one of the same
   certificate, and what comes first are orders. */
static apr_status_t check_rehearsal(const acme_request_t *request)
{
    const acme_msg_publish_t *body = request->message->body;
    const acme_state_t *state =
        acme_registry_state(request->registry, request->about->cert);

    if (request->message->who == ACME_BY_WITNESS
        && body->action == ACME_PUBLISH_PRESENT
        && (state->ordering || state->wanted == ACME_WANT_DRY_RUN)) {
        return acme_fail(
            request->res, APR_EBUSY,
            "%s: AcmeDns is not tried while an order or a dry run of the certificate is under way",
            request->cert->id);
    }
    return APR_SUCCESS;
}

apr_status_t acme_handlers_challenge_publish(acme_message_t *reply,
                                             acme_request_t *request)
{
    const acme_msg_publish_t *body = request->message->body;
    acme_published_t *records = request->handlers->records;
    const acme_ca_account_t *account;
    acme_publish_job_t job;
    const char *thumbprint;
    apr_status_t rv;

    (void)reply;
    if (body->challenge == ACME_HTTP_01 && body->name == ACME_NO_NAME
        && body->action == ACME_PUBLISH_CLEANUP) {
        acme_published_cleanup_tokens(records, body->about.cert);
        return APR_SUCCESS;
    }
    rv = find_job(&job, request);
    if (rv == APR_SUCCESS) {
        rv = check_rehearsal(request);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_accounts_find(&account, request->handlers->accounts,
                                request->ca, request->res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_key_thumbprint(&thumbprint, account->key, request->res,
                                 request->p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    job.value = job.http
        ? acme_challenge_key_authorization(body->token, thumbprint, request->p)
        : acme_challenge_dns01_value(body->token, thumbprint, request->p);
    switch (body->action) {
    case ACME_PUBLISH_PRESENT:
        return acme_published_present(records, &job, request->res);
    case ACME_PUBLISH_RESULT:
        return acme_published_outcome(records, &job, request->res);
    default:
        return acme_published_cleanup(records, &job, request->res);
    }
}

/* APR_EAGAIN: the loop serves it again when a command has ended. */
apr_status_t acme_handlers_challenge_await(acme_message_t *reply,
                                           acme_request_t *request)
{
    acme_published_t *records = request->handlers->records;

    (void)reply;
    if (acme_published_running(records, request->about->cert)) {
        return acme_fail(request->res, APR_EAGAIN,
                         "%s: commands of AcmeDns or AcmeHttp are still running",
                         request->cert->id);
    }
    return acme_published_result(records, request->about->cert,
                                 request->res);
}

apr_status_t acme_handlers_challenge_validate(acme_message_t *reply,
                                              acme_request_t *request)
{
    const acme_msg_validate_t *body = request->message->body;
    acme_msg_validating_t *validating =
        apr_pcalloc(request->p, sizeof(*validating));
    acme_batch_t *batch = request->handlers->batch;
    const apr_uint32_t cert = request->about->cert;
    apr_status_t rv = APR_SUCCESS;
    int is_open = 0;

    if (body->step == ACME_VALIDATE_JOIN) {
        rv = acme_batch_join(&is_open, batch, cert, request->message->channel,
                             apr_time_now(), request->res, request->p);
    }
    else {
        acme_batch_leave(batch, cert, body->step == ACME_VALIDATE_DONE,
                         apr_time_now());
    }
    validating->is_open = (apr_uint32_t)is_open;
    reply->body = validating;
    return rv;
}
