/*
 * acme_status.h - the section in server-status, and the lines in ?auto.
 */
#ifndef ACME_STATUS_H
#define ACME_STATUS_H

#include <apr_pools.h>

/* Show them, of acme_page_view.h, where there is a board. */
void acme_status_init(void);

void acme_status_hooks(apr_pool_t *p);

#endif
