/*
 * acme_activate.h - AcmeActivate live: a new certificate is given to running
 * workers, which use it from the next handshake on. (docs/design.md,
 * Activation)
 *
 * What they cannot be given waits for a reload, as with AcmeActivate graceful.
 */
#ifndef ACME_ACTIVATE_H
#define ACME_ACTIVATE_H

#include "acme_live_pairs.h"
#include "acme_registry.h"

typedef struct acme_activate_t acme_activate_t;

/*
 * Before a registry reads its states: what a keeper before this one gave to
 * workers, in this load of httpd, is served. Of the certificate for which that
 * has failed it is not: the reload for it did not follow. live NULL: nothing is.
 */
void acme_activate_recall(const acme_conf_t *conf,
                          const acme_live_pairs_t *live, acme_store_t *store,
                          apr_time_t now, apr_pool_t *p);

/* registry and live live at least as long as p. live NULL: this system cannot
   do it. The state of the certificate for which it has failed says so. */
acme_activate_t *acme_activate_create(acme_registry_t *registry,
                                      acme_live_pairs_t *live, apr_time_t now,
                                      apr_pool_t *p);

/*
 * Give workers what is live of a certificate. True: it is served. False: it
 * waits for a reload; with AcmeActivate live its state says why, and the log if
 * that is not known yet.
 */
int acme_activate_cert(acme_activate_t *activate, apr_uint32_t cert,
                       apr_time_t now);

/*
 * Visitors got another certificate, after workers were given this one. For a
 * day from now nothing is given to workers, also by the next keepers; but when
 * the reload does not help either, it was not the fault of this.
 */
void acme_activate_failed(acme_activate_t *activate, apr_uint32_t cert,
                          apr_time_t now);

/* After all that waited was given to workers: withdraw what a keeper left half
   written and this one has not replaced, where httpd loaded what is live. Else a
   reload is due, and workers keep what they read before until then. */
void acme_activate_mend(acme_activate_t *activate);

#endif
