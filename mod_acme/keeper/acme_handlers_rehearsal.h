/*
 * acme_handlers_rehearsal.h - the rehearsal of an order: its begin and its
 * findings.
 */
#ifndef ACME_HANDLERS_REHEARSAL_H
#define ACME_HANDLERS_REHEARSAL_H

#include "acme_request.h"

/* REHEARSAL: what the witness has to know of it. One that has ended the
   witness before is not begun again, but has a finding. */
apr_status_t acme_handlers_rehearsal_begin(acme_message_t *reply,
                                           acme_request_t *request);

/* REHEARSED: its findings; of one that is not under way they are ignored. */
apr_status_t acme_handlers_rehearsal_done(acme_message_t *reply,
                                          acme_request_t *request);

/* REHEARSE: acmectl asks for one. */
apr_status_t acme_handlers_rehearsal_want(acme_message_t *reply,
                                          acme_request_t *request);

/* FINDINGS: the latest findings, as text. */
apr_status_t acme_handlers_rehearsal_findings(acme_message_t *reply,
                                              acme_request_t *request);

#endif
