/*
 * acme_pkcs12.h - a key and its certificates in one PKCS#12 file. (7292)
 *
 * The certificates are put in as the octets that they are, and not parsed: a
 * process that has keys and rights may use this (acme_no_x509.h).
 */
#ifndef ACME_PKCS12_H
#define ACME_PKCS12_H

#include <apr_tables.h>

#include "acme_key.h"
#include "acme_octets.h"
#include "acme_result.h"

typedef struct {
    const char *name;           /* its friendly name, UTF-8 */
    acme_key_t *key;
    const apr_array_header_t *certs;    /* acme_octets_t, DER, the leaf first,
                                   as acme_pem_read() has them */
    const char *password;
} acme_pkcs12_t;

/*
 * Make a file: AES-256 with PBKDF2 for the key and for the certificates, a MAC
 * of SHA-256. *pout is in p, which overwrites it when it is cleared. On
 * failure, OpenSSL's, it is empty and the status APR_EGENERAL.
 */
apr_status_t acme_pkcs12_make(acme_octets_t *pout, const acme_pkcs12_t *what,
                              acme_result_t *res, apr_pool_t *p);

/*
 * Is file one that acme_pkcs12_make() made of the same? Nothing in it is
 * parsed, so it may be anybody's; that it was not damaged is not checked.
 */
int acme_pkcs12_is_of(acme_octets_t file, const acme_pkcs12_t *what,
                      apr_pool_t *p);

#endif
