/*
 * acme_hidden.h - managed virtual hosts whose certificate visitors do not get.
 *
 * httpd chooses a virtual host by address, port and name, and mod_ssl its
 * certificates: what is loaded need not be what is served.
 */
#ifndef ACME_HIDDEN_H
#define ACME_HIDDEN_H

#include <httpd.h>

#include "acme_conf.h"
#include "acme_conf_tree.h"

typedef enum {
    ACME_HIDDEN_AT_TEST,        /* httpd -t: mod_ssl has loaded nothing */
    ACME_HIDDEN_AT_LOAD         /* after mod_ssl */
} acme_hidden_e;

/*
 * Follow httpd's choice for each managed virtual host with TLS, base and all
 * that follow it, after acme_vhosts_read(): where visitors of one of its names
 * get another virtual host, no TLS, or another module's certificate, warn with
 * the place and the remedy, and set is_hidden of the certificate. For all of
 * them together the time is about that of reading their names.
 */
void acme_hidden_check(acme_conf_t *conf, const acme_conf_tree_t *tree,
                       server_rec *base, acme_hidden_e when, apr_pool_t *p);

#endif
