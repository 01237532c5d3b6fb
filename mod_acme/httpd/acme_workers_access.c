/*
 * acme_workers_access.c - whether httpd's workers can read a file.
 */
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/xattr.h>
#endif

#include <apr_strings.h>

#include <httpd.h>
#include <unixd.h>

#include "acme_workers_access.h"

#define GROUPS_MAX 1024

/* As httpd's initgroups() finds them. */
static void add_groups(acme_workers_access_t *user, gid_t group, apr_pool_t *p)
{
    gid_t *groups = apr_palloc(p, GROUPS_MAX * sizeof(*groups));

    groups[0] = group;
    user->group_count = GROUPS_MAX;
    if (user->name[0] == '#'
        || getgrouplist(user->name, group, groups, &user->group_count) < 0) {
        user->group_count = 1;
    }
    user->groups = groups;
}

const acme_workers_access_t *acme_workers_access_user(apr_pool_t *p)
{
    const uid_t uid = ap_unixd_config.user_id;
    acme_workers_access_t *user;
    const struct passwd *found;

    if (geteuid() != 0 || uid == 0 || uid == (uid_t)-1
        || ap_unixd_config.chroot_dir) {
        return NULL;
    }
    user = apr_pcalloc(p, sizeof(*user));
    found = getpwuid(uid);
    user->uid = uid;
    user->name = found ? apr_pstrdup(p, found->pw_name)
                       : apr_psprintf(p, "#%ld", (long)uid);
    add_groups(user, ap_unixd_config.group_id, p);
    return user;
}

static int has_list(const char *path)
{
#ifdef __linux__
    return getxattr(path, "system.posix_acl_access", NULL, 0) > 0;
#else
    (void)path;
    return 0;
#endif
}

/* Has the user this permission of the three: S_IROTH or S_IXOTH? What is not
   there keeps nobody out: others say so. */
static int allows(const char *path, mode_t permission,
                  const acme_workers_access_t *user)
{
    struct stat info;
    int i;

    if (stat(path, &info) || has_list(path)) {
        return 1;
    }
    if (info.st_uid == user->uid) {
        return (info.st_mode & permission << 6) != 0;
    }
    for (i = 0; i < user->group_count; i++) {
        if (info.st_gid == user->groups[i]) {
            return (info.st_mode & permission << 3) != 0;
        }
    }
    return (info.st_mode & permission) != 0;
}

static const char *obstacle_on(const char *path,
                               const acme_workers_access_t *user,
                               apr_pool_t *p)
{
    const char *slash = strchr(path, '/');

    while (slash) {
        const char *folder = slash == path
            ? "/" : apr_pstrmemdup(p, path, (apr_size_t)(slash - path));

        if (!allows(folder, S_IXOTH, user)) {
            return folder;
        }
        slash = strchr(slash + 1, '/');
    }
    return allows(path, S_IROTH, user) ? NULL : apr_pstrdup(p, path);
}

const char *acme_workers_access_obstacle(const char *path,
                                         const acme_workers_access_t *user,
                                         apr_pool_t *p)
{
    const char *obstacle = obstacle_on(path, user, p);
    char *real = obstacle ? NULL : realpath(path, NULL);

    if (real) {
        obstacle = obstacle_on(real, user, p);
    }
    free(real);
    return obstacle;
}
