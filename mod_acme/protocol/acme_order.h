/*
 * acme_order.h - an order and the way it goes. (8555, 7.1.3, 7.4)
 */
#ifndef ACME_ORDER_H
#define ACME_ORDER_H

#include <apr_tables.h>

#include "acme_session.h"

#define ACME_ORDER_AUTHZ_MAX 1000   /* authorizations of one order */

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
    apr_array_header_t *authorizations;     /* const char *: URLs */
    const char *finalize;                   /* URL */
    const char *certificate;                /* URL; NULL until it is known */
    const char *profile;                    /* clean; NULL: not said */
    apr_time_t retry_after;                 /* of the last reply; 0: none */
    acme_result_t error;                    /* when invalid; may be empty */
} acme_order_t;

/* The members of newOrder. */
typedef struct {
    const apr_array_header_t *names;    /* const char *, as acme_name.h has
                                           them: also wildcards, addresses */
    const char *profile;        /* NULL: the CA's default */
    const char *replaces;       /* certID of the predecessor; NULL: none.
                                   Only for a CA that has renewalInfo */
} acme_order_conf_t;

/*
 * The payload of newOrder: identifiers of type dns and ip. (8555, 7.4; 8738;
 * profile: draft-ietf-acme-profiles; replaces: 9773, 5)
 */
const char *acme_order_payload(const acme_order_conf_t *conf, apr_pool_t *p);

/* The payload of finalize, in p; csr is DER of len octets. (8555, 7.4) */
const char *acme_order_finalize_payload(const unsigned char *csr,
                                        apr_size_t len, apr_pool_t *p);

/*
 * Create an order, or get an older one if the CA returns that. id names the
 * certificate in res. pnames may be NULL; else *pnames are the names that
 * the CA's refusal speaks of, as acme_problem_names() has them: empty when it
 * names none, or when it did not refuse.
 */
apr_status_t acme_order_create(acme_order_t **porder,
                               apr_array_header_t **pnames,
                               acme_session_t *session, const char *id,
                               acme_result_t *res, apr_pool_t *p);

/*
 * Fetch the order at url into p; on failure *porder is NULL. An order that the
 * CA marked invalid is a success, with its reason in error. (8555, 7.4)
 */
apr_status_t acme_order_fetch(acme_order_t **porder, acme_session_t *session,
                              const char *url, const char *id,
                              acme_result_t *res, apr_pool_t *p);

/*
 * Send the CSR, which the session's callback knows. *pafter is the order as it
 * is then, often still processing; NULL on failure. (8555, 7.4)
 */
apr_status_t acme_order_finalize(acme_order_t **pafter,
                                 acme_session_t *session,
                                 const acme_order_t *order, const char *id,
                                 acme_result_t *res, apr_pool_t *p);

#endif
