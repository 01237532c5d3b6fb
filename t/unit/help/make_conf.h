/*
 * make_conf.h - a configuration of two certificates at one CA.
 *
 * Its state directory is a store in the scratch folder.
 */
#ifndef MAKE_CONF_H
#define MAKE_CONF_H

#include "acme_conf.h"
#include "scratch.h"

#define CA_URL "https://ca.example/dir"

/* Certificate 0 is a.example with www.a.example, certificate 1 b.example. */
acme_conf_t *make_conf(void);

acme_cert_conf_t *cert_of(acme_conf_t *conf, int i);
acme_ca_conf_t *ca_of(const acme_conf_t *conf, int i);
acme_route_conf_t *route_of(const acme_conf_t *conf, int i);

/* "p256 rsa2048" */
apr_array_header_t *key_types(const char *text);

/* After a change of what they are made of. */
void set_digests(const acme_conf_t *conf, acme_cert_conf_t *cert);

/* Other names for a certificate, as after a changed configuration. */
void set_names(acme_conf_t *conf, int i, const char *names);
void set_key_types(acme_conf_t *conf, int i, const char *types);

/* One more CA, for certificate 0 the next to try. */
acme_ca_conf_t *add_ca(acme_conf_t *conf, const char *url);

#endif
