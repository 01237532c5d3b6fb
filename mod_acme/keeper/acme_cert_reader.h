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

/*
 * Have a PEM text read, tried for servers with these ciphers
 * (acme_pair_check()). What is wrong with it is in the facts of *preading,
 * which is in p.
 *
 * On failure *preading is NULL, and nothing is known of the certificate: the
 * process ended or hung at it (10 s), said what it cannot know, or has failed
 * four times within a minute and rests. The next one has been started then.
 * Never APR_EINVAL or ENOENT.
 */
apr_status_t acme_cert_reader_read(acme_cert_reading_t **preading,
                                   acme_octets_t pem,
                                   const apr_array_header_t *ciphers,
                                   acme_result_t *res, apr_pool_t *p);

/* The same of the file at path; fails as acme_openssl_file() as well, and
   path begins res. */
apr_status_t acme_cert_reader_load(acme_cert_reading_t **preading,
                                   const char *path,
                                   const apr_array_header_t *ciphers,
                                   acme_result_t *res, apr_pool_t *p);

#endif
