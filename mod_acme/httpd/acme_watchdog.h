/*
 * acme_watchdog.h - the renewal thread: a singleton of mod_watchdog, in one
 * child.
 */
#ifndef ACME_WATCHDOG_H
#define ACME_WATCHDOG_H

#include <httpd.h>

#include "acme_board.h"
#include "acme_conf.h"

/* In post_config, before mod_watchdog's: register with it. */
void acme_watchdog_register(const acme_conf_t *conf, acme_board_t *board,
                            server_rec *s, apr_pool_t *p);

/* In a worker: it may become the one; leave in time when it ends. */
void acme_watchdog_child_init(apr_pool_t *pchild);

/* The worker is about to end: leave every wait at once. */
void acme_watchdog_stop(void);

#endif
