/*
 * acme_store.h - the folder AcmeStateDir: what lies where.
 *
 *   accounts/<name>/   archive/<id>/<n>/   live/<id>   pending/<id>/
 *   journal/<id>.json  placeholder/        aside/      run/
 *   deploy/<id>.json   undelivered/<id>.json
 *   published/<token>  next/<id>/
 *
 * Paths are made here and nowhere else, from ids that acme_store_id() made.
 * The status of a failure is an errno, if not said otherwise.
 * aside/ (0700) holds what was damaged, foreign or refused. Where a call may
 * succeed after it set something aside and says so below, res->detail names
 * it, for the log; else res->detail is "" after its success.
 */
#ifndef ACME_STORE_H
#define ACME_STORE_H

#include <sys/types.h>

#include <apr_pools.h>

#include "acme_result.h"

typedef struct acme_store_t acme_store_t;

#define ACME_ID_MAX 128

/*
 * The id of a certificate as a file name, in p: '*' becomes '_'; letters,
 * digits, '.', '-', '_' only, not beginning with '.', at most ACME_ID_MAX
 * octets. NULL: text cannot be an id.
 */
const char *acme_store_id(const char *text, apr_pool_t *p);

/*
 * As acme_store_id(), for any normalised name: ':' becomes '_', too, and the
 * end of a name longer than ACME_ID_MAX becomes a hash.
 */
const char *acme_store_id_of_name(const char *name, apr_pool_t *p);

/*
 * Open the store at root, an absolute path: *pstore is in p. Makes missing
 * folders with their modes; all of them last, whoever made them.
 *
 * On failure *pstore is NULL: EPERM for a root that belongs to another user or
 * that others can write, APR_EINVAL (ACME_RETRY_NEVER) for a relative path. A
 * file in place of a folder is set aside, which res names after success.
 */
apr_status_t acme_store_open(acme_store_t **pstore, const char *root,
                             acme_result_t *res, apr_pool_t *p);

/* A store in p, without touching the disk: for httpd -t and for reading. */
acme_store_t *acme_store_at(const char *root, apr_pool_t *p);

/*
 * Lock run/lock, so that this process is the only keeper of the store; held
 * until acme_store_unlock(), or the process ends. A second call is a success.
 * APR_EBUSY: another process holds the lock; res names its pid.
 */
apr_status_t acme_store_lock(acme_store_t *store, acme_result_t *res,
                             apr_pool_t *p);

/* Let another process have the lock, if this one has it. */
void acme_store_unlock(acme_store_t *store);

/*
 * "<root>/<folder>/<name>" in p; folder is one of those above, name may be
 * NULL.
 */
const char *acme_store_path(const acme_store_t *store, const char *folder,
                            const char *name, apr_pool_t *p);

/* "<root>/live/<id>/<file>" in p, for a file such as "fullchain.pem". */
const char *acme_store_live(const acme_store_t *store, const char *id,
                            const char *file, apr_pool_t *p);

/*
 * Move the file or folder at path into aside/, under a name with the time now
 * in it; *pto is its new path, in p, or NULL after a failure. Of those set
 * aside only the newest 32 are kept, besides folders and keys of accounts and
 * what was in the place of a live link.
 */
apr_status_t acme_store_aside(const char **pto, acme_store_t *store,
                              const char *path, apr_time_t now,
                              acme_result_t *res, apr_pool_t *p);

/*
 * Set the damaged file or folder at path aside. res holds the fault, and gets
 * its new path added, or the reason why it could not be moved. Always returns
 * APR_EGENERAL.
 */
apr_status_t acme_store_damaged(acme_store_t *store, const char *path,
                                acme_result_t *res, apr_pool_t *p);

/*
 * As acme_file_dir_make(), for a folder of the store. A file in its place is
 * set aside first, which res names after success; otherwise a success leaves
 * res unchanged. A symbolic link is not set aside: ENOTDIR.
 */
apr_status_t acme_store_dir(acme_store_t *store, const char *path,
                            mode_t mode, acme_result_t *res, apr_pool_t *p);

/* The same without the sync, as acme_file_dir_put() has it. */
apr_status_t acme_store_dir_put(int *pmade, acme_store_t *store,
                                const char *path, mode_t mode,
                                acme_result_t *res, apr_pool_t *p);

#endif
