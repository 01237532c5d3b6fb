/*
 * acme_vhost_files.c - files of SSLCertificateFile that are in the store.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "acme_store.h"
#include "acme_vhost_files.h"

/* Without the last name of it, and the slashes before that; NULL: it has
   none. *pname is the name. */
static const char *folder_of(const char **pname, const char *path,
                             apr_pool_t *p)
{
    const char *slash = strrchr(path, '/');
    apr_size_t len;

    if (!slash || !slash[1]) {
        return NULL;
    }
    *pname = slash + 1;
    for (len = (apr_size_t)(slash - path); len && path[len - 1] == '/';
         len--) {
    }
    return len ? apr_pstrmemdup(p, path, len) : NULL;
}

/* A folder that is not there, or that nobody may look at, has its path only. */
static int is_same_folder(const char *a, const char *b)
{
    struct stat one, other;

    if (!strcmp(a, b)) {
        return 1;
    }
    return !stat(a, &one) && !stat(b, &other) && one.st_dev == other.st_dev
        && one.st_ino == other.st_ino;
}

static const char *id_of_path(const char *state_dir, const char *path,
                              apr_pool_t *p)
{
    const char *name, *folder, *live;

    if (!path || !(folder = folder_of(&name, path, p))
        || !(live = folder_of(&name, folder, p))) {
        return NULL;
    }
    return is_same_folder(live, acme_store_path(acme_store_at(state_dir, p),
                                                "live", NULL, p))
        ? acme_store_id(name, p) : NULL;
}

const char *acme_vhost_files_id(const char *state_dir,
                                const apr_array_header_t *files,
                                apr_pool_t *p)
{
    const char *id = NULL;
    int i;

    for (i = 0; state_dir && files && i < files->nelts; i++) {
        const char *one = id_of_path(
            state_dir, APR_ARRAY_IDX(files, i, acme_conf_tree_file_t).path, p);

        if (!one || (id && strcmp(one, id) != 0)) {
            return NULL;
        }
        id = one;
    }
    return id;
}

static int is_below(const char *path, const char *folder)
{
    const apr_size_t len = strlen(folder);

    return !strncmp(path, folder, len) && path[len] == '/';
}

const acme_conf_tree_file_t *acme_vhost_files_stored(
    const char *state_dir, const apr_array_header_t *files, apr_pool_t *p)
{
    const acme_conf_tree_file_t *found = NULL;
    char *store, *real, *written;
    int i;

    if (!state_dir) {
        return NULL;
    }
    written = apr_pstrdup(p, state_dir);
    for (i = (int)strlen(written); i > 1 && written[i - 1] == '/'; i--) {
        written[i - 1] = '\0';
    }
    store = realpath(state_dir, NULL);
    for (i = 0; !found && files && i < files->nelts; i++) {
        const acme_conf_tree_file_t *file = &APR_ARRAY_IDX(
            files, i, acme_conf_tree_file_t);

        if (!file->path) {
            continue;
        }
        real = realpath(file->path, NULL);
        if ((store && real && is_below(real, store))
            || is_below(file->path, written)) {
            found = file;
        }
        free(real);
    }
    free(store);
    return found;
}

apr_array_header_t *acme_vhost_files_names(const acme_cert_split_live_t *live,
                                           const char *id, apr_pool_t *p)
{
    const apr_array_header_t *parts = acme_cert_split_live_names(live, id, p);
    apr_array_header_t *names = apr_array_make(p, 4, sizeof(const char *));
    int i;

    for (i = 0; i < parts->nelts; i++) {
        const apr_array_header_t *part = APR_ARRAY_IDX(
            parts, i, const apr_array_header_t *);

        if (part) {
            apr_array_cat(names, part);
        }
    }
    return names;
}
