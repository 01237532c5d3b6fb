/*
 * acme_store.c - the folder AcmeStateDir: what lies where.
 *
 * Nothing below the root is trusted because of its name: a file of the wrong
 * kind goes to aside/, the log names it, and work goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "acme_digest.h"
#include "acme_file.h"
#include "acme_path.h"
#include "acme_store.h"

#define ASIDE_KEEP 32
#define ASIDE_NAME_MAX 180      /* with the time, below any NAME_MAX */
#define ASIDE_STAMP_LEN 16      /* "20261121T053605Z" */
#define LOCK_TEXT_SIZE 32

struct acme_store_t {
    const char *root;
    int lock;                   /* descriptor of run/lock, or -1 */
};

/* aside/ comes first: files in place of the others are moved into it. */
static const struct {
    const char *name;
    mode_t mode;
} folders[] = {
    { "aside", 0700 },
    { "accounts", 0700 },
    { "archive", 0755 },        /* others read live/<id>/fullchain.pem */
    { "live", 0755 },
    { "pending", 0700 },
    { "next", 0700 },
    { "published", 0700 },
    { "journal", 0755 },
    { "placeholder", 0700 },
    { "deploy", 0700 },
    { "undelivered", 0700 },
    { "run", 0700 }
};

const char *acme_store_id(const char *text, apr_pool_t *p)
{
    apr_size_t len = strlen(text);
    char *id;
    char *c;

    if (len == 0 || len > ACME_ID_MAX || text[0] == '.') {
        return NULL;
    }
    id = apr_pstrmemdup(p, text, len);
    for (c = id; *c; c++) {
        if (*c == '*') {
            *c = '_';
        }
        /* Not isalnum(), which asks the locale: this is a file name. */
        if ((*c < 'a' || *c > 'z') && (*c < 'A' || *c > 'Z')
            && (*c < '0' || *c > '9') && !strchr(".-_", *c)) {
            return NULL;
        }
    }
    return id;
}

const char *acme_store_id_of_name(const char *name, apr_pool_t *p)
{
    char *id = apr_pstrdup(p, name);
    char *c;

    for (c = id; *c; c++) {
        if (*c == ':') {
            *c = '_';
        }
    }
    if (strlen(name) > ACME_ID_MAX) {
        id = apr_psprintf(p, "%.*s-%s", ACME_ID_MAX - 9, id,
                          acme_digest_hex(name, strlen(name), 4, p));
    }
    return acme_store_id(id, p);
}

acme_store_t *acme_store_at(const char *root, apr_pool_t *p)
{
    acme_store_t *store = apr_palloc(p, sizeof(*store));
    apr_size_t len = strlen(root);

    while (len > 1 && root[len - 1] == '/') {
        len--;
    }
    store->root = apr_pstrmemdup(p, root, len);
    store->lock = -1;
    return store;
}

/* The root may be a link that the administrator made: stat() follows it. */
static apr_status_t open_root(const char *root, acme_result_t *res,
                              apr_pool_t *p)
{
    struct stat st;
    apr_status_t rv;

    if (root[0] != '/') {
        return acme_fail_never(res, APR_EINVAL,
                               "%s: AcmeStateDir must be an absolute path",
                               root);
    }
    rv = acme_path_check(root, res, p);
    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        return rv;
    }
    /* One that is there is an administrator's or a package's, and lasts. */
    if (stat(root, &st) < 0) {
        rv = acme_file_dir_make(root, 0755, res, p);
        if (APR_STATUS_IS_ENOENT(rv)) {
            rv = acme_fail(
                res, rv,
                "%s: cannot create this folder: the folder above does not exist, create it first",
                root);
        }
        return rv;
    }
    if (!S_ISDIR(st.st_mode)) {
        return acme_fail(res, APR_ENOTDIR, "%s: not a folder", root);
    }
    if (st.st_uid != geteuid()) {
        return acme_fail(
            res, EPERM,
            "%s: belongs to uid %ld, not to uid %ld that httpd was started as: chown it, or set AcmeStateDir",
            root, (long)st.st_uid, (long)geteuid());
    }
    if (st.st_mode & 0022) {
        return acme_fail(res, EPERM,
                         "%s: others can write in it: chmod go-w it", root);
    }
    return APR_SUCCESS;
}

