/*
 * acme_outside.c - files outside of the store, in folders that may belong to
 * somebody else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/xattr.h>
#endif

#include <apr_strings.h>

#include "acme_cleanse.h"
#include "acme_outside.h"

#define LINKS_MAX 40            /* as Linux */
#define LINK_SIZE 4096
#define FILE_MAX (1024 * 1024)  /* octets of one that is compared */
#define TAKEN_MAX 1000          /* ".1", ".2", ... */

/* A file in each set: who cannot write in a folder cannot put it there, so it
   tells a set from another folder of somebody's that got its name. */
#define MARK ".acme-export"

/* A folder on the way needs to be searched only. */
#ifdef O_PATH
#define ON_THE_WAY (O_PATH | O_DIRECTORY | O_CLOEXEC)
#else
#define ON_THE_WAY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif

static const char *advice_on(apr_status_t status)
{
    switch (status) {
    case ENOENT:
        return ": the folder does not exist, create it";
    case ELOOP:
        return ": a symbolic link in a folder that others can write to is not followed";
    case ENOTDIR:
        return ": not a folder, or a symbolic link in a folder that others can write to, which is not followed";
    case EACCES:
    case EPERM:
        return ": not permitted to the user that httpd was started as; only root can give a file to another owner";
    case EROFS:
        return ": the file system is read-only, mount it writable";
    case ENOSPC:
        return ": the file system is full, free some space";
    default:
        return NULL;
    }
}

static apr_status_t outside_fail(acme_result_t *res, apr_status_t status,
                                 const char *path, const char *action)
{
    const char *text = advice_on(status);

    return text ? acme_fail(res, status, "%s: cannot %s%s", path, action, text)
                : acme_fail_errno(res, status, "%s: cannot %s", path, action);
}

/* Can nobody but us and root change what is in the folder? */
static int is_ours(int fd)
{
    struct stat st;

    return !fstat(fd, &st) && (st.st_uid == 0 || st.st_uid == geteuid())
           && !(st.st_mode & 022);
}

/* On the way to a folder. */
typedef struct {
    int fd;
    int is_trusted;             /* all folders so far are ours */
    int links;
    char *rest;                 /* of the path */
} walk_t;

static apr_status_t enter(walk_t *walk, const char *name)
{
    const int next = openat(walk->fd, name, ON_THE_WAY | O_NOFOLLOW);

    if (next < 0) {
        return errno;
    }
    close(walk->fd);
    walk->fd = next;
    walk->is_trusted = walk->is_trusted && is_ours(next);
    return APR_SUCCESS;
}

static apr_status_t enter_root(walk_t *walk)
{
    const int fd = open("/", ON_THE_WAY);

    if (fd < 0) {
        return errno;
    }
    if (walk->fd >= 0) {
        close(walk->fd);
    }
    walk->fd = fd;
    walk->is_trusted = is_ours(fd);
    return APR_SUCCESS;
}

/* The first word of the rest, which begins behind it then; NULL: the end. */
static char *next_word(walk_t *walk)
{
    char *word = walk->rest + strspn(walk->rest, "/");
    char *end = word + strcspn(word, "/");

    walk->rest = *end ? end + 1 : end;
    *end = '\0';
    return *word ? word : NULL;
}

/*
 * Links are read here, and not by the kernel: those below a folder that others
 * can write to are theirs, wherever the way to them began.
 */
static apr_status_t step(walk_t *walk, const char *word, apr_pool_t *p)
{
    char target[LINK_SIZE];
    ssize_t n;

    if (!strcmp(word, ".")) {
        return APR_SUCCESS;
    }
    if (!walk->is_trusted) {
        return strcmp(word, "..") ? enter(walk, word) : ELOOP;
    }
    n = readlinkat(walk->fd, word, target, sizeof(target) - 1);
    if (n < 0) {
        return enter(walk, word);
    }
    if (++walk->links > LINKS_MAX || n == sizeof(target) - 1) {
        return ELOOP;
    }
    target[n] = '\0';
    walk->rest = apr_pstrcat(p, target, "/", walk->rest, NULL);
    return *target == '/' ? enter_root(walk) : APR_SUCCESS;
}

