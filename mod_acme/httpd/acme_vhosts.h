/*
 * acme_vhosts.h - the vhost watch: from the configured virtual hosts to the
 * certificates that are managed.
 */
#ifndef ACME_VHOSTS_H
#define ACME_VHOSTS_H

#include <httpd.h>

#include "acme_conf.h"
#include "acme_conf_tree.h"

typedef enum { ACME_VHOSTS_LOG, ACME_VHOSTS_QUIET } acme_vhosts_log_e;

/*
 * Look at all virtual hosts: the certificates to manage, in the order of the
 * configuration, and each vhost's acme_server_found_t.certs. What is wrong is
 * logged with file and line, or not if this is QUIET, and survived. Touches
 * nothing. What comes back has nothing of tree's.
 */
acme_conf_t *acme_vhosts_read(server_rec *base, const acme_conf_tree_t *tree,
                              acme_vhosts_log_e log, apr_pool_t *p);

/* For httpd -t -DDUMP_ACME: what would be managed, to standard output. */
void acme_vhosts_dump(const acme_conf_t *conf, apr_pool_t *p);

#endif
