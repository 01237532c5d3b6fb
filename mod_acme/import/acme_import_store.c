/*
 * acme_import_store.c - accounts and certificates that were found, written
 * into the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "acme_account_file.h"
#include "acme_archive.h"
#include "acme_chain.h"
#include "acme_import_store.h"
#include "acme_journal.h"
#include "acme_meta.h"
#include "acme_next_key_file.h"
#include "acme_text.h"
#include "acme_time.h"

struct acme_import_store_t {
    acme_store_t *store;
    int fd;                     /* of the lock against other imports; -1 */
    int is_dry;
    int is_locked;              /* no keeper uses it */
};

static int is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* One import at a time: half of what it adds has one name. */
static apr_status_t lock_others_out(acme_import_store_t *store,
                                    acme_result_t *res, apr_pool_t *p)
{
    const char *path = acme_store_path(store->store, "accounts", NULL, p);
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return acme_fail_errno(res, errno, "%s: cannot be opened", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return acme_fail(res, APR_EBUSY, "%s: another import runs", path);
    }
    store->fd = fd;
    return APR_SUCCESS;
}

/* Is the keeper's lock free? Nothing is made for the question. */
static int is_lock_free(const acme_store_t *store, apr_pool_t *p)
{
    const int fd = open(acme_store_path(store, "run", "lock", p),
                        O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int is_free;

    if (fd < 0) {
        return 1;
    }
    is_free = !flock(fd, LOCK_SH | LOCK_NB);
    close(fd);
    return is_free;
}

/* The path without links, of which the last part may be missing. */
static const char *real_path(const char *path, apr_pool_t *p)
{
    char *real = realpath(path, NULL), *slash;
    const char *found = real ? apr_pstrdup(p, real) : NULL;
    char *above = apr_pstrdup(p, path);
    apr_size_t len = strlen(above);

    free(real);
    while (len > 1 && above[len - 1] == '/') {
        above[--len] = '\0';
    }
    slash = strrchr(above, '/');
    if (found || !slash) {
        return found;
    }
    *slash = '\0';
    real = realpath(*above ? above : "/", NULL);
    found = real ? apr_pstrcat(p, real, "/", slash + 1, NULL) : NULL;
    free(real);
    return found;
}

static int is_in(const char *path, const char *folder)
{
    const apr_size_t len = strlen(folder);

    return !strncmp(path, folder, len)
        && (!path[len] || path[len] == '/' || len == 1);
}

static int is_empty(const char *path, apr_pool_t *p)
{
    int is_used = 0;
    apr_finfo_t info;
    apr_dir_t *dir;

    if (apr_dir_open(&dir, path, p)) {
        return 1;               /* acme_store_open() says why */
    }
    while (!is_used && !apr_dir_read(&info, APR_FINFO_NAME, dir)) {
        is_used = strcmp(info.name, ".") && strcmp(info.name, "..")
            && strcmp(info.name, "lost+found");
    }
    apr_dir_close(dir);
    return !is_used;
}

/* Folders of the client and of others keep what they have, and its modes. */
static apr_status_t check_root(const acme_store_t *store, const char *root,
                               const char *client, acme_result_t *res,
                               apr_pool_t *p)
{
    const char *ours = real_path(root, p), *theirs = real_path(client, p);

    if (ours && theirs && (is_in(ours, theirs) || is_in(theirs, ours))) {
        return acme_fail_never(
            res, EPERM,
            "%s: the state directory and the other client's folder %s must not be, or hold, each other: choose another one with --state-dir and AcmeStateDir",
            root, client);
    }
    /* No other client has a folder journal. */
    if (is_there(root) && !is_empty(root, p)
        && (!is_there(acme_store_path(store, "journal", NULL, p))
            || !is_there(acme_store_path(store, "accounts", NULL, p))
            || !is_there(acme_store_path(store, "live", NULL, p)))) {
        return acme_fail_never(
            res, EPERM,
            "%s: not a state directory of mod_acme, and not empty: choose another one with --state-dir and AcmeStateDir",
            root);
    }
    return APR_SUCCESS;
}

apr_status_t acme_import_store_open(acme_import_store_t **pstore,
                                    const char *root, const char *client,
                                    int is_dry, acme_result_t *res,
                                    apr_pool_t *p)
{
    acme_import_store_t *store = apr_pcalloc(p, sizeof(*store));
    acme_result_t ignored;
    apr_status_t rv;

    *pstore = NULL;

    store->is_dry = is_dry;
    store->fd = -1;
    store->store = acme_store_at(root, p);
    rv = check_root(store->store, root, client, res, p);
    if (rv == APR_SUCCESS && is_dry) {
        store->is_locked = is_lock_free(store->store, p);
        *pstore = store;
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        rv = acme_store_open(&store->store, root, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = lock_others_out(store, res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    store->is_locked = !acme_store_lock(store->store, &ignored, p);
    *pstore = store;
    return APR_SUCCESS;
}

void acme_import_store_close(acme_import_store_t *store)
{
    if (!store->is_dry) {
        acme_store_unlock(store->store);
    }
    if (store->fd >= 0) {
        close(store->fd);
        store->fd = -1;
    }
}

static int is_of(const apr_array_header_t *items, const char *id)
{
    int i;

    for (i = 0; i < items->nelts; i++) {
        const acme_import_item_t *item = &APR_ARRAY_IDX(items, i,
                                                        acme_import_item_t);

        if (!item->is_account && item->result != ACME_IMPORT_SKIPPED
            && !strcmp(item->name, id)) {
            return 1;
        }
    }
    return 0;
}

int acme_import_store_has_others(const acme_import_store_t *store,
                                 const apr_array_header_t *items,
                                 apr_pool_t *p)
{
    int has_others = 0;
    apr_finfo_t info;
    apr_dir_t *dir;

    if (apr_dir_open(&dir, acme_store_path(store->store, "live", NULL, p),
                     p)) {
        return 0;
    }
    while (!has_others && !apr_dir_read(&info, APR_FINFO_NAME, dir)) {
        has_others = info.name[0] != '.' && !is_of(items, info.name);
    }
    apr_dir_close(dir);
    return has_others;
}

int acme_import_store_is_beside(const acme_import_store_t *store)
{
    return !store->is_locked;
}

/* The account that the store has: the same, another one, or one that was never
   registered, which nobody misses. */
static apr_status_t compare_account(acme_import_store_t *store,
                                    const acme_import_account_t *account,
                                    const char *folder, acme_result_t *res,
                                    apr_pool_t *p)
{
    const char *path = acme_store_path(store->store, "accounts", folder, p);
    const char *theirs = "", *ours = "", *aside;
    acme_account_file_t file;
    acme_result_t ignored;
    acme_key_t *key;
    apr_status_t rv;

    if (acme_key_load(&key, apr_pstrcat(p, path, "/key.pem", NULL), &ignored,
                      p)
        || acme_key_thumbprint(&ours, key, &ignored, p)
        || acme_key_thumbprint(&theirs, account->key, &ignored, p)) {
        return acme_fail_never(res, EPERM,
                               "%s is there, and its key cannot be read",
                               path);
    }
    if (!strcmp(ours, theirs)) {
        acme_result_clear(res);
        return APR_EEXIST;
    }
    rv = acme_account_file_look(&file, store->store, folder, &ignored, p);
    if (rv && !APR_STATUS_IS_ENOENT(rv)) {
        return acme_fail_never(
            res, EPERM,
            "the store has another account key at this CA, and whether it is registered cannot be read: %s",
            ignored.detail);
    }
    if (file.url) {
        return acme_fail_never(
            res, EPERM,
            "the store has another account at this CA, which is used: %s",
            file.url);
    }
    if (!store->is_locked) {
        return acme_fail_never(
            res, EPERM,
            "the store has a key for this CA that is not registered yet: stop httpd, and import again, to have it replaced");
    }
    return store->is_dry ? APR_SUCCESS
        : acme_store_aside(&aside, store->store, path, apr_time_now(), res, p);
}

apr_status_t acme_import_store_account(acme_import_store_t *store,
                                       const acme_import_account_t *account,
                                       acme_result_t *res, apr_pool_t *p)
{
    const char *folder = acme_account_file_folder(account->ca, NULL, p);
    const acme_account_file_t file = { .url = account->url,
                                       .directory = account->ca,
                                       .contacts = account->contacts };
    apr_status_t rv = APR_SUCCESS;

    acme_result_clear(res);
    if (is_there(acme_store_path(store->store, "accounts", folder, p))) {
        rv = compare_account(store, account, folder, res, p);
    }
    return rv || store->is_dry
        ? rv : acme_account_file_add(store->store, folder, &file, account->key,
                                     res, p);
}

const char *acme_import_store_id(const acme_import_cert_t *cert,
                                 apr_pool_t *p)
{
    return acme_store_id_of_name(cert->name, p);
}

/* "-rsa" and the like; the first has none. */
static const char *suffix_of(const acme_import_part_t *part, int i,
                             apr_pool_t *p)
{
    return i == 0 ? ""
        : part->type >= ACME_KEY_RSA2048 ? "-rsa"
        : apr_pstrcat(p, "-", part->key_type, NULL);
}

static const char *meta_of(const acme_import_cert_t *cert, const char *id,
                           apr_time_t now, apr_pool_t *p)
{
    acme_meta_t meta = { .id = id, .ca = cert->ca, .profile = cert->profile,
                         .must_staple = cert->must_staple, .now = now };
    int i;

    meta.parts = apr_array_make(p, 2, sizeof(acme_meta_part_t));
    for (i = 0; i < cert->parts->nelts; i++) {
        const acme_import_part_t *part = &APR_ARRAY_IDX(cert->parts, i,
                                                        acme_import_part_t);

        APR_ARRAY_PUSH(meta.parts, acme_meta_part_t) = (acme_meta_part_t) {
            .key_type = part->type, .is_other_type = !part->key_type,
            .leaf = part->leaf
        };
        meta.must_staple |= part->leaf->must_staple;
        if (part->key_type) {
            meta.key_types = meta.key_types
                ? apr_pstrcat(p, meta.key_types, " ", part->key_type, NULL)
                : part->key_type;
        }
    }
    return acme_meta_text(&meta, p);
}

static const acme_cert_info_t *leaf_of(const acme_import_cert_t *cert)
{
    return APR_ARRAY_IDX(cert->parts, 0, acme_import_part_t).leaf;
}

/* What is live under the id: the same, a better one, or one that is worse. */
static apr_status_t compare_cert(acme_import_store_t *store,
                                 const acme_import_cert_t *cert,
                                 const char *id, acme_result_t *res,
                                 apr_pool_t *p)
{
    const acme_cert_info_t *ours;
    acme_result_t ignored;
    acme_chain_t *chain;

    if (acme_chain_load(&chain, acme_store_live(store->store, id,
                                                "fullchain.pem", p),
                        &ignored, p)) {
        return acme_fail_never(
            res, EPERM,
            "the store has something under the id %s already, which cannot be read; it stays",
            id);
    }
    ours = acme_chain_leaf(chain);
    if (!strcmp(ours->serial, leaf_of(cert)->serial)
        && ours->not_after == leaf_of(cert)->not_after) {
        acme_result_clear(res);
        return APR_EEXIST;
    }
    if (ours->not_after >= leaf_of(cert)->not_after) {
        return acme_fail_never(
            res, EPERM,
            "the store has a certificate %s that is valid longer, until %s",
            id, acme_time_text(ours->not_after, p));
    }
    if (!store->is_locked) {
        return acme_fail_never(
            res, EPERM,
            "the store has an older certificate %s, and httpd uses it: stop httpd, and import again, to have this one put live",
            id);
    }
    return APR_SUCCESS;
}

/* For whoever reads the journal; a keeper that works has its own copy. */
static void note_in_journal(acme_import_store_t *store,
                            const acme_import_cert_t *cert, const char *id,
                            int n, apr_time_t now, apr_pool_t *p)
{
    acme_journal_t *journal;
    acme_result_t ignored;

    if ((!store->is_locked
         && is_there(acme_store_path(store->store, "journal",
                                     apr_pstrcat(p, id, ".json", NULL), p)))
        || acme_journal_load(&journal, store->store, id, &ignored, p)) {
        return;
    }
    journal->attempts = 0;
    journal->next_at = 0;
    journal->retry = ACME_RETRY_SOON;
    journal->why = ACME_REASON_NONE;
    journal->problem = journal->detail = "";
    acme_journal_add(journal, now, "imported",
                     apr_psprintf(p, "archive/%s/%d, from %s", id, n,
                                  acme_text_clean(cert->place, 300, p)));
    (void)acme_journal_save(store->store, id, journal, &ignored, p);
}

/* One that is there is the keeper's, and may be announced as well. */
static apr_status_t add_next_key(acme_import_store_t *store,
                                 const acme_import_cert_t *cert,
                                 const char *id, acme_result_t *res,
                                 apr_pool_t *p)
{
    const acme_key_type_e type =
        APR_ARRAY_IDX(cert->parts, 0, acme_import_part_t).type;

    if (!cert->next_key
        || is_there(acme_store_path(store->store, "next",
                                    acme_next_key_file_name(id, type, p),
                                    p))) {
        return APR_SUCCESS;
    }
    return acme_next_key_file_save(store->store, id, type, cert->next_key, res,
                                   p);
}

apr_status_t acme_import_store_cert(acme_import_store_t *store,
                                    const acme_import_cert_t *cert,
                                    const char *id, apr_time_t now,
                                    acme_result_t *res, apr_pool_t *p)
{
    const int is_known = is_there(acme_store_path(store->store, "archive", id,
                                                  p))
        || is_there(acme_store_path(store->store, "live", id, p));
    acme_archive_t archive = { .meta = meta_of(cert, id, now, p) };
    apr_status_t rv = APR_SUCCESS;
    int i, n = 0;

    acme_result_clear(res);
    if (is_known) {
        rv = compare_cert(store, cert, id, res, p);
    }
    if (rv || store->is_dry) {
        return rv;
    }
    archive.parts = apr_array_make(p, 2, sizeof(acme_archive_part_t));
    for (i = 0; i < cert->parts->nelts; i++) {
        const acme_import_part_t *part = &APR_ARRAY_IDX(cert->parts, i,
                                                        acme_import_part_t);

        APR_ARRAY_PUSH(archive.parts, acme_archive_part_t) =
            (acme_archive_part_t) {
                .suffix = suffix_of(part, i, p),
                .key_pem = part->key_pem, .cert_pem = part->cert_pem,
                .chain_pem = part->chain_pem, .full_pem = part->full_pem
            };
    }
    archive.made = leaf_of(cert)->not_before;
    rv = is_known ? acme_archive_install(&n, store->store, id, &archive, res, p)
                  : acme_archive_add(&n, store->store, id, &archive, res, p);
    if (rv == APR_SUCCESS) {
        note_in_journal(store, cert, id, n, now, p);
        rv = add_next_key(store, cert, id, res, p);
    }
    return rv;
}
