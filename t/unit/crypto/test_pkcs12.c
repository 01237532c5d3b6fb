/*
 * test_pkcs12.c - a PKCS#12 file that others read, made without a parser of
 * certificates.
 */
#include <openssl/pkcs12.h>

#include "certs.h"

#include "acme_no_x509.h"
#include "acme_pem.h"
#include "acme_pkcs12.h"
#include "child.h"

#define PASSWORD "secr\xc3\xa9t 1"

static acme_pkcs12_t what;

static int setup(void **state)
{
    const int rc = x509_setup(state);
    const char *pem = apr_pstrcat(pool, ca.leaf_pem, ca.middle_pem, NULL);
    apr_array_header_t *certs;

    if (rc || acme_pem_read(&certs, pem, strlen(pem), &res, pool)) {
        return -1;
    }
    what = (acme_pkcs12_t) { .name = "www.example.org", .key = ca.key,
                             .certs = certs, .password = PASSWORD };
    return 0;
}

static acme_octets_t made(void)
{
    acme_octets_t file;

    if (acme_pkcs12_make(&file, &what, &res, pool)) {
        fail_msg("%s", res.detail);
    }
    return file;
}

static PKCS12 *parsed(acme_octets_t file)
{
    const unsigned char *at = file.data;
    PKCS12 *pkcs12 = d2i_PKCS12(NULL, &at, (long)file.len);

    assert_non_null(pkcs12);
    assert_ptr_equal(at, file.data + file.len);
    return pkcs12;
}

/* By OpenSSL's own reader, as other programs do. */
static void others_can_read_it(void **state)
{
    PKCS12 *file = parsed(made());
    STACK_OF(X509) *more = NULL;
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;

    (void)state;
    assert_true(PKCS12_parse(file, PASSWORD, &key, &leaf, &more));
    assert_int_equal(X509_cmp(leaf, ca.leaf), 0);
    assert_true(X509_check_private_key(leaf, key));
    assert_int_equal(sk_X509_num(more), 1);
    assert_int_equal(X509_cmp(sk_X509_value(more, 0), ca.middle), 0);
    assert_string_equal((const char *)X509_alias_get0(leaf, NULL), what.name);
    sk_X509_pop_free(more, X509_free);
    X509_free(leaf);
    EVP_PKEY_free(key);
    PKCS12_free(file);
}

static void another_password_does_not_open_it(void **state)
{
    PKCS12 *file = parsed(made());

    (void)state;
    assert_false(PKCS12_verify_mac(file, "secret 1", -1));
    assert_true(PKCS12_verify_mac(file, PASSWORD, -1));
    PKCS12_free(file);
    ERR_clear_error();
}

/* Each algorithm identifier of the two encrypted parts, and the MAC's. */
static void the_algorithms_are_strong(void **state)
{
    static const unsigned char aes256[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
                                            0x04, 0x01, 0x2a };
    static const unsigned char pbkdf2[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
                                            0x01, 0x05, 0x0c };
    const acme_octets_t file = made();
    PKCS12 *pkcs12 = parsed(file);
    const X509_ALGOR *mac;
    const ASN1_OBJECT *oid;
    size_t i;
    int aes = 0, kdf = 0;

    (void)state;
    for (i = 0; i + sizeof(aes256) <= file.len; i++) {
        aes += !memcmp(file.data + i, aes256, sizeof(aes256));
        kdf += !memcmp(file.data + i, pbkdf2, sizeof(pbkdf2));
    }
    /* The key's is in the open; that of the certificates too. */
    assert_int_equal(aes, 2);
    assert_int_equal(kdf, 2);
    PKCS12_get0_mac(NULL, &mac, NULL, NULL, pkcs12);
    X509_ALGOR_get0(&oid, NULL, NULL, mac);
    assert_int_equal(OBJ_obj2nid(oid), NID_sha256);
    PKCS12_free(pkcs12);
}

static void one_of_the_same_is_recognized(void **state)
{
    const acme_octets_t file = made(), again = made();
    apr_array_header_t leaf;
    acme_pkcs12_t other;

    (void)state;
    assert_true(file.len != again.len
                || memcmp(file.data, again.data, file.len) != 0);
    assert_true(acme_pkcs12_is_of(file, &what, pool));
    assert_true(acme_pkcs12_is_of(again, &what, pool));

    other = what;
    other.password = "another";
    assert_false(acme_pkcs12_is_of(file, &other, pool));
    other = what;
    other.name = "another";
    assert_false(acme_pkcs12_is_of(file, &other, pool));
    other = what;
    other.key = new_key(ACME_KEY_P256);
    assert_false(acme_pkcs12_is_of(file, &other, pool));
    leaf = *what.certs;
    leaf.nelts = 1;
    other = what;
    other.certs = &leaf;
    assert_false(acme_pkcs12_is_of(file, &other, pool));
}

static void what_is_cut_or_none_is_not_recognized(void **state)
{
    const acme_octets_t file = made();
    apr_size_t len;

    (void)state;
    for (len = 0; len < file.len; len++) {
        assert_false(acme_pkcs12_is_of((acme_octets_t) { file.data, len },
                                       &what, pool));
    }
    assert_false(acme_pkcs12_is_of((acme_octets_t) { NULL, 0 }, &what, pool));
}

static int make_in_a_keeper(void *file)
{
    acme_no_x509_begin();
    return acme_pkcs12_make(file, &what, &res, pool) ? 1 : 42;
}

static void nothing_is_parsed(void **state)
{
    apr_array_header_t *certs = apr_array_make(pool, 1, sizeof(acme_octets_t));
    const acme_octets_t nonsense = {
        (const unsigned char *)"\x30\x03no!", 5
    };
    acme_octets_t file;

    (void)state;
    assert_int_equal(in_child(make_in_a_keeper, &file), 42);
    APR_ARRAY_PUSH(certs, acme_octets_t) = nonsense;
    what.certs = certs;
    assert_int_equal(acme_pkcs12_make(&file, &what, &res, pool), 0);
    certs->nelts = 0;
    assert_int_equal(acme_pkcs12_make(&file, &what, &res, pool),
                     APR_EGENERAL);
    assert_int_equal(file.len, 0);
}

#define PKCS12_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, crypto_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PKCS12_TEST(others_can_read_it),
        PKCS12_TEST(another_password_does_not_open_it),
        PKCS12_TEST(the_algorithms_are_strong),
        PKCS12_TEST(one_of_the_same_is_recognized),
        PKCS12_TEST(what_is_cut_or_none_is_not_recognized),
        PKCS12_TEST(nothing_is_parsed),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
