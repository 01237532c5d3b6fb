/*
 * acme_archive.c - certificates on disk: archive/<id>/<n>/.
 *
 * A folder is filled as archive/<id>/.new, and gets its number when it is
 * complete: a numbered folder is never written to again, but for meta.json, if
 * the certificate is revoked.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_file_info.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "acme_archive.h"
#include "acme_chain.h"
#include "acme_file.h"
#include "acme_live_link.h"
#include "acme_meta.h"
#include "acme_pair.h"

#define NUMBER_DIGITS_MAX 9     /* fits an int, and so does one more */
#define KEY_SIZE_MAX (16 * 1024)

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

/*
 * Fill a new folder with the files of each key type and meta.json. The key
 * comes first: without it the rest is useless.
 */
static apr_status_t fill_folder(const char *folder,
                                const acme_archive_t *archive,
                                acme_result_t *res, apr_pool_t *p)
{
    apr_status_t rv;
    size_t k;
    int i;

    rv = acme_file_dir_make(folder, 0755, res, p);
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
            rv = acme_file_write(apr_pstrcat(p, folder, "/", files[k].name,
                                             part->suffix, ".pem", NULL),
                                 files[k].text, strlen(files[k].text),
                                 files[k].mode, res, p);
        }
    }
    if (rv == APR_SUCCESS) {
        rv = acme_file_write(apr_pstrcat(p, folder, "/meta.json", NULL),
                             archive->meta, strlen(archive->meta), 0644, res,
                             p);
    }
    return rv;
}

apr_status_t acme_archive_install(int *pn, acme_store_t *store,
                                  const char *id,
                                  const acme_archive_t *archive,
                                  acme_result_t *res, apr_pool_t *p)
{
    const char *folder = acme_store_path(store, "archive", id, p);
    const char *half = apr_pstrcat(p, folder, "/.new", NULL);
    apr_array_header_t *numbers;
    acme_result_t ignored;
    apr_status_t rv;
    int n;

    *pn = 0;
    acme_result_clear(res);

    rv = acme_store_dir(store, folder, 0755, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_file_dir_remove(half, res, p);    /* left from a crash */
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = read_numbers(&numbers, folder, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    n = 1 + (numbers->nelts ? APR_ARRAY_IDX(numbers, 0, int) : 0);
    rv = fill_folder(half, archive, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_file_move(half, number_path(folder, n, p), res, p);
    }
    if (rv != APR_SUCCESS) {
        (void)acme_file_dir_remove(half, &ignored, p);
        return rv;
    }
    rv = acme_live_link_swap(store, id, n, res, p);
    if (rv != APR_SUCCESS) {
        /* The CA issued it: it stays in the archive, and res names it. */
        return acme_fail(res, rv, "%s; the new certificate is in %s",
                         apr_pstrdup(p, res->detail),
                         number_path(folder, n, p));
    }
    *pn = n;
    return APR_SUCCESS;
}

const char *acme_archive_path(const acme_store_t *store, const char *id, int n,
                              apr_pool_t *p)
{
    return number_path(acme_store_path(store, "archive", id, p), n, p);
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

/* Do two archives have a key in common, in a file of the same name? */
static int has_same_key(const char *one, const char *other, apr_pool_t *p)
{
    static const char *const files[] = {
        "/privkey.pem", "/privkey-rsa.pem", "/privkey-p256.pem",
        "/privkey-p384.pem"
    };
    const char *a, *b;
    acme_result_t ignored;
    apr_size_t len, i;

    for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
        if (!acme_file_read_secret(&a, &len, apr_pstrcat(p, one, files[i],
                                                         NULL),
                                   KEY_SIZE_MAX, &ignored, p)
            && !acme_file_read_secret(&b, &len, apr_pstrcat(p, other, files[i],
                                                            NULL),
                                      KEY_SIZE_MAX, &ignored, p)
            && !strcmp(a, b)) {
            return 1;
        }
    }
    return 0;
}

int acme_archive_is_void(const acme_store_t *store, const char *id, int n,
                         apr_pool_t *p)
{
    const char *folder = acme_store_path(store, "archive", id, p);
    apr_array_header_t *numbers;
    acme_result_t ignored;
    int i;

    if (acme_meta_is_revoked(store, id, n, p)) {
        return 1;
    }
    (void)read_numbers(&numbers, folder, &ignored, p);
    for (i = 0; i < numbers->nelts; i++) {
        const int other = APR_ARRAY_IDX(numbers, i, int);

        if (other != n && acme_meta_is_revoked(store, id, other, p)
            && has_same_key(number_path(folder, n, p),
                            number_path(folder, other, p), p)) {
            return 1;
        }
    }
    return 0;
}

apr_status_t acme_archive_find_good(int *pn, int *plive, acme_store_t *store,
                                    const acme_archive_want_t *want,
                                    acme_result_t *res, apr_pool_t *p)
{
    const char *folder = acme_store_path(store, "archive", want->id, p);
    apr_array_header_t *numbers;
    acme_result_t ignored;
    apr_status_t rv;
    int i;

    rv = acme_live_link_read(plive, store, want->id, res, p);
    *pn = *plive;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_archive_check(store, want, *plive, res, p);
    if (rv == APR_SUCCESS || read_numbers(&numbers, folder, &ignored, p)) {
        return rv;
    }
    for (i = 0; i < numbers->nelts; i++) {
        const int n = APR_ARRAY_IDX(numbers, i, int);

        if (n < *plive && is_good(want, number_path(folder, n, p), p)
            && !acme_archive_is_void(store, want->id, n, p)) {
            *pn = n;
            return APR_SUCCESS;
        }
    }
    return rv;
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
            rv = acme_file_dir_remove(path, res, p);
        }
    }
    return rv;
}
