/*
 * acme_registry_revoked.h - what was revoked, and whose keys may be stolen.
 */
#ifndef ACME_REGISTRY_REVOKED_H
#define ACME_REGISTRY_REVOKED_H

#include "acme_registry_types.h"

/* Record it beside the live certificate if that is revoked: there it outlives
   the journal, and is not served again. A failure is logged. */
void acme_registry_revoked_record(acme_registry_t *registry, apr_uint32_t cert,
                                  apr_time_t now, apr_pool_t *p);

/*
 * acme_archive_is_void_key() for the certificate. That it has no revoked
 * archive is remembered until something is revoked, so that an order, which
 * asks at each step, reads no folder; revocations of this keeper alone are
 * recorded while it lives.
 */
int acme_registry_revoked_has_key(acme_registry_t *registry, apr_uint32_t cert,
                                  const char *key_pem, apr_pool_t *p);

#endif
