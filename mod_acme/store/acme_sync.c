/*
 * acme_sync.c - files and folders that are made to last together.
 *
 * One syncfs(2) takes the place of many fsync(2), and writes whatever else the
 * file system has not written yet. So it is used where that is little: a
 * database beside us must not hold the keeper up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/utsname.h>
#include <sys/vfs.h>
#endif

#include <apr_strings.h>
#include <apr_tables.h>

#include "acme_file.h"
#include "acme_sync.h"

/* Fewer are synced one by one. */
#define TOGETHER_MIN 3

/* kB that the machine has not written yet: a second of a slow disk. */
#define UNWRITTEN_MAX (128 * 1024)

/* Before Linux 5.8 syncfs(2) does not report that a write failed. */
#define VERSION_MIN 5008

/* A path; once more for each owner. */
typedef struct {
    const char *path;
    const char *owner;          /* NULL: none was named */
    const acme_result_t *failed;        /* NULL: it lasts, or no sync ran */
} row_t;

struct acme_sync_t {
    const char *folder;         /* of the store */
    int fd;                     /* of folder; -1: nothing was begun */
    dev_t device;               /* of it */
    const char *owner;          /* of what is added now, in added */
    apr_array_header_t *rows;   /* row_t, in added */
    int paths;                  /* in these */
    int has_run;                /* they are of the last run */
    apr_pool_t *added;
    acme_sync_step_cb *step;    /* or NULL */
    void *baton;
};

static apr_status_t close_folder(void *data)
{
    acme_sync_t *sync = data;

    if (sync->fd >= 0) {
        close(sync->fd);
        sync->fd = -1;
    }
    return APR_SUCCESS;
}

static void forget(acme_sync_t *sync)
{
    apr_pool_clear(sync->added);
    sync->owner = NULL;
    sync->paths = sync->has_run = 0;
    sync->rows = apr_array_make(sync->added, 16, sizeof(row_t));
}

/* What is added from here on is of another run. */
static void forget_last_run(acme_sync_t *sync)
{
    if (sync->has_run) {
        forget(sync);
    }
}

static row_t *row_at(const acme_sync_t *sync, int i)
{
    return &APR_ARRAY_IDX(sync->rows, i, row_t);
}

static int is_owner(const row_t *row, const char *owner)
{
    return row->owner && owner ? !strcmp(row->owner, owner)
                               : row->owner == owner;
}

acme_sync_t *acme_sync_create(const acme_store_t *store, apr_pool_t *p)
{
    acme_sync_t *sync = apr_pcalloc(p, sizeof(*sync));

    sync->folder = acme_store_path(store, "", NULL, p);
    sync->fd = -1;
    apr_pool_create(&sync->added, p);
    forget(sync);
    apr_pool_cleanup_register(p, sync, close_folder, apr_pool_cleanup_null);
    return sync;
}

void acme_sync_on_step(acme_sync_t *sync, acme_sync_step_cb *step,
                       void *baton)
{
    sync->step = step;
    sync->baton = baton;
}

void acme_sync_step(const acme_sync_t *sync)
{
    if (sync->step) {
        sync->step(sync->baton);
    }
}

void acme_sync_begin(acme_sync_t *sync)
{
    struct stat st;

    if (sync->fd >= 0) {
        return;
    }
    sync->fd = open(sync->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sync->fd >= 0 && fstat(sync->fd, &st) == 0) {
        sync->device = st.st_dev;
    }
}

void acme_sync_owner(acme_sync_t *sync, const char *owner)
{
    forget_last_run(sync);
    sync->owner = owner ? apr_pstrdup(sync->added, owner) : NULL;
}

void acme_sync_add(acme_sync_t *sync, const char *path)
{
    row_t row = { NULL };
    int i;

    forget_last_run(sync);
    for (i = 0; i < sync->rows->nelts; i++) {
        const row_t *other = row_at(sync, i);

        if (!strcmp(other->path, path)) {
            if (is_owner(other, sync->owner)) {
                return;
            }
            row.path = other->path;
        }
    }
    if (!row.path) {
        row.path = apr_pstrdup(sync->added, path);
        sync->paths++;
    }
    row.owner = sync->owner;
    APR_ARRAY_PUSH(sync->rows, row_t) = row;
}

apr_status_t acme_sync_dir(acme_sync_t *sync, acme_store_t *store,
                           const char *path, mode_t mode, acme_result_t *res,
                           apr_pool_t *p)
{
    int ignored;
    const apr_status_t rv = acme_store_dir_put(&ignored, store, path, mode,
                                               res, p);

    if (rv == APR_SUCCESS) {
        acme_sync_add(sync, acme_file_folder(path, p));
    }
    return rv;
}

