/*
 * acme_page.h - SetHandler acme-status: the page, ?json and ?metrics.
 *
 * GET and HEAD only; whatever the query is, it changes nothing.
 */
#ifndef ACME_PAGE_H
#define ACME_PAGE_H

#include <httpd.h>

void acme_page_hooks(apr_pool_t *p);

#endif
