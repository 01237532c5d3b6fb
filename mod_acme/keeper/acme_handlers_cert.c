/*
 * acme_handlers_cert.c - what is asked and noted of a certificate outside of
 * its orders.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_file.h"
#include "acme_handlers_cert.h"
#include "acme_meta.h"
#include "acme_rate_past.h"
#include "acme_registry_self_check.h"
#include "acme_registry_window.h"

apr_status_t acme_handlers_cert_window(acme_message_t *reply,
                                       acme_request_t *request)
{
    (void)reply;
    acme_registry_window_suggested(request->registry, request->message->body,
                                   apr_time_now(), request->p);
    return APR_SUCCESS;
}

/* Nothing in the reply is secret: every user can read these files. */
apr_status_t acme_handlers_cert_live(acme_message_t *reply,
                                     acme_request_t *request)
{
    acme_store_t *store = acme_registry_store(request->registry);
    const acme_cert_conf_t *cert = request->cert;
    const apr_uint32_t part = request->about->part;
    const char *file = apr_pstrcat(request->p, "fullchain",
                                   acme_conf_suffix(cert, part), ".pem", NULL);
    acme_msg_url_t *body = apr_pcalloc(request->p, sizeof(*body));
    const char *url = acme_meta_url(store, cert->id, part, request->p);

    body->about = *request->about;
    if (url) {
        apr_cpystrn(body->url, url, sizeof(body->url));
    }
    reply->body = body;
    return acme_file_read(&reply->tail, &reply->tail_len,
                          acme_store_live(store, cert->id, file, request->p),
                          ACME_CHAIN_SIZE_MAX, request->res, request->p);
}

apr_status_t acme_handlers_cert_self_check(acme_message_t *reply,
                                           acme_request_t *request)
{
    const apr_time_t now = apr_time_now();

    (void)reply;
    if (acme_registry_self_check_noted(
            request->registry, request->message->body, now, request->p)) {
        const acme_state_t *state =
            acme_registry_state(request->registry, request->about->cert);

        acme_reload_schedule(request->handlers->reload, state,
                             state->not_after, now);
    }
    return APR_SUCCESS;
}

apr_status_t acme_handlers_cert_costs(acme_message_t *reply,
                                      acme_request_t *request)
{
    const acme_conf_t *conf = acme_registry_conf(request->registry);
    const apr_time_t now = apr_time_now();
    acme_rate_buckets_t *model;
    acme_rate_buckets_order_t order = {
        .names = request->cert->names,
        .is_renewal = acme_state_renews(
            acme_registry_state(request->registry, request->about->cert),
            request->about->ca, now)
    };
    apr_array_header_t *events = apr_array_make(
        request->p, 16, sizeof(acme_rate_buckets_event_t));
    apr_uint32_t i;

    for (i = 0; i < (apr_uint32_t)conf->certs->nelts; i++) {
        acme_rate_past_add(events, acme_conf_cert(conf, i),
                           acme_registry_state(request->registry, i),
                           request->ca, request->p);
    }
    model = acme_rate_buckets_create(
        acme_conf_ca(conf, request->cert, request->about->ca)->url,
        request->p);
    acme_rate_buckets_load(model, events, now);
    acme_request_reply_text(reply,
                            acme_rate_buckets_left_text(model, &order, now,
                                                        request->p));
    return APR_SUCCESS;
}
