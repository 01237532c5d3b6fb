/*
 * acme_handlers_admin.h - what acmectl asks of a certificate, and the end of
 * that.
 */
#ifndef ACME_HANDLERS_ADMIN_H
#define ACME_HANDLERS_ADMIN_H

#include "acme_request.h"

/* LIST: id, CAs, names and state of a certificate. */
apr_status_t acme_handlers_admin_list(acme_message_t *reply,
                                      acme_request_t *request);

/* WANT: a request of the administrator. Saved, or the failure says so. */
apr_status_t acme_handlers_admin_want(acme_message_t *reply,
                                      acme_request_t *request);

/* DONE: it was carried out, which the account or the pending key follow. */
apr_status_t acme_handlers_admin_done(acme_message_t *reply,
                                      acme_request_t *request);

#endif
