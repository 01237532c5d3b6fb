/*
 * acme_archive.h - certificates on disk: archive/<id>/<n>/ and live/<id>.
 *
 * A folder of the archive is complete before live/<id> points to it, and one
 * rename puts it live: key and certificate never mismatch.
 */
#ifndef ACME_ARCHIVE_H
#define ACME_ARCHIVE_H

#include <apr_tables.h>

#include "acme_store.h"

#define ACME_ARCHIVE_KEEP 5
#define ACME_ARCHIVE_KEEP_TIME apr_time_from_sec(30 * 24 * 3600)

/* A certificate with its key; a folder has one for each key type. */
typedef struct {
    const char *suffix;         /* "": privkey.pem; "-rsa": privkey-rsa.pem */
    const char *key_pem;        /* privkey.pem, 0600 */
    const char *cert_pem;
    const char *chain_pem;      /* "" when there is none */
    const char *full_pem;
} acme_archive_part_t;

typedef struct {
    apr_array_header_t *parts;  /* acme_archive_part_t */
    const char *meta;           /* meta.json, text */
} acme_archive_t;

/* Which archive is asked for, and who is to load it. */
typedef struct {
    const char *id;
    const apr_array_header_t *ciphers;  /* for acme_pair_check() */
    apr_time_t now;
} acme_archive_want_t;

/*
 * Write the next archive folder of id and put it live. *pn is its number.
 * After a failure the old certificate is live and no half folder is left; a
 * whole one stays and is named. May set something aside. (When the last sync
 * of live/ failed, the new one is live already: see acme_file_move().)
 */
apr_status_t acme_archive_install(int *pn, acme_store_t *store,
                                  const char *id,
                                  const acme_archive_t *archive,
                                  acme_result_t *res, apr_pool_t *p);

/*
 * The number that live/<id> points to; ENOENT when there is none, and
 * APR_EGENERAL when something else is there.
 */
apr_status_t acme_archive_live(int *pn, acme_store_t *store, const char *id,
                               acme_result_t *res, apr_pool_t *p);

/*
 * The archive that a server can load: the live one, or the newest before it
 * whose first pair passes acme_pair_check() with ciphers and is not expired
 * at now. Then *plive is not *pn, and res says what is wrong with the live
 * one. Fails as acme_archive_live() does; with what is wrong with the live one
 * where none before it is better.
 */
apr_status_t acme_archive_find_good(int *pn, int *plive, acme_store_t *store,
                                    const acme_archive_want_t *want,
                                    acme_result_t *res, apr_pool_t *p);

/*
 * Remove archives that are neither live, nor among the newest
 * ACME_ARCHIVE_KEEP, nor younger than ACME_ARCHIVE_KEEP_TIME.
 */
apr_status_t acme_archive_prune(acme_store_t *store, const char *id,
                                apr_time_t now, acme_result_t *res,
                                apr_pool_t *p);

#endif
