/*
 * acme_serve.c - what the keeper does for each message.
 */
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_account.h"
#include "acme_account_file.h"
#include "acme_enroll.h"
#include "acme_jws.h"
#include "acme_order.h"
#include "acme_pending.h"
#include "acme_serve.h"

/* An account, kept in memory: eight signatures a certificate need its key. */
typedef struct {
    acme_key_t *key;            /* NULL: not loaded yet */
    const char *url;            /* NULL: the CA has not told it */
    char told[ACME_URL_SIZE];   /* url, when it was told to us */
    apr_pool_t *p;              /* of key and of url */
} account_t;

struct acme_serve_t {
    acme_book_t *book;
    acme_reload_t *reload;
    account_t *accounts;        /* one for each CA, by its index */
};

typedef apr_status_t handler_t(acme_message_t *reply, acme_serve_t *serve,
                               const acme_message_t *request,
                               acme_result_t *res, apr_pool_t *p);

static apr_status_t find_cert(const acme_cert_conf_t **pcert,
                              const acme_serve_t *serve, apr_uint32_t index,
                              acme_result_t *res)
{
    *pcert = acme_conf_cert(serve->book->conf, index);
    if (!*pcert) {
        return acme_fail(res, APR_ENOENT, "keeper: no certificate %u is "
                         "configured", index);
    }
    return APR_SUCCESS;
}

/* The account of a CA, with a key made now if there is none. */
static apr_status_t find_account(account_t **paccount, acme_serve_t *serve,
                                 const acme_cert_conf_t *cert,
                                 acme_result_t *res)
{
    const acme_ca_conf_t *ca = acme_conf_ca(serve->book->conf, cert);
    acme_store_t *store = serve->book->store;
    account_t *account = &serve->accounts[cert->ca];
    acme_key_t *key;
    apr_status_t rv;

    *paccount = account;
    if (account->key) {
        return APR_SUCCESS;
    }
    apr_pool_clear(account->p);         /* what the last failure left */
    rv = acme_account_load(&account->key, &account->url, store, ca->folder,
                           res, account->p);
    if (rv == APR_SUCCESS && res->detail[0]) {
        acme_log(serve->book->log, ACME_LOG_WARNING, "account", "%s",
                 res->detail);
    }
    if (!APR_STATUS_IS_ENOENT(rv)) {
        return rv;
    }
    rv = acme_key_generate(&key, ACME_KEY_P256, res, account->p);
    if (rv == APR_SUCCESS) {
        rv = acme_account_key_save(store, ca->folder, key, res, account->p);
    }
    if (rv == APR_SUCCESS) {
        account->key = key;
        account->url = NULL;
    }
    return rv;
}

static apr_status_t serve_hello(acme_message_t *reply, acme_serve_t *serve,
                                const acme_message_t *request,
                                acme_result_t *res, apr_pool_t *p)
{
    acme_msg_welcome_t *welcome = apr_pcalloc(p, sizeof(*welcome));

    (void)request;
    (void)res;
    welcome->certs = (apr_uint32_t)serve->book->conf->certs->nelts;
    welcome->pid = getpid();
    reply->body = welcome;
    return APR_SUCCESS;
}

static apr_status_t serve_changes(acme_message_t *reply, acme_serve_t *serve,
                                  const acme_message_t *request,
                                  acme_result_t *res, apr_pool_t *p)
{
    const acme_msg_after_t *after = request->body;

    reply->body = acme_book_next(serve->book, after->change);
    (void)p;
    return reply->body ? APR_SUCCESS
                       : acme_fail(res, APR_ENOENT, "keeper: no change");
}

