/*
 * acme_serve.h - what the keeper does for each message.
 *
 * The rule: from a worker it takes the index of a certificate in its own
 * configuration, and octets that it checks. Never a path, a command, names.
 */
#ifndef ACME_SERVE_H
#define ACME_SERVE_H

#include "acme_book.h"
#include "acme_reload.h"

typedef struct acme_serve_t acme_serve_t;

/* book and reload live as long as p. */
acme_serve_t *acme_serve_create(acme_book_t *book, acme_reload_t *reload,
                                apr_pool_t *p);

/*
 * Answer a request that was allowed. On success reply is filled, from p; else
 * res is what the other side is told.
 */
apr_status_t acme_serve(acme_message_t *reply, acme_serve_t *serve,
                        const acme_message_t *request, acme_result_t *res,
                        apr_pool_t *p);

#endif
