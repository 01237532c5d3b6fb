/*
 * acme_http01.h - http-01 answered on the server's own ports. (8555, 8.3)
 */
#ifndef ACME_HTTP01_H
#define ACME_HTTP01_H

#include <httpd.h>

#include "acme_board.h"

/* From now on tokens on this board are answered. */
void acme_http01_init(acme_board_t *board);

/* DONE when it was a challenge of ours, else DECLINED. */
int acme_http01_answer(request_rec *r);

#endif
