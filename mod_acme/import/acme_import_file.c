/*
 * acme_import_file.c - files in another client's folder.
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "acme_cleanse.h"
#include "acme_import_file.h"

#define FILE_MAX (64 * 1024)    /* octets */
#define NAMES_MAX 20000         /* in a folder */
#define OCTETS_MAX (64 * 1024 * 1024)   /* of all files of an import */
#define LOOKUPS_MAX 200000      /* paths of an import */
#define LINKS_MAX 40            /* Linux follows as many */
#define TARGET_SIZE 4096        /* PATH_MAX of Linux */

#ifndef O_PATH                  /* Linux alone has it */
#define O_PATH O_RDONLY
#endif

/* On the way along a path: fd is what was reached, which nobody can replace
   under us any more. */
typedef struct {
    int fd;
    struct stat st;             /* of fd */
    struct stat root;           /* of the client's folder */
    const char *at;             /* the same as a path without links */
    const char *foreign;        /* the first that others can change */
    int depth;                  /* folders from / */
    int root_depth;             /* where the client's folder is; -1: not on
                                   the way */
    int links;
} walk_t;

const char *acme_import_file_join(const acme_import_file_tree_t *tree,
                                  const char *path, const char *name)
{
    return apr_pstrcat(tree->p, path, *path ? "/" : "", name, NULL);
}

static const char *full_path(const acme_import_file_tree_t *tree,
                             const char *path)
{
    return *path == '/' ? path
                        : *path ? apr_pstrcat(tree->p, tree->root, "/", path,
                                              NULL) : tree->root;
}

/* Can nobody but root, or who runs this, change it or what is in it? */
static int is_ours_alone(const struct stat *st)
{
    return (st->st_uid == 0 || st->st_uid == geteuid())
        && (S_ISLNK(st->st_mode) || !(st->st_mode & 0022)
            || (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX)));
}

static void note_owner(walk_t *walk, const struct stat *st, const char *at)
{
    if (!walk->foreign && !is_ours_alone(st)) {
        walk->foreign = *at ? at : "/";
    }
}

/* The end of the walk is fd now, which is as deep as depth says. */
static apr_status_t arrive(walk_t *walk, int fd, int depth)
{
    if (fd < 0) {
        return errno;
    }
    if (walk->fd >= 0) {
        close(walk->fd);
    }
    walk->fd = fd;
    walk->depth = depth;
    if (fstat(fd, &walk->st) < 0) {
        return errno;
    }
    if (S_ISLNK(walk->st.st_mode)) {
        return ELOOP;           /* it was something else a moment ago */
    }
    note_owner(walk, &walk->st, walk->at);
    if (walk->root_depth > depth) {
        walk->root_depth = -1;
    }
    if (walk->st.st_dev == walk->root.st_dev
        && walk->st.st_ino == walk->root.st_ino) {
        walk->root_depth = depth;
    }
    return APR_SUCCESS;
}

static apr_status_t begin_at_top(walk_t *walk)
{
    walk->at = "";
    walk->root_depth = -1;
    return arrive(walk, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), 0);
}

static apr_status_t go_up(walk_t *walk, apr_pool_t *p)
{
    const char *slash = strrchr(walk->at, '/');

    walk->at = slash ? apr_pstrmemdup(p, walk->at,
                                      (apr_size_t)(slash - walk->at)) : "";
    return arrive(walk, openat(walk->fd, "..",
                               O_PATH | O_DIRECTORY | O_CLOEXEC),
                  walk->depth ? walk->depth - 1 : 0);
}

/* Put the target of a link before the rest of the path. */
static apr_status_t follow_link(walk_t *walk, const char **prest,
                                const char *name, apr_pool_t *p)
{
    char target[TARGET_SIZE];
    const ssize_t len = readlinkat(walk->fd, name, target,
                                   sizeof(target) - 1);

    if (len < 0) {
        return errno;
    }
    if (++walk->links > LINKS_MAX) {
        return ELOOP;
    }
    target[len] = '\0';
    *prest = apr_pstrcat(p, target, "/", *prest, NULL);
    return *target == '/' ? begin_at_top(walk) : APR_SUCCESS;
}

