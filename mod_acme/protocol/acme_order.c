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
                                         acme_result_t *res, apr_pool_t *p)
{
    const json_t *list = json_object_get(json, "authorizations");
    apr_size_t i, n = json_array_size(list);
    apr_status_t rv;

    if (n > ACME_ORDER_AUTHZ_MAX) {
        return acme_fail(res, APR_EGENERAL, "%s: %" APR_SIZE_T_FMT " authorizations, more than %d",
                         what, n, ACME_ORDER_AUTHZ_MAX);
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

/* The order in a reply. url is its own, which only newOrder's reply brings. */
static apr_status_t order_parse(acme_order_t **porder,
                                const acme_http_reply_t *reply,
                                const char *url, const char *what,
                                acme_result_t *res, apr_pool_t *p)
{
    acme_order_t *order = apr_pcalloc(p, sizeof(*order));
    const char *profile;
    apr_status_t rv;
    json_t *json;

    *porder = NULL;

    rv = acme_json_parse(&json, reply->body, reply->body_len, what, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    order->url = apr_pstrdup(p, url);
    order->retry_after = reply->retry_after;
    profile = acme_json_string(json, "profile", ACME_PROFILE_MAX, p);
    order->profile = profile ? acme_text_clean(profile, ACME_PROFILE_MAX, p)
                             : NULL;
    rv = parse_status(order, json, what, res, p);
    if (rv == APR_SUCCESS) {
        rv = parse_authorizations(order, json, what, res, p);
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
                          &order->error, p);
    }

    *porder = order;
    return APR_SUCCESS;
}

static const char *what_of(const char *id, apr_pool_t *p)
{
    return apr_pstrcat(p, "order of ", id, NULL);
}

apr_status_t acme_order_create(acme_order_t **porder,
                               apr_array_header_t **pnames,
                               acme_session_t *session, const char *id,
                               acme_result_t *res, apr_pool_t *p)
{
    const char *what = what_of(id, p);
    acme_session_post_t post = { .kind = ACME_SIGN_NEW_ORDER, .what = what };
    const acme_directory_t *dir;
    const char *url;
    acme_http_reply_t *reply;
    apr_status_t rv;

    *porder = NULL;
    if (pnames) {
        *pnames = apr_array_make(p, 2, sizeof(const char *));
    }

    rv = acme_session_directory(&dir, session, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    post.url = dir->new_order;
    rv = acme_session_post(&reply, session, &post, res, p);
    if (rv != APR_SUCCESS && reply && pnames) {
        *pnames = acme_problem_names(reply, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_session_location(&url, reply, what, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return order_parse(porder, reply, url, what, res, p);
}

apr_status_t acme_order_fetch(acme_order_t **porder, acme_session_t *session,
                              const char *url, const char *id,
                              acme_result_t *res, apr_pool_t *p)
{
    const char *what = what_of(id, p);
    const acme_session_post_t post = { .kind = ACME_SIGN_POST_AS_GET,
                                       .url = url,
                                       .what = what };
    acme_http_reply_t *reply;
    apr_status_t rv;

    *porder = NULL;

    rv = acme_session_post(&reply, session, &post, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return order_parse(porder, reply, url, what, res, p);
}

apr_status_t acme_order_finalize(acme_order_t **pafter,
                                 acme_session_t *session,
                                 const acme_order_t *order, const char *id,
                                 acme_result_t *res, apr_pool_t *p)
{
    const char *what = what_of(id, p);
    const acme_session_post_t post = { .kind = ACME_SIGN_FINALIZE,
                                       .url = order->finalize,
                                       .what = what };
    acme_http_reply_t *reply;
    apr_status_t rv;

    *pafter = NULL;

    if (!order->finalize) {
        return acme_fail(res, APR_EGENERAL,
                         "%s: the CA gave no finalize URL", what);
    }
    rv = acme_session_post(&reply, session, &post, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return order_parse(pafter, reply, order->url, what, res, p);
}