static apr_status_t serve_prepare(acme_message_t *reply, acme_serve_t *serve,
                                  const acme_message_t *request,
                                  acme_result_t *res, apr_pool_t *p)
{
    const acme_msg_cert_t *body = request->body;
    acme_msg_prepared_t *prepared = apr_pcalloc(p, sizeof(*prepared));
    const acme_cert_conf_t *cert;
    acme_pending_t *pending;
    account_t *account;
    const char *thumbprint;
    apr_status_t rv;

    rv = find_cert(&cert, serve, body->cert, res);
    if (rv == APR_SUCCESS) {
        rv = find_account(&account, serve, cert, res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_key_thumbprint(&thumbprint, account->key, res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }

    rv = acme_enroll_begin(&pending, serve->book, cert, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (pending->order_url) {
        apr_cpystrn(prepared->order_url, pending->order_url,
                    sizeof(prepared->order_url));
    }
    if (account->url) {
        apr_cpystrn(prepared->account_url, account->url,
                    sizeof(prepared->account_url));
    }
    apr_cpystrn(prepared->thumbprint, thumbprint,
                sizeof(prepared->thumbprint));
    reply->body = prepared;
    return APR_SUCCESS;
}

/* The one payload that each kind of request has. */
static apr_status_t make_payload(const char **ppayload, acme_serve_t *serve,
                                 const acme_cert_conf_t *cert,
                                 apr_uint32_t kind, acme_result_t *res,
                                 apr_pool_t *p)
{
    const acme_ca_conf_t *ca = acme_conf_ca(serve->book->conf, cert);
    acme_pending_t *pending;
    apr_status_t rv;

    switch (kind) {
    case ACME_SIGN_NEW_ACCOUNT:
        *ppayload = acme_account_payload(ca->contacts, cert->agreed, p);
        return APR_SUCCESS;
    case ACME_SIGN_NEW_ORDER:
        *ppayload = acme_order_payload(cert->names, p);
        return APR_SUCCESS;
    case ACME_SIGN_POST_AS_GET:
        *ppayload = "";
        return APR_SUCCESS;
    case ACME_SIGN_CHALLENGE:
        *ppayload = "{}";
        return APR_SUCCESS;
    case ACME_SIGN_FINALIZE:
        rv = acme_enroll_find(&pending, serve->book, cert, res, p);
        if (rv == APR_SUCCESS) {
            *ppayload = acme_finalize_payload(pending->csr, pending->csr_len,
                                              p);
        }
        return rv;
    default:
        return acme_fail(res, APR_EINVAL, "keeper: no request of kind %u is "
                         "signed", kind);
    }
}

static apr_status_t serve_sign(acme_message_t *reply, acme_serve_t *serve,
                               const acme_message_t *request,
                               acme_result_t *res, apr_pool_t *p)
{
    const acme_msg_sign_t *sign = request->body;
    const acme_cert_conf_t *cert;
    account_t *account;
    acme_jws_t jws;
    apr_status_t rv;

    rv = find_cert(&cert, serve, sign->cert, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!cert->agreed) {
        return acme_fail_never(res, APR_EACCES, "%s: nothing is signed "
                               "without AcmeTermsOfService agree", cert->id);
    }
    if (!acme_text_is_base64url(sign->nonce, ACME_NONCE_MAX)) {
        return acme_fail(res, APR_EINVAL, "%s: the nonce is no base64url",
                         cert->id);
    }
    rv = acme_url_check(sign->url, res, p);
    if (rv == APR_SUCCESS) {
        rv = find_account(&account, serve, cert, res);
    }
    if (rv == APR_SUCCESS && sign->kind != ACME_SIGN_NEW_ACCOUNT
        && !account->url) {
        rv = acme_fail(res, APR_EINVAL, "%s: there is no account yet",
                       cert->id);
    }
    if (rv == APR_SUCCESS) {
        rv = make_payload(&jws.payload, serve, cert, sign->kind, res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }

    jws.key = account->key;
    jws.kid = sign->kind == ACME_SIGN_NEW_ACCOUNT ? NULL : account->url;
    jws.nonce = sign->nonce;
    jws.url = sign->url;
    rv = acme_jws_make(&reply->tail, &jws, res, p);
    if (rv == APR_SUCCESS) {
        reply->tail_len = strlen(reply->tail);
    }
    if (rv == APR_SUCCESS && reply->tail_len > ACME_JWS_MAX) {
        rv = acme_fail_never(res, APR_ENOSPC, "%s: too many names for one "
                             "request", cert->id);
    }
    return rv;
}

static apr_status_t serve_account(acme_message_t *reply, acme_serve_t *serve,
                                  const acme_message_t *request,
                                  acme_result_t *res, apr_pool_t *p)
{
    const acme_msg_url_t *body = request->body;
    const acme_cert_conf_t *cert;
    const acme_ca_conf_t *ca;
    account_t *account;
    const char *url;
    apr_status_t rv;

    (void)reply;
    rv = find_cert(&cert, serve, body->cert, res);
    if (rv == APR_SUCCESS && body->url[0]) {
        rv = acme_url_check(body->url, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = find_account(&account, serve, cert, res);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }

    ca = acme_conf_ca(serve->book->conf, cert);
    url = body->url[0] ? body->url : NULL;
    if (url && account->url && !strcmp(url, account->url)) {
        return APR_SUCCESS;
    }
    rv = acme_account_save(serve->book->store, ca->folder, url, ca->url,
                           ca->contacts, res, p);
    if (rv == APR_SUCCESS) {
        apr_cpystrn(account->told, body->url, sizeof(account->told));
        account->url = url ? account->told : NULL;
        acme_log(serve->book->log, url ? ACME_LOG_NOTICE : ACME_LOG_WARNING,
                 "account", "%s: %s", acme_url_host(ca->url, p),
                 url ? acme_text_clean(url, ACME_URL_MAX, p)
                     : "the CA does not know it any more");
    }
    return rv;
}

static apr_status_t serve_order(acme_message_t *reply, acme_serve_t *serve,
                                const acme_message_t *request,
                                acme_result_t *res, apr_pool_t *p)
{
    const acme_msg_url_t *body = request->body;
    const char *url = body->url[0] ? body->url : NULL;
    const acme_cert_conf_t *cert;
    apr_status_t rv;

    (void)reply;
    rv = find_cert(&cert, serve, body->cert, res);
    if (rv == APR_SUCCESS && url) {
        rv = acme_url_check(url, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_pending_order(serve->book->store, cert->id, url, res, p);
    }
    if (rv == APR_SUCCESS) {
        acme_book_order(serve->book, body->cert, url != NULL,
                        apr_time_now());
    }
    return rv;
}

static apr_status_t serve_note(acme_message_t *reply, acme_serve_t *serve,
                               const acme_message_t *request,
                               acme_result_t *res, apr_pool_t *p)
{
    const acme_msg_note_t *note = request->body;
    const acme_cert_conf_t *cert;
    apr_status_t rv;

    (void)reply;
    rv = find_cert(&cert, serve, note->cert, res);
    if (rv == APR_SUCCESS) {
        acme_book_note(serve->book, note, apr_time_now(), p);
    }
    return rv;
}

static apr_status_t serve_install(acme_message_t *reply, acme_serve_t *serve,
                                  const acme_message_t *request,
                                  acme_result_t *res, apr_pool_t *p)
{
    const acme_msg_cert_t *body = request->body;
    const acme_cert_conf_t *cert;
    apr_status_t rv;

    rv = find_cert(&cert, serve, body->cert, res);
    if (rv == APR_SUCCESS) {
        rv = acme_enroll_install(serve->book, serve->reload, body->cert,
                                 request->tail, request->tail_len, res, p);
        reply->body = &serve->book->states[body->cert];
    }
    return rv;
}

static apr_status_t serve_list(acme_message_t *reply, acme_serve_t *serve,
                               const acme_message_t *request,
                               acme_result_t *res, apr_pool_t *p)
{
    const acme_msg_cert_t *body = request->body;
    const acme_cert_conf_t *cert;
    apr_status_t rv;

    rv = find_cert(&cert, serve, body->cert, res);
    if (rv == APR_SUCCESS) {
        reply->body = &serve->book->states[body->cert];
        reply->tail = apr_pstrcat(p, cert->id, "\n",
                                  apr_array_pstrcat(p, cert->names, '\n'),
                                  NULL);
        reply->tail_len = strlen(reply->tail);
        if (reply->tail_len > ACME_LIST_MAX) {
            reply->tail_len = ACME_LIST_MAX;
        }
    }
    return rv;
}

static apr_status_t serve_renew(acme_message_t *reply, acme_serve_t *serve,
                                const acme_message_t *request,
                                acme_result_t *res, apr_pool_t *p)
{
    const acme_msg_cert_t *body = request->body;
    const acme_cert_conf_t *cert;
    apr_status_t rv;

    (void)reply;
    rv = find_cert(&cert, serve, body->cert, res);
    if (rv == APR_SUCCESS) {
        acme_book_wanted(serve->book, body->cert, apr_time_now(), p);
    }
    return rv;
}

static handler_t *const handlers[ACME_MSG_KINDS] = {
    [ACME_MSG_HELLO] = serve_hello,
    [ACME_MSG_CHANGES] = serve_changes,
    [ACME_MSG_PREPARE] = serve_prepare,
    [ACME_MSG_SIGN] = serve_sign,
    [ACME_MSG_ACCOUNT] = serve_account,
    [ACME_MSG_ORDER] = serve_order,
    [ACME_MSG_NOTE] = serve_note,
    [ACME_MSG_INSTALL] = serve_install,
    [ACME_MSG_LIST] = serve_list,
    [ACME_MSG_RENEW] = serve_renew
};

acme_serve_t *acme_serve_create(acme_book_t *book, acme_reload_t *reload,
                                apr_pool_t *p)
{
    acme_serve_t *serve = apr_pcalloc(p, sizeof(*serve));
    int i;

    serve->book = book;
    serve->reload = reload;
    serve->accounts = apr_pcalloc(p, (apr_size_t)(book->conf->cas->nelts + 1)
                                  * sizeof(*serve->accounts));
    for (i = 0; i < book->conf->cas->nelts; i++) {
        apr_pool_create(&serve->accounts[i].p, p);
    }
    return serve;
}

apr_status_t acme_serve(acme_message_t *reply, acme_serve_t *serve,
                        const acme_message_t *request, acme_result_t *res,
                        apr_pool_t *p)
{
    static const acme_msg_none_t none;

    memset(reply, 0, sizeof(*reply));
    reply->kind = request->kind;
    reply->body = &none;
    return handlers[request->kind](reply, serve, request, res, p);
}
