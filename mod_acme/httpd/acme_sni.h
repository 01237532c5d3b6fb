/*
 * acme_sni.h - the certificate that a visitor's name needs.
 */
#ifndef ACME_SNI_H
#define ACME_SNI_H

#include "acme_conf.h"
#include "acme_server_conf.h"

/* Before the names of this load are asked for: its certificates. */
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
int acme_sni_of_server(const acme_server_found_t *server, const char *host);

#endif
