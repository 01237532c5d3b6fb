/*
 * acme_archive.c - certificates on disk: archive/<id>/<n>/.
 *
 * A folder is filled as archive/<id>/.new, and gets its number when it is
 * complete: a numbered folder is never written to again, but for meta.json, if
 * the certificate is revoked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "acme_archive.h"
#include "acme_chain.h"
#include "acme_file.h"
#include "acme_live_link.h"
#include "acme_meta.h"
#include "acme_pair.h"
#include "acme_public_key.h"

#define NUMBER_DIGITS_MAX 9     /* fits an int, and so does one more */

const char *const acme_archive_suffixes[ACME_ARCHIVE_SUFFIXES] = {
    "", "-rsa", "-p256", "-p384"
};

/* The number that is all of name, or 0: "007" and "7a" are not ours. */
static int parse_number(const char *name)
{
    apr_size_t len = strspn(name, "0123456789");

    if (len == 0 || len > NUMBER_DIGITS_MAX || name[len] || name[0] == '0') {
        return 0;
    }
    return atoi(name);
}

static int compare_newest(const void *a, const void *b)
{
    int x = *(const int *)a;
    int y = *(const int *)b;

    return (x < y) - (x > y);
}

/* Numbers of the archives (int) in the folder of an id, the newest first. */
static apr_status_t read_numbers(apr_array_header_t **pnumbers,
                                 const char *folder, acme_result_t *res,
                                 apr_pool_t *p)
{
    apr_array_header_t *numbers = apr_array_make(p, 16, sizeof(int));
    apr_finfo_t info;
    apr_dir_t *dir;
    apr_status_t rv;
    int n;

    *pnumbers = numbers;

    rv = apr_dir_open(&dir, folder, p);
    if (APR_STATUS_IS_ENOENT(rv)) {
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        return acme_fail_errno(res, rv, "%s: cannot read the folder", folder);
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        n = parse_number(info.name);
        if (n) {
            APR_ARRAY_PUSH(numbers, int) = n;
        }
    }
    apr_dir_close(dir);
    qsort(numbers->elts, numbers->nelts, numbers->elt_size, compare_newest);
    return APR_SUCCESS;
}

static const char *number_path(const char *folder, int n, apr_pool_t *p)
{
    return apr_psprintf(p, "%s/%d", folder, n);
}

/* Whoever asks how old a certificate is looks at its file. */
static void set_time(const char *path, apr_time_t made)
{
    struct timespec times[2] = { { .tv_sec = apr_time_sec(made) },
                                 { .tv_sec = apr_time_sec(made) } };

    if (made) {
        (void)utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
    }
}

/* A new file of a folder that nobody looks into yet. */
static apr_status_t put_file(const char *path, const char *text, mode_t mode,
                             acme_sync_t *sync, acme_result_t *res)
{
    const apr_status_t rv = acme_file_put(path, text, strlen(text), mode,
                                          res);

    if (rv == APR_SUCCESS) {
        acme_sync_add(sync, path);
    }
    return rv;
}

static apr_status_t put_folder(const char *path, acme_sync_t *sync,
                               acme_result_t *res)
{
    int made;

    acme_sync_add(sync, path);
    return acme_file_dir_put(&made, path, 0755, res);
}

/*
 * Fill a new folder with the files of each key type and meta.json. The key
 * comes first: without it the rest is useless.
 */
static apr_status_t fill_folder(const char *folder,
                                const acme_archive_t *archive,
                                acme_sync_t *sync, acme_result_t *res,
                                apr_pool_t *p)
{
    apr_status_t rv;
    size_t k;
    int i;

    rv = put_folder(folder, sync, res);
    for (i = 0; rv == APR_SUCCESS && i < archive->parts->nelts; i++) {
        const acme_archive_part_t *part =
            &APR_ARRAY_IDX(archive->parts, i, acme_archive_part_t);
        const struct {
            const char *name;
            const char *text;
            mode_t mode;
        } files[] = {
            { "privkey", part->key_pem, 0600 },
            { "cert", part->cert_pem, 0644 },
            { "chain", part->chain_pem, 0644 },
            { "fullchain", part->full_pem, 0644 }
        };

        for (k = 0; rv == APR_SUCCESS && k < sizeof(files) / sizeof(*files);
             k++) {
            const char *path = apr_pstrcat(p, folder, "/", files[k].name,
                                           part->suffix, ".pem", NULL);

            rv = put_file(path, files[k].text, files[k].mode, sync, res);
            set_time(path, archive->made);
        }
    }
    if (rv == APR_SUCCESS) {
        rv = put_file(apr_pstrcat(p, folder, "/meta.json", NULL),
                      archive->meta, 0644, sync, res);
    }
    return rv;
}

