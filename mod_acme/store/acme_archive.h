/*
 * acme_archive.h - certificates on disk: archive/<id>/<n>/.
 *
 * A folder of the archive is complete before live/<id> points to it
 * (acme_live_link.h): key and certificate never mismatch.
 */
#ifndef ACME_ARCHIVE_H
#define ACME_ARCHIVE_H

#include <apr_tables.h>

#include "acme_octets.h"
#include "acme_sync.h"

/* acme_archive_prune() keeps this many, and all that are younger, but no more
   than the most. */
#define ACME_ARCHIVE_KEEP 5
#define ACME_ARCHIVE_KEEP_TIME apr_time_from_sec(30 * 24 * 3600)
#define ACME_ARCHIVE_KEEP_MOST 64

/*
 * A certificate with its key, all texts PEM; a folder has one for each key
 * type.
 */
typedef struct {
    const char *suffix;         /* "": privkey.pem; "-rsa": privkey-rsa.pem */
    const char *key_pem;        /* privkey.pem, 0600 */
    const char *cert_pem;
    const char *chain_pem;      /* "": no intermediates */
    const char *full_pem;
} acme_archive_part_t;

typedef struct {
    apr_array_header_t *parts;  /* acme_archive_part_t */
    const char *meta;           /* meta.json, text */
    apr_time_t made;            /* time of the files; 0: now */
} acme_archive_t;

typedef struct acme_archive_want_t acme_archive_want_t;

/*
 * Try the first pair of an archive's folder as acme_pair_check() does.
 * *pnot_after is the end of the certificate that it has, 0: it is not known.
 */
typedef apr_status_t acme_archive_try_cb(apr_time_t *pnot_after,
                                         const acme_archive_want_t *want,
                                         const char *folder,
                                         acme_result_t *res, apr_pool_t *p);

/* The certificate, and the server that loads it. */
struct acme_archive_want_t {
    const char *id;             /* of acme_store_id() */
    const apr_array_header_t *ciphers;  /* for acme_pair_check() */
    apr_time_t now;             /* of the clock: is it expired? */
    acme_archive_try_cb *try;   /* NULL: pairs are parsed in this process */
    void *baton;
};

/*
 * Write the next archive folder of id and put it live. *pn is its number, from
 * 1; 0 after a failure.
 *
 * After a failure the old certificate is live and no half folder is left; a
 * complete folder stays, and res names it. If the last sync of live/ failed,
 * the new one is live already: see acme_file_move(). A file in place of a
 * folder or of the link is set aside, which res names after success.
 */
apr_status_t acme_archive_install(int *pn, acme_store_t *store,
                                  const char *id,
                                  const acme_archive_t *archive,
                                  acme_result_t *res, apr_pool_t *p);

/*
 * The same in steps, so that certificates that come together share the syncs:
 * fill, acme_sync_run(), number, acme_sync_run(), put_live, acme_sync_run().
 * The link never leads to what a power failure can take, and only after the
 * last sync may the order be forgotten. Each step adds to sync what it wrote.
 *
 * One at a time of an id. store and id live as long as p.
 */
typedef struct acme_archive_making_t acme_archive_making_t;

/* Write the folder under a name that nobody looks for. After a failure there is
   none. */
apr_status_t acme_archive_fill(acme_archive_making_t **pmaking,
                               acme_store_t *store, const char *id,
                               const acme_archive_t *archive,
                               acme_sync_t *sync, acme_result_t *res,
                               apr_pool_t *p);

/* Give the folder, which lasts, its number. After a failure it is removed. */
apr_status_t acme_archive_number(acme_archive_making_t *making,
                                 acme_sync_t *sync, acme_result_t *res);

/* Put the archive, whose number lasts, live. Fails as acme_archive_install(),
   and res names after success what was set aside. */
apr_status_t acme_archive_put_live(int *pn, acme_archive_making_t *making,
                                   acme_sync_t *sync, acme_result_t *res);

/* Remove what was filled, and could not be made to last. */
void acme_archive_drop(acme_archive_making_t *making);

/*
 * The same for an id that the store does not know, also while a keeper works
 * on it: archive/<id>/ appears with its archive 1, and then the link.
 * APR_EEXIST: there is an archive/<id> or a live/<id>, and nothing was changed.
 * One caller at a time.
 */
apr_status_t acme_archive_add(int *pn, acme_store_t *store, const char *id,
                              const acme_archive_t *archive,
                              acme_result_t *res, apr_pool_t *p);

