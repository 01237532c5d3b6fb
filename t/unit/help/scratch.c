/*
 * scratch.c - the folder, and libc's calls with a fault before them.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <apr_file_info.h>

#include "scratch.h"

char scratch_dir[64];
int scratch_step;
int scratch_errno;

static int scratch_fault(void)
{
    if (scratch_step == 0 || --scratch_step > 0) {
        return 0;
    }
    if (scratch_errno == 0) {
        _exit(CHILD_DIED);
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

int scratch_setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    scratch_step = 0;
    umask(022);
    strcpy(scratch_dir, "/tmp/acme-test-XXXXXX");
    return mkdtemp(scratch_dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static void remove_folder(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int scratch_teardown(void **state)
{
    scratch_step = 0;
    remove_folder(scratch_dir);
    return pool_teardown(state);
}

const char *at(const char *fmt, ...)
{
    const char *name;
    va_list args;

    va_start(args, fmt);
    name = apr_pvsprintf(pool, fmt, args);
    va_end(args);
    return apr_pstrcat(pool, scratch_dir, "/", name, NULL);
}

void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

const char *text_of(const char *path)
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

static const char *copy_from, *copy_to;

static void copy_file(const char *path, const char *to, mode_t mode)
{
    static char data[65536];
    int in = open(path, O_RDONLY);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ssize_t len = read(in, data, sizeof(data));

    assert_true(len >= 0 && len < (ssize_t)sizeof(data));
    assert_int_equal(write(out, data, (size_t)len), len);
    assert_int_equal(fchmod(out, mode), 0);
    close(in);
    close(out);
}

static int copy_one(const char *path, const struct stat *st, int type,
                    struct FTW *where)
{
    const char *to = apr_pstrcat(pool, copy_to, path + strlen(copy_from),
                                 NULL);
    char target[256];
    ssize_t len;

    (void)where;
    if (type == FTW_D) {
        assert_int_equal(mkdir(to, 0700), 0);
        assert_int_equal(chmod(to, st->st_mode & 07777), 0);
    }
    else if (type == FTW_SL) {
        len = readlink(path, target, sizeof(target) - 1);
        assert_true(len > 0);
        target[len] = '\0';
        assert_int_equal(symlink(target, to), 0);
    }
    else if (S_ISREG(st->st_mode)) {
        copy_file(path, to, st->st_mode & 07777);
    }
    return 0;
}

void copy_folder(const char *from, const char *to)
{
    remove_folder(to);
    copy_from = from;
    copy_to = to;
    assert_int_equal(nftw(from, copy_one, 8, FTW_PHYS), 0);
}

int mode_of(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

int count(const char *path)
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