/* Open the folder at path, absolute; *pfd is -1 after a failure. */
static apr_status_t open_folder(int *pfd, const char *path, apr_pool_t *p)
{
    walk_t walk = { .fd = -1, .rest = apr_pstrdup(p, path) };
    apr_status_t rv = enter_root(&walk);
    const char *word;

    *pfd = -1;
    while (rv == APR_SUCCESS && (word = next_word(&walk)) != NULL) {
        rv = step(&walk, word, p);
    }
    if (rv == APR_SUCCESS) {
        *pfd = openat(walk.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        rv = *pfd < 0 ? errno : APR_SUCCESS;
    }
    if (walk.fd >= 0) {
        close(walk.fd);
    }
    return rv;
}

/* An entry of a list that the folder handed down would get the rights that the
   mode gives to the group. Lists of NFSv4, and of other systems, stay. */
static void drop_lists(int fd)
{
#ifdef __linux__
    (void)fremovexattr(fd, "system.posix_acl_access");
    (void)fremovexattr(fd, "system.posix_acl_default");
#else
    (void)fd;
#endif
}

static mode_t folder_mode(mode_t mode)
{
    return mode | (mode & 0444) >> 2;
}

/* Who has it from now on. Nobody else had it before: until it has its group,
   which is the folder's in many a folder, the mode is the one it began with. */
static apr_status_t give(int fd, mode_t mode,
                         const acme_outside_rights_t *rights)
{
    drop_lists(fd);
    return fchown(fd, rights->uid, rights->gid) || fchmod(fd, mode) ? errno
        : APR_SUCCESS;
}

static int has_rights(const struct stat *st, mode_t mode,
                      const acme_outside_rights_t *rights)
{
    return (st->st_mode & 07777) == mode && st->st_uid == rights->uid
           && st->st_gid == rights->gid;
}

/* Its octets, in p, which overwrites them; 0: they cannot be read. */
static int read_all(acme_octets_t *file, int fd, apr_size_t size,
                    apr_pool_t *p)
{
    unsigned char *data = acme_cleanse_alloc(size + 1, p);
    apr_size_t len = 0;
    ssize_t n = 1;

    while (len < size && n > 0) {
        n = read(fd, data + len, size - len);
        len += n > 0 ? (apr_size_t)n : 0;
    }
    *file = (acme_octets_t) { data, len };
    return len == size;
}

/* Whatever stands there: O_NONBLOCK, as a FIFO must not hold us up. */
static int is_there(int folder, const char *name,
                    const acme_outside_file_t *file,
                    const acme_outside_rights_t *rights, apr_pool_t *p)
{
    const int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK
                                            | O_NOCTTY | O_CLOEXEC);
    acme_octets_t found;
    struct stat st;
    int same = 0;

    if (fd < 0) {
        return 0;
    }
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_nlink == 1
        && has_rights(&st, rights->mode, rights) && st.st_size <= FILE_MAX
        && (file->is_same || (apr_size_t)st.st_size == file->data.len)
        && read_all(&found, fd, (apr_size_t)st.st_size, p)) {
        same = file->is_same
            ? file->is_same(file->baton, found, p)
            : !memcmp(found.data, file->data.data, found.len);
    }
    close(fd);
    return same;
}

static apr_status_t write_all(int fd, const acme_octets_t *data)
{
    const unsigned char *at = data->data;
    apr_size_t len = data->len;

    while (len) {
        const ssize_t n = write(fd, at, len);

        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            at += n;
            len -= (apr_size_t)n;
        }
    }
    return APR_SUCCESS;
}

/* Make a file of this name, which nothing may have, complete and synced. */
static apr_status_t make_file(int folder, const char *name,
                              const acme_outside_file_t *file,
                              const acme_outside_rights_t *rights)
{
    const int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL
                                            | O_NOFOLLOW | O_CLOEXEC, 0600);
    apr_status_t rv;

    if (fd < 0) {
        return errno;
    }
    rv = write_all(fd, &file->data);
    if (rv == APR_SUCCESS && fsync(fd)) {
        rv = errno;
    }
    if (rv == APR_SUCCESS) {
        rv = give(fd, rights->mode, rights);
    }
    if (close(fd) && rv == APR_SUCCESS) {
        rv = errno;
    }
    return rv;
}

