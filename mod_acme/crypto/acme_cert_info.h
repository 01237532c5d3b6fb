/*
 * acme_cert_info.h - the contents of a certificate.
 */
#ifndef ACME_CERT_INFO_H
#define ACME_CERT_INFO_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "acme_result.h"

struct x509_st;                 /* OpenSSL's X509 */
struct X509_name_st;            /* its X509_NAME */

#define ACME_CERT_ID_MAX 127    /* characters */

/* All of it in the pool of the call; strings are printable ASCII. */
typedef struct {
    apr_array_header_t *names;      /* const char *, as acme_name.h has them */
    apr_time_t not_before;          /* microseconds, whole seconds */
    apr_time_t not_after;
    const char *serial;             /* hex, lower case, without leading 00 */
    const char *issuer;             /* CN of the issuer, else its whole name */
    const char *cert_id;            /* 9773, 4.1; NULL: no AKI, or too long */
    int must_staple;                /* boolean: status_request of 7633 */
    const char *ocsp_url;           /* the first http one (5280, 4.2.2.1) ... */
    const char *crl_url;            /* ... and 4.2.1.13, or NULL */
} acme_cert_info_t;

/*
 * The common name in name, else all of it, in p: printable, at most 128
 * octets, never NULL.
 */
const char *acme_cert_info_name_text(const struct X509_name_st *name,
                                     apr_pool_t *p);

/*
 * Fill leaf from x509, all of it in p; x509 stays the caller's. A DNS name
 * that no host can have, a damaged address, time or serial number is an error,
 * APR_EINVAL, and leaf is then filled in part: do not use it. Names that are
 * neither DNS names nor addresses (URIs, mail) are passed over: no server is
 * called by one.
 *
 * Members from cert_id on never cause a refusal: a damaged one counts as
 * absent. The URLs are http, and acme_url_check_plain() passes them; that of a
 * CRL is of a list with all reasons, signed by the issuer itself.
 */
apr_status_t acme_cert_info_read(acme_cert_info_t *leaf,
                                 const struct x509_st *x509,
                                 acme_result_t *res, apr_pool_t *p);

#endif
