/*
 * acme_sign.c - the requests that the keeper signs.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_account.h"
#include "acme_certificate.h"
#include "acme_install_pending.h"
#include "acme_jws.h"
#include "acme_order.h"
#include "acme_pem.h"
#include "acme_sign.h"
#include "acme_url.h"

#define NO_ACCOUNT "urn:ietf:params:acme:error:accountDoesNotExist"

/* One request that is being signed. */
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
} signing_t;

typedef apr_status_t payload_t(const char **ppayload,
                               const signing_t *signing);

static int is_for_dry_run(const signing_t *signing)
{
    return acme_conf_is_dry_run(signing->cert, signing->sign->about.ca);
}

static apr_status_t new_account(const char **ppayload,
                                const signing_t *signing)
{
    acme_account_conf_t conf = { signing->ca->contacts, signing->cert->agreed,
                                 NULL, 0 };
    apr_status_t rv = APR_SUCCESS;

    if (signing->sign->with & ACME_WITH_BINDING) {
        rv = acme_accounts_binding(&conf.binding, signing->accounts,
                                   signing->ca_index, signing->sign->url,
                                   signing->res, signing->p);
    }
    *ppayload = acme_account_payload(&conf, signing->p);
    return rv;
}

static apr_status_t find_account_payload(const char **ppayload,
                                         const signing_t *signing)
{
    const acme_account_conf_t conf = { NULL, 0, NULL, 1 };

    *ppayload = acme_account_payload(&conf, signing->p);
    return APR_SUCCESS;
}

static apr_status_t new_order(const char **ppayload, const signing_t *signing)
{
    const apr_uint32_t with = signing->sign->with;
    acme_order_conf_t conf = { NULL, NULL, NULL };
    acme_pending_t *pending;
    apr_status_t rv;

    if (is_for_dry_run(signing)) {
        conf.names = signing->cert->names;      /* excluded ones, too */
    }
    else {
        rv = acme_install_pending_find(&pending, signing->registry,
                                       &signing->sign->about, signing->res,
                                       signing->p);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        conf.names = pending->names;
    }
    if (with & ACME_WITH_PROFILE) {
        conf.profile = signing->cert->profile;
    }
    if (with & ACME_WITH_REPLACES && signing->state->cert_id[0]
        && !is_for_dry_run(signing)) {
        conf.replaces = signing->state->cert_id;
    }
    *ppayload = acme_order_payload(&conf, signing->p);
    return APR_SUCCESS;
}

static apr_status_t post_as_get(const char **ppayload,
                                const signing_t *signing)
{
    (void)signing;
    *ppayload = "";
    return APR_SUCCESS;
}

static apr_status_t challenge(const char **ppayload, const signing_t *signing)
{
    (void)signing;
    *ppayload = "{}";
    return APR_SUCCESS;
}

static apr_status_t finalize(const char **ppayload, const signing_t *signing)
{
    acme_pending_t *pending;
    apr_status_t rv;

    rv = acme_install_pending_find(&pending, signing->registry,
                                   &signing->sign->about, signing->res,
                                   signing->p);
    if (rv == APR_SUCCESS) {
        *ppayload = acme_order_finalize_payload(pending->csr, pending->csr_len,
                                                signing->p);
    }
    return rv;
}

static apr_status_t update_account(const char **ppayload,
                                   const signing_t *signing)
{
    *ppayload = acme_account_update_payload(signing->ca->contacts, signing->p);
    return APR_SUCCESS;
}

/* These are signed only while the administrator's request is pending. */
static apr_status_t check_requested(const signing_t *signing, int requested)
{
    if (requested) {
        return APR_SUCCESS;
    }
    return acme_fail(
        signing->res, APR_EACCES,
        "%s: a worker asked for a signature that no administrator requested",
        signing->cert->id);
}

/* Is this request of the administrator pending, for this very account? */
static int is_requested(const signing_t *signing, acme_want_e want)
{
    return signing->state->wanted == want
           && signing->state->wanted_ca == signing->sign->about.ca;
}

