/*
 * acme_keeper_start.h - the parent's part: it forks the keeper, and forks it again
 * when it died.
 */
#ifndef ACME_KEEPER_START_H
#define ACME_KEEPER_START_H

#include <httpd.h>

#include "acme_board.h"
#include "acme_conf.h"
#include "acme_log.h"
#include "acme_conf_tree.h"

/* In every pass: how httpd was started, before it changes its folder. */
void acme_keeper_start_remember(server_rec *s);

/* Start the keeper of this generation; it ends with p. Never fails the start. */
void acme_keeper_start(const acme_conf_t *conf, acme_board_t *board,
                       const acme_conf_tree_t *tree, apr_time_t loaded_at,
                       server_rec *s, apr_pool_t *p);

/* The workers' end of the inherited pair; -1: there is no keeper. */
int acme_keeper_start_pair(void);

/* In a worker: close what is the keeper's. */
void acme_keeper_start_leave(void);

/* Now and then, in the parent: start a keeper that could not be started. */
void acme_keeper_start_monitor(void);

/* Where keeper and renewal send their lines: httpd's error log. */
const acme_log_t *acme_keeper_start_log(void);

#endif
