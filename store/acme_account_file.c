/*
 * acme_account_file.c - accounts/<ca-host>-<8 hex>/: account.json and key.pem.
 *
 * The key is the account. It is written once, and nothing here ever replaces
 * or moves it; account.json can be asked of the CA again.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>
#include <openssl/sha.h>

#include "acme_account_file.h"
#include "acme_file.h"
#include "acme_json.h"
#include "acme_text.h"

#define ACCOUNT_SIZE_MAX (64 * 1024)
#define HOST_MAX 200            /* with the digest below any NAME_MAX */

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

const char *acme_account_folder(const char *directory_url, const char *kid,
                                apr_pool_t *p)
{
    apr_size_t url_len = strlen(directory_url);
    apr_size_t len = url_len + (kid ? 1 + strlen(kid) : 0);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char *text = apr_palloc(p, len + 1);

    strcpy(text, directory_url);
    if (kid) {
        strcpy(text + url_len + 1, kid);
    }
    SHA256((unsigned char *)text, len, digest);
    return apr_psprintf(p, "%s-%02x%02x%02x%02x",
                        host_name(directory_url, p), digest[0], digest[1],
                        digest[2], digest[3]);
}

static const char *file_path(const acme_store_t *store, const char *folder,
                             const char *file, apr_pool_t *p)
{
    return acme_store_path(store, "accounts",
                           apr_pstrcat(p, folder, "/", file, NULL), p);
}

/* The account's URL, NULL when it is not known. APR_EGENERAL: damaged. */
static apr_status_t read_url(const char **purl, const char *path,
                             acme_result_t *res, apr_pool_t *p)
{
    const char *body, *url;
    apr_size_t len;
    json_t *json;
    apr_status_t rv;

    rv = acme_file_read(&body, &len, path, ACCOUNT_SIZE_MAX, res, p);
    if (APR_STATUS_IS_ENOENT(rv)) {
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (acme_json_parse(&json, body, len, path, res, p) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    if (!json_object_get(json, "url")) {
        return APR_SUCCESS;
    }
    url = acme_json_string(json, "url", ACME_URL_MAX, p);
    if (!url) {
        return acme_fail(res, APR_EGENERAL, "%s: no URL in it", path);
    }
    if (acme_url_check(url, res, p) != APR_SUCCESS) {
        acme_result_prefix(res, path);
        return APR_EGENERAL;
    }
    *purl = url;
    return APR_SUCCESS;
}

apr_status_t acme_account_load(acme_key_t **pkey, const char **purl,
                               acme_store_t *store, const char *folder,
                               acme_result_t *res, apr_pool_t *p)
{
    const char *path = file_path(store, folder, "account.json", p);
    apr_status_t rv;

    *pkey = NULL;
    *purl = NULL;

    rv = acme_key_load(pkey, file_path(store, folder, "key.pem", p), res, p);
    if (APR_STATUS_IS_ENOTDIR(rv)) {
        return APR_ENOENT;      /* acme_account_key_save() sets it aside */
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = read_url(purl, path, res, p);
    if (rv == APR_EGENERAL) {
        (void)acme_store_damaged(store, path, res, p);
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        acme_result_clear(res);
    }
    else {
        *pkey = NULL;
    }
    return rv;
}

apr_status_t acme_account_key_save(acme_store_t *store, const char *folder,
                                   acme_key_t *key, acme_result_t *res,
                                   apr_pool_t *p)
{
    const char *path = file_path(store, folder, "key.pem", p);
    struct stat st;
    const char *pem;
    apr_status_t rv;

    acme_result_clear(res);

    rv = acme_key_pem(&pem, key, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = acme_store_dir(store, acme_store_path(store, "accounts", folder, p),
                        0700, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (lstat(path, &st) == 0) {
        return acme_fail(res, APR_EEXIST, "%s: there is a key already, which "
                         "is never replaced", path);
    }
    return acme_file_write(path, pem, strlen(pem), 0600, res, p);
}

apr_status_t acme_account_save(acme_store_t *store, const char *folder,
                               const char *url, const char *directory_url,
                               const apr_array_header_t *contacts,
                               acme_result_t *res, apr_pool_t *p)
{
    const char *path = file_path(store, folder, "account.json", p);
    json_t *array = json_array();
    const char *text;
    json_t *json;
    int i;

    for (i = 0; i < contacts->nelts; i++) {
        json_array_append_new(array, json_string(APR_ARRAY_IDX(contacts, i,
                                                               const char *)));
    }
    json = json_pack("{s:s*, s:s, s:o}", "url", url,
                     "directory", directory_url, "contacts", array);
    if (!json) {
        return acme_fail(res, APR_EINVAL, "%s: a text is not UTF-8", path);
    }
    text = acme_json_text(acme_json_own(json, p), 2, p);
    return acme_file_write(path, text, strlen(text), 0600, res, p);
}
