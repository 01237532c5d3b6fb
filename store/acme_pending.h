/*
 * acme_pending.h - pending/<id>/: key, CSR and order URL of an order under way.
 *
 * Folder 0700, files 0600. An unfinished order is resumed from here.
 */
#ifndef ACME_PENDING_H
#define ACME_PENDING_H

#include "acme_store.h"

typedef struct {
    const char *key_pem;        /* cleared with the pool it was read into */
    const unsigned char *csr;   /* DER */
    apr_size_t csr_len;
    const char *order_url;      /* NULL: nothing ordered yet */
    const char *digest;         /* what it was made for: see the keeper */
} acme_pending_t;

/* ENOENT when there is none. Damaged: set aside, res says so, APR_EGENERAL. */
apr_status_t acme_pending_load(acme_pending_t **ppending, acme_store_t *store,
                               const char *id, acme_result_t *res,
                               apr_pool_t *p);

/*
 * Replaces what is there; key and CSR are on disk before the order URL. May
 * set something aside. After a failure nothing is under way.
 */
apr_status_t acme_pending_save(acme_store_t *store, const char *id,
                               const acme_pending_t *pending,
                               acme_result_t *res, apr_pool_t *p);

/*
 * Only the order URL (NULL: it came to nothing); key and CSR stay. One that
 * acme_url_check() refuses is not written.
 */
apr_status_t acme_pending_order(acme_store_t *store, const char *id,
                                const char *order_url, acme_result_t *res,
                                apr_pool_t *p);

/* It is finished: nothing there is a success. */
apr_status_t acme_pending_remove(acme_store_t *store, const char *id,
                                 acme_result_t *res, apr_pool_t *p);

#endif
