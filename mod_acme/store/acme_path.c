/*
 * acme_path.c - can other users replace a folder on a path?
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_path.h"

#define LINKS_MAX 40            /* Linux follows as many */
#define TARGET_SIZE 4096        /* PATH_MAX of Linux */

static int is_ours(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

static apr_status_t check_folder(const char *path, const struct stat *st,
                                 acme_result_t *res)
{
    if (!is_ours(st)) {
        return acme_fail(res, EPERM,
                         "%s: belongs to uid %ld, who could replace what is below it: chown it to root, or set AcmeStateDir",
                         path, (long)st->st_uid);
    }
    if ((st->st_mode & 0022) && !(st->st_mode & S_ISVTX)) {
        return acme_fail(res, EPERM,
                         "%s: others can write in it and replace what is below it: chmod go-w it, or set AcmeStateDir",
                         path);
    }
    return APR_SUCCESS;
}

/* Put the target of a link before the rest of the path. */
static apr_status_t follow_link(const char **prest, const char *link,
                                const struct stat *st, acme_result_t *res,
                                apr_pool_t *p)
{
    char target[TARGET_SIZE];
    ssize_t len;

    if (!is_ours(st)) {
        return acme_fail(res, EPERM,
                         "%s: this symbolic link belongs to uid %ld, who can change it: remove it, or set AcmeStateDir",
                         link, (long)st->st_uid);
    }
    len = readlink(link, target, sizeof(target) - 1);
    if (len < 0) {
        return acme_fail_errno(res, errno, "%s: cannot read the link", link);
    }
    target[len] = '\0';
    *prest = apr_pstrcat(p, target, "/", *prest, NULL);
    return APR_SUCCESS;
}

apr_status_t acme_path_check(const char *path, acme_result_t *res,
                             apr_pool_t *p)
{
    const char *at = "/", *rest = path;
    apr_status_t rv;
    struct stat st;
    int links = 0;

    if (lstat(at, &st) < 0) {
        return acme_fail_errno(res, errno, "%s: cannot examine it", at);
    }
    for (;;) {
        const char *next;
        apr_size_t len;

        rest += strspn(rest, "/");
        len = strcspn(rest, "/");
        if (!len) {
            return APR_SUCCESS;         /* the last part is not checked */
        }
        rv = check_folder(at, &st, res);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        /* ".." of a folder that was passed was passed as well. */
        next = apr_pstrcat(p, strcmp(at, "/") ? at : "", "/",
                           apr_pstrmemdup(p, rest, len), NULL);
        rest += len;
        if (lstat(next, &st) < 0) {
            return errno == ENOENT && !rest[strspn(rest, "/")]
                       ? APR_SUCCESS
                       : acme_fail_errno(res, errno, "%s: cannot examine it",
                                         next);
        }
        if (!S_ISLNK(st.st_mode)) {
            at = next;
            continue;
        }
        if (++links > LINKS_MAX) {
            return acme_fail(res, ELOOP, "%s: too many symbolic links", path);
        }
        rv = follow_link(&rest, next, &st, res, p);
        if (rv == APR_SUCCESS && rest[0] == '/') {
            at = "/";
        }
        if (rv == APR_SUCCESS && lstat(at, &st) < 0) {
            rv = acme_fail_errno(res, errno, "%s: cannot examine it", at);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
}
