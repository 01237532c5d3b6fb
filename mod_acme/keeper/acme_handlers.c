/*
 * acme_handlers.c - a message finds its handler, and its reply waits until
 * what it says is on disk.
 */
#include <string.h>
#include <unistd.h>

#include "acme_handlers.h"
#include "acme_handlers_account.h"
#include "acme_handlers_admin.h"
#include "acme_handlers_cert.h"
#include "acme_handlers_challenge.h"
#include "acme_handlers_order.h"
#include "acme_handlers_rehearsal.h"
#include "acme_registry_request.h"
#include "acme_request.h"

/* A reply that is given when what it says is on disk. */
typedef struct {
    acme_message_t *reply;
    acme_result_t *res;
    acme_install_t *install;    /* NULL: it only waits */
    const char *id;             /* of the certificate */
    apr_status_t status;        /* how that ended; of no installation */
} held_t;

static apr_status_t serve_hello(acme_message_t *reply, acme_request_t *request)
{
    acme_msg_welcome_t *welcome = apr_pcalloc(request->p, sizeof(*welcome));

    welcome->certs =
        (apr_uint32_t)acme_registry_conf(request->registry)->certs->nelts;
    welcome->pid = getpid();
    reply->body = welcome;
    return APR_SUCCESS;
}

static apr_status_t serve_changes(acme_message_t *reply,
                                  acme_request_t *request)
{
    const acme_msg_after_t *after = request->message->body;

    reply->body = acme_registry_next_change(request->registry, after->change);
    return reply->body ? APR_SUCCESS
                       : acme_fail(request->res, APR_ENOENT,
                                   "keeper: no certificate has changed");
}

static acme_request_handler_t *const served[ACME_MSG_KINDS] = {
    [ACME_MSG_HELLO] = serve_hello,
    [ACME_MSG_CHANGES] = serve_changes,
    [ACME_MSG_PREPARE] = acme_handlers_order_prepare,
    [ACME_MSG_SIGN] = acme_handlers_order_sign,
    [ACME_MSG_ACCOUNT] = acme_handlers_account_url,
    [ACME_MSG_KEY] = acme_handlers_account_key,
    [ACME_MSG_TERMS] = acme_handlers_account_terms,
    [ACME_MSG_ORDER] = acme_handlers_order_url,
    [ACME_MSG_PUBLISH] = acme_handlers_challenge_publish,
    [ACME_MSG_AWAIT] = acme_handlers_challenge_await,
    [ACME_MSG_VALIDATE] = acme_handlers_challenge_validate,
    [ACME_MSG_PACE] = acme_handlers_account_pace,
    [ACME_MSG_NOTE] = acme_handlers_order_noted,
    [ACME_MSG_WINDOW] = acme_handlers_cert_window,
    [ACME_MSG_INSTALL] = acme_handlers_order_install,
    [ACME_MSG_LIVE] = acme_handlers_cert_live,
    [ACME_MSG_DONE] = acme_handlers_admin_done,
    [ACME_MSG_PERSIST] = acme_handlers_account_persist,
    [ACME_MSG_LOOKED] = acme_handlers_account_looked,
    [ACME_MSG_SERVED] = acme_handlers_cert_self_check,
    [ACME_MSG_LIST] = acme_handlers_admin_list,
    [ACME_MSG_ACCOUNTS] = acme_handlers_account_list,
    [ACME_MSG_TXT] = acme_handlers_account_zone,
    [ACME_MSG_WANT] = acme_handlers_admin_want,
    [ACME_MSG_REHEARSAL] = acme_handlers_rehearsal_begin,
    [ACME_MSG_REHEARSED] = acme_handlers_rehearsal_done,
    [ACME_MSG_REHEARSE] = acme_handlers_rehearsal_want,
    [ACME_MSG_FINDINGS] = acme_handlers_rehearsal_findings,
    [ACME_MSG_COSTS] = acme_handlers_cert_costs
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
static int is_allowed_in_dry_run(const acme_request_t *request)
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
static apr_status_t find_target(acme_request_t *request)
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
    if (acme_request_is_for_dry_run(request)
        && !is_allowed_in_dry_run(request)) {
        return acme_fail(request->res, APR_EACCES,
                         "%s: no administrator asked for such a dry run",
                         request->cert->id);
    }
    return APR_SUCCESS;
}

/* Does it use the files that an installation writes and removes? Two of one
   certificate would fill one folder. */
static int is_installed_now(const acme_request_t *request)
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
static apr_status_t hold(acme_message_t *reply, const acme_request_t *request)
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
    acme_request_t request = { .handlers = handlers,
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

void acme_handlers_commit(acme_handlers_t *handlers,
                          acme_answered_cb *answered, void *baton)
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
