/*
 * acme_placeholder.h - what a vhost shows until it has its certificate: one
 * shared key, a self-signed certificate for the names.
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
 * none that is still good for a day. Runs in the parent, on the start path.
 */
apr_status_t acme_placeholder_find(acme_placeholder_t *found,
                                   const char *folder,
                                   const acme_cert_conf_t *cert,
                                   apr_time_t now, acme_result_t *res,
                                   apr_pool_t *p);

#endif
