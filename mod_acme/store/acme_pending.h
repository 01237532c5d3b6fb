/*
 * acme_pending.h - pending/<id>/: key, CSR and order URL of an order under way.
 *
 * Folder 0700, files 0600. An unfinished order is resumed from here. With
 * several key types each has a folder of its own: acme_pending_part().
 */
#ifndef ACME_PENDING_H
#define ACME_PENDING_H

#include <apr_tables.h>

#include "acme_sync.h"

typedef struct {
    const char *key_pem;        /* cleared with the pool it was read into */
    const unsigned char *csr;   /* DER */
    apr_size_t csr_len;
    const char *digest;         /* of the configuration that the key and the
                                   CSR were made for */
    apr_array_header_t *names;  /* const char *: in the CSR */
    const char *account;        /* folder of the account that ordered */
    const char *order_url;      /* NULL: nothing ordered yet */
    apr_time_t since;           /* when that URL was set first; 0: unknown */
    int resumed;                /* how often acme_pending_resumed() was called
                                   since */
    int issued;                 /* the CA has issued the certificate: */
    const char *chain_pem;      /* the chain; NULL: not issued */
    const char *cert_url;       /* its URL at the CA, or NULL */
} acme_pending_t;

/*
 * The name, in p, that stands for id in the functions below when the order is
 * of a further key type: "www.example.org+rsa2048". No id has a '+'.
 */
const char *acme_pending_part(const char *id, const char *key_type,
                              apr_pool_t *p);

/*
 * Load the order under way: *ppending and all in it are in p.
 *
 * On failure *ppending is NULL. ENOENT: no order is under way, which is
 * ordinary. APR_EGENERAL: the folder was damaged and is set aside, which res
 * names.
 */
apr_status_t acme_pending_load(acme_pending_t **ppending, acme_store_t *store,
                               const char *id, acme_result_t *res,
                               apr_pool_t *p);

/*
 * Save an order under way, replacing an older one. Nothing is synced yet: what
 * a power failure takes was not ordered. A file in place of the folder is set
 * aside, which res names after success. After a failure no order is under way.
 */
apr_status_t acme_pending_save(acme_store_t *store, const char *id,
                               const acme_pending_t *pending,
                               acme_result_t *res, apr_pool_t *p);

typedef struct {
    const char *account;        /* folder of the account */
    const char *url;            /* NULL: the order failed */
    apr_time_t now;
} acme_pending_order_t;

/*
 * Set the order URL and the account's folder; key and CSR stay. Another URL
 * than before begins to be counted now. A URL that acme_url_check() refuses is
 * not written. ENOENT: no order is under way. On failure the old order.json is
 * there.
 *
 * All of an order with a URL is added to sync: it lasts, with its key, when
 * that was run.
 */
apr_status_t acme_pending_order(acme_store_t *store, const char *id,
                                const acme_pending_order_t *order,
                                acme_sync_t *sync, acme_result_t *res,
                                apr_pool_t *p);

/* Count that the order is resumed at now. Fails as acme_pending_order(). */
apr_status_t acme_pending_resumed(acme_store_t *store, const char *id,
                                  apr_time_t now, acme_result_t *res,
                                  apr_pool_t *p);

/*
 * Save the chain that the CA issued; it waits on disk until the other parts are
 * issued as well. Should a power failure take it, the order's URL leads to it.
 * cert_url, the chain's URL at the CA, may be NULL. Fails as
 * acme_pending_order() does.
 */
apr_status_t acme_pending_issued(acme_store_t *store, const char *id,
                                 const char *chain_pem, const char *cert_url,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * Forget the order URL and the chain, so that a new order is made; key and CSR
 * stay. Fails as acme_pending_order() does.
 */
apr_status_t acme_pending_reorder(acme_store_t *store, const char *id,
                                  acme_result_t *res, apr_pool_t *p);

/*
 * Remove pending/<id>/ and those of its parts, keys included. Success if there
 * is nothing. What a power failure brings back is an order that the CA has
 * ended, or no order.
 */
apr_status_t acme_pending_remove(acme_store_t *store, const char *id,
                                 acme_result_t *res, apr_pool_t *p);

/* The same for a key that must not come back: that of a revoked certificate.
   No power failure brings it back after a success. */
apr_status_t acme_pending_destroy(acme_store_t *store, const char *id,
                                  acme_result_t *res, apr_pool_t *p);

#endif
