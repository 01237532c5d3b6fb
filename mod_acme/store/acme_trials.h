/*
 * acme_trials.h - pairs of the store that were tried, and what is in their
 * certificates: nothing of it is done twice while the files are as they were.
 *
 * OpenSSL takes longer to read a key than to serve a visitor, and mod_ssl reads
 * each one anyway. What was found is kept over loads in run/tried; in memory
 * while it is used, or where that cannot be written. A file is as it was if its
 * inode, size and both times are; it is trusted so only if the times were
 * seconds in the past when it was read, as a file system may not tell two
 * changes of one moment apart.
 */
#ifndef ACME_TRIALS_H
#define ACME_TRIALS_H

#include "acme_cert_info.h"
#include "acme_store.h"

/*
 * Begin a load, at now: with what was found by the loads before, in memory that
 * lives as long as lasting (the process pool), or else in the file of the
 * store. Until acme_trials_end(), only what is asked for is kept.
 */
void acme_trials_begin(const acme_store_t *store, apr_time_t now,
                       apr_pool_t *lasting);
void acme_trials_end(void);

/* Write the file, if something is new. Its loss costs only time: no failure. */
void acme_trials_save(const acme_store_t *store, apr_pool_t *p);

/*
 * Give the memory of what is in the file back: httpd's parent and its workers
 * need none of it until the next load. Recall has it again, in a fork as well.
 */
void acme_trials_release(void);
void acme_trials_recall(const acme_store_t *store);

/* A pair of the store: archive/<id>/<n>/fullchain<suffix>.pem and its key. */
typedef struct {
    const char *id;
    int n;
    const char *suffix;         /* of acme_conf_suffix(): "" is the first */
    const apr_array_header_t *ciphers;  /* for acme_pair_check() */
} acme_trials_pair_t;

/*
 * acme_pair_check() of the pair, or what that found before. *pleaf, in p, is
 * what is in the certificate: all of it up to cert_id; NULL when that cannot be
 * read, which a server need not mind. Only what is good is kept: the rest is
 * tried each time. Whether it is expired is the caller's to judge.
 *
 * Without acme_trials_begin() each pair is tried.
 */
apr_status_t acme_trials_check(const acme_cert_info_t **pleaf,
                               const acme_store_t *store,
                               const acme_trials_pair_t *pair,
                               acme_result_t *res, apr_pool_t *p);

/*
 * What was found, if it is in memory and the files are as they were: nothing is
 * parsed. NULL: they have to be. For a fork of the process as well.
 */
const acme_cert_info_t *acme_trials_known(const acme_store_t *store,
                                          const acme_trials_pair_t *pair,
                                          apr_pool_t *p);

#endif
