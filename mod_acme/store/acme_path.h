/*
 * acme_path.h - can other users replace a folder on a path?
 */
#ifndef ACME_PATH_H
#define ACME_PATH_H

#include <apr_pools.h>

#include "acme_result.h"

/*
 * Walk along path, which is absolute, through all symbolic links. Each folder
 * and each link on the way must belong to root or to our own uid, and no
 * folder may be writable by its group or by others, unless it is sticky (such
 * as /tmp): a user who can write in a folder can replace everything below it.
 * The last part of path may be missing, and is not checked itself.
 *
 * EPERM: res names the folder or link, and the remedy. ELOOP: more links than
 * a kernel follows. Else the errno of lstat(2) or readlink(2). p is for
 * scratch.
 */
apr_status_t acme_path_check(const char *path, acme_result_t *res,
                             apr_pool_t *p);

#endif
