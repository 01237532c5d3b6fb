/*
 * acme_rate_past.h - what the limits of a CA count, out of the states of
 * certificates.
 */
#ifndef ACME_RATE_PAST_H
#define ACME_RATE_PAST_H

#include "acme_rate_buckets.h"
#include "acme_state.h"

/* One of the past of a certificate, as the model of the CA counts it. Its names
   are those of cert, or in p. */
acme_rate_buckets_event_t acme_rate_past_event(const acme_cert_conf_t *cert,
                                               acme_history_e what,
                                               const acme_history_t *past,
                                               apr_pool_t *p);

/*
 * Add all of the past of a certificate at the CA with this index in
 * acme_conf_t.cas to events (acme_rate_buckets_event_t), for
 * acme_rate_buckets_load().
 */
void acme_rate_past_add(apr_array_header_t *events,
                        const acme_cert_conf_t *cert,
                        const acme_state_t *state, apr_uint32_t ca,
                        apr_pool_t *p);

#endif
