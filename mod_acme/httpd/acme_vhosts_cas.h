/*
 * acme_vhosts_cas.h - the CAs of a certificate, and the way to each.
 */
#ifndef ACME_VHOSTS_CAS_H
#define ACME_VHOSTS_CAS_H

#include "acme_conf.h"
#include "acme_server_conf.h"

/*
 * Find what AcmeCA and others of conf say: cas and routes of cert, and those of
 * its dry runs, as indexes of all->cas and all->routes, which get what is new.
 * The contacts of conf become those of its CAs, too. before: the certificate
 * that was made before this one, whose lists are shared where they are alike;
 * NULL: there is none. What lasts is in p.
 */
void acme_vhosts_cas_find(acme_cert_conf_t *cert, acme_conf_t *all,
                          const acme_server_conf_t *conf,
                          const acme_cert_conf_t *before, apr_pool_t *p,
                          apr_pool_t *scratch);

#endif
