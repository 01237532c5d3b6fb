/*
 * acme_live_pairs.h - the certificates and keys that running workers use from
 * the next handshake on, without a reload. (docs/design.md, Activation)
 *
 * Memory that belongs to one load of the configuration. The keeper alone can
 * write to it: all other processes have it mapped for reading, and have given
 * up the descriptor before code of others runs in them. Readers take no lock.
 * What nothing was published for costs no memory.
 */
#ifndef ACME_LIVE_PAIRS_H
#define ACME_LIVE_PAIRS_H

#include "acme_result.h"

/* OpenSSL uses one EC and one RSA certificate at a time. */
#define ACME_LIVE_PAIRS_KINDS 2

/* Of one certificate, with all kinds: the longest that is published. */
#define ACME_LIVE_PAIRS_OCTETS 32000

typedef struct acme_live_pairs_t acme_live_pairs_t;

/* One kind of key: PEM, as the files of an archive have it. */
typedef struct {
    const char *chain;          /* the leaf first */
    const char *key;            /* not encrypted */
} acme_live_pair_t;

/* What is published of one certificate. */
typedef struct {
    apr_uint32_t generation;    /* counts up; never 0 */
    int archive;                /* the number of its folder: archive/<id>/<n> */
    int kinds;                  /* of these are used, from the first on */
    acme_live_pair_t pairs[ACME_LIVE_PAIRS_KINDS];
} acme_live_pairs_read_t;

/*
 * In httpd's parent, before its forks: memory for the certificates with the
 * indices 0 to certs - 1. Goes with p. APR_ENOTIMPL: the system has no memory
 * that one process writes and others can only read.
 */
apr_status_t acme_live_pairs_create(acme_live_pairs_t **ppairs, int certs,
                                    acme_result_t *res, apr_pool_t *p);

/*
 * In each fork of httpd's parent that is not the keeper, before code of others
 * runs: this process cannot write any more, nor can what it starts.
 */
void acme_live_pairs_forget_writer(acme_live_pairs_t *pairs);

/*
 * In the keeper, which is the only writer: replace what is published of a
 * certificate. pairs has from 1 to ACME_LIVE_PAIRS_KINDS. What was there before
 * is overwritten. ENOSPC: they are too long, and nothing has changed.
 */
apr_status_t acme_live_pairs_publish(acme_live_pairs_t *live, int cert,
                                     int archive,
                                     const acme_live_pair_t *pairs, int kinds,
                                     acme_result_t *res);

/* In the keeper: what httpd loaded is used again. The keys are overwritten. */
void acme_live_pairs_withdraw(acme_live_pairs_t *live, int cert);

/*
 * Which one is published; 0: none, or it was withdrawn. It costs one read of
 * memory. For any process and thread; so is what follows.
 */
apr_uint32_t acme_live_pairs_generation(const acme_live_pairs_t *live,
                                        int cert);

/* The number of the archive that is published; 0: none is. */
int acme_live_pairs_archive(const acme_live_pairs_t *live, int cert);

/*
 * A consistent copy of what is published, in p, whose end overwrites it.
 * APR_ENOENT: nothing is. APR_EAGAIN: it is being replaced, without an end in
 * sight (the keeper may have died there). APR_EINVAL: what is there cannot be
 * what the keeper wrote.
 */
apr_status_t acme_live_pairs_read(acme_live_pairs_read_t *read,
                                  const acme_live_pairs_t *live, int cert,
                                  apr_pool_t *p);

#endif
