/*
 * test_cert_file.c - files of certificates, as administrators make them.
 */
#include "certs.h"
#include "keys.h"

#include "acme_cert_file.h"

static const acme_cert_file_t *read_text(const char *text, int is_alone)
{
    const acme_cert_file_t *file;

    acme_cert_file_read(&file, file_of("cert.pem", text), is_alone,
                        NOW, pool);
    return file;
}

static const char *joined(const char *a, const char *b, const char *c)
{
    return apr_pstrcat(pool, a, b, c, NULL);
}

/* The first of its problems; "": none. */
static void problems_are_found(void **state)
{
    static const char dh[] = "-----BEGIN DH PARAMETERS-----\n"
        "MAYCAQ8CAQI=\n-----END DH PARAMETERS-----\n";
    const char *alone = pem_of(make_leaf((spec_t) {
        .issuer = ca.root, .signer = ca.root_key, .san_type = GEN_DNS,
        .san = "example.org", .san_len = -1 }));
    const char *odd = pem_of(make_leaf((spec_t) {
        .san_type = GEN_DNS, .san = "a..b", .san_len = -1 }));
    const struct {
        const char *name, *text;
        int is_alone, certs;
        const char *problem;
    } rows[] = {
        { "good", joined(ca.leaf_pem, ca.middle_pem, ""), 0, 2, "" },
        { "with its root", joined(ca.leaf_pem, ca.middle_pem, ca.root_pem), 0,
          3, "" },
        { "other objects before and between",
          joined(joined(dh, ca.leaf_pem, dh), ca.middle_pem, "words\n"), 0, 2,
          "" },
        { "no intermediate", ca.leaf_pem, 0, 1,
          "no intermediate certificate: visitors who do not have that of Test CA 1" },
        { "a chain elsewhere", ca.leaf_pem, 1, 1, "" },
        { "a chain elsewhere, and more here",
          joined(ca.leaf_pem, ca.root_pem, ""), 1, 1, "" },
        { "signed by itself", ca.root_pem, 0, 1, "" },
        { "wrong order", joined(ca.leaf_pem, ca.root_pem, ca.middle_pem), 0, 3,
          "not issued by the next one in the file, Test Root" },
        { "another chain", joined(alone, ca.middle_pem, ""), 0, 2,
          "not issued by the next one in the file, Test CA 1" },
        { "a name that no host has", joined(odd, ca.middle_pem, ""), 0, 2,
          "cannot be read completely" },
        { "no certificate", dh, 0, 0, "has no certificate in PEM" },
        { "empty", "", 0, 0, "has no certificate in PEM" },
        { "half", apr_pstrmemdup(pool, ca.leaf_pem, strlen(ca.leaf_pem) / 2),
          0, 0, "has no certificate in PEM" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_cert_file_t *file = read_text(rows[i].text,
                                                 rows[i].is_alone);

        if (file->subjects->nelts != rows[i].certs
            || (rows[i].problem[0] ? !strstr(file->problem, rows[i].problem)
                                   : file->problem[0])) {
            fail_msg("%s: %d certificates, problem \"%s\"", rows[i].name,
                     file->subjects->nelts, file->problem);
        }
        if (file->subjects->nelts) {
            assert_true(file->leaf.not_after > NOW);
            assert_true(!strncmp(file->leaf.issuer, "Test ", 5));
        }
        else {
            assert_int_equal(file->leaf.not_after, 0);
        }
    }
}

static void its_contents_are_told(void **state)
{
    const acme_cert_file_t *file = read_text(joined(ca.leaf_pem, ca.middle_pem,
                                                    ""), 0);

    (void)state;
    assert_int_equal(file->leaf.names->nelts, 1);
    assert_string_equal(APR_ARRAY_IDX(file->leaf.names, 0, const char *),
                        "example.org");
    assert_string_equal(APR_ARRAY_IDX(file->subjects, 1, const char *),
                        "Test CA 1");
    assert_string_equal(file->topmost, "Test Root");
    assert_false(file->is_self_signed);
    assert_true(read_text(ca.root_pem, 0)->is_self_signed);
}

static void an_intermediate_that_is_over_is_told(void **state)
{
    const char *path = file_of("cert.pem", joined(ca.leaf_pem, ca.middle_pem,
                                                  ""));
    const acme_cert_file_t *file;

    (void)state;
    acme_cert_file_read(&file, path, 0, NOW + apr_time_from_sec(3600L * 24
                                                                * 4000),
                        pool);
    assert_non_null(strstr(file->problem,
                           "The intermediate certificate Test CA 1 expired"));
}

static void one_that_cannot_be_read_is_named(void **state)
{
    const acme_cert_file_t *file;

    (void)state;
    acme_cert_file_read(&file, "/no/such/file.pem", 0, NOW, pool);
    assert_non_null(strstr(file->problem, "/no/such/file.pem"));
    assert_int_equal(file->leaf.names->nelts, 0);
    assert_string_equal(file->leaf.issuer, "");
    acme_cert_file_read(&file, "/dev/zero", 0, NOW, pool);
    assert_non_null(strstr(file->problem, "/dev/zero"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        X509_TEST(problems_are_found),
        X509_TEST(its_contents_are_told),
        X509_TEST(an_intermediate_that_is_over_is_told),
        X509_TEST(one_that_cannot_be_read_is_named)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
