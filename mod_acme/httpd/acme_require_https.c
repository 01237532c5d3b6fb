/*
 * acme_require_https.c - AcmeRequireHttps: the redirect to https, and HSTS.
 *
 * A browser that has seen HSTS comes by https for half a year: nobody is sent
 * there whom the certificate that is loaded would not satisfy.
 */
#include <string.h>

#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <http_ssl.h>
#include <util_filter.h>

#include "acme_activation.h"
#include "acme_require_https.h"
#include "acme_server_conf.h"
#include "acme_sni.h"

#define HEADER "Strict-Transport-Security"
#define HSTS "max-age=15768000" /* seconds: half a year */

/* mod_headers is of the type between them. */
#define BEFORE_MOD_HEADERS (AP_FTYPE_CONTENT_SET - 1)
#define AFTER_MOD_HEADERS (AP_FTYPE_PROTOCOL - 1)

static ap_filter_rec_t *offer_filter, *choose_filter;

/* Does what this load serves satisfy visitors of the requested name? */
static int has_certificate(const request_rec *r)
{
    return r->hostname
        && acme_activation_has_name(acme_sni_find(r->hostname), r->hostname);
}

int acme_require_https(request_rec *r)
{
    const acme_server_conf_t *server = acme_server_conf(r->server);
    const int permanent = server->require_https == ACME_HTTPS_PERMANENT;
    const int get = r->method_number == M_GET;

    /* "OPTIONS *" is about the server, and CONNECT has no path either. */
    if (server->require_https == ACME_HTTPS_OFF || r->uri[0] != '/'
        || ap_ssl_conn_is_ssl(r->connection) || !has_certificate(r)) {
        return DECLINED;
    }
    /* Not unparsed_uri, for it may be a whole URL. (9112, 3.2.2) */
    apr_table_setn(r->err_headers_out, "Location",
                   apr_pstrcat(r->pool, "https://", r->hostname, r->uri,
                               r->args ? "?" : "", r->args ? r->args : "",
                               NULL));
    /* Only GET and HEAD are sent again as they were by a 301 or 302. */
    if (permanent) {
        return get ? HTTP_MOVED_PERMANENTLY : HTTP_PERMANENT_REDIRECT;
    }
    return get ? HTTP_MOVED_TEMPORARILY : HTTP_TEMPORARY_REDIRECT;
}

/*
 * HSTS, so that the administrator and the backend have the last word. httpd
 * sends two tables of headers, and "Header set" changes one, "Header always
 * set" the other. Ours is offered in both before mod_headers sees them; behind
 * it, what differs from ours in one of them says that the other is not wanted.
 */
static int is_ours(const char *value)
{
    return value && !strcmp(value, HSTS);
}

static int is_theirs(const char *value)
{
    return value && strcmp(value, HSTS) != 0;
}

/* The context of both filters: ours was offered. */
typedef struct {
    int is_offered;
} hsts_t;

static apr_status_t offer(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    request_rec *r = f->r;
    hsts_t *hsts = f->ctx;

    /* An error has ours from before, in one of them. */
    if (!is_theirs(apr_table_get(r->headers_out, HEADER))
        && !is_theirs(apr_table_get(r->err_headers_out, HEADER))) {
        apr_table_setn(r->headers_out, HEADER, HSTS);
        apr_table_setn(r->err_headers_out, HEADER, HSTS);
        hsts->is_offered = 1;
    }
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, brigade);
}

static apr_status_t choose(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    request_rec *r = f->r;
    const hsts_t *hsts = f->ctx;
    const int in_both = is_ours(apr_table_get(r->headers_out, HEADER))
        && is_ours(apr_table_get(r->err_headers_out, HEADER));

    if (hsts->is_offered) {
        if (!in_both && is_ours(apr_table_get(r->headers_out, HEADER))) {
            apr_table_unset(r->headers_out, HEADER);
        }
        if (is_ours(apr_table_get(r->err_headers_out, HEADER))) {
            apr_table_unset(r->err_headers_out, HEADER);
        }
    }
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, brigade);
}

static void add_filters(request_rec *r)
{
    hsts_t *hsts;

    if (r->main
        || acme_server_conf(r->server)->require_https != ACME_HTTPS_PERMANENT
        || !ap_ssl_conn_is_ssl(r->connection) || !has_certificate(r)) {
        return;
    }
    hsts = apr_pcalloc(r->pool, sizeof(*hsts));
    ap_add_output_filter_handle(offer_filter, hsts, r, r->connection);
    ap_add_output_filter_handle(choose_filter, hsts, r, r->connection);
}

void acme_require_https_hooks(apr_pool_t *p)
{
    (void)p;
    offer_filter = ap_register_output_filter("ACME_HSTS_OFFER", offer, NULL,
                                             BEFORE_MOD_HEADERS);
    choose_filter = ap_register_output_filter("ACME_HSTS_CHOOSE", choose,
                                              NULL, AFTER_MOD_HEADERS);
    ap_hook_insert_filter(add_filters, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_error_filter(add_filters, NULL, NULL, APR_HOOK_MIDDLE);
}
