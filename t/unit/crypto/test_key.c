/*
 * test_key.c - private keys: which are read, which are refused, and that no
 * text of one stays behind.
 */
#include <sys/stat.h>

#include "keys.h"
#include "ready_keys.h"
#include "rfc_keys.h"

#include <openssl/crypto.h>

#include "acme_cleanse.h"
#include "acme_openssl.h"
#include "child.h"
#include "same_key.h"

static void types_are_parsed(void **state)
{
    static const struct {
        const char *text;
        const char *name;       /* NULL: refused */
    } rows[] = {
        { "p256", "p256" },
        { "P384", "p384" },
        { "rsa2048", "rsa2048" },
        { "RSA3072", "rsa3072" },
        { "rsa4096", "rsa4096" },
        { "rsa1024", NULL },
        { "p521", NULL },
        { "rsa", NULL },
        { "p256 ", NULL },
        { "", NULL }
    };
    acme_key_type_e type;
    apr_status_t rv;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        rv = acme_key_type_parse(&type, rows[i].text, &res);
        assert_int_equal(rv, rows[i].name ? APR_SUCCESS : APR_EINVAL);
        if (rows[i].name) {
            assert_string_equal(acme_key_type_name(type), rows[i].name);
            continue;
        }
        assert_non_null(strstr(res.detail, "rsa2048"));
        assert_int_equal(res.retry, ACME_RETRY_NEVER);
    }
}

/* Here alone keys of RSA are made: one of each type. */
static void a_made_key_is_read_again(void **state)
{
    static const struct {
        acme_key_type_e type;
        const char *alg;
        int bits;
    } rows[] = {
        { ACME_KEY_P256, "ES256", 256 },
        { ACME_KEY_P384, "ES384", 384 },
        { ACME_KEY_RSA2048, "RS256", 2048 },
        { ACME_KEY_RSA3072, "RS256", 3072 },
        { ACME_KEY_RSA4096, "RS256", 4096 }
    };
    const char *pem, *jwk, *again;
    acme_key_type_e type;
    acme_key_t *key;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(acme_key_generate(&key, rows[i].type, &res, pool),
                         0);
        assert_int_equal(acme_key_type(&type, key, &res), 0);
        assert_int_equal(type, rows[i].type);
        assert_string_equal(acme_key_alg(key), rows[i].alg);
        assert_int_equal(EVP_PKEY_bits(acme_key_evp(key)), rows[i].bits);
        assert_int_equal(acme_key_pem(&pem, key, &res, pool), 0);
        assert_int_equal(strncmp(pem, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
        assert_int_equal(acme_key_jwk(&jwk, key, &res, pool), 0);

        key = key_from(pem);
        assert_string_equal(acme_key_alg(key), rows[i].alg);
        assert_int_equal(acme_key_jwk(&again, key, &res, pool), 0);
        assert_string_equal(jwk, again);
    }
}

static void a_key_knows_its_type(void **state)
{
    static const acme_key_type_e made[] = {
        ACME_KEY_P256, ACME_KEY_P384, ACME_KEY_RSA2048, ACME_KEY_RSA3072,
        ACME_KEY_RSA4096
    };
    acme_key_type_e type;
    acme_key_t *odd;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(made); i++) {
        assert_int_equal(acme_key_type(&type, new_key(made[i]), &res), 0);
        assert_int_equal(type, made[i]);
    }
    /* Read, as an account may have it, but no type of ours. */
    odd = key_from(pkcs8(odd_key(EVP_PKEY_RSA, 2560, 0), 0));
    assert_int_equal(acme_key_type(&type, odd, &res), APR_EINVAL);
    assert_non_null(strstr(res.detail, "2560 bits"));
    assert_int_equal(res.retry, ACME_RETRY_NEVER);
}