static apr_status_t go_down(walk_t *walk, const char **prest,
                            const char *name, int is_link_followed,
                            apr_pool_t *p)
{
    const char *at = apr_pstrcat(p, walk->at, "/", name, NULL);
    struct stat st;

    if (fstatat(walk->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno;
    }
    if (S_ISLNK(st.st_mode)) {
        note_owner(walk, &st, at);
        return is_link_followed ? follow_link(walk, prest, name, p) : ELOOP;
    }
    walk->at = at;
    return arrive(walk, openat(walk->fd, name, S_ISREG(st.st_mode)
                               ? O_RDONLY | O_NONBLOCK | O_NOCTTY
                                   | O_NOFOLLOW | O_CLOEXEC
                               : O_PATH | O_NOFOLLOW | O_CLOEXEC),
                  walk->depth + 1);
}

/* All parts of path, one after the other: no name is looked up twice. */
static apr_status_t walk_along(walk_t *walk, const char *path,
                               int is_last_link_followed, apr_pool_t *p)
{
    apr_status_t rv = begin_at_top(walk);
    const char *rest = path, *name;
    apr_size_t len;

    while (rv == APR_SUCCESS) {
        rest += strspn(rest, "/");
        len = strcspn(rest, "/");
        if (!len) {
            break;
        }
        name = apr_pstrmemdup(p, rest, len);
        rest += len;
        rv = !strcmp(name, ".") ? APR_SUCCESS
            : !strcmp(name, "..") ? go_up(walk, p)
            : go_down(walk, &rest, name,
                      is_last_link_followed || rest[strspn(rest, "/")], p);
    }
    return rv;
}

static const char *absolute(const char *path, apr_pool_t *p)
{
    char folder[TARGET_SIZE];

    return *path == '/' ? path
        : getcwd(folder, sizeof(folder))
        ? apr_pstrcat(p, folder, "/", path, NULL) : "/";
}

/*
 * Open what path leads to in the end. Out of the client's folder only root can
 * lead, to what is root's: anybody else would choose files that he cannot
 * read himself.
 */
static apr_status_t open_path(walk_t *walk, const acme_import_file_tree_t *tree,
                              const char *path, int is_last_link_followed,
                              acme_result_t *res)
{
    acme_import_file_seen_t *seen = tree->seen;
    apr_pool_t *scratch;
    apr_status_t rv;

    *walk = (walk_t) { .fd = -1, .root_depth = -1 };

    if (seen && ++seen->lookups > LOOKUPS_MAX) {
        return acme_fail_never(res, E2BIG,
                               "%s: not read, because the folder has too many files",
                               path);
    }
    apr_pool_create(&scratch, tree->p);
    if (stat(tree->root, &walk->root) < 0) {
        rv = errno;
    }
    else {
        rv = walk_along(walk, absolute(path, scratch), is_last_link_followed,
                        scratch);
    }
    if (seen && !seen->foreign && walk->foreign) {
        seen->foreign = apr_pstrdup(tree->p, walk->foreign);
    }
    if (rv != APR_SUCCESS) {
        rv = acme_fail_errno(res, rv, "%s: cannot be read", path);
    }
    else if (walk->root_depth < 0
             && (tree->is_conf ? walk->st.st_uid != 0
                               : walk->foreign != NULL)) {
        rv = acme_fail_never(
            res, EPERM,
            "%s: leads to %s, which is outside of %s and does not belong to root, or others can change the way to it",
            path, walk->at, tree->root);
    }
    walk->at = walk->foreign = NULL;
    if (rv != APR_SUCCESS && walk->fd >= 0) {
        close(walk->fd);
        walk->fd = -1;
    }
    apr_pool_destroy(scratch);
    return rv;
}

/* The octets of an open file, which may shrink meanwhile. */
static apr_status_t read_all(const char **ptext, const walk_t *walk,
                             const acme_import_file_tree_t *tree,
                             const char *path, acme_result_t *res)
{
    const apr_size_t max = tree->max ? tree->max : FILE_MAX;
    apr_size_t size, len = 0;
    ssize_t got;
    char *text;

    if (!S_ISREG(walk->st.st_mode) || walk->st.st_size < 0
        || (apr_size_t)walk->st.st_size > max) {
        return acme_fail(res, APR_EGENERAL,
                         "%s: not a regular file of at most %lu octets", path,
                         (unsigned long)max);
    }
    size = (apr_size_t)walk->st.st_size;
    if (tree->seen && size > OCTETS_MAX - tree->seen->octets) {
        return acme_fail_never(
            res, E2BIG, "%s: not read, because the files are too large together",
            path);
    }
    if (tree->seen) {
        tree->seen->octets += size;
    }
    text = acme_cleanse_alloc(size + 1, tree->p);
    while (len < size) {
        got = read(walk->fd, text + len, size - len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return acme_fail_errno(res, errno, "%s: cannot be read", path);
        }
        if (got == 0) {
            break;
        }
        len += (apr_size_t)got;
    }
    text[len] = '\0';
    if (strlen(text) != len) {
        return acme_fail_never(res, APR_EINVAL, "%s: not a text", path);
    }
    *ptext = text;
    return APR_SUCCESS;
}

apr_status_t acme_import_file_text(const char **ptext,
                                   const acme_import_file_tree_t *tree,
                                   const char *path, acme_result_t *res)
{
    const char *full = full_path(tree, path);
    apr_status_t rv;
    walk_t walk;

    *ptext = NULL;

    rv = open_path(&walk, tree, full, 1, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = read_all(ptext, &walk, tree, full, res);
    close(walk.fd);
    return rv;
}

apr_status_t acme_import_file_json(json_t **pjson,
                                   const acme_import_file_tree_t *tree,
                                   const char *path, acme_result_t *res)
{
    const char *text;
    apr_status_t rv;

    *pjson = NULL;

    rv = acme_import_file_text(&text, tree, path, res);
    if (rv == APR_SUCCESS) {
        rv = acme_json_parse(pjson, text, strlen(text),
                             full_path(tree, path), res, tree->p);
    }
    return rv;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

apr_array_header_t *acme_import_file_names(const acme_import_file_tree_t *tree,
                                           const char *path)
{
    apr_array_header_t *names = apr_array_make(tree->p, 8,
                                               sizeof(const char *));
    const struct dirent *entry;
    acme_result_t ignored;
    walk_t walk;
    DIR *dir;
    int fd;

    if (open_path(&walk, tree, full_path(tree, path), 1, &ignored)) {
        return names;
    }
    fd = openat(walk.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(walk.fd);
    dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0) {
            close(fd);
        }
        return names;
    }
    while (names->nelts < NAMES_MAX && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            APR_ARRAY_PUSH(names, const char *) = apr_pstrdup(tree->p,
                                                              entry->d_name);
        }
    }
    closedir(dir);
    qsort(names->elts, (size_t)names->nelts, sizeof(const char *),
          compare_names);
    return names;
}

static int is_folder(const acme_import_file_tree_t *tree, const char *path,
                     int is_link_followed)
{
    acme_result_t ignored;
    walk_t walk;

    if (open_path(&walk, tree, full_path(tree, path), is_link_followed,
                  &ignored)) {
        return 0;
    }
    close(walk.fd);
    return S_ISDIR(walk.st.st_mode);
}

int acme_import_file_is_folder(const acme_import_file_tree_t *tree,
                               const char *path)
{
    return is_folder(tree, path, 1);
}

int acme_import_file_is_real_folder(const acme_import_file_tree_t *tree,
                                    const char *path)
{
    return is_folder(tree, path, 0);
}

const char *acme_import_file_foreign(const char *path, apr_pool_t *p)
{
    const char *foreign;
    walk_t walk = { .fd = -1, .root_depth = -1 };
    apr_status_t rv = walk_along(&walk, path, 1, p);

    if (walk.fd >= 0) {
        close(walk.fd);
    }
    foreign = walk.foreign;
    return foreign ? foreign
        : rv && !APR_STATUS_IS_ENOENT(rv) && !APR_STATUS_IS_ENOTDIR(rv)
        ? path : NULL;
}

/* A word of the shell at text, up to the end of its line. */
static const char *unquote(const char *text, apr_pool_t *p)
{
    char *value = apr_pstrndup(p, text, strcspn(text, "\r\n"));
    const char quote = *value;
    char *end;

    if (quote == '\'' || quote == '"') {
        end = strchr(++value, quote);
    }
    else {
        end = strpbrk(value, " \t#;");
    }
    if (end) {
        *end = '\0';
    }
    return *value ? value : NULL;
}

const char *acme_import_file_setting(const char *text, const char *name,
                                     apr_pool_t *p)
{
    const apr_size_t len = strlen(name);
    const char *value = NULL;

    for (; text; text = strchr(text, '\n')) {
        text += strspn(text, "\n \t");
        if (!strncmp(text, "export ", 7)) {
            text += 7;
        }
        if (!strncmp(text, name, len) && text[len] == '=') {
            value = unquote(text + len + 1, p);
        }
    }
    return value;
}
