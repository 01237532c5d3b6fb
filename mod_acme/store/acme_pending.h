/*
 * acme_pending.h - pending/<id>/: key, CSR and order URL of an order under way.
 *
 * Folder 0700, files 0600. An unfinished order is resumed from here. With
 * several key types each has a folder of its own: acme_pending_part().
 */
#ifndef ACME_PENDING_H
#define ACME_PENDING_H

#include <apr_tables.h>

#include "acme_store.h"

typedef struct {
    const char *key_pem;        /* cleared with the pool it was read into */
    const unsigned char *csr;   /* DER */
    apr_size_t csr_len;
    const char *digest;         /* what it was made for: see the keeper */
    apr_array_header_t *names;  /* const char *: in the CSR */
    const char *account;        /* folder of the account that ordered */
    const char *order_url;      /* NULL: nothing ordered yet */
    int issued;                 /* the CA has issued: */
    const char *chain_pem;      /* what it did, else NULL */
    const char *cert_url;       /* where the CA has that, or NULL */
} acme_pending_t;

/*
 * The name that the functions below take for a further key type of id. No id
 * can be one: "www.example.org+rsa2048".
 */
const char *acme_pending_part(const char *id, const char *key_type,
                              apr_pool_t *p);

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
 * Only the order URL (NULL: it came to nothing) and whose it is; key and CSR
 * stay. One that acme_url_check() refuses is not written.
 */
apr_status_t acme_pending_order(acme_store_t *store, const char *id,
                                const char *account, const char *order_url,
                                acme_result_t *res, apr_pool_t *p);

/*
 * Keep the chain that the CA issued, on disk on return, until those of the
 * other parts are there as well. cert_url may be NULL.
 */
apr_status_t acme_pending_issued(acme_store_t *store, const char *id,
                                 const char *chain_pem, const char *cert_url,
                                 acme_result_t *res, apr_pool_t *p);

/* Forget order and chain; key and CSR stay. */
apr_status_t acme_pending_reorder(acme_store_t *store, const char *id,
                                  acme_result_t *res, apr_pool_t *p);

/* Remove an order with all parts; nothing there is a success. */
apr_status_t acme_pending_remove(acme_store_t *store, const char *id,
                                 acme_result_t *res, apr_pool_t *p);

#endif
