/*
 * acme_placeholder.h - what a vhost shows until it has its certificate: one
 * shared key, a self-signed certificate for the names. A server whose ciphers
 * ask for a high security level gets one of a stronger key.
 */
#ifndef ACME_PLACEHOLDER_H
#define ACME_PLACEHOLDER_H

#include "acme_conf.h"

/* Paths of PEM files. */
typedef struct {
    const char *cert;
    const char *key;
} acme_placeholder_t;

/*
 * The placeholder for cert below folder (0700, ours), made if there is
 * none that is still good for a day. APR_EINVAL, for good, when mod_ssl would
 * not load the strongest one: then there is none to give it. Runs in the
 * parent, on the start path.
 */
apr_status_t acme_placeholder_find(acme_placeholder_t *found,
                                   const char *folder,
                                   const acme_cert_conf_t *cert,
                                   apr_time_t now, acme_result_t *res,
                                   apr_pool_t *p);

#endif
