/*
 * acme_require_https.c - AcmeRequireHttps: the redirect to https, and HSTS.
 */
#include <apr_strings.h>

#include <httpd.h>
#include <http_ssl.h>

#include "acme_activation.h"
#include "acme_require_https.h"
#include "acme_server_conf.h"
#include "acme_sni.h"

#define HSTS "max-age=15768000" /* seconds: half a year */

/* To a name without its certificate nobody is sent. */
int acme_require_https(request_rec *r)
{
    const acme_server_conf_t *server = acme_server_conf(r->server);
    const int permanent = server->require_https == ACME_HTTPS_PERMANENT;
    const int get = r->method_number == M_GET;

    /* "OPTIONS *" is about the server, and CONNECT has no path either. */
    if (server->require_https == ACME_HTTPS_OFF || !r->hostname
        || r->uri[0] != '/'
        || !acme_activation_is_served(acme_sni_find(r->hostname))) {
        return DECLINED;
    }
    if (ap_ssl_conn_is_ssl(r->connection)) {
        if (permanent) {
            apr_table_setn(r->err_headers_out, "Strict-Transport-Security",
                           HSTS);
        }
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
