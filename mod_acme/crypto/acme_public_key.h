/*
 * acme_public_key.h - public keys as octets, to compare them.
 *
 * A SubjectPublicKeyInfo in DER, encoded anew: that of a certificate and that
 * of its private key are equal, octet by octet.
 */
#ifndef ACME_PUBLIC_KEY_H
#define ACME_PUBLIC_KEY_H

#include "acme_key.h"
#include "acme_octets.h"

/* Octets: an RSA key of 16384 bits, the longest that OpenSSL uses, has 2086. */
#define ACME_PUBLIC_KEY_MAX 4096

/* That of OpenSSL's handle, in p. None when OpenSSL fails or it is longer. */
acme_octets_t acme_public_key_der(struct evp_pkey_st *evp, apr_pool_t *p);

/* That of a private key, in p; the same. */
acme_octets_t acme_public_key_of(acme_key_t *key, apr_pool_t *p);

/*
 * That of the private key in the PEM file at path, of any kind that OpenSSL
 * reads, in p; none, and success, when it has a pass phrase. APR_EINVAL, for
 * good: the file has no such key. When it cannot be read, as
 * acme_openssl_file() has it.
 */
apr_status_t acme_public_key_of_file(acme_octets_t *pkey, const char *path,
                                     acme_result_t *res, apr_pool_t *p);

/* Two that are there and equal. */
int acme_public_key_is_same(acme_octets_t a, acme_octets_t b);

#endif
