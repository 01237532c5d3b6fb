/*
 * acme_order.h - an order: created, fetched, finalized. (8555, 7.1.3, 7.4)
 *
 * The requests fail as acme_session_post() does, or with APR_EGENERAL or
 * APR_EINVAL when the reply is not a valid order, for the reason
 * ACME_REASON_CA_ANSWER; the order is NULL then. An order that the CA marked
 * invalid is a success: see its status and error.
 */
#ifndef ACME_ORDER_H
#define ACME_ORDER_H

#include <apr_tables.h>

#include "acme_session.h"

typedef enum {
    ACME_ORDER_PENDING,
    ACME_ORDER_READY,
    ACME_ORDER_PROCESSING,
    ACME_ORDER_VALID,
    ACME_ORDER_INVALID
} acme_order_e;

typedef struct {
    acme_order_e status;
    const char *url;
    apr_array_header_t *authorizations;     /* const char *: URLs, no more
                                               than names are ordered */
    const char *finalize;                   /* URL; NULL: the CA gave none */
    const char *certificate;                /* URL; NULL until it is known */
    const char *profile;                    /* fit for people; NULL: not
                                               in the reply */
    apr_time_t retry_after;                 /* of the reply; 0: none */
    acme_result_t error;                    /* when invalid; may be empty */
} acme_order_t;

/*
 * Whose order it is. A CA's reply may have so many octets, and so many
 * authorizations, as so many names need, and is refused while more comes in.
 */
typedef struct {
    const char *id;             /* of the certificate, for sentences */
    int names;                  /* how many are ordered */
} acme_order_scope_t;

/* The fields of a newOrder request. */
typedef struct {
    const apr_array_header_t *names;    /* const char *, as acme_name.h has
                                           them: also wildcards, addresses */
    const char *profile;        /* NULL: the CA's default */
    const char *replaces;       /* certID of the predecessor; NULL: none.
                                   Only for a CA that has renewalInfo */
} acme_order_conf_t;

/*
 * The payload of newOrder, JSON text in p: identifiers of type dns and ip.
 * (8555, 7.4; 8738; profile: draft-ietf-acme-profiles; replaces: 9773, 5)
 */
const char *acme_order_payload(const acme_order_conf_t *conf, apr_pool_t *p);

/* The payload of finalize, JSON text in p; csr is DER. (8555, 7.4) */
const char *acme_order_finalize_payload(const unsigned char *csr,
                                        apr_size_t len, apr_pool_t *p);

/*
 * Order a certificate: newOrder (8555, 7.4). *porder is in p; a CA may return
 * an older order for the same names.
 *
 * pnames may be NULL; else *pnames are the names in p that the CA refuses, as
 * acme_problem_names() returns them: empty if it refuses the order for no name
 * in particular, and after success.
 */
apr_status_t acme_order_create(acme_order_t **porder,
                               apr_array_header_t **pnames,
                               acme_session_t *session,
                               const acme_order_scope_t *scope,
                               acme_result_t *res, apr_pool_t *p);

/* Fetch the order at url, to poll its status. (8555, 7.1.3, 7.4) */
apr_status_t acme_order_fetch(acme_order_t **porder, acme_session_t *session,
                              const char *url,
                              const acme_order_scope_t *scope,
                              acme_result_t *res, apr_pool_t *p);

/*
 * Send the CSR to the finalize URL of an order that is ready (8555, 7.4).
 * *pafter, in p, is the order afterwards: usually processing, to be polled
 * with acme_order_fetch(), or valid already.
 */
apr_status_t acme_order_finalize(acme_order_t **pafter,
                                 acme_session_t *session,
                                 const acme_order_t *order,
                                 const acme_order_scope_t *scope,
                                 acme_result_t *res, apr_pool_t *p);

#endif
