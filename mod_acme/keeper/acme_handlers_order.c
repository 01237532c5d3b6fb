/*
 * acme_handlers_order.c - what the keeper does for an order: account and key
 * before it, its signatures, its URL, how it ends, and the certificate.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_ca_facts.h"
#include "acme_ca_paces.h"
#include "acme_handlers_order.h"
#include "acme_install.h"
#include "acme_install_pending.h"
#include "acme_registry_order.h"
#include "acme_sign.h"

/* What was asked of a CA is asked again after this. */
#define ACCOUNT_AGE apr_time_from_sec(5)

/*
 * Is the account that of orders, about which the witness has to find something
 * out before it signs? That of a staging environment is registered, and never
 * changed. *pabout is the account's position in the list.
 */
static int has_settled_account(acme_target_t *pabout,
                               const acme_request_t *request)
{
    const acme_ca_conf_t *cas =
        (const acme_ca_conf_t *)acme_registry_conf(request->registry)
            ->cas->elts;
    const apr_uint32_t n = (apr_uint32_t)request->cert->cas->nelts;

    *pabout = *request->about;
    if (acme_request_is_for_dry_run(request)) {
        pabout->ca -= n;
        return acme_conf_ca_index(request->cert, pabout->ca) == request->ca
            && !cas[request->ca].is_for_dry_runs;
    }
    return 1;
}

