/*
 * acme_client.h - the workers' side of the keeper.
 *
 * One thread, one client: each has a channel of its own, so that answers are
 * neither mixed nor stolen. A keeper that died is waited for and asked again:
 * every message may be repeated.
 */
#ifndef ACME_CLIENT_H
#define ACME_CLIENT_H

#include "acme_message.h"
#include "acme_stop.h"

typedef struct acme_client_t acme_client_t;

/*
 * Say hello on the inherited pair. APR_EOF: this generation has no keeper any
 * more and will get none. APR_EINTR: stopped. Closed with p.
 */
apr_status_t acme_client_open(acme_client_t **pclient, int inherited,
                              acme_stop_t *stop, acme_result_t *res,
                              apr_pool_t *p);

/*
 * Ask and wait for the answer, at most a minute. When the keeper refuses, res
 * is what it said and the status its own. body is that of the table; reply
 * may be NULL, else its body and tail are in p.
 */
apr_status_t acme_client_call(acme_message_t *reply, acme_client_t *client,
                              acme_message_e kind, const void *body,
                              acme_result_t *res, apr_pool_t *p);

/* The same with a tail. */
apr_status_t acme_client_call_tail(acme_message_t *reply,
                                   acme_client_t *client, acme_message_e kind,
                                   const void *body, const char *tail,
                                   apr_size_t tail_len, acme_result_t *res,
                                   apr_pool_t *p);

/* Of the keeper that answers, as it said hello. */
const acme_msg_welcome_t *acme_client_welcome(const acme_client_t *client);

#endif
