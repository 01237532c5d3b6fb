/*
 * acme_webroot.c - tokens of http-01 as files below a folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_webroot.h"

#define IN_ROOT ".well-known"
#define IN_FOLDER "acme-challenge"
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* More than a token, '.' and a thumbprint. */
#define VALUE_MAX (ACME_WEBROOT_TOKEN_MAX + 64)

/* Another job may remove a folder, which is empty, after it was opened here. */
#define TRIES_MAX 5

/* Why the folder could not be opened or made. */
static apr_status_t fail_folder(const char *path, int error,
                                acme_result_t *res)
{
    if (error == ELOOP || error == ENOTDIR) {
        return acme_fail(
            res, error,
            "%s: is a symbolic link or not a folder, so nothing is written there; remove it, or name the folder that it points to in AcmeHttp webroot",
            path);
    }
    return acme_fail_errno(res, error, "%s: cannot be opened or made", path);
}

/* The folder name in the folder fd, made if that is wanted (pmade counts it);
   -1: errno. */
static int open_folder(int *pmade, int fd, const char *name)
{
    int folder = openat(fd, name, FOLDER_FLAGS | O_NOFOLLOW);

    if (folder >= 0 || errno != ENOENT || !pmade) {
        return folder;
    }
    if (!mkdirat(fd, name, 0755)) {
        ++*pmade;
    }
    else if (errno != EEXIST) {
        return -1;
    }
    return openat(fd, name, FOLDER_FLAGS | O_NOFOLLOW);
}

/* Root, then the two folders. fds are -1 from the first on that failed. */
typedef struct {
    int fds[1 + ACME_WEBROOT_FOLDERS];
} folders_t;

static const char *const names[] = { IN_ROOT, IN_FOLDER };

static void close_folders(const folders_t *folders)
{
    int i;

    for (i = 0; i <= ACME_WEBROOT_FOLDERS; i++) {
        if (folders->fds[i] >= 0) {
            close(folders->fds[i]);
        }
    }
}

/* Closed by the caller, also after a failure. pmade as of open_folder(). Root
   itself may be a link: it is the administrator's word. */
static apr_status_t open_folders(folders_t *folders, int *pmade,
                                 const char *root, acme_result_t *res)
{
    char path[4096];
    int i;

    for (i = 0; i <= ACME_WEBROOT_FOLDERS; i++) {
        folders->fds[i] = -1;
    }
    folders->fds[0] = open(root, FOLDER_FLAGS);
    if (folders->fds[0] < 0) {
        return acme_fail_errno(
            res, errno, "%s: the folder of AcmeHttp webroot cannot be opened",
            root);
    }
    apr_cpystrn(path, root, sizeof(path));
    for (i = 0; i < ACME_WEBROOT_FOLDERS; i++) {
        const apr_size_t len = strlen(path);

        apr_snprintf(path + len, sizeof(path) - len, "/%s", names[i]);
        folders->fds[i + 1] = open_folder(pmade, folders->fds[i], names[i]);
        if (folders->fds[i + 1] < 0) {
            return fail_folder(path, errno, res);
        }
    }
    return APR_SUCCESS;
}

typedef enum { ABSENT, SAME, OTHER, UNKNOWN } content_e;

/* What is there under this name? Not opened if it is no regular file: a FIFO
   would wait for ever. UNKNOWN: errno. */
static content_e compare(int folder, const char *name, const char *value)
{
    char found[VALUE_MAX];
    content_e content = OTHER;
    struct stat st;
    ssize_t n;
    int error;
    int fd =
        openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        return errno == ENOENT                    ? ABSENT
               : errno == ELOOP || errno == ENXIO ? OTHER
                                                  : UNKNOWN;
    }
    if (fstat(fd, &st)) {
        content = UNKNOWN;
    }
    else if (S_ISREG(st.st_mode)) {
        n = read(fd, found, sizeof(found));
        if (n < 0) {
            content = UNKNOWN;
        }
        else if (n == (ssize_t)strlen(value)
                 && !memcmp(found, value, (size_t)n)) {
            content = SAME;
        }
    }
    error = errno;
    close(fd);
    errno = error;
    return content;
}

static apr_status_t fail_unknown(const char *root, const char *token,
                                 acme_result_t *res)
{
    return acme_fail_errno(res, errno,
                           "%s/" IN_ROOT "/" IN_FOLDER "/%s: cannot be read",
                           root, token);
}

