/*
 * scratch.h - a folder for a test, and faults at any step of what it tests.
 *
 * Each test has a store of its own in scratch_dir. The program's own fsync(),
 * rename(), mkdir(), symlink() and unlinkat() stand before libc's: the step
 * that scratch_step counts down to fails, or is where the process dies.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>
#endif

#include <apr_file_info.h>

#include "acme_file.h"
#include "acme_store.h"
#include "pool.h"

#define SCRATCH_DIED 77         /* exit code of a process that died on demand */
#define SCRATCH_SKIP 78         /* exit code: this machine cannot do that */

static char scratch_dir[64];
static int scratch_step;        /* 0: no faults; 1: the next step */
static int scratch_errno;       /* how that step fails; 0: dies */

static int scratch_fault(void)
{
    if (scratch_step == 0 || --scratch_step > 0) {
        return 0;
    }
    if (scratch_errno == 0) {
        _exit(SCRATCH_DIED);
    }
    errno = scratch_errno;
    return 1;
}

int fsync(int fd)
{
    (void)fd;
    return scratch_fault() ? -1 : 0;
}

int rename(const char *from, const char *to)
{
    return scratch_fault() ? -1 : renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int mkdir(const char *path, mode_t mode)
{
    return scratch_fault() ? -1 : mkdirat(AT_FDCWD, path, mode);
}

int symlink(const char *target, const char *path)
{
    return scratch_fault() ? -1 : symlinkat(target, AT_FDCWD, path);
}

int unlinkat(int dir, const char *path, int flags)
{
    return scratch_fault() ? -1
                           : (int)syscall(SYS_unlinkat, dir, path, flags);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

static inline int scratch_setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    scratch_step = 0;
    umask(022);
    strcpy(scratch_dir, "/tmp/acme-test-XXXXXX");
    return mkdtemp(scratch_dir) ? 0 : -1;
}

static inline int scratch_teardown(void **state)
{
    acme_result_t res;

    scratch_step = 0;
    acme_file_dir_remove(scratch_dir, &res, pool);
    return pool_teardown(state);
}

/* A path below the scratch folder, from a format. */
static inline const char *at(const char *fmt, ...)
{
    const char *name;
    va_list args;

    va_start(args, fmt);
    name = apr_pvsprintf(pool, fmt, args);
    va_end(args);
    return apr_pstrcat(pool, scratch_dir, "/", name, NULL);
}

static inline void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* The text of a small file, or NULL. */
static inline const char *text_of(const char *path)
{
    char text[4096];
    FILE *f = fopen(path, "r");
    size_t len;

    if (!f) {
        return NULL;
    }
    len = fread(text, 1, sizeof(text), f);
    fclose(f);
    return apr_pstrmemdup(pool, text, len);
}

/* An array of the words in text. */
static inline apr_array_header_t *words(const char *text)
{
    apr_array_header_t *list = apr_array_make(pool, 4,
                                              sizeof(const char *));
    char *last, *word, *copy = apr_pstrdup(pool, text);

    for (word = apr_strtok(copy, " ", &last); word;
         word = apr_strtok(NULL, " ", &last)) {
        APR_ARRAY_PUSH(list, const char *) = word;
    }
    return list;
}

/* The mode without the type, or -1 when there is nothing. */
static inline int mode_of(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

/* How many names a folder has; -1 when there is none. */
static inline int count(const char *path)
{
    apr_finfo_t info;
    apr_dir_t *dir;
    int n = 0;

    if (apr_dir_open(&dir, path, pool) != APR_SUCCESS) {
        return -1;
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        n += strcmp(info.name, ".") && strcmp(info.name, "..");
    }
    apr_dir_close(dir);
    return n;
}

static inline acme_store_t *open_store(void)
{
    acme_store_t *store;
    acme_result_t res;

    if (acme_store_open(&store, at("store"), &res, pool)) {
        fail_msg("%s", res.detail);
    }
    return store;
}

/* Exit code of a process that runs step(data): what that returned. */
static inline int in_child(int (*step)(void *data), void *data)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        int code = step(data);

        fflush(NULL);
        _exit(code);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* As in_child(), and the test is skipped when the child could not do it. */
static inline void assert_child(int (*step)(void *data), void *data)
{
    int code = in_child(step, data);

    if (code == SCRATCH_SKIP) {
        print_message("skipped: needs root and a mount namespace\n");
        skip();
    }
    assert_int_equal(code, 0);
}

/* In a child: a file system of this many KB at path, seen by no one else. */
static inline int mount_small(const char *path, const char *options)
{
#ifdef __linux__
    return unshare(CLONE_NEWNS) == 0
           && mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0
           && mount("none", path, "tmpfs", 0, options) == 0;
#else
    (void)path;
    (void)options;
    return 0;
#endif
}

static inline int mount_read_only(const char *path)
{
#ifdef __linux__
    return mount("none", path, "tmpfs", MS_REMOUNT | MS_RDONLY, "") == 0;
#else
    (void)path;
    return 0;
#endif
}

/* In a child, whose cmocka nobody asks: say where it failed, and leave. */
#define CHECK(that) \
    do { \
        if (!(that)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #that); \
            return 1; \
        } \
    } while (0)

#define SCRATCH_TEST(test) \
    cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

#endif
