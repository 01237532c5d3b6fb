/*
 * acme_sni.h - the certificate that a visitor's name needs, where a virtual
 * host has several.
 *
 * mod_ssl holds one of a kind of key for a virtual host. The others are
 * chosen in the handshake, by the name that the client sends (6066, 3).
 * Virtual hosts with one certificate are left as they are.
 */
#ifndef ACME_SNI_H
#define ACME_SNI_H

#include "acme_conf.h"
#include "acme_server_conf.h"

/* Is the choice built in? It needs the same as tls-alpn-01. */
int acme_sni_available(void);

/* Before mod_ssl looks at its servers: this load's certificates. */
void acme_sni_prepare(const acme_conf_t *conf, apr_pool_t *p);

/*
 * The index of the certificate that has this host name, itself or by a
 * wildcard; -1: none has. In any case of letters. For any thread.
 */
int acme_sni_find(const char *host);

/*
 * The same among those of one server, which has some. A name that they don't
 * have, and NULL, get the first one, as in mod_ssl.
 */
int acme_sni_of_server(const acme_server_conf_t *server, const char *host);

void acme_sni_hooks(apr_pool_t *p);

#endif