static apr_status_t make_content(acme_outside_file_t *file, const char *path,
                                 acme_result_t *res, apr_pool_t *p)
{
    apr_status_t rv = APR_SUCCESS;

    if (file->make) {
        rv = file->make(&file->data, file->baton, res, p);
        if (rv != APR_SUCCESS) {
            acme_result_prefix(res, path);
        }
    }
    return rv;
}

/* EINVAL: a file system whose folders have nothing to sync. */
static apr_status_t sync_folder(int folder)
{
    return fsync(folder) && errno != EINVAL ? errno : APR_SUCCESS;
}

/* Nothing of ours has this name but what a crash left. */
static const char *new_name(int folder, const char *name, apr_pool_t *p)
{
    const char *made = apr_pstrcat(p, ".", name, ".acme-new", NULL);

    if (unlinkat(folder, made, 0)) {
        (void)unlinkat(folder, made, AT_REMOVEDIR);
    }
    return made;
}

static apr_status_t put_in_place(int folder, const char *made,
                                 const char *name)
{
    if (renameat(folder, made, folder, name)) {
        return errno;
    }
    return sync_folder(folder);
}

apr_status_t acme_outside_write(int *pwritten, const char *path,
                                const acme_outside_file_t *file,
                                const acme_outside_rights_t *rights,
                                acme_result_t *res, apr_pool_t *p)
{
    const char *name = strrchr(path, '/') + 1;
    acme_outside_file_t content = *file;
    const char *made;
    apr_status_t rv;
    int folder;

    *pwritten = 0;
    rv = open_folder(&folder, apr_pstrmemdup(p, path,
                                             (apr_size_t)(name - path)), p);
    if (rv != APR_SUCCESS) {
        return outside_fail(res, rv, path, "be written");
    }
    if (is_there(folder, name, file, rights, p)) {
        close(folder);
        return APR_SUCCESS;
    }
    rv = make_content(&content, path, res, p);
    if (rv != APR_SUCCESS) {
        close(folder);
        return rv;
    }
    made = new_name(folder, name, p);
    rv = make_file(folder, made, &content, rights);
    if (rv == APR_SUCCESS) {
        rv = put_in_place(folder, made, name);
    }
    *pwritten = rv == APR_SUCCESS;
    if (rv != APR_SUCCESS) {
        (void)unlinkat(folder, made, 0);
        outside_fail(res, rv, path, "be written");
    }
    close(folder);
    return rv;
}

/* Sets. */

typedef struct {
    int folder;                 /* the one with the link */
    const apr_array_header_t *files;
    const apr_array_header_t *names;
    const acme_outside_rights_t *rights;
    apr_pool_t *p;
} set_t;

/* "acme-12", "acme-12.1": what we name so, and link to. */
static int is_set(const char *name)
{
    const apr_size_t len = sizeof(ACME_OUTSIDE_SET) - 1;

    return !strncmp(name, ACME_OUTSIDE_SET, len) && name[len]
           && !name[len + strspn(name + len, "0123456789.")];
}

/* The files with their content. */
static apr_status_t make_contents(set_t *set, const char *path,
                                  acme_result_t *res)
{
    apr_array_header_t *files = apr_array_copy(set->p, set->files);
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < files->nelts; i++) {
        rv = make_content(&APR_ARRAY_IDX(files, i, acme_outside_file_t), path,
                          res, set->p);
    }
    set->files = files;
    return rv;
}

/* The folder that the link points to, in p; NULL: to none of ours. */
static const char *current_of(const set_t *set)
{
    char target[NAME_MAX + 1];
    const ssize_t n = readlinkat(set->folder, ACME_OUTSIDE_CURRENT, target,
                                 sizeof(target) - 1);

    if (n < 0) {
        return NULL;
    }
    target[n] = '\0';
    return is_set(target) ? apr_pstrdup(set->p, target) : NULL;
}

