/*
 * acme_registry_limit.h - a limit of the CA, which postpones an order. For the
 * files acme_registry*.c alone.
 *
 * It is not in the journal: after a restart the limit is counted again.
 */
#ifndef ACME_REGISTRY_LIMIT_H
#define ACME_REGISTRY_LIMIT_H

#include "acme_registry_types.h"

/* A worker's note that an order is postponed. */
void acme_registry_limit_noted(acme_registry_t *registry,
                               const acme_msg_note_t *note, apr_time_t now,
                               apr_pool_t *p);

void acme_registry_limit_forget(acme_state_t *state);

#endif