static void a_key_is_told_from_others(void **state)
{
    acme_key_t *keys[] = {
        new_key(ACME_KEY_P256), new_key(ACME_KEY_P256),
        new_key(ACME_KEY_P384), new_key(ACME_KEY_RSA2048)
    };
    const char *pem;
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(keys); i++) {
        for (k = 0; k < COUNT(keys); k++) {
            assert_int_equal(same_key(keys[i], keys[k]), i == k);
            assert_int_equal(ERR_peek_error(), 0);
        }
        assert_int_equal(acme_key_pem(&pem, keys[i], &res, pool), 0);
        assert_true(same_key(keys[i], key_from(pem)));
    }
}

static void jwk_and_thumbprint_are_those_of_rfc7638(void **state)
{
    acme_key_t *key = key_from(RFC7638_KEY);
    const char *jwk, *thumb;

    (void)state;
    assert_int_equal(acme_key_jwk(&jwk, key, &res, pool), 0);
    assert_string_equal(jwk, "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\""
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1R"
        "K7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9"
        "yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZg"
        "nYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6We"
        "Zu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDK"
        "gw\"}");
    assert_int_equal(acme_key_thumbprint(&thumb, key, &res, pool), 0);
    assert_string_equal(thumb, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

static void jwk_of_an_ec_key_has_all_members_in_order(void **state)
{
    const char *jwk;

    (void)state;
    assert_int_equal(acme_key_jwk(&jwk, key_from(RFC7515_A3_KEY), &res, pool),
                     0);
    assert_string_equal(jwk, "{\"crv\":\"P-256\",\"kty\":\"EC\","
        "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}");
}

/* One in 128 keys has an x or y that begins with a zero octet. */
static void coordinates_are_padded(void **state)
{
    acme_key_t *key;
    BIGNUM *x, *y;
    const char *jwk;
    apr_pool_t *p;
    int met = 0;

    (void)state;
    apr_pool_create(&p, pool);
    while (met < 2) {
        apr_pool_clear(p);
        assert_int_equal(acme_key_generate(&key, ACME_KEY_P256, &res, p), 0);
        assert_int_equal(acme_openssl_public(&x, &y, acme_key_evp(key)), 1);
        if (BN_num_bytes(x) < 32 || BN_num_bytes(y) < 32) {
            met++;
            assert_int_equal(acme_key_jwk(&jwk, key, &res, p), 0);
            /* 43 characters for each coordinate */
            assert_int_equal(strlen(jwk), 2 * 43
                             + strlen("{\"crv\":\"P-256\",\"kty\":\"EC\","
                                      "\"x\":\"\",\"y\":\"\"}"));
        }
        BN_free(x);
        BN_free(y);
    }
}

static const char *plain_pkcs8(void)
{
    return pkcs8(odd_key(EVP_PKEY_EC, 0, NID_secp384r1), 0);
}

static const char *plain_rsa(void)
{
    return traditional(odd_key(EVP_PKEY_RSA, 2048, 0), 0);
}

static const char *plain_ec(void)
{
    return traditional(odd_key(EVP_PKEY_EC, 0, NID_X9_62_prime256v1), 0);
}

static const char *ec_after_parameters(void)
{
    return apr_pstrcat(pool, EC_PARAMETERS, plain_ec(), NULL);
}

static const char *text_before(void)
{
    return apr_pstrcat(pool, "made by hand\n\n", plain_pkcs8(), NULL);
}

static const char *windows_lines(void)
{
    const char *pem = plain_pkcs8();
    char *crlf = apr_palloc(pool, 2 * strlen(pem) + 1), *to = crlf;

    for (; *pem; pem++) {
        if (*pem == '\n') {
            *to++ = '\r';
        }
        *to++ = *pem;
    }
    *to = '\0';
    return crlf;
}

static void every_usual_form_is_read(void **state)
{
    static const struct {
        const char *name;
        const char *(*text)(void);
    } rows[] = {
        { "pkcs8", plain_pkcs8 },
        { "traditional RSA", plain_rsa },
        { "traditional EC", plain_ec },
        { "EC PARAMETERS first", ec_after_parameters },
        { "text before it", text_before },
        { "CR LF", windows_lines }
    };
    acme_key_t *key;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_key_load(&key, file_of("k", rows[i].text()), &res, pool)) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
    }
}