static int open_set(const set_t *set, const char *name)
{
    return openat(set->folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW
                                         | O_CLOEXEC);
}

static int has_all(const set_t *set, const char *name)
{
    const int fd = name ? open_set(set, name) : -1;
    struct stat st;
    int i, same;

    if (fd < 0) {
        return 0;
    }
    same = !fstat(fd, &st) && has_rights(&st, folder_mode(set->rights->mode),
                                         set->rights);
    for (i = 0; same && i < set->files->nelts; i++) {
        const acme_outside_file_t *file =
            &APR_ARRAY_IDX(set->files, i, acme_outside_file_t);

        same = is_there(fd, file->name, file, set->rights, set->p);
    }
    close(fd);
    return same;
}

static int has_mark(int fd)
{
    struct stat st;

    return !fstatat(fd, MARK, &st, AT_SYMLINK_NOFOLLOW)
           && S_ISREG(st.st_mode) && st.st_uid == geteuid();
}

/* What others put into it stays, and the folder with it. */
static void empty_set(const set_t *set, int fd)
{
    int i;

    for (i = 0; i < set->names->nelts; i++) {
        (void)unlinkat(fd, APR_ARRAY_IDX(set->names, i, const char *), 0);
    }
    (void)unlinkat(fd, MARK, 0);
}

/* The owner of the folder may have renamed another one, of root's or of a
   third user: nothing is removed in that. */
static void remove_set(const set_t *set, const char *name)
{
    const int fd = open_set(set, name);

    if (fd >= 0) {
        if (has_mark(fd)) {
            empty_set(set, fd);
        }
        close(fd);
    }
    (void)unlinkat(set->folder, name, AT_REMOVEDIR);
}

/* A stream of the names in the folder; NULL: it cannot be read. */
static DIR *names_in(int folder)
{
    const int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir && fd >= 0) {
        close(fd);
    }
    return dir;
}

/*
 * Is it a folder that we made a moment ago? Whoever owns the one above it can
 * put another of ours in its place, but not an empty one with a secret in it.
 */
static int is_new(int fd)
{
    const struct dirent *entry;
    struct stat st;
    DIR *dir;

    if (fstat(fd, &st) || st.st_uid != geteuid()
        || (dir = names_in(fd)) == NULL) {
        return 0;
    }
    do {
        entry = readdir(dir);
    } while (entry && (!strcmp(entry->d_name, ".")
                       || !strcmp(entry->d_name, "..")));
    closedir(dir);
    return !entry;
}

/* A folder of a name that is free; *pname is in p. */
static apr_status_t make_set(const char **pname, int *pfd, const set_t *set,
                             int n)
{
    int i;

    *pname = apr_psprintf(set->p, ACME_OUTSIDE_SET "%d", n);
    for (i = 1; mkdirat(set->folder, *pname, 0700); i++) {
        if (errno != EEXIST || i == TAKEN_MAX) {
            return errno;
        }
        *pname = apr_psprintf(set->p, ACME_OUTSIDE_SET "%d.%d", n, i);
    }
    *pfd = open_set(set, *pname);
    if (*pfd < 0) {
        return errno;
    }
    if (!is_new(*pfd)) {        /* whose owner would lose it */
        close(*pfd);
        *pfd = -1;
        return EPERM;
    }
    drop_lists(*pfd);
    return APR_SUCCESS;
}

static apr_status_t fill_set(const set_t *set, int fd)
{
    static const acme_outside_file_t empty = { .name = MARK };
    const acme_outside_rights_t ours = { 0600, geteuid(), getegid() };
    apr_status_t rv = make_file(fd, MARK, &empty, &ours);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < set->files->nelts; i++) {
        const acme_outside_file_t *file =
            &APR_ARRAY_IDX(set->files, i, acme_outside_file_t);

        rv = make_file(fd, file->name, file, set->rights);
    }
    if (rv == APR_SUCCESS) {
        rv = sync_folder(fd);
    }
    return rv != APR_SUCCESS
        ? rv : give(fd, folder_mode(set->rights->mode), set->rights);
}

