/*
 * acme_live_link.c - live/<id>: the symbolic link to the archive folder that
 * is served.
 *
 * A link is believed only if its text is the one that we write.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_file.h"
#include "acme_live_link.h"
#include "acme_text.h"

#define NUMBER_MAX 999999999    /* the archive counts no further */
#define TARGET_SIZE (ACME_ID_MAX + 64)

static const char *target_text(const char *id, int n, apr_pool_t *p)
{
    return apr_psprintf(p, "../archive/%s/%d", id, n);
}

apr_status_t acme_live_link_read(int *pn, acme_store_t *store, const char *id,
                                 acme_result_t *res, apr_pool_t *p)
{
    const char *link = acme_store_path(store, "live", id, p);
    const char *last;
    char target[TARGET_SIZE];
    ssize_t len;
    long n;

    *pn = 0;

    len = readlink(link, target, sizeof(target) - 1);
    if (len < 0 && errno == EINVAL) {
        return acme_fail(res, APR_EGENERAL, "%s: not a symbolic link", link);
    }
    if (len < 0) {
        return acme_fail_errno(res, errno, "%s: cannot read the link", link);
    }
    target[len] = '\0';
    last = strrchr(target, '/');
    n = last ? strtol(last + 1, NULL, 10) : 0;
    if (n < 1 || n > NUMBER_MAX || strcmp(target, target_text(id, (int)n, p))) {
        return acme_fail(res, APR_EGENERAL,
                         "%s: points to %s, which is not an archive of this certificate",
                         link, acme_text_clean(target, TARGET_SIZE, p));
    }
    *pn = (int)n;
    return APR_SUCCESS;
}

apr_status_t acme_live_link_put(acme_store_t *store, const char *id, int n,
                                acme_sync_t *sync, acme_result_t *res,
                                apr_pool_t *p)
{
    const char *link = acme_store_path(store, "live", id, p);
    const char *aside = NULL;
    acme_result_t ignored;
    struct stat st;
    apr_status_t rv;

    /* rename(2) cannot replace a folder by a link. */
    if (lstat(link, &st) == 0 && !S_ISLNK(st.st_mode)) {
        rv = acme_store_aside(&aside, store, link, apr_time_now(), res, p);
        /* Moved, and only the sync failed: no link at all would be worse. */
        if (rv != APR_SUCCESS && lstat(link, &st) == 0) {
            return rv;
        }
    }
    rv = acme_file_link_put(link, target_text(id, n, p), res, p);
    if (rv == APR_SUCCESS) {
        acme_sync_add(sync, acme_store_path(store, "live", NULL, p));
    }
    if (aside && rv != APR_SUCCESS) {
        (void)acme_file_move(aside, link, &ignored, p);
    }
    else if (aside) {
        acme_fail(res, APR_SUCCESS,
                  "%s: was not a symbolic link; set aside as %s", link, aside);
    }
    return rv;
}

apr_status_t acme_live_link_swap(acme_store_t *store, const char *id, int n,
                                 acme_result_t *res, apr_pool_t *p)
{
    acme_sync_t *sync = acme_sync_create(store, p);
    acme_result_t synced;
    apr_status_t rv;

    acme_sync_begin(sync);
    rv = acme_live_link_put(store, id, n, sync, res, p);
    if (rv == APR_SUCCESS) {
        rv = acme_sync_run(sync, &synced);
        if (rv != APR_SUCCESS) {
            *res = synced;
        }
    }
    return rv;
}
