/*
 * acme_vhosts_check.h - what cannot work in a configuration that is correct.
 *
 * It would be found out at the first order, or by a visitor. These are warnings
 * with the place, and no errors: a file may vanish while the server runs, and
 * must not end it at the next reload.
 */
#ifndef ACME_VHOSTS_CHECK_H
#define ACME_VHOSTS_CHECK_H

#include <apr_hash.h>

#include "acme_conf.h"
#include "acme_vhost.h"

/* Of one that is managed: files that are named, and times that fit. seen, which
   is as p, has what was found of files before: many name the same. */
void acme_vhosts_check_settings(const acme_vhost_t *vhost, apr_hash_t *seen,
                                apr_pool_t *p);

/* Can AcmeHttp be used? Not with a folder in state_dir, which is an error. */
int acme_vhosts_check_webroot(const acme_vhost_t *vhost,
                              const char *state_dir, apr_pool_t *p);

/* Does the certificate, when all its names are known, lack one of its vhost's?
   A copied AcmeNames serves another site's certificate. */
void acme_vhosts_check_names(const acme_vhost_t *vhost,
                             const acme_cert_conf_t *cert, apr_pool_t *p);

/* Has it settings for the certificate that differ from those of the first
   virtual host that has it? These are used. */
void acme_vhosts_check_shared(const acme_vhost_t *vhost,
                              const acme_vhost_t *first,
                              const acme_cert_conf_t *cert, apr_pool_t *p);

/* Is the folder there that AcmeStateDir is made in? */
void acme_vhosts_check_state_dir(const acme_conf_t *conf, server_rec *base,
                                 apr_pool_t *p);

#endif
