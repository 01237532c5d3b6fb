/*
 * acme_csr.h - the request for a certificate, which finalizes an order.
 */
#ifndef ACME_CSR_H
#define ACME_CSR_H

#include <apr_tables.h>

#include "acme_key.h"

typedef enum {
    ACME_CSR_PLAIN,
    ACME_CSR_MUST_STAPLE        /* requires a stapled OCSP answer: 7633 */
} acme_csr_e;

/*
 * A certificate request (DER, in p; 8555, 7.4) for names (const char *, as
 * acme_name.h has them), all of them in subjectAltName, addresses as iPAddress
 * (8738, 3), signed with key and SHA-256. The CN is the first DNS name of at
 * most 64 octets; without one the subject is empty.
 *
 * On failure *pder is empty: APR_EINVAL, for good, when there are no names;
 * APR_EGENERAL when OpenSSL fails.
 */
apr_status_t acme_csr_make(acme_octets_t *pder, acme_key_t *key,
                           const apr_array_header_t *names, acme_csr_e kind,
                           acme_result_t *res, apr_pool_t *p);

#endif
