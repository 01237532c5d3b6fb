/*
 * acme_event.h - AcmeHook notify: an administrator's command is told what
 * happened. (docs/design.md, Hooks)
 */
#ifndef ACME_EVENT_H
#define ACME_EVENT_H

#include "acme_registry.h"

/* In the order of the words that ACME_EVENT has. */
typedef enum {
    ACME_NOTIFY_INSTALLED,
    ACME_NOTIFY_FAILED,
    ACME_NOTIFY_EXPIRING,       /* a failure within the warn window */
    ACME_NOTIFY_REVOKED,
    ACME_NOTIFY_WINDOW_MOVED,   /* the CA wants it renewed earlier */
    ACME_NOTIFY_TERMS_CHANGED,
    ACME_NOTIFY_STUCK           /* waits for the administrator */
} acme_notify_e;

/*
 * Start the certificate's hooks; returns at once. detail: a sentence. Without
 * hooks, or before the loop has given the book any, nothing happens.
 */
void acme_notify(acme_book_t *book, apr_uint32_t cert, acme_notify_e what,
                 const char *detail, apr_pool_t *p);

#endif