int acme_sync_is_due(const acme_sync_t *sync)
{
    return sync->rows->nelts > 0 && !sync->has_run;
}

#ifdef __linux__

static int reports_failures(void)
{
    static int version;
    struct utsname name;
    int major, minor;

    if (!version) {
        version = uname(&name) == 0
                      && sscanf(name.release, "%d.%d", &major, &minor) == 2
                  ? major * 1000 + minor : 1;
    }
    return version >= VERSION_MIN;
}

static int is_little_unwritten(void)
{
    unsigned long long kb, sum = 0;
    FILE *f = fopen("/proc/meminfo", "re");
    int found = 0;
    char line[128];

    while (f && found < 2 && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "Dirty: %llu", &kb) == 1
            || sscanf(line, "Writeback: %llu", &kb) == 1) {
            sum += kb;
            found++;
        }
    }
    if (f) {
        fclose(f);
    }
    return found == 2 && sum <= UNWRITTEN_MAX;
}

/*
 * syncfs(2) of overlayfs, FUSE, 9P and of most file systems of a network
 * returns success for what was never written. In a container the store is often
 * on overlayfs.
 */
static int is_of_honest_kind(int fd)
{
    static const unsigned long kinds[] = {
        0xef53,                 /* ext2, ext3, ext4 */
        0x58465342,             /* XFS */
        0x9123683e,             /* Btrfs */
        0xf2f52010,             /* F2FS */
        0x01021994              /* tmpfs, of which nothing lasts anyway */
    };
    struct statfs st;
    size_t i;

    for (i = 0; fstatfs(fd, &st) == 0 && i < sizeof(kinds) / sizeof(*kinds);
         i++) {
        if (((unsigned long)st.f_type & 0xffffffff) == kinds[i]) {
            return 1;
        }
    }
    return 0;
}

/* A part of the store may be a file system of its own. */
static int are_on_one_device(const acme_sync_t *sync)
{
    struct stat st;
    int i;

    for (i = 0; i < sync->rows->nelts; i++) {
        if (lstat(row_at(sync, i)->path, &st) == 0
            && st.st_dev != sync->device) {
            return 0;
        }
    }
    return 1;
}

/*
 * A failure may be of a file that is not ours, and says of none of ours that it
 * failed: then each is asked. A container's filter may forbid the call.
 */
static int sync_all(const acme_sync_t *sync)
{
    return sync->fd >= 0 && sync->paths >= TOGETHER_MIN
        && reports_failures() && is_of_honest_kind(sync->fd)
        && are_on_one_device(sync) && is_little_unwritten()
        && syncfs(sync->fd) == 0;
}

#else

static int sync_all(const acme_sync_t *sync)
{
    (void)sync;
    return 0;
}

#endif

/* What a row before it has found of the same path; NULL: there is none. */
static const row_t *find_same(const acme_sync_t *sync, int i)
{
    const char *path = row_at(sync, i)->path;

    while (--i >= 0 && row_at(sync, i)->path != path) {
        continue;
    }
    return i >= 0 ? row_at(sync, i) : NULL;
}

static void sync_each(acme_sync_t *sync)
{
    acme_result_t res;
    int i;

    for (i = 0; i < sync->rows->nelts; i++) {
        const row_t *same = find_same(sync, i);
        row_t *row = row_at(sync, i);
        apr_status_t rv;

        if (same) {
            row->failed = same->failed;
            continue;
        }
        acme_sync_step(sync);
        rv = acme_file_sync(row->path, &res);
        /* ENOENT: a later step failed, and removed it. */
        if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
            row->failed = apr_pmemdup(sync->added, &res, sizeof(res));
        }
    }
}

apr_status_t acme_sync_run(acme_sync_t *sync, acme_result_t *res)
{
    int i;

    forget_last_run(sync);
    acme_sync_step(sync);
    if (!sync_all(sync)) {
        sync_each(sync);
    }
    close_folder(sync);
    sync->has_run = 1;
    for (i = 0; i < sync->rows->nelts; i++) {
        if (row_at(sync, i)->failed) {
            *res = *row_at(sync, i)->failed;
            return res->status;
        }
    }
    return APR_SUCCESS;
}

apr_status_t acme_sync_ended(const acme_sync_t *sync, const char *owner,
                             acme_result_t *res)
{
    int i;

    for (i = 0; i < sync->rows->nelts; i++) {
        const row_t *row = row_at(sync, i);

        if (row->failed && is_owner(row, owner)) {
            *res = *row->failed;
            return res->status;
        }
    }
    return APR_SUCCESS;
}
