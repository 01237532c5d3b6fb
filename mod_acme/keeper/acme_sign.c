/*
 * acme_sign.c - the requests that the keeper signs.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_account.h"
#include "acme_certificate.h"
#include "acme_install.h"
#include "acme_jws.h"
#include "acme_order.h"
#include "acme_sign.h"
#include "acme_url.h"

#define NO_ACCOUNT "urn:ietf:params:acme:error:accountDoesNotExist"

/* One request while it is made. */
typedef struct {
    acme_registry_t *registry;
    acme_accounts_t *accounts;
    const acme_msg_sign_t *sign;
    const acme_cert_conf_t *cert;
    const acme_state_t *state;
    const acme_ca_conf_t *ca;
    apr_uint32_t ca_index;
    const acme_ca_account_t *account;
    acme_result_t *res;
    apr_pool_t *p;
} making_t;

typedef apr_status_t payload_t(const char **ppayload, const making_t *making);

static apr_status_t new_account(const char **ppayload,
                                const making_t *making)
{
    acme_account_conf_t conf = { making->ca->contacts, making->cert->agreed,
                                 NULL, 0 };
    apr_status_t rv = APR_SUCCESS;

    if (making->sign->with & ACME_WITH_BINDING) {
        rv = acme_accounts_binding(&conf.binding, making->accounts,
                                   making->ca_index, making->sign->url,
                                   making->res, making->p);
    }
    *ppayload = acme_account_payload(&conf, making->p);
    return rv;
}

static apr_status_t find_account(const char **ppayload,
                                 const making_t *making)
{
    const acme_account_conf_t conf = { NULL, 0, NULL, 1 };

    *ppayload = acme_account_payload(&conf, making->p);
    return APR_SUCCESS;
}