/* What the names of a pair's files end in, of whatever key types: "" of the
   first, "-rsa", "-p256", "-p384". */
#define ACME_ARCHIVE_SUFFIXES 4
extern const char *const acme_archive_suffixes[ACME_ARCHIVE_SUFFIXES];

/* What is copied: another id's archive, or a folder that somebody copied. */
typedef struct {
    const char *folder;
    const char *name;           /* of an archive: "id/n"; else NULL */
} acme_archive_copy_t;

/*
 * The same with the files of another folder, which stays as it is. Its first
 * pair must be there. The files keep their times, and no file can be read by
 * more than before; meta.json is for id then, and names the archive.
 */
apr_status_t acme_archive_adopt(int *pn, acme_store_t *store, const char *id,
                                const acme_archive_copy_t *from,
                                acme_result_t *res, apr_pool_t *p);

/* The archive of id whose first pair is that of the folder; 0: none is. */
int acme_archive_find_copy(const acme_store_t *store, const char *id,
                           const char *folder, apr_pool_t *p);

/* The folder of archive n of id, in p; there may be none. */
const char *acme_archive_path(const acme_store_t *store, const char *id, int n,
                              apr_pool_t *p);

/* The number of an archive's folder, whose path that is; 0: it is none. */
int acme_archive_number_of(const char *folder);

/* The highest number of an archive of id; 0: there is none. */
int acme_archive_newest(const acme_store_t *store, const char *id,
                        apr_pool_t *p);

/* Is archive n of id there, as a folder? */
int acme_archive_exists(const acme_store_t *store, const char *id, int n,
                        apr_pool_t *p);

/* acme_pair_check() of archive n's first pair, whose files have no suffix. */
apr_status_t acme_archive_check(const acme_store_t *store,
                                const acme_archive_want_t *want, int n,
                                acme_result_t *res, apr_pool_t *p);

/*
 * Is it void: was archive n of id revoked, or another one that has a key of it?
 * What is recorded in meta.json counts.
 */
int acme_archive_is_void(const acme_store_t *store, const char *id, int n,
                         apr_pool_t *p);

/* The same of a key, a PEM text: has a revoked archive of id this key? */
int acme_archive_is_void_key(const acme_store_t *store, const char *id,
                             const char *key_pem, apr_pool_t *p);

/* The same of all keys of a folder that may become an archive of id, in
   whatever form they are. */
int acme_archive_has_void_key(const acme_store_t *store, const char *id,
                              const char *folder, apr_pool_t *p);

/*
 * May an archive of id be a revoked one? Also where that cannot be read now. If
 * not, no key is void until the next acme_meta_set_revoked().
 */
int acme_archive_may_have_revoked(const acme_store_t *store, const char *id,
                                  apr_pool_t *p);

/*
 * Find the archive that a server can load: *pn is the number of the live one,
 * or of the newest before it whose first pair passes acme_pair_check() with
 * ciphers, is not expired at now and not void. *plive is the number of the
 * live one.
 *
 * Where live/<id> is missing or no link of ours (*plive is 0 then), or points
 * to nothing,
 * the newest archive of all that is as good.
 *
 * If they differ, the call is a success and res says why the live one cannot
 * be loaded. Fails as acme_live_link_read() does, or as acme_pair_check() of
 * the live one if no other is better; *pn is *plive then.
 */
apr_status_t acme_archive_find_good(int *pn, int *plive, acme_store_t *store,
                                    const acme_archive_want_t *want,
                                    acme_result_t *res, apr_pool_t *p);

/*
 * When the nth newest archive of id was made, n from 1, by the clock of the
 * file system. Those that a wrong clock made after now are not counted. 0:
 * there are not so many, or the folder cannot be read.
 */
apr_time_t acme_archive_made_at(const acme_store_t *store, const char *id,
                                int n, apr_time_t now, apr_pool_t *p);

/*
 * Remove archives of id that are neither live nor served, nor among the newest
 * ACME_ARCHIVE_KEEP, nor younger than ACME_ARCHIVE_KEEP_TIME at now; of the
 * young ones, those after the newest ACME_ARCHIVE_KEEP_MOST as well. served is
 * a number, 0: none. If the link in live/ cannot be read, nothing is removed:
 * APR_EGENERAL, or its errno. No archive at all is a success.
 */
apr_status_t acme_archive_prune(acme_store_t *store, const char *id,
                                int served, apr_time_t now,
                                acme_result_t *res, apr_pool_t *p);

#endif
