/*
 * acme_journal.h - journal/<id>.json: past attempts, failures and events of a
 * certificate, and when the next attempt is due.
 *
 * 0644: people and scripts may read it. It outlives restarts; if it is lost or
 * damaged, renewal begins anew and nothing else happens.
 */
#ifndef ACME_JOURNAL_H
#define ACME_JOURNAL_H

#include <apr_tables.h>

#include "acme_store.h"

#define ACME_JOURNAL_EVENTS 32  /* the newest are kept */
#define ACME_JOURNAL_DETAILS 16 /* excluded names whose failure is kept */
#define ACME_JOURNAL_DETAIL_MAX 319     /* octets of such a failure */

typedef struct {
    apr_time_t when;
    const char *event;          /* "ordered", "validated", ... */
    const char *detail;
    const char *ca;             /* account's folder of the CA, or "" */
    const char *kind;           /* of an order: the keeper's word, or "" */
    const char *about;          /* the order's names, or the name that failed,
                                   or "" */
} acme_journal_event_t;

/* When the CA wants the certificate renewed. (9773) */
typedef struct {
    const char *cert_id;        /* certID of the certificate; "": nothing is
                                   known, all else is unset */
    apr_time_t start;           /* 0: no window is known */
    apr_time_t end;
    apr_time_t pick;            /* drawn once in the window */
    apr_time_t ask_at;          /* of the next request; 0: at once */
    apr_uint32_t failures;      /* of requests, in a row */
    const char *explanation;    /* the CA's URL, or "" */
    int revoked;                /* the CA revoked the certificate */
} acme_journal_window_t;

/* What httpd was found to serve of it. */
typedef struct {
    const char *digest;         /* of what was looked at; "": nothing is known,
                                   all else but reloaded is unset */
    const char *result;         /* the keeper's word */
    apr_time_t when;
    apr_uint32_t tries;         /* in a row that did not find it */
    const char *places;
    const char *detail;
    const char *reloaded;       /* serial for which httpd was reloaded, or "" */
    apr_time_t reloaded_at;     /* and when; 0: not known */
} acme_journal_check_t;

/* What the last rehearsal of the validations found. */
typedef struct {
    const char *result;         /* the keeper's word; "": nothing is known, all
                                   else is unset */
    apr_time_t when;
    acme_reason_e why;
    const char *detail;
} acme_journal_rehearsal_t;

/* A name that failed. */
typedef struct {
    const char *name;
    apr_uint32_t failures;      /* in a row */
    apr_time_t since;           /* of the first of them */
    apr_time_t left_out;        /* excluded since then; 0: it is not excluded */
    apr_time_t again_at;        /* when it is retried */
    unsigned challenges;        /* types that failed: the keeper's bits */
    acme_reason_e why;          /* reason of the last failure; NONE: not known */
    const char *detail;         /* its sentence, cut; "" or NULL: not known */
} acme_journal_name_t;

typedef struct {
    apr_uint32_t attempts;      /* failures in a row */
    apr_time_t next_at;         /* no attempt before this; 0: at any time */
    acme_retry_e retry;         /* of the last failure */
    int wanted;                 /* an administrator's request, a number of the
                                   keeper's; 0: none */
    int wanted_ca;              /* its CA, if it is about an account */
    int reason;                 /* of a revocation; -1: none */
    int deleted;                /* revoked, and no other one is ordered */
    const char *problem;        /* type and sentence of the last failure, */
    const char *detail;         /*   "" when the last attempt succeeded */
    acme_reason_e why;          /* reason of the last failure */
    const char *digest;         /* configuration that the failure belongs to */
    acme_journal_window_t window;
    acme_journal_check_t check;
    acme_journal_rehearsal_t rehearsal;
    apr_array_header_t *names;  /* acme_journal_name_t: those that failed */
    apr_array_header_t *events; /* acme_journal_event_t, oldest first */
} acme_journal_t;

/* An empty journal, all of it in p; no string or array is NULL. */
acme_journal_t *acme_journal_make(apr_pool_t *p);

/*
 * Load the journal of id, all of it in p; an empty one if there is none.
 * *pjournal is never NULL: after a failure it is empty. APR_EGENERAL: the file
 * was damaged and is set aside, which res names. Else the errno of reading it.
 */
apr_status_t acme_journal_load(acme_journal_t **pjournal, acme_store_t *store,
                               const char *id, acme_result_t *res,
                               apr_pool_t *p);

/*
 * The same for those who only look: a damaged file stays where it is, and is a
 * failure, APR_EGENERAL.
 */
apr_status_t acme_journal_look(acme_journal_t **pjournal,
                               const acme_store_t *store, const char *id,
                               acme_result_t *res, apr_pool_t *p);

/*
 * Save the journal of id (0644), cut to the bounds that it is loaded with; if
 * it gets too long, the oldest events are dropped. After a failure the old
 * file is unchanged.
 */
apr_status_t acme_journal_save(acme_store_t *store, const char *id,
                               const acme_journal_t *journal,
                               acme_result_t *res, apr_pool_t *p);

/* The text of such a file, in p, and a journal of one, all of it in p, as
   acme_journal_look() reads it. id is for res. */
apr_status_t acme_journal_text(const char **ptext, const acme_store_t *store,
                               const char *id, const acme_journal_t *journal,
                               acme_result_t *res, apr_pool_t *p);
apr_status_t acme_journal_parse(acme_journal_t **pjournal,
                                const acme_store_t *store, const char *id,
                                const char *text, acme_result_t *res,
                                apr_pool_t *p);

/* Write that text as the journal of id, as acme_file_update() does: for what a
   power failure may take. */
apr_status_t acme_journal_update(acme_store_t *store, const char *id,
                                 const char *text, acme_result_t *res,
                                 apr_pool_t *p);

/*
 * Append an event, with copies of its texts, dropping the oldest beyond
 * ACME_JOURNAL_EVENTS. Returns the row, in which ca, kind and about are "": the
 * caller may set them to clean texts that live as long as the journal.
 */
acme_journal_event_t *acme_journal_add(acme_journal_t *journal,
                                       apr_time_t when, const char *event,
                                       const char *detail);

/*
 * The newest event of an order that began then, of those that are its steps:
 * others, such as that of a check, may come between. NULL: there is none.
 */
const acme_journal_event_t *acme_journal_step(const acme_journal_t *journal,
                                              apr_time_t since);

/* How far the events were read, for who reads the journal again and again. */
typedef struct {
    apr_time_t when;            /* the last event that was read; 0: none */
    const char *event;
    const char *detail;
    int times;                  /* how many such there were: several in the
                                   same second may be alike */
} acme_journal_mark_t;

/* All events are read; copies in p. Where there are none it stays as it is. */
void acme_journal_mark(acme_journal_mark_t *mark, const acme_journal_t *journal,
                       apr_pool_t *p);

/* The index of the first event that was not read, which is their number if all
   were; 0: the last one that was read is not kept any more. */
int acme_journal_unread(const acme_journal_t *journal,
                        const acme_journal_mark_t *mark);

#endif
