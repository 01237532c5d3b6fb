/*
 * acme_registry_expiry.h - certificates within their warn window, which the
 * administrator is warned of.
 */
#ifndef ACME_REGISTRY_EXPIRY_H
#define ACME_REGISTRY_EXPIRY_H

#include "acme_registry_types.h"

/*
 * Warn daily of each certificate within its warn window, whatever the renewal
 * threads do: they may hang. Returns when to call again.
 */
apr_time_t acme_registry_expiry_warn(acme_registry_t *registry, apr_time_t now,
                                     apr_pool_t *p);

/* ". WARNING: ..." within the warn window, else "": before it a failure is no
   reason to worry. */
const char *acme_registry_expiry_text(const acme_state_t *state,
                                      apr_time_t now, apr_pool_t *p);

#endif
