/*
 * acme_import_file.c - files in another client's folder.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_file_info.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "acme_file.h"
#include "acme_import_file.h"

#define FILE_MAX (64 * 1024)    /* octets */
#define NAMES_MAX 20000         /* in a folder */

const char *acme_import_file_join(const acme_import_file_tree_t *tree,
                                  const char *path, const char *name)
{
    return apr_pstrcat(tree->p, path, *path ? "/" : "", name, NULL);
}

static const char *full_path(const acme_import_file_tree_t *tree,
                             const char *path)
{
    return *path == '/' ? path
                        : *path ? apr_pstrcat(tree->p, tree->root, "/", path,
                                              NULL) : tree->root;
}

/* Where path leads to in the end: below the root, or to a file of root's. */
static apr_status_t resolve(const char **preal,
                            const acme_import_file_tree_t *tree,
                            const char *path, acme_result_t *res)
{
    char *real = realpath(path, NULL), *root;
    const char *found;
    struct stat st;
    apr_size_t len;
    int is_inside;

    if (!real) {
        return acme_fail_errno(res, errno, "%s: cannot be read", path);
    }
    found = apr_pstrdup(tree->p, real);
    free(real);
    root = realpath(tree->root, NULL);
    len = root ? strlen(root) : 0;
    is_inside = root && !strncmp(found, root, len)
        && (!found[len] || found[len] == '/' || len == 1);
    free(root);
    if (!is_inside && (lstat(found, &st) || st.st_uid != 0)) {
        return acme_fail_never(
            res, EPERM,
            "%s: leads to %s, which is outside of %s and does not belong to root",
            path, found, tree->root);
    }
    *preal = found;
    return APR_SUCCESS;
}

apr_status_t acme_import_file_text(const char **ptext,
                                   const acme_import_file_tree_t *tree,
                                   const char *path, acme_result_t *res)
{
    const char *real;
    apr_size_t len;
    apr_status_t rv;

    *ptext = NULL;

    rv = resolve(&real, tree, full_path(tree, path), res);
    if (rv == APR_SUCCESS) {
        rv = acme_file_read_secret(ptext, &len, real,
                                   tree->max ? tree->max : FILE_MAX, res,
                                   tree->p);
    }
    if (rv == APR_SUCCESS && strlen(*ptext) != len) {
        *ptext = NULL;
        rv = acme_fail_never(res, APR_EINVAL, "%s: not a text", real);
    }
    return rv;
}

apr_status_t acme_import_file_json(json_t **pjson,
                                   const acme_import_file_tree_t *tree,
                                   const char *path, acme_result_t *res)
{
    const char *text;
    apr_status_t rv;

    *pjson = NULL;

    rv = acme_import_file_text(&text, tree, path, res);
    if (rv == APR_SUCCESS) {
        rv = acme_json_parse(pjson, text, strlen(text),
                             full_path(tree, path), res, tree->p);
    }
    return rv;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

apr_array_header_t *acme_import_file_names(const acme_import_file_tree_t *tree,
                                           const char *path)
{
    apr_array_header_t *names = apr_array_make(tree->p, 8,
                                               sizeof(const char *));
    acme_result_t ignored;
    const char *real;
    apr_finfo_t info;
    apr_dir_t *dir;

    if (resolve(&real, tree, full_path(tree, path), &ignored)
        || apr_dir_open(&dir, real, tree->p)) {
        return names;
    }
    while (names->nelts < NAMES_MAX
           && apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (info.name[0] != '.') {
            APR_ARRAY_PUSH(names, const char *) = apr_pstrdup(tree->p,
                                                              info.name);
        }
    }
    apr_dir_close(dir);
    qsort(names->elts, (size_t)names->nelts, sizeof(const char *),
          compare_names);
    return names;
}

int acme_import_file_is_folder(const acme_import_file_tree_t *tree,
                               const char *path)
{
    acme_result_t ignored;
    const char *real;
    struct stat st;

    return !resolve(&real, tree, full_path(tree, path), &ignored)
        && !lstat(real, &st) && S_ISDIR(st.st_mode);
}

/* A word of the shell at text, up to the end of its line. */
static const char *unquote(const char *text, apr_pool_t *p)
{
    char *value = apr_pstrndup(p, text, strcspn(text, "\r\n"));
    const char quote = *value;
    char *end;

    if (quote == '\'' || quote == '"') {
        end = strchr(++value, quote);
    }
    else {
        end = strpbrk(value, " \t#;");
    }
    if (end) {
        *end = '\0';
    }
    return *value ? value : NULL;
}

const char *acme_import_file_setting(const char *text, const char *name,
                                     apr_pool_t *p)
{
    const apr_size_t len = strlen(name);
    const char *value = NULL;

    for (; text; text = strchr(text, '\n')) {
        text += strspn(text, "\n \t");
        if (!strncmp(text, "export ", 7)) {
            text += 7;
        }
        if (!strncmp(text, name, len) && text[len] == '=') {
            value = unquote(text + len + 1, p);
        }
    }
    return value;
}
