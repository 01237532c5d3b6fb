/*
 * acme_handlers_admin.c - what acmectl asks of a certificate, and the end of
 * that.
 */
#include <apr_strings.h>

#include "acme_handlers_admin.h"
#include "acme_registry_request.h"

apr_status_t acme_handlers_admin_done(acme_message_t *reply,
                                      acme_request_t *request)
{
    const acme_msg_want_t *want = request->message->body;
    const acme_state_t *state =
        acme_registry_state(request->registry, request->about->cert);
    apr_status_t rv = APR_SUCCESS;

    (void)reply;
    if (want->want == ACME_WANT_DEACTIVATION
        && state->wanted == ACME_WANT_DEACTIVATION
        && state->wanted_ca == request->about->ca) {
        rv = acme_accounts_deactivated(request->handlers->accounts,
                                       request->ca, request->res, request->p);
    }
    else if (want->want == state->wanted
             && acme_request_is_revocation(request)) {
        /* The pending key may be that of the revoked one. (AcmeKeyReuse) */
        rv = acme_pending_destroy(acme_registry_store(request->registry),
                                  request->cert->id, request->res,
                                  request->p);
    }
    if (rv == APR_SUCCESS) {
        acme_registry_request_done(request->registry, want, apr_time_now(),
                                   request->p);
    }
    return rv;
}

apr_status_t acme_handlers_admin_list(acme_message_t *reply,
                                      acme_request_t *request)
{
    const acme_cert_conf_t *cert = request->cert;
    const acme_conf_t *conf = acme_registry_conf(request->registry);
    const char *text = apr_pstrcat(request->p, cert->id, "\n", NULL);
    acme_msg_listed_t *listed = apr_pcalloc(request->p, sizeof(*listed));
    apr_uint32_t i;
    int k;

    for (i = 0; i < (apr_uint32_t)cert->cas->nelts; i++) {
        text = apr_pstrcat(request->p, text, acme_conf_ca(conf, cert, i)->url,
                           "\n", NULL);
    }
    for (k = 0; k < cert->nchallenges; k++) {
        listed->challenges |= 1u << cert->challenges[k];
    }
    listed->state = *acme_registry_state(request->registry,
                                         request->about->cert);
    listed->is_reload_held =
        (apr_uint32_t)acme_reload_is_held(request->handlers->reload);
    listed->is_reloaded_by_hand = conf->activate == ACME_ACTIVATE_NONE;
    reply->body = listed;
    acme_request_reply_text(
        reply, apr_pstrcat(request->p, text,
                           apr_array_pstrcat(request->p, cert->names, '\n'),
                           NULL));
    return APR_SUCCESS;
}

apr_status_t acme_handlers_admin_want(acme_message_t *reply,
                                      acme_request_t *request)
{
    const acme_msg_want_t *want = request->message->body;
    const acme_want_e pending =
        acme_registry_state(request->registry, request->about->cert)->wanted;

    (void)reply;
    if (want->want == ACME_WANT_NOTHING || want->want >= ACME_WANTS) {
        return acme_fail(request->res, APR_EINVAL,
                         "keeper: there is no request %u of an administrator",
                         want->want);
    }
    if (want->want == ACME_WANT_DRY_RUN && pending != ACME_WANT_NOTHING) {
        return acme_fail(
            request->res, APR_EBUSY,
            pending == ACME_WANT_DRY_RUN
                ? "%s: a dry run is under way already"
                : "%s: no dry run is made while another request is pending; see acmectl status %s",
            request->cert->id, request->cert->id);
    }
    if (acme_registry_request_add(request->registry, want, apr_time_now(),
                                  request->p)) {
        acme_fail(
            request->res, APR_EGENERAL,
            "%s: the request is carried out, but could not be saved, which the error log explains: it is lost if httpd ends before it is done",
            request->cert->id);
        return acme_result_reason(request->res, ACME_REASON_STORE_UNWRITABLE);
    }
    return APR_SUCCESS;
}