/* An archive that is being made: archive/<id>/.new becomes archive/<id>/<n>. */
struct acme_archive_making_t {
    acme_store_t *store;
    const char *id;
    const char *folder;         /* archive/<id> */
    const char *half;           /* .new in it */
    const char *path;           /* <n> in it */
    int n;
    apr_pool_t *p;
};

static apr_status_t begin_making(acme_archive_making_t *making,
                                 acme_store_t *store, const char *id,
                                 acme_sync_t *sync, acme_result_t *res,
                                 apr_pool_t *p)
{
    apr_array_header_t *numbers;
    apr_status_t rv;

    acme_result_clear(res);
    making->store = store;
    making->id = id;
    making->p = p;
    making->folder = acme_store_path(store, "archive", id, p);
    making->half = apr_pstrcat(p, making->folder, "/.new", NULL);
    acme_sync_begin(sync);
    rv = acme_sync_dir(sync, store, making->folder, 0755, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_file_dir_drop(making->half, res);     /* of a crash */
    }
    if (rv == APR_SUCCESS) {
        rv = read_numbers(&numbers, making->folder, res, p);
    }
    if (rv == APR_SUCCESS) {
        making->n = 1 + (numbers->nelts ? APR_ARRAY_IDX(numbers, 0, int) : 0);
        making->path = number_path(making->folder, making->n, p);
    }
    return rv;
}

