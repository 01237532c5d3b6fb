/*
 * acme_cert_split_store.h - the parts that the store has of certificates that were
 * split: their names, for acme_split().
 */
#ifndef ACME_CERT_SPLIT_STORE_H
#define ACME_CERT_SPLIT_STORE_H

#include <apr_tables.h>

#include "acme_store.h"

typedef struct acme_siblings_t acme_siblings_t;

/*
 * Look once which parts there are. Touches nothing, and never fails: what
 * can't be read is not there.
 */
acme_siblings_t *acme_siblings_find(acme_store_t *store, apr_pool_t *p);

/* The highest number of a part of id; 1 when it was never split. */
int acme_siblings_last(const acme_siblings_t *siblings, const char *id);

/* The names of the live certificates of id: see acme_split_t. */
apr_array_header_t *acme_siblings_live(const acme_siblings_t *siblings,
                                       const char *id, apr_pool_t *p);

#endif
