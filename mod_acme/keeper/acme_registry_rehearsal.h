/*
 * acme_registry_rehearsal.h - rehearsals of the validations, which the witness
 * makes.
 */
#ifndef ACME_REGISTRY_REHEARSAL_H
#define ACME_REGISTRY_REHEARSAL_H

#include "acme_registry_types.h"

/* A rehearsal of the validations is wanted now. */
void acme_registry_rehearsal_wanted(acme_registry_t *registry,
                                    apr_uint32_t cert, apr_time_t now);

/*
 * The witness begins it. APR_ENOENT: none is wanted. APR_EGENERAL: it began
 * before (twice, of the administrator's), and ended without a result: what it
 * looks at may end the witness, so it is not repeated.
 */
apr_status_t acme_registry_rehearsal_begin(acme_registry_t *registry,
                                           apr_uint32_t cert);

/* Did that which was asked for at this time begin, and not end? */
int acme_registry_rehearsal_is_under_way(const acme_registry_t *registry,
                                         apr_uint32_t cert,
                                         apr_time_t rehearse_at);

/*
 * Store what that one found (acme_rehearsal_finding_t): the worst is kept,
 * logged, and a new fault is an event of the journal. One that was asked for
 * later stays wanted.
 */
void acme_registry_rehearsal_done(acme_registry_t *registry, apr_uint32_t cert,
                                  apr_time_t rehearse_at,
                                  const apr_array_header_t *findings,
                                  apr_time_t now, apr_pool_t *p);

#endif
