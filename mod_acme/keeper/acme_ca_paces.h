/*
 * acme_ca_paces.h - how long each CA takes, as workers measured it:
 * run/pace.json.
 *
 * It is worth some requests and seconds, no more: it is written at most once a
 * minute, and what is lost or damaged is learned again.
 */
#ifndef ACME_CA_PACES_H
#define ACME_CA_PACES_H

#include "acme_message.h"
#include "acme_registry.h"

typedef struct acme_ca_paces_t acme_ca_paces_t;

/* With what was learned before; registry lives at least as long as p. */
acme_ca_paces_t *acme_ca_paces_create(acme_registry_t *registry,
                                      apr_pool_t *p);

/* ca is an index in acme_conf_t.cas. Valid until the next call. */
const acme_ca_pace_t *acme_ca_paces_find(const acme_ca_paces_t *paces,
                                         apr_uint32_t ca);

/* Add what a worker measured. */
void acme_ca_paces_add(acme_ca_paces_t *paces, apr_uint32_t ca,
                       const acme_msg_pace_t *measured);

/*
 * Write the file, a minute after something was added. Returns when to call it
 * again; 0: not before something is added. A failure is logged, once.
 */
apr_time_t acme_ca_paces_step(acme_ca_paces_t *paces, apr_time_t now,
                              apr_pool_t *p);

/* Write what was added and is not written yet: the keeper ends. */
void acme_ca_paces_flush(acme_ca_paces_t *paces, apr_pool_t *p);

#endif
