/*
 * acme_registry_window.h - renewal information: the window that the CA suggests
 * for a renewal, and revocations. (9773)
 */
#ifndef ACME_REGISTRY_WINDOW_H
#define ACME_REGISTRY_WINDOW_H

#include "acme_registry_types.h"

/* The CA has suggested a window for the renewal, or a revocation was found. The
   values are a worker's, and bounded here. (9773, 4.2) */
void acme_registry_window_suggested(acme_registry_t *registry,
                                    const acme_msg_window_t *window,
                                    apr_time_t now, apr_pool_t *p);

#endif
