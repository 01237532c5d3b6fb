/*
 * acme_live_link.h - live/<id>: the symbolic link to the archive folder that
 * is served, "../archive/<id>/<n>".
 *
 * The link changes in one rename(2): a reader sees the old certificate or the
 * new one, never a mixture and never a gap.
 */
#ifndef ACME_LIVE_LINK_H
#define ACME_LIVE_LINK_H

#include "acme_sync.h"

/*
 * Read which archive folder of id is live: *pn is its number, from 1.
 *
 * After a failure *pn is 0, and res names the link. ENOENT: id has no live
 * certificate, which is ordinary. APR_EGENERAL: live/<id> is not a symbolic
 * link, or does not point to an archive folder of id.
 */
apr_status_t acme_live_link_read(int *pn, acme_store_t *store, const char *id,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * Point live/<id> to the archive folder n, which is complete.
 *
 * A file or folder in place of the link (a copy of the store that followed
 * links leaves one) is set aside, which res names after success. After a
 * failure live/<id> is what it was, and that is put back; but when the last
 * sync of live/ fails, the link is swapped already: see acme_file_move().
 */
apr_status_t acme_live_link_swap(acme_store_t *store, const char *id, int n,
                                 acme_result_t *res, apr_pool_t *p);

/* The same without a sync: live/ is added to sync, which was begun. The folder
   lasts already. */
apr_status_t acme_live_link_put(acme_store_t *store, const char *id, int n,
                                acme_sync_t *sync, acme_result_t *res,
                                apr_pool_t *p);

#endif
