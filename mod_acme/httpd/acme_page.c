/*
 * acme_page.c - SetHandler acme-status: the page, ?json and ?metrics.
 */
#include <string.h>

#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>

#include "acme_page.h"
#include "acme_page_json.h"
#include "acme_page_metrics.h"
#include "acme_page_view.h"

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

static int on_handler(request_rec *r)
{
    const acme_page_view_t *view = acme_page_view();
    const apr_time_t now = apr_time_now();

    if (!r->handler || strcmp(r->handler, HANDLER)) {
        return DECLINED;
    }
    r->allowed |= AP_METHOD_BIT << M_GET;       /* which is HEAD as well */
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if (!view) {
        return HTTP_SERVICE_UNAVAILABLE;
    }
    set_headers(r);
    if (is_asked(r, "json")) {
        return acme_page_json(r, view, now);
    }
    if (is_asked(r, "metrics")) {
        return acme_page_metrics(r, view, now);
    }
    return HTTP_NOT_IMPLEMENTED;
}

void acme_page_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(on_handler, NULL, NULL, APR_HOOK_MIDDLE);
}
