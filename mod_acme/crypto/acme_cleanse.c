/*
 * acme_cleanse.c - secrets are overwritten before their memory is used again.
 */
#include <openssl/crypto.h>

#include "acme_cleanse.h"

/*
 * Octets that are reserved, a power of two. A private number beyond them makes
 * OpenSSL fail; there is room for 250 keys of RSA 4096 at a time, and a keeper
 * has one for each account and each message.
 */
#define RESERVED (1024 * 1024)
#define RESERVED_PIECE 32

/* Longer texts are no key: they must not use up what is reserved. */
#define SECRET_MAX (16 * 1024)

typedef struct {
    void *data;
    apr_size_t len;
} secret_t;

void acme_cleanse(void *data, apr_size_t len)
{
    OPENSSL_cleanse(data, len);
}

void acme_cleanse_reserve(void)
{
    (void)CRYPTO_secure_malloc_init(RESERVED, RESERVED_PIECE);
}

static apr_status_t free_secret(void *data)
{
    const secret_t *secret = data;

    OPENSSL_secure_clear_free(secret->data, secret->len);
    return APR_SUCCESS;
}

static apr_status_t wipe_secret(void *data)
{
    const secret_t *secret = data;

    OPENSSL_cleanse(secret->data, secret->len);
    return APR_SUCCESS;
}

void *acme_cleanse_alloc(apr_size_t len, apr_pool_t *p)
{
    secret_t *secret = apr_palloc(p, sizeof(*secret));

    secret->len = len;
    secret->data = len <= SECRET_MAX && CRYPTO_secure_malloc_initialized()
                       ? OPENSSL_secure_malloc(len) : NULL;
    if (secret->data) {
        apr_pool_cleanup_register(p, secret, free_secret,
                                  apr_pool_cleanup_null);
        return secret->data;
    }
    secret->data = apr_palloc(p, len);
    apr_pool_cleanup_register(p, secret, wipe_secret, apr_pool_cleanup_null);
    return secret->data;
}
