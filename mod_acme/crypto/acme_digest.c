/*
 * acme_digest.c - SHA-256 of octets in memory and of a file.
 */
#include <apr_escape.h>
#include <apr_file_io.h>

#include <openssl/evp.h>

#include "acme_digest.h"

int acme_digest_make(unsigned char *digest, const void *data, apr_size_t len)
{
    return EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);
}

const char *acme_digest_hex(const void *data, apr_size_t len,
                            apr_size_t octets, apr_pool_t *p)
{
    unsigned char digest[ACME_DIGEST_OCTETS];

    return acme_digest_make(digest, data, len)
           ? apr_pescape_hex(p, digest, octets, 0) : "";
}

int acme_digest_file(unsigned char *digest, const char *path, apr_pool_t *p)
{
    char buf[8192];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    apr_file_t *file = NULL;
    apr_size_t n = sizeof(buf);
    apr_status_t rv;
    int ok;

    rv = apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, p);
    ok = rv == APR_SUCCESS && ctx
        && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    while (ok && (rv = apr_file_read(file, buf, &n)) == APR_SUCCESS) {
        ok = EVP_DigestUpdate(ctx, buf, n);
        n = sizeof(buf);
    }
    ok = ok && rv == APR_EOF && EVP_DigestFinal_ex(ctx, digest, NULL);
    if (file) {
        apr_file_close(file);
    }
    EVP_MD_CTX_free(ctx);
    return ok;
}
