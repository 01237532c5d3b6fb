/*
 * acme_handlers.c - what the keeper does for each message.
 */
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_accounts.h"
#include "acme_ca_facts.h"
#include "acme_ca_paces.h"
#include "acme_file.h"
#include "acme_findings.h"
#include "acme_install.h"
#include "acme_install_pending.h"
#include "acme_meta.h"
#include "acme_name.h"
#include "acme_rate_past.h"
#include "acme_handlers.h"
#include "acme_registry_order.h"
#include "acme_registry_rehearsal.h"
#include "acme_registry_request.h"
#include "acme_registry_self_check.h"
#include "acme_registry_window.h"
#include "acme_sign.h"
#include "acme_persist_zone.h"
#include "acme_rehearsal.h"
#include "acme_url.h"

struct acme_handlers_t {
    acme_registry_t *registry;
    acme_reload_t *reload;
    acme_accounts_t *accounts;
    acme_ca_facts_t *facts;
    acme_ca_paces_t *paces;
    acme_published_t *records;
    acme_batch_t *batch;
    acme_findings_t *findings;
    acme_sync_t *sync;
    apr_array_header_t *held;   /* held_t: replies that wait for it */
    apr_array_header_t *installs;       /* acme_install_t *: of these */
};

/* A reply that is given when what it says is on disk. */
typedef struct {
    acme_message_t *reply;
    acme_result_t *res;
    acme_install_t *install;    /* NULL: it only waits */
    const char *id;             /* of the certificate */
    apr_status_t status;        /* how that ended; of no installation */
} held_t;

/* What was asked of a CA is asked again after this. */
#define ACCOUNT_AGE apr_time_from_sec(5)
#define RECORDS_AGE apr_time_from_sec(60)

/* A request that is being served, and what its target is. */
typedef struct {
    acme_handlers_t *handlers;
    acme_registry_t *registry;
    const acme_message_t *message;
    const acme_target_t *about; /* NULL: no certificate */
    const acme_cert_conf_t *cert;
    apr_uint32_t ca;                    /* index in the configuration */
    acme_install_t *install;    /* that was begun, or NULL */
    acme_result_t *res;
    apr_pool_t *p;
} request_t;

typedef apr_status_t handler_t(acme_message_t *reply, request_t *request);

static apr_status_t serve_hello(acme_message_t *reply,
                                request_t *request)
{
    acme_msg_welcome_t *welcome = apr_pcalloc(request->p, sizeof(*welcome));

    welcome->certs =
        (apr_uint32_t)acme_registry_conf(request->registry)->certs->nelts;
    welcome->pid = getpid();
    reply->body = welcome;
    return APR_SUCCESS;
}

static apr_status_t serve_changes(acme_message_t *reply,
                                  request_t *request)
{
    const acme_msg_after_t *after = request->message->body;

    reply->body = acme_registry_next_change(request->registry, after->change);
    return reply->body ? APR_SUCCESS
                       : acme_fail(request->res, APR_ENOENT,
                                   "keeper: no certificate has changed");
}

static int is_by_worker(const request_t *request)
{
    return request->message->who == ACME_BY_WORKER;
}

static int is_for_dry_run(const request_t *request)
{
    return acme_conf_is_dry_run(request->cert, request->about->ca);
}

/*
 * Is the account that of orders, about which the witness has to find something
 * out before it signs? That of a staging environment is registered, and never
 * changed. *pabout is the account's position in the list.
 */
static int has_settled_account(acme_target_t *pabout, const request_t *request)
{
    const acme_ca_conf_t *cas =
        (const acme_ca_conf_t *)acme_registry_conf(request->registry)
            ->cas->elts;
    const apr_uint32_t n = (apr_uint32_t)request->cert->cas->nelts;

    *pabout = *request->about;
    if (is_for_dry_run(request)) {
        pabout->ca -= n;
        return acme_conf_ca_index(request->cert, pabout->ca) == request->ca
            && !cas[request->ca].is_for_dry_runs;
    }
    return 1;
}

/* Is a revocation requested? That works without the account. (8555, 7.6) */
static int is_revocation_requested(const request_t *request)
{
    const acme_want_e wanted =
        acme_registry_state(request->registry, request->about->cert)->wanted;

    return wanted == ACME_WANT_REVOCATION || wanted == ACME_WANT_DELETION;
}

