/*
 * acme_live_mend.c - live/<id> is made a link again, where it is none.
 */
#include <string.h>
#include <sys/stat.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "acme_chain.h"
#include "acme_file.h"
#include "acme_live_link.h"
#include "acme_live_mend.h"
#include "acme_pair.h"
#include "acme_self_signed.h"

static const char *file_in(const char *folder, const char *name,
                           apr_pool_t *p)
{
    return apr_pstrcat(p, folder, "/", name, NULL);
}

/* 0: it cannot be read. */
static apr_time_t begins_at(const char *folder, apr_pool_t *p)
{
    acme_result_t ignored;
    acme_chain_t *chain;

    return acme_chain_load(&chain, file_in(folder, "fullchain.pem", p),
                           &ignored, p)
        ? 0 : acme_chain_leaf(chain)->not_before;
}

/* Is what was copied better than the archives, of which the best begins then?
   An administrator may have changed the files of a copy. */
static int is_better(const char *folder, const acme_archive_want_t *want,
                     apr_time_t begins, apr_pool_t *p)
{
    const char *chain_path = file_in(folder, "fullchain.pem", p);
    const acme_cert_info_t *leaf;
    acme_result_t ignored;
    acme_chain_t *chain;

    if (acme_pair_check(chain_path, file_in(folder, "privkey.pem", p),
                        want->ciphers, &ignored)
        || acme_chain_load(&chain, chain_path, &ignored, p)
        || acme_self_signed_is(chain)) {
        return 0;
    }
    leaf = acme_chain_leaf(chain);
    return leaf->not_before > begins && leaf->not_before <= want->now
        && leaf->not_after > want->now;
}

/* Why live/<id> is to be mended, in p; NULL: it is not. */
static const char *find_fault(acme_store_t *store, const char *id,
                              apr_pool_t *p)
{
    acme_result_t res;
    apr_status_t rv;
    int live;

    rv = acme_live_link_read(&live, store, id, &res, p);
    if (APR_STATUS_IS_ENOENT(rv) && acme_archive_newest(store, id, p)) {
        rv = acme_fail(&res, APR_EGENERAL, "%s: is missing",
                       acme_store_path(store, "live", id, p));
    }
    if (rv == APR_SUCCESS && !acme_archive_exists(store, id, live, p)) {
        rv = acme_fail(&res, APR_EGENERAL,
                       "%s: points to archive %d, which does not exist",
                       acme_store_path(store, "live", id, p), live);
    }
    return rv == APR_EGENERAL ? apr_pstrdup(p, res.detail) : NULL;
}

/* res has what was set aside, or why it failed. */
static apr_status_t tell(acme_result_t *res, const char *fault, int n,
                         apr_status_t rv, const char *id, apr_pool_t *p)
{
    const char *more = res->detail[0]
        ? apr_pstrcat(p, " (", res->detail, ")", NULL) : "";

    if (rv != APR_SUCCESS) {
        return acme_fail(res, rv, "%s; it cannot be made a link again%s",
                         fault, more);
    }
    acme_fail(res, APR_SUCCESS,
              "%s; made a link again, to archive/%s/%d%s", fault, id, n, more);
    return APR_SUCCESS;
}

apr_status_t acme_live_mend(acme_store_t *store, const char *id, int n,
                            acme_result_t *res, apr_pool_t *p)
{
    const char *fault = find_fault(store, id, p);
    apr_status_t rv;

    acme_result_clear(res);
    if (!fault) {
        return APR_SUCCESS;
    }
    if (!n || !acme_archive_exists(store, id, n, p)) {
        return acme_fail(res, APR_EGENERAL,
                         "%s, and no archive of this certificate can be served; a new one is ordered",
                         fault);
    }
    rv = acme_live_link_swap(store, id, n, res, p);
    return tell(res, fault, n, rv, id, p);
}

apr_status_t acme_live_mend_adopt(acme_store_t *store,
                                  const acme_archive_want_t *want,
                                  acme_result_t *res, apr_pool_t *p)
{
    const char *folder = acme_store_path(store, "live", want->id, p);
    const acme_archive_copy_t copy = { .folder = folder };
    const char *fault = find_fault(store, want->id, p);
    acme_result_t ignored;
    struct stat st;
    apr_time_t begins = 0;
    apr_status_t rv;
    int n, live;

    acme_result_clear(res);
    if (!fault || lstat(folder, &st) < 0 || !S_ISDIR(st.st_mode)) {
        return APR_SUCCESS;
    }
    if (acme_archive_find_good(&n, &live, store, want, &ignored, p)
        == APR_SUCCESS) {
        begins = begins_at(acme_archive_path(store, want->id, n, p), p);
    }
    if (!is_better(folder, want, begins, p)
        || acme_archive_has_void_key(store, want->id, folder, p)
        || acme_archive_find_copy(store, want->id, folder, p)) {
        return APR_SUCCESS;
    }
    rv = acme_archive_adopt(&n, store, want->id, &copy, res, p);
    return tell(res, fault, n, rv, want->id, p);
}
