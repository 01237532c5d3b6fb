/*
 * acme_keeper_client.h - the workers' side of the keeper.
 *
 * One thread, one client: each has a channel of its own, so that replies are
 * neither mixed nor stolen. When the keeper dies, the request is repeated to
 * its successor, at most twice: every message may be repeated.
 */
#ifndef ACME_KEEPER_CLIENT_H
#define ACME_KEEPER_CLIENT_H

#include "acme_message.h"
#include "acme_stop.h"

typedef struct acme_keeper_client_t acme_keeper_client_t;

/*
 * Open a channel to the keeper, say HELLO and wait for its welcome, at most a
 * minute. address and stop live as long as p, with which the channel is closed.
 *
 * On failure *pclient is NULL. APR_EOF: this generation of httpd has no keeper
 * any more and gets none. APR_EINTR: stop was set. APR_TIMEUP: no reply. A
 * keeper that refuses: its own status and result.
 */
apr_status_t acme_keeper_client_open(acme_keeper_client_t **pclient,
                                     const acme_keeper_address_t *address,
                                     acme_stop_t *stop, acme_result_t *res,
                                     apr_pool_t *p);

/*
 * Send a request without a tail and wait for its reply, at most a minute. body
 * is of the type that the table of acme_message.h has for kind. reply may be
 * NULL; else its body and tail are in p, and its body is of the table's type.
 *
 * A keeper that refuses: its own status and result; *reply has no body of the
 * table then. Else the failures of acme_keeper_client_open().
 */
apr_status_t acme_keeper_client_call(acme_message_t *reply,
                                     acme_keeper_client_t *client,
                                     acme_message_e kind, const void *body,
                                     acme_result_t *res, apr_pool_t *p);

/* The same of a request that may have a tail; its status is APR_SUCCESS. */
apr_status_t acme_keeper_client_send(acme_message_t *reply,
                                     acme_keeper_client_t *client,
                                     const acme_message_t *request,
                                     acme_result_t *res, apr_pool_t *p);

/* The welcome of the keeper that replied last; lives as long as client. */
const acme_msg_welcome_t *acme_keeper_client_welcome(
    const acme_keeper_client_t *client);

#endif
