/*
 * acme_cert_info.h - what a certificate says of itself.
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

/* Strings are clean for people. */
typedef struct {
    apr_array_header_t *names;      /* const char *, as acme_name.h has them */
    apr_time_t not_before;
    apr_time_t not_after;
    const char *serial;             /* hex, lower case, leading 00 kept out */
    const char *issuer;             /* CN of the issuer, else its whole name */
    const char *cert_id;            /* 9773, 4.1; NULL: no AKI, or too long */
    int must_staple;                /* 7633 */
    const char *ocsp_url;           /* the first http one (5280, 4.2.2.1) ... */
    const char *crl_url;            /* ... and 4.2.1.13, or NULL */
} acme_cert_info_t;

/* The common name in name, else all of it: clean, bounded, never NULL. */
const char *acme_cert_info_name_text(const struct X509_name_st *name,
                                     apr_pool_t *p);

/*
 * Fill leaf from x509, all of it in p. A DNS name that none can be, a damaged
 * address, time or serial number is an error. Names that are neither DNS names
 * nor addresses (URIs, mail) are passed over: no server is called by one.
 *
 * Fields that are only shown (cert_id and below) are not a reason to refuse it:
 * a damaged one counts as none. The URLs are ones that acme_url_check_plain()
 * likes; that of a CRL is a complete one of the issuer itself.
 */
apr_status_t acme_cert_info_read(acme_cert_info_t *leaf,
                                 const struct x509_st *x509,
                                 acme_result_t *res, apr_pool_t *p);

#endif
