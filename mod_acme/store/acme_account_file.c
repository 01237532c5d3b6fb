/*
 * acme_account_file.c - accounts/<ca-host>-<8 hex>/: account.json and key.pem.
 *
 * The key is the account: it is written once, and only the next key replaces
 * it, after the CA accepted that. account.json can be made again from the CA.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "acme_account_file.h"
#include "acme_digest.h"
#include "acme_file.h"
#include "acme_json_file.h"
#include "acme_sync.h"
#include "acme_url.h"

#define ACCOUNT_SIZE_MAX (64 * 1024)
#define CONTACT_SIZE_MAX 1000
#define HOST_SIZE_MAX 300       /* octets, with its port */
#define ISSUER_SIZE_MAX 300
#define HOST_MAX 200            /* with the digest below any NAME_MAX */

#define KEY_FILE "key.pem"
#define NEXT_FILE "next-key.pem"
#define OLD_FILE "old-key.pem"
#define HALF_FOLDER ".import"     /* no host begins with '.' */

/* The host without a port, in characters that a file name can have. */
static const char *host_name(const char *directory_url, apr_pool_t *p)
{
    char *host = apr_pstrndup(p, acme_url_host(directory_url, p), HOST_MAX);
    char *port = strrchr(host, ':');
    char *c;

    /* An IPv6 address ends with its bracket. */
    if (port && !strchr(port, ']')) {
        *port = '\0';
    }
    for (c = host; *c; c++) {
        if ((*c < 'a' || *c > 'z') && (*c < '0' || *c > '9')
            && (*c != '.' || c == host) && *c != '-') {
            *c = '_';
        }
    }
    return host;
}

const char *acme_account_file_folder(const char *directory_url,
                                     const char *kid, apr_pool_t *p)
{
    apr_size_t url_len = strlen(directory_url);
    apr_size_t len = url_len + (kid ? 1 + strlen(kid) : 0);
    char *text = apr_palloc(p, len + 1);

    strcpy(text, directory_url);
    if (kid) {
        strcpy(text + url_len + 1, kid);
    }
    return apr_pstrcat(p, host_name(directory_url, p), "-",
                       acme_digest_hex(text, len, 4, p), NULL);
}

static const char *file_path(const acme_store_t *store, const char *folder,
                             const char *file, apr_pool_t *p)
{
    return acme_store_path(store, "accounts",
                           apr_pstrcat(p, folder, "/", file, NULL), p);
}