apr_status_t acme_store_open(acme_store_t **pstore, const char *root,
                             acme_result_t *res, apr_pool_t *p)
{
    acme_store_t *store = acme_store_at(root, p);
    apr_status_t rv;
    int ignored;
    size_t i;

    *pstore = NULL;
    acme_result_clear(res);

    rv = open_root(store->root, res, p);
    for (i = 0; rv == APR_SUCCESS && i < sizeof(folders) / sizeof(*folders);
         i++) {
        rv = acme_store_dir_put(&ignored, store,
                                acme_store_path(store, folders[i].name, NULL,
                                                p),
                                folders[i].mode, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_file_sync(store->root, res);
    }
    if (rv == APR_SUCCESS) {
        *pstore = store;
    }
    return rv;
}

/* The file has the pid of the process that holds the lock, or junk. */
static apr_status_t lock_fail(int fd, const char *path, acme_result_t *res)
{
    char text[LOCK_TEXT_SIZE] = "";
    long pid;

    if (pread(fd, text, sizeof(text) - 1, 0) < 0) {
        text[0] = '\0';
    }
    pid = strtol(text, NULL, 10);
    if (pid > 0) {
        return acme_fail(res, APR_EBUSY,
                         "%s: held by process %ld, which uses this store",
                         path, pid);
    }
    return acme_fail(res, APR_EBUSY, "%s: held by another process", path);
}

apr_status_t acme_store_lock(acme_store_t *store, acme_result_t *res,
                             apr_pool_t *p)
{
    const char *path = acme_store_path(store, "run", "lock", p);
    apr_status_t rv;
    int fd;

    if (store->lock >= 0) {
        return APR_SUCCESS;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
              0600);
    if (fd < 0) {
        return acme_fail_errno(res, errno, "%s: cannot open the lock", path);
    }
    /* Not fcntl(2): its lock is gone when any descriptor of path is closed. */
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        rv = errno == EWOULDBLOCK
             ? lock_fail(fd, path, res)
             : acme_fail_errno(res, errno, "%s: cannot lock", path);
        close(fd);
        return rv;
    }
    /*
     * For people, so a full disk does not fail the lock. Of one length, as in
     * UUCP's locks: it overwrites the older one.
     */
    (void)dprintf(fd, "%10ld\n", (long)getpid());
    store->lock = fd;
    return APR_SUCCESS;
}

void acme_store_unlock(acme_store_t *store)
{
    if (store->lock >= 0) {
        close(store->lock);
        store->lock = -1;
    }
}

const char *acme_store_path(const acme_store_t *store, const char *folder,
                            const char *name, apr_pool_t *p)
{
    return apr_pstrcat(p, store->root, "/", folder, name ? "/" : NULL, name,
                       NULL);
}

const char *acme_store_live(const acme_store_t *store, const char *id,
                            const char *file, apr_pool_t *p)
{
    return apr_pstrcat(p, store->root, "/live/", id, "/", file, NULL);
}

/* "journal-www.example.org.json": the path below the root, as one name. */
static char *aside_label(const acme_store_t *store, const char *path,
                         apr_pool_t *p)
{
    apr_size_t len = strlen(store->root);
    char *label;
    char *c;

    if (!strncmp(path, store->root, len) && path[len] == '/') {
        path += len + 1;
    }
    label = apr_pstrndup(p, path, ASIDE_NAME_MAX);
    for (c = label; *c; c++) {
        if (*c == '/') {
            *c = '-';
        }
    }
    return label;
}

/* An unused name in aside/: rename(2) replaces a file of the same name. */
static const char *aside_path(const acme_store_t *store, const char *path,
                              apr_time_t now, apr_pool_t *p)
{
    const char *label = aside_label(store, path, p);
    const char *to;
    apr_time_exp_t t;
    struct stat st;
    int i = 0;

    apr_time_exp_gmt(&t, now);
    do {
        to = apr_psprintf(p, "%s/aside/%04d%02d%02dT%02d%02d%02dZ-%03d-%s",
                          store->root, t.tm_year + 1900, t.tm_mon + 1,
                          t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, i++,
                          label);
    } while (lstat(to, &st) == 0);
    return to;
}

