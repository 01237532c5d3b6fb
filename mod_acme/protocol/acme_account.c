/*
 * acme_account.c - payloads and calls of the account. (8555, 7.3)
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

static void set_contacts(json_t *json, const apr_array_header_t *contacts)
{
    json_t *list = json_array();
    int i;

    for (i = 0; i < contacts->nelts; i++) {
        json_array_append_new(list, json_string(
            APR_ARRAY_IDX(contacts, i, const char *)));
    }
    json_object_set_new(json, "contact", list);
}

/* Put a JSON document into another, unless it is not an object. */
static void set_object(json_t *json, const char *key, const char *text)
{
    json_t *value = json_loads(text, 0, NULL);

    if (json_is_object(value)) {
        json_object_set(json, key, value);
    }
    json_decref(value);
}

const char *acme_account_payload(const acme_account_conf_t *conf,
                                 apr_pool_t *p)
{
    json_t *json = acme_json_own(json_object(), p);

    if (conf->only_existing) {
        json_object_set_new(json, "onlyReturnExisting", json_true());
        return acme_json_text(json, 0, p);
    }
    if (conf->contacts->nelts) {
        set_contacts(json, conf->contacts);
    }
    if (conf->agreed) {
        json_object_set_new(json, "termsOfServiceAgreed", json_true());
    }
    if (conf->binding) {
        set_object(json, "externalAccountBinding", conf->binding);
    }
    return acme_json_text(json, 0, p);
}

const char *acme_account_update_payload(const apr_array_header_t *contacts,
                                        apr_pool_t *p)
{
    json_t *json = acme_json_own(json_object(), p);

    set_contacts(json, contacts);
    return acme_json_text(json, 0, p);
}

const char *acme_account_deactivate_payload(apr_pool_t *p)
{
    return apr_pstrdup(p, "{\"status\":\"deactivated\"}");
}

const char *acme_account_key_change_payload(const char *account_url,
                                            const char *old_jwk, apr_pool_t *p)
{
    json_t *json = acme_json_own(json_object(), p);

    json_object_set_new(json, "account", json_string(account_url));
    set_object(json, "oldKey", old_jwk);
    return acme_json_text(json, 0, p);
}

static const char *what_of(const acme_session_t *session, apr_pool_t *p)
{
    return apr_pstrcat(p, "account at ", acme_ca_url(session->ca), NULL);
}

/* A reply without a status passes: the CA does not deny the expected one. */
static apr_status_t check_status(const acme_http_reply_t *reply,
                                 const char *expected, const char *what,
                                 acme_result_t *res, apr_pool_t *p)
{
    acme_result_t ignored;
    const char *status;
    json_t *json;

    if (acme_json_parse(&json, reply->body, reply->body_len, what, &ignored,
                        p) != APR_SUCCESS) {
        return APR_SUCCESS;
    }
    status = acme_json_string(json, "status", STATUS_MAX, p);
    if (status && strcmp(status, expected)) {
        acme_fail_never(res, APR_EGENERAL,
                        "%s: the status at the CA is %s", what,
                        acme_text_clean(status, STATUS_MAX, p));
        return acme_result_reason(res, ACME_REASON_ACCOUNT_DEACTIVATED);
    }
    return APR_SUCCESS;
}

/* newAccount, in one of its two kinds: register, or find only. */
static apr_status_t post_new_account(const char **purl,
                                     acme_session_t *session,
                                     acme_sign_e kind, acme_result_t *res,
                                     apr_pool_t *p)
{
    const char *what = what_of(session, p);
    acme_session_post_t post = { .kind = kind,
                                 .resource = ACME_RESOURCE_NEW_ACCOUNT,
                                 .what = what };
    const acme_directory_t *dir;
    acme_http_reply_t *reply;
    apr_status_t rv;

    *purl = NULL;

    rv = acme_session_directory(&dir, session, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    post.url = dir->new_account;
    rv = acme_session_post(&reply, session, &post, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = check_status(reply, "valid", what, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return acme_session_location(purl, reply, what, res, p);
}

apr_status_t acme_account_register(const char **purl, acme_session_t *session,
                                   acme_result_t *res, apr_pool_t *p)
{
    return post_new_account(purl, session, ACME_SIGN_NEW_ACCOUNT, res, p);
}

apr_status_t acme_account_find(const char **purl, acme_session_t *session,
                               acme_result_t *res, apr_pool_t *p)
{
    return post_new_account(purl, session, ACME_SIGN_FIND_ACCOUNT, res, p);
}

/* A change of the account that leaves it in the state expected. */
static apr_status_t post_change(acme_session_t *session, acme_sign_e kind,
                                const char *url, const char *expected,
                                acme_result_t *res, apr_pool_t *p)
{
    const char *what = what_of(session, p);
    const acme_session_post_t post = { .kind = kind,
                                       .resource = ACME_RESOURCE_ACCOUNT,
                                       .url = url,
                                       .what = what };
    acme_http_reply_t *reply;
    apr_status_t rv;

    rv = acme_session_post(&reply, session, &post, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return check_status(reply, expected, what, res, p);
}

apr_status_t acme_account_update(acme_session_t *session, const char *url,
                                 acme_result_t *res, apr_pool_t *p)
{
    return post_change(session, ACME_SIGN_UPDATE_ACCOUNT, url, "valid", res,
                       p);
}

apr_status_t acme_account_deactivate(acme_session_t *session, const char *url,
                                     acme_result_t *res, apr_pool_t *p)
{
    return post_change(session, ACME_SIGN_DEACTIVATE, url, "deactivated", res,
                       p);
}

apr_status_t acme_account_key_change(acme_session_t *session,
                                     acme_result_t *res, apr_pool_t *p)
{
    const char *what = what_of(session, p);
    acme_session_post_t post = { .kind = ACME_SIGN_KEY_CHANGE,
                                 .resource = ACME_RESOURCE_KEY_CHANGE,
                                 .what = what };
    const acme_directory_t *dir;
    acme_http_reply_t *reply;
    apr_status_t rv;

    rv = acme_session_directory(&dir, session, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!dir->key_change) {
        return acme_fail_never(
            res, APR_ENOTIMPL,
            "%s: this CA does not support a change of the account's key",
            what);
    }
    post.url = dir->key_change;
    return acme_session_post(&reply, session, &post, res, p);
}
