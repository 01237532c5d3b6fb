/*
 * keys.h - a pool, a folder and keys for the tests of what uses OpenSSL.
 */
#ifndef KEYS_H
#define KEYS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "acme_key.h"
#include "pool.h"

extern char folder[64];         /* of each test, to be left empty */

int crypto_setup(void **state);

/* Whatever was tried, OpenSSL's queue is left empty. */
int crypto_teardown(void **state);

#define CRYPTO_TEST(test) \
    cmocka_unit_test_setup_teardown(test, crypto_setup, crypto_teardown)

/* A path in the folder of this test; what is there goes with the pool. */
const char *path_of(const char *name);

/* The path of a file that holds text. */
const char *file_of(const char *name, const char *text);

acme_key_t *key_from(const char *pem);

/* Of RSA one that was made before, see ready_keys.h. */
acme_key_t *new_key(acme_key_type_e type);

/* A key of a kind that acme_key_generate() would not make, RSA
   as above. */
EVP_PKEY *odd_key(int type, int bits, int curve);

/* What was written to bio, which goes. */
const char *bio_text(BIO *bio);

#define PASSPHRASE "correct horse"

/* PKCS#8, encrypted when asked for. */
const char *pkcs8(EVP_PKEY *evp, int encrypted);

/* "BEGIN RSA PRIVATE KEY", "BEGIN EC PRIVATE KEY". */
const char *traditional(EVP_PKEY *evp, int encrypted);

/* What openssl ecparam -genkey writes before a key on P-256. */
#define EC_PARAMETERS \
    "-----BEGIN EC PARAMETERS-----\n" \
    "BggqhkjOPQMBBw==\n" \
    "-----END EC PARAMETERS-----\n"

#endif
