/*
 * acme_pem.h - the text of certificates in PEM, and not what is in them.
 *
 * No certificate is parsed here: a process that has keys may use this.
 */
#ifndef ACME_PEM_H
#define ACME_PEM_H

#include <apr_tables.h>

#include "acme_octets.h"
#include "acme_result.h"

/*
 * The text of the file at path, in p, with a NUL behind it. Fails as
 * acme_openssl_file() does.
 */
apr_status_t acme_pem_load(acme_octets_t *ptext, const char *path,
                           acme_result_t *res, apr_pool_t *p);

/*
 * To the next line that begins with a dash, as a block does, or to end: CAs
 * write words before a certificate, and between two. (7468, 2)
 */
const char *acme_pem_next(const char *text, const char *end);

/*
 * The octets (acme_octets_t, in p) of each certificate in len octets of text
 * that acme_chain_parse() took: words may be between them. Else APR_EINVAL,
 * and there are none.
 */
apr_status_t acme_pem_read(apr_array_header_t **pders, const char *text,
                           apr_size_t len, acme_result_t *res, apr_pool_t *p);

/* The certificates from index first on as PEM, in p, as OpenSSL writes it:
   64 characters a line. "": there are none. */
const char *acme_pem_text(const apr_array_header_t *ders, int first,
                          apr_pool_t *p);

#endif
