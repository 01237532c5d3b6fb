/*
 * acme_request.c - a message that is being served.
 */
#include <string.h>

#include "acme_ca_facts.h"
#include "acme_request.h"
#include "acme_url.h"

int acme_request_is_by_worker(const acme_request_t *request)
{
    return request->message->who == ACME_BY_WORKER;
}

int acme_request_is_for_dry_run(const acme_request_t *request)
{
    return acme_conf_is_dry_run(request->cert, request->about->ca);
}

int acme_request_is_revocation(const acme_request_t *request)
{
    const acme_want_e wanted =
        acme_registry_state(request->registry, request->about->cert)->wanted;

    return wanted == ACME_WANT_REVOCATION || wanted == ACME_WANT_DELETION;
}

apr_status_t acme_request_check_url(const acme_request_t *request,
                                    const char *url)
{
    apr_status_t rv;

    if (!url) {
        return APR_SUCCESS;
    }
    rv = acme_url_check(url, request->res, request->p);
    if (rv == APR_SUCCESS && acme_request_is_by_worker(request)) {
        rv = acme_ca_facts_check_url(request->handlers->facts, request->about,
                                     url, request->res, request->p);
    }
    return rv;
}

apr_status_t acme_request_url(const char **purl, const acme_request_t *request)
{
    const acme_msg_url_t *body = request->message->body;

    *purl = body->url[0] ? body->url : NULL;
    return acme_request_check_url(request, *purl);
}

void acme_request_reply_text(acme_message_t *reply, const char *text)
{
    reply->tail = text;
    reply->tail_len = strlen(text);
    if (reply->tail_len > ACME_LIST_MAX) {
        reply->tail_len = ACME_LIST_MAX;
    }
}