/* Is it a name by aside_path()? Others are the administrator's. */
static int is_aside_name(const char *name)
{
    int i;

    for (i = 0; i < ASIDE_STAMP_LEN - 1; i++) {
        if (i == 8 ? name[i] != 'T' : !apr_isdigit(name[i])) {
            return 0;
        }
    }
    return name[i] == 'Z' && name[i + 1] == '-';
}

/*
 * Never pruned, and no worker can make one: an account's folder or former key,
 * which may be the one that its CA has, and a folder that took the place of a
 * live link, which may hold the only copy of a key. account.json alone has no
 * key. A copy of a store makes many at once.
 */
static int is_kept(const char *name)
{
    const apr_size_t len = strlen(name);
    const char *label = name + ASIDE_STAMP_LEN + 1;

    while (apr_isdigit(*label)) {
        label++;                /* three of them, or more */
    }
    label += *label == '-';
    return (!strncmp(label, "accounts-", 9)
            && (len < 13 || strcmp(name + len - 13, "-account.json") != 0))
        || !strncmp(label, "live-", 5);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names begin with the time: the oldest come first. */
static void aside_prune(const acme_store_t *store, apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, 64, sizeof(const char *));
    acme_result_t ignored;
    apr_finfo_t info;
    apr_dir_t *dir;
    int i;

    if (apr_dir_open(&dir, acme_store_path(store, "aside", NULL, p), p)
        != APR_SUCCESS) {
        return;
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (is_aside_name(info.name) && !is_kept(info.name)) {
            APR_ARRAY_PUSH(names, const char *) = apr_pstrdup(p, info.name);
        }
    }
    apr_dir_close(dir);

    qsort(names->elts, names->nelts, names->elt_size, compare_names);
    for (i = 0; i < names->nelts - ASIDE_KEEP; i++) {
        (void)acme_file_dir_drop(
            acme_store_path(store, "aside",
                            APR_ARRAY_IDX(names, i, const char *), p),
            &ignored);
    }
}

apr_status_t acme_store_aside(const char **pto, acme_store_t *store,
                              const char *path, apr_time_t now,
                              acme_result_t *res, apr_pool_t *p)
{
    const char *to = aside_path(store, path, now, p);
    apr_status_t rv;

    *pto = NULL;

    rv = acme_file_move(path, to, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *pto = to;
    aside_prune(store, p);
    return APR_SUCCESS;
}

apr_status_t acme_store_damaged(acme_store_t *store, const char *path,
                                acme_result_t *res, apr_pool_t *p)
{
    const char *why = apr_pstrdup(p, res->detail);
    acme_result_t moved;
    const char *to;

    if (acme_store_aside(&to, store, path, apr_time_now(), &moved, p)
        != APR_SUCCESS) {
        return acme_fail(res, APR_EGENERAL, "%s; it cannot be set aside: %s",
                         why, moved.detail);
    }
    return acme_fail(res, APR_EGENERAL, "%s; set aside as %s", why, to);
}

apr_status_t acme_store_dir_put(int *pmade, acme_store_t *store,
                                const char *path, mode_t mode,
                                acme_result_t *res, apr_pool_t *p)
{
    acme_result_t made;
    struct stat st;
    apr_status_t rv;

    rv = acme_file_dir_put(pmade, path, mode, &made);
    /* An administrator made the link, and decides about it. */
    if (APR_STATUS_IS_ENOTDIR(rv) && lstat(path, &st) == 0
        && !S_ISLNK(st.st_mode)) {
        *res = made;
        (void)acme_store_damaged(store, path, res, p);
        rv = acme_file_dir_put(pmade, path, mode, &made);
    }
    if (rv != APR_SUCCESS) {
        *res = made;
    }
    return rv;
}

apr_status_t acme_store_dir(acme_store_t *store, const char *path,
                            mode_t mode, acme_result_t *res, apr_pool_t *p)
{
    int ignored;
    const apr_status_t rv = acme_store_dir_put(&ignored, store, path, mode,
                                               res, p);

    return rv == APR_SUCCESS
        ? acme_file_sync(acme_file_folder(path, p), res) : rv;
}
