/*
 * acme_csr.h - the request for a certificate, which finalizes an order.
 */
#ifndef ACME_CSR_H
#define ACME_CSR_H

#include <apr_tables.h>

#include "acme_key.h"

/*
 * A certificate request (DER) for names, all of them in subjectAltName,
 * addresses as iPAddress. The CN is the first DNS name of at most 64 octets;
 * without one the subject is empty. must_staple asks for a certificate that
 * is only good with a stapled OCSP answer. (7633)
 */
apr_status_t acme_csr_make(const unsigned char **pder, apr_size_t *plen,
                           acme_key_t *key, const apr_array_header_t *names,
                           int must_staple, acme_result_t *res,
                           apr_pool_t *p);

#endif
