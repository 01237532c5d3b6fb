/*
 * acme_registry.h - the keeper's book: the states of all certificates, and the
 * journal, log and board that hear of every change.
 */
#ifndef ACME_REGISTRY_H
#define ACME_REGISTRY_H

#include "acme_hook_run.h"
#include "acme_log.h"
#include "acme_message.h"
#include "acme_state.h"
#include "acme_store.h"

typedef struct {
    const acme_conf_t *conf;
    acme_store_t *store;
    const acme_log_t *log;
    acme_publish_cb *publish;
    void *publish_baton;
    acme_state_t *states;       /* one for each certificate, by its index */
    apr_time_t *warned;         /* of each: when its expiry was told last */
    acme_hook_runner_t *hooks; /* where acme_event_send() runs them, or NULL */
    apr_uint64_t change;        /* the latest */
} acme_registry_t;

/* Read all states; what is damaged is told to the log and survived. */
void acme_registry_open(acme_registry_t *registry, apr_pool_t *p);

/* Read one state from the store again, after an installation. */
void acme_registry_reload(acme_registry_t *registry, apr_uint32_t cert,
                          apr_pool_t *p);

/* The state that changed first after change, or NULL. */
const acme_state_t *acme_registry_next(const acme_registry_t *registry,
                                       apr_uint64_t change);

/* How many orders are under way. */
int acme_registry_ordering(const acme_registry_t *registry);

/* What a worker reports of an order: ordered, validated, failed, or that a
   limit of the CA lets it wait. */
void acme_registry_note(acme_registry_t *registry, const acme_msg_note_t *note,
                        apr_time_t now, apr_pool_t *p);

/* What the CA says about the time of renewal; bounded here. (9773) */
void acme_registry_window(acme_registry_t *registry,
                          const acme_msg_window_t *window, apr_time_t now,
                          apr_pool_t *p);

/* A certificate for these names is live: failures are forgotten. */
void acme_registry_installed(acme_registry_t *registry, apr_uint32_t cert,
                             const apr_array_header_t *names, apr_time_t now,
                             apr_pool_t *p);

/* The administrator wants something now, whatever failed before. */
void acme_registry_wanted(acme_registry_t *registry,
                          const acme_msg_want_t *want, apr_time_t now,
                          apr_pool_t *p);

/* And has it, but for a renewal: that is had by acme_registry_installed(). */
void acme_registry_done(acme_registry_t *registry, const acme_msg_want_t *want,
                        apr_time_t now, apr_pool_t *p);

/*
 * Tell daily of each certificate that is within its warn window, whatever the
 * renewal does: it may do nothing. Returns when to call again.
 */
apr_time_t acme_registry_watch(acme_registry_t *registry, apr_time_t now,
                               apr_pool_t *p);

/* const char *: the names that are to be ordered now; flags of all. */
apr_array_header_t *acme_registry_names(acme_registry_t *registry,
                                        apr_uint32_t cert, const char **pflags,
                                        apr_time_t now, apr_pool_t *p);

/* An order is (no longer) under way. */
void acme_registry_order(acme_registry_t *registry, apr_uint32_t cert,
                         int ordering, apr_time_t now);

#endif
