/*
 * keys.c - see keys.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "keys.h"
#include "ready_keys.h"

char folder[64];

int crypto_setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    strcpy(folder, "/tmp/acme-crypto-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

int crypto_teardown(void **state)
{
    unsigned long left = ERR_peek_error();

    if (left) {
        ERR_print_errors_fp(stderr);
    }
    pool_teardown(state);
    if (rmdir(folder)) {
        perror(folder);
        return -1;
    }
    return left ? -1 : 0;
}

static apr_status_t remove_file(void *path)
{
    unlink(path);
    return APR_SUCCESS;
}

const char *path_of(const char *name)
{
    const char *path = apr_pstrcat(pool, folder, "/", name, NULL);

    apr_pool_cleanup_register(pool, path, remove_file, apr_pool_cleanup_null);
    return path;
}

const char *file_of(const char *name, const char *text)
{
    const char *path = path_of(name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

acme_key_t *key_from(const char *pem)
{
    acme_key_t *key;

    if (acme_key_load(&key, file_of("key.pem", pem), &res, pool)) {
        fail_msg("%s", res.detail);
    }
    return key;
}

/* 0: it is not of RSA. */
static int rsa_bits(acme_key_type_e type)
{
    switch (type) {
    case ACME_KEY_RSA2048:
        return 2048;
    case ACME_KEY_RSA3072:
        return 3072;
    case ACME_KEY_RSA4096:
        return 4096;
    default:
        return 0;
    }
}

acme_key_t *new_key(acme_key_type_e type)
{
    const char *pem = ready_rsa(rsa_bits(type));
    acme_key_t *key;

    if (pem) {
        return key_from(pem);
    }
    if (acme_key_generate(&key, type, &res, pool)) {
        fail_msg("%s", res.detail);
    }
    return key;
}

static apr_status_t free_key(void *evp)
{
    EVP_PKEY_free(evp);
    return APR_SUCCESS;
}

static EVP_PKEY *read_evp(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *evp = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    assert_non_null(evp);
    BIO_free(bio);
    apr_pool_cleanup_register(pool, evp, free_key, apr_pool_cleanup_null);
    return evp;
}

EVP_PKEY *odd_key(int type, int bits, int curve)
{
    const char *pem = type == EVP_PKEY_RSA ? ready_rsa(bits) : NULL;
    EVP_PKEY_CTX *ctx;
    EVP_PKEY *evp = NULL;

    if (pem) {
        return read_evp(pem);
    }
    ctx = EVP_PKEY_CTX_new_id(type, NULL);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    if (bits) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits), 1);
    }
    if (curve) {
        assert_int_equal(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, curve),
                         1);
    }
    assert_int_equal(EVP_PKEY_keygen(ctx, &evp), 1);
    EVP_PKEY_CTX_free(ctx);
    apr_pool_cleanup_register(pool, evp, free_key, apr_pool_cleanup_null);
    return evp;
}

const char *bio_text(BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    const char *text = apr_pstrmemdup(pool, data, (apr_size_t)len);

    BIO_free(bio);
    return text;
}

const char *pkcs8(EVP_PKEY *evp, int encrypted)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
                         bio, evp, encrypted ? EVP_aes_128_cbc() : NULL, NULL,
                         0, NULL, encrypted ? PASSPHRASE : NULL), 1);
    return bio_text(bio);
}

const char *traditional(EVP_PKEY *evp, int encrypted)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PrivateKey_traditional(
                         bio, evp, encrypted ? EVP_aes_128_cbc() : NULL, NULL,
                         0, NULL, encrypted ? PASSPHRASE : NULL), 1);
    return bio_text(bio);
}
