/*
 * acme_cert_split_live.h - the parts of split certificates that are live in
 * the store: their names, for acme_cert_split().
 */
#ifndef ACME_CERT_SPLIT_LIVE_H
#define ACME_CERT_SPLIT_LIVE_H

#include <apr_tables.h>

#include "acme_store.h"

typedef struct acme_cert_split_live_t acme_cert_split_live_t;

/*
 * Look once which parts there are. Touches nothing, and never fails: what
 * can't be read is not there.
 */
acme_cert_split_live_t *acme_cert_split_live_scan(acme_store_t *store,
                                                  apr_pool_t *p);

/* The highest number of a part of id; 1 when it was never split. */
int acme_cert_split_live_last(const acme_cert_split_live_t *live,
                              const char *id);

/* The names of the live certificates of id: see acme_cert_split_t. */
apr_array_header_t *acme_cert_split_live_names(
    const acme_cert_split_live_t *live, const char *id, apr_pool_t *p);

#endif
