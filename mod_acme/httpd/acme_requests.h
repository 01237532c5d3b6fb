/*
 * acme_requests.h - what we answer on the server's own ports: challenges,
 * 503 while there is only a placeholder, the redirect to https.
 */
#ifndef ACME_REQUESTS_H
#define ACME_REQUESTS_H

#include "acme_board.h"
#include "acme_conf.h"

/* Once a load of the configuration. board may be NULL: nothing is managed. */
void acme_requests_init(acme_board_t *board, const acme_conf_t *conf);

void acme_requests_hooks(apr_pool_t *p);

#endif
