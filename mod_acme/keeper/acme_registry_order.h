/*
 * acme_registry_order.h - orders: which are under way, of which names, and what
 * workers note of them. The end of a success is in acme_registry_live.h.
 */
#ifndef ACME_REGISTRY_ORDER_H
#define ACME_REGISTRY_ORDER_H

#include "acme_registry_types.h"

/* How many orders are under way. A dry run is none: it is begun anew after a
   reload. */
int acme_registry_order_count(const acme_registry_t *registry);

/*
 * const char *: the names of the certificate that are ordered now; *pflags has
 * an octet for each configured name. Both as in acme_name_quarantine.h, in p.
 */
apr_array_header_t *acme_registry_order_names(const acme_registry_t *registry,
                                              apr_uint32_t cert,
                                              const char **pflags,
                                              apr_time_t now, apr_pool_t *p);

/* An order is under way, or is no longer. */
void acme_registry_order_begun(acme_registry_t *registry, apr_uint32_t cert,
                               apr_time_t now);
void acme_registry_order_gone(acme_registry_t *registry, apr_uint32_t cert);

/* A worker's note about an order: ordered, validated, failed, or postponed by a
   limit of the CA; or about a dry run. Texts are cleaned here, times and
   numbers bounded. */
void acme_registry_order_noted(acme_registry_t *registry,
                               const acme_msg_note_t *note, apr_time_t now,
                               apr_pool_t *p);

#endif
