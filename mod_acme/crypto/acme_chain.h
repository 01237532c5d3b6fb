/*
 * acme_chain.h - the certificates that came from a CA, taken apart.
 *
 * They are hostile until keeper/acme_install_check.c has looked at them: here
 * they are only read, within bounds.
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
 * Parse a PEM text of 1 to ACME_CHAIN_CERTS_MAX certificates, the leaf first.
 * Anything between the certificates but white space is an error, and so is a
 * leaf that acme_cert_info_read() refuses. On failure *pchain is NULL.
 */
apr_status_t acme_chain_parse(acme_chain_t **pchain, const char *pem,
                              apr_size_t len, acme_result_t *res,
                              apr_pool_t *p);

/* As acme_chain_parse(), from a file; ENOENT when it does not exist. */
apr_status_t acme_chain_load(acme_chain_t **pchain, const char *path,
                             acme_result_t *res, apr_pool_t *p);

/* What the leaf says of itself; lives as long as chain. */
const acme_cert_info_t *acme_chain_leaf(const acme_chain_t *chain);

/*
 * Certificate i as OpenSSL has it, the leaf is 0; NULL behind the last. The
 * chain frees it.
 */
struct x509_st *acme_chain_x509(const acme_chain_t *chain, int i);

/* The leaf as DER, a copy in p. */
apr_status_t acme_chain_leaf_der(const unsigned char **pder, apr_size_t *plen,
                                 const acme_chain_t *chain,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * Who issued the last certificate: its CN, else its whole name, clean. The
 * last one may have issued itself. This is what AcmePreferredChain names.
 */
const char *acme_chain_topmost(const acme_chain_t *chain, apr_pool_t *p);

/* Is the leaf's public key that of key? */
int acme_chain_has_key(const acme_chain_t *chain, acme_key_t *key);

/*
 * Is each certificate signed by the next? EINVAL when one is not: res names it
 * and the next. A chain of one certificate is linked.
 */
apr_status_t acme_chain_linked(const acme_chain_t *chain, acme_result_t *res,
                               apr_pool_t *p);

/* PEM again, normalised: the leaf alone, the others ("" if none), all. */
const char *acme_chain_pem_leaf(const acme_chain_t *chain, apr_pool_t *p);
const char *acme_chain_pem_rest(const acme_chain_t *chain, apr_pool_t *p);
const char *acme_chain_pem_full(const acme_chain_t *chain, apr_pool_t *p);

#endif
