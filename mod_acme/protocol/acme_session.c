/*
 * acme_session.c - signed requests to a CA, from one thread.
 */
#include <apr_strings.h>

#include "acme_problem.h"
#include "acme_session.h"
#include "acme_url.h"

#define BAD_NONCE_MAX 20        /* tries after the first */

static apr_status_t send_by(acme_http_reply_t **preply,
                            const acme_session_t *session,
                            const acme_http_request_t *request,
                            acme_result_t *res, apr_pool_t *p)
{
    const acme_session_lender_t *lender = session->lender;
    acme_http_t *http;
    apr_status_t rv;

    if (session->http) {
        return acme_http_send(preply, session->http, request, res, p);
    }
    *preply = NULL;
    rv = lender->borrow(&http, lender->baton, res);
    if (rv == APR_SUCCESS) {
        rv = acme_http_send(preply, http, request, res, p);
        lender->give_back(lender->baton, http);
    }
    return rv;
}

apr_status_t acme_session_send(acme_http_reply_t **preply,
                               acme_session_t *session,
                               acme_resource_e resource,
                               const acme_http_request_t *request,
                               acme_result_t *res, apr_pool_t *p)
{
    apr_status_t rv = send_by(preply, session, request, res, p);
    const acme_http_reply_t *reply = rv == APR_SUCCESS ? *preply : NULL;

    if (reply) {
        session->replies++;
        session->waited += reply->latency;
    }
    if (session->seen && !APR_STATUS_IS_EINTR(rv)) {
        session->seen(session->seen_baton, resource,
                      reply ? reply->status : 0, reply ? reply->latency : 0);
    }
    return rv;
}

apr_interval_time_t acme_session_latency(const acme_session_t *session)
{
    return session->replies ? session->waited / session->replies : 0;
}

static apr_status_t fetch_directory(acme_directory_t **pfresh,
                                    acme_session_t *session,
                                    acme_result_t *res, apr_pool_t *p)
{
    const acme_http_request_t request = { .method = ACME_HTTP_GET,
                                          .url = acme_ca_url(session->ca) };
    const char *what = apr_pstrcat(p, "directory ", request.url, NULL);
    acme_http_reply_t *reply;
    apr_status_t rv;
    json_t *json;

    rv = acme_session_send(&reply, session, ACME_RESOURCE_DIRECTORY, &request,
                           res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    acme_nonces_keep(acme_ca_nonces(session->ca), reply);
    if (reply->status != 200) {
        return acme_problem_reply(reply, what, res, p);
    }
    rv = acme_json_parse(&json, reply->body, reply->body_len, what, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_directory_parse(pfresh, json, what, res, p);
    }
    return rv == APR_SUCCESS ? rv
                             : acme_result_reason(res, ACME_REASON_CA_ANSWER);
}

apr_status_t acme_session_directory(const acme_directory_t **pdir,
                                    acme_session_t *session,
                                    acme_result_t *res, apr_pool_t *p)
{
    acme_directory_t *fresh;
    apr_status_t rv;
    int is_first;

    *pdir = acme_ca_directory(session->ca, p);
    if (*pdir) {
        return APR_SUCCESS;
    }
    /* Of many orders that begin together one is enough; where that failed each
       has its own failure. */
    is_first = acme_ca_directory_begin(session->ca);
    *pdir = acme_ca_directory(session->ca, p);
    rv = APR_SUCCESS;
    if (!*pdir) {
        rv = fetch_directory(&fresh, session, res, p);
        if (rv == APR_SUCCESS) {
            acme_ca_directory_keep(session->ca, fresh);
            *pdir = fresh;
        }
    }
    if (is_first) {
        acme_ca_directory_end(session->ca);
    }
    return rv;
}

/* Fetch a new nonce. (8555, 7.2) */
static apr_status_t fetch_nonce(const char **pnonce, acme_session_t *session,
                                acme_result_t *res, apr_pool_t *p)
{
    acme_http_request_t request = { .method = ACME_HTTP_HEAD };
    const acme_directory_t *dir;
    acme_http_reply_t *reply;
    apr_status_t rv;

    *pnonce = NULL;

    rv = acme_session_directory(&dir, session, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    request.url = dir->new_nonce;
    session->requests++;
    rv = acme_session_send(&reply, session, ACME_RESOURCE_NEW_NONCE, &request,
                           res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *pnonce = acme_nonces_of(reply);
    if (*pnonce) {
        return APR_SUCCESS;
    }
    if (reply->status / 100 != 2) {
        return acme_problem_reply(reply, request.url, res, p);
    }
    return acme_fail(res, APR_EGENERAL, "%s: the CA's reply has no nonce",
                     request.url);
}

apr_status_t acme_session_post(acme_http_reply_t **preply,
                               acme_session_t *session,
                               const acme_session_post_t *post,
                               acme_result_t *res, apr_pool_t *p)
{
    acme_http_request_t request = { .method = ACME_HTTP_POST, .url = post->url,
                                    .content_type = "application/jose+json",
                                    .body_max = post->body_max };
    acme_nonces_t *nonces = acme_ca_nonces(session->ca);
    const char *nonce = acme_nonces_take(nonces, p);
    acme_http_reply_t *reply;
    apr_status_t rv;
    int tries;

    *preply = NULL;

    for (tries = 0; tries <= BAD_NONCE_MAX; tries++) {
        if (!nonce) {
            rv = fetch_nonce(&nonce, session, res, p);
            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        rv = session->sign(&request.body, session->baton, post, nonce, res, p);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        session->requests++;
        rv = acme_session_send(&reply, session, post->resource, &request, res,
                               p);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (reply->status / 100 == 2) {
            break;
        }
        rv = acme_problem_reply(reply, post->what, res, p);
        if (!acme_problem_is(res, "badNonce")) {
            break;
        }
        /* Not a kept one: those may be as stale as this one was. */
        nonce = acme_nonces_of(reply);
    }
    acme_nonces_keep(nonces, reply);
    *preply = reply;
    return rv;
}

apr_status_t acme_session_location(const char **purl,
                                   const acme_http_reply_t *reply,
                                   const char *what, acme_result_t *res,
                                   apr_pool_t *p)
{
    apr_status_t rv;

    *purl = NULL;

    if (!reply->location) {
        return acme_fail(res, APR_EGENERAL, "%s: the CA's reply has no Location",
                         what);
    }
    rv = acme_url_check(reply->location, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, what);
        return rv;
    }
    *purl = reply->location;
    return APR_SUCCESS;
}
