/*
 * acme_rehearsal.h - what a rehearsal of the validations of a certificate
 * found: each name as a CA would see it.
 *
 * The witness looks, and sends findings as lines; the keeper checks and keeps
 * them; acmectl prints them. Everything here is a function of its arguments.
 */
#ifndef ACME_REHEARSAL_H
#define ACME_REHEARSAL_H

#include "acme_state.h"

/* What one was found about. */
typedef enum {
    ACME_TOPIC_CA,              /* its directory */
    ACME_TOPIC_DNS,             /* the addresses of a name */
    ACME_TOPIC_CAA,
    ACME_TOPIC_HTTP_01,
    ACME_TOPIC_TLS_ALPN_01,
    ACME_TOPIC_DNS_01,
    ACME_TOPIC_DNS_PERSIST_01,
    ACME_TOPICS
} acme_topic_e;

typedef struct {
    acme_rehearsal_e level;
    acme_reason_e reason;       /* of a FAULT; else NONE */
    acme_topic_e topic;
    const char *name;           /* of the certificate; "": all of it */
    const char *text;           /* a sentence without a stop, its subject
                                   within the name */
} acme_rehearsal_finding_t;

/* Octets of the text of one; the rest is cut. */
#define ACME_REHEARSAL_TEXT_MAX 600

/* "fine", "note", "unseen", "fault"; "" for NONE. A constant. */
const char *acme_rehearsal_word(acme_rehearsal_e level);

/* The level of such a word; NONE: there is none. */
acme_rehearsal_e acme_rehearsal_level(const char *word);

/* "caa", "http-01": a constant. */
const char *acme_rehearsal_topic(acme_topic_e topic);

/*
 * findings (acme_rehearsal_finding_t) as lines, in p, at most max octets: what
 * does not fit is left out, the mildest first. An octet of a text that is not
 * printable becomes '?'.
 */
const char *acme_rehearsal_lines(const apr_array_header_t *findings,
                                 apr_size_t max, apr_pool_t *p);

/*
 * The findings of such lines, in p. The lines are a stranger's: one that is
 * malformed, or about a name that is not in names (NULL: any), is left out, and
 * texts become printable as above. Never NULL.
 */
apr_array_header_t *acme_rehearsal_parse(const char *lines,
                                         const apr_array_header_t *names,
                                         apr_pool_t *p);

/* The first of the worst; NULL: there are none. */
const acme_rehearsal_finding_t *acme_rehearsal_worst(
    const apr_array_header_t *findings);

/* "www.example.org: port 80 of ...", in p. */
const char *acme_rehearsal_sentence(const acme_rehearsal_finding_t *finding,
                                    apr_pool_t *p);

/* Is one asked for, by the administrator or after a failure? It is due at once:
   a time to come was noted before the clock was set back. */
int acme_rehearsal_is_due(const acme_state_t *state);

/*
 * Does one follow by itself from an order that failed for this reason, with a
 * challenge on a name or not? At most once an hour for each certificate.
 */
int acme_rehearsal_follows(const acme_state_t *state, acme_reason_e why,
                           int is_challenge, apr_time_t now);

#endif
