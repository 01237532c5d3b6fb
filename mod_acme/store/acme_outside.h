/*
 * acme_outside.h - files outside of the store, in folders that may belong to
 * somebody else.
 *
 * Whoever owns a folder can put anything under any name in it, at any moment.
 * So nothing is changed by its path: a file is made under a name that must be
 * new, gets its content, mode and owner through its descriptor, and is renamed.
 * A symbolic link is followed only where nobody but us can have made it. Access
 * control lists of POSIX that a folder would hand down are removed (Linux).
 *
 * The status of a failure is an errno, if not said otherwise; res begins with
 * the path. p is for scratch.
 */
#ifndef ACME_OUTSIDE_H
#define ACME_OUTSIDE_H

#include <sys/types.h>

#include <apr_tables.h>

#include "acme_octets.h"
#include "acme_result.h"

/* The file that is there has the content: for one that cannot be compared
   octet by octet. file is hostile. */
typedef int acme_outside_same_cb(void *baton, acme_octets_t file,
                                 apr_pool_t *p);

/* Make the content, in p, when it is needed; *data is empty after a failure. */
typedef apr_status_t acme_outside_make_cb(acme_octets_t *data, void *baton,
                                          acme_result_t *res, apr_pool_t *p);

typedef struct {
    const char *name;           /* in a set; without '/' */
    acme_octets_t data;
    acme_outside_same_cb *is_same;      /* NULL: the octets are compared */
    acme_outside_make_cb *make; /* with is_same; NULL: data is the content */
    void *baton;
} acme_outside_file_t;

/* Of each file; a folder that has files has the mode with x beside each r. */
typedef struct {
    mode_t mode;
    uid_t uid;
    gid_t gid;
} acme_outside_rights_t;

/*
 * Write the file at path, an absolute one, unless it is there with the same
 * content and rights: *pwritten says whether it was written. Of file
 * the name is not used. After a failure what was there is unchanged.
 */
apr_status_t acme_outside_write(int *pwritten, const char *path,
                                const acme_outside_file_t *file,
                                const acme_outside_rights_t *rights,
                                acme_result_t *res, apr_pool_t *p);

/* What the folders of a set begin with. */
#define ACME_OUTSIDE_SET "acme-"

/* The link to the newest. */
#define ACME_OUTSIDE_CURRENT "current"

/*
 * The same for files that belong together: "<path>acme-<n>/" is a folder with
 * all of them, and the symbolic link "<path>current" points to it. path ends in
 * '/'; its last folder is made when it is missing, with mode 0755 less the
 * umask. n is a number, which gets ".1", ".2", ... where it is taken. The new
 * folder and the one that the link pointed to are kept; of others that we made
 * the files that names (const char *) lists are removed, and the folders, when
 * nothing else is in them.
 */
apr_status_t acme_outside_write_set(int *pwritten, const char *path, int n,
                                    const apr_array_header_t *files,
                                    const apr_array_header_t *names,
                                    const acme_outside_rights_t *rights,
                                    acme_result_t *res, apr_pool_t *p);

#endif
