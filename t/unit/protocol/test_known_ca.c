/*
 * test_known_ca.c - the table of known CAs, and who is found in it.
 */
#include "acme_known_ca.h"
#include "acme_url.h"
#include "pool.h"

static void the_text_names_all_in_their_order(void **state)
{
    const acme_known_ca_t *ca;
    const char *text = "";
    int i;

    (void)state;
    for (i = 0; (ca = acme_known_ca_at(i)) != NULL; i++) {
        text = apr_pstrcat(pool, text, i ? ", " : "", ca->shorthand, NULL);
    }
    assert_string_equal(text, ACME_KNOWN_CA_SHORTHANDS);
}

static void each_has_a_directory_that_is_used(void **state)
{
    const acme_known_ca_t *ca;
    int i;

    (void)state;
    for (i = 0; (ca = acme_known_ca_at(i)) != NULL; i++) {
        print_message("%s\n", ca->shorthand);
        assert_int_equal(acme_url_check(ca->directory, &res, pool), 0);
        assert_ptr_equal(acme_known_ca_find(ca->shorthand), ca);
        assert_ptr_equal(acme_known_ca_of_url(ca->directory, pool), ca);
        assert_true(*ca->title && ca->names > 0);
    }
}

static void a_ca_is_found(void **state)
{
    static const struct {
        const char *text;
        const char *title;      /* NULL: none */
    } names[] = {
        { "letsencrypt", "Let's Encrypt" },
        { "LetsEncrypt", "Let's Encrypt" },
        { "letsencrypt-staging", "Let's Encrypt (staging)" },
        { "ACTALIS", "Actalis" },
        { "letsencrypt-", NULL },
        { "", NULL },
    }, urls[] = {
        { "https://ACME-v02.api.letsencrypt.org/other", "Let's Encrypt" },
        { "https://acme-staging-v02.api.letsencrypt.org/directory",
          "Let's Encrypt (staging)" },
        { "https://acme-v02.api.letsencrypt.org:8443/directory", NULL },
        { "https://acme-v02.api.letsencrypt.org.example.org/", NULL },
        { "https://ca.example.org/directory", NULL },
    };
    const acme_known_ca_t *ca;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(names); i++) {
        print_message("%s\n", names[i].text);
        ca = acme_known_ca_find(names[i].text);
        assert_string_equal(ca ? ca->title : "",
                            names[i].title ? names[i].title : "");
    }
    for (i = 0; i < COUNT(urls); i++) {
        print_message("%s\n", urls[i].text);
        ca = acme_known_ca_of_url(urls[i].text, pool);
        assert_string_equal(ca ? ca->title : "",
                            urls[i].title ? urls[i].title : "");
    }
}

static void a_profile_may_have_fewer_names(void **state)
{
    (void)state;
    assert_int_equal(acme_known_ca_names(NULL), 100);
    assert_int_equal(acme_known_ca_names("classic"), 100);
    assert_int_equal(acme_known_ca_names("tlsserver"), 25);
    assert_int_equal(acme_known_ca_names("shortlived"), 25);
    assert_int_equal(acme_known_ca_names(""), 100);
}

static void limits_are_those_that_are_published(void **state)
{
    const acme_known_ca_t *ca = acme_known_ca_find("letsencrypt");

    (void)state;
    assert_int_equal(ca->limits[ACME_LIMIT_DOMAIN].count, 50);
    assert_int_equal(apr_time_sec(ca->limits[ACME_LIMIT_DOMAIN].period),
                     7 * 24 * 3600);
    ca = acme_known_ca_find("zerossl");
    assert_int_equal(ca->limits[ACME_LIMIT_DOMAIN].count, 0);
    assert_true(ca->needs_external_account);
}

static void some_have_a_staging_environment(void **state)
{
    static const struct {
        const char *url;
        const char *staging;    /* shorthand; NULL: none */
    } rows[] = {
        { "https://acme-v02.api.letsencrypt.org/directory",
          "letsencrypt-staging" },
        { "https://acme-v02.api.letsencrypt.org/dir", "letsencrypt-staging" },
        { "https://acme-staging-v02.api.letsencrypt.org/directory", NULL },
        { "https://api.buypass.com/acme/directory", "buypass-test" },
        { "https://dv.acme-v02.api.pki.goog/directory", NULL },
        { "https://acme.zerossl.com/v2/DV90", NULL },
        { "https://ca.example.org/directory", NULL }
    };
    const acme_known_ca_t *ca;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        ca = acme_known_ca_staging(rows[i].url, pool);
        if (!ca != !rows[i].staging
            || (ca && strcmp(ca->shorthand, rows[i].staging))) {
            fail_msg("%s: %s", rows[i].url, ca ? ca->shorthand : "none");
        }
    }
    /* One that the table names is in the table. */
    for (i = 0; (ca = acme_known_ca_at((int)i)) != NULL; i++) {
        assert_true(!ca->staging || acme_known_ca_find(ca->staging));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(some_have_a_staging_environment),
        POOL_TEST(the_text_names_all_in_their_order),
        POOL_TEST(each_has_a_directory_that_is_used),
        POOL_TEST(a_ca_is_found),
        POOL_TEST(a_profile_may_have_fewer_names),
        POOL_TEST(limits_are_those_that_are_published),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
