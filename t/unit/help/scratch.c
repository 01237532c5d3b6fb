/*
 * scratch.c - the folder, and libc's calls with a fault before them.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <apr_file_info.h>

#include "scratch.h"

char scratch_dir[64];
int scratch_step;
int scratch_errno;
int scratch_no_syncfs;
long scratch_fs = 0xef53;
int scratch_syncs;
const char *scratch_unsyncable;
int scratch_counts_files;

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

/*
 * What a power failure could take: inodes of files and folders that were
 * written by calls below, and not synced since.
 */
#define INODES_MAX 8192

typedef struct {
    dev_t dev;
    ino_t ino;
} inode_t;

/* Shared with children, which die in the midst. NULL: no test has begun. */
static struct {
    pthread_mutex_t lock;
    inode_t unsynced[INODES_MAX];
    int count;
    int endangered;
} *power;

static void begin_power(void)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&power->lock, &attr);
    pthread_mutexattr_destroy(&attr);
}

/* A child that was killed may have had it. */
static void lock_power(void)
{
    if (power && pthread_mutex_lock(&power->lock) == EOWNERDEAD) {
        pthread_mutex_consistent(&power->lock);
    }
}

static void unlock_power(void)
{
    if (power) {
        pthread_mutex_unlock(&power->lock);
    }
}

static int find_row(const struct stat *st)
{
    int i = power ? power->count : 0;

    while (--i >= 0 && (power->unsynced[i].ino != st->st_ino
                        || power->unsynced[i].dev != st->st_dev)) {
        continue;
    }
    return i;
}

static void mark(const struct stat *st)
{
    lock_power();
    if (power && find_row(st) < 0 && power->count < INODES_MAX) {
        power->unsynced[power->count++] =
            (inode_t) { st->st_dev, st->st_ino };
    }
    unlock_power();
}

static void unmark(const struct stat *st)
{
    int i;

    lock_power();
    i = find_row(st);
    if (i >= 0) {
        power->unsynced[i] = power->unsynced[--power->count];
    }
    unlock_power();
}

static int stat_parent(struct stat *st, const char *path)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof(copy), "%s", path);
    return lstat(dirname(copy), st);
}

static void mark_parent(const char *path)
{
    struct stat st;

    if (stat_parent(&st, path) == 0) {
        mark(&st);
    }
}

static int is_marked(const struct stat *st)
{
    int found;

    lock_power();
    found = find_row(st) >= 0;
    unlock_power();
    return found;
}

int scratch_lasts(const char *path)
{
    struct stat st, parent;

    return lstat(path, &st) == 0 && !is_marked(&st)
        && stat_parent(&parent, path) == 0 && !is_marked(&parent);
}

static int unlasting;

static int look_at_one(const char *path, const struct stat *st, int type,
                       struct FTW *where)
{
    (void)path;
    (void)type;
    (void)where;
    unlasting += is_marked(st);
    return 0;
}

/* An order.json without an order promises nothing, even if the sync of another
   file has made it last. */
static int promises(const char *path)
{
    const size_t len = strlen(path), name = strlen("/order.json");
    char text[1024] = "";
    int fd, found;

    if (len < name || strcmp(path + len - name, "/order.json")) {
        return 1;
    }
    fd = openat(AT_FDCWD, path, O_RDONLY);
    found = fd >= 0 && read(fd, text, sizeof(text) - 1) > 0
        && strstr(text, "\"account\"");
    close(fd);
    return found;
}

/* A link leads to what lasts, and nothing that lasts is replaced by what does
   not. */
static void check_rename(const char *from, const char *to)
{
    char target[PATH_MAX], text[PATH_MAX], copy[PATH_MAX];
    struct stat old, new;
    ssize_t len;

    if (!power || lstat(from, &new)) {
        return;
    }
    if (S_ISREG(new.st_mode)) {
        power->endangered += is_marked(&new) && lstat(to, &old) == 0
            && S_ISREG(old.st_mode) && !is_marked(&old) && promises(to);
    }
    len = S_ISLNK(new.st_mode) ? readlink(from, text, sizeof(text) - 1) : -1;
    if (len > 0 && len < 512) {
        text[len] = '\0';
        snprintf(copy, sizeof(copy), "%.1024s", to);
        snprintf(target, sizeof(target), "%.1024s/%.512s", dirname(copy),
                 text);
        unlasting = 0;
        nftw(target, look_at_one, 8, FTW_PHYS);
        snprintf(copy, sizeof(copy), "%s", target);
        power->endangered += unlasting
            || (lstat(target, &old) == 0
                && (!scratch_lasts(target) || !scratch_lasts(dirname(copy))));
    }
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    struct stat st;
    va_list args;
    int fd;

    if ((flags & O_CREAT) && scratch_counts_files && scratch_fault()) {
        return -1;
    }
    if (flags & O_CREAT) {
        va_start(args, flags);
        mode = (mode_t)va_arg(args, int);
        va_end(args);
    }
    fd = openat(AT_FDCWD, path, flags, mode);
    if (fd >= 0 && (flags & O_CREAT) && fstat(fd, &st) == 0) {
        const int error = errno;

        mark(&st);
        mark_parent(path);
        errno = error;
    }
    return fd;
}

