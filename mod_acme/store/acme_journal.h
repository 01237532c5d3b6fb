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
    const char *ca;             /* account's folder of the CA; "": no matter */
    const char *kind;           /* of an order: the keeper's word, or "" */
    const char *about;          /* its names, or the name that failed, or "" */
} acme_journal_event_t;

/* When the CA wants the certificate renewed. (9773) */
typedef struct {
    const char *cert_id;        /* what it is about; "": nothing is known */
    apr_time_t start;           /* 0: no window is known */
    apr_time_t end;
    apr_time_t pick;            /* drawn once in the window */
    apr_time_t ask_at;          /* again; 0: at once */
    apr_uint32_t failures;      /* of asking, in a row */
    const char *explanation;    /* the CA's URL, or "" */
    int revoked;                /* the CA says so */
} acme_journal_window_t;

/* A name that failed. */
typedef struct {
    const char *name;
    apr_uint32_t failures;      /* in a row */
    apr_time_t since;           /* of the first of them */
    apr_time_t left_out;        /* from when on it is left out; 0: it is not */
    apr_time_t again_at;        /* then it is tried again */
    unsigned challenges;        /* types that failed: the keeper's bits */
} acme_journal_name_t;

typedef struct {
    apr_uint32_t attempts;      /* failures in a row */
    apr_time_t next_at;         /* not before this; 0: no matter */
    acme_retry_e retry;         /* of the last failure */
    int wanted;                 /* an administrator's request; 0: none */
    int wanted_ca;              /* at which CA, with what concerns accounts */
    int reason;                 /* of a revocation; -1: none */
    int deleted;                /* an administrator wants no other one */
    const char *problem;        /* type and sentence of the last failure, */
    const char *detail;         /*   "" when the last attempt succeeded */
    acme_reason_e why;          /* its reason */
    const char *digest;         /* configuration that the failure belongs to */
    acme_journal_window_t window;
    apr_array_header_t *names;  /* acme_journal_name_t: those that failed */
    apr_array_header_t *events; /* acme_journal_event_t, oldest first */
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

/* Replace the journal of id; see acme_file_write(). */
apr_status_t acme_journal_save(acme_store_t *store, const char *id,
                               const acme_journal_t *journal,
                               acme_result_t *res, apr_pool_t *p);

/*
 * Append an event, dropping the oldest beyond ACME_JOURNAL_EVENTS. The row is
 * the journal's: what else there is to say of it may be set, in clean texts
 * that live as long.
 */
acme_journal_event_t *acme_journal_add(acme_journal_t *journal,
                                       apr_time_t when, const char *event,
                                       const char *detail);

#endif
