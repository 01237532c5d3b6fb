/*
 * acme_event.h - AcmeHook notify: an administrator's command is told what
 * happened. (docs/design.md, Hooks)
 */
#ifndef ACME_EVENT_H
#define ACME_EVENT_H

#include "acme_registry.h"

/* In the order of the words that ACME_EVENT has. */
typedef enum {
    ACME_EVENT_INSTALLED,
    ACME_EVENT_FAILED,
    ACME_EVENT_EXPIRING, /* a failure within the warn window */
    ACME_EVENT_REVOKED,
    ACME_EVENT_WINDOW_MOVED, /* the CA wants it renewed earlier */
    ACME_EVENT_TERMS_CHANGED,
    ACME_EVENT_STUCK /* waits for the administrator */
} acme_event_e;

/*
 * Start the certificate's hooks; returns at once. detail: a sentence. Without
 * hooks, or before the loop has given the book any, nothing happens.
 */
void acme_event_send(acme_registry_t *registry, apr_uint32_t cert,
                     acme_event_e what, const char *detail, apr_pool_t *p);

#endif
