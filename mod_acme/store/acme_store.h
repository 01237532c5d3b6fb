/*
 * acme_store.h - the folder AcmeStateDir: what lies where.
 *
 *   accounts/<name>/   archive/<id>/<n>/   live/<id>   pending/<id>/
 *   journal/<id>.json  placeholder/        aside/      run/
 *
 * Paths are made here and nowhere else, from ids that acme_store_id() made.
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
 * The id of a certificate as a file name: '*' becomes '_'; letters, digits,
 * '.', '-', '_' only, not beginning with '.', at most ACME_ID_MAX. NULL when
 * text cannot be one.
 */
const char *acme_store_id(const char *text, apr_pool_t *p);

/* The same of any name in its one form: ':' becomes '_', too, and of a name
 * longer than ACME_ID_MAX the end becomes a hash. */
const char *acme_store_id_of_name(const char *name, apr_pool_t *p);

/*
 * The store at root (absolute). Makes what is missing with its modes; refuses
 * a root that belongs to another user or that others can write, and says so.
 * May set something aside.
 */
apr_status_t acme_store_open(acme_store_t **pstore, const char *root,
                             acme_result_t *res, apr_pool_t *p);

/* The same without touching anything: for httpd -t and for reading. */
acme_store_t *acme_store_at(const char *root, apr_pool_t *p);

/*
 * Be the only keeper here: a lock on run/lock, held until the process ends.
 * APR_EBUSY while another process holds it; res names its pid.
 */
apr_status_t acme_store_lock(acme_store_t *store, acme_result_t *res,
                             apr_pool_t *p);

/* "<root>/<folder>/<name>"; name may be NULL, and folder one of the above. */
const char *acme_store_path(const acme_store_t *store, const char *folder,
                            const char *name, apr_pool_t *p);

/* "<root>/live/<id>/<file>", file as "fullchain.pem". */
const char *acme_store_live(const acme_store_t *store, const char *id,
                            const char *file, apr_pool_t *p);

/*
 * Move what is at path (file or folder) out of the way into aside/, under a
 * name with the time in it; *pto is where it went. Keeps the newest 32.
 */
apr_status_t acme_store_aside(const char **pto, acme_store_t *store,
                              const char *path, apr_time_t now,
                              acme_result_t *res, apr_pool_t *p);

/*
 * res says what is wrong with path: set that aside, and add to res where it
 * went or why it could not go. Always APR_EGENERAL.
 */
apr_status_t acme_store_damaged(acme_store_t *store, const char *path,
                                acme_result_t *res, apr_pool_t *p);

/*
 * acme_file_dir_make() for a folder of the store. A file in its place is set
 * aside first, which res names; otherwise a success leaves res alone.
 */
apr_status_t acme_store_dir(acme_store_t *store, const char *path,
                            mode_t mode, acme_result_t *res, apr_pool_t *p);

#endif
