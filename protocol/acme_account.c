/*
 * acme_account.c - making or finding the account. (8555, 7.3)
 *
 * The account's URL is in Location; the object in the body says only whether
 * the account is still good.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_account.h"
#include "acme_json.h"
#include "acme_text.h"

#define STATUS_MAX 32

const char *acme_account_payload(const apr_array_header_t *contacts,
                                 int agreed, apr_pool_t *p)
{
    json_t *json = acme_json_own(json_object(), p);
    json_t *list;
    int i;

    if (contacts->nelts) {
        list = json_array();
        for (i = 0; i < contacts->nelts; i++) {
            json_array_append_new(list, json_string(
                APR_ARRAY_IDX(contacts, i, const char *)));
        }
        json_object_set_new(json, "contact", list);
    }
    if (agreed) {
        json_object_set_new(json, "termsOfServiceAgreed", json_true());
    }
    return acme_json_text(json, 0, p);
}

/* Is the account good? A CA that does not say so does not refuse it. */
static apr_status_t check_status(const acme_http_reply_t *reply,
                                 const char *what, acme_result_t *res,
                                 apr_pool_t *p)
{
    acme_result_t ignored;
    const char *status;
    json_t *json;

    if (acme_json_parse(&json, reply->body, reply->body_len, what, &ignored,
                        p) != APR_SUCCESS) {
        return APR_SUCCESS;
    }
    status = acme_json_string(json, "status", STATUS_MAX, p);
    if (status && strcmp(status, "valid")) {
        return acme_fail_never(res, APR_EGENERAL, "%s: it is %s at the CA",
                               what, acme_text_clean(status, STATUS_MAX, p));
    }
    return APR_SUCCESS;
}

apr_status_t acme_account_register(const char **purl, acme_session_t *session,
                                   acme_result_t *res, apr_pool_t *p)
{
    const char *what = apr_pstrcat(p, "account at ", acme_ca_url(session->ca),
                                   NULL);
    const acme_directory_t *dir;
    acme_http_reply_t *reply;
    apr_status_t rv;

    *purl = NULL;

    rv = acme_ca_directory(&dir, session, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_ca_post(&reply, session, ACME_SIGN_NEW_ACCOUNT,
                      dir->new_account, what, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = check_status(reply, what, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return acme_ca_location(purl, reply, what, res, p);
}
