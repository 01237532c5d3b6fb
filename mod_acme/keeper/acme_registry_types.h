/*
 * acme_registry_types.h - a registry, and what it is made from. Its functions
 * are in acme_registry.h and in the files beside it.
 */
#ifndef ACME_REGISTRY_TYPES_H
#define ACME_REGISTRY_TYPES_H

#include "acme_event.h"
#include "acme_log.h"
#include "acme_message.h"
#include "acme_state.h"
#include "acme_store.h"

typedef struct acme_registry_t acme_registry_t;

/* All of this lives at least as long as the registry. */
typedef struct {
    const acme_conf_t *conf;
    acme_store_t *store;
    const acme_log_t *log;
    acme_event_sink_t *events; /* NULL: hooks are not run */
    acme_publish_cb *publish;
    void *publish_baton;
} acme_registry_conf_t;

#endif
