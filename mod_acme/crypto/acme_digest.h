/*
 * acme_digest.h - SHA-256 of octets in memory and of a file.
 */
#ifndef ACME_DIGEST_H
#define ACME_DIGEST_H

#include <apr_pools.h>

#define ACME_DIGEST_OCTETS 32

/*
 * SHA-256 of len octets at data into digest, which has room for
 * ACME_DIGEST_OCTETS. 1, or 0 when OpenSSL fails.
 */
int acme_digest_make(unsigned char *digest, const void *data, apr_size_t len);

/*
 * The first octets (at most ACME_DIGEST_OCTETS) of the SHA-256 of len octets
 * at data, two lower-case hex digits each, in p; "" when OpenSSL fails.
 */
const char *acme_digest_hex(const void *data, apr_size_t len,
                            apr_size_t octets, apr_pool_t *p);

/*
 * SHA-256 of the file at path into digest, which has room for
 * ACME_DIGEST_OCTETS. 1, or 0 when it cannot be read or OpenSSL fails.
 */
int acme_digest_file(unsigned char *digest, const char *path, apr_pool_t *p);

#endif
