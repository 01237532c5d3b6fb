/*
 * acme_witness_start.h - the process that asks the CAs what the keeper has to
 * believe.
 *
 * The witness runs as the workers' user, serves no visitor and no local
 * process, and lives as long as its generation of httpd.
 */
#ifndef ACME_WITNESS_START_H
#define ACME_WITNESS_START_H

#include <httpd.h>

#include "acme_board.h"
#include "acme_conf.h"

/* Fork it, after the keeper; p is the generation's. conf and board live as
   long. */
void acme_witness_start(const acme_conf_t *conf, acme_board_t *board,
                        server_rec *s, apr_pool_t *p);

/* Now and then: fork it again if it died and could not be forked. */
void acme_witness_start_monitor(void);

#endif
