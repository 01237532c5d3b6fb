/*
 * acme_keeper_start.h - the parent's part: it forks the keeper, and forks it
 * again when it died.
 */
#ifndef ACME_KEEPER_START_H
#define ACME_KEEPER_START_H

#include <httpd.h>

#include "acme_board.h"
#include "acme_conf.h"
#include "acme_keeper_address.h"
#include "acme_log.h"
#include "acme_conf_tree.h"

/* In every pass: save how httpd was started, before it changes its folder. */
void acme_keeper_start_save_argv(server_rec *s);

/*
 * Before acme_keeper_start(): what this load, which began at loaded_at, read
 * and has, for the guard of the next one. Nothing of tree is kept.
 */
void acme_keeper_start_read(const acme_conf_tree_t *tree, apr_time_t loaded_at,
                            server_rec *s, apr_pool_t *p);

/* Fork the keeper of this generation; it ends with p. Never fails the start. */
void acme_keeper_start(const acme_conf_t *conf, acme_board_t *board,
                       server_rec *s, apr_pool_t *p);

/*
 * How a process of this role (ACME_BY_WORKER, ACME_BY_WITNESS) reaches the
 * keeper; lives as long as the generation. NULL: there is no keeper.
 */
const acme_keeper_address_t *acme_keeper_start_client(int who);

/* In a fork of the parent that is no worker: what ps shows of it. */
void acme_keeper_start_show_title(const char *name, const char *title);

/* In a child of httpd, before it changes its user: close what is the keeper's
   and the parent's. */
void acme_keeper_start_drop_privileges(void);

/* In a worker: the same, and it forgets the tokens of other roles. */
void acme_keeper_start_child_init(void);

/* In a fork that is neither keeper nor witness, as it begins: the same, and all
   tokens if it cannot be a worker. It takes no lock. */
void acme_keeper_start_forget(void);

/* Now and then, in the parent: fork a keeper that could not be forked, and
   replace one that hangs. */
void acme_keeper_start_monitor(void);

/* Where keeper and renewal send their lines: httpd's error log. */
const acme_log_t *acme_keeper_start_log(void);

#endif
