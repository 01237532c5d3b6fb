/*
 * acme_page.c - SetHandler acme-status: the page, ?json and ?metrics.
 */
#include <string.h>

#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>

#include "acme_page.h"
#include "acme_page_cert.h"
#include "acme_page_json.h"
#include "acme_page_list.h"
#include "acme_page_metrics.h"
#include "acme_page_view.h"

APLOG_USE_MODULE(acme);

#define HANDLER "acme-status"

/* Is this word, alone or before '&' or '=', the query's first? */
static int is_asked(const request_rec *r, const char *word)
{
    const apr_size_t len = strlen(word);

    return r->args && !strncmp(r->args, word, len)
           && (!r->args[len] || strchr("&=", r->args[len]));
}

/* Of all three answers. */
static void set_headers(request_rec *r)
{
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Referrer-Policy", "no-referrer");
}

static int send_page(request_rec *r, const acme_page_view_t *view,
                     apr_time_t now)
{
    const acme_page_query_t query = acme_page_query_read(r->args, r->pool);
    const acme_page_frame_t frame = {
        .query = &query, .now = now,
        .server = r->server->server_hostname ? r->server->server_hostname : ""
    };
    acme_page_out_t *out = acme_page_out_make(r->pool);
    const int i = query.id ? acme_page_cert_find(view, query.id) : -1;
    const char *html;
    apr_size_t len;

    if (i >= 0) {
        acme_page_cert(out, &frame, view, i, r->pool);
    }
    else if (query.id) {
        r->status = HTTP_NOT_FOUND;
        acme_page_cert_unknown(out, &frame);
    }
    else {
        acme_page_list(out, &frame, view, r->pool);
    }
    html = acme_page_out_data(out, &len);
    ap_set_content_type(r, "text/html; charset=utf-8");
    ap_set_content_length(r, (apr_off_t)len);
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   acme_page_frame_policy(r->pool));
    ap_rwrite(html, (int)len, r);
    return OK;
}

/*
 * Where no directive of the configuration names the handler, somebody else
 * does: with AllowOverride FileInfo the .htaccess file of a site, around the
 * administrator's Require.
 */
static int is_configured(const request_rec *r, const acme_page_view_t *view)
{
    if (!view->others) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "acme: %s: the handler acme-status is set by an .htaccess file, and is ignored: only the server's configuration can set it",
                      r->uri);
    }
    return view->others != NULL;
}

static int on_handler(request_rec *r)
{
    const acme_page_view_t *view;
    const apr_time_t now = apr_time_now();

    if (!r->handler || strcmp(r->handler, HANDLER)) {
        return DECLINED;
    }
    view = acme_page_view_begin(r->pool);
    if (!view) {
        return HTTP_SERVICE_UNAVAILABLE;
    }
    if (!is_configured(r, view)) {
        return HTTP_NOT_FOUND;
    }
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);     /* and HEAD */
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    set_headers(r);
    if (is_asked(r, "json")) {
        return acme_page_json(r, view, now);
    }
    if (is_asked(r, "metrics")) {
        return acme_page_metrics(r, view, now);
    }
    return send_page(r, view, now);
}

void acme_page_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(on_handler, NULL, NULL, APR_HOOK_MIDDLE);
}
