/*
 * acme_file.c - files that are complete or absent.
 *
 * One process writes in a store (acme_store_lock), so a file with a temporary
 * name is left from a crash and can be removed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "acme_cleanse.h"
#include "acme_file.h"

#define REMOVE_DEPTH_MAX 16     /* we make two; each costs a descriptor */

typedef struct {
    const char *path;
    apr_size_t size;
    int fd;
} opened_t;

/* The remedy for the administrator, or NULL. */
static const char *advice_on(apr_status_t status)
{
    switch (status) {
    case ENOSPC:
        return "the file system is full, free some space";
    case EDQUOT:
        return "the disk quota is used up, raise it or free some space";
    case EROFS:
        return "the file system is read-only, mount it writable";
    case EACCES:
    case EPERM:
        return "not permitted to the user that httpd was started as";
    default:
        return NULL;
    }
}

static apr_status_t file_fail(acme_result_t *res, apr_status_t status,
                              const char *path, const char *action)
{
    const char *text = advice_on(status);

    if (text) {
        acme_fail(res, status, "%s: cannot %s: %s", path, action, text);
    }
    else {
        acme_fail_errno(res, status, "%s: cannot %s", path, action);
    }
    return acme_result_reason(res, ACME_REASON_STORE_UNWRITABLE);
}

const char *acme_file_folder(const char *path, apr_pool_t *p)
{
    const char *name = apr_filepath_name_get(path);

    return name == path ? "." : apr_pstrmemdup(p, path, name - path);
}

/* No id begins with '.', so no other file has this name. */
static const char *temp_of(const char *path, apr_pool_t *p)
{
    const char *name = apr_filepath_name_get(path);

    return apr_psprintf(p, "%.*s.%s.new", (int)(name - path), path, name);
}

static apr_status_t write_all(int fd, const char *data, apr_size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            data += n;
            len -= n;
        }
    }
    return APR_SUCCESS;
}

/* Remove name, a file or a folder, without ever following a link. */
static apr_status_t remove_at(int parent, const char *name, int depth)
{
    apr_status_t rv = APR_SUCCESS;
    struct dirent *entry;
    DIR *dir;
    int fd;

    if (unlinkat(parent, name, 0) == 0) {
        return APR_SUCCESS;
    }
    /* A folder is EISDIR to Linux and EPERM to POSIX. */
    if (errno != EISDIR && errno != EPERM) {
        return errno;
    }
    if (depth == REMOVE_DEPTH_MAX) {
        return ENAMETOOLONG;
    }
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    dir = fdopendir(fd);
    if (!dir) {
        rv = errno;
        close(fd);
        return rv;
    }
    while (rv == APR_SUCCESS && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) {
            rv = remove_at(fd, entry->d_name, depth + 1);
        }
    }
    closedir(dir);
    if (rv == APR_SUCCESS && unlinkat(parent, name, AT_REMOVEDIR) < 0) {
        rv = errno;
    }
    return rv;
}

typedef enum { LATER, NOW } sync_e;

/* Write a new file with its mode, in place of what is there. */
static apr_status_t write_new(const char *path, const void *data,
                              apr_size_t len, mode_t mode, sync_e when)
{
    apr_status_t rv;
    int fd;

    (void)remove_at(AT_FDCWD, path, 0);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
              0600);
    if (fd < 0) {
        return errno;
    }
    rv = write_all(fd, data, len);
    /* After the data: until it has its mode, only the owner has it. */
    if (rv == APR_SUCCESS
        && (fchmod(fd, mode) < 0 || (when == NOW && fsync(fd) < 0))) {
        rv = errno;
    }
    if (close(fd) < 0 && rv == APR_SUCCESS) {
        rv = errno;
    }
    return rv;
}

/* Beside its place, and then there. */
static apr_status_t write_beside(const char *path, const void *data,
                                 apr_size_t len, mode_t mode, sync_e when,
                                 acme_result_t *res, apr_pool_t *p)
{
    const char *temp = temp_of(path, p);
    apr_status_t rv;

    rv = write_new(temp, data, len, mode, when);
    if (rv != APR_SUCCESS) {
        file_fail(res, rv, path, "write");
        goto out;
    }
    rv = acme_file_rename(temp, path, res);
out:
    if (rv != APR_SUCCESS) {
        (void)unlink(temp);
    }
    return rv;
}

