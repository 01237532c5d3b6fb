/*
 * acme_token_file.c - published/<token>, published/dns-01.<value>.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "acme_file.h"
#include "acme_json_file.h"
#include "acme_text.h"
#include "acme_token_file.h"

#define FOLDER "published"
#define DNS "dns-01."           /* no token has a dot */

#define TOKEN_MAX 200
#define VALUE_MAX 256
#define DOMAIN_MAX 255
#define PATH_LEN_MAX 4096
#define OUTPUT_MAX 8192
#define FILE_MAX (64 * 1024) /* of a file: the output may be escaped */

static const char *path_of(const acme_store_t *store, const char *name,
                           apr_pool_t *p)
{
    return acme_store_path(store, FOLDER, name, p);
}

static const char *name_of(const acme_token_file_t *file, apr_pool_t *p)
{
    return file->record ? apr_pstrcat(p, DNS, file->value, NULL) : file->token;
}

/* NULL: not the name of a record's file. */
static const char *value_in(const char *name)
{
    return strncmp(name, DNS, strlen(DNS)) ? NULL : name + strlen(DNS);
}

/*
 * {"id": "...", "name": "...", "value": "...", "root": "...", "cleanup": "...",
 * "folders": 2, "output": "..."}; one of root and cleanup. Of dns-01 "record"
 * and "token" as well, and "server" or "cleanup".
 */
apr_status_t acme_token_file_save(acme_store_t *store,
                                  const acme_token_file_t *file,
                                  acme_result_t *res, apr_pool_t *p)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*,"
                             " s:i, s:s*}",
                             "id", file->id, "name", file->name,
                             "value", file->value,
                             "record", file->record,
                             "token", file->record ? file->token : NULL,
                             "root", file->root,
                             "cleanup", file->cleanup,
                             "server", file->server,
                             "folders", file->folders,
                             "output", file->output);

    return acme_json_file_save(path_of(store, name_of(file, p), p), json,
                               0600, res, p);
}

apr_status_t acme_token_file_remove(acme_store_t *store,
                                    const acme_token_file_t *file,
                                    acme_result_t *res, apr_pool_t *p)
{
    const char *path = path_of(store, name_of(file, p), p);

    if (unlink(path) && errno != ENOENT && errno != ENOTDIR) {
        return acme_fail_errno(res, errno, "%s: cannot remove", path);
    }
    return APR_SUCCESS;
}

static apr_status_t load(acme_token_file_t *file, acme_store_t *store,
                         const char *name, acme_result_t *res, apr_pool_t *p)
{
    const char *path = path_of(store, name, p);
    const char *value = value_in(name);
    struct stat st;
    json_t *json;
    apr_status_t rv;

    rv = acme_json_file_look(&json, path, FILE_MAX, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!stat(path, &st)) {
        file->since = apr_time_from_sec(st.st_mtime);
    }
    file->token = value ? acme_json_string(json, "token", TOKEN_MAX, p)
                        : apr_pstrdup(p, name);
    file->id = acme_json_string(json, "id", ACME_ID_MAX, p);
    file->name = acme_json_string(json, "name", DOMAIN_MAX, p);
    file->value = value ? apr_pstrdup(p, value)
                        : acme_json_string(json, "value", VALUE_MAX, p);
    file->record = value ? acme_json_string(json, "record", DOMAIN_MAX, p)
                         : NULL;
    file->server = value ? acme_json_string(json, "server", DOMAIN_MAX, p)
                         : NULL;
    file->root = acme_json_string(json, "root", PATH_LEN_MAX, p);
    file->cleanup = acme_json_string(json, "cleanup", PATH_LEN_MAX, p);
    file->folders = acme_json_int(json, "folders") == 2
                        ? 2
                        : acme_json_int(json, "folders") == 1;
    file->output = acme_json_string(json, "output", OUTPUT_MAX, p);
    if (!file->id || !file->name || !file->value || !file->token
        || (value ? !file->record || (!file->cleanup && !file->server)
                  : !file->root && !file->cleanup)) {
        return acme_fail(res, APR_EGENERAL, "%s: members are missing", path);
    }
    return APR_SUCCESS;
}

apr_array_header_t *acme_token_file_list(acme_store_t *store, apr_pool_t *p)
{
    apr_array_header_t *files =
        apr_array_make(p, 4, sizeof(acme_token_file_t));
    apr_array_header_t *names = apr_array_make(p, 4, sizeof(const char *));
    acme_result_t res;
    apr_finfo_t info;
    apr_dir_t *dir;
    int i;

    if (apr_dir_open(&dir, path_of(store, NULL, p), p)) {
        return files;
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        const char *value = value_in(info.name);

        if (acme_text_is_base64url(value ? value : info.name, TOKEN_MAX)) {
            APR_ARRAY_PUSH(names, const char *) = apr_pstrdup(p, info.name);
        }
    }
    apr_dir_close(dir);
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        acme_token_file_t file = { .id = NULL };

        if (load(&file, store, name, &res, p) == APR_SUCCESS) {
            APR_ARRAY_PUSH(files, acme_token_file_t) = file;
        }
        else {
            (void)acme_store_damaged(store, path_of(store, name, p), &res, p);
        }
    }
    return files;
}
