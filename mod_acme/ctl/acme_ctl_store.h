/*
 * acme_ctl_store.h - the certificates as the store has them, for when no httpd
 * runs.
 *
 * It only looks: a damaged file stays where it is, for the keeper to find. The
 * configuration is not known, so a certificate that is not configured any more
 * is listed, too, and what happens next is as with the defaults.
 */
#ifndef ACME_CTL_STORE_H
#define ACME_CTL_STORE_H

#include "acme_ctl_keeper.h"
#include "acme_journal.h"

/*
 * List what is in live/ and journal/: *pcerts (acme_ctl_cert_t, is_from_store)
 * in p, by their ids. ENOENT: there is no such folder, or it is not an
 * AcmeStateDir; else the errno of reading it.
 */
apr_status_t acme_ctl_store_list(apr_array_header_t **pcerts,
                                 const char *state_dir, acme_result_t *res,
                                 apr_pool_t *p);

/*
 * "a.org, b.org and 3 more": the names of cert that the live certificate in the
 * store does not have, in p; NULL: it has all, or its names cannot be read.
 */
const char *acme_ctl_store_lacks(const acme_ctl_cert_t *cert,
                                 const char *state_dir, apr_pool_t *p);

/*
 * The journal of id, in p. ENOENT: there is none; APR_EGENERAL: it is damaged.
 * *pjournal is never NULL, and empty after a failure.
 */
apr_status_t acme_ctl_store_journal(acme_journal_t **pjournal,
                                    const char *state_dir, const char *id,
                                    acme_result_t *res, apr_pool_t *p);

#endif
