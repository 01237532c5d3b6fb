/*
 * acme_visits.h - where visitors get the certificates: the addresses that
 * httpd listens on, and the names of the virtual hosts behind each.
 */
#ifndef ACME_VISITS_H
#define ACME_VISITS_H

#include <httpd.h>

#include "acme_conf.h"
#include "acme_conf_tree.h"

/*
 * Fill visits and visits_digest of each certificate, in p, for the servers
 * base and all that follow it, when what is served is known. A visit is one
 * that httpd answers with that virtual host, by its own rules for addresses:
 * only at what it listens on, and not where a virtual host with that very
 * address comes before one with "*". At most ACME_VISITS_MAX each, the first
 * name of every address before the second.
 */
void acme_visits_fill(acme_conf_t *conf, const acme_conf_tree_t *tree,
                      server_rec *base, apr_pool_t *p);

#endif
