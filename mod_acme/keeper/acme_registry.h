/*
 * acme_registry.h - the states of all certificates. Every change of a state
 * also goes to the journal, the log, the board and the administrator's hooks.
 *
 * Here is the registry, and what is noted of a certificate in passing. What
 * happens to certificates has a file each: acme_registry_order.h, _live.h,
 * _expiry.h, _window.h, _request.h, _self_check.h, _rehearsal.h. Below them are
 * acme_registry_change.h, _journals.h and _table.h.
 *
 * Queries are nouns, commands verbs; what happened elsewhere is a participle.
 */
#ifndef ACME_REGISTRY_H
#define ACME_REGISTRY_H

#include "acme_registry_types.h"

/* Read all states from the store; damaged files are logged and skipped. */
acme_registry_t *acme_registry_create(const acme_registry_conf_t *conf,
                                      apr_pool_t *p);

/* Queries */

const acme_conf_t *acme_registry_conf(const acme_registry_t *registry);
acme_store_t *acme_registry_store(const acme_registry_t *registry);
const acme_log_t *acme_registry_log(const acme_registry_t *registry);

/* The state of a configured certificate. It is the registry's, and changes with
   each command and event of these files. */
const acme_state_t *acme_registry_state(const acme_registry_t *registry,
                                        apr_uint32_t cert);

/* The state with the smallest number of change above this one, or NULL. */
const acme_state_t *acme_registry_next_change(const acme_registry_t *registry,
                                              apr_uint64_t change);

/* The number of the last change of any state. */
apr_uint64_t acme_registry_last_change(const acme_registry_t *registry);

/* Commands */

/* Read one state from the store again, after an installation. */
void acme_registry_refresh(acme_registry_t *registry, apr_uint32_t cert,
                           apr_pool_t *p);

/*
 * Have the witness ask the CA at this position. False when it asks another
 * question of this certificate now: try again when that has ended.
 */
int acme_registry_look_up(acme_registry_t *registry, apr_uint32_t cert,
                          acme_look_up_e look_up, apr_uint32_t ca);

/* Has an hour passed since this said so last, of this certificate? For a line
   of the log that a worker could cause without end. */
int acme_registry_may_complain(acme_registry_t *registry, apr_uint32_t cert,
                               apr_time_t now);

/* Run the certificate's hooks for an event that changes no state. */
void acme_registry_send_event(acme_registry_t *registry, apr_uint32_t cert,
                              acme_event_e event, const char *detail,
                              apr_pool_t *p);

/* The commands of deploy that fail are these now. */
void acme_registry_deploy_failing(acme_registry_t *registry,
                                  apr_uint32_t cert,
                                  const acme_hooks_failing_t *failing);

/* The same of post. */
void acme_registry_post_failing(acme_registry_t *registry, apr_uint32_t cert,
                                const acme_hooks_failing_t *failing);

/* Events */

/* The witness has asked what it was to look up. */
void acme_registry_looked_up(acme_registry_t *registry, apr_uint32_t cert);

/* Copies of AcmeExport were written, or one failed: a sentence, "" when none
   does. It is gone after the call. */
void acme_registry_exported(acme_registry_t *registry, apr_uint32_t cert,
                            const char *failure);

/* The youngest next key was made then; 0: there is none. (acme_next_key.h) */
void acme_registry_next_keys(acme_registry_t *registry, apr_uint32_t cert,
                             apr_time_t made);

#endif