apr_status_t acme_file_write(const char *path, const void *data,
                             apr_size_t len, mode_t mode, acme_result_t *res,
                             apr_pool_t *p)
{
    apr_status_t rv = write_beside(path, data, len, mode, NOW, res, p);

    return rv == APR_SUCCESS
        ? acme_file_sync(acme_file_folder(path, p), res) : rv;
}

apr_status_t acme_file_update(const char *path, const void *data,
                              apr_size_t len, mode_t mode, acme_result_t *res,
                              apr_pool_t *p)
{
    return write_beside(path, data, len, mode, NOW, res, p);
}

apr_status_t acme_file_put(const char *path, const void *data, apr_size_t len,
                           mode_t mode, acme_result_t *res)
{
    apr_status_t rv = write_new(path, data, len, mode, LATER);

    if (rv != APR_SUCCESS) {
        file_fail(res, rv, path, "write");
        (void)unlink(path);
    }
    return rv;
}

apr_status_t acme_file_replace(const char *path, const void *data,
                               apr_size_t len, mode_t mode,
                               acme_result_t *res, apr_pool_t *p)
{
    return write_beside(path, data, len, mode, LATER, res, p);
}

static apr_status_t not_regular(acme_result_t *res, const char *path)
{
    return acme_fail(res, APR_EGENERAL, "%s: not a regular file", path);
}

/* Open a regular file of at most max octets. */
static apr_status_t file_open(opened_t *file, const char *path,
                              apr_size_t max, acme_result_t *res)
{
    struct stat st;
    apr_status_t rv;

    file->path = path;
    /* O_NONBLOCK: a FIFO must not hold us up before we see what it is. */
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file->fd < 0) {
        rv = errno;
        /* Systems differ in what they call a link or a socket here. */
        if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
            return not_regular(res, path);
        }
        return file_fail(res, rv, path, "open");
    }
    if (fstat(file->fd, &st) < 0) {
        rv = file_fail(res, errno, path, "read");
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        rv = not_regular(res, path);
        goto out;
    }
    if ((apr_uint64_t)st.st_size > max) {
        rv = acme_fail(res, APR_EGENERAL, "%s: longer than %" APR_SIZE_T_FMT
                       " octets", path, max);
        goto out;
    }

    file->size = (apr_size_t)st.st_size;
    return APR_SUCCESS;
out:
    close(file->fd);
    return rv;
}

/* Read all into buf, which has room for a NUL as well, and close. */
static apr_status_t file_finish(const char **pdata, apr_size_t *plen,
                                opened_t *file, char *buf, acme_result_t *res)
{
    apr_status_t rv = APR_SUCCESS;
    apr_size_t len = 0;
    ssize_t n = 1;

    while (len < file->size && n) {
        n = read(file->fd, buf + len, file->size - len);
        if (n > 0) {
            len += n;
        }
        else if (n < 0 && errno != EINTR) {
            rv = file_fail(res, errno, file->path, "read");
            goto out;
        }
    }
    buf[len] = '\0';
    *pdata = buf;
    *plen = len;
out:
    close(file->fd);
    return rv;
}

static void *alloc_plain(apr_size_t size, apr_pool_t *p)
{
    return apr_palloc(p, size);
}

static apr_status_t read_into(const char **pdata, apr_size_t *plen,
                              const char *path, apr_size_t max,
                              void *(*alloc)(apr_size_t size, apr_pool_t *p),
                              acme_result_t *res, apr_pool_t *p)
{
    opened_t file;
    apr_status_t rv;

    *pdata = NULL;
    *plen = 0;

    rv = file_open(&file, path, max, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return file_finish(pdata, plen, &file, alloc(file.size + 1, p), res);
}

apr_status_t acme_file_read(const char **pdata, apr_size_t *plen,
                            const char *path, apr_size_t max,
                            acme_result_t *res, apr_pool_t *p)
{
    return read_into(pdata, plen, path, max, alloc_plain, res, p);
}

apr_status_t acme_file_read_secret(const char **pdata, apr_size_t *plen,
                                   const char *path, apr_size_t max,
                                   acme_result_t *res, apr_pool_t *p)
{
    return read_into(pdata, plen, path, max, acme_cleanse_alloc, res, p);
}

apr_status_t acme_file_rename(const char *from, const char *to,
                              acme_result_t *res)
{
    return rename(from, to) < 0 ? file_fail(res, errno, to, "put in place")
                                : APR_SUCCESS;
}

apr_status_t acme_file_move(const char *from, const char *to,
                            acme_result_t *res, apr_pool_t *p)
{
    const char *source = acme_file_folder(from, p);
    const char *target = acme_file_folder(to, p);
    apr_status_t rv = acme_file_rename(from, to, res);

    if (rv == APR_SUCCESS) {
        rv = acme_file_sync(target, res);
    }
    if (rv == APR_SUCCESS && strcmp(source, target)) {
        rv = acme_file_sync(source, res);
    }
    return rv;
}

/* Check that the open folder belongs to us, and set its mode. */
static apr_status_t own_dir(int fd, const char *path, mode_t mode,
                            acme_result_t *res)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return file_fail(res, errno, path, "read");
    }
    if (st.st_uid != geteuid()) {
        return acme_fail(
            res, EPERM,
            "%s: belongs to uid %ld, not to uid %ld that httpd was started as: chown it",
            path, (long)st.st_uid, (long)geteuid());
    }
    if ((st.st_mode & 0777) != mode && fchmod(fd, mode) < 0) {
        return file_fail(res, errno, path, "set the mode");
    }
    return APR_SUCCESS;
}

