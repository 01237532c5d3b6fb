/*
 * acme_cert_split_store.h - the parts that the store has of certificates that were
 * split: their names, for acme_cert_split().
 */
#ifndef ACME_CERT_SPLIT_STORE_H
#define ACME_CERT_SPLIT_STORE_H

#include <apr_tables.h>

#include "acme_store.h"

typedef struct acme_cert_split_store_t acme_cert_split_store_t;

/*
 * Look once which parts there are. Touches nothing, and never fails: what
 * can't be read is not there.
 */
acme_cert_split_store_t *acme_cert_split_store_find(acme_store_t *store,
                                                    apr_pool_t *p);

/* The highest number of a part of id; 1 when it was never split. */
int acme_cert_split_store_last(const acme_cert_split_store_t *siblings,
                               const char *id);

/* The names of the live certificates of id: see acme_cert_split_t. */
apr_array_header_t *acme_cert_split_store_live(
    const acme_cert_split_store_t *siblings, const char *id, apr_pool_t *p);

#endif
