/*
 * acme_requests.c - what we answer on the server's own ports.
 *
 * The order is the point: the challenge before everything, then the 503, then
 * the redirect.
 */
#include <string.h>

#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <http_ssl.h>

#include "acme_authorization.h"
#include "acme_server_conf.h"
#include "acme_requests.h"
#include "acme_sni.h"
#include "acme_text.h"

APLOG_USE_MODULE(acme);

#define CHALLENGE_PREFIX "/.well-known/acme-challenge/"
#define CHALLENGE_TYPE "application/octet-stream"

#define RETRY_AFTER "60"        /* seconds: a first certificate takes less */
#define HSTS "max-age=15768000" /* seconds: half a year */

static acme_board_t *board;
static const acme_conf_t *conf;

void acme_requests_init(acme_board_t *the_board, const acme_conf_t *the_conf)
{
    board = the_board;
    conf = the_conf;
}

static int send_challenge(request_rec *r, const char *text)
{
    ap_set_content_type(r, CHALLENGE_TYPE);
    ap_set_content_length(r, (apr_off_t)strlen(text));
    ap_rputs(text, r);          /* HEAD: httpd keeps the body back */
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "acme: answered a "
                  "challenge for %s", r->hostname ? r->hostname : "?");
    return DONE;
}

/*
 * On every vhost and whatever the Host header: the CA may have been led here
 * by any name. Tokens that are not ours are left to others.
 */
static int answer_challenge(request_rec *r)
{
    const apr_size_t prefix = sizeof(CHALLENGE_PREFIX) - 1;
    char text[ACME_KEY_AUTHORIZATION_SIZE];
    const char *token;

    if (!board || r->method_number != M_GET || !r->uri
        || strncmp(r->uri, CHALLENGE_PREFIX, prefix) != 0) {
        return DECLINED;
    }
    token = r->uri + prefix;
    if (!acme_text_is_base64url(token, ACME_TOKEN_MAX)
        || !acme_board_answer(board, token, text, 1)) {
        return DECLINED;
    }
    return send_challenge(r, text);
}

static int is_served(int cert)
{
    return cert >= 0 && acme_conf_cert(conf, (apr_uint32_t)cert)->served;
}

/*
 * A visitor is not shown a site behind a certificate that proves nothing. By
 * the name that he asks for: it may be in another one than its neighbours.
 */
static int refuse_placeholder(request_rec *r)
{
    const acme_server_conf_t *server = acme_server_conf(r->server);

    if (!conf || !server->certs || !ap_ssl_conn_is_ssl(r->connection)
        || is_served(acme_sni_of_server(server, r->hostname))) {
        return DECLINED;
    }
    apr_table_setn(r->err_headers_out, "Retry-After", RETRY_AFTER);
    return HTTP_SERVICE_UNAVAILABLE;
}

static int has_certificate(const request_rec *r)
{
    return conf && r->hostname && is_served(acme_sni_find(r->hostname));
}

/* To a name without its certificate nobody is sent. */
static int require_https(request_rec *r)
{
    const acme_server_conf_t *server = acme_server_conf(r->server);
    const int permanent = server->require_https == ACME_HTTPS_PERMANENT;
    const int get = r->method_number == M_GET;

    if (server->require_https == ACME_HTTPS_OFF || !has_certificate(r)) {
        return DECLINED;
    }
    if (ap_ssl_conn_is_ssl(r->connection)) {
        if (permanent) {
            apr_table_setn(r->err_headers_out, "Strict-Transport-Security",
                           HSTS);
        }
        return DECLINED;
    }
    apr_table_setn(r->err_headers_out, "Location",
                   apr_pstrcat(r->pool, "https://", r->hostname,
                               r->unparsed_uri[0] == '/' ? r->unparsed_uri
                                                         : r->uri, NULL));
    /* Only GET and HEAD are sent again as they were by a 301 or 302. */
    if (permanent) {
        return get ? HTTP_MOVED_PERMANENTLY : HTTP_PERMANENT_REDIRECT;
    }
    return get ? HTTP_MOVED_TEMPORARILY : HTTP_TEMPORARY_REDIRECT;
}

static int on_request(request_rec *r)
{
    int answer = DECLINED;

    if (r->main || r->prev) {
        return DECLINED;
    }
    answer = answer_challenge(r);
    if (answer == DECLINED) {
        answer = refuse_placeholder(r);
    }
    if (answer == DECLINED) {
        answer = require_https(r);
    }
    return answer;
}

void acme_requests_hooks(apr_pool_t *p)
{
    (void)p;
    /* Before mod_proxy, mod_rewrite and any Redirect see the request. */
    ap_hook_post_read_request(on_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