apr_status_t acme_handlers_order_prepare(acme_message_t *reply,
                                         acme_request_t *request)
{
    acme_msg_prepared_t *prepared = apr_pcalloc(request->p,
                                                sizeof(*prepared));
    const acme_ca_account_t *account;
    acme_pending_t *pending = NULL;
    const char *thumbprint, *flags;
    acme_target_t about;
    apr_status_t rv;

    rv = acme_accounts_find(&account, request->handlers->accounts, request->ca,
                            request->res);
    if (rv == APR_SUCCESS && acme_request_is_by_worker(request)
        && (account->has_next_key || account->contacts_changed)
        && has_settled_account(&about, request)) {
        apr_status_t known = acme_ca_facts_know(
            request->handlers->facts, &about, ACME_LOOK_UP_ACCOUNT,
            ACCOUNT_AGE, request->res);

        /* An order waits until it is known which key can sign it. */
        rv = account->has_next_key ? known : APR_SUCCESS;
    }
    if (rv == APR_SUCCESS && !acme_request_is_revocation(request)) {
        rv = acme_accounts_check(request->handlers->accounts, account,
                                 request->res, request->p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_key_thumbprint(&thumbprint, account->key, request->res,
                                 request->p);
    }
    if (rv == APR_SUCCESS && acme_request_is_for_dry_run(request)) {
        /* No key and no request: nothing is finalized. All names are tried. */
        flags = apr_pcalloc(request->p,
                            (apr_size_t)request->cert->names->nelts + 1);
    }
    else if (rv == APR_SUCCESS) {
        rv = acme_install_pending_prepare(&pending, &flags, request->registry,
                                          request->about, request->res,
                                          request->p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }

    prepared->contacts_changed = account->contacts_changed;
    prepared->has_next_key = account->has_next_key;
    prepared->deactivated = account->deactivated;
    prepared->pace = *acme_ca_paces_find(request->handlers->paces,
                                         request->ca);
    /* An order at another CA cannot be resumed at this one. */
    if (pending && pending->account
        && !strcmp(pending->account, account->folder)) {
        prepared->issued = pending->issued;
        if (pending->order_url) {
            apr_cpystrn(prepared->order_url, pending->order_url,
                        sizeof(prepared->order_url));
        }
    }
    if (account->url) {
        apr_cpystrn(prepared->account_url, account->url,
                    sizeof(prepared->account_url));
    }
    apr_cpystrn(prepared->thumbprint, thumbprint,
                sizeof(prepared->thumbprint));
    reply->body = prepared;
    reply->tail = flags;
    reply->tail_len = (apr_size_t)request->cert->names->nelts;
    return APR_SUCCESS;
}

/* What the witness alone has to do, and what no order needs. */
static int is_for_witness(const acme_msg_sign_t *sign)
{
    switch (sign->kind) {
    case ACME_SIGN_UPDATE_ACCOUNT:
    case ACME_SIGN_DEACTIVATE:
    case ACME_SIGN_KEY_CHANGE:
    case ACME_SIGN_REVOKE:
        return 1;
    default:
        return (sign->with & (ACME_WITH_NEXT_KEY | ACME_WITH_CERT_KEY)) != 0;
    }
}

apr_status_t acme_handlers_order_sign(acme_message_t *reply,
                                      acme_request_t *request)
{
    const acme_msg_sign_t *sign = request->message->body;
    apr_status_t rv;

    if (acme_request_is_by_worker(request) && is_for_witness(sign)) {
        return acme_fail(
            request->res, APR_EACCES,
            "%s: a worker asked for a signature that only the process acme-witness may ask for",
            request->cert->id);
    }
    rv = acme_request_check_url(request, sign->url);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv =
        acme_sign(&reply->tail, request->registry, request->handlers->accounts,
                  request->message->body, request->res, request->p);
    if (rv == APR_SUCCESS) {
        reply->tail_len = strlen(reply->tail);
    }
    return rv;
}

apr_status_t acme_handlers_order_url(acme_message_t *reply,
                                     acme_request_t *request)
{
    const acme_ca_conf_t *ca =
        acme_conf_ca(acme_registry_conf(request->registry), request->cert,
                     request->about->ca);
    acme_pending_order_t order = { .account = ca->folder,
                                   .now = apr_time_now() };
    apr_status_t rv = acme_request_url(&order.url, request);

    (void)reply;
    if (rv == APR_SUCCESS) {
        acme_sync_owner(request->handlers->sync, request->cert->id);
        rv = acme_pending_order(acme_registry_store(request->registry),
                                acme_install_pending_name(request->cert,
                                                          request->about->part,
                                                          request->p),
                                &order, request->handlers->sync, request->res,
                                request->p);
    }
    if (rv == APR_SUCCESS) {
        if (order.url) {
            acme_registry_order_begun(request->registry, request->about->cert,
                                      order.now);
        }
        else {
            acme_registry_order_gone(request->registry, request->about->cert);
        }
    }
    return rv;
}

/* Did the CA say no to these, and not that it has trouble, or wants more? */
static int is_refusal_of_contacts(const acme_msg_note_t *note)
{
    if (note->note != ACME_NOTE_FAILED || note->want != ACME_WANT_UPDATE
        || !note->problem[0]) {
        return 0;
    }
    switch (note->why) {
    case ACME_REASON_CA_ERROR:
    case ACME_REASON_RATE_LIMITED:
    case ACME_REASON_TERMS_NOT_AGREED:
    case ACME_REASON_CA_ACTION_REQUIRED:
    case ACME_REASON_EAB_REQUIRED:
    case ACME_REASON_ACCOUNT_UNKNOWN:
    case ACME_REASON_ACCOUNT_DEACTIVATED:
        return 0;
    default:
        return 1;
    }
}

apr_status_t acme_handlers_order_noted(acme_message_t *reply,
                                       acme_request_t *request)
{
    const acme_msg_note_t *note = request->message->body;

    (void)reply;
    if (acme_request_is_by_worker(request) && note->want > ACME_WANT_RENEWAL) {
        return acme_fail(
            request->res, APR_EACCES,
            "%s: a worker reported on a request of the administrator that is not a worker's to carry out",
            request->cert->id);
    }
    if (acme_request_is_for_dry_run(request)
        != (note->note >= ACME_NOTE_DRY_RUN && note->note < ACME_NOTES)) {
        return acme_fail(
            request->res, APR_EINVAL,
            "%s: a worker reported on a dry run as on an order, or on an order as on a dry run",
            request->cert->id);
    }
    if (is_refusal_of_contacts(note)) {
        acme_accounts_contacts_refused(request->handlers->accounts,
                                       request->ca, request->p);
    }
    acme_registry_order_noted(request->registry, request->message->body,
                              apr_time_now(), request->p);
    return APR_SUCCESS;
}

apr_status_t acme_handlers_order_install(acme_message_t *reply,
                                         acme_request_t *request)
{
    acme_issued_t issued;
    apr_status_t rv = acme_request_url(&issued.url, request);

    issued.pem = request->message->tail;
    issued.len = request->message->tail_len;
    if (rv == APR_SUCCESS) {
        rv = acme_install_begin(&request->install, request->registry,
                                request->handlers->reload, request->about,
                                &issued, request->handlers->sync, request->res,
                                request->p);
        reply->body =
            acme_registry_state(request->registry, request->about->cert);
    }
    return rv;
}