/* A file that is new; one of an earlier try under that name is removed. */
static int create(int folder, const char *name)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(folder, name, flags, 0644);

    if (fd < 0 && errno == EEXIST && !unlinkat(folder, name, 0)) {
        fd = openat(folder, name, flags, 0644);
    }
    return fd;
}

/* Complete, or not there: 0 or an errno. */
static int write_token(int folder, const char *token, const char *value)
{
    char made[ACME_WEBROOT_TOKEN_MAX + 16];
    const size_t len = strlen(value);
    int fd, error = 0;

    apr_snprintf(made, sizeof(made), ".%s.new", token);
    fd = create(folder, made);
    if (fd < 0) {
        return errno;
    }
    if (write(fd, value, len) != (ssize_t)len) {
        error = errno ? errno : ENOSPC;
    }
    if (close(fd) && !error) {
        error = errno;
    }
    if (!error && renameat(folder, made, folder, token)) {
        error = errno;
    }
    if (error) {
        unlinkat(folder, made, 0);
    }
    return error;
}

static apr_status_t present_once(int *pmade, const char *root,
                                 const char *token, const char *value,
                                 acme_result_t *res)
{
    folders_t folders;
    apr_status_t rv = open_folders(&folders, pmade, root, res);

    if (rv == APR_SUCCESS) {
        const int folder = folders.fds[ACME_WEBROOT_FOLDERS];

        switch (compare(folder, token, value)) {
        case SAME:
            break;
        case OTHER:
            rv = acme_fail(
                res, EEXIST,
                "%s/" IN_ROOT "/" IN_FOLDER
                "/%s: is there already with another content, and is not replaced",
                root, token);
            break;
        case UNKNOWN:
            rv = fail_unknown(root, token, res);
            break;
        case ABSENT:
            rv = write_token(folder, token, value);
            if (rv) {
                acme_fail_errno(
                    res, rv, "%s/" IN_ROOT "/" IN_FOLDER "/%s: cannot write",
                    root, token);
            }
            break;
        }
    }
    close_folders(&folders);
    return rv;
}

apr_status_t acme_webroot_present(int *pmade, const char *root,
                                  const char *token, const char *value,
                                  acme_result_t *res)
{
    apr_status_t rv;
    int tries = 0;

    *pmade = 0;
    do {
        rv = present_once(pmade, root, token, value, res);
    } while (rv == ENOENT && ++tries < TRIES_MAX);
    if (*pmade > ACME_WEBROOT_FOLDERS) {
        *pmade = ACME_WEBROOT_FOLDERS;
    }
    return rv;
}

apr_status_t acme_webroot_cleanup(const char *root, const char *token,
                                  const char *value, int count,
                                  acme_result_t *res)
{
    char made[ACME_WEBROOT_TOKEN_MAX + 16];
    folders_t folders;
    apr_status_t rv = open_folders(&folders, NULL, root, res);
    const int folder = folders.fds[ACME_WEBROOT_FOLDERS];
    const int has_root = folders.fds[0] >= 0;
    int i;

    if (rv == APR_SUCCESS) {
        apr_snprintf(made, sizeof(made), ".%s.new", token);
        unlinkat(folder, made, 0);
        switch (compare(folder, token, value)) {
        case ABSENT:
            break;
        case SAME:
            if (unlinkat(folder, token, 0) && errno != ENOENT) {
                rv = acme_fail_errno(res, errno,
                                     "%s/" IN_ROOT "/" IN_FOLDER
                                     "/%s: cannot remove",
                                     root, token);
            }
            break;
        case OTHER:
            rv = acme_fail(res, EEXIST,
                           "%s/" IN_ROOT "/" IN_FOLDER
                           "/%s: has another content now, and is not removed",
                           root, token);
            break;
        case UNKNOWN:
            rv = fail_unknown(root, token, res);
            break;
        }
    }
    /* Those that are not empty stay. */
    for (i = ACME_WEBROOT_FOLDERS; i > 0 && count > 0; i--, count--) {
        if (folders.fds[i - 1] >= 0) {
            unlinkat(folders.fds[i - 1], names[i - 1], AT_REMOVEDIR);
        }
    }
    close_folders(&folders);
    /* Without the folder itself nothing is known: it may not be mounted. */
    return rv == ENOENT && has_root ? APR_SUCCESS : rv;
}