static apr_status_t link_set(const set_t *set, const char *name)
{
    const char *made = new_name(set->folder, ACME_OUTSIDE_CURRENT, set->p);
    apr_status_t rv = sync_folder(set->folder);

    if (rv == APR_SUCCESS && symlinkat(name, set->folder, made)) {
        rv = errno;
    }
    if (rv == APR_SUCCESS) {
        rv = put_in_place(set->folder, made, ACME_OUTSIDE_CURRENT);
        if (rv != APR_SUCCESS) {
            (void)unlinkat(set->folder, made, 0);
        }
    }
    return rv;
}

/* Who opened the link a moment ago reads the one before: all but these two
   go, also what a job that was ended left. */
static void remove_old(const set_t *set, const char *before,
                       const char *current)
{
    apr_array_header_t *old = apr_array_make(set->p, 4, sizeof(const char *));
    DIR *dir = names_in(set->folder);
    const struct dirent *entry;
    int i;

    while (dir && (entry = readdir(dir)) != NULL) {
        if (is_set(entry->d_name) && strcmp(entry->d_name, current)
            && !(before && !strcmp(entry->d_name, before))) {
            APR_ARRAY_PUSH(old, const char *) = apr_pstrdup(set->p,
                                                            entry->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    for (i = 0; i < old->nelts; i++) {
        remove_set(set, APR_ARRAY_IDX(old, i, const char *));
    }
}

/* The folder at path, or a new one in the folder above it. */
static apr_status_t open_or_make(int *pfd, const char *path, apr_pool_t *p)
{
    char *above = apr_pstrdup(p, path);
    apr_status_t rv = open_folder(pfd, path, p);
    int fd, made;
    char *name;

    if (rv != ENOENT) {
        return rv;
    }
    above[strlen(above) - 1] = '\0';
    name = strrchr(above, '/');
    if (!name) {
        return rv;
    }
    *name++ = '\0';
    rv = open_folder(&fd, above, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    made = !mkdirat(fd, name, 0755);
    if (!made && errno != EEXIST) {
        rv = errno;
        close(fd);
        return rv;
    }
    (void)sync_folder(fd);
    close(fd);
    rv = open_folder(pfd, path, p);
    if (rv == APR_SUCCESS && made && is_new(*pfd)) {
        drop_lists(*pfd);
    }
    return rv;
}

apr_status_t acme_outside_write_set(int *pwritten, const char *path, int n,
                                    const apr_array_header_t *files,
                                    const apr_array_header_t *names,
                                    const acme_outside_rights_t *rights,
                                    acme_result_t *res, apr_pool_t *p)
{
    set_t set = { .files = files, .names = names, .rights = rights, .p = p };
    const char *before, *name = NULL;
    apr_status_t rv;
    int fd = -1;

    *pwritten = 0;
    rv = open_or_make(&set.folder, path, p);
    if (rv != APR_SUCCESS) {
        return outside_fail(res, rv, path, "be written");
    }
    before = current_of(&set);
    if (has_all(&set, before)) {
        close(set.folder);
        return APR_SUCCESS;
    }
    rv = make_contents(&set, path, res);
    if (rv != APR_SUCCESS) {
        close(set.folder);
        return rv;
    }
    rv = make_set(&name, &fd, &set, n);
    if (rv == APR_SUCCESS) {
        rv = fill_set(&set, fd);
    }
    if (rv == APR_SUCCESS) {
        rv = link_set(&set, name);
    }
    if (rv == APR_SUCCESS) {
        *pwritten = 1;
        remove_old(&set, before, name);
    }
    else {
        if (fd >= 0) {
            empty_set(&set, fd);
            (void)unlinkat(set.folder, name, AT_REMOVEDIR);
        }
        outside_fail(res, rv, path, "be written");
    }
    if (fd >= 0) {
        close(fd);
    }
    close(set.folder);
    return rv;
}
