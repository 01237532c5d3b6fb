/*
 * acme_handlers.h - what the keeper does for each message.
 *
 * The rule: from a worker it takes the index of a certificate in its own
 * configuration, and octets that it checks. Never a path, a command, names.
 */
#ifndef ACME_HANDLERS_H
#define ACME_HANDLERS_H

#include "acme_registry.h"
#include "acme_dns_records.h"
#include "acme_reload.h"

typedef struct acme_handlers_t acme_handlers_t;

/* What it is given lives as long as p. */
acme_handlers_t *acme_handlers_create(acme_registry_t *registry,
                                      acme_reload_t *reload,
                                      acme_dns_records_t *records,
                                      apr_pool_t *p);

/*
 * At the keeper's beginning: contacts that were changed in the configuration
 * are told to the CAs, without waiting for the next order.
 */
void acme_handlers_update_contacts(acme_handlers_t *serve, apr_pool_t *p);

/*
 * Answer a request that was allowed. On success reply is filled, from p; else
 * res is what the other side is told. APR_EAGAIN: it can't be answered yet,
 * and is to be served again when a command has ended.
 */
apr_status_t acme_handlers_answer(acme_message_t *reply,
                                  acme_handlers_t *serve,
                                  const acme_message_t *request,
                                  acme_result_t *res, apr_pool_t *p);

#endif
