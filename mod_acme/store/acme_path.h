/*
 * acme_path.h - can others put something else in the place of a folder?
 */
#ifndef ACME_PATH_H
#define ACME_PATH_H

#include <apr_pools.h>

#include "acme_result.h"

/*
 * Walk along path, which is absolute, through all symbolic links. Each folder
 * that is passed, and each link, must belong to root or to our own uid, and
 * no folder may be writable by its group or by others, unless it is sticky
 * (such as /tmp): whoever may write in one can swap what is below it. The
 * last part of path may be missing, and is not looked at itself.
 *
 * EPERM names the folder; ELOOP: more links than a kernel follows; else what
 * lstat(2) or readlink(2) said.
 */
apr_status_t acme_path_check(const char *path, acme_result_t *res,
                             apr_pool_t *p);

#endif
