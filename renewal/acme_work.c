/*
 * acme_work.c - what a renewal says to the keeper.
 */
#include <apr_strings.h>

#include "acme_work.h"

apr_status_t acme_work_sign(const char **pbody, void *baton, acme_sign_e kind,
                            const char *url, const char *nonce,
                            acme_result_t *res, apr_pool_t *p)
{
    acme_work_t *work = baton;
    acme_msg_sign_t *body = apr_pcalloc(p, sizeof(*body));
    acme_message_t reply;
    apr_status_t rv;

    body->cert = work->state->cert;
    body->kind = kind;
    apr_cpystrn(body->url, url, sizeof(body->url));
    apr_cpystrn(body->nonce, nonce, sizeof(body->nonce));
    rv = acme_client_call(&reply, work->client, ACME_MSG_SIGN, body, res, p);
    *pbody = rv == APR_SUCCESS ? reply.tail : NULL;
    return rv;
}

/* Tell the keeper an URL: the account's, or the order's; "" is none. */
apr_status_t acme_work_tell_url(acme_work_t *work, acme_message_e kind,
                                const char *url)
{
    acme_msg_url_t *body = apr_pcalloc(work->p, sizeof(*body));

    body->cert = work->state->cert;
    apr_cpystrn(body->url, url, sizeof(body->url));
    return acme_client_call(NULL, work->client, kind, body, &work->res,
                            work->p);
}

apr_status_t acme_work_note(acme_work_t *work, acme_note_e what,
                            const char *detail)
{
    acme_msg_note_t *body = apr_pcalloc(work->p, sizeof(*body));

    body->cert = work->state->cert;
    body->note = what;
    apr_cpystrn(body->detail, detail, sizeof(body->detail));
    return acme_client_call(NULL, work->client, ACME_MSG_NOTE, body,
                            &work->res, work->p);
}

apr_status_t acme_work_prepare(acme_work_t *work)
{
    const acme_msg_cert_t body = { work->state->cert };
    acme_message_t reply;
    apr_status_t rv;

    rv = acme_client_call(&reply, work->client, ACME_MSG_PREPARE, &body,
                          &work->res, work->p);
    if (rv == APR_SUCCESS) {
        work->prepared = reply.body;
    }
    return rv;
}
