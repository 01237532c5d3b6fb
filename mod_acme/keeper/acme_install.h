/*
 * acme_install.h - the installation of what the CA issued for a certificate,
 * until it is live. Key and request are made in acme_install_pending.h.
 */
#ifndef ACME_INSTALL_H
#define ACME_INSTALL_H

#include "acme_install_issued.h"
#include "acme_registry.h"
#include "acme_reload.h"

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
 * APR_EINPROGRESS: a chain is being read (acme_cert_reader_ask()), and nothing
 * was changed that depends on it; begin again then. What happened meanwhile is
 * seen by that call.
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
