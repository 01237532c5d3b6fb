/*
 * acme_task.c - one certificate's work, and what it says to the keeper.
 */
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "acme_task.h"

#define WORK_MAX apr_time_from_sec(30 * 60)

/* The session's way to a signature. (acme_sign_cb) */
static apr_status_t sign(const char **pbody, void *baton, acme_sign_e kind,
                         const char *url, const char *nonce,
                         acme_result_t *res, apr_pool_t *p)
{
    acme_task_t *work = baton;
    acme_msg_sign_t *body = apr_pcalloc(p, sizeof(*body));
    acme_message_t reply;
    apr_status_t rv;

    /* A CA that is slow at each step must not hold one of few threads. */
    if (apr_time_now() > work->begun + WORK_MAX) {
        acme_fail(res, APR_TIMEUP, "%s: given up after half an hour",
                  work->cert->id);
        return acme_result_reason(res, ACME_REASON_CA_SLOW);
    }
    body->about = work->about;
    body->kind = kind;
    body->with = work->with;
    apr_cpystrn(body->url, url, sizeof(body->url));
    apr_cpystrn(body->nonce, nonce, sizeof(body->nonce));
    rv = acme_client_call(&reply, work->client, ACME_MSG_SIGN, body, res, p);
    *pbody = rv == APR_SUCCESS ? reply.tail : NULL;
    return rv;
}

acme_task_t *acme_task_begin(const acme_workshop_t *shop, acme_turn_t *turn,
                             apr_pool_t *p)
{
    acme_task_t *work = apr_pcalloc(p, sizeof(*work));
    apr_uint32_t index;

    work->shop = shop;
    work->turn = turn;
    work->state = &turn->state;
    work->cert = acme_conf_cert(shop->conf, turn->state.cert);
    work->about.cert = turn->state.cert;
    work->about.ca = turn->ca;
    work->blamed = ACME_NO_NAME;
    work->blamed_challenge = ACME_CHALLENGES;
    work->answers = apr_array_make(p, 4, sizeof(acme_challenge_response_t));
    work->begun = apr_time_now();
    work->p = p;
    if (acme_client_open(&work->client, shop->keeper, shop->stop, &work->res,
                         p)) {
        return NULL;
    }
    index = acme_conf_ca_index(work->cert, turn->ca);
    work->session.ca = acme_ca_pool_ca(shop->cas, index);
    work->session.sign = sign;
    work->session.baton = work;
    acme_ca_pool_borrow(&work->session.http, shop->cas, index, &work->res);
    return work;
}

void acme_task_end(acme_task_t *work)
{
    if (work->session.http) {
        acme_ca_pool_return(work->shop->cas,
                            acme_conf_ca_index(work->cert, work->about.ca),
                            work->session.http);
    }
}

int acme_task_chance(void)
{
    unsigned char octets[2] = { 0, 0 };

    apr_generate_random_bytes(octets, sizeof(octets));
    return (octets[0] << 8 | octets[1]) % 1000;
}

apr_status_t acme_task_tell_url(acme_task_t *work, acme_message_e kind,
                                const char *url)
{
    acme_msg_url_t *body = apr_pcalloc(work->p, sizeof(*body));

    body->about = work->about;
    apr_cpystrn(body->url, url, sizeof(body->url));
    return acme_client_call(NULL, work->client, kind, body, &work->res,
                            work->p);
}

apr_status_t acme_task_note(acme_task_t *work, acme_note_e what,
                            const char *detail)
{
    acme_msg_note_t *body = apr_pcalloc(work->p, sizeof(*body));

    body->about = work->about;
    body->note = what;
    body->name = work->blamed;
    body->challenge = work->blamed_challenge;
    body->with = work->with;
    apr_cpystrn(body->detail, detail, sizeof(body->detail));
    return acme_client_call(NULL, work->client, ACME_MSG_NOTE, body,
                            &work->res, work->p);
}

static void take_flags(acme_task_t *work, const acme_message_t *reply)
{
    const apr_size_t n = (apr_size_t)work->cert->names->nelts;

    if (!work->flags) {
        work->flags = apr_pcalloc(work->p, n + 1);
        memcpy(work->flags, reply->tail,
               reply->tail_len < n ? reply->tail_len : n);
    }
}

apr_status_t acme_task_prepare(acme_task_t *work)
{
    const acme_msg_cert_t body = { work->about };
    acme_message_t reply;
    apr_status_t rv;

    rv = acme_client_call(&reply, work->client, ACME_MSG_PREPARE, &body,
                          &work->res, work->p);
    if (rv == APR_SUCCESS) {
        work->prepared = reply.body;
        take_flags(work, &reply);
    }
    return rv;
}

apr_status_t acme_task_live(const char **purl, const char **ppem,
                            apr_size_t *plen, acme_task_t *work)
{
    const acme_msg_cert_t body = { work->about };
    const acme_msg_url_t *live;
    acme_message_t reply;
    apr_status_t rv;

    *purl = *ppem = NULL;
    *plen = 0;
    rv = acme_client_call(&reply, work->client, ACME_MSG_LIVE, &body,
                          &work->res, work->p);
    if (rv == APR_SUCCESS) {
        live = reply.body;
        *purl = live->url[0] ? live->url : NULL;
        *ppem = reply.tail;
        *plen = reply.tail_len;
    }
    return rv;
}

apr_status_t acme_task_key(acme_task_t *work, acme_key_end_e end)
{
    const acme_msg_key_t body = { work->about, (apr_uint32_t)end };

    return acme_client_call(NULL, work->client, ACME_MSG_KEY, &body,
                            &work->res, work->p);
}

apr_status_t acme_task_done(acme_task_t *work, acme_want_e want)
{
    const acme_msg_want_t body = { work->about, (apr_uint32_t)want, -1 };

    return acme_client_call(NULL, work->client, ACME_MSG_DONE, &body,
                            &work->res, work->p);
}

apr_status_t acme_task_install(acme_task_t *work, const char *pem,
                               apr_size_t len, const char *url)
{
    acme_msg_url_t *body = apr_pcalloc(work->p, sizeof(*body));

    body->about = work->about;
    if (url) {
        apr_cpystrn(body->url, url, sizeof(body->url));
    }
    return acme_client_call_tail(NULL, work->client, ACME_MSG_INSTALL, body,
                                 pem, len, &work->res, work->p);
}
