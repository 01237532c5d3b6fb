/*
 * acme_registry_table.h - the table of states, and what else the registry keeps
 * of each certificate. For the files acme_registry*.c alone.
 *
 * Each change of a state ends with acme_registry_table_publish().
 */
#ifndef ACME_REGISTRY_TABLE_H
#define ACME_REGISTRY_TABLE_H

#include "acme_registry_types.h"

typedef struct {
    apr_time_t of;              /* its rehearse_at */
    int begun;                  /* how often */
} acme_registry_rehearsal_t;

/* A journal that waits to be written. (acme_registry_journals.h) */
typedef struct {
    const char *text;           /* in p; NULL: none waits */
    apr_time_t write_at;
    int has_failed;             /* to be written, which was logged */
    apr_pool_t *p;
} acme_registry_noted_t;

/* A change; out of date when the certificate has changed again. */
typedef struct {
    apr_uint64_t change;
    apr_uint32_t cert;
} acme_registry_change_row_t;

struct acme_registry_t {
    acme_registry_conf_t with;
    const acme_conf_t *conf; /* three of with */
    acme_store_t *store;
    const acme_log_t *log;
    acme_state_t *states; /* one for each certificate, by its index */
    apr_time_t *warned;   /* of each: the last warning of its expiry, */
    apr_time_t *complained; /* and of acme_registry_may_complain() */
    char *reloads; /* of each: was this load's end asked for, as visitors get
                      an older one? */
    acme_registry_rehearsal_t *rehearsals; /* of each: the one under way */
    acme_registry_noted_t *noted; /* of each */
    char *none_revoked; /* of each: its archives were read, and none is */
    apr_time_t write_at;  /* the first of them; 0: none waits */
    int write_next;       /* the one to look at first */
    apr_pool_t *p;
    char *ordering;       /* of each: is it counted in orders? */
    int orders;           /* under way */
    apr_uint64_t change;  /* the latest */
    acme_registry_change_row_t *changes; /* the latest of each, by number, and
                                            some that are out of date */
    apr_uint32_t nchanges, changes_max;
};

const acme_cert_conf_t *acme_registry_table_cert(
    const acme_registry_t *registry, apr_uint32_t cert);

/* Has the certificate not changed again since? */
int acme_registry_table_is_latest(const acme_registry_t *registry,
                                  const acme_registry_change_row_t *row);

/* The state has changed: it gets the next number of change, and is published.
   Orders under way are counted anew. */
void acme_registry_table_publish(acme_registry_t *registry,
                                 apr_uint32_t cert);

#endif
