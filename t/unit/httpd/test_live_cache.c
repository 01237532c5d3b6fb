/*
 * test_live_cache.c - what was published of certificates, ready for handshakes.
 */
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "acme_cleanse.h"
#include "acme_key.h"
#include "acme_live_cache.h"
#include "child.h"
#include "issuer.h"
#include "keys.h"
#include "pool.h"

#define CERTS 3

static acme_live_pairs_t *pairs;
static acme_live_cache_t *cache;
static const issuer_t *issuer;
static char *told;              /* faults, a line each */

static void tell(void *baton, int cert, const char *detail)
{
    assert_ptr_equal(baton, &told);
    told = apr_psprintf(pool, "%s%d: %s\n", told, cert, detail);
}

static int setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    told = apr_pstrdup(pool, "");
    issuer = make_issuer("Test CA");
    return acme_live_pairs_create(&pairs, CERTS, &res, pool)
        || acme_live_cache_create(&cache, pairs, CERTS, tell, &told, &res,
                                  pool);
}

#define CACHE_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

static const char *key_pem(acme_key_t *key)
{
    const char *pem;

    assert_int_equal(acme_key_pem(&pem, key, &res, pool), 0);
    return pem;
}

static acme_live_pair_t make_pair(const char *names, acme_key_t *key)
{
    const issue_t what = { .issuer = issuer, .names = names,
                           .key = acme_key_evp(key) };
    const acme_live_pair_t pair = { issue(&what), key_pem(key) };

    return pair;
}

static void publish(int cert, int archive, const acme_live_pair_t *all, int n)
{
    assert_int_equal(acme_live_pairs_publish(pairs, cert, archive, all, n,
                                             &res), 0);
}

static int archive_of(int cert)
{
    const acme_live_cert_t *taken = acme_live_cache_take(cache, cert);
    const int archive = taken ? taken->archive : 0;

    acme_live_cache_release(taken);
    return archive;
}

static void nothing_is_published(void **state)
{
    (void)state;
    assert_null(acme_live_cache_take(cache, 0));
    assert_null(acme_live_cache_take(cache, CERTS - 1));
    acme_live_cache_release(NULL);
    assert_string_equal(told, "");
}

static void what_is_published_is_ready(void **state)
{
    acme_key_t *key = make_key(), *other = make_key();
    const acme_live_pair_t both[] = { make_pair("a.org *.b.org", key),
                                      make_pair("a.org", other) };
    const acme_live_cert_t *taken;

    (void)state;
    publish(1, 7, both, 2);
    assert_null(acme_live_cache_take(cache, 0));
    taken = acme_live_cache_take(cache, 1);
    assert_non_null(taken);
    assert_int_equal(taken->archive, 7);
    assert_int_equal(taken->generation, acme_live_pairs_generation(pairs, 1));
    assert_int_equal(taken->kinds, 2);
    assert_int_equal(X509_check_private_key(taken->pairs[0].leaf,
                                            acme_key_evp(key)), 1);
    assert_int_equal(X509_check_private_key(taken->pairs[1].leaf,
                                            acme_key_evp(other)), 1);
    assert_int_equal(sk_X509_num(taken->pairs[0].rest), 1);
    assert_int_equal(taken->names->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(taken->names, 1, const char *),
                        "*.b.org");
    assert_true(taken->not_after > apr_time_now());
    acme_live_cache_release(taken);
    assert_string_equal(told, "");
}

static X509 *x509_of(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    assert_non_null(x509);
    BIO_free(bio);
    return x509;
}

static void assert_signs(EVP_PKEY *private, EVP_PKEY *public)
{
    static const unsigned char text[] = "of a handshake";
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char signature[512];
    size_t len = sizeof(signature);

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
                                        private), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &len, text, sizeof(text)),
                     1);
    EVP_MD_CTX_reset(ctx);
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
                                          public), 1);
    assert_int_equal(EVP_DigestVerify(ctx, signature, len, text,
                                      sizeof(text)), 1);
    EVP_MD_CTX_free(ctx);
}

/* As people read it, its public key included. */
static const char *print_of(X509 *x509)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char *text;
    char *data;
    long len;

    assert_int_equal(X509_print(bio, x509), 1);
    assert_int_equal(PEM_write_bio_PUBKEY(bio, X509_get0_pubkey(x509)), 1);
    len = BIO_get_mem_data(bio, &data);
    text = apr_pstrmemdup(pool, data, (apr_size_t)len);
    BIO_free(bio);
    return text;
}

