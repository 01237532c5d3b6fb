/*
 * acme_install.h - a certificate's key and request, from their making to the
 * installation of what the CA issued for them.
 */
#ifndef ACME_INSTALL_H
#define ACME_INSTALL_H

#include "acme_registry.h"
#include "acme_pending.h"
#include "acme_reload.h"

/* What acme_pending_load() takes for a part of the certificate. */
const char *acme_install_pending_name(const acme_cert_conf_t *cert,
                                      apr_uint32_t part, apr_pool_t *p);

/*
 * What is pending for a part, with the key type that is configured now;
 * ENOENT when nothing is.
 */
apr_status_t acme_install_find_pending(acme_pending_t **ppending,
                                       acme_registry_t *registry,
                                       const acme_target_t *about,
                                       acme_result_t *res, apr_pool_t *p);

/*
 * The same for the names that are to be ordered now, whose flags are
 * *pflags; where nothing is: a key and CSR, on disk on return.
 */
apr_status_t acme_install_prepare(acme_pending_t **ppending,
                                  const char **pflags,
                                  acme_registry_t *registry,
                                  const acme_target_t *about,
                                  acme_result_t *res, apr_pool_t *p);

/* What the CA issued. */
typedef struct {
    const char *pem;
    apr_size_t len;             /* 0: what waits on disk for its other parts */
    const char *url;            /* where the CA has it, or NULL */
} acme_issued_t;

/*
 * Check the chain of a part. When all parts are there, they go live at once;
 * reload hears of it. A chain that is refused is kept aside, named in the
 * log, and never served. Installing what is live already is a success; with
 * ACME_WANT_CHAIN its leaf gets the new chain.
 */
apr_status_t acme_install_chain(acme_registry_t *registry,
                                acme_reload_t *reload,
                                const acme_target_t *about,
                                const acme_issued_t *issued,
                                acme_result_t *res, apr_pool_t *p);

#endif
