/*
 * acme_registry_live.h - a certificate became the live one, and is served by
 * running workers or not.
 */
#ifndef ACME_REGISTRY_LIVE_H
#define ACME_REGISTRY_LIVE_H

#include "acme_registry_types.h"

/* A certificate for these names is live: failures are cleared, and the request
   for a renewal is done. */
void acme_registry_live_installed(acme_registry_t *registry, apr_uint32_t cert,
                                  const apr_array_header_t *names,
                                  apr_time_t now, apr_pool_t *p);

/* Running workers were given what is live: it is served, and looked at now. */
void acme_registry_live_activated(acme_registry_t *registry, apr_uint32_t cert,
                                  apr_time_t now, apr_pool_t *p);

/* They were not, because of this: it waits for a reload. */
void acme_registry_live_not_activated(acme_registry_t *registry,
                                      apr_uint32_t cert, acme_not_live_e why);

#endif
