/*
 * acme_page_load.h - what the status page knows, read once a load in the parent,
 * which may read files that no worker may.
 */
#ifndef ACME_PAGE_LOAD_H
#define ACME_PAGE_LOAD_H

#include <httpd.h>

#include "acme_conf.h"
#include "acme_conf_tree.h"

/*
 * Make the view of this load (acme_page_view.h), in p, of the server s and all
 * that follow it, when vhosts were read. Reads each SSLCertificateFile once, if
 * a directive names acme-status at all; one that is broken is a row with its
 * problem.
 */
void acme_page_load(const acme_conf_t *conf, const acme_conf_tree_t *tree,
                    const server_rec *s, apr_pool_t *p);

#endif