/* OpenSSL 3 would have two of each key; what clients get is as it was issued. */
static void certificate_and_key_are_one(void **state)
{
    const acme_key_type_e types[] = { ACME_KEY_P256, ACME_KEY_P384,
                                      ACME_KEY_RSA2048 };
    apr_size_t i;

    (void)state;
    for (i = 0; i < COUNT(types); i++) {
        const acme_live_pair_t pair = make_pair("a.org", new_key(types[i]));
        const acme_live_cert_t *taken;
        X509 *issued = x509_of(pair.chain);

        publish(0, (int)i + 1, &pair, 1);
        taken = acme_live_cache_take(cache, 0);
        assert_non_null(taken);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
        assert_ptr_equal(X509_get0_pubkey(taken->pairs[0].leaf),
                         taken->pairs[0].key);
#endif
        assert_string_equal(pem_text(taken->pairs[0].leaf), pem_text(issued));
        assert_string_equal(print_of(taken->pairs[0].leaf), print_of(issued));
        assert_signs(taken->pairs[0].key, X509_get0_pubkey(issued));
        X509_free(issued);
        acme_live_cache_release(taken);
    }
    assert_string_equal(told, "");
}

/* Who shares a certificate shares what was parsed of it. */
static void each_is_parsed_once(void **state)
{
    const acme_live_pair_t pair = make_pair("a.org", make_key());
    const acme_live_cert_t *one, *two;

    (void)state;
    publish(0, 1, &pair, 1);
    one = acme_live_cache_take(cache, 0);
    two = acme_live_cache_take(cache, 0);
    assert_non_null(one);
    assert_ptr_equal(one, two);
    acme_live_cache_release(one);
    acme_live_cache_release(two);
}

/* The certificate of the CA behind thousands of leaves is in memory once. */
static void chains_share_their_issuer(void **state)
{
    const acme_live_pair_t a = make_pair("a.org", make_key());
    const acme_live_pair_t b = make_pair("b.org", make_key());
    const acme_live_cert_t *one, *two;

    (void)state;
    publish(0, 1, &a, 1);
    publish(1, 1, &b, 1);
    one = acme_live_cache_take(cache, 0);
    two = acme_live_cache_take(cache, 1);
    assert_ptr_equal(sk_X509_value(one->pairs[0].rest, 0),
                     sk_X509_value(two->pairs[0].rest, 0));
    assert_ptr_not_equal(one->pairs[0].leaf, two->pairs[0].leaf);
    acme_live_cache_release(one);
    acme_live_cache_release(two);
}

static void a_reader_keeps_what_it_took(void **state)
{
    acme_key_t *key = make_key();
    const acme_live_pair_t first = make_pair("a.org", key);
    const acme_live_pair_t second = make_pair("a.org", make_key());
    const acme_live_cert_t *taken;

    (void)state;
    publish(0, 1, &first, 1);
    taken = acme_live_cache_take(cache, 0);
    publish(0, 2, &second, 1);
    assert_int_equal(archive_of(0), 2);
    assert_int_equal(taken->archive, 1);
    assert_int_equal(X509_check_private_key(taken->pairs[0].leaf,
                                            acme_key_evp(key)), 1);
    acme_live_cache_release(taken);
}

/* OpenSSL overwrites a key that it frees. Where it has memory for keys, it can
   be asked how much of that is in use. */
static int replace_keys(void *given)
{
    const acme_live_pair_t *ready = given;
    size_t before, used;
    int i;

    acme_cleanse_reserve();
    if (!CRYPTO_secure_malloc_initialized()) {
        return CHILD_SKIP;
    }
    before = CRYPTO_secure_used();
    publish(0, 1, &ready[0], 1);
    CHECK(archive_of(0) == 1);
    used = CRYPTO_secure_used();
    CHECK(used > before);
    for (i = 2; i < 6; i++) {
        publish(0, i, &ready[i % 2], 1);
        CHECK(archive_of(0) == i);
        CHECK(CRYPTO_secure_used() == used);
    }
    acme_live_pairs_withdraw(pairs, 0);
    CHECK(archive_of(0) == 0);
    CHECK(CRYPTO_secure_used() == before);
    return 0;
}

static void a_key_that_was_replaced_is_gone(void **state)
{
    acme_live_pair_t ready[] = { make_pair("a.org", make_key()),
                                 make_pair("a.org", make_key()) };

    (void)state;
    assert_child(replace_keys, ready);
}

