/*
 * acme_workers_access.h - whether httpd's workers can read a file.
 *
 * httpd reads its configuration as root, and its workers are another user: to
 * root all files look readable.
 */
#ifndef ACME_WORKERS_ACCESS_H
#define ACME_WORKERS_ACCESS_H

#include <sys/types.h>

#include <apr_pools.h>

/* A user as the system lets it in. */
typedef struct {
    const char *name;       /* of the user, or "#" and its number */
    uid_t uid;
    const gid_t *groups;
    int group_count;
} acme_workers_access_t;

/*
 * The user of the workers, in p, by User and Group. NULL: they are who reads
 * the configuration, or are in another root directory (ChrootDir), or there
 * is no User.
 */
const acme_workers_access_t *acme_workers_access_user(apr_pool_t *p);

/*
 * What may keep the user from reading the file at path, which is absolute: the
 * file itself, or the first of its folders, as the path is written and where
 * the file really is; in p. NULL: nothing does, as far as owners and modes
 * tell. What has an access control list is taken for readable.
 */
const char *acme_workers_access_obstacle(const char *path,
                                         const acme_workers_access_t *user,
                                         apr_pool_t *p);

#endif
