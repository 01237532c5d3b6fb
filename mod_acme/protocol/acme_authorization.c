/*
 * acme_authorization.c - authorization objects, read with care. (8555, 7.1.4)
 *
 * A challenge that cannot be used does not fail the authorization: another
 * one may do.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_authorization.h"
#include "acme_dns_persist.h"
#include "acme_json.h"
#include "acme_name.h"
#include "acme_problem.h"
#include "acme_text.h"
#include "acme_url.h"

#define STATUS_MAX 32
#define TYPE_MAX 64
#define CHALLENGES_MAX 8        /* there are five types today */

static const struct {
    const char *name;
    acme_authorization_e status;
} statuses[] = { { "pending", ACME_AUTHORIZATION_PENDING },
                 { "valid", ACME_AUTHORIZATION_VALID },
                 { "invalid", ACME_AUTHORIZATION_FAILED },
                 { "deactivated", ACME_AUTHORIZATION_FAILED },
                 { "expired", ACME_AUTHORIZATION_FAILED },
                 { "revoked", ACME_AUTHORIZATION_FAILED } };

#define STATUSES (sizeof(statuses) / sizeof(*statuses))

static int challenge_kind_of(const char *type)
{
    acme_challenge_e kind;

    return acme_challenge_parse(&kind, type) ? (int)kind : -1;
}

/* The port that the CA cannot connect to. (8555, 8.3; 8737, 3) */
static acme_reason_e unreachable_reason(const char *type)
{
    switch (type ? challenge_kind_of(type) : -1) {
    case ACME_HTTP_01:
        return ACME_REASON_PORT_80_UNREACHABLE;
    case ACME_TLS_ALPN_01:
        return ACME_REASON_PORT_443_UNREACHABLE;
    default:
        return ACME_REASON_SERVER_UNREACHABLE;
    }
}

/* The problem of a challenge, or NULL. */
static const acme_result_t *challenge_error(const json_t *json,
                                            const char *type,
                                            const char *name, apr_pool_t *p)
{
    const json_t *error = json_object_get(json, "error");
    acme_result_t *res;

    if (!json_is_object(error)) {
        return NULL;
    }
    res = apr_palloc(p, sizeof(*res));
    acme_problem_json(error, apr_psprintf(p, "%s of %s", type, name), res, p);
    if (res->reason == ACME_REASON_SERVER_UNREACHABLE) {
        res->reason = unreachable_reason(type);
    }
    return res;
}

/* A challenge without a type or a valid URL is left out. */
static void parse_challenge(acme_authorization_t *authz, const json_t *json,
                            apr_pool_t *p)
{
    const char *type = acme_json_string(json, "type", TYPE_MAX, p);
    const char *url = acme_json_string(json, "url", ACME_URL_MAX, p);
    const char *token = acme_json_string(json, "token", ACME_TOKEN_MAX, p);
    const char *status = acme_json_string(json, "status", STATUS_MAX, p);
    acme_challenge_t *challenge;
    acme_result_t ignored;
    int is_new;

    if (!type || !url || acme_url_check(url, &ignored, p) != APR_SUCCESS) {
        return;
    }
    challenge = apr_array_push(authz->challenges);
    challenge->type = acme_text_clean(type, TYPE_MAX, p);
    challenge->kind = challenge_kind_of(type);
    challenge->url = url;
    challenge->token = token && acme_text_is_base64url(token, ACME_TOKEN_MAX)
                     ? token : NULL;
    challenge->begun = status && (!strcmp(status, "processing")
                                  || !strcmp(status, "valid"));
    challenge->failed = status && !strcmp(status, "invalid");
    challenge->error = challenge_error(json, challenge->type, authz->name, p);
    challenge->issuers = NULL;
    challenge->persist_draft = 0;
    if (challenge->kind == ACME_DNS_PERSIST_01) {
        /* The two drafts in use spell the member differently. */
        is_new = json_object_get(json, "issuerDomainNames") != NULL;
        challenge->issuers = acme_dns_persist_issuers(
            json, is_new ? "issuerDomainNames" : "issuer-domain-names", p);
        challenge->persist_draft = is_new ? 2 : 1;
    }
}

/* Why the authorization failed: a challenge's error, else its status. */
static void parse_error(acme_authorization_t *authz, const json_t *json,
                        apr_pool_t *p)
{
    const json_t *list = json_object_get(json, "challenges");
    const char *status = acme_json_string(json, "status", STATUS_MAX, p);
    const acme_result_t *error = NULL;
    apr_size_t i;

    /* Also of challenges that were left out, as they cannot be answered. */
    for (i = 0; !error && i < json_array_size(list); i++) {
        const json_t *challenge = json_array_get(list, i);
        const char *type = acme_json_string(challenge, "type", TYPE_MAX, p);

        error = challenge_error(challenge,
                                type ? acme_text_clean(type, TYPE_MAX, p)
                                     : "challenge", authz->name, p);
    }
    if (error) {
        authz->error = *error;
        return;
    }
    acme_fail(&authz->error, APR_EGENERAL,
              "authorization of %s: the CA marked it %s", authz->name, status);
    authz->error.reason = ACME_REASON_ORDER_INVALID;
}

