/*
 * acme_openssl_version.c - which OpenSSL this process runs with.
 */
#include <openssl/crypto.h>

#include "acme_openssl_version.h"

const char *acme_openssl_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
