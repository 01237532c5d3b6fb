/*
 * acme_http01.c - http-01 answered on the server's own ports.
 */
#include <string.h>

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_protocol.h>

#include "acme_authorization.h"
#include "acme_counters.h"
#include "acme_http01.h"
#include "acme_text.h"

APLOG_USE_MODULE(acme);

#define CHALLENGE_PREFIX "/.well-known/acme-challenge/"
#define CHALLENGE_TYPE "application/octet-stream"

static acme_board_t *board;

void acme_http01_init(acme_board_t *the_board)
{
    board = the_board;
}

/*
 * On every vhost and whatever the Host header: the CA may have been led here
 * by any name. Tokens that are not ours are left to others.
 */
int acme_http01_answer(request_rec *r)
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
        || !acme_board_find(board, token, text)) {
        acme_counters_challenge(ACME_HTTP_01, ACME_SEEN_UNKNOWN);
        return DECLINED;
    }
    acme_board_count(board, token);
    acme_counters_challenge(ACME_HTTP_01, ACME_SEEN_ANSWERED);
    ap_set_content_type(r, CHALLENGE_TYPE);
    ap_set_content_length(r, (apr_off_t)strlen(text));
    ap_rputs(text, r);          /* HEAD: httpd keeps the body back */
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r,
                  "acme: answered a challenge for %s",
                  r->hostname ? r->hostname : "?");
    return DONE;
}
