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

struct acme_sync_t {
    const char *folder;         /* of the store */
    int fd;                     /* of folder; -1: nothing was begun */
    dev_t device;               /* of it */
    apr_array_header_t *paths;  /* const char *, in added */
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
    close_folder(sync);
    apr_pool_clear(sync->added);
    sync->paths = apr_array_make(sync->added, 16, sizeof(const char *));
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

void acme_sync_add(acme_sync_t *sync, const char *path)
{
    int i;

    for (i = 0; i < sync->paths->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(sync->paths, i, const char *), path)) {
            return;
        }
    }
    APR_ARRAY_PUSH(sync->paths, const char *) = apr_pstrdup(sync->added, path);
}

apr_status_t acme_sync_dir(acme_sync_t *sync, acme_store_t *store,
                           const char *path, mode_t mode, acme_result_t *res,
                           apr_pool_t *p)
{
    int made;
    const apr_status_t rv = acme_store_dir_put(&made, store, path, mode, res,
                                               p);

    if (rv == APR_SUCCESS && made) {
        acme_sync_add(sync, acme_file_folder(path, p));
    }
    return rv;
}

int acme_sync_is_due(const acme_sync_t *sync)
{
    return sync->paths->nelts > 0;
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

/* A part of the store may be a file system of its own. */
static int are_on_one_device(const acme_sync_t *sync)
{
    struct stat st;
    int i;

    for (i = 0; i < sync->paths->nelts; i++) {
        if (lstat(APR_ARRAY_IDX(sync->paths, i, const char *), &st) == 0
            && st.st_dev != sync->device) {
            return 0;
        }
    }
    return 1;
}

static int can_sync_all(const acme_sync_t *sync)
{
    return sync->fd >= 0 && sync->paths->nelts >= TOGETHER_MIN
        && reports_failures() && are_on_one_device(sync)
        && is_little_unwritten();
}

/* ENOSYS: it is to be done one by one. */
static apr_status_t sync_all(const acme_sync_t *sync, acme_result_t *res)
{
    if (!can_sync_all(sync)) {
        return ENOSYS;
    }
    if (syncfs(sync->fd) == 0) {
        return APR_SUCCESS;
    }
    /* EPERM: a container has a filter of system calls. */
    return errno == ENOSYS || errno == EPERM ? ENOSYS
        : acme_file_sync_failed(APR_ARRAY_IDX(sync->paths, 0, const char *),
                                errno, res);
}

#else

static apr_status_t sync_all(const acme_sync_t *sync, acme_result_t *res)
{
    (void)sync;
    (void)res;
    return ENOSYS;
}

#endif

static apr_status_t sync_each(const acme_sync_t *sync, acme_result_t *res)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < sync->paths->nelts; i++) {
        acme_sync_step(sync);
        rv = acme_file_sync(APR_ARRAY_IDX(sync->paths, i, const char *), res);
        if (APR_STATUS_IS_ENOENT(rv)) {
            rv = APR_SUCCESS;   /* a later step failed, and removed it */
        }
    }
    return rv;
}

apr_status_t acme_sync_run(acme_sync_t *sync, acme_result_t *res)
{
    apr_status_t rv;

    acme_sync_step(sync);
    rv = sync_all(sync, res);
    if (rv == ENOSYS) {
        rv = sync_each(sync, res);
    }
    forget(sync);
    return rv;
}
