/*
 * acme_renewal_info.c - renewal info: requested without a signature, read with
 * care. (9773)
 */
#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "acme_json.h"
#include "acme_problem.h"
#include "acme_renewal_info.h"
#include "acme_text.h"
#include "acme_time.h"
#include "acme_url.h"

#define ASK_MIN apr_time_from_sec(60)           /* 9773, 4.3.2 */
#define ASK_MAX apr_time_from_sec(24 * 60 * 60)
#define ASK_DEFAULT apr_time_from_sec(6 * 60 * 60)      /* 9773, 4.3.3 */
#define TIME_MAX 64             /* octets of a time */
#define CERT_ID_MAX 200         /* octets: key identifier and serial number */

/* When to fetch next; retry_after is 0 if the reply has none. */
static apr_time_t next_fetch_time(apr_time_t retry_after, apr_time_t now)
{
    if (!retry_after) {
        return now + ASK_DEFAULT;
    }
    if (retry_after < now + ASK_MIN) {
        return now + ASK_MIN;
    }
    return retry_after > now + ASK_MAX ? now + ASK_MAX : retry_after;
}

static apr_time_t time_of(const json_t *json, const char *key, apr_pool_t *p)
{
    return acme_time_parse(acme_json_string(json, key, TIME_MAX, p));
}

/* http is allowed here; acme_url_check() knows https only. */
static const char *explanation_of(const json_t *json, apr_pool_t *p)
{
    const char *url = acme_json_string(json, "explanationURL", ACME_URL_MAX,
                                       p);
    const char *as_https = url;
    acme_result_t ignored;

    if (url && !apr_cstr_casecmpn(url, "http:", 5)) {
        as_https = apr_pstrcat(p, "https", url + 4, NULL);
    }
    return url && acme_url_check(as_https, &ignored, p) == APR_SUCCESS ? url
                                                                       : NULL;
}

apr_status_t acme_renewal_info_parse(acme_renewal_info_t *info,
                                     const acme_http_reply_t *reply,
                                     apr_time_t now, const char *what,
                                     acme_result_t *res, apr_pool_t *p)
{
    const json_t *window;
    apr_time_t start, end;
    apr_status_t rv;
    json_t *json;

    rv = acme_json_parse(&json, reply->body, reply->body_len, what, res, p);
    if (rv != APR_SUCCESS) {
        res->retry = ACME_RETRY_NEVER;
        return rv;
    }
    window = json_object_get(json, "suggestedWindow");
    start = time_of(window, "start", p);
    end = time_of(window, "end", p);
    if (!start || !end) {
        return acme_fail_never(res, APR_EGENERAL,
                               "%s: no window with a start and an end",
                               what);
    }
    if (end <= start) {
        return acme_fail_never(
            res, APR_EGENERAL,
            "%s: the window ends before it begins: %s to %s", what,
            acme_time_text(start, p), acme_time_text(end, p));
    }

    info->start = start;
    info->end = end;
    info->explanation = explanation_of(json, p);
    info->ask_at = next_fetch_time(reply->retry_after, now);
    return APR_SUCCESS;
}

/* "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE" (9773, 4.1) */
static int is_cert_id(const char *text, apr_pool_t *p)
{
    const char *dot = strchr(text, '.');

    return dot && acme_text_is_base64url(apr_pstrmemdup(p, text, dot - text),
                                         CERT_ID_MAX)
           && acme_text_is_base64url(dot + 1, CERT_ID_MAX);
}

static const char *info_url(const char *url, const char *cert_id,
                            apr_pool_t *p)
{
    apr_size_t len = strlen(url);

    return apr_pstrcat(p, url, url[len - 1] == '/' ? "" : "/", cert_id, NULL);
}

/* A reply other than 200: the problem, and whether a retry may help. */
static apr_status_t fail_reply(const acme_http_reply_t *reply,
                               const char *what, acme_result_t *res,
                               apr_pool_t *p)
{
    apr_status_t rv = acme_problem_reply(reply, what, res, p);

    if (reply->status / 100 != 5 && reply->status != 429) {
        res->retry = ACME_RETRY_NEVER;
        res->retry_at = 0;
    }
    else if (res->retry == ACME_RETRY_NEVER) {
        res->retry = ACME_RETRY_SOON;
    }
    return rv;
}

apr_status_t acme_renewal_info_fetch(acme_renewal_info_t *info,
                                     acme_session_t *session,
                                     const char *cert_id, apr_time_t now,
                                     acme_result_t *res, apr_pool_t *p)
{
    acme_http_request_t request = { .method = ACME_HTTP_GET };
    const acme_directory_t *dir;
    acme_http_reply_t *reply;
    const char *what;
    apr_status_t rv;

    rv = acme_session_directory(&dir, session, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!dir->renewal_info) {
        return acme_fail_never(res, APR_ENOTIMPL,
                               "%s: this CA offers no renewal info",
                               acme_ca_url(session->ca));
    }
    if (!is_cert_id(cert_id, p)) {
        return acme_fail_never(res, APR_EINVAL,
                               "%s: not a certID for renewal info",
                               acme_text_clean(cert_id, CERT_ID_MAX, p));
    }

    request.url = info_url(dir->renewal_info, cert_id, p);
    what = apr_pstrcat(p, "renewal info ", request.url, NULL);
    session->requests++;
    rv = acme_session_send(&reply, session, ACME_RESOURCE_RENEWAL_INFO,
                           &request, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (reply->status != 200) {
        return fail_reply(reply, what, res, p);
    }
    return acme_renewal_info_parse(info, reply, now, what, res, p);
}
