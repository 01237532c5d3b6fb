/*
 * acme_handlers_rehearsal.c - the rehearsal of an order: its begin and its
 * findings.
 */
#include <apr_strings.h>

#include "acme_handlers_rehearsal.h"
#include "acme_registry_rehearsal.h"
#include "acme_rehearsal.h"

/* Of an account that is there, or will be anyway; none of it is secret. */
static void describe_account(acme_msg_rehearsal_t *body,
                             const acme_request_t *request)
{
    const acme_ca_account_t *account;
    const char *thumbprint;

    if (!request->cert->agreed
        || acme_accounts_find(&account, request->handlers->accounts,
                              request->ca, request->res)
        || acme_key_thumbprint(&thumbprint, account->key, request->res,
                               request->p)) {
        return;                 /* the rest is looked at without it */
    }
    apr_cpystrn(body->thumbprint, thumbprint, sizeof(body->thumbprint));
    if (account->url) {
        apr_cpystrn(body->account_url, account->url,
                    sizeof(body->account_url));
    }
    if (account->persist_issuer) {
        body->draft = (apr_uint32_t)account->persist_draft;
        apr_cpystrn(body->issuer, account->persist_issuer,
                    sizeof(body->issuer));
    }
    if (account->persist_prefix) {
        apr_cpystrn(body->prefix, account->persist_prefix,
                    sizeof(body->prefix));
    }
}

static void keep_findings(const acme_request_t *request,
                          apr_time_t rehearse_at,
                          const apr_array_header_t *findings)
{
    const apr_uint32_t cert = request->about->cert;

    acme_findings_keep(request->handlers->findings, cert,
                       acme_rehearsal_lines(findings, ACME_LIST_MAX,
                                            request->p));
    acme_registry_rehearsal_done(request->registry, cert, rehearse_at,
                                 findings, apr_time_now(), request->p);
}

apr_status_t acme_handlers_rehearsal_begin(acme_message_t *reply,
                                           acme_request_t *request)
{
    const acme_state_t *state =
        acme_registry_state(request->registry, request->about->cert);
    acme_msg_rehearsal_t *body = apr_pcalloc(request->p, sizeof(*body));
    const apr_status_t rv = acme_registry_rehearsal_begin(
        request->registry, request->about->cert);

    body->about = *request->about;
    reply->body = body;
    if (rv == APR_SUCCESS) {
        body->rehearse_at = state->rehearse_at;
        body->is_full = state->rehearse_fully;
        describe_account(body, request);
    }
    else if (!APR_STATUS_IS_ENOENT(rv)) {
        apr_array_header_t *findings = apr_array_make(
            request->p, 1, sizeof(acme_rehearsal_finding_t));

        APR_ARRAY_PUSH(findings, acme_rehearsal_finding_t) =
            (acme_rehearsal_finding_t) {
                .level = ACME_REHEARSAL_UNSEEN, .topic = ACME_TOPIC_CA,
                .name = "",
                .text = "the check ended unexpectedly, so it is not repeated; the error log may say why"
            };
        keep_findings(request, state->rehearse_at, findings);
    }
    return APR_SUCCESS;
}

apr_status_t acme_handlers_rehearsal_done(acme_message_t *reply,
                                          acme_request_t *request)
{
    const acme_msg_rehearsed_t *body = request->message->body;

    (void)reply;
    if (acme_registry_rehearsal_is_under_way(
            request->registry, request->about->cert, body->rehearse_at)) {
        keep_findings(request, body->rehearse_at,
                      acme_rehearsal_parse(request->message->tail,
                                           request->cert->names, request->p));
    }                           /* else nobody asked this keeper for it */
    return APR_SUCCESS;
}

apr_status_t acme_handlers_rehearsal_want(acme_message_t *reply,
                                          acme_request_t *request)
{
    (void)reply;
    acme_registry_rehearsal_wanted(request->registry, request->about->cert,
                                   apr_time_now());
    return APR_SUCCESS;
}

apr_status_t acme_handlers_rehearsal_findings(acme_message_t *reply,
                                              acme_request_t *request)
{
    const acme_state_t *state =
        acme_registry_state(request->registry, request->about->cert);
    acme_msg_findings_t *body = apr_pcalloc(request->p, sizeof(*body));

    body->is_pending = state->rehearse_at != 0;
    body->level = (apr_uint32_t)state->rehearsal;
    body->when = state->rehearsed;
    reply->body = body;
    acme_request_reply_text(
        reply, body->is_pending
                   ? "" : acme_findings_of(request->handlers->findings,
                                           request->about->cert));
    return APR_SUCCESS;
}
