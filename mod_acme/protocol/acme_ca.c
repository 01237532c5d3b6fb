/*
 * acme_ca.c - the directory and the nonces that all threads share.
 *
 * The mutex guards memory and is never held while a request is under way.
 */
#include <string.h>

#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "acme_ca.h"
#include "acme_dns_persist.h"
#include "acme_json.h"
#include "acme_problem.h"
#include "acme_text.h"
#include "acme_url.h"

#define NONCES_MAX 32
#define BAD_NONCE_MAX 20        /* tries after the first */
#define DESCRIPTION_MAX 300     /* octets of a profile's description */
#define DIRECTORY_AGE_MAX apr_time_from_sec(24 * 60 * 60)

struct acme_ca_t {
    const char *url;
    apr_thread_mutex_t *mutex;  /* guards all below */
    apr_pool_t *directory_pool;         /* of this alone */
    acme_directory_t *directory;        /* NULL: not asked yet */
    apr_time_t directory_time;
    /* A ring: used newest first, since a CA forgets the oldest first. */
    char nonces[NONCES_MAX][ACME_NONCE_MAX + 1];
    int nonce_next;
    int nonce_count;
};

apr_status_t acme_ca_create(acme_ca_t **pca, const char *url, apr_pool_t *p)
{
    acme_ca_t *ca = apr_pcalloc(p, sizeof(*ca));
    apr_status_t rv;

    *pca = NULL;

    rv = apr_thread_mutex_create(&ca->mutex, APR_THREAD_MUTEX_DEFAULT, p);
    if (rv == APR_SUCCESS) {
        rv = apr_pool_create(&ca->directory_pool, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    ca->url = apr_pstrdup(p, url);

    *pca = ca;
    return APR_SUCCESS;
}

const char *acme_ca_url(const acme_ca_t *ca)
{
    return ca->url;
}

/* The nonce of a reply, or NULL. A bad one is to be ignored. (8555, 6.5.1) */
static const char *nonce_of(const acme_http_reply_t *reply)
{
    const char *nonce = reply->replay_nonce;

    return nonce && acme_text_is_base64url(nonce, ACME_NONCE_MAX) ? nonce
                                                                  : NULL;
}

/* Keep the nonce of a reply for whoever asks next. */
static void nonce_keep(acme_ca_t *ca, const acme_http_reply_t *reply)
{
    const char *nonce = nonce_of(reply);

    if (!nonce) {
        return;
    }
    apr_thread_mutex_lock(ca->mutex);
    apr_cpystrn(ca->nonces[ca->nonce_next], nonce, sizeof(*ca->nonces));
    ca->nonce_next = (ca->nonce_next + 1) % NONCES_MAX;
    if (ca->nonce_count < NONCES_MAX) {
        ca->nonce_count++;
    }
    apr_thread_mutex_unlock(ca->mutex);
}

/* The newest nonce, taken out, or NULL. */
static const char *nonce_take(acme_ca_t *ca, apr_pool_t *p)
{
    const char *nonce = NULL;

    apr_thread_mutex_lock(ca->mutex);
    if (ca->nonce_count) {
        ca->nonce_count--;
        ca->nonce_next = (ca->nonce_next + NONCES_MAX - 1) % NONCES_MAX;
        nonce = apr_pstrdup(p, ca->nonces[ca->nonce_next]);
    }
    apr_thread_mutex_unlock(ca->mutex);
    return nonce;
}

/* A URL of the directory; NULL when there is none or it is bad. */
static const char *directory_url(const json_t *json, const char *key,
                                 apr_pool_t *p)
{
    const char *url = acme_json_string(json, key, ACME_URL_MAX, p);
    acme_result_t ignored;

    return url && acme_url_check(url, &ignored, p) == APR_SUCCESS ? url : NULL;
}

/* One whose name is no text of a bounded length cannot be asked for. */
static apr_array_header_t *directory_profiles(const json_t *meta,
                                              apr_pool_t *p)
{
    json_t *list = json_object_get(meta, "profiles");
    apr_array_header_t *profiles = apr_array_make(p, 4,
                                                  sizeof(acme_profile_t));
    acme_profile_t *profile;
    const char *name;
    json_t *value;

    json_object_foreach(list, name, value) {
        if (profiles->nelts == ACME_PROFILES_MAX) {
            break;
        }
        if (*name && strlen(name) <= ACME_PROFILE_MAX) {
            profile = apr_array_push(profiles);
            profile->name = acme_text_clean(name, ACME_PROFILE_MAX, p);
            profile->description = acme_text_clean(json_string_value(value),
                                                   DESCRIPTION_MAX, p);
        }
    }
    return profiles;
}

/* Of the hashes that name an account in records. (dns-persist-02) */
static const char *directory_hash_prefix(const json_t *meta, apr_pool_t *p)
{
    const char *prefix = acme_json_string(meta, "accountHashPrefix",
                                          ACME_HASH_PREFIX_MAX, p);

    return prefix && acme_dns_persist_is_prefix(prefix) ? prefix : NULL;
}

static void directory_parse(acme_directory_t *dir, const json_t *json,
                            apr_pool_t *p)
{
    const json_t *meta = json_object_get(json, "meta");
    const char *terms = acme_json_string(meta, "termsOfService",
                                         ACME_URL_MAX, p);

    dir->new_nonce = directory_url(json, "newNonce", p);
    dir->new_account = directory_url(json, "newAccount", p);
    dir->new_order = directory_url(json, "newOrder", p);
    dir->revoke_cert = directory_url(json, "revokeCert", p);
    dir->key_change = directory_url(json, "keyChange", p);
    dir->renewal_info = directory_url(json, "renewalInfo", p);
    dir->terms_of_service = terms ? acme_text_clean(terms, ACME_URL_MAX, p)
                                  : NULL;
    dir->external_account_required =
        acme_json_true(meta, "externalAccountRequired");
    dir->profiles = directory_profiles(meta, p);
    dir->issuer_domain_names =
        acme_dns_persist_issuers(meta, "issuerDomainNames", p);
    dir->account_hash_prefix = directory_hash_prefix(meta, p);
}

/* The member without which the CA cannot be used, or NULL. */
static const char *directory_lacks(const acme_directory_t *dir)
{
    return !dir->new_nonce ? "newNonce"
         : !dir->new_account ? "newAccount"
         : !dir->new_order ? "newOrder"
         : NULL;
}

static apr_status_t directory_fetch(acme_directory_t *dir,
                                    acme_session_t *session,
                                    acme_result_t *res, apr_pool_t *p)
{
    acme_http_request_t request = { .method = ACME_HTTP_GET,
                                    .url = session->ca->url };
    const char *what = apr_pstrcat(p, "directory ", request.url, NULL);
    acme_http_reply_t *reply;
    const char *lacks;
    apr_status_t rv;
    json_t *json;

    rv = acme_http_send(&reply, session->http, &request, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    nonce_keep(session->ca, reply);
    if (reply->status != 200) {
        return acme_problem_reply(reply, what, res, p);
    }
    rv = acme_json_parse(&json, reply->body, reply->body_len, what, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    directory_parse(dir, json, p);
    lacks = directory_lacks(dir);
    if (lacks) {
        return acme_fail(res, APR_EGENERAL, "%s: no https URL for %s in it; "
                         "is it the directory of an ACME CA?", what, lacks);
    }
    return APR_SUCCESS;
}

static apr_array_header_t *profiles_copy(const apr_array_header_t *from,
                                         apr_pool_t *p)
{
    apr_array_header_t *profiles = apr_array_copy(p, from);
    int i;

    for (i = 0; i < profiles->nelts; i++) {
        acme_profile_t *profile = &APR_ARRAY_IDX(profiles, i, acme_profile_t);

        profile->name = apr_pstrdup(p, profile->name);
        profile->description = apr_pstrdup(p, profile->description);
    }
    return profiles;
}

static apr_array_header_t *strings_copy(const apr_array_header_t *from,
                                        apr_pool_t *p)
{
    apr_array_header_t *strings = apr_array_copy(p, from);
    int i;

    for (i = 0; i < strings->nelts; i++) {
        APR_ARRAY_IDX(strings, i, const char *) =
            apr_pstrdup(p, APR_ARRAY_IDX(strings, i, const char *));
    }
    return strings;
}

static acme_directory_t *directory_copy(const acme_directory_t *from,
                                        apr_pool_t *p)
{
    acme_directory_t *dir = apr_pmemdup(p, from, sizeof(*from));

    dir->new_nonce = apr_pstrdup(p, from->new_nonce);
    dir->new_account = apr_pstrdup(p, from->new_account);
    dir->new_order = apr_pstrdup(p, from->new_order);
    dir->revoke_cert = apr_pstrdup(p, from->revoke_cert);
    dir->key_change = apr_pstrdup(p, from->key_change);
    dir->renewal_info = apr_pstrdup(p, from->renewal_info);
    dir->terms_of_service = apr_pstrdup(p, from->terms_of_service);
    dir->profiles = profiles_copy(from->profiles, p);
    dir->issuer_domain_names = strings_copy(from->issuer_domain_names, p);
    dir->account_hash_prefix = apr_pstrdup(p, from->account_hash_prefix);
    return dir;
}

/* A copy of the directory if it is fresh enough, else NULL. */
static const acme_directory_t *directory_known(acme_ca_t *ca, apr_pool_t *p)
{
    const acme_directory_t *dir = NULL;
    apr_time_t now = apr_time_now();

    apr_thread_mutex_lock(ca->mutex);
    if (ca->directory && now - ca->directory_time < DIRECTORY_AGE_MAX) {
        dir = directory_copy(ca->directory, p);
    }
    apr_thread_mutex_unlock(ca->mutex);
    return dir;
}

static void directory_keep(acme_ca_t *ca, const acme_directory_t *fresh)
{
    apr_thread_mutex_lock(ca->mutex);
    apr_pool_clear(ca->directory_pool);
    ca->directory = directory_copy(fresh, ca->directory_pool);
    ca->directory_time = apr_time_now();
    apr_thread_mutex_unlock(ca->mutex);
}

void acme_ca_directory_forget(acme_ca_t *ca)
{
    apr_thread_mutex_lock(ca->mutex);
    ca->directory_time = 0;
    apr_thread_mutex_unlock(ca->mutex);
}

apr_status_t acme_ca_directory(const acme_directory_t **pdir,
                               acme_session_t *session, acme_result_t *res,
                               apr_pool_t *p)
{
    acme_directory_t *fresh;
    apr_status_t rv;

    *pdir = directory_known(session->ca, p);
    if (*pdir) {
        return APR_SUCCESS;
    }
    fresh = apr_palloc(p, sizeof(*fresh));
    rv = directory_fetch(fresh, session, res, p);
    if (rv == APR_SUCCESS) {
        directory_keep(session->ca, fresh);
        *pdir = fresh;
    }
    return rv;
}

/* Ask for a nonce. (8555, 7.2) */
static apr_status_t nonce_fetch(const char **pnonce, acme_session_t *session,
                                acme_result_t *res, apr_pool_t *p)
{
    acme_http_request_t request = { .method = ACME_HTTP_HEAD };
    const acme_directory_t *dir;
    acme_http_reply_t *reply;
    apr_status_t rv;

    *pnonce = NULL;

    rv = acme_ca_directory(&dir, session, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    request.url = dir->new_nonce;
    session->requests++;
    rv = acme_http_send(&reply, session->http, &request, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *pnonce = nonce_of(reply);
    if (*pnonce) {
        return APR_SUCCESS;
    }
    if (reply->status / 100 != 2) {
        return acme_problem_reply(reply, request.url, res, p);
    }
    return acme_fail(res, APR_EGENERAL, "%s: the CA gave no nonce",
                     request.url);
}

/* Sign and send once. */
static apr_status_t post_once(acme_http_reply_t **preply,
                              acme_session_t *session, acme_sign_e kind,
                              const char *url, const char *nonce,
                              acme_result_t *res, apr_pool_t *p)
{
    acme_http_request_t request = { .method = ACME_HTTP_POST, .url = url,
                                    .content_type = "application/jose+json" };
    apr_status_t rv;

    *preply = NULL;

    rv = session->sign(&request.body, session->baton, kind, url, nonce, res,
                       p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    session->requests++;
    return acme_http_send(preply, session->http, &request, res, p);
}

apr_status_t acme_ca_post(acme_http_reply_t **preply, acme_session_t *session,
                          acme_sign_e kind, const char *url, const char *what,
                          acme_result_t *res, apr_pool_t *p)
{
    const char *nonce = nonce_take(session->ca, p);
    acme_http_reply_t *reply;
    apr_status_t rv;
    int tries;

    *preply = NULL;

    for (tries = 0; tries <= BAD_NONCE_MAX; tries++) {
        rv = nonce ? APR_SUCCESS : nonce_fetch(&nonce, session, res, p);
        if (rv == APR_SUCCESS) {
            rv = post_once(&reply, session, kind, url, nonce, res, p);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (reply->status / 100 == 2) {
            nonce_keep(session->ca, reply);
            *preply = reply;
            return APR_SUCCESS;
        }
        rv = acme_problem_reply(reply, what, res, p);
        if (!acme_problem_is(res, "badNonce")) {
            break;
        }
        /* Not one of the pool: those may be as stale as this one was. */
        nonce = nonce_of(reply);
    }
    nonce_keep(session->ca, reply);
    *preply = reply;
    return rv;
}

apr_status_t acme_ca_location(const char **purl,
                              const acme_http_reply_t *reply,
                              const char *what, acme_result_t *res,
                              apr_pool_t *p)
{
    apr_status_t rv;

    *purl = NULL;

    if (!reply->location) {
        return acme_fail(res, APR_EGENERAL, "%s: the CA named no URL of it",
                         what);
    }
    rv = acme_url_check(reply->location, res, p);
    if (rv != APR_SUCCESS) {
        acme_result_prefix(res, what);
        return rv;
    }
    *purl = reply->location;
    return APR_SUCCESS;
}