static apr_status_t serve_prepare(acme_message_t *reply,
                                  request_t *request)
{
    acme_msg_prepared_t *prepared = apr_pcalloc(request->p,
                                                sizeof(*prepared));
    const acme_ca_account_t *account;
    acme_pending_t *pending = NULL;
    const char *thumbprint, *flags;
    acme_target_t about;
    apr_status_t rv;

    rv = acme_accounts_find(&account, request->handlers->accounts, request->ca,
                            request->res);
    if (rv == APR_SUCCESS && is_by_worker(request)
        && (account->has_next_key || account->contacts_changed)
        && has_settled_account(&about, request)) {
        apr_status_t known = acme_ca_facts_know(
            request->handlers->facts, &about, ACME_LOOK_UP_ACCOUNT,
            ACCOUNT_AGE, request->res);

        /* An order waits until it is known which key can sign it. */
        rv = account->has_next_key ? known : APR_SUCCESS;
    }
    if (rv == APR_SUCCESS && !is_revocation_requested(request)) {
        rv = acme_accounts_check(request->handlers->accounts, account,
                                 request->res, request->p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_key_thumbprint(&thumbprint, account->key, request->res,
                                 request->p);
    }
    if (rv == APR_SUCCESS && is_for_dry_run(request)) {
        /* No key and no request: nothing is finalized. All names are tried. */
        flags = apr_pcalloc(request->p,
                            (apr_size_t)request->cert->names->nelts + 1);
    }
    else if (rv == APR_SUCCESS) {
        rv = acme_install_pending_prepare(&pending, &flags, request->registry,
                                          request->about, request->res,
                                          request->p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }

    prepared->contacts_changed = account->contacts_changed;
    prepared->has_next_key = account->has_next_key;
    prepared->deactivated = account->deactivated;
    prepared->pace = *acme_ca_paces_find(request->handlers->paces,
                                         request->ca);
    /* An order at another CA cannot be resumed at this one. */
    if (pending && pending->account
        && !strcmp(pending->account, account->folder)) {
        prepared->issued = pending->issued;
        if (pending->order_url) {
            apr_cpystrn(prepared->order_url, pending->order_url,
                        sizeof(prepared->order_url));
        }
    }
    if (account->url) {
        apr_cpystrn(prepared->account_url, account->url,
                    sizeof(prepared->account_url));
    }
    apr_cpystrn(prepared->thumbprint, thumbprint,
                sizeof(prepared->thumbprint));
    reply->body = prepared;
    reply->tail = flags;
    reply->tail_len = (apr_size_t)request->cert->names->nelts;
    return APR_SUCCESS;
}

/* What the witness alone has to do, and what no order needs. */
static int is_for_witness(const acme_msg_sign_t *sign)
{
    switch (sign->kind) {
    case ACME_SIGN_UPDATE_ACCOUNT:
    case ACME_SIGN_DEACTIVATE:
    case ACME_SIGN_KEY_CHANGE:
    case ACME_SIGN_REVOKE:
        return 1;
    default:
        return (sign->with & (ACME_WITH_NEXT_KEY | ACME_WITH_CERT_KEY)) != 0;
    }
}

/* A URL that a worker got from the CA, as it says; NULL: none. */
static apr_status_t check_url(const request_t *request, const char *url)
{
    apr_status_t rv;

    if (!url) {
        return APR_SUCCESS;
    }
    rv = acme_url_check(url, request->res, request->p);
    if (rv == APR_SUCCESS && is_by_worker(request)) {
        rv = acme_ca_facts_check_url(request->handlers->facts, request->about,
                                     url, request->res, request->p);
    }
    return rv;
}

static apr_status_t serve_sign(acme_message_t *reply,
                               request_t *request)
{
    const acme_msg_sign_t *sign = request->message->body;
    apr_status_t rv;

    if (is_by_worker(request) && is_for_witness(sign)) {
        return acme_fail(
            request->res, APR_EACCES,
            "%s: a worker asked for a signature that only the process acme-witness may ask for",
            request->cert->id);
    }
    rv = check_url(request, sign->url);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv =
        acme_sign(&reply->tail, request->registry, request->handlers->accounts,
                  request->message->body, request->res, request->p);
    if (rv == APR_SUCCESS) {
        reply->tail_len = strlen(reply->tail);
    }
    return rv;
}

/* The URL of a message: checked, or NULL for "". */
static apr_status_t find_url(const char **purl, const request_t *request)
{
    const acme_msg_url_t *body = request->message->body;

    *purl = body->url[0] ? body->url : NULL;
    return check_url(request, *purl);
}

static apr_status_t serve_account(acme_message_t *reply,
                                  request_t *request)
{
    const char *url;
    apr_status_t rv = find_url(&url, request);

    (void)reply;
    if (rv == APR_SUCCESS) {
        rv = acme_accounts_set_url(request->handlers->accounts, request->ca,
                                   url, request->res, request->p);
    }
    return rv;
}

static apr_status_t serve_terms(acme_message_t *reply,
                                request_t *request)
{
    const acme_msg_url_t *body = request->message->body;
    const char *url = acme_text_clean(body->url, ACME_URL_MAX, request->p);
    const acme_ca_conf_t *ca =
        acme_conf_ca(acme_registry_conf(request->registry), request->cert,
                     request->about->ca);

    (void)reply;
    if (acme_accounts_note_terms(request->handlers->accounts, request->ca, url,
                                 request->p)) {
        acme_log(
            acme_registry_log(request->registry), ACME_LOG_WARNING, "account",
            "%s: the terms of service have changed: read %s. AcmeTermsOfService agree agrees to the new terms as well; remove it if you do not agree",
            acme_url_host(ca->url, request->p), url);
        acme_registry_send_event(request->registry, request->about->cert,
                                 ACME_EVENT_TERMS_CHANGED, url, request->p);
    }
    return APR_SUCCESS;
}

static apr_status_t serve_order(acme_message_t *reply,
                                request_t *request)
{
    const acme_ca_conf_t *ca =
        acme_conf_ca(acme_registry_conf(request->registry), request->cert,
                     request->about->ca);
    acme_pending_order_t order = { .account = ca->folder,
                                   .now = apr_time_now() };
    apr_status_t rv = find_url(&order.url, request);

    (void)reply;
    if (rv == APR_SUCCESS) {
        acme_sync_owner(request->handlers->sync, request->cert->id);
        rv = acme_pending_order(acme_registry_store(request->registry),
                                acme_install_pending_name(request->cert,
                                                          request->about->part,
                                                          request->p),
                                &order, request->handlers->sync, request->res,
                                request->p);
    }
    if (rv == APR_SUCCESS) {
        if (order.url) {
            acme_registry_order_begun(request->registry, request->about->cert,
                                      order.now);
        }
        else {
            acme_registry_order_gone(request->registry, request->about->cert);
        }
    }
    return rv;
}

static apr_status_t serve_key(acme_message_t *reply, request_t *request)
{
    const acme_msg_key_t *body = request->message->body;

    (void)reply;
    return acme_accounts_end_key(
        request->handlers->accounts, request->ca,
        body->end == ACME_KEY_PROMOTE ? ACME_KEY_PROMOTE : ACME_KEY_DROP,
        request->res, request->p);
}

/* What the worker asks for, as far as the configuration has it. */
static apr_status_t find_job(acme_publish_job_t *job, const request_t *request)
{
    const acme_msg_publish_t *body = request->message->body;
    const acme_cert_conf_t *cert = request->cert;
    const apr_uint32_t others = (apr_uint32_t)cert->names->nelts - 1;
    const int is_http = body->challenge == ACME_HTTP_01;
    const char *name;

    if ((!is_http && body->challenge != ACME_DNS_01)
        || (is_http ? !cert->http : !cert->dns)
        || body->name >= (apr_uint32_t)cert->names->nelts
        || !acme_text_is_base64url(body->token, ACME_TOKEN_MAX)) {
        return acme_fail(
            request->res, APR_EINVAL,
            "%s: a worker asked for a DNS record or a token of http-01 that is not configured",
            cert->id);
    }
    name = APR_ARRAY_IDX(cert->names, body->name, const char *);
    if (is_http && acme_name_is_wildcard(name)) {
        return acme_fail(request->res, APR_EINVAL,
                         "%s: a wildcard cannot be validated by http-01",
                         name);
    }
    *job = (acme_publish_job_t) {
        .purpose = request->message->who == ACME_BY_WITNESS
                       ? ACME_PUBLISH_FOR_REHEARSAL
                   : is_for_dry_run(request) ? ACME_PUBLISH_FOR_DRY_RUN
                                             : ACME_PUBLISH_FOR_ORDER,
        .cert = body->about.cert,
        .id = cert->id,
        .dns = is_http ? NULL : cert->dns,
        .http = is_http ? cert->http : NULL,
        .name = acme_name_base(name),
        .token = body->token,
        .record = !is_http && body->record[0] ? body->record : NULL,
        .names = cert->names,
        /* A worker's number is bounded by the names of the certificate. */
        .remaining = (int)(body->remaining < others ? body->remaining
                                                    : others)
    };
    return APR_SUCCESS;
}

/* Commands of an order may not be able to run beside another one of the same
   certificate, and what comes first are orders. */
static apr_status_t check_rehearsal(const request_t *request)
{
    const acme_msg_publish_t *body = request->message->body;
    const acme_state_t *state =
        acme_registry_state(request->registry, request->about->cert);

    if (request->message->who == ACME_BY_WITNESS
        && body->action == ACME_PUBLISH_PRESENT
        && (state->ordering || state->wanted == ACME_WANT_DRY_RUN)) {
        return acme_fail(
            request->res, APR_EBUSY,
            "%s: AcmeDns is not tried while an order or a dry run of the certificate is under way",
            request->cert->id);
    }
    return APR_SUCCESS;
}

static apr_status_t serve_publish(acme_message_t *reply,
                                  request_t *request)
{
    const acme_msg_publish_t *body = request->message->body;
    acme_published_t *records = request->handlers->records;
    const acme_ca_account_t *account;
    acme_publish_job_t job;
    const char *thumbprint;
    apr_status_t rv;

    (void)reply;
    if (body->challenge == ACME_HTTP_01 && body->name == ACME_NO_NAME
        && body->action == ACME_PUBLISH_CLEANUP) {
        acme_published_cleanup_tokens(records, body->about.cert);
        return APR_SUCCESS;
    }
    rv = find_job(&job, request);
    if (rv == APR_SUCCESS) {
        rv = check_rehearsal(request);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_accounts_find(&account, request->handlers->accounts,
                                request->ca, request->res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_key_thumbprint(&thumbprint, account->key, request->res,
                                 request->p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    job.value = job.http
        ? acme_challenge_key_authorization(body->token, thumbprint, request->p)
        : acme_challenge_dns01_value(body->token, thumbprint, request->p);
    switch (body->action) {
    case ACME_PUBLISH_PRESENT:
        return acme_published_present(records, &job, request->res);
    case ACME_PUBLISH_RESULT:
        return acme_published_outcome(records, &job, request->res);
    default:
        return acme_published_cleanup(records, &job, request->res);
    }
}

/* APR_EAGAIN: the loop serves it again when a command has ended. */
static apr_status_t serve_await(acme_message_t *reply,
                                request_t *request)
{
    acme_published_t *records = request->handlers->records;

    (void)reply;
    if (acme_published_running(records, request->about->cert)) {
        return acme_fail(request->res, APR_EAGAIN,
                         "%s: commands of AcmeDns or AcmeHttp are still running",
                         request->cert->id);
    }
    return acme_published_result(records, request->about->cert,
                                 request->res);
}

static apr_status_t serve_validate(acme_message_t *reply,
                                   request_t *request)
{
    const acme_msg_validate_t *body = request->message->body;
    acme_msg_validating_t *validating =
        apr_pcalloc(request->p, sizeof(*validating));
    acme_batch_t *batch = request->handlers->batch;
    const apr_uint32_t cert = request->about->cert;
    apr_status_t rv = APR_SUCCESS;
    int is_open = 0;

    if (body->step == ACME_VALIDATE_JOIN) {
        rv = acme_batch_join(&is_open, batch, cert, request->message->channel,
                             apr_time_now(), request->res, request->p);
    }
    else {
        acme_batch_leave(batch, cert, body->step == ACME_VALIDATE_DONE,
                         apr_time_now());
    }
    validating->is_open = (apr_uint32_t)is_open;
    reply->body = validating;
    return rv;
}

static apr_status_t serve_pace(acme_message_t *reply, request_t *request)
{
    (void)reply;
    acme_ca_paces_add(request->handlers->paces, request->ca,
                      request->message->body);
    return APR_SUCCESS;
}

static apr_status_t serve_window(acme_message_t *reply,
                                 request_t *request)
{
    (void)reply;
    acme_registry_window_suggested(request->registry, request->message->body,
                                   apr_time_now(), request->p);
    return APR_SUCCESS;
}

static apr_status_t serve_done(acme_message_t *reply,
                               request_t *request)
{
    const acme_msg_want_t *want = request->message->body;
    const acme_state_t *state =
        acme_registry_state(request->registry, request->about->cert);
    apr_status_t rv = APR_SUCCESS;

    (void)reply;
    if (want->want == ACME_WANT_DEACTIVATION
        && state->wanted == ACME_WANT_DEACTIVATION
        && state->wanted_ca == request->about->ca) {
        rv = acme_accounts_deactivated(request->handlers->accounts,
                                       request->ca, request->res, request->p);
    }
    else if (want->want == state->wanted && is_revocation_requested(request)) {
        /* The pending key may be that of the revoked one. (AcmeKeyReuse) */
        rv = acme_pending_destroy(acme_registry_store(request->registry),
                                  request->cert->id, request->res,
                                  request->p);
    }
    if (rv == APR_SUCCESS) {
        acme_registry_request_done(request->registry, want, apr_time_now(),
                                   request->p);
    }
    return rv;
}

/* Did the CA say no to these, and not that it has trouble, or wants more? */
static int is_refusal_of_contacts(const acme_msg_note_t *note)
{
    if (note->note != ACME_NOTE_FAILED || note->want != ACME_WANT_UPDATE
        || !note->problem[0]) {
        return 0;
    }
    switch (note->why) {
    case ACME_REASON_CA_ERROR:
    case ACME_REASON_RATE_LIMITED:
    case ACME_REASON_TERMS_NOT_AGREED:
    case ACME_REASON_CA_ACTION_REQUIRED:
    case ACME_REASON_EAB_REQUIRED:
    case ACME_REASON_ACCOUNT_UNKNOWN:
    case ACME_REASON_ACCOUNT_DEACTIVATED:
        return 0;
    default:
        return 1;
    }
}

static apr_status_t serve_note(acme_message_t *reply,
                               request_t *request)
{
    const acme_msg_note_t *note = request->message->body;

    (void)reply;
    if (is_by_worker(request) && note->want > ACME_WANT_RENEWAL) {
        return acme_fail(
            request->res, APR_EACCES,
            "%s: a worker reported on a request of the administrator that is not a worker's to carry out",
            request->cert->id);
    }
    if (is_for_dry_run(request)
        != (note->note >= ACME_NOTE_DRY_RUN && note->note < ACME_NOTES)) {
        return acme_fail(
            request->res, APR_EINVAL,
            "%s: a worker reported on a dry run as on an order, or on an order as on a dry run",
            request->cert->id);
    }
    if (is_refusal_of_contacts(note)) {
        acme_accounts_contacts_refused(request->handlers->accounts,
                                       request->ca, request->p);
    }
    acme_registry_order_noted(request->registry, request->message->body,
                              apr_time_now(), request->p);
    return APR_SUCCESS;
}

static apr_status_t serve_install(acme_message_t *reply,
                                  request_t *request)
{
    acme_issued_t issued;
    apr_status_t rv = find_url(&issued.url, request);

    issued.pem = request->message->tail;
    issued.len = request->message->tail_len;
    if (rv == APR_SUCCESS) {
        rv = acme_install_begin(&request->install, request->registry,
                                request->handlers->reload, request->about,
                                &issued, request->handlers->sync, request->res,
                                request->p);
        reply->body =
            acme_registry_state(request->registry, request->about->cert);
    }
    return rv;
}

/* Nothing in the reply is secret: every user can read these files. */
static apr_status_t serve_live(acme_message_t *reply,
                               request_t *request)
{
    acme_store_t *store = acme_registry_store(request->registry);
    const acme_cert_conf_t *cert = request->cert;
    const apr_uint32_t part = request->about->part;
    const char *file = apr_pstrcat(request->p, "fullchain",
                                   acme_conf_suffix(cert, part), ".pem", NULL);
    acme_msg_url_t *body = apr_pcalloc(request->p, sizeof(*body));
    const char *url = acme_meta_url(store, cert->id, part, request->p);

    body->about = *request->about;
    if (url) {
        apr_cpystrn(body->url, url, sizeof(body->url));
    }
    reply->body = body;
    return acme_file_read(&reply->tail, &reply->tail_len,
                          acme_store_live(store, cert->id, file, request->p),
                          ACME_CHAIN_SIZE_MAX, request->res, request->p);
}

static void set_tail(acme_message_t *reply, const char *text)
{
    reply->tail = text;
    reply->tail_len = strlen(text);
    if (reply->tail_len > ACME_LIST_MAX) {
        reply->tail_len = ACME_LIST_MAX;
    }
}

static apr_status_t serve_accounts(acme_message_t *reply,
                                   request_t *request)
{
    set_tail(reply,
             acme_accounts_text(request->handlers->accounts, request->p));
    return APR_SUCCESS;
}

static apr_status_t serve_persist(acme_message_t *reply,
                                  request_t *request)
{
    (void)reply;
    return acme_accounts_set_persist(request->handlers->accounts, request->ca,
                                     request->message->body, request->res,
                                     request->p);
}

static apr_status_t serve_looked(acme_message_t *reply,
                                 request_t *request)
{
    (void)reply;
    return acme_ca_facts_looked(request->handlers->facts,
                                request->message->body,
                                request->message->tail, request->res,
                                request->p);
}

static apr_status_t serve_served(acme_message_t *reply,
                                 request_t *request)
{
    const apr_time_t now = apr_time_now();

    (void)reply;
    if (acme_registry_self_check_noted(
            request->registry, request->message->body, now, request->p)) {
        const acme_state_t *state =
            acme_registry_state(request->registry, request->about->cert);

        acme_reload_schedule(request->handlers->reload, state,
                             state->not_after, now);
    }
    return APR_SUCCESS;
}

static apr_status_t serve_txt(acme_message_t *reply, request_t *request)
{
    const acme_msg_txt_t *body = request->message->body;
    const acme_ca_account_t *account;
    const char *text;
    apr_status_t rv;

    /* It authorises whoever has that account: asked of the CA itself. */
    rv = acme_ca_facts_know(request->handlers->facts, request->about,
                            ACME_LOOK_UP_RECORDS, RECORDS_AGE, request->res);
    if (rv == APR_SUCCESS) {
        rv = acme_accounts_find(&account, request->handlers->accounts,
                                request->ca, request->res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_persist_zone_lines(&text, request->cert, account,
                                     body->until, request->res, request->p);
    }
    if (rv == APR_SUCCESS) {
        set_tail(reply, text);
    }
    return rv;
}

static apr_status_t serve_list(acme_message_t *reply,
                               request_t *request)
{
    const acme_cert_conf_t *cert = request->cert;
    const acme_conf_t *conf = acme_registry_conf(request->registry);
    const char *text = apr_pstrcat(request->p, cert->id, "\n", NULL);
    acme_msg_listed_t *listed = apr_pcalloc(request->p, sizeof(*listed));
    apr_uint32_t i;
    int k;

    for (i = 0; i < (apr_uint32_t)cert->cas->nelts; i++) {
        text = apr_pstrcat(request->p, text, acme_conf_ca(conf, cert, i)->url,
                           "\n", NULL);
    }
    for (k = 0; k < cert->nchallenges; k++) {
        listed->challenges |= 1u << cert->challenges[k];
    }
    listed->state = *acme_registry_state(request->registry,
                                         request->about->cert);
    listed->is_reload_held =
        (apr_uint32_t)acme_reload_is_held(request->handlers->reload);
    listed->is_reloaded_by_hand = conf->activate == ACME_ACTIVATE_NONE;
    reply->body = listed;
    set_tail(reply,
             apr_pstrcat(request->p, text,
                         apr_array_pstrcat(request->p, cert->names, '\n'),
                         NULL));
    return APR_SUCCESS;
}

static apr_status_t serve_want(acme_message_t *reply,
                               request_t *request)
{
    const acme_msg_want_t *want = request->message->body;
    const acme_want_e pending =
        acme_registry_state(request->registry, request->about->cert)->wanted;

    (void)reply;
    if (want->want == ACME_WANT_NOTHING || want->want >= ACME_WANTS) {
        return acme_fail(request->res, APR_EINVAL,
                         "keeper: there is no request %u of an administrator",
                         want->want);
    }
    if (want->want == ACME_WANT_DRY_RUN && pending != ACME_WANT_NOTHING) {
        return acme_fail(
            request->res, APR_EBUSY,
            pending == ACME_WANT_DRY_RUN
                ? "%s: a dry run is under way already"
                : "%s: no dry run is made while another request is pending; see acmectl status %s",
            request->cert->id, request->cert->id);
    }
    if (acme_registry_request_add(request->registry, want, apr_time_now(),
                                  request->p)) {
        acme_fail(
            request->res, APR_EGENERAL,
            "%s: the request is carried out, but could not be saved, which the error log explains: it is lost if httpd ends before it is done",
            request->cert->id);
        return acme_result_reason(request->res, ACME_REASON_STORE_UNWRITABLE);
    }
    return APR_SUCCESS;
}

/* Of an account that is there, or will be anyway; none of it is secret. */
static void describe_account(acme_msg_rehearsal_t *body,
                             const request_t *request)
{
    const acme_ca_account_t *account;
    const char *thumbprint;

    if (!request->cert->agreed
        || acme_accounts_find(&account, request->handlers->accounts,
                              request->ca, request->res)
        || acme_key_thumbprint(&thumbprint, account->key, request->res,
                               request->p)) {
        return;                 /* the rest is looked at without it */
    }
    apr_cpystrn(body->thumbprint, thumbprint, sizeof(body->thumbprint));
    if (account->url) {
        apr_cpystrn(body->account_url, account->url,
                    sizeof(body->account_url));
    }
    if (account->persist_issuer) {
        body->draft = (apr_uint32_t)account->persist_draft;
        apr_cpystrn(body->issuer, account->persist_issuer,
                    sizeof(body->issuer));
    }
    if (account->persist_prefix) {
        apr_cpystrn(body->prefix, account->persist_prefix,
                    sizeof(body->prefix));
    }
}

static void keep_findings(const request_t *request, apr_time_t rehearse_at,
                          const apr_array_header_t *findings)
{
    const apr_uint32_t cert = request->about->cert;

    acme_findings_keep(request->handlers->findings, cert,
                       acme_rehearsal_lines(findings, ACME_LIST_MAX,
                                            request->p));
    acme_registry_rehearsal_done(request->registry, cert, rehearse_at,
                                 findings, apr_time_now(), request->p);
}

static apr_status_t serve_rehearsal(acme_message_t *reply,
                                    request_t *request)
{
    const acme_state_t *state =
        acme_registry_state(request->registry, request->about->cert);
    acme_msg_rehearsal_t *body = apr_pcalloc(request->p, sizeof(*body));
    const apr_status_t rv = acme_registry_rehearsal_begin(
        request->registry, request->about->cert);

    body->about = *request->about;
    reply->body = body;
    if (rv == APR_SUCCESS) {
        body->rehearse_at = state->rehearse_at;
        body->is_full = state->rehearse_fully;
        describe_account(body, request);
    }
    else if (!APR_STATUS_IS_ENOENT(rv)) {
        apr_array_header_t *findings = apr_array_make(
            request->p, 1, sizeof(acme_rehearsal_finding_t));

        APR_ARRAY_PUSH(findings, acme_rehearsal_finding_t) =
            (acme_rehearsal_finding_t) {
                .level = ACME_REHEARSAL_UNSEEN, .topic = ACME_TOPIC_CA,
                .name = "",
                .text = "the check ended unexpectedly, so it is not repeated; the error log may say why"
            };
        keep_findings(request, state->rehearse_at, findings);
    }
    return APR_SUCCESS;
}

static apr_status_t serve_rehearsed(acme_message_t *reply,
                                    request_t *request)
{
    const acme_msg_rehearsed_t *body = request->message->body;

    (void)reply;
    if (acme_registry_rehearsal_is_under_way(
            request->registry, request->about->cert, body->rehearse_at)) {
        keep_findings(request, body->rehearse_at,
                      acme_rehearsal_parse(request->message->tail,
                                           request->cert->names, request->p));
    }                           /* else nobody asked this keeper for it */
    return APR_SUCCESS;
}

static apr_status_t serve_rehearse(acme_message_t *reply,
                                   request_t *request)
{
    (void)reply;
    acme_registry_rehearsal_wanted(request->registry, request->about->cert,
                                   apr_time_now());
    return APR_SUCCESS;
}

static apr_status_t serve_findings(acme_message_t *reply,
                                   request_t *request)
{
    const acme_state_t *state =
        acme_registry_state(request->registry, request->about->cert);
    acme_msg_findings_t *body = apr_pcalloc(request->p, sizeof(*body));

    body->is_pending = state->rehearse_at != 0;
    body->level = (apr_uint32_t)state->rehearsal;
    body->when = state->rehearsed;
    reply->body = body;
    set_tail(reply, body->is_pending
                        ? "" : acme_findings_of(request->handlers->findings,
                                                request->about->cert));
    return APR_SUCCESS;
}

static apr_status_t serve_costs(acme_message_t *reply,
                                request_t *request)
{
    const acme_conf_t *conf = acme_registry_conf(request->registry);
    const apr_time_t now = apr_time_now();
    acme_rate_buckets_t *model;
    acme_rate_buckets_order_t order = {
        .names = request->cert->names,
        .is_renewal = acme_state_renews(
            acme_registry_state(request->registry, request->about->cert),
            request->about->ca, now)
    };
    apr_array_header_t *events = apr_array_make(
        request->p, 16, sizeof(acme_rate_buckets_event_t));
    apr_uint32_t i;

    for (i = 0; i < (apr_uint32_t)conf->certs->nelts; i++) {
        acme_rate_past_add(events, acme_conf_cert(conf, i),
                           acme_registry_state(request->registry, i),
                           request->ca, request->p);
    }
    model = acme_rate_buckets_create(
        acme_conf_ca(conf, request->cert, request->about->ca)->url,
        request->p);
    acme_rate_buckets_load(model, events, now);
    set_tail(reply, acme_rate_buckets_left_text(model, &order, now,
                                                request->p));
    return APR_SUCCESS;
}

static handler_t *const served[ACME_MSG_KINDS] = {
    [ACME_MSG_HELLO] = serve_hello,     [ACME_MSG_CHANGES] = serve_changes,
    [ACME_MSG_PREPARE] = serve_prepare, [ACME_MSG_SIGN] = serve_sign,
    [ACME_MSG_ACCOUNT] = serve_account, [ACME_MSG_KEY] = serve_key,
    [ACME_MSG_TERMS] = serve_terms,     [ACME_MSG_ORDER] = serve_order,
    [ACME_MSG_PUBLISH] = serve_publish, [ACME_MSG_AWAIT] = serve_await,
    [ACME_MSG_VALIDATE] = serve_validate, [ACME_MSG_PACE] = serve_pace,
    [ACME_MSG_NOTE] = serve_note,       [ACME_MSG_WINDOW] = serve_window,
    [ACME_MSG_INSTALL] = serve_install, [ACME_MSG_LIVE] = serve_live,
    [ACME_MSG_DONE] = serve_done,       [ACME_MSG_PERSIST] = serve_persist,
    [ACME_MSG_LOOKED] = serve_looked,   [ACME_MSG_SERVED] = serve_served,
    [ACME_MSG_LIST] = serve_list,       [ACME_MSG_ACCOUNTS] = serve_accounts,
    [ACME_MSG_TXT] = serve_txt,         [ACME_MSG_WANT] = serve_want,
    [ACME_MSG_REHEARSAL] = serve_rehearsal,
    [ACME_MSG_REHEARSED] = serve_rehearsed,
    [ACME_MSG_REHEARSE] = serve_rehearse,
    [ACME_MSG_FINDINGS] = serve_findings,
    [ACME_MSG_COSTS] = serve_costs
};

acme_handlers_t *acme_handlers_create(acme_registry_t *registry,
                                      acme_reload_t *reload,
                                      acme_published_t *records,
                                      acme_batch_t *batch, apr_pool_t *p)
{
    acme_handlers_t *handlers = apr_pcalloc(p, sizeof(*handlers));

    handlers->registry = registry;
    handlers->reload = reload;
    handlers->records = records;
    handlers->batch = batch;
    handlers->accounts = acme_accounts_create(registry, p);
    handlers->findings = acme_findings_create(p);
    handlers->facts = acme_ca_facts_create(registry, handlers->accounts, p);
    handlers->sync = acme_sync_create(acme_registry_store(registry), p);
    handlers->held = apr_array_make(p, 16, sizeof(held_t));
    handlers->installs = apr_array_make(p, 16, sizeof(acme_install_t *));
    handlers->paces = acme_ca_paces_create(registry, p);
    return handlers;
}

void acme_handlers_on_sync(acme_handlers_t *handlers, acme_sync_step_cb *step,
                           void *baton)
{
    acme_sync_on_step(handlers->sync, step, baton);
}

apr_time_t acme_handlers_step(acme_handlers_t *handlers, apr_time_t now,
                              apr_pool_t *p)
{
    return acme_ca_paces_step(handlers->paces, now, p);
}

void acme_handlers_flush(acme_handlers_t *handlers, apr_pool_t *p)
{
    acme_ca_paces_flush(handlers->paces, p);
}

/*
 * As acmectl account update does, once for each CA of the certificate, and
 * while no other request of an administrator is pending.
 */
static void request_updates(acme_handlers_t *handlers, apr_uint32_t cert,
                            char *seen, apr_pool_t *p)
{
    const acme_cert_conf_t *conf =
        acme_conf_cert(acme_registry_conf(handlers->registry), cert);
    acme_msg_want_t want = { { cert, 0, 0 }, ACME_WANT_UPDATE, -1 };
    int i;

    for (i = 0; i < conf->cas->nelts && conf->agreed
                && acme_registry_state(handlers->registry, cert)->wanted
                       == ACME_WANT_NOTHING;
         i++) {
        const apr_uint32_t ca = acme_conf_ca_index(conf, (apr_uint32_t)i);

        if (!seen[ca]
            && acme_accounts_contacts_changed(handlers->accounts, ca, p)) {
            want.about.ca = (apr_uint32_t)i;
            (void)acme_registry_request_add(handlers->registry, &want,
                                            apr_time_now(), p);
        }
        seen[ca] = 1;
    }
}

void acme_handlers_update_contacts(acme_handlers_t *handlers, apr_pool_t *p)
{
    const acme_conf_t *conf = acme_registry_conf(handlers->registry);
    char *seen = apr_pcalloc(p, (apr_size_t)conf->cas->nelts + 1);
    apr_uint32_t i;

    for (i = 0; i < (apr_uint32_t)conf->certs->nelts; i++) {
        request_updates(handlers, i, seen, p);
    }
}

/* Does it only remove what was published, or end a validation? */
static int is_end(const acme_message_t *message)
{
    const acme_msg_publish_t *publish = message->body;
    const acme_msg_validate_t *validate = message->body;

    return (message->kind == ACME_MSG_PUBLISH
            && publish->action == ACME_PUBLISH_CLEANUP)
        || (message->kind == ACME_MSG_VALIDATE
            && validate->step != ACME_VALIDATE_JOIN);
}

/*
 * What a dry run needs, and only while an administrator waits for one: orders
 * that are not finalized, at the position of the list that he asked for. One
 * whose place another request took still removes what it published.
 */
static int is_allowed_in_dry_run(const request_t *request)
{
    const acme_state_t *state =
        acme_registry_state(request->registry, request->about->cert);

    if (request->message->kind == ACME_MSG_LOOKED) {
        return 1;               /* the witness's, and late at worst */
    }
    if (is_end(request->message)) {
        return 1;
    }
    if (state->wanted != ACME_WANT_DRY_RUN
        || request->about->ca
               != acme_conf_dry_run_ca(request->cert, state->wanted_ca)) {
        return 0;
    }
    switch (request->message->kind) {
    case ACME_MSG_PREPARE:
    case ACME_MSG_SIGN:
    case ACME_MSG_ACCOUNT:
    case ACME_MSG_PUBLISH:
    case ACME_MSG_AWAIT:
    case ACME_MSG_VALIDATE:
    case ACME_MSG_NOTE:
        return 1;
    default:
        return 0;
    }
}

/* Look up the target: a worker cannot name what is not configured. */
static apr_status_t find_target(request_t *request)
{
    const acme_message_e kind = request->message->kind;
    const acme_conf_t *conf = acme_registry_conf(request->registry);
    const acme_target_t *about;

    if (kind == ACME_MSG_HELLO || kind == ACME_MSG_CHANGES
        || kind == ACME_MSG_ACCOUNTS) {
        return APR_SUCCESS;
    }
    about = request->message->body;     /* all other bodies begin with it */
    request->about = about;
    request->cert = acme_conf_cert(conf, about->cert);
    if (!request->cert) {
        return acme_fail(request->res, APR_ENOENT,
                         "keeper: certificate %u is not configured",
                         about->cert);
    }
    if (!acme_conf_ca(conf, request->cert, about->ca)
        || about->part >= acme_conf_parts(request->cert)) {
        return acme_fail(request->res, APR_ENOENT,
                         "%s: CA %u or key type %u is not configured",
                         request->cert->id, about->ca, about->part);
    }
    request->ca = acme_conf_ca_index(request->cert, about->ca);
    if (is_for_dry_run(request) && !is_allowed_in_dry_run(request)) {
        return acme_fail(request->res, APR_EACCES,
                         "%s: no administrator asked for such a dry run",
                         request->cert->id);
    }
    return APR_SUCCESS;
}

/* Does it use the files that an installation writes and removes? Two of one
   certificate would fill one folder. */
static int is_installed_now(const request_t *request)
{
    const apr_array_header_t *installs = request->handlers->installs;
    int i;

    switch (request->message->kind) {
    case ACME_MSG_PREPARE:
    case ACME_MSG_ORDER:
    case ACME_MSG_INSTALL:
    case ACME_MSG_DONE:
        break;
    default:
        return 0;
    }
    for (i = 0; i < installs->nelts; i++) {
        if (acme_install_cert(APR_ARRAY_IDX(installs, i, acme_install_t *))
            == request->about->cert) {
            return 1;
        }
    }
    return 0;
}

/* A reply that says that something lasts waits until it does. */
static apr_status_t hold(acme_message_t *reply, const request_t *request)
{
    acme_handlers_t *handlers = request->handlers;
    held_t held = { .reply = reply,
                    .res = request->res,
                    .install = request->install };

    if (!request->install
        && (request->message->kind != ACME_MSG_ORDER
            || !acme_sync_is_due(handlers->sync))) {
        return APR_SUCCESS;
    }
    held.id = request->cert->id;
    APR_ARRAY_PUSH(handlers->held, held_t) = held;
    if (request->install) {
        APR_ARRAY_PUSH(handlers->installs, acme_install_t *) =
            request->install;
    }
    return APR_INCOMPLETE;
}

apr_status_t acme_handlers_answer(acme_message_t *reply,
                                  acme_handlers_t *handlers,
                                  const acme_message_t *message,
                                  acme_result_t *res, apr_pool_t *p)
{
    static const acme_msg_none_t none;
    request_t request = { .handlers = handlers,
                          .registry = handlers->registry,
                          .message = message,
                          .res = res,
                          .p = p };
    apr_status_t rv;

    memset(reply, 0, sizeof(*reply));
    reply->kind = message->kind;
    reply->body = &none;
    rv = find_target(&request);
    if (rv == APR_SUCCESS) {
        rv = is_installed_now(&request)
            ? acme_fail(res, APR_EAGAIN, "%s: is being installed",
                        request.cert->id)
            : served[message->kind](reply, &request);
    }
    return rv == APR_SUCCESS ? hold(reply, &request) : rv;
}

int acme_handlers_held(const acme_handlers_t *handlers)
{
    return handlers->held->nelts;
}

void acme_handlers_commit(acme_handlers_t *handlers, acme_answered_cb *answered,
                          void *baton)
{
    acme_result_t ignored;
    int i;

    if (!handlers->held->nelts) {
        return;
    }
    (void)acme_sync_run(handlers->sync, &ignored);
    for (i = 0; i < handlers->held->nelts; i++) {
        held_t *held = &APR_ARRAY_IDX(handlers->held, i, held_t);

        if (!held->install) {
            held->status = acme_sync_ended(handlers->sync, held->id,
                                           held->res);
        }
    }
    acme_install_finish(handlers->installs, handlers->sync);
    for (i = 0; i < handlers->held->nelts; i++) {
        const held_t *held = &APR_ARRAY_IDX(handlers->held, i, held_t);

        answered(baton, held->reply,
                 held->install ? acme_install_status(held->install)
                               : held->status);
    }
    apr_array_clear(handlers->held);
    apr_array_clear(handlers->installs);
}
