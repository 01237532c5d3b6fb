/*
 * acme_registry.h - the states of all certificates. Every change of a state
 * also goes to the journal, the log, the board and the administrator's hooks.
 *
 * Queries are nouns, commands verbs; what happened elsewhere is a participle.
 */
#ifndef ACME_REGISTRY_H
#define ACME_REGISTRY_H

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

/* Read all states from the store; damaged files are logged and skipped. */
acme_registry_t *acme_registry_create(const acme_registry_conf_t *conf,
                                      apr_pool_t *p);

/* Queries */

const acme_conf_t *acme_registry_conf(const acme_registry_t *registry);
acme_store_t *acme_registry_store(const acme_registry_t *registry);
const acme_log_t *acme_registry_log(const acme_registry_t *registry);

/* The state of a configured certificate. It is the registry's, and changes with
   each command and event below. */
const acme_state_t *acme_registry_state(const acme_registry_t *registry,
                                        apr_uint32_t cert);

/* The state with the smallest number of change above this one, or NULL. */
const acme_state_t *acme_registry_next_change(const acme_registry_t *registry,
                                              apr_uint64_t change);

/* The number of the last change of any state. */
apr_uint64_t acme_registry_change(const acme_registry_t *registry);

/* How many orders are under way. A dry run is none: it is begun anew after a
   reload. */
int acme_registry_orders_under_way(const acme_registry_t *registry);

/*
 * const char *: the names of the certificate that are ordered now; *pflags has
 * an octet for each configured name. Both as in acme_name_quarantine.h, in p.
 */
apr_array_header_t *acme_registry_names_to_order(
    const acme_registry_t *registry, apr_uint32_t cert, const char **pflags,
    apr_time_t now, apr_pool_t *p);

/* Commands */

/* Read one state from the store again, after an installation. */
void acme_registry_refresh(acme_registry_t *registry, apr_uint32_t cert,
                           apr_pool_t *p);

/* Store a request of the administrator (want is not ACME_WANT_NOTHING), which
   replaces an earlier one; delays after failures and limits end, but not for a
   dry run. */
void acme_registry_want(acme_registry_t *registry, const acme_msg_want_t *want,
                        apr_time_t now, apr_pool_t *p);

/*
 * Have the witness ask the CA at this position. False when it asks another
 * question of this certificate now: try again when that has ended.
 */
int acme_registry_look_up(acme_registry_t *registry, apr_uint32_t cert,
                          acme_look_up_e look_up, apr_uint32_t ca);

/*
 * Warn daily of each certificate within its warn window, whatever the renewal
 * threads do: they may hang. Returns when to call again.
 */
apr_time_t acme_registry_warn(acme_registry_t *registry, apr_time_t now,
                              apr_pool_t *p);

/*
 * Write the journals that are due: what is noted of an order may wait for a
 * second, and several events are one write then. Returns when to call again, 0:
 * none waits.
 */
apr_time_t acme_registry_write_journals(acme_registry_t *registry,
                                        apr_time_t now, apr_pool_t *p);

/* The same of all that wait: before the process ends. */
void acme_registry_write_all_journals(acme_registry_t *registry,
                                      apr_pool_t *p);

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

/* An order is under way, or is no longer. */
void acme_registry_order_begun(acme_registry_t *registry, apr_uint32_t cert,
                               apr_time_t now);
void acme_registry_order_gone(acme_registry_t *registry, apr_uint32_t cert);

/* A worker's note about an order: ordered, validated, failed, or postponed by a
   limit of the CA; or about a dry run. Texts are cleaned here, times and numbers
   bounded. */
void acme_registry_order_noted(acme_registry_t *registry,
                               const acme_msg_note_t *note, apr_time_t now,
                               apr_pool_t *p);

/* The CA has suggested a window for the renewal, or a revocation was found. The
   values are a worker's, and bounded here. (9773, 4.2) */
void acme_registry_window_suggested(acme_registry_t *registry,
                                    const acme_msg_window_t *window,
                                    apr_time_t now, apr_pool_t *p);

/*
 * The witness has seen what httpd serves of a certificate. True: a reload
 * could help; it is asked for once for each certificate that is live, if
 * acme_self_check_may_reload(). A live link that was changed by hand is noticed
 * here, too.
 */
int acme_registry_self_checked(acme_registry_t *registry,
                               const acme_msg_served_t *found, apr_time_t now,
                               apr_pool_t *p);

/* A rehearsal of the validations is wanted now: the witness makes it. */
void acme_registry_rehearse(acme_registry_t *registry, apr_uint32_t cert,
                            apr_time_t now);

/*
 * The witness begins it. APR_ENOENT: none is wanted. APR_EGENERAL: it began
 * before (twice, of the administrator's), and ended without a result: what it
 * looks at may end the witness, so it is not repeated.
 */
apr_status_t acme_registry_rehearsal_begin(acme_registry_t *registry,
                                           apr_uint32_t cert);

/* Did that which was asked for at this time begin, and not end? */
int acme_registry_is_rehearsing(const acme_registry_t *registry,
                                apr_uint32_t cert, apr_time_t rehearse_at);

/*
 * Store what that one found (acme_rehearsal_finding_t): the worst is kept,
 * logged, and a new fault is an event of the journal. One that was asked for
 * later stays wanted.
 */
void acme_registry_rehearsed(acme_registry_t *registry, apr_uint32_t cert,
                             apr_time_t rehearse_at,
                             const apr_array_header_t *findings,
                             apr_time_t now, apr_pool_t *p);

/* Running workers were given what is live: it is served, and looked at now. */
void acme_registry_activated(acme_registry_t *registry, apr_uint32_t cert,
                             apr_time_t now, apr_pool_t *p);

/* They were not, because of this: it waits for a reload. */
void acme_registry_not_activated(acme_registry_t *registry, apr_uint32_t cert,
                                 acme_not_live_e why);

/* A certificate for these names is live: failures are cleared, and the request
   for a renewal is done. */
void acme_registry_installed(acme_registry_t *registry, apr_uint32_t cert,
                             const apr_array_header_t *names, apr_time_t now,
                             apr_pool_t *p);

/* A request of the administrator is done, if it is still the pending one. A
   renewal ends with acme_registry_installed() instead. */
void acme_registry_want_done(acme_registry_t *registry,
                             const acme_msg_want_t *want, apr_time_t now,
                             apr_pool_t *p);

#endif
