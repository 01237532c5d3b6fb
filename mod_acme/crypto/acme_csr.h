/*
 * acme_csr.h - what is signed with a certificate's key before the CA has
 * answered: the request for it, and a placeholder to show meanwhile.
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

/*
 * A self-signed certificate (PEM) for names, valid from an hour before now
 * for so long: what a vhost shows until the CA has answered.
 */
apr_status_t acme_placeholder_make(const char **ppem, acme_key_t *key,
                                   const apr_array_header_t *names,
                                   apr_time_t now, apr_interval_time_t valid,
                                   acme_result_t *res, apr_pool_t *p);

#endif
