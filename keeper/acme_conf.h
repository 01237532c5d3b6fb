/*
 * acme_conf.h - what is to be managed, as the configuration says.
 *
 * Made by the vhost watch in the parent before the keeper is forked. Keeper
 * and workers have the same one, so a certificate is named by its index, and
 * a worker can't name one that isn't configured.
 */
#ifndef ACME_CONF_H
#define ACME_CONF_H

#include <apr_tables.h>

#include "acme_key.h"
#include "acme_text.h"

/* A CA with the settings that reach it; one account each. */
typedef struct {
    const char *url;                    /* of the directory */
    const char *folder;                 /* of the account in the store */
    const char *roots;                  /* PEM file; NULL: the system's */
    const char *proxy;                  /* URL or NULL */
    apr_array_header_t *contacts;       /* const char *: mailto:... */
} acme_ca_conf_t;

typedef struct {
    const char *id;                     /* also its folder in the store */
    apr_array_header_t *names;          /* const char *, see acme_name.h */
    apr_array_header_t *places;         /* const char *: "file:line" of vhosts */
    apr_uint32_t ca;                    /* index in acme_conf_t.cas */
    int agreed;                         /* to the CA's terms of service */
    acme_key_type_e key_type;
    acme_window_t renew;
    acme_window_t warn;
    int served;                         /* archive that this load serves; 0:
                                           the placeholder */
    const char *digest;                 /* acme_conf_digest() */
    const char *settings;               /* acme_conf_settings() */
} acme_cert_conf_t;

typedef enum {
    ACME_ACTIVATE_GRACEFUL,
    ACME_ACTIVATE_NONE
} acme_activate_e;

typedef struct {
    const char *state_dir;
    apr_array_header_t *cas;            /* acme_ca_conf_t */
    apr_array_header_t *certs;          /* acme_cert_conf_t */
    int parallel;                       /* orders side by side */
    acme_activate_e activate;
    apr_interval_time_t reload_delay;
    int reload_guard;
} acme_conf_t;

const acme_cert_conf_t *acme_conf_cert(const acme_conf_t *conf,
                                       apr_uint32_t index);
const acme_ca_conf_t *acme_conf_ca(const acme_conf_t *conf,
                                   const acme_cert_conf_t *cert);

/*
 * 16 hex digits that change when what a CA is asked for changes: its URL, the
 * names, the key's type. A pending order belongs to one of them.
 */
const char *acme_conf_digest(const acme_conf_t *conf,
                             const acme_cert_conf_t *cert, apr_pool_t *p);

/* The same of all that a failure may have been due to: contacts, proxy, ... */
const char *acme_conf_settings(const acme_conf_t *conf,
                               const acme_cert_conf_t *cert, apr_pool_t *p);

#endif