static apr_status_t deactivate(const char **ppayload, const signing_t *signing)
{
    *ppayload = acme_account_deactivate_payload(signing->p);
    return check_requested(signing,
                           is_requested(signing, ACME_WANT_DEACTIVATION));
}

/* The inner JWS: the new key names account and old key. (8555, 7.3.5) */
static apr_status_t key_change(const char **ppayload, const signing_t *signing)
{
    const char *old_jwk;
    acme_jws_t inner;
    apr_status_t rv;

    rv = check_requested(signing, is_requested(signing, ACME_WANT_ROLLOVER));
    if (rv == APR_SUCCESS) {
        rv = acme_key_jwk(&old_jwk, signing->account->key, signing->res,
                          signing->p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_accounts_next_key(&inner.key, signing->accounts,
                                    signing->ca_index, ACME_NEXT_KEY_MAKE,
                                    signing->res, signing->p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    inner.kid = NULL;
    inner.nonce = NULL;
    inner.url = signing->sign->url;
    inner.payload = acme_account_key_change_payload(signing->account->url,
                                                    old_jwk, signing->p);
    return acme_jws_make(ppayload, &inner, signing->res, signing->p);
}

static const char *live_file(const signing_t *signing, const char *name)
{
    const char *suffix =
        acme_conf_suffix(signing->cert, signing->sign->about.part);

    return acme_store_live(
        acme_registry_store(signing->registry), signing->cert->id,
        apr_pstrcat(signing->p, name, suffix, ".pem", NULL), signing->p);
}

static apr_status_t revocation(const char **ppayload, const signing_t *signing)
{
    const char *path = live_file(signing, "fullchain");
    apr_array_header_t *ders;
    acme_octets_t pem;
    apr_status_t rv;

    rv = check_requested(signing,
                         signing->state->wanted == ACME_WANT_REVOCATION
                             || signing->state->wanted == ACME_WANT_DELETION);
    if (rv == APR_SUCCESS) {
        rv = acme_pem_load(&pem, path, signing->res, signing->p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_pem_read(&ders, (const char *)pem.data, pem.len,
                           signing->res, signing->p);
        if (rv != APR_SUCCESS) {
            acme_result_prefix(signing->res, path);
        }
    }
    if (rv == APR_SUCCESS) {
        const acme_octets_t *leaf = &APR_ARRAY_IDX(ders, 0, acme_octets_t);

        *ppayload = acme_certificate_revoke_payload(
            leaf->data, leaf->len, signing->state->reason, signing->p);
    }
    return rv;
}

/* Each kind of request has one payload. */
static payload_t *const payloads[] = {
    [ACME_SIGN_NEW_ACCOUNT] = new_account,
    [ACME_SIGN_NEW_ORDER] = new_order,
    [ACME_SIGN_POST_AS_GET] = post_as_get,
    [ACME_SIGN_CHALLENGE] = challenge,
    [ACME_SIGN_FINALIZE] = finalize,
    [ACME_SIGN_FIND_ACCOUNT] = find_account_payload,
    [ACME_SIGN_UPDATE_ACCOUNT] = update_account,
    [ACME_SIGN_DEACTIVATE] = deactivate,
    [ACME_SIGN_KEY_CHANGE] = key_change,
    [ACME_SIGN_REVOKE] = revocation
};

static apr_status_t check_signing(const signing_t *signing)
{
    const acme_msg_sign_t *sign = signing->sign;
    const char *id = signing->cert->id;

    if (sign->kind >= sizeof(payloads) / sizeof(*payloads)
        || !payloads[sign->kind]) {
        return acme_fail(
            signing->res, APR_EINVAL,
            "keeper: a worker asked to sign a request of the unknown kind %u",
            sign->kind);
    }
    /* With an order that is not finalized nothing can be issued. */
    if (is_for_dry_run(signing) && sign->kind != ACME_SIGN_NEW_ACCOUNT
        && sign->kind != ACME_SIGN_NEW_ORDER
        && sign->kind != ACME_SIGN_POST_AS_GET
        && sign->kind != ACME_SIGN_CHALLENGE) {
        return acme_fail(
            signing->res, APR_EACCES,
            "%s: a worker asked for a signature that no dry run needs", id);
    }
    if (!signing->cert->agreed) {
        return acme_fail_never(
            signing->res, APR_EACCES,
            "%s: no request is signed without AcmeTermsOfService agree", id);
    }
    if (!acme_text_is_base64url(sign->nonce, ACME_NONCE_MAX)) {
        return acme_fail(signing->res, APR_EINVAL,
                         "%s: the nonce is not base64url", id);
    }
    return acme_url_check(sign->url, signing->res, signing->p);
}

static apr_status_t sign_request(const char **pbody, const signing_t *signing)
{
    const acme_msg_sign_t *sign = signing->sign;
    const acme_ca_account_t *account = signing->account;
    acme_result_t *res = signing->res;
    acme_jws_t jws = { .key = account->key, .nonce = sign->nonce,
                       .url = sign->url };
    apr_status_t rv;

    /* A certificate's own key can revoke it without the account. (8555, 7.6) */
    if (sign->kind == ACME_SIGN_REVOKE && (sign->with & ACME_WITH_CERT_KEY)) {
        rv = acme_key_load(&jws.key, live_file(signing, "privkey"), res,
                           signing->p);
    }
    else {
        rv = acme_accounts_check(signing->accounts, account, res, signing->p);
        if (rv == APR_SUCCESS && sign->kind == ACME_SIGN_FIND_ACCOUNT
            && (sign->with & ACME_WITH_NEXT_KEY)) {
            /* Whether the CA has the next key already. */
            rv = acme_accounts_next_key(&jws.key, signing->accounts,
                                        signing->ca_index, ACME_NEXT_KEY_FIND,
                                        res, signing->p);
        }
        else if (rv == APR_SUCCESS && sign->kind != ACME_SIGN_FIND_ACCOUNT
                 && sign->kind != ACME_SIGN_NEW_ACCOUNT) {
            /* All others have the account's URL, not its JWK. (8555, 6.2) */
            jws.kid = account->url;
            if (!jws.kid) {
                /*
                 * The CA may just have reported to another order that the
                 * account is lost: this order gets the same problem, and
                 * registers the account again.
                 */
                rv = acme_fail(res, APR_EINVAL, "%s: there is no account yet",
                               signing->cert->id);
                apr_cpystrn(res->problem, NO_ACCOUNT, sizeof(res->problem));
                res->reason = ACME_REASON_ACCOUNT_UNKNOWN;
            }
        }
    }
    if (rv == APR_SUCCESS) {
        rv = payloads[sign->kind](&jws.payload, signing);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_jws_make(pbody, &jws, res, signing->p);
    }
    if (rv == APR_SUCCESS && strlen(*pbody) > ACME_JWS_MAX) {
        rv = acme_fail_never(res, APR_ENOSPC,
                             "%s: too many names for one request",
                             signing->cert->id);
    }
    return rv;
}

apr_status_t acme_sign(const char **pbody, acme_registry_t *registry,
                       acme_accounts_t *accounts, const acme_msg_sign_t *sign,
                       acme_result_t *res, apr_pool_t *p)
{
    const acme_conf_t *conf = acme_registry_conf(registry);
    const acme_cert_conf_t *cert = acme_conf_cert(conf, sign->about.cert);
    signing_t signing = { .registry = registry,
                          .accounts = accounts,
                          .sign = sign,
                          .cert = cert,
                          .state =
                              acme_registry_state(registry, sign->about.cert),
                          .ca = acme_conf_ca(conf, cert, sign->about.ca),
                          .ca_index = acme_conf_ca_index(cert, sign->about.ca),
                          .res = res,
                          .p = p };
    apr_status_t rv;

    rv = check_signing(&signing);
    if (rv == APR_SUCCESS) {
        rv = acme_accounts_find(&signing.account, accounts, signing.ca_index,
                                res);
    }
    return rv == APR_SUCCESS ? sign_request(pbody, &signing) : rv;
}
