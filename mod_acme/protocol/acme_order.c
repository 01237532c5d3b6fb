/*
 * acme_order.c - order objects, written and read. (8555, 7.1.3, 7.4)
 *
 * Members that we do not know are passed over; of those that we use, a URL is
 * checked before it is kept.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_json.h"
#include "acme_name.h"
#include "acme_order.h"
#include "acme_problem.h"
#include "acme_text.h"
#include "acme_url.h"

#define STATUS_MAX 32

/* Octets of an order object: for each name it has an identifier and a URL. */
#define MEMBERS_MAX ((apr_size_t)(16 * 1024))
#define IDENTIFIER_MAX ((apr_size_t)(ACME_NAME_MAX + 64))
#define QUOTED_URL_MAX ((apr_size_t)(ACME_URL_MAX + 8))

/* In the order of acme_order_e. */
static const char *const statuses[] = {
    "pending", "ready", "processing", "valid", "invalid"
};

const char *acme_order_payload(const acme_order_conf_t *conf, apr_pool_t *p)
{
    json_t *json = acme_json_own(json_object(), p);
    json_t *list = json_array();
    int i;

    for (i = 0; i < conf->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(conf->names, i, const char *);

        json_array_append_new(list, json_pack(
            "{s:s,s:s}", "type", acme_name_is_ip(name) ? "ip" : "dns",
            "value", name));
    }
    json_object_set_new(json, "identifiers", list);
    if (conf->profile) {
        json_object_set_new(json, "profile", json_string(conf->profile));
    }
    if (conf->replaces) {
        json_object_set_new(json, "replaces", json_string(conf->replaces));
    }
    return acme_json_text(json, 0, p);
}

const char *acme_order_finalize_payload(const unsigned char *csr,
                                        apr_size_t len, apr_pool_t *p)
{
    json_t *json = json_pack("{s:s}", "csr",
                             acme_text_base64url(csr, len, p));

    return acme_json_text(acme_json_own(json, p), 0, p);
}

static apr_status_t parse_status(acme_order_t *order, const json_t *json,
                                 const char *what, acme_result_t *res,
                                 apr_pool_t *p)
{
    const char *status = acme_json_string(json, "status", STATUS_MAX, p);
    apr_size_t i;

    for (i = 0; status && i < sizeof(statuses) / sizeof(*statuses); i++) {
        if (!strcmp(status, statuses[i])) {
            order->status = (acme_order_e)i;
            return APR_SUCCESS;
        }
    }
    return acme_fail(res, APR_EGENERAL, "%s: unknown status: %s", what,
                     status ? acme_text_clean(status, STATUS_MAX, p) : "none");
}

/* An optional URL: *purl is NULL if it is missing. */
static apr_status_t parse_url(const char **purl, const json_t *json,
                              const char *what, acme_result_t *res,
                              apr_pool_t *p)
{
    const char *url = json_string_value(json);
    apr_status_t rv;

    *purl = NULL;

    if (!url) {
        return APR_SUCCESS;
    }
    rv = acme_url_check(url, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, what);
        return rv;
    }
    *purl = apr_pstrdup(p, url);
    return APR_SUCCESS;
}

