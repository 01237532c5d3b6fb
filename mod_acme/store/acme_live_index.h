/*
 * acme_live_index.h - the live certificates of the store, by their names: is
 * there one that can stand in for another that is missing?
 */
#ifndef ACME_LIVE_INDEX_H
#define ACME_LIVE_INDEX_H

#include <apr_tables.h>

#include "acme_archive.h"

typedef struct acme_live_index_t acme_live_index_t;

/*
 * Read the names of all that live/ points to, in p. Those that are expired at
 * now, and those that cannot be read, are left out. Touches nothing, never
 * fails; costs a file for each.
 */
acme_live_index_t *acme_live_index_make(acme_store_t *store, apr_time_t now,
                                        apr_pool_t *p);

/* One of them. */
typedef struct {
    const char *id;             /* the index's */
    int n;                      /* archive/<id>/<n> */
    int is_same;                /* it has exactly the names, and no other */
} acme_live_found_t;

/*
 * Find the certificate that covers all of names (const char *, wildcards
 * count), that a server with want->ciphers loads (the first pair), that is
 * neither of want->id nor signed by itself, and was not revoked. Of several
 * the one with the fewest other names, of these the one that is valid longest,
 * of these the first by its id. False: there is none. scratch is for files.
 */
int acme_live_index_find(acme_live_found_t *found,
                         const acme_live_index_t *index,
                         const acme_archive_want_t *want,
                         const apr_array_header_t *names,
                         apr_pool_t *scratch);

#endif
