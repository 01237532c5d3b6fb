/*
 * acme_cert_reader.h - certificates of strangers, parsed by another process.
 *
 * What a CA or a worker brings, and what lies in the store, which came from
 * there, is never parsed beside the keys: a fault of the parser would be a
 * fault of the keeper. The launcher forks that process; it has no right and no
 * file (docs/design.md, Confinement). What it says is checked, and believed as
 * far as a worker is.
 */
#ifndef ACME_CERT_READER_H
#define ACME_CERT_READER_H

#include "acme_cert_facts.h"

typedef struct {
    acme_cert_facts_t facts;

    /* When it was parsed: PEM again, as OpenSSL writes it: the leaf alone, the
       others ("" if there are none), all. */
    const char *leaf_pem;
    const char *rest_pem;
    const char *full_pem;
} acme_cert_reading_t;

/* Have the process started, by the launcher that runs now; what failed before
   counts no more. What fails now is tried again by the next call. */
void acme_cert_reader_start(void);

/* From now on call() is called after each answer that the keeper waited for:
   it does not hang. */
void acme_cert_reader_on_wait(void (*call)(void *), void *baton);

/*
 * Have a PEM text read, tried for servers with these ciphers
 * (acme_pair_check()), and wait for it: the keeper serves nobody meanwhile.
 * What is wrong with it is in the facts of *preading, which is in p. What was
 * answered lately is not asked again.
 *
 * On failure *preading is NULL, and nothing is known of the certificate: the
 * process ended or hung at it (10 s in all; half of these is for what others
 * asked before, who ask again then), said what it cannot know, or has failed
 * four times within a minute and rests. The next one has been started then.
 * Never APR_EINVAL or ENOENT.
 */
apr_status_t acme_cert_reader_read(acme_cert_reading_t **preading,
                                   acme_octets_t pem,
                                   const apr_array_header_t *ciphers,
                                   acme_result_t *res, apr_pool_t *p);

/*
 * The same without waiting. APR_EINPROGRESS, and APR_EAGAIN in res: it is not
 * answered yet. It was asked for whoever has the turn, if there was room, if
 * the process does not rest, and if nobody else has asked it; call again with
 * the same text when acme_cert_reader_step() named him, or with another turn.
 */
apr_status_t acme_cert_reader_ask(acme_cert_reading_t **preading,
                                  acme_octets_t pem,
                                  const apr_array_header_t *ciphers,
                                  acme_result_t *res, apr_pool_t *p);

/* acme_cert_reader_ask() for the file at path; fails as acme_openssl_file() as
   well, and path begins res. */
apr_status_t acme_cert_reader_load(acme_cert_reading_t **preading,
                                   const char *path,
                                   const apr_array_header_t *ciphers,
                                   acme_result_t *res, apr_pool_t *p);

/* Who asks from now on, by a number of his; 0: nobody, and only what is known
   is answered. */
void acme_cert_reader_turn(apr_uint64_t asker);

/* Has he asked, and was not named since? */
int acme_cert_reader_is_asked(apr_uint64_t asker);

/* May a chain from a CA be asked about now? Not while the process rests. */
int acme_cert_reader_has_room(void);

/* What to poll for input: an answer is coming. -1: none is. */
int acme_cert_reader_fd(void);

/* When to call acme_cert_reader_step() without input; 0: never. */
apr_time_t acme_cert_reader_wake(apr_time_t now);

/*
 * Receive what came. Returns who is to ask again, as his question was answered
 * after *ptook, in which the keeper's own time does not count, or not at all;
 * call until it is 0: nobody. He takes his answer before others get theirs, or
 * it may be forgotten.
 */
apr_uint64_t acme_cert_reader_step(apr_interval_time_t *ptook, apr_time_t now);

#endif
