/*
 * acme_handlers_challenge.h - what the keeper publishes for challenges, and
 * the batch of validations that an order joins.
 */
#ifndef ACME_HANDLERS_CHALLENGE_H
#define ACME_HANDLERS_CHALLENGE_H

#include "acme_request.h"

/* PUBLISH: present or remove a record or a token, or how its present ended. A
   worker names positions in the configuration and a token, no value. */
apr_status_t acme_handlers_challenge_publish(acme_message_t *reply,
                                             acme_request_t *request);

/* AWAIT: how the presents of a certificate ended; APR_EAGAIN: not yet. */
apr_status_t acme_handlers_challenge_await(acme_message_t *reply,
                                           acme_request_t *request);

/* VALIDATE: an order joins the batch, stays or leaves. */
apr_status_t acme_handlers_challenge_validate(acme_message_t *reply,
                                              acme_request_t *request);

#endif
