/*
 * acme_cleanse.c - secrets are overwritten before their memory is used again.
 */
#include <openssl/crypto.h>

#include "acme_cleanse.h"

void acme_cleanse(void *data, apr_size_t len)
{
    OPENSSL_cleanse(data, len);
}