static const char *nothing(void)
{
    return "";
}

static const char *garbage(void)
{
    return "SECRET\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n";
}

static const char *garbage_as_pem(void)
{
    return "-----BEGIN PRIVATE KEY-----\n"
           "SECRET/SECRET/SECRET/SECRET/SECRET/SECRET/SECRET/SECRET/SECRET/S\n"
           "-----END PRIVATE KEY-----\n";
}

static const char *cut_short(void)
{
    const char *pem = plain_pkcs8();

    return apr_pstrmemdup(pool, pem, strlen(pem) / 2);
}

static const char *public_alone(void)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_PUBKEY(bio, odd_key(EVP_PKEY_EC, 0, NID_X9_62_prime256v1));
    return bio_text(bio);
}

static const char *encrypted_pkcs8(void)
{
    return pkcs8(odd_key(EVP_PKEY_EC, 0, NID_X9_62_prime256v1), 1);
}

static const char *encrypted_traditional(void)
{
    return traditional(odd_key(EVP_PKEY_EC, 0, NID_X9_62_prime256v1), 1);
}

static const char *curve_p521(void)
{
    return pkcs8(odd_key(EVP_PKEY_EC, 0, NID_secp521r1), 0);
}

static const char *curve_k256(void)
{
    return pkcs8(odd_key(EVP_PKEY_EC, 0, NID_secp256k1), 0);
}

static const char *rsa_1024(void)
{
    return pkcs8(odd_key(EVP_PKEY_RSA, 1024, 0), 0);
}

static const char *rsa_2047(void)
{
    return pkcs8(odd_key(EVP_PKEY_RSA, 2047, 0), 0);
}

static const char *ed25519(void)
{
    return pkcs8(odd_key(EVP_PKEY_ED25519, 0, 0), 0);
}

/* More than is read. */
static const char *far_too_long(void)
{
    char *text = apr_palloc(pool, ACME_PEM_FILE_MAX + 2);

    memset(text, '\n', ACME_PEM_FILE_MAX + 1);
    text[ACME_PEM_FILE_MAX + 1] = '\0';
    return text;
}

