/*
 * acme_status.h - the section in server-status, and the lines in ?auto.
 */
#ifndef ACME_STATUS_H
#define ACME_STATUS_H

#include "acme_board.h"
#include "acme_conf.h"

void acme_status_init(acme_board_t *board, const acme_conf_t *conf);

void acme_status_hooks(apr_pool_t *p);

#endif
