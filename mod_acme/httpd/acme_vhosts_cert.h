/*
 * acme_vhosts_cert.h - the settings of a certificate.
 */
#ifndef ACME_VHOSTS_CERT_H
#define ACME_VHOSTS_CERT_H

#include "acme_conf.h"
#include "acme_vhost.h"

/*
 * Those of its first virtual host: key, profile, commands, times, and the
 * challenges that can work. What cannot is logged. Neither its CAs
 * (acme_vhosts_cas.h) nor its names. before: the certificate that was made
 * before this one, or NULL. What lasts is in p.
 */
void acme_vhosts_cert_settings(acme_cert_conf_t *cert,
                               const acme_vhost_t *vhost,
                               const acme_cert_conf_t *before,
                               const char *state_dir, apr_pool_t *p);

#endif
