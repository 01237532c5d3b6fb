/*
 * acme_certificate.c - the chain that a CA issued, carried as it came, and
 * the word that it is void.
 *
 * Nothing here looks into a chain: the keeper parses and checks it.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_certificate.h"
#include "acme_json.h"
#include "acme_link.h"
#include "acme_problem.h"
#include "acme_text.h"

#define TYPE_MAX 64

static apr_array_header_t *alternates_of(const acme_http_reply_t *reply,
                                         apr_pool_t *p)
{
    apr_array_header_t *urls = apr_array_make(p, 2, sizeof(const char *));
    int i;

    for (i = 0; i < reply->links->nelts; i++) {
        acme_link_find(urls, APR_ARRAY_IDX(reply->links, i, const char *),
                       "alternate", ACME_ALTERNATES_MAX, p);
    }
    return urls;
}

apr_status_t acme_certificate_fetch(acme_certificate_chain_t *out,
                                    acme_session_t *session, const char *url,
                                    apr_size_t max, acme_result_t *res,
                                    apr_pool_t *p)
{
    static const char expected[] = "application/pem-certificate-chain";
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    const char *what = apr_pstrcat(p, "certificate ", url, NULL);
    const acme_session_post_t post = { .kind = ACME_SIGN_POST_AS_GET,
                                       .resource = ACME_RESOURCE_CERTIFICATE,
                                       .url = url,
                                       .what = what };
    acme_http_reply_t *reply;
    const char *type;
    apr_status_t rv;

    memset(out, 0, sizeof(*out));

    rv = acme_session_post(&reply, session, &post, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* Not each CA calls it by its name; the keeper's parser decides. */
    type = reply->content_type ? reply->content_type : "nothing that we know";
    if (strcmp(type, expected) && !strstr(reply->body, begin)) {
        acme_fail(res, APR_EGENERAL,
                  "%s: sent as %s, not as %s, and without a certificate in PEM",
                  what, acme_text_clean(type, TYPE_MAX, p), expected);
        return acme_result_reason(res, ACME_REASON_CA_ANSWER);
    }
    if (reply->body_len > max) {
        return acme_fail(res, APR_EGENERAL, "%s: longer than %" APR_SIZE_T_FMT
                         " octets", what, max);
    }
    out->pem = reply->body;
    out->len = reply->body_len;
    out->alternates = alternates_of(reply, p);
    return APR_SUCCESS;
}

const char *acme_certificate_revoke_payload(const unsigned char *der,
                                            apr_size_t len, int reason,
                                            apr_pool_t *p)
{
    json_t *json = acme_json_own(json_object(), p);

    json_object_set_new(json, "certificate",
                        json_string(acme_text_base64url(der, len, p)));
    if (reason != ACME_REVOKE_REASON_NONE) {
        json_object_set_new(json, "reason", json_integer(reason));
    }
    return acme_json_text(json, 0, p);
}

apr_status_t acme_certificate_revoke(acme_session_t *session,
                                     acme_result_t *res, apr_pool_t *p)
{
    const char *what = apr_pstrcat(p, "revocation at ",
                                   acme_ca_url(session->ca), NULL);
    acme_session_post_t post = { .kind = ACME_SIGN_REVOKE,
                                 .resource = ACME_RESOURCE_REVOKE_CERT,
                                 .what = what };
    const acme_directory_t *dir;
    acme_http_reply_t *reply;
    apr_status_t rv;

    rv = acme_session_directory(&dir, session, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!dir->revoke_cert) {
        return acme_fail_never(
            res, APR_ENOTIMPL,
            "%s: this CA does not revoke certificates through ACME", what);
    }
    post.url = dir->revoke_cert;
    rv = acme_session_post(&reply, session, &post, res, p);
    if (rv != APR_SUCCESS && acme_problem_is(res, "alreadyRevoked")) {
        return APR_SUCCESS;
    }
    return rv;
}
