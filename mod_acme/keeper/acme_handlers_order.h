/*
 * acme_handlers_order.h - what the keeper does for an order: account and key
 * before it, its signatures, its URL, how it ends, and the certificate.
 */
#ifndef ACME_HANDLERS_ORDER_H
#define ACME_HANDLERS_ORDER_H

#include "acme_request.h"

/* PREPARE: the account, key and request of an order. An order waits until it
   is known which key of the account can sign it, and for its own key. */
apr_status_t acme_handlers_order_prepare(acme_message_t *reply,
                                         acme_request_t *request);

/* SIGN: a signature. A worker gets none that only the witness asks for. */
apr_status_t acme_handlers_order_sign(acme_message_t *reply,
                                      acme_request_t *request);

/* ORDER: the URL of an order that is made, or none: it is over. */
apr_status_t acme_handlers_order_url(acme_message_t *reply,
                                     acme_request_t *request);

/* NOTE: how an order or a dry run goes on. */
apr_status_t acme_handlers_order_noted(acme_message_t *reply,
                                       acme_request_t *request);

/* INSTALL: the certificate of an order; request->install is begun. */
apr_status_t acme_handlers_order_install(acme_message_t *reply,
                                         acme_request_t *request);

#endif
