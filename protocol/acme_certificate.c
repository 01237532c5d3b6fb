/*
 * acme_certificate.c - the chain that a CA issued, carried as it came.
 *
 * Nothing here looks into it: the keeper parses and checks it.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_certificate.h"
#include "acme_text.h"

#define TYPE_MAX 64

apr_status_t acme_certificate_fetch(const char **ppem, apr_size_t *plen,
                                    acme_session_t *session, const char *url,
                                    apr_size_t max, acme_result_t *res,
                                    apr_pool_t *p)
{
    static const char expected[] = "application/pem-certificate-chain";
    const char *what = apr_pstrcat(p, "certificate ", url, NULL);
    acme_http_reply_t *reply;
    const char *type;
    apr_status_t rv;

    *ppem = NULL;
    *plen = 0;

    rv = acme_ca_post(&reply, session, ACME_SIGN_POST_AS_GET, url, what, res,
                      p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    type = reply->content_type ? reply->content_type : "nothing that we know";
    if (strcmp(type, expected)) {
        return acme_fail(res, APR_EGENERAL, "%s: sent as %s, not as %s", what,
                         acme_text_clean(type, TYPE_MAX, p), expected);
    }
    if (reply->body_len > max) {
        return acme_fail(res, APR_EGENERAL, "%s: longer than %" APR_SIZE_T_FMT
                         " octets", what, max);
    }
    *ppem = reply->body;
    *plen = reply->body_len;
    return APR_SUCCESS;
}