static void others_are_refused(void **state)
{
    static const struct {
        const char *name;
        const char *(*text)(void);
        const char *told;
    } rows[] = {
        { "empty", nothing, "no PEM private key" },
        { "garbage", garbage, "no PEM private key" },
        { "garbage as PEM", garbage_as_pem, "no PEM private key" },
        { "cut short", cut_short, "no PEM private key" },
        { "public key", public_alone, "no PEM private key" },
        { "encrypted PKCS#8", encrypted_pkcs8, "encrypted" },
        { "encrypted, traditional", encrypted_traditional, "encrypted" },
        { "P-521", curve_p521, "P-256 or P-384" },
        { "secp256k1", curve_k256, "P-256 or P-384" },
        { "RSA of 1024 bits", rsa_1024, "1024 bits" },
        { "RSA of 2047 bits", rsa_2047, "2047 bits" },
        { "Ed25519", ed25519, "P-256 or P-384" },
        { "DSA", ready_dsa, "P-256 or P-384" },
        { "far too long", far_too_long, "larger than" }
    };
    const char *path;
    acme_key_t *key;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        path = file_of("key.pem", rows[i].text());
        ERR_clear_error();
        key = (acme_key_t *)&res;
        assert_int_not_equal(acme_key_load(&key, path, &res, pool), 0);
        assert_null(key);
        if (!strstr(res.detail, rows[i].told)
            || strncmp(res.detail, path, strlen(path))
            || strstr(res.detail, "SECRET")) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
        assert_int_equal(res.retry, ACME_RETRY_NEVER);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void what_is_no_file_is_told(void **state)
{
    const char *fifo = path_of("fifo");
    acme_key_t *key;
    apr_status_t rv;

    (void)state;
    rv = acme_key_load(&key, path_of("none"), &res, pool);
    assert_true(APR_STATUS_IS_ENOENT(rv));
    assert_null(key);
    assert_non_null(strstr(res.detail, "/none: "));

    assert_int_not_equal(acme_key_load(&key, folder, &res, pool), 0);
    assert_non_null(strstr(res.detail, "not a regular file"));

    /* Nobody writes into it: opening it must not wait. */
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_not_equal(acme_key_load(&key, fifo, &res, pool), 0);
    assert_non_null(strstr(res.detail, "not a regular file"));
}

/* Runs after the cleanup of the text, as it was registered before it. */
static apr_status_t see_that_it_is_gone(void *data)
{
    const char *const *ppem = data;
    size_t i;

    for (i = 0; i < 100; i++) {
        assert_int_equal((*ppem)[i], 0);
    }
    *(const char **)data = NULL;
    return APR_SUCCESS;
}

static void pem_is_cleared_with_its_pool(void **state)
{
    acme_key_t *key = new_key(ACME_KEY_P256);
    const char *pem = NULL;
    apr_pool_t *p;

    (void)state;
    apr_pool_create(&p, pool);
    apr_pool_cleanup_register(p, &pem, see_that_it_is_gone,
                              apr_pool_cleanup_null);
    assert_int_equal(acme_key_pem(&pem, key, &res, p), 0);
    assert_true(strlen(pem) > 100);
    apr_pool_destroy(p);
    assert_null(pem);
}

/* How much of the process is locked; -1: the system does not tell. */
static long locked_kb(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kb = -1;

    while (f && fgets(line, sizeof(line), f)) {
        sscanf(line, "VmLck: %ld kB", &kb);
    }
    if (f) {
        fclose(f);
    }
    return kb;
}

static int keep_in_reserved(void *unused)
{
    acme_key_t *key, *again;
    const char *pem;
    apr_pool_t *p;
    size_t before;
    void *large;

    (void)unused;
    acme_cleanse_reserve();
    if (!CRYPTO_secure_malloc_initialized() || locked_kb() <= 0) {
        return CHILD_SKIP;
    }
    before = CRYPTO_secure_used();
    apr_pool_create(&p, pool);
    CHECK(acme_key_generate(&key, ACME_KEY_P256, &res, p) == 0);
    CHECK(CRYPTO_secure_used() > before);
    CHECK(acme_key_pem(&pem, key, &res, p) == 0);
    CHECK(CRYPTO_secure_allocated(pem));
    CHECK(acme_key_parse(&again, pem, "again", &res, p) == 0);
    CHECK(same_key(key, again));
    large = acme_cleanse_alloc(2 * 1024 * 1024, p);     /* no key is so long */
    CHECK(large && !CRYPTO_secure_allocated(large));
    apr_pool_destroy(p);
    CHECK(CRYPTO_secure_used() == before);
    return 0;
}

static void secrets_are_in_reserved_memory(void **state)
{
    (void)state;
    assert_child(keep_in_reserved, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CRYPTO_TEST(types_are_parsed),
        CRYPTO_TEST(a_made_key_is_read_again),
        CRYPTO_TEST(a_key_knows_its_type),
        CRYPTO_TEST(a_key_is_told_from_others),
        CRYPTO_TEST(jwk_and_thumbprint_are_those_of_rfc7638),
        CRYPTO_TEST(jwk_of_an_ec_key_has_all_members_in_order),
        CRYPTO_TEST(coordinates_are_padded),
        CRYPTO_TEST(every_usual_form_is_read),
        CRYPTO_TEST(others_are_refused),
        CRYPTO_TEST(what_is_no_file_is_told),
        CRYPTO_TEST(pem_is_cleared_with_its_pool),
        CRYPTO_TEST(secrets_are_in_reserved_memory)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests_name("key", tests, NULL, NULL);
    apr_terminate();
    return failed;
}