static apr_status_t new_order(const char **ppayload, const making_t *making)
{
    const apr_uint32_t with = making->sign->with;
    acme_order_conf_t conf = { NULL, NULL, NULL };
    acme_pending_t *pending;
    apr_status_t rv;

    rv = acme_install_find_pending(&pending, making->registry,
                                   &making->sign->about, making->res,
                                   making->p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    conf.names = pending->names;
    if (with & ACME_WITH_PROFILE) {
        conf.profile = making->cert->profile;
    }
    if (with & ACME_WITH_REPLACES && making->state->cert_id[0]) {
        conf.replaces = making->state->cert_id;
    }
    *ppayload = acme_order_payload(&conf, making->p);
    return APR_SUCCESS;
}

static apr_status_t post_as_get(const char **ppayload,
                                const making_t *making)
{
    (void)making;
    *ppayload = "";
    return APR_SUCCESS;
}

static apr_status_t challenge(const char **ppayload, const making_t *making)
{
    (void)making;
    *ppayload = "{}";
    return APR_SUCCESS;
}

static apr_status_t finalize(const char **ppayload, const making_t *making)
{
    acme_pending_t *pending;
    apr_status_t rv;

    rv = acme_install_find_pending(&pending, making->registry,
                                   &making->sign->about, making->res,
                                   making->p);
    if (rv == APR_SUCCESS) {
        *ppayload = acme_order_finalize_payload(pending->csr, pending->csr_len,
                                                making->p);
    }
    return rv;
}

static apr_status_t update_account(const char **ppayload,
                                   const making_t *making)
{
    *ppayload = acme_account_update_payload(making->ca->contacts, making->p);
    return APR_SUCCESS;
}

/* Only what an administrator asked for is signed; of whom, the book knows. */
static apr_status_t check_wanted(const making_t *making, int wanted)
{
    return wanted ? APR_SUCCESS
        : acme_fail(making->res, APR_EACCES, "%s: no administrator asked for "
                    "that", making->cert->id);
}

/* Of this very account. */
static int is_wanted(const making_t *making, acme_want_e want)
{
    return making->state->wanted == want
        && making->state->wanted_ca == making->sign->about.ca;
}

static apr_status_t deactivate(const char **ppayload, const making_t *making)
{
    *ppayload = acme_account_deactivate_payload(making->p);
    return check_wanted(making, is_wanted(making, ACME_WANT_DEACTIVATION));
}

/* The inner JWS: the new key says whose it is to be. (8555, 7.3.5) */
static apr_status_t key_change(const char **ppayload, const making_t *making)
{
    const char *old_jwk;
    acme_jws_t inner;
    apr_status_t rv;

    rv = check_wanted(making, is_wanted(making, ACME_WANT_ROLLOVER));
    if (rv == APR_SUCCESS) {
        rv = acme_key_jwk(&old_jwk, making->account->key, making->res,
                          making->p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_accounts_next_key(&inner.key, making->accounts,
                                    making->ca_index, 1, making->res,
                                    making->p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    inner.kid = NULL;
    inner.nonce = NULL;
    inner.url = making->sign->url;
    inner.payload = acme_account_key_change_payload(making->account->url,
                                                    old_jwk, making->p);
    return acme_jws_make(ppayload, &inner, making->res, making->p);
}

static const char *live_file(const making_t *making, const char *name)
{
    const char *suffix = acme_conf_suffix(making->cert,
                                          making->sign->about.part);

    return acme_store_live(
        acme_registry_store(making->registry), making->cert->id,
        apr_pstrcat(making->p, name, suffix, ".pem", NULL), making->p);
}

static apr_status_t revocation(const char **ppayload, const making_t *making)
{
    const unsigned char *der;
    acme_chain_t *chain;
    apr_size_t len;
    apr_status_t rv;

    rv = check_wanted(making, making->state->wanted == ACME_WANT_REVOCATION
                      || making->state->wanted == ACME_WANT_DELETION);
    if (rv == APR_SUCCESS) {
        rv = acme_chain_load(&chain, live_file(making, "fullchain"),
                             making->res, making->p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_chain_leaf_der(&der, &len, chain, making->res, making->p);
    }
    if (rv == APR_SUCCESS) {
        *ppayload = acme_certificate_revoke_payload(
            der, len, making->state->reason, making->p);
    }
    return rv;
}

/* The one payload that each kind of request has. */
static payload_t *const payloads[] = {
    [ACME_SIGN_NEW_ACCOUNT] = new_account,
    [ACME_SIGN_NEW_ORDER] = new_order,
    [ACME_SIGN_POST_AS_GET] = post_as_get,
    [ACME_SIGN_CHALLENGE] = challenge,
    [ACME_SIGN_FINALIZE] = finalize,
    [ACME_SIGN_FIND_ACCOUNT] = find_account,
    [ACME_SIGN_UPDATE_ACCOUNT] = update_account,
    [ACME_SIGN_DEACTIVATE] = deactivate,
    [ACME_SIGN_KEY_CHANGE] = key_change,
    [ACME_SIGN_REVOKE] = revocation
};

/* A request with the account's JWK; all others have its URL. (8555, 6.2) */
static int has_jwk(apr_uint32_t kind)
{
    return kind == ACME_SIGN_NEW_ACCOUNT || kind == ACME_SIGN_FIND_ACCOUNT;
}

static apr_status_t check(const making_t *making)
{
    const acme_msg_sign_t *sign = making->sign;
    const char *id = making->cert->id;

    if (sign->kind >= sizeof(payloads) / sizeof(*payloads)
        || !payloads[sign->kind]) {
        return acme_fail(making->res, APR_EINVAL, "keeper: no request of "
                         "kind %u is signed", sign->kind);
    }
    if (!making->cert->agreed) {
        return acme_fail_never(making->res, APR_EACCES, "%s: nothing is "
                               "signed without AcmeTermsOfService agree", id);
    }
    if (!acme_text_is_base64url(sign->nonce, ACME_NONCE_MAX)) {
        return acme_fail(making->res, APR_EINVAL, "%s: the nonce is no "
                         "base64url", id);
    }
    return acme_url_check(sign->url, making->res, making->p);
}

/*
 * Another order may just have heard from the CA that it lost the account: this
 * one shall do what it would do at that word.
 */
static apr_status_t fail_no_account(const making_t *making)
{
    acme_result_t *res = making->res;

    acme_fail(res, APR_EINVAL, "%s: there is no account yet",
              making->cert->id);
    apr_cpystrn(res->problem, NO_ACCOUNT, sizeof(res->problem));
    return acme_result_reason(res, ACME_REASON_ACCOUNT_UNKNOWN);
}

/*
 * The account's key and its URL, but for two: the next key says whether the
 * CA has it, and a certificate's own key may revoke it. (8555, 7.6)
 */
static apr_status_t choose_key(acme_jws_t *jws, const making_t *making)
{
    const acme_msg_sign_t *sign = making->sign;

    jws->kid = NULL;
    if (sign->kind == ACME_SIGN_REVOKE && (sign->with & ACME_WITH_CERT_KEY)) {
        return acme_key_load(&jws->key, live_file(making, "privkey"),
                             making->res, making->p);
    }
    if (sign->kind == ACME_SIGN_FIND_ACCOUNT
        && (sign->with & ACME_WITH_NEXT_KEY)) {
        return acme_accounts_next_key(&jws->key, making->accounts,
                                      making->ca_index, 0, making->res,
                                      making->p);
    }
    jws->key = making->account->key;
    if (!has_jwk(sign->kind)) {
        jws->kid = making->account->url;
        if (!jws->kid) {
            return fail_no_account(making);
        }
    }
    return APR_SUCCESS;
}

/* With an account that was given up nothing is signed. */
static apr_status_t check_account(const making_t *making)
{
    const acme_msg_sign_t *sign = making->sign;

    if (sign->kind == ACME_SIGN_REVOKE && (sign->with & ACME_WITH_CERT_KEY)) {
        return APR_SUCCESS;
    }
    return acme_accounts_check(making->accounts, making->account,
                               making->res, making->p);
}

static apr_status_t make(const char **pbody, const making_t *making)
{
    const acme_msg_sign_t *sign = making->sign;
    acme_jws_t jws;
    apr_status_t rv;

    rv = check_account(making);
    if (rv == APR_SUCCESS) {
        rv = choose_key(&jws, making);
    }
    if (rv == APR_SUCCESS) {
        rv = payloads[sign->kind](&jws.payload, making);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    jws.nonce = sign->nonce;
    jws.url = sign->url;
    rv = acme_jws_make(pbody, &jws, making->res, making->p);
    if (rv == APR_SUCCESS && strlen(*pbody) > ACME_JWS_MAX) {
        rv = acme_fail_never(making->res, APR_ENOSPC, "%s: too many names for "
                             "one request", making->cert->id);
    }
    return rv;
}

apr_status_t acme_sign(const char **pbody, acme_registry_t *registry,
                       acme_accounts_t *accounts, const acme_msg_sign_t *sign,
                       acme_result_t *res, apr_pool_t *p)
{
    making_t making = { registry, accounts, sign, NULL, NULL,
                        NULL,     0,        NULL, res,  p };
    apr_status_t rv;

    making.cert =
        acme_conf_cert(acme_registry_conf(registry), sign->about.cert);
    making.state = acme_registry_state(registry, sign->about.cert);
    making.ca = acme_conf_ca(acme_registry_conf(registry), making.cert,
                             sign->about.ca);
    making.ca_index = acme_conf_ca_index(making.cert, sign->about.ca);
    rv = check(&making);
    if (rv == APR_SUCCESS) {
        rv = acme_accounts_find(&making.account, accounts, making.ca_index,
                                res);
    }
    return rv == APR_SUCCESS ? make(pbody, &making) : rv;
}
