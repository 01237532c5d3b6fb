/*
 * acme_registry_request.h - requests of the administrator: one at a time of
 * each certificate, kept in its journal until it is done or has failed.
 */
#ifndef ACME_REGISTRY_REQUEST_H
#define ACME_REGISTRY_REQUEST_H

#include "acme_registry_types.h"

/*
 * Store a request of the administrator (want is not ACME_WANT_NOTHING), which
 * replaces an earlier one; delays after failures and limits end, but not for a
 * dry run. After a failure it is carried out, but is not on disk yet.
 */
apr_status_t acme_registry_request_add(acme_registry_t *registry,
                                       const acme_msg_want_t *want,
                                       apr_time_t now, apr_pool_t *p);

/* A request of the administrator is done, if it is still the pending one. A
   renewal ends with acme_registry_live_installed() instead. */
void acme_registry_request_done(acme_registry_t *registry,
                                const acme_msg_want_t *want, apr_time_t now,
                                apr_pool_t *p);

/* For the files acme_registry*.c alone */

/* The renewal is done, or failed. Another request of the administrator stays:
   it came meanwhile. */
void acme_registry_request_end_renewal(acme_state_t *state);

/* A request that is not an order failed: the state stays, and nothing is
   retried. */
void acme_registry_request_failed(acme_registry_t *registry,
                                  const acme_msg_note_t *note, apr_time_t now,
                                  apr_pool_t *p);

/*
 * A worker's note about a dry run, which changes nothing of what an order
 * would: no attempt is counted, no name blamed, no limit of the CA used up.
 * Only its end is in the journal.
 */
void acme_registry_request_dry_run(acme_registry_t *registry,
                                   const acme_msg_note_t *note, apr_time_t now,
                                   apr_pool_t *p);

#endif