/* What this machine has to write at the moment decides nothing here. */
FILE *fopen(const char *path, const char *mode)
{
    static char little[] = "Dirty: 0 kB\nWriteback: 0 kB\n";
    static FILE *(*real)(const char *, const char *);

    if (!strcmp(path, "/proc/meminfo")) {
        return fmemopen(little, sizeof(little) - 1, "r");
    }
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "fopen");
    }
    return real(path, mode);
}

int fstatfs(int fd, struct statfs *st)
{
    (void)fd;
    memset(st, 0, sizeof(*st));
    st->f_type = scratch_fs;
    return 0;
}

int fsync(int fd)
{
    struct stat st, bad;

    scratch_syncs++;
    if (scratch_fault()) {
        return -1;
    }
    if (fstat(fd, &st)) {
        return 0;
    }
    if (scratch_unsyncable && lstat(scratch_unsyncable, &bad) == 0
        && bad.st_ino == st.st_ino && bad.st_dev == st.st_dev) {
        errno = EIO;
        return -1;
    }
    unmark(&st);
    return 0;
}

int syncfs(int fd)
{
    (void)fd;
    if (scratch_no_syncfs) {
        errno = ENOSYS;
        return -1;
    }
    if (scratch_fault()) {
        return -1;
    }
    lock_power();
    if (power) {
        power->count = 0;
    }
    unlock_power();
    return 0;
}

int rename(const char *from, const char *to)
{
    if (scratch_fault()) {
        return -1;
    }
    check_rename(from, to);
    if (renameat(AT_FDCWD, from, AT_FDCWD, to)) {
        return -1;
    }
    mark_parent(from);
    mark_parent(to);
    return 0;
}

int mkdir(const char *path, mode_t mode)
{
    struct stat st;

    if (scratch_fault() || mkdirat(AT_FDCWD, path, mode)) {
        return -1;
    }
    if (lstat(path, &st) == 0) {
        mark(&st);
        mark_parent(path);
    }
    return 0;
}

int symlink(const char *target, const char *path)
{
    if (scratch_fault() || symlinkat(target, AT_FDCWD, path)) {
        return -1;
    }
    mark_parent(path);
    return 0;
}

int unlinkat(int dir, const char *path, int flags)
{
    struct stat st;
    int known;

    if (scratch_fault()) {
        return -1;
    }
    known = fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (syscall(SYS_unlinkat, dir, path, flags)) {
        return -1;
    }
    if (known && (S_ISDIR(st.st_mode) || st.st_nlink == 1)) {
        unmark(&st);            /* another file may get its inode */
    }
    return 0;
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
    scratch_step = scratch_no_syncfs = scratch_counts_files = 0;
    scratch_fs = 0xef53;        /* ext4 */
    scratch_unsyncable = NULL;
    if (!power) {
        power = mmap(NULL, sizeof(*power), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (power == MAP_FAILED) {
            return -1;
        }
        begin_power();
    }
    power->endangered = power->count = 0;
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
    if (power->endangered) {
        fprintf(stderr, "a power failure could have taken what lasted: %d\n",
                power->endangered);
    }
    return pool_teardown(state) || power->endangered ? -1 : 0;
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

static int let_last(const char *path, const struct stat *st, int type,
                    struct FTW *where)
{
    (void)path;
    (void)type;
    (void)where;
    unmark(st);
    return 0;
}

void copy_folder(const char *from, const char *to)
{
    remove_folder(to);
    copy_from = from;
    copy_to = to;
    assert_int_equal(nftw(from, copy_one, 8, FTW_PHYS), 0);
    nftw(to, let_last, 8, FTW_PHYS);
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
