/*
 * acme_page_others.c - what is in the files of SSLCertificateFile that are not
 * managed.
 *
 * Ten thousand of them would take seconds of each reload. httpd unloads us in
 * between: no pointer to a literal of ours may stay there.
 */
#include <apr_hash.h>
#include <apr_strings.h>

#include "acme_cert_file.h"
#include "acme_file_stamp.h"
#include "acme_lasting.h"
#include "acme_page_others.h"
#include "acme_scratch.h"

/* Counts up with what is kept there. */
#define LASTING_KEY "mod_acme page others 1"

typedef struct {
    acme_file_stamp_t stamp;
    apr_time_t read_at;
    apr_time_t until;           /* when the problem may be another; 0: never */
    acme_page_other_t other;
} known_t;

struct acme_page_others_t {
    apr_pool_t *lasting;
    apr_pool_t *p;              /* of known */
    apr_hash_t *known;          /* the path, and whether it is alone */
    apr_pool_t *old_p;          /* of the load before, until the end of this */
    apr_hash_t *old;
    apr_time_t now;
};

acme_page_others_t *acme_page_others_begin(apr_time_t now, apr_pool_t *lasting)
{
    acme_page_others_t *files =
        acme_lasting_memory(LASTING_KEY, sizeof(*files), lasting);

    files->lasting = lasting;
    files->now = now;
    files->old_p = files->p;
    files->old = files->known;
    files->p = acme_scratch_create(lasting);
    files->known = apr_hash_make(files->p);
    return files;
}

void acme_page_others_end(acme_page_others_t *files)
{
    if (files->old_p) {
        apr_pool_destroy(files->old_p);
        files->old_p = NULL;
        files->old = NULL;
    }
}

static const apr_array_header_t *copy_names(const apr_array_header_t *names,
                                            apr_pool_t *p)
{
    apr_array_header_t *copy = apr_array_make(p, names->nelts,
                                              sizeof(const char *));
    int i;

    for (i = 0; i < names->nelts; i++) {
        APR_ARRAY_PUSH(copy, const char *) =
            apr_pstrdup(p, APR_ARRAY_IDX(names, i, const char *));
    }
    return copy;
}

static void copy(known_t *to, const known_t *from, apr_pool_t *p)
{
    *to = *from;
    to->other.path = apr_pstrdup(p, from->other.path);
    to->other.names = copy_names(from->other.names, p);
    to->other.issuer = apr_pstrdup(p, from->other.issuer);
    to->other.serial = apr_pstrdup(p, from->other.serial);
    to->other.problem = apr_pstrdup(p, from->other.problem);
}

static void read_file(known_t *read, const char *path, int alone,
                      apr_time_t now, apr_pool_t *scratch)
{
    const acme_cert_file_t *file;

    acme_cert_file_read(&file, path, alone, now, scratch);
    read->read_at = now;
    read->until = file->until;
    read->other = (acme_page_other_t) {
        .path = path,
        .names = file->leaf.names,
        .issuer = file->leaf.issuer,
        .serial = file->leaf.serial,
        .not_before = file->leaf.not_before,
        .not_after = file->leaf.not_after,
        .problem = file->is_self_signed && !file->problem[0]
            ? "It is self-signed: visitors do not trust it." : file->problem
    };
}

/* Is it what reading the file would give? */
static int is_true(const known_t *known, const acme_file_stamp_t *stamp,
                   apr_time_t now)
{
    return known && acme_file_stamp_is_same(&known->stamp, stamp)
        && acme_file_stamp_is_settled(stamp, known->read_at)
        && known->read_at <= now && (!known->until || now < known->until);
}

acme_page_other_t acme_page_others_read(acme_page_others_t *files,
                                       const char *path, int alone)
{
    const char *key = apr_pstrcat(files->p, alone ? "1" : "0", path, NULL);
    const known_t *before = files->old
        ? apr_hash_get(files->old, key, APR_HASH_KEY_STRING) : NULL;
    known_t *known = apr_palloc(files->p, sizeof(*known));
    acme_file_stamp_t stamp = { 0 }, after = { 0 };
    apr_pool_t *scratch;
    known_t read;

    if (acme_file_stamp_read(&stamp, path)
        && is_true(before, &stamp, files->now)) {
        copy(known, before, files->p);
    }
    else {
        apr_pool_create(&scratch, files->p);
        read_file(&read, path, alone, files->now, scratch);
        if (acme_file_stamp_read(&after, path)
            && acme_file_stamp_is_same(&stamp, &after)) {
            read.stamp = stamp;
        }
        else {
            read.stamp = (acme_file_stamp_t) { 0 };     /* it is not known */
        }
        copy(known, &read, files->p);
        apr_pool_destroy(scratch);
    }
    apr_hash_set(files->known, key, APR_HASH_KEY_STRING, known);
    return known->other;
}
