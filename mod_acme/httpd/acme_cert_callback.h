/*
 * acme_cert_callback.h - the certificate of a handshake, where it is not the
 * one that mod_ssl has for the virtual host.
 *
 * mod_ssl holds one of a kind of key for a virtual host. Of a virtual host with
 * several certificates, the others are chosen by the name that the client sends
 * (6066, 3); with AcmeActivate live, what was published replaces what mod_ssl
 * loaded. All other virtual hosts are left as they are.
 */
#ifndef ACME_CERT_CALLBACK_H
#define ACME_CERT_CALLBACK_H

#include "acme_conf.h"
#include "acme_server_conf.h"

/* NULL: it works here. Else why it does not, and what an administrator can do
   about it: a literal. */
const char *acme_cert_callback_obstacle(void);

/* Before mod_ssl looks at its servers: this load's certificates. */
void acme_cert_callback_prepare(const acme_conf_t *conf, apr_pool_t *p);

/*
 * Is what was published of a certificate, or was before what this virtual host
 * refuses, used by it in this process, or would be in the next handshake? For
 * any thread.
 */
int acme_cert_callback_is_live(const acme_server_found_t *server, int cert);

void acme_cert_callback_hooks(apr_pool_t *p);

#endif
