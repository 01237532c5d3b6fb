/*
 * acme_explain.h - a certificate's situation in sentences: what is so, why, what
 * happens next and when, and what the administrator can do.
 *
 * The page and acmectl explain show these, so that they say the same. They are
 * made of the state and the time alone. Who prints one escapes it: part of a
 * state was written by a CA.
 */
#ifndef ACME_EXPLAIN_H
#define ACME_EXPLAIN_H

#include "acme_status_rows.h"

/* The most urgent first. */
typedef enum {
    ACME_EXPLAIN_FAILING,       /* something failed, and is wrong until it is
                                   remedied or retried */
    ACME_EXPLAIN_WAITING,       /* for a time, a reload, the administrator, or
                                   its first order */
    ACME_EXPLAIN_RENEWING,      /* an order is under way */
    ACME_EXPLAIN_FINE,          /* valid, served, and its renewal is planned */
    ACME_EXPLAIN_KINDS
} acme_explain_kind_e;

/* Texts of one or more whole sentences, none of them empty. */
typedef struct {
    acme_explain_kind_e kind;
    const char *so;
    const char *why;
    const char *next;
    const char *remedy;
} acme_explain_t;

/* What cert's situation is at now; texts are in p, or constant. */
void acme_explain_make(acme_explain_t *explain, const acme_status_cert_t *cert,
                       apr_time_t now, apr_pool_t *p);

/* The kind alone: allocates nothing. */
acme_explain_kind_e acme_explain_kind(const acme_status_cert_t *cert,
                                      apr_time_t now);

/* "failing", "waiting", "renewing", "fine": a word that never changes. */
const char *acme_explain_kind_word(acme_explain_kind_e kind);

/*
 * The step that a running order is at, a constant text such as "the CA validates
 * the names", by the last event of the journal since it began; NULL: there is
 * none yet.
 */
const char *acme_explain_step(const char *event);

/*
 * A time, absolute and relative, in p: "2026-12-01 10:00:00 UTC (in 9 days)",
 * "... (9 days ago)", "... (now)"; "never" for 0.
 */
const char *acme_explain_time(apr_time_t t, apr_time_t now, apr_pool_t *p);

/* The relative part alone, in p: "in 9 days", "9 days ago", "now". */
const char *acme_explain_distance(apr_time_t t, apr_time_t now, apr_pool_t *p);

#endif
