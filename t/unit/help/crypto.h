/*
 * crypto.h - a pool, a folder and keys for the tests of what uses OpenSSL.
 */
#ifndef CRYPTO_H
#define CRYPTO_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "acme_key.h"
#include "pool.h"

static acme_result_t res;
static char folder[64];

static inline int crypto_setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    strcpy(folder, "/tmp/acme-crypto-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

/* Whatever was tried, OpenSSL's queue is left empty. */
static inline int crypto_teardown(void **state)
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

#define CRYPTO_TEST(test) \
    cmocka_unit_test_setup_teardown(test, crypto_setup, crypto_teardown)

static apr_status_t remove_file(void *path)
{
    unlink(path);
    return APR_SUCCESS;
}

/* A path in the folder of this test; what is there goes with the pool. */
static inline const char *path_of(const char *name)
{
    const char *path = apr_pstrcat(pool, folder, "/", name, NULL);

    apr_pool_cleanup_register(pool, path, remove_file, apr_pool_cleanup_null);
    return path;
}

/* The path of a file that holds text. */
static inline const char *file_of(const char *name, const char *text)
{
    const char *path = path_of(name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static inline acme_key_t *key_from(const char *pem)
{
    acme_key_t *key;

    if (acme_key_load(&key, file_of("key.pem", pem), &res, pool)) {
        fail_msg("%s", res.detail);
    }
    return key;
}

static inline acme_key_t *new_key(acme_key_type_e type)
{
    acme_key_t *key;

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

/* A key of a kind that acme_key_generate() would not make. */
static inline EVP_PKEY *odd_key(int type, int bits, int curve)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(type, NULL);
    EVP_PKEY *evp = NULL;

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

/* What was written to bio, which goes. */
static inline const char *bio_text(BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    const char *text = apr_pstrmemdup(pool, data, (apr_size_t)len);

    BIO_free(bio);
    return text;
}

#define PASSPHRASE "correct horse"

/* PKCS#8, encrypted when asked for. */
static inline const char *pkcs8(EVP_PKEY *evp, int encrypted)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
                         bio, evp, encrypted ? EVP_aes_128_cbc() : NULL, NULL,
                         0, NULL, encrypted ? PASSPHRASE : NULL), 1);
    return bio_text(bio);
}

/* "BEGIN RSA PRIVATE KEY", "BEGIN EC PRIVATE KEY". */
static inline const char *traditional(EVP_PKEY *evp, int encrypted)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PrivateKey_traditional(
                         bio, evp, encrypted ? EVP_aes_128_cbc() : NULL, NULL,
                         0, NULL, encrypted ? PASSPHRASE : NULL), 1);
    return bio_text(bio);
}

/* What openssl ecparam -genkey writes before a key on P-256. */
#define EC_PARAMETERS \
    "-----BEGIN EC PARAMETERS-----\n" \
    "BggqhkjOPQMBBw==\n" \
    "-----END EC PARAMETERS-----\n"

#endif