apr_status_t acme_archive_fill(acme_archive_making_t **pmaking,
                               acme_store_t *store, const char *id,
                               const acme_archive_t *archive,
                               acme_sync_t *sync, acme_result_t *res,
                               apr_pool_t *p)
{
    acme_archive_making_t *making = apr_pcalloc(p, sizeof(*making));
    apr_status_t rv;

    *pmaking = NULL;

    rv = begin_making(making, store, id, sync, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = fill_folder(making->half, archive, sync, res, p);
    if (rv != APR_SUCCESS) {
        acme_archive_drop(making);
        return rv;
    }
    *pmaking = making;
    return APR_SUCCESS;
}

void acme_archive_drop(acme_archive_making_t *making)
{
    acme_result_t ignored;

    (void)acme_file_dir_drop(making->half, &ignored);
}

apr_status_t acme_archive_number(acme_archive_making_t *making,
                                 acme_sync_t *sync, acme_result_t *res)
{
    apr_status_t rv;

    acme_sync_begin(sync);
    rv = acme_file_rename(making->half, making->path, res);
    if (rv == APR_SUCCESS) {
        acme_sync_add(sync, making->folder);
    }
    else {
        acme_archive_drop(making);
    }
    return rv;
}

apr_status_t acme_archive_put_live(int *pn, acme_archive_making_t *making,
                                   acme_sync_t *sync, acme_result_t *res)
{
    apr_status_t rv;

    *pn = 0;
    acme_sync_begin(sync);
    rv = acme_live_link_put(making->store, making->id, making->n, sync, res,
                            making->p);
    if (rv != APR_SUCCESS) {
        const acme_reason_e why = res->reason;

        /* The CA issued it: it stays in the archive, and res names it. */
        acme_fail(res, rv, "%s; the new certificate is in %s",
                  apr_pstrdup(making->p, res->detail), making->path);
        return acme_result_reason(res, why);
    }
    *pn = making->n;
    return APR_SUCCESS;
}

/* res keeps what it says of a success. */
static apr_status_t run_sync(acme_sync_t *sync, acme_result_t *res)
{
    acme_result_t failed;
    const apr_status_t rv = acme_sync_run(sync, &failed);

    if (rv != APR_SUCCESS) {
        *res = failed;
    }
    return rv;
}

/* filled: how the filling of .new ended. */
static apr_status_t end_making(int *pn, acme_archive_making_t *making,
                               apr_status_t filled, acme_sync_t *sync,
                               acme_result_t *res)
{
    apr_status_t rv = filled == APR_SUCCESS ? run_sync(sync, res) : filled;

    if (rv != APR_SUCCESS) {
        acme_archive_drop(making);
        return rv;
    }
    rv = acme_archive_number(making, sync, res);
    if (rv == APR_SUCCESS) {
        rv = run_sync(sync, res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_archive_put_live(pn, making, sync, res);
    }
    if (rv == APR_SUCCESS) {
        rv = run_sync(sync, res);
    }
    if (rv != APR_SUCCESS) {
        *pn = 0;
    }
    return rv;
}

apr_status_t acme_archive_install(int *pn, acme_store_t *store,
                                  const char *id,
                                  const acme_archive_t *archive,
                                  acme_result_t *res, apr_pool_t *p)
{
    acme_sync_t *sync = acme_sync_create(store, p);
    acme_archive_making_t *making;
    apr_status_t rv;

    *pn = 0;

    rv = acme_archive_fill(&making, store, id, archive, sync, res, p);
    return rv == APR_SUCCESS ? end_making(pn, making, rv, sync, res) : rv;
}

/*
 * The keeper makes archive/<id> and fills it with .new. A folder that it has
 * made and not begun to fill is empty: rename(2) replaces it by ours, and the
 * keeper's archive becomes the second, or its move fails and is repeated.
 */
apr_status_t acme_archive_add(int *pn, acme_store_t *store, const char *id,
                              const acme_archive_t *archive,
                              acme_result_t *res, apr_pool_t *p)
{
    const char *folder = acme_store_path(store, "archive", id, p);
    const char *half = acme_store_path(store, "archive", ".import", p);
    const char *link = acme_store_path(store, "live", id, p);
    const char *target = apr_pstrcat(p, "../archive/", id, "/1", NULL);
    acme_sync_t *sync = acme_sync_create(store, p);
    acme_result_t ignored;
    struct stat st;
    apr_status_t rv;

    *pn = 0;
    acme_result_clear(res);

    if (lstat(folder, &st) == 0 || lstat(link, &st) == 0) {
        return acme_fail(res, APR_EEXIST, "%s: is there already", folder);
    }
    acme_sync_begin(sync);
    rv = acme_file_dir_drop(half, res);         /* of a crash */
    if (rv == APR_SUCCESS) {
        rv = put_folder(half, sync, res);
    }
    if (rv == APR_SUCCESS) {
        rv = fill_folder(number_path(half, 1, p), archive, sync, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_sync_run(sync, res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_file_move(half, folder, res, p);
    }
    if (rv != APR_SUCCESS) {
        (void)acme_file_dir_drop(half, &ignored);
        return rv;
    }
    /* Not as the keeper does it: what it has put live meanwhile stays. */
    if (symlink(target, link) < 0) {
        return acme_fail_errno(res, errno,
                               "%s: cannot be made; the certificate is in %s/1",
                               link, folder);
    }
    *pn = 1;
    return acme_file_sync(acme_store_path(store, "live", NULL, p), res);
}

/* Its time is that of the installation: what is copied is not new. */
static void keep_time(const char *from, const char *to)
{
    struct timespec times[2];
    struct stat st;

    if (stat(from, &st) == 0) {
        times[0] = times[1] = st.st_mtim;
        (void)utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW);
    }
}

/* Without the key or the chain of the first pair it is no certificate. */
static apr_status_t copy_file(const char *from, const char *to, mode_t mode,
                              int is_needed, acme_sync_t *sync,
                              acme_result_t *res, apr_pool_t *p)
{
    const char *text;
    apr_size_t len;
    apr_status_t rv = acme_file_read_secret(&text, &len, from,
                                            ACME_CHAIN_SIZE_MAX, res, p);
    struct stat st;

    if (APR_STATUS_IS_ENOENT(rv) && !is_needed) {
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        /* An administrator may have put the key into it. */
        if (stat(from, &st) == 0) {
            mode &= st.st_mode | 0600;
        }
        rv = acme_file_put(to, text, len, mode, res);
        acme_sync_add(sync, to);
    }
    if (rv == APR_SUCCESS) {
        keep_time(from, to);
    }
    return rv;
}

static apr_status_t copy_folder(const char *half, const char *from,
                                const char *meta, acme_sync_t *sync,
                                acme_result_t *res, apr_pool_t *p)
{
    static const struct {
        const char *name;
        mode_t mode;
        int is_needed;
    } files[] = {
        { "privkey", 0600, 1 }, { "cert", 0644, 0 }, { "chain", 0644, 0 },
        { "fullchain", 0644, 1 }
    };
    apr_status_t rv = put_folder(half, sync, res);
    size_t i, k;

    for (i = 0; i < ACME_ARCHIVE_SUFFIXES; i++) {
        for (k = 0; rv == APR_SUCCESS && k < sizeof(files) / sizeof(*files);
             k++) {
            const char *name = apr_pstrcat(p, "/", files[k].name,
                                           acme_archive_suffixes[i], ".pem",
                                           NULL);

            rv = copy_file(apr_pstrcat(p, from, name, NULL),
                           apr_pstrcat(p, half, name, NULL), files[k].mode,
                           files[k].is_needed && i == 0, sync, res, p);
        }
    }
    if (rv == APR_SUCCESS && meta) {
        rv = put_file(apr_pstrcat(p, half, "/meta.json", NULL), meta, 0644,
                      sync, res);
    }
    return rv;
}

apr_status_t acme_archive_adopt(int *pn, acme_store_t *store, const char *id,
                                const acme_archive_copy_t *from,
                                acme_result_t *res, apr_pool_t *p)
{
    const char *meta = acme_meta_of_copy(from->folder, id, from->name, p);
    acme_sync_t *sync = acme_sync_create(store, p);
    acme_archive_making_t making;
    apr_status_t rv;

    *pn = 0;

    rv = begin_making(&making, store, id, sync, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = copy_folder(making.half, from->folder, meta, sync, res, p);
    return end_making(pn, &making, rv, sync, res);
}

const char *acme_archive_path(const acme_store_t *store, const char *id, int n,
                              apr_pool_t *p)
{
    return number_path(acme_store_path(store, "archive", id, p), n, p);
}

int acme_archive_number_of(const char *folder)
{
    const char *slash = strrchr(folder, '/');

    return slash ? parse_number(slash + 1) : 0;
}

static apr_status_t try_here(const acme_archive_want_t *want,
                             const char *folder, acme_result_t *res,
                             apr_pool_t *p)
{
    return acme_pair_check(apr_pstrcat(p, folder, "/fullchain.pem", NULL),
                           apr_pstrcat(p, folder, "/privkey.pem", NULL),
                           want->ciphers, res);
}

apr_status_t acme_archive_check(const acme_store_t *store,
                                const acme_archive_want_t *want, int n,
                                acme_result_t *res, apr_pool_t *p)
{
    const char *folder = acme_archive_path(store, want->id, n, p);
    apr_time_t not_after;

    return want->try ? want->try(&not_after, want, folder, res, p)
                     : try_here(want, folder, res, p);
}

static int is_expired(const char *folder, apr_time_t now, apr_pool_t *p)
{
    acme_result_t ignored;
    acme_chain_t *chain;

    return acme_chain_load(&chain, apr_pstrcat(p, folder, "/fullchain.pem",
                                               NULL), &ignored, p)
        || acme_chain_leaf(chain)->not_after <= now;
}

/* Can a server load it, and is it not expired? */
static int is_good(const acme_archive_want_t *want, const char *folder,
                   apr_pool_t *p)
{
    acme_result_t ignored;
    apr_time_t not_after;

    if (want->try) {
        return !want->try(&not_after, want, folder, &ignored, p)
            && not_after > want->now;
    }
    return !try_here(want, folder, &ignored, p)
        && !is_expired(folder, want->now, p);
}

/* Are the files of this name in both folders the same? */
static int has_same_file(const char *one, const char *other, const char *name,
                         apr_pool_t *p)
{
    const char *a, *b;
    acme_result_t ignored;
    apr_size_t len;

    return !acme_file_read_secret(&a, &len, apr_pstrcat(p, one, name, NULL),
                                  ACME_CHAIN_SIZE_MAX, &ignored, p)
        && !acme_file_read_secret(&b, &len, apr_pstrcat(p, other, name, NULL),
                                  ACME_CHAIN_SIZE_MAX, &ignored, p)
        && !strcmp(a, b);
}

/* The public keys (acme_octets_t) of all key files of a folder that can be
   read. */
static apr_array_header_t *read_keys(const char *folder, apr_pool_t *p)
{
    apr_array_header_t *keys = apr_array_make(p, 2, sizeof(acme_octets_t));
    acme_octets_t key;
    acme_result_t ignored;
    int i;

    for (i = 0; i < ACME_ARCHIVE_SUFFIXES; i++) {
        const char *path = apr_pstrcat(p, folder, "/privkey",
                                       acme_archive_suffixes[i], ".pem", NULL);

        if (!acme_public_key_of_file(&key, path, &ignored, p)) {
            APR_ARRAY_PUSH(keys, acme_octets_t) = key;
        }
    }
    return keys;
}

static apr_array_header_t *parse_key(const char *key_pem, apr_pool_t *p)
{
    apr_array_header_t *keys = apr_array_make(p, 1, sizeof(acme_octets_t));
    acme_result_t ignored;
    acme_key_t *key;

    if (!acme_key_parse(&key, key_pem, "key", &ignored, p)) {
        APR_ARRAY_PUSH(keys, acme_octets_t) = acme_public_key_of(key, p);
    }
    return keys;
}

static int have_one_in_common(const apr_array_header_t *keys,
                              const apr_array_header_t *others)
{
    int i, k;

    for (i = 0; i < keys->nelts; i++) {
        for (k = 0; k < others->nelts; k++) {
            if (acme_public_key_is_same(
                    APR_ARRAY_IDX(keys, i, acme_octets_t),
                    APR_ARRAY_IDX(others, k, acme_octets_t))) {
                return 1;
            }
        }
    }
    return 0;
}

/*
 * Has a revoked archive of id, but this folder, a key of the folder, or where
 * that is NULL, this key? As public keys: the texts of one key may differ. Most
 * ids have no revoked archive, and then no key is read.
 */
static int is_void(const acme_store_t *store, const char *id,
                   const char *folder, const char *key_pem, apr_pool_t *p)
{
    const char *archives = acme_store_path(store, "archive", id, p);
    apr_array_header_t *numbers, *keys = NULL;
    acme_result_t ignored;
    int i;

    (void)read_numbers(&numbers, archives, &ignored, p);
    for (i = 0; i < numbers->nelts; i++) {
        const char *other = number_path(archives,
                                        APR_ARRAY_IDX(numbers, i, int), p);

        if ((folder && !strcmp(other, folder))
            || !acme_meta_is_revoked(store, other, p)) {
            continue;
        }
        if (!keys) {
            keys = folder ? read_keys(folder, p) : parse_key(key_pem, p);
        }
        if (have_one_in_common(keys, read_keys(other, p))) {
            return 1;
        }
    }
    return 0;
}

int acme_archive_has_void_key(const acme_store_t *store, const char *id,
                              const char *folder, apr_pool_t *p)
{
    return acme_meta_is_revoked(store, folder, p)
        || is_void(store, id, folder, NULL, p);
}

int acme_archive_is_void(const acme_store_t *store, const char *id, int n,
                         apr_pool_t *p)
{
    return acme_archive_has_void_key(store, id,
                                     acme_archive_path(store, id, n, p), p);
}

int acme_archive_is_void_key(const acme_store_t *store, const char *id,
                             const char *key_pem, apr_pool_t *p)
{
    return is_void(store, id, NULL, key_pem, p);
}

int acme_archive_may_have_revoked(const acme_store_t *store, const char *id,
                                  apr_pool_t *p)
{
    const char *archives = acme_store_path(store, "archive", id, p);
    apr_array_header_t *numbers;
    acme_result_t ignored;
    int i;

    if (read_numbers(&numbers, archives, &ignored, p)) {
        return 1;
    }
    for (i = 0; i < numbers->nelts; i++) {
        if (acme_meta_may_be_revoked(
                store, number_path(archives, APR_ARRAY_IDX(numbers, i, int),
                                   p), p)) {
            return 1;
        }
    }
    return 0;
}

int acme_archive_find_copy(const acme_store_t *store, const char *id,
                           const char *folder, apr_pool_t *p)
{
    const char *archives = acme_store_path(store, "archive", id, p);
    apr_array_header_t *numbers;
    acme_result_t ignored;
    int i;

    (void)read_numbers(&numbers, archives, &ignored, p);
    for (i = 0; i < numbers->nelts; i++) {
        const int n = APR_ARRAY_IDX(numbers, i, int);
        const char *other = number_path(archives, n, p);

        if (has_same_file(folder, other, "/fullchain.pem", p)
            && has_same_file(folder, other, "/privkey.pem", p)) {
            return n;
        }
    }
    return 0;
}

int acme_archive_newest(const acme_store_t *store, const char *id,
                        apr_pool_t *p)
{
    apr_array_header_t *numbers;
    acme_result_t ignored;

    (void)read_numbers(&numbers, acme_store_path(store, "archive", id, p),
                       &ignored, p);
    return numbers->nelts ? APR_ARRAY_IDX(numbers, 0, int) : 0;
}

int acme_archive_exists(const acme_store_t *store, const char *id, int n,
                        apr_pool_t *p)
{
    struct stat st;

    return lstat(acme_archive_path(store, id, n, p), &st) == 0
        && S_ISDIR(st.st_mode);
}

/* The newest of those before the live one; any, where the link says nothing. */
static int find_other(acme_store_t *store, const acme_archive_want_t *want,
                      int live, apr_pool_t *p)
{
    const char *folder = acme_store_path(store, "archive", want->id, p);
    apr_array_header_t *numbers;
    acme_result_t ignored;
    int i;

    if (read_numbers(&numbers, folder, &ignored, p)) {
        return 0;
    }
    for (i = 0; i < numbers->nelts; i++) {
        const int n = APR_ARRAY_IDX(numbers, i, int);

        if ((!live || n < live)
            && is_good(want, number_path(folder, n, p), p)
            && !acme_archive_is_void(store, want->id, n, p)) {
            return n;
        }
    }
    return 0;
}

apr_status_t acme_archive_find_good(int *pn, int *plive, acme_store_t *store,
                                    const acme_archive_want_t *want,
                                    acme_result_t *res, apr_pool_t *p)
{
    apr_status_t rv = acme_live_link_read(plive, store, want->id, res, p);
    int other;

    *pn = *plive;
    if (rv != APR_SUCCESS && rv != APR_EGENERAL && !APR_STATUS_IS_ENOENT(rv)) {
        return rv;
    }
    if (rv == APR_SUCCESS) {
        rv = acme_archive_check(store, want, *plive, res, p);
    }
    if (rv == APR_SUCCESS) {
        return rv;
    }
    other = find_other(store, want,
                       acme_archive_exists(store, want->id, *plive, p)
                           ? *plive : 0, p);
    if (!other) {
        return rv;
    }
    *pn = other;
    return APR_SUCCESS;
}

/* 0: there is no such folder. */
static apr_time_t made_at(const char *folder)
{
    struct stat st;

    return lstat(folder, &st) == 0 ? apr_time_from_sec(st.st_mtime) : 0;
}

apr_time_t acme_archive_made_at(const acme_store_t *store, const char *id,
                                int n, apr_time_t now, apr_pool_t *p)
{
    const char *folder = acme_store_path(store, "archive", id, p);
    apr_array_header_t *numbers;
    acme_result_t ignored;
    apr_time_t made = 0;
    int i;

    if (read_numbers(&numbers, folder, &ignored, p)) {
        return 0;
    }
    for (i = 0; n > 0 && i < numbers->nelts; i++) {
        made = made_at(number_path(folder, APR_ARRAY_IDX(numbers, i, int),
                                   p));
        n -= made && made <= now;
    }
    return n > 0 ? 0 : made;
}

apr_status_t acme_archive_prune(acme_store_t *store, const char *id,
                                int served, apr_time_t now,
                                acme_result_t *res, apr_pool_t *p)
{
    const char *folder = acme_store_path(store, "archive", id, p);
    apr_array_header_t *numbers;
    apr_status_t rv;
    int live;
    int i;

    /* While it is unknown which archive is live, each may be. */
    rv = acme_live_link_read(&live, store, id, res, p);
    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        return rv;
    }
    rv = read_numbers(&numbers, folder, res, p);
    for (i = ACME_ARCHIVE_KEEP; rv == APR_SUCCESS && i < numbers->nelts; i++) {
        int n = APR_ARRAY_IDX(numbers, i, int);
        const char *path = number_path(folder, n, p);

        if (n != live && n != served
            && (i >= ACME_ARCHIVE_KEEP_MOST
                || made_at(path) <= now - ACME_ARCHIVE_KEEP_TIME)) {
            rv = acme_file_dir_drop(path, res);
        }
    }
    return rv;
}
