/*
 * acme_chain.h - the certificates that came from a CA, taken apart.
 *
 * They are hostile: here they are only read, within bounds, and never in the
 * keeper (keeper/acme_cert_reader.h).
 */
#ifndef ACME_CHAIN_H
#define ACME_CHAIN_H

#include "acme_key.h"
#include "acme_cert_info.h"

#define ACME_CHAIN_SIZE_MAX (64 * 1024)     /* octets of PEM */
#define ACME_CHAIN_CERTS_MAX 10

/* A leaf and the certificates after it; lives as long as its pool. */
typedef struct acme_chain_t acme_chain_t;

/*
 * Read a PEM text of len octets, at most ACME_CHAIN_SIZE_MAX, with 1 to
 * ACME_CHAIN_CERTS_MAX certificates (8555, 9.1). Anything between the
 * certificates but white space is an error, and so is a leaf that
 * acme_cert_info_read() refuses.
 *
 * On success *pchain belongs to p, and pem is not needed any more. On failure
 * it is NULL and the status APR_EINVAL, or APR_EGENERAL when OpenSSL fails, or
 * this process may not do it (acme_no_x509.h).
 */
apr_status_t acme_chain_parse(acme_chain_t **pchain, const char *pem,
                              apr_size_t len, acme_result_t *res,
                              apr_pool_t *p);

/*
 * As acme_chain_parse, from the file at path, which begins res. The status is
 * ENOENT when there is no such file, else as acme_openssl_file() has it.
 */
apr_status_t acme_chain_load(acme_chain_t **pchain, const char *path,
                             acme_result_t *res, apr_pool_t *p);

/* The contents of the leaf; the chain's. */
const acme_cert_info_t *acme_chain_leaf(const acme_chain_t *chain);

/*
 * OpenSSL's own handle on certificate i, from 0, the leaf; the chain frees it.
 * NULL when the chain has no so many.
 */
struct x509_st *acme_chain_x509(const acme_chain_t *chain, int i);

/*
 * The issuer of the last certificate, in p: its CN, else its whole name,
 * printable. The last one may have issued itself. AcmePreferredChain names a
 * chain by it.
 */
const char *acme_chain_topmost(const acme_chain_t *chain, apr_pool_t *p);

/*
 * Is each certificate issued and signed by the next? Else APR_EINVAL, and res
 * names the first that is not. Neither times nor purposes are checked; p is
 * for the names in res.
 */
apr_status_t acme_chain_linked(const acme_chain_t *chain, acme_result_t *res,
                               apr_pool_t *p);

#endif
