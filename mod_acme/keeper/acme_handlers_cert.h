/*
 * acme_handlers_cert.h - what is asked and noted of a certificate outside of
 * its orders.
 */
#ifndef ACME_HANDLERS_CERT_H
#define ACME_HANDLERS_CERT_H

#include "acme_request.h"

/* WINDOW: when the CA suggests to renew. */
apr_status_t acme_handlers_cert_window(acme_message_t *reply,
                                       acme_request_t *request);

/* LIVE: the live certificate and its URL; none of that is secret. */
apr_status_t acme_handlers_cert_live(acme_message_t *reply,
                                     acme_request_t *request);

/* SERVED: what visitors get, by the self check. */
apr_status_t acme_handlers_cert_self_check(acme_message_t *reply,
                                           acme_request_t *request);

/* COSTS: what an order takes from the limits of its CA. */
apr_status_t acme_handlers_cert_costs(acme_message_t *reply,
                                      acme_request_t *request);

#endif