apr_status_t acme_file_dir_put(int *pmade, const char *path, mode_t mode,
                               acme_result_t *res)
{
    const int made = mkdir(path, 0700) == 0;
    struct stat st;
    apr_status_t rv;
    int fd;

    *pmade = made;
    if (!made && errno != EEXIST) {
        return file_fail(res, errno, path, "make the folder");
    }
    /* A strict umask could keep even us from opening it. */
    if (made && chmod(path, mode) < 0) {
        return file_fail(res, errno, path, "set the mode");
    }
    if (lstat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        return acme_fail(res, APR_ENOTDIR, "%s: not a folder", path);
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return file_fail(res, errno, path, "open the folder");
    }
    rv = own_dir(fd, path, mode, res);
    close(fd);
    return rv;
}

apr_status_t acme_file_dir_make(const char *path, mode_t mode,
                                acme_result_t *res, apr_pool_t *p)
{
    int ignored;
    const apr_status_t rv = acme_file_dir_put(&ignored, path, mode, res);

    return rv == APR_SUCCESS
        ? acme_file_sync(acme_file_folder(path, p), res) : rv;
}

apr_status_t acme_file_sync(const char *path, acme_result_t *res)
{
    apr_status_t rv = APR_SUCCESS;
    int fd;

    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return file_fail(res, errno, path, "open");
    }
    /* EINVAL: a file system whose folders have nothing to sync. */
    if (fsync(fd) < 0 && errno != EINVAL) {
        rv = file_fail(res, errno, path, "sync");
    }
    close(fd);
    return rv;
}

static apr_status_t remove_all(int *pwas_there, const char *path,
                               acme_result_t *res)
{
    const apr_status_t rv = remove_at(AT_FDCWD, path, 0);

    *pwas_there = rv == APR_SUCCESS;
    return rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv)
        ? APR_SUCCESS : file_fail(res, rv, path, "remove");
}

apr_status_t acme_file_dir_drop(const char *path, acme_result_t *res)
{
    int was_there;

    return remove_all(&was_there, path, res);
}

apr_status_t acme_file_dir_remove(const char *path, acme_result_t *res,
                                  apr_pool_t *p)
{
    int was_there;
    apr_status_t rv = remove_all(&was_there, path, res);

    return rv == APR_SUCCESS && was_there
        ? acme_file_sync(acme_file_folder(path, p), res) : rv;
}

apr_status_t acme_file_link_put(const char *link, const char *target,
                                acme_result_t *res, apr_pool_t *p)
{
    const char *temp = temp_of(link, p);
    apr_status_t rv;

    (void)remove_at(AT_FDCWD, temp, 0);
    if (symlink(target, temp) < 0) {
        return file_fail(res, errno, link, "make the symbolic link");
    }
    rv = acme_file_rename(temp, link, res);
    if (rv != APR_SUCCESS) {
        (void)unlink(temp);
    }
    return rv;
}

apr_status_t acme_file_link_swap(const char *link, const char *target,
                                 acme_result_t *res, apr_pool_t *p)
{
    const apr_status_t rv = acme_file_link_put(link, target, res, p);

    return rv == APR_SUCCESS
        ? acme_file_sync(acme_file_folder(link, p), res) : rv;
}
