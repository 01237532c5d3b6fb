/*
 * acme_journal.h - journal/<id>.json: what was tried and what comes next.
 *
 * 0644: people and scripts may read it. It is remembered over restarts; when
 * it is lost or damaged, renewal begins anew and nothing else happens.
 */
#ifndef ACME_JOURNAL_H
#define ACME_JOURNAL_H

#include <apr_tables.h>

#include "acme_store.h"

#define ACME_JOURNAL_EVENTS 32

typedef struct {
    apr_time_t when;
    const char *event;          /* "ordered", "validated", ... */
    const char *detail;
} acme_event_t;

typedef struct {
    apr_uint32_t attempts;      /* failures in a row */
    apr_time_t next_at;         /* not before this; 0: no matter */
    acme_retry_e retry;         /* of the last failure */
    int wanted;                 /* a renewal that the administrator asked for */
    const char *problem;        /* type and sentence of the last failure, */
    const char *detail;         /*   "" when the last attempt succeeded */
    const char *digest;         /* configuration that the failure belongs to */
    apr_array_header_t *events; /* acme_event_t, oldest first */
} acme_journal_t;

/* An empty one, in p. */
acme_journal_t *acme_journal_make(apr_pool_t *p);

/*
 * The journal of id; an empty one when there is none. A damaged one is set
 * aside: *pjournal is an empty one then, the status is APR_EGENERAL, and res
 * names the file and where it went. *pjournal is never NULL.
 */
apr_status_t acme_journal_load(acme_journal_t **pjournal, acme_store_t *store,
                               const char *id, acme_result_t *res,
                               apr_pool_t *p);

apr_status_t acme_journal_save(acme_store_t *store, const char *id,
                               const acme_journal_t *journal,
                               acme_result_t *res, apr_pool_t *p);

/* Append an event, dropping the oldest beyond ACME_JOURNAL_EVENTS. */
void acme_journal_add(acme_journal_t *journal, apr_time_t when,
                      const char *event, const char *detail);

#endif