static apr_status_t parse_authorization(acme_authorization_t *authz,
                                        const json_t *json, const char *what,
                                        acme_result_t *res, apr_pool_t *p)
{
    const char *status = acme_json_string(json, "status", STATUS_MAX, p);
    const char *text = acme_json_string(json_object_get(json, "identifier"),
                                        "value", ACME_NAME_MAX, p);
    const json_t *list = json_object_get(json, "challenges");
    acme_result_t ignored;
    const char *name;
    apr_size_t i;

    for (i = 0; i < STATUSES; i++) {
        if (status && !strcmp(status, statuses[i].name)) {
            authz->status = statuses[i].status;
            break;
        }
    }
    if (i == STATUSES) {
        return acme_fail(res, APR_EGENERAL, "%s: unknown status: %s", what,
                         status ? acme_text_clean(status, STATUS_MAX, p)
                                : "none");
    }

    if (!text || acme_name_normalise(&name, text, &ignored, p)) {
        return acme_fail(res, APR_EGENERAL,
                         "%s: the identifier is not a valid name: \"%s\"",
                         what, acme_text_clean(text, ACME_NAME_MAX, p));
    }
    authz->wildcard = acme_json_true(json, "wildcard");
    if (acme_name_is_wildcard(name)) {
        /* Against 8555, 7.1.4, which puts no "*." here, but clear. */
        authz->wildcard = 1;
        name += strlen("*.");
    }
    authz->name = name;

    authz->challenges = apr_array_make(p, 4, sizeof(acme_challenge_t));
    for (i = 0; i < json_array_size(list)
                && authz->challenges->nelts < CHALLENGES_MAX; i++) {
        parse_challenge(authz, json_array_get(list, i), p);
    }
    if (authz->status == ACME_AUTHORIZATION_FAILED) {
        parse_error(authz, json, p);
    }
    return APR_SUCCESS;
}

apr_status_t acme_authorization_fetch(acme_authorization_t **pauthz,
                                      acme_session_t *session, const char *url,
                                      acme_result_t *res, apr_pool_t *p)
{
    acme_session_post_t post = { .kind = ACME_SIGN_POST_AS_GET,
                                 .resource = ACME_RESOURCE_AUTHORIZATION,
                                 .url = url };
    acme_authorization_t *authz = apr_pcalloc(p, sizeof(*authz));
    acme_http_reply_t *reply;
    apr_pool_t *scratch;
    apr_status_t rv;
    json_t *json;

    *pauthz = NULL;

    apr_pool_create(&scratch, p);
    post.what = apr_pstrcat(scratch, "authorization ", url, NULL);
    rv = acme_session_post(&reply, session, &post, res, scratch);
    if (rv == APR_SUCCESS) {
        rv = acme_json_parse(&json, reply->body, reply->body_len, post.what,
                             res, scratch);
        if (rv == APR_SUCCESS) {
            rv = parse_authorization(authz, json, post.what, res, p);
        }
        if (rv != APR_SUCCESS) {
            acme_result_reason(res, ACME_REASON_CA_ANSWER);
        }
    }
    if (rv == APR_SUCCESS) {
        *pauthz = authz;
    }
    apr_pool_destroy(scratch);
    return rv;
}

static int is_usable(const acme_challenge_t *challenge)
{
    if (challenge->kind == ACME_DNS_PERSIST_01) {
        return !challenge->failed && challenge->issuers->nelts;
    }
    return !challenge->failed && challenge->token;
}

const acme_challenge_t *acme_authorization_challenge(
    const acme_authorization_t *authz, acme_challenge_e type)
{
    int i;

    for (i = 0; i < authz->challenges->nelts; i++) {
        const acme_challenge_t *challenge =
            &APR_ARRAY_IDX(authz->challenges, i, acme_challenge_t);

        if (challenge->kind == (int)type && is_usable(challenge)) {
            return challenge;
        }
    }
    return NULL;
}

apr_status_t acme_authorization_respond(int *phas_error,
                                        acme_session_t *session,
                                        const acme_challenge_t *challenge,
                                        const char *name, acme_result_t *res,
                                        apr_pool_t *p)
{
    const char *what = apr_psprintf(p, "%s of %s", challenge->type, name);
    const acme_session_post_t post = { .kind = ACME_SIGN_CHALLENGE,
                                       .resource = ACME_RESOURCE_CHALLENGE,
                                       .url = challenge->url,
                                       .what = what };
    acme_http_reply_t *reply;
    acme_result_t ignored;
    apr_pool_t *scratch;
    apr_status_t rv;
    json_t *json;

    *phas_error = 0;

    apr_pool_create(&scratch, p);
    rv = acme_session_post(&reply, session, &post, res, scratch);
    /* A reply that is not JSON does no harm: the authorization is fetched. */
    if (rv == APR_SUCCESS
        && acme_json_parse(&json, reply->body, reply->body_len, what, &ignored,
                           scratch) == APR_SUCCESS) {
        *phas_error = json_is_object(json_object_get(json, "error"));
    }
    apr_pool_destroy(scratch);
    return rv;
}