static apr_status_t parse_authorizations(acme_order_t *order,
                                         const json_t *json, const char *what,
                                         int names, acme_result_t *res,
                                         apr_pool_t *p)
{
    const json_t *list = json_object_get(json, "authorizations");
    apr_size_t i, n = json_array_size(list);
    apr_status_t rv;

    if (n > (apr_size_t)names) {
        return acme_fail(
            res, APR_EGENERAL,
            "%s: the CA demands %" APR_SIZE_T_FMT " authorizations, and only %d name%s ordered",
            what, n, names, names == 1 ? " is" : "s are");
    }
    if (!n && order->status == ACME_ORDER_PENDING) {
        return acme_fail(res, APR_EGENERAL,
                         "%s: it is pending, and the CA names no authorization",
                         what);
    }
    order->authorizations = apr_array_make(p, (int)n, sizeof(const char *));
    for (i = 0; i < n; i++) {
        const char *url;

        rv = parse_url(&url, json_array_get(list, i), what, res, p);
        if (rv == APR_SUCCESS && !url) {
            rv = acme_fail(res, APR_EGENERAL,
                           "%s: an authorization is not a URL", what);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        APR_ARRAY_PUSH(order->authorizations, const char *) = url;
    }
    return APR_SUCCESS;
}

/* A request about an order. */
typedef struct {
    acme_session_post_t post;
    const acme_order_scope_t *scope;
    const char *url;            /* of the order; NULL: newOrder's reply has it
                                   in Location */
    apr_array_header_t *refused;        /* const char *: filled with names that
                                           the CA refuses; NULL: not wanted */
    apr_pool_t *scratch;        /* what came from the CA, until it is read */
} order_request_t;

/* The order in a reply, of which nothing else is in p. */
static apr_status_t order_parse(acme_order_t **porder,
                                const acme_http_reply_t *reply,
                                const order_request_t *request,
                                acme_result_t *res, apr_pool_t *p)
{
    acme_order_t *order = apr_pcalloc(p, sizeof(*order));
    const char *what = request->post.what;
    const char *profile;
    apr_status_t rv;
    json_t *json;

    rv = acme_json_parse(&json, reply->body, reply->body_len, what, res,
                         request->scratch);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    order->url = apr_pstrdup(p, request->url);
    order->retry_after = reply->retry_after;
    profile = acme_json_string(json, "profile", ACME_PROFILE_MAX, p);
    order->profile = profile ? acme_text_clean(profile, ACME_PROFILE_MAX, p)
                             : NULL;
    rv = parse_status(order, json, what, res, p);
    if (rv == APR_SUCCESS) {
        rv = parse_authorizations(order, json, what, request->scope->names,
                                  res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = parse_url(&order->finalize, json_object_get(json, "finalize"),
                       what, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = parse_url(&order->certificate,
                       json_object_get(json, "certificate"), what, res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (json_is_object(json_object_get(json, "error"))) {
        acme_problem_json(json_object_get(json, "error"), what,
                          &order->error, request->scratch);
    }

    *porder = order;
    return APR_SUCCESS;
}

static void copy_names(apr_array_header_t *to, const apr_array_header_t *from)
{
    int i;

    for (i = 0; i < from->nelts; i++) {
        APR_ARRAY_PUSH(to, const char *) =
            apr_pstrdup(to->pool, APR_ARRAY_IDX(from, i, const char *));
    }
}

static apr_status_t send_request(acme_order_t **porder,
                                 acme_session_t *session,
                                 order_request_t *request,
                                 acme_result_t *res, apr_pool_t *p)
{
    acme_session_post_t *post = &request->post;
    acme_http_reply_t *reply;
    apr_status_t rv;

    *porder = NULL;

    apr_pool_create(&request->scratch, p);
    post->what = apr_pstrcat(request->scratch, "order of ",
                             request->scope->id, NULL);
    post->body_max = MEMBERS_MAX + (apr_size_t)request->scope->names
                                 * (IDENTIFIER_MAX + QUOTED_URL_MAX);
    if (post->body_max < ACME_HTTP_BODY_MAX) {
        post->body_max = ACME_HTTP_BODY_MAX;
    }
    rv = acme_session_post(&reply, session, post, res, request->scratch);
    if (rv != APR_SUCCESS && reply && request->refused) {
        copy_names(request->refused,
                   acme_problem_names(reply, request->scratch));
    }
    if (rv == APR_SUCCESS && !request->url) {
        rv = acme_session_location(&request->url, reply, post->what, res,
                                   request->scratch);
    }
    if (rv == APR_SUCCESS) {
        rv = order_parse(porder, reply, request, res, p);
        if (rv != APR_SUCCESS) {
            acme_result_reason(res, ACME_REASON_CA_ANSWER);
        }
    }
    apr_pool_destroy(request->scratch);
    return rv;
}

apr_status_t acme_order_create(acme_order_t **porder,
                               apr_array_header_t **pnames,
                               acme_session_t *session,
                               const acme_order_scope_t *scope,
                               acme_result_t *res, apr_pool_t *p)
{
    order_request_t request = { .post.kind = ACME_SIGN_NEW_ORDER,
                                .post.resource = ACME_RESOURCE_NEW_ORDER,
                                .scope = scope };
    const acme_directory_t *dir;
    apr_status_t rv;

    *porder = NULL;
    if (pnames) {
        *pnames = apr_array_make(p, 2, sizeof(const char *));
        request.refused = *pnames;
    }

    rv = acme_session_directory(&dir, session, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    request.post.url = dir->new_order;
    return send_request(porder, session, &request, res, p);
}

apr_status_t acme_order_fetch(acme_order_t **porder, acme_session_t *session,
                              const char *url,
                              const acme_order_scope_t *scope,
                              acme_result_t *res, apr_pool_t *p)
{
    order_request_t request = { .post.kind = ACME_SIGN_POST_AS_GET,
                                .post.resource = ACME_RESOURCE_ORDER,
                                .post.url = url,
                                .scope = scope,
                                .url = url };

    return send_request(porder, session, &request, res, p);
}

apr_status_t acme_order_finalize(acme_order_t **pafter,
                                 acme_session_t *session,
                                 const acme_order_t *order,
                                 const acme_order_scope_t *scope,
                                 acme_result_t *res, apr_pool_t *p)
{
    order_request_t request = { .post.kind = ACME_SIGN_FINALIZE,
                                .post.resource = ACME_RESOURCE_FINALIZE,
                                .post.url = order->finalize,
                                .scope = scope,
                                .url = order->url };

    if (!order->finalize) {
        *pafter = NULL;
        return acme_fail(res, APR_EGENERAL,
                         "order of %s: the CA gave no finalize URL",
                         scope->id);
    }
    return send_request(pafter, session, &request, res, p);
}
