/*
 * acme_file.h - files that are whole or not there.
 *
 * Everything is written beside its place, synced, renamed, and the folder
 * synced. Modes are given at creation: umask is a process's, not a file's.
 */
#ifndef ACME_FILE_H
#define ACME_FILE_H

#include <sys/types.h>

#include <apr_pools.h>

#include "acme_result.h"

/*
 * Write len octets as the file at path with this mode, replacing what is
 * there. After a failure (full disk, read-only) what was there still is, and
 * no temporary file is left.
 */
apr_status_t acme_file_write(const char *path, const void *data,
                             apr_size_t len, mode_t mode, acme_result_t *res,
                             apr_pool_t *p);

/*
 * All of a regular file of at most max octets, NUL-terminated as well.
 * ENOENT when there is none; APR_EGENERAL when it is longer or is not a
 * regular file. No symbolic link is followed at its end.
 */
apr_status_t acme_file_read(const char **pdata, apr_size_t *plen,
                            const char *path, apr_size_t max,
                            acme_result_t *res, apr_pool_t *p);

/* As acme_file_read, and the memory is cleared with p: for keys, secrets. */
apr_status_t acme_file_read_secret(const char **pdata, apr_size_t *plen,
                                   const char *path, apr_size_t max,
                                   acme_result_t *res, apr_pool_t *p);

/*
 * Move in one rename(2), and sync the folders. When the status is that of a
 * sync, it was moved, and only a power failure could undo it.
 */
apr_status_t acme_file_move(const char *from, const char *to,
                            acme_result_t *res, apr_pool_t *p);

/*
 * Make one folder with this mode, or see that it is one and ours, and give it
 * the mode. ENOTDIR when something else is there (a link to one included).
 */
apr_status_t acme_file_dir_make(const char *path, mode_t mode,
                                acme_result_t *res, apr_pool_t *p);

/* fsync() the folder at path: its entries survive a power failure. */
apr_status_t acme_file_dir_sync(const char *path, acme_result_t *res);

/* Remove a folder and all below it; nothing there is a success. */
apr_status_t acme_file_dir_remove(const char *path, acme_result_t *res,
                                  apr_pool_t *p);

/* Make link point to target (relative text) in one rename(2). */
apr_status_t acme_file_link_swap(const char *link, const char *target,
                                 acme_result_t *res, apr_pool_t *p);

#endif
