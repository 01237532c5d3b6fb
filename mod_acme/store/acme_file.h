/*
 * acme_file.h - files that are complete or absent.
 *
 * Everything is written beside its place, synced, renamed, and the folder
 * synced; what is not synced here says so, and is for acme_sync.h. Modes are
 * given at creation: umask is a process's, not a file's.
 *
 * The status of a failure is an errno, if not said otherwise; res names the
 * path and, where there is one, the remedy. p is for scratch, unless the
 * contract says more.
 */
#ifndef ACME_FILE_H
#define ACME_FILE_H

#include <sys/types.h>

#include <apr_pools.h>

#include "acme_result.h"

/* The folder that path is in, in p. */
const char *acme_file_folder(const char *path, apr_pool_t *p);

/*
 * Write len octets as the file at path with this mode, replacing an older one.
 * After a failure (full disk, read-only) the older one is unchanged, and no
 * temporary file is left.
 */
typedef apr_status_t acme_file_write_fn(const char *path, const void *data,
                                        apr_size_t len, mode_t mode,
                                        acme_result_t *res, apr_pool_t *p);

acme_file_write_fn acme_file_write;

/*
 * The same without the sync of the folder: after a power failure the file is
 * the new or the older one, each complete.
 */
acme_file_write_fn acme_file_update;

/*
 * Write a file that nobody looks for yet, at its place and without a sync, in
 * place of what is there. After a failure there is none.
 */
apr_status_t acme_file_put(const char *path, const void *data, apr_size_t len,
                           mode_t mode, acme_result_t *res);

/*
 * As acme_file_write() without any sync: complete or absent for processes.
 * After a power failure it may be empty, so it replaces nothing that a sync
 * has made last.
 */
acme_file_write_fn acme_file_replace;

/*
 * Read all of a regular file of at most max octets: *pdata, in p, has *plen
 * octets and a NUL behind them.
 *
 * On failure *pdata is NULL. ENOENT: there is no file. APR_EGENERAL: the file
 * is longer or not a regular one; a symbolic link at the end of path is not
 * followed, so it is not one either.
 */
apr_status_t acme_file_read(const char **pdata, apr_size_t *plen,
                            const char *path, apr_size_t max,
                            acme_result_t *res, apr_pool_t *p);

/*
 * As acme_file_read(), for keys and secrets: the memory is overwritten when p
 * is cleared.
 */
apr_status_t acme_file_read_secret(const char **pdata, apr_size_t *plen,
                                   const char *path, apr_size_t max,
                                   acme_result_t *res, apr_pool_t *p);

/*
 * Move a file, folder or link in one rename(2), replacing what rename(2) can,
 * and sync both folders. If only a sync failed, the status is its errno: the
 * move is done, and only a power failure could undo it.
 */
apr_status_t acme_file_move(const char *from, const char *to,
                            acme_result_t *res, apr_pool_t *p);

/* rename(2) alone, without a sync. */
apr_status_t acme_file_rename(const char *from, const char *to,
                              acme_result_t *res);

/*
 * Make one folder with this mode; if it exists, check that it belongs to our
 * uid (EPERM) and set the mode. ENOTDIR: something else is there; a symbolic
 * link to a folder is something else. ENOENT: the folder above is missing.
 *
 * After a success no power failure takes the folder: the one above is synced,
 * also if this one was there, as who made it may have died before that.
 */
apr_status_t acme_file_dir_make(const char *path, mode_t mode,
                                acme_result_t *res, apr_pool_t *p);

/* The same without that sync, for what can be made again, or where the caller
   syncs the folder above; *pmade: it was not there, so it is empty. */
apr_status_t acme_file_dir_put(int *pmade, const char *path, mode_t mode,
                               acme_result_t *res);

/* fsync(2) a file, or a folder so that a rename in it survives a power
   failure. */
apr_status_t acme_file_sync(const char *path, acme_result_t *res);

/*
 * Remove a folder (or file) and all below it, following no link. Success if
 * there is nothing at path. After a failure a part may be removed.
 */
apr_status_t acme_file_dir_remove(const char *path, acme_result_t *res,
                                  apr_pool_t *p);

/* The same without a sync: after a power failure it may be there again. */
apr_status_t acme_file_dir_drop(const char *path, acme_result_t *res);

/*
 * Make the symbolic link at path link point to target, a relative text, in one
 * rename(2). After a failure the old link is unchanged, but see
 * acme_file_move().
 */
apr_status_t acme_file_link_swap(const char *link, const char *target,
                                 acme_result_t *res, apr_pool_t *p);

/* The same without the sync of its folder. */
apr_status_t acme_file_link_put(const char *link, const char *target,
                                acme_result_t *res, apr_pool_t *p);

#endif
