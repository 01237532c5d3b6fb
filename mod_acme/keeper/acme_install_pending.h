/*
 * acme_install_pending.h - a certificate's key and request, from their making
 * to the order.
 */
#ifndef ACME_INSTALL_PENDING_H
#define ACME_INSTALL_PENDING_H

#include "acme_pending.h"
#include "acme_registry.h"

/* The name of a part's folder below pending/, as acme_pending_load() takes it:
   the certificate's id for part 0, else with the key type. In p or in cert. */
const char *acme_install_pending_name(const acme_cert_conf_t *cert,
                                      apr_uint32_t part, apr_pool_t *p);

/*
 * Find the pending key, request and order of a part, in p. APR_ENOENT: there
 * are none for the names, key type and must-staple that are configured now, or
 * the key is that of a revoked certificate; *ppending is NULL then.
 */
apr_status_t acme_install_pending_find(acme_pending_t **ppending,
                                       acme_registry_t *registry,
                                       const acme_target_t *about,
                                       acme_result_t *res, apr_pool_t *p);

/*
 * The same for the names that are ordered now; if nothing is pending for them,
 * a key and a request are made, which are on disk when the order's URL is
 * (acme_pending_order()). *pflags has an octet for each configured name
 * (acme_name_quarantine_flags()), in p. An order that was resumed ten times, or
 * is older than a week, is dropped. APR_EAGAIN: the key is being made
 * (acme_key_maker.h). APR_EINPROGRESS: a certificate of such a key is being
 * tried (acme_cert_reader_ask()). Fails when no key can be made or the store
 * cannot be written; for good, with APR_EINVAL, when the security level of a
 * virtual host forbids such a key.
 */
apr_status_t acme_install_pending_prepare(acme_pending_t **ppending,
                                          const char **pflags,
                                          acme_registry_t *registry,
                                          const acme_target_t *about,
                                          acme_result_t *res, apr_pool_t *p);

#endif
