/*
 * test_roots.c - who is verified with roots that were parsed once, and when
 * they are parsed again.
 */
#include <openssl/ssl.h>

#include "acme_roots.h"
#include "issuer.h"
#include "scratch.h"

static const issuer_t *good, *foreign;

static int setup(void **state)
{
    if (scratch_setup(state)) {
        return -1;
    }
    good = make_issuer("good root");
    foreign = make_issuer("foreign root");
    return 0;
}

static X509 *leaf_of(const issuer_t *issuer)
{
    return make_x509(&(issue_t){ .issuer = issuer, .names = "a.test",
                                 .key = acme_key_evp(make_key()) },
                     "leaf", 0);
}

static acme_roots_t *open_roots(const char *file, const char *folder)
{
    acme_roots_t *roots;

    assert_int_equal(acme_roots_create(&roots, file, folder, pool), 0);
    return roots;
}

/* As a connection does it: X509_V_OK, or why not; -1: they are not ready. */
static int verify(acme_roots_t *roots, X509 *leaf, X509 *middle)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    X509_STORE_CTX *verifying = X509_STORE_CTX_new();
    STACK_OF(X509) *sent = sk_X509_new_null();
    int why = -1;

    if (middle) {
        sk_X509_push(sent, middle);
    }
    if (acme_roots_ready(roots) && acme_roots_use(roots, ctx)) {
        assert_int_equal(X509_STORE_CTX_init(
            verifying, SSL_CTX_get_cert_store(ctx), leaf, sent), 1);
        X509_STORE_CTX_set_default(verifying, "ssl_server");
        why = X509_verify_cert(verifying) == 1
            ? X509_V_OK : X509_STORE_CTX_get_error(verifying);
    }
    sk_X509_free(sent);
    X509_STORE_CTX_free(verifying);
    SSL_CTX_free(ctx);
    return why;
}

static void who_is_verified(void **state)
{
    const issuer_t old = {
        .cn = "old root", .key = good->key,
        .x509 = make_x509(&(issue_t){ .key = good->key, .from = -200 * DAY,
                                      .until = -DAY }, "old root", 1)
    };
    const EVP_PKEY *key = acme_key_evp(make_key());
    const issuer_t middle = {
        .cn = "middle", .key = (EVP_PKEY *)key,
        .x509 = make_x509(&(issue_t){ .issuer = good,
                                      .key = (EVP_PKEY *)key }, "middle", 1)
    };
    const struct {
        const char *name, *roots;
        X509 *leaf, *middle;
        int why;
    } rows[] = {
        { "of the root", pem_text(good->x509), leaf_of(good), NULL,
          X509_V_OK },
        { "of one of several",
          apr_pstrcat(pool, pem_text(foreign->x509), pem_text(good->x509),
                      NULL), leaf_of(good), NULL, X509_V_OK },
        { "by an intermediate that it sends", pem_text(good->x509),
          leaf_of(&middle), middle.x509, X509_V_OK },
        { "by an intermediate that is trusted", pem_text(middle.x509),
          leaf_of(&middle), NULL, X509_V_OK },
        { "without its intermediate", pem_text(good->x509),
          leaf_of(&middle), NULL,
          X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
        { "of another root", pem_text(foreign->x509), leaf_of(good), NULL,
          X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
        { "of another root, which it sends", pem_text(foreign->x509),
          leaf_of(good), good->x509,
          X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN },
        { "signed by itself", pem_text(good->x509),
          make_x509(&(issue_t){ .names = "a.test", .key = good->key }, "leaf",
                    0), NULL, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT },
        { "of an expired root", pem_text(old.x509), leaf_of(&old), NULL,
          X509_V_ERR_CERT_HAS_EXPIRED },
        { "expired", pem_text(good->x509),
          make_x509(&(issue_t){ .issuer = good, .key = good->key,
                                .from = -2 * DAY, .until = -DAY }, "leaf", 0),
          NULL, X509_V_ERR_CERT_HAS_EXPIRED },
        { "a file without roots", "nothing\n", leaf_of(good), NULL, -1 },
        { "an empty file", "", leaf_of(good), NULL, -1 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *file = at("roots%d.pem", (int)i);
        int why;

        put(file, rows[i].roots);
        why = verify(open_roots(file, NULL), rows[i].leaf, rows[i].middle);
        if (why != rows[i].why) {
            fail_msg("%s: %d (%s)", rows[i].name, why,
                     X509_verify_cert_error_string(why));
        }
    }
}

static void a_folder_is_looked_into(void **state)
{
    const char *file = at("roots.pem");

    (void)state;
    put(file, pem_text(foreign->x509));
    put(at("%08lx.0", X509_subject_name_hash(good->x509)),
        pem_text(good->x509));
    assert_int_equal(verify(open_roots(file, at(".")), leaf_of(good), NULL),
                     X509_V_OK);
    assert_int_not_equal(verify(open_roots(file, NULL), leaf_of(good), NULL),
                         X509_V_OK);
}

static void a_file_that_is_replaced_is_parsed_again(void **state)
{
    const char *file = at("roots.pem");
    acme_roots_t *roots = open_roots(file, NULL);
    X509 *leaf = leaf_of(good), *other = leaf_of(foreign);
    unsigned int first, second;

    (void)state;
    assert_int_equal(acme_roots_ready(roots), 0);       /* none there yet */
    put(file, pem_text(good->x509));
    first = acme_roots_ready(roots);
    assert_int_not_equal(first, 0);
    assert_int_equal(acme_roots_ready(roots), first);   /* once */
    assert_int_equal(verify(roots, leaf, NULL), X509_V_OK);

    put(at("new.pem"), pem_text(foreign->x509));
    assert_int_equal(rename(at("new.pem"), file), 0);
    second = acme_roots_ready(roots);
    assert_int_not_equal(second, 0);
    assert_int_not_equal(second, first);
    assert_int_not_equal(verify(roots, leaf, NULL), X509_V_OK);
    assert_int_equal(verify(roots, other, NULL), X509_V_OK);

    /* Written to in its place, and of another size. */
    put(file, apr_pstrcat(pool, pem_text(good->x509), "\n", NULL));
    assert_int_equal(verify(roots, leaf, NULL), X509_V_OK);
    assert_int_not_equal(verify(roots, other, NULL), X509_V_OK);

    /* Nobody is trusted while there is none. */
    assert_int_equal(unlink(file), 0);
    assert_int_equal(verify(roots, leaf, NULL), -1);
    put(file, pem_text(good->x509));
    assert_int_equal(verify(roots, leaf, NULL), X509_V_OK);
    assert_int_not_equal(acme_roots_ready(roots), first);
}

/* Theirs is not freed under them. */
static void a_connection_keeps_what_it_began_with(void **state)
{
    const char *file = at("roots.pem");
    acme_roots_t *roots = open_roots(file, NULL);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    X509_STORE *store;

    (void)state;
    put(file, pem_text(good->x509));
    assert_true(acme_roots_ready(roots) && acme_roots_use(roots, ctx));
    store = SSL_CTX_get_cert_store(ctx);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(acme_roots_ready(roots), 0);
    assert_false(acme_roots_use(roots, ctx));
    assert_ptr_equal(SSL_CTX_get_cert_store(ctx), store);
    assert_int_equal(sk_X509_OBJECT_num(X509_STORE_get0_objects(store)), 1);
    SSL_CTX_free(ctx);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_is_verified),
        TEST(a_folder_is_looked_into),
        TEST(a_file_that_is_replaced_is_parsed_again),
        TEST(a_connection_keeps_what_it_began_with)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
