/*
 * acme_key.h - private keys: made, read, written, and used to sign a JWS.
 *
 * Only the keeper and acmectl hold one. Its text never leaves this file but
 * through acme_key_pem(), whose memory is cleared with its pool.
 */
#ifndef ACME_KEY_H
#define ACME_KEY_H

#include <apr_pools.h>

#include "acme_octets.h"
#include "acme_result.h"

struct evp_pkey_st;             /* OpenSSL's EVP_PKEY */

typedef enum {
    ACME_KEY_P256,
    ACME_KEY_P384,
    ACME_KEY_RSA2048,
    ACME_KEY_RSA3072,
    ACME_KEY_RSA4096
} acme_key_type_e;

/* A private key. Freed, and its memory cleared, with the pool it came from. */
typedef struct acme_key_t acme_key_t;

/*
 * "p256", "rsa4096", ... as in AcmeKeyTypes, in letters of any case. Else
 * APR_EINVAL, for good, *ptype is ACME_KEY_P256, and res lists the types.
 */
apr_status_t acme_key_type_parse(acme_key_type_e *ptype, const char *text,
                                 acme_result_t *res);

/* "p256", ...: constant. type must be one of the enum. */
const char *acme_key_type_name(acme_key_type_e type);

/*
 * The type of key. An RSA key of another size has none: APR_EINVAL, for good,
 * *ptype is ACME_KEY_P256, and res has the size.
 */
apr_status_t acme_key_type(acme_key_type_e *ptype, acme_key_t *key,
                           acme_result_t *res);

/*
 * Make a new key of this type, which belongs to p. On failure, OpenSSL's,
 * *pkey is NULL and the status APR_EGENERAL.
 */
apr_status_t acme_key_generate(acme_key_t **pkey, acme_key_type_e type,
                               acme_result_t *res, apr_pool_t *p);

/*
 * Load the PEM private key at path: EC on P-256 or P-384, or RSA of 2048 bits
 * or more, not encrypted.
 *
 * On success *pkey belongs to p. On failure *pkey is NULL and res says why;
 * APR_STATUS_IS_ENOENT() of the status means there is no key yet, which the
 * caller may well expect; APR_EINVAL, for good, that the file has no such key.
 */
apr_status_t acme_key_load(acme_key_t **pkey, const char *path,
                           acme_result_t *res, apr_pool_t *p);

/* The same from a PEM text, which stays the caller's; what names it in res. */
apr_status_t acme_key_parse(acme_key_t **pkey, const char *pem,
                            const char *what, acme_result_t *res,
                            apr_pool_t *p);

/*
 * The key as PEM (PKCS#8), not encrypted, in p, which overwrites it when it is
 * cleared. Write it with mode 0600. On failure, OpenSSL's, *ppem is NULL and
 * the status APR_EGENERAL.
 */
apr_status_t acme_key_pem(const char **ppem, acme_key_t *key,
                          acme_result_t *res, apr_pool_t *p);

/* OpenSSL's own handle: the key's, which frees it. */
struct evp_pkey_st *acme_key_evp(acme_key_t *key);

/* "ES256", "ES384" or "RS256", constant: how key signs a JWS. (7518, 3.1) */
const char *acme_key_alg(acme_key_t *key);

/*
 * The public key as a JWK, JSON text in p, with its members in the order of
 * 7638, 3.2 and without white space. On failure, OpenSSL's, *pjwk is NULL and
 * the status APR_EGENERAL.
 */
apr_status_t acme_key_jwk(const char **pjwk, acme_key_t *key,
                          acme_result_t *res, apr_pool_t *p);

/*
 * base64url(SHA-256(JWK)), 43 characters, in p. (7638, 3) Fails as
 * acme_key_jwk() does, and *pthumb is NULL then.
 */
apr_status_t acme_key_thumbprint(const char **pthumb, acme_key_t *key,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * The signature of a JWS over len octets at data, in p: for EC r and s, each
 * padded to the size of the curve, 64 or 96 octets together (7518, 3.4); for
 * RSA PKCS #1 v1.5 with SHA-256, as long as the key (7518, 3.3). On failure,
 * OpenSSL's, *psig is empty and the status APR_EGENERAL.
 */
apr_status_t acme_key_sign(acme_octets_t *psig, acme_key_t *key,
                           const char *data, apr_size_t len,
                           acme_result_t *res, apr_pool_t *p);

#endif
