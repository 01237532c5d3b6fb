/*
 * acme_digest.h - SHA-256, of what is in memory and of a file.
 */
#ifndef ACME_DIGEST_H
#define ACME_DIGEST_H

#include <apr_pools.h>

#define ACME_DIGEST_OCTETS 32

/* SHA-256 into ACME_DIGEST_OCTETS octets; false when OpenSSL fails. */
int acme_digest_make(unsigned char *digest, const void *data, apr_size_t len);

/* The first octets of it, two hex digits each; "" when OpenSSL fails. */
const char *acme_digest_hex(const void *data, apr_size_t len,
                            apr_size_t octets, apr_pool_t *p);

/* Of all that the file at path holds; false when it cannot be read. */
int acme_digest_file(unsigned char *digest, const char *path, apr_pool_t *p);

#endif
