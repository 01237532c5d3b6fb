/*
 * acme_conf_snapshot.c - has a configuration file changed since httpd read it?
 *
 * Contents are compared, so an edit that was undone is not a change. A file
 * without directives has no digest; its times show whether it is new.
 */
#include <string.h>

#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include "acme_conf_snapshot.h"
#include "acme_digest.h"

typedef struct {
    int known;                          /* else it counts as changed */
    unsigned char digest[ACME_DIGEST_OCTETS];
} content_t;

struct acme_conf_snapshot_t {
    apr_hash_t *contents;               /* path: content_t */
    apr_array_header_t *files;
    apr_time_t loaded_at;
};

/* The later change of content and name: a renamed file is a new one. */
static apr_time_t changed_at(const char *path, apr_pool_t *p)
{
    const apr_int32_t wanted = APR_FINFO_MTIME | APR_FINFO_CTIME;
    apr_finfo_t file, name;
    apr_time_t latest;

    if (apr_stat(&file, path, wanted, p)
        || apr_stat(&name, path, wanted | APR_FINFO_LINK, p)) {
        return 0;
    }
    latest = file.mtime > file.ctime ? file.mtime : file.ctime;
    return name.ctime > latest ? name.ctime : latest;
}

static void remember_file(acme_conf_snapshot_t *baseline, const char *path,
                          apr_pool_t *p)
{
    content_t *content = apr_pcalloc(p, sizeof(*content));
    apr_finfo_t info;

    /* A time in the future comes from a wrong clock, not from an edit. */
    content->known = !apr_stat(&info, path, APR_FINFO_MTIME, p)
        && (info.mtime <= baseline->loaded_at || info.mtime > apr_time_now())
        && acme_digest_file(content->digest, path, p);
    apr_hash_set(baseline->contents, path, APR_HASH_KEY_STRING, content);
}

acme_conf_snapshot_t *acme_conf_snapshot_make(const apr_array_header_t *files,
                                              apr_time_t loaded_at,
                                              apr_pool_t *p)
{
    acme_conf_snapshot_t *baseline = apr_pcalloc(p, sizeof(*baseline));
    int i;

    baseline->contents = apr_hash_make(p);
    baseline->files = apr_array_copy(p, files);
    baseline->loaded_at = loaded_at;
    for (i = 0; i < files->nelts; i++) {
        const char **path = &APR_ARRAY_IDX(baseline->files, i, const char *);

        *path = apr_pstrdup(p, *path);
        remember_file(baseline, *path, p);
    }
    return baseline;
}

static int is_changed(const acme_conf_snapshot_t *baseline, const char *path,
                      apr_pool_t *p)
{
    const content_t *content = apr_hash_get(baseline->contents, path,
                                            APR_HASH_KEY_STRING);
    unsigned char digest[ACME_DIGEST_OCTETS];

    if (!content) {
        return changed_at(path, p) > baseline->loaded_at;
    }
    return !content->known || !acme_digest_file(digest, path, p)
        || memcmp(digest, content->digest, sizeof(digest)) != 0;
}

static const char *first_changed(const acme_conf_snapshot_t *baseline,
                                 const apr_array_header_t *paths,
                                 apr_pool_t *p)
{
    int i;

    for (i = 0; i < paths->nelts; i++) {
        const char *path = APR_ARRAY_IDX(paths, i, const char *);

        if (is_changed(baseline, path, p)) {
            return path;
        }
    }
    return NULL;
}

static const char *first_missing(const apr_array_header_t *before,
                                 const apr_array_header_t *now, apr_pool_t *p)
{
    apr_hash_t *there = apr_hash_make(p);
    int i;

    for (i = 0; i < now->nelts; i++) {
        const char *path = APR_ARRAY_IDX(now, i, const char *);

        apr_hash_set(there, path, APR_HASH_KEY_STRING, path);
    }
    for (i = 0; i < before->nelts; i++) {
        const char *path = APR_ARRAY_IDX(before, i, const char *);

        if (!apr_hash_get(there, path, APR_HASH_KEY_STRING)) {
            return path;
        }
    }
    return NULL;
}

const char *acme_conf_snapshot_changed(const acme_conf_snapshot_t *baseline,
                                       const apr_array_header_t *files_now,
                                       apr_pool_t *p)
{
    const char *path;

    if (!files_now) {
        return first_changed(baseline, baseline->files, p);
    }
    path = first_changed(baseline, files_now, p);
    return path ? path : first_missing(baseline->files, files_now, p);
}