static void what_is_shared_has_two_readers(void **state)
{
    acme_key_t *key = make_key();
    const acme_live_pair_t pair = make_pair("a.org", key);
    const acme_live_cert_t *taken, *shared;

    (void)state;
    publish(0, 1, &pair, 1);
    taken = acme_live_cache_take(cache, 0);
    shared = acme_live_cache_share(taken);
    assert_ptr_equal(shared, taken);
    acme_live_pairs_withdraw(pairs, 0);
    assert_int_equal(archive_of(0), 0);
    acme_live_cache_release(taken);
    assert_int_equal(X509_check_private_key(shared->pairs[0].leaf,
                                            acme_key_evp(key)), 1);
    acme_live_cache_release(shared);
}

static void what_is_withdrawn_is_gone(void **state)
{
    const acme_live_pair_t pair = make_pair("a.org", make_key());

    (void)state;
    publish(0, 1, &pair, 1);
    assert_int_equal(archive_of(0), 1);
    acme_live_pairs_withdraw(pairs, 0);
    assert_int_equal(archive_of(0), 0);
    publish(0, 3, &pair, 1);
    assert_int_equal(archive_of(0), 3);
    assert_string_equal(told, "");
}

/* The last good one stays, and each bad one is told of once. */
static void what_is_no_use_is_not_used(void **state)
{
    const acme_live_pair_t good = make_pair("a.org", make_key());
    const acme_live_pair_t bad[] = {
        { good.chain, key_pem(make_key()) },
        { "no chain", good.key },
        { good.chain, "no key" }
    };
    apr_size_t i;

    (void)state;
    publish(0, 1, &bad[0], 1);
    assert_int_equal(archive_of(0), 0);
    publish(0, 2, &good, 1);
    assert_int_equal(archive_of(0), 2);
    for (i = 0; i < COUNT(bad); i++) {
        told = apr_pstrdup(pool, "");
        publish(0, 3, &bad[i], 1);
        assert_int_equal(archive_of(0), 2);
        assert_int_equal(archive_of(0), 2);
        assert_memory_equal(told, "0: ", 3);
        assert_ptr_equal(strchr(told, '\n'), told + strlen(told) - 1);
        assert_null(strstr(told, "BEGIN"));
    }
    publish(0, 4, &good, 1);
    assert_int_equal(archive_of(0), 4);
}

/* Both or none: a client would get an old one by the kind of key. */
static void one_bad_kind_of_key_is_all(void **state)
{
    const acme_live_pair_t good = make_pair("a.org", make_key());
    const acme_live_pair_t both[] = { good, { good.chain, "no key" } };

    (void)state;
    publish(0, 1, both, 2);
    assert_int_equal(archive_of(0), 0);
    assert_memory_equal(told, "0: ", 3);
}

static void what_a_virtual_host_refused_is_known(void **state)
{
    const acme_live_pair_t pair = make_pair("a.org", make_key());
    const acme_live_cert_t *taken;

    (void)state;
    publish(0, 1, &pair, 1);
    taken = acme_live_cache_take(cache, 0);
    assert_false(acme_live_cache_is_refused(taken));
    acme_live_cache_refuse(taken);
    acme_live_cache_release(taken);
    taken = acme_live_cache_take(cache, 0);
    assert_true(acme_live_cache_is_refused(taken));
    acme_live_cache_release(taken);
    publish(0, 2, &pair, 1);
    taken = acme_live_cache_take(cache, 0);
    assert_false(acme_live_cache_is_refused(taken));
    acme_live_cache_release(taken);
}

/* A system without such memory has no cache either. */
static int has_memory(void)
{
    apr_status_t rv;

    pool_setup(NULL);
    rv = acme_live_pairs_create(&pairs, CERTS, &res, pool);
    pool_teardown(NULL);
    return !APR_STATUS_IS_ENOTIMPL(rv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(nothing_is_published),
        CACHE_TEST(what_is_published_is_ready),
        CACHE_TEST(certificate_and_key_are_one),
        CACHE_TEST(each_is_parsed_once),
        CACHE_TEST(chains_share_their_issuer),
        CACHE_TEST(a_reader_keeps_what_it_took),
        CACHE_TEST(a_key_that_was_replaced_is_gone),
        CACHE_TEST(what_is_shared_has_two_readers),
        CACHE_TEST(what_is_withdrawn_is_gone),
        CACHE_TEST(what_is_no_use_is_not_used),
        CACHE_TEST(one_bad_kind_of_key_is_all),
        CACHE_TEST(what_a_virtual_host_refused_is_known)
    };
    int failed = 0;

    apr_initialize();
    if (has_memory()) {
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    }
    apr_terminate();
    return failed;
}
