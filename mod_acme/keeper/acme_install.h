/*
 * acme_install.h - a certificate's key and request, from their making to the
 * installation of what the CA issued for them.
 */
#ifndef ACME_INSTALL_H
#define ACME_INSTALL_H

#include "acme_registry.h"
#include "acme_pending.h"
#include "acme_reload.h"

/* The name of a part's folder below pending/, as acme_pending_load() takes it:
   the certificate's id for part 0, else with the key type. In p or in cert. */
const char *acme_install_pending_name(const acme_cert_conf_t *cert,
                                      apr_uint32_t part, apr_pool_t *p);

/*
 * Find the pending key, request and order of a part, in p. APR_ENOENT: there
 * are none for the names, key type and must-staple that are configured now, or
 * the key is that of a revoked certificate; *ppending is NULL then.
 */
apr_status_t acme_install_find_pending(acme_pending_t **ppending,
                                       acme_registry_t *registry,
                                       const acme_target_t *about,
                                       acme_result_t *res, apr_pool_t *p);

/*
 * The same for the names that are ordered now; if nothing is pending for them,
 * a key and a request are made, which are on disk when the order's URL is
 * (acme_pending_order()). *pflags has an octet for each configured name
 * (acme_name_quarantine_flags()), in p. An order that was resumed ten times, or
 * is older than a week, is dropped. APR_EAGAIN: the key is being made
 * (acme_key_maker.h). Fails when no key can be made or the store cannot be written; for good, with
 * APR_EINVAL, when the SSLCipherSuite of a virtual host forbids such a key.
 */
apr_status_t acme_install_prepare(acme_pending_t **ppending,
                                  const char **pflags,
                                  acme_registry_t *registry,
                                  const acme_target_t *about,
                                  acme_result_t *res, apr_pool_t *p);

/* A chain that the CA issued for a part. */
typedef struct {
    const char *pem;
    apr_size_t len;             /* 0: none, install the pending parts */
    const char *url;            /* where the CA has it, or NULL */
} acme_issued_t;

/* An installation that is under way. */
typedef struct acme_install_t acme_install_t;

/*
 * Check the chain of a part. When the chains of all parts are there, they go
 * live at once, and a reload is scheduled: *pinstall is to be finished then,
 * before p ends, and res lives until that. Else it is NULL. A chain that is
 * live already is a success, and what an installation of it that failed last
 * has left undone is done; while ACME_WANT_CHAIN is requested, its leaf gets
 * the new chain. One at a time of a certificate.
 *
 * APR_EINVAL: the chain is refused (acme_install_check_chain()); it is kept in
 * aside/, named in the log, and never served. APR_EBUSY: twelve were installed
 * within a day, none was asked for, and the live one is not due; the order is
 * dropped, and retry_at says when. APR_ENOENT: no key and request are pending.
 * Else the store cannot be read or written.
 */
apr_status_t acme_install_begin(acme_install_t **pinstall,
                                acme_registry_t *registry,
                                acme_reload_t *reload,
                                const acme_target_t *about,
                                const acme_issued_t *issued,
                                acme_sync_t *sync, acme_result_t *res,
                                apr_pool_t *p);

/*
 * Finish installations (acme_install_t *) after acme_sync_run(); they share the
 * syncs that follow. One that fails is no hindrance to others.
 */
void acme_install_finish(const apr_array_header_t *installs,
                         acme_sync_t *sync);

/* How it ended; then the res of acme_install_begin() says why. */
apr_status_t acme_install_status(const acme_install_t *install);

/* The certificate's index. */
apr_uint32_t acme_install_cert(const acme_install_t *install);

#endif
