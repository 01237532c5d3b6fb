/*
 * acme_handlers_account.c - what the keeper does for what is said of accounts
 * and of their CAs.
 */
#include "acme_ca_facts.h"
#include "acme_ca_paces.h"
#include "acme_handlers_account.h"
#include "acme_persist_zone.h"
#include "acme_url.h"

/* What was asked of a CA is asked again after this. */
#define RECORDS_AGE apr_time_from_sec(60)

apr_status_t acme_handlers_account_url(acme_message_t *reply,
                                       acme_request_t *request)
{
    const char *url;
    apr_status_t rv = acme_request_url(&url, request);

    (void)reply;
    if (rv == APR_SUCCESS) {
        rv = acme_accounts_set_url(request->handlers->accounts, request->ca,
                                   url, request->res, request->p);
    }
    return rv;
}

apr_status_t acme_handlers_account_terms(acme_message_t *reply,
                                         acme_request_t *request)
{
    const acme_msg_url_t *body = request->message->body;
    const char *url = acme_text_clean(body->url, ACME_URL_MAX, request->p);
    const acme_ca_conf_t *ca =
        acme_conf_ca(acme_registry_conf(request->registry), request->cert,
                     request->about->ca);

    (void)reply;
    if (acme_accounts_note_terms(request->handlers->accounts, request->ca, url,
                                 request->p)) {
        acme_log(
            acme_registry_log(request->registry), ACME_LOG_WARNING, "account",
            "%s: the terms of service have changed: read %s. AcmeTermsOfService agree agrees to the new terms as well; remove it if you do not agree",
            acme_url_host(ca->url, request->p), url);
        acme_registry_send_event(request->registry, request->about->cert,
                                 ACME_EVENT_TERMS_CHANGED, url, request->p);
    }
    return APR_SUCCESS;
}

apr_status_t acme_handlers_account_key(acme_message_t *reply,
                                       acme_request_t *request)
{
    const acme_msg_key_t *body = request->message->body;

    (void)reply;
    return acme_accounts_end_key(
        request->handlers->accounts, request->ca,
        body->end == ACME_KEY_PROMOTE ? ACME_KEY_PROMOTE : ACME_KEY_DROP,
        request->res, request->p);
}

apr_status_t acme_handlers_account_pace(acme_message_t *reply,
                                        acme_request_t *request)
{
    (void)reply;
    acme_ca_paces_add(request->handlers->paces, request->ca,
                      request->message->body);
    return APR_SUCCESS;
}

apr_status_t acme_handlers_account_list(acme_message_t *reply,
                                        acme_request_t *request)
{
    acme_request_reply_text(
        reply, acme_accounts_text(request->handlers->accounts, request->p));
    return APR_SUCCESS;
}

apr_status_t acme_handlers_account_persist(acme_message_t *reply,
                                           acme_request_t *request)
{
    (void)reply;
    return acme_accounts_set_persist(request->handlers->accounts, request->ca,
                                     request->message->body, request->res,
                                     request->p);
}

apr_status_t acme_handlers_account_looked(acme_message_t *reply,
                                          acme_request_t *request)
{
    (void)reply;
    return acme_ca_facts_looked(request->handlers->facts,
                                request->message->body,
                                request->message->tail, request->res,
                                request->p);
}

apr_status_t acme_handlers_account_zone(acme_message_t *reply,
                                        acme_request_t *request)
{
    const acme_msg_txt_t *body = request->message->body;
    const acme_ca_account_t *account;
    const char *text;
    apr_status_t rv;

    /* It authorises whoever has that account: asked of the CA itself. */
    rv = acme_ca_facts_know(request->handlers->facts, request->about,
                            ACME_LOOK_UP_RECORDS, RECORDS_AGE, request->res);
    if (rv == APR_SUCCESS) {
        rv = acme_accounts_find(&account, request->handlers->accounts,
                                request->ca, request->res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_persist_zone_lines(&text, request->cert, account,
                                     body->until, request->res, request->p);
    }
    if (rv == APR_SUCCESS) {
        acme_request_reply_text(reply, text);
    }
    return rv;
}
