/*
 * acme_request.h - a message that is being served, and what its handlers work
 * with. For the files acme_handlers*.c alone.
 *
 * find_target() of acme_handlers.c has checked the target before a handler is
 * called, and that a dry run is wanted if it is about one.
 */
#ifndef ACME_REQUEST_H
#define ACME_REQUEST_H

#include "acme_accounts.h"
#include "acme_batch.h"
#include "acme_ca_facts.h"
#include "acme_ca_paces.h"
#include "acme_findings.h"
#include "acme_install.h"
#include "acme_published.h"

/* What acme_handlers_create() made. (acme_handlers.h) */
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
    apr_array_header_t *held;   /* replies that wait for it */
    apr_array_header_t *installs;       /* acme_install_t *: of these */
};

typedef struct {
    struct acme_handlers_t *handlers;
    acme_registry_t *registry;
    const acme_message_t *message;
    const acme_target_t *about; /* NULL: no certificate */
    const acme_cert_conf_t *cert;
    apr_uint32_t ca;                    /* index in the configuration */
    acme_install_t *install;    /* that was begun, or NULL */
    acme_result_t *res;
    apr_pool_t *p;
} acme_request_t;

/*
 * A handler of one kind of message, as acme_handlers_answer(): it fills the
 * body and tail of the reply, whose body is that of acme_msg_none_t before, or
 * request->res.
 */
typedef apr_status_t acme_request_handler_t(acme_message_t *reply,
                                            acme_request_t *request);

/* Did a worker send it? It may be hostile. */
int acme_request_is_by_worker(const acme_request_t *request);

/* Is it about a position of the list at which dry runs are made? */
int acme_request_is_for_dry_run(const acme_request_t *request);

/* Is a revocation requested? That works without the account. (8555, 7.6) */
int acme_request_is_revocation(const acme_request_t *request);

/* Check a URL that the sender got from the CA, as it says; NULL: none. */
apr_status_t acme_request_check_url(const acme_request_t *request,
                                    const char *url);

/* The URL of a message whose body is acme_msg_url_t: checked, or NULL for "". */
apr_status_t acme_request_url(const char **purl,
                              const acme_request_t *request);

/* The tail of a reply: a text, which is cut at ACME_LIST_MAX. */
void acme_request_reply_text(acme_message_t *reply, const char *text);

#endif
