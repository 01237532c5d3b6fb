/*
 * acme_live_mend.h - live/<id> is made a link again, where it is none.
 *
 * A store that was copied with "cp -rL" or "rsync -L" has folders there.
 */
#ifndef ACME_LIVE_MEND_H
#define ACME_LIVE_MEND_H

#include "acme_archive.h"

/*
 * Where live/<id> is no link of ours, or points to an archive that is gone,
 * point it to archive n (0: none is known to be good). What is not a link is
 * set aside; nothing is removed.
 *
 * A success leaves res->detail "" if there was nothing to do, or no live/<id>
 * at all, which is usual and costs two calls; else it says what was done. A
 * failure changes nothing, and res says why. Reads no certificate.
 */
apr_status_t acme_live_mend(acme_store_t *store, const char *id, int n,
                            acme_result_t *res, apr_pool_t *p);

/*
 * Before that: where live/<id> is a folder whose first pair would load, is
 * valid, begins later than each good archive and is in none, make it an
 * archive, and live/<id> the link to that. Results as above.
 */
apr_status_t acme_live_mend_adopt(acme_store_t *store,
                                  const acme_archive_want_t *want,
                                  acme_result_t *res, apr_pool_t *p);

#endif
