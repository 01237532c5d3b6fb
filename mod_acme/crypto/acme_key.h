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

/* "p256", "rsa4096", ... as in AcmeKeyTypes; res lists what is allowed. */
apr_status_t acme_key_type_parse(acme_key_type_e *ptype, const char *text,
                                 acme_result_t *res);
const char *acme_key_type_name(acme_key_type_e type);

/*
 * Which of them key is. An RSA key of another size is none: EINVAL, and res
 * tells the size.
 */
apr_status_t acme_key_type(acme_key_type_e *ptype, acme_key_t *key,
                           acme_result_t *res);

apr_status_t acme_key_generate(acme_key_t **pkey, acme_key_type_e type,
                               acme_result_t *res, apr_pool_t *p);

/*
 * Load the PEM private key at path: EC or RSA, not encrypted.
 *
 * On success *pkey belongs to p. On failure *pkey is NULL and res says why;
 * APR_STATUS_IS_ENOENT() of the status means no key exists yet, which the
 * caller may well expect.
 */
apr_status_t acme_key_load(acme_key_t **pkey, const char *path,
                           acme_result_t *res, apr_pool_t *p);

/* The same from a PEM text; what names it in res. */
apr_status_t acme_key_parse(acme_key_t **pkey, const char *pem,
                            const char *what, acme_result_t *res,
                            apr_pool_t *p);

/* The key as PEM (PKCS#8); cleared with p. Write it with mode 0600. */
apr_status_t acme_key_pem(const char **ppem, acme_key_t *key,
                          acme_result_t *res, apr_pool_t *p);

/* OpenSSL's own handle; the key keeps it. */
struct evp_pkey_st *acme_key_evp(acme_key_t *key);

/* "ES256", "ES384" or "RS256": how this key signs a JWS. (7518, 3.1) */
const char *acme_key_alg(acme_key_t *key);

/* The public key as a JWK with its members in the order of 7638, 3.2. */
apr_status_t acme_key_jwk(const char **pjwk, acme_key_t *key,
                          acme_result_t *res, apr_pool_t *p);

/* base64url(SHA-256(JWK)), 43 characters. (7638, 3) */
apr_status_t acme_key_thumbprint(const char **pthumb, acme_key_t *key,
                                 acme_result_t *res, apr_pool_t *p);

/*
 * The signature of a JWS over data: for EC r and s, each padded to the size
 * of the curve (7518, 3.4); for RSA PKCS #1 v1.5 with SHA-256.
 */
apr_status_t acme_key_sign(acme_octets_t *psig, acme_key_t *key,
                           const char *data, apr_size_t len,
                           acme_result_t *res, apr_pool_t *p);

#endif