/* APR_EGENERAL: account.json is damaged. ENOENT: there is none. */
static apr_status_t read_account(acme_account_file_t *account,
                                 const char *path, acme_result_t *res,
                                 apr_pool_t *p)
{
    json_t *json;
    apr_status_t rv;

    rv = acme_json_file_look(&json, path, ACCOUNT_SIZE_MAX, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    account->directory = acme_json_string(json, "directory", ACME_URL_MAX, p);
    account->terms = acme_json_string(json, "terms", ACME_URL_MAX, p);
    account->deactivated = acme_json_true(json, "deactivated");
    account->persist_issuer = acme_json_string(json, "persistIssuer",
                                               ISSUER_SIZE_MAX, p);
    account->persist_prefix = acme_json_string(json, "persistPrefix",
                                               ACME_URL_MAX, p);
    account->persist_draft = (int)json_integer_value(
        json_object_get(json, "persistDraft"));
    if (json_object_get(json, "contacts")) {
        account->contacts = acme_json_strings(json, "contacts",
                                              CONTACT_SIZE_MAX, p);
    }
    if (json_object_get(json, "contactsRefused")) {
        account->refused = acme_json_strings(json, "contactsRefused",
                                              CONTACT_SIZE_MAX, p);
    }
    if (json_object_get(json, "hosts")) {
        account->hosts = acme_json_strings(json, "hosts", HOST_SIZE_MAX, p);
    }
    if (!json_object_get(json, "url")) {
        return APR_SUCCESS;
    }
    account->url = acme_json_string(json, "url", ACME_URL_MAX, p);
    if (!account->url) {
        return acme_fail(res, APR_EGENERAL, "%s: the member url is not a URL",
                         path);
    }
    if (acme_url_check(account->url, res, p) != APR_SUCCESS) {
        acme_result_prefix(res, path);
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

apr_status_t acme_account_file_load(acme_key_t **pkey,
                                    acme_account_file_t *account,
                                    acme_store_t *store, const char *folder,
                                    acme_result_t *res, apr_pool_t *p)
{
    const char *path = file_path(store, folder, "account.json", p);
    apr_status_t rv;

    *pkey = NULL;
    memset(account, 0, sizeof(*account));

    rv = acme_key_load(pkey, file_path(store, folder, KEY_FILE, p), res, p);
    if (APR_STATUS_IS_ENOTDIR(rv)) {
        return APR_ENOENT; /* acme_account_file_key_save() sets it aside */
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = read_account(account, path, res, p);
    if (rv == APR_EGENERAL) {
        memset(account, 0, sizeof(*account));
        (void)acme_store_damaged(store, path, res, p);
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv)) {
        acme_result_clear(res);
        return APR_SUCCESS;
    }
    *pkey = NULL;
    return rv;
}

apr_status_t acme_account_file_look(acme_account_file_t *account,
                                    const acme_store_t *store,
                                    const char *folder, acme_result_t *res,
                                    apr_pool_t *p)
{
    apr_status_t rv;

    memset(account, 0, sizeof(*account));
    rv = read_account(account, file_path(store, folder, "account.json", p),
                      res, p);
    if (rv != APR_SUCCESS) {
        memset(account, 0, sizeof(*account));
    }
    return rv;
}

/* The key of a new account, with the folder that was made for it: they last, or
   are not there. */
static apr_status_t write_first_key(acme_store_t *store, const char *folder,
                                    acme_sync_t *sync, acme_key_t *key,
                                    acme_result_t *res, apr_pool_t *p)
{
    const char *half = file_path(store, folder, ".key.pem.new", p);
    const char *pem;
    apr_status_t rv;

    rv = acme_key_pem(&pem, key, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_file_put(half, pem, strlen(pem), 0600, res);
    }
    if (rv == APR_SUCCESS) {
        acme_sync_add(sync, half);
        acme_sync_add(sync, acme_store_path(store, "accounts", folder, p));
        rv = acme_sync_run(sync, res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_file_move(half, file_path(store, folder, KEY_FILE, p), res,
                            p);
    }
    return rv;
}

static apr_status_t write_key(acme_store_t *store, const char *folder,
                              const char *file, acme_key_t *key,
                              acme_result_t *res, apr_pool_t *p)
{
    const char *pem;
    apr_status_t rv;

    rv = acme_key_pem(&pem, key, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_file_write(file_path(store, folder, file, p), pem,
                             strlen(pem), 0600, res, p);
    }
    return rv;
}

apr_status_t acme_account_file_key_save(acme_store_t *store,
                                        const char *folder, acme_key_t *key,
                                        acme_result_t *res, apr_pool_t *p)
{
    const char *path = file_path(store, folder, KEY_FILE, p);
    acme_sync_t *sync = acme_sync_create(store, p);
    acme_result_t ignored;
    struct stat st;
    apr_status_t rv;

    acme_result_clear(res);

    acme_sync_begin(sync);
    rv = acme_sync_dir(sync, store,
                       acme_store_path(store, "accounts", folder, p), 0700,
                       res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (lstat(path, &st) == 0) {
        return acme_fail(res, APR_EEXIST,
                         "%s: a key exists already and is never replaced",
                         path);
    }
    rv = write_first_key(store, folder, sync, key, res, p);
    if (rv != APR_SUCCESS) {
        (void)acme_file_dir_drop(file_path(store, folder, ".key.pem.new", p),
                                 &ignored);
    }
    return rv;
}

apr_status_t acme_account_file_save(acme_store_t *store, const char *folder,
                                    const acme_account_file_t *account,
                                    acme_result_t *res, apr_pool_t *p)
{
    const char *path;
    struct stat st;
    json_t *json;

    json = json_pack("{s:s*, s:s*, s:s*, s:b, s:s*, s:i, s:s*}",
                     "url", account->url,
                     "directory", account->directory,
                     "terms", account->terms,
                     "deactivated", account->deactivated,
                     "persistIssuer", account->persist_issuer,
                     "persistDraft", account->persist_draft,
                     "persistPrefix", account->persist_prefix);
    if (!json
        || (account->contacts
            && json_object_set_new(json, "contacts",
                                   acme_json_array(account->contacts)))
        || (account->refused
            && json_object_set_new(json, "contactsRefused",
                                   acme_json_array(account->refused)))
        || (account->hosts
            && json_object_set_new(json, "hosts",
                                   acme_json_array(account->hosts)))) {
        json_decref(json);
        json = NULL;
    }
    path = file_path(store, folder, "account.json", p);
    /* All but a deactivation is found out again with the key. */
    return acme_json_file_write(account->deactivated ? acme_file_write
                                : lstat(path, &st) == 0 ? acme_file_update
                                : acme_file_replace,
                                path, json, 0600, res, p);
}

apr_status_t acme_account_file_add(acme_store_t *store, const char *folder,
                                   const acme_account_file_t *account,
                                   acme_key_t *key, acme_result_t *res,
                                   apr_pool_t *p)
{
    const char *path = acme_store_path(store, "accounts", folder, p);
    const char *half = acme_store_path(store, "accounts", HALF_FOLDER, p);
    acme_result_t ignored;
    struct stat st;
    apr_status_t rv;

    if (lstat(path, &st) == 0) {
        return acme_fail(res, APR_EEXIST, "%s: is there already", path);
    }
    rv = acme_file_dir_remove(half, res, p);    /* of a crash */
    if (rv == APR_SUCCESS) {
        rv = acme_account_file_key_save(store, HALF_FOLDER, key, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_account_file_save(store, HALF_FOLDER, account, res, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_file_sync(file_path(store, HALF_FOLDER, "account.json", p),
                            res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_file_sync(half, res);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_file_move(half, path, res, p);
    }
    if (rv != APR_SUCCESS) {
        (void)acme_file_dir_remove(half, &ignored, p);
    }
    return rv;
}

apr_status_t acme_account_file_next_save(acme_store_t *store,
                                         const char *folder, acme_key_t *key,
                                         acme_result_t *res, apr_pool_t *p)
{
    return write_key(store, folder, NEXT_FILE, key, res, p);
}

apr_status_t acme_account_file_next_load(acme_key_t **pkey,
                                         acme_store_t *store,
                                         const char *folder,
                                         acme_result_t *res, apr_pool_t *p)
{
    return acme_key_load(pkey, file_path(store, folder, NEXT_FILE, p), res,
                         p);
}

/* An account may still have the key: it is moved, never removed. */
static apr_status_t keep_aside(acme_store_t *store, const char *path,
                               acme_result_t *res, apr_pool_t *p)
{
    const char *aside;

    return acme_store_aside(&aside, store, path, apr_time_now(), res, p);
}

static apr_status_t keep_old_key(acme_store_t *store, const char *folder,
                                 acme_result_t *res, apr_pool_t *p)
{
    const char *copy = file_path(store, folder, OLD_FILE, p);
    const char *pem;
    apr_size_t len;
    apr_status_t rv;

    rv = acme_file_read_secret(&pem, &len, file_path(store, folder, KEY_FILE,
                                                     p), ACCOUNT_SIZE_MAX,
                               res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_file_write(copy, pem, len, 0600, res, p);
    }
    return rv == APR_SUCCESS ? keep_aside(store, copy, res, p) : rv;
}

apr_status_t acme_account_file_next_promote(acme_store_t *store,
                                            const char *folder,
                                            acme_result_t *res, apr_pool_t *p)
{
    const char *next = file_path(store, folder, NEXT_FILE, p);
    struct stat st;
    apr_status_t rv;

    if (lstat(next, &st)) {
        return acme_fail_errno(res, errno, "%s: cannot find the next key",
                               next);
    }
    rv = keep_old_key(store, folder, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return acme_file_move(next, file_path(store, folder, KEY_FILE, p), res, p);
}

apr_status_t acme_account_file_next_drop(acme_store_t *store,
                                         const char *folder,
                                         acme_result_t *res, apr_pool_t *p)
{
    const char *next = file_path(store, folder, NEXT_FILE, p);
    struct stat st;

    return lstat(next, &st) ? APR_SUCCESS : keep_aside(store, next, res, p);
}
