/*
 * test_conf.c - a certificate is named by its index, and its digest says
 * whether what a CA is asked for has changed.
 */
#include "keeper.h"

static void an_index_beyond_the_last_is_none(void **state)
{
    static const apr_uint32_t beyond[] = {
        2, 3, 0x7fffffff, 0x80000000, 0xffffffff
    };
    acme_conf_t *conf = make_conf();
    size_t i;

    (void)state;
    assert_string_equal(acme_conf_cert(conf, 0)->id, "a.example");
    assert_string_equal(acme_conf_cert(conf, 1)->id, "b.example");
    for (i = 0; i < COUNT(beyond); i++) {
        assert_null(acme_conf_cert(conf, beyond[i]));
    }
    apr_array_clear(conf->certs);
    assert_null(acme_conf_cert(conf, 0));
    assert_null(acme_conf_cert(conf, 0xffffffff));
}

static void a_certificate_has_its_ca(void **state)
{
    acme_conf_t *conf = make_conf();
    acme_ca_conf_t *other = apr_array_push(conf->cas);

    (void)state;
    memset(other, 0, sizeof(*other));
    other->url = "https://other.example/dir";
    cert_of(conf, 1)->ca = 1;
    assert_string_equal(acme_conf_ca(conf, acme_conf_cert(conf, 0))->url,
                        CA_URL);
    assert_string_equal(acme_conf_ca(conf, acme_conf_cert(conf, 1))->url,
                        "https://other.example/dir");
}

static const char *digest(const char *url, acme_key_type_e type,
                          const char *names)
{
    acme_conf_t *conf = make_conf();
    acme_cert_conf_t *cert = cert_of(conf, 0);

    APR_ARRAY_IDX(conf->cas, 0, acme_ca_conf_t).url = url;
    cert->key_type = type;
    cert->names = words(names);
    return acme_conf_digest(conf, cert, scratch_pool);
}

static void a_digest_changes_with_what_is_asked_for(void **state)
{
    static const struct {
        const char *name;
        const char *url;
        acme_key_type_e type;
        const char *names;
        int same;
    } rows[] = {
        { "the same", CA_URL, ACME_KEY_P256, "a.org b.org", 1 },
        { "names in another order", CA_URL, ACME_KEY_P256, "b.org a.org", 1 },
        { "a name more", CA_URL, ACME_KEY_P256, "a.org b.org c.org", 0 },
        { "a name less", CA_URL, ACME_KEY_P256, "a.org", 0 },
        { "another name", CA_URL, ACME_KEY_P256, "a.org c.org", 0 },
        { "names that look joined", CA_URL, ACME_KEY_P256, "a.orgb.org", 0 },
        { "another key", CA_URL, ACME_KEY_P384, "a.org b.org", 0 },
        { "another CA", CA_URL "2", ACME_KEY_P256, "a.org b.org", 0 }
    };
    const char *first = digest(CA_URL, ACME_KEY_P256, "a.org b.org");
    size_t i;

    (void)state;
    assert_int_equal(strlen(first), 16);
    assert_int_equal(strspn(first, "0123456789abcdef"), 16);
    for (i = 0; i < COUNT(rows); i++) {
        const char *other = digest(rows[i].url, rows[i].type, rows[i].names);

        if ((strcmp(first, other) == 0) != rows[i].same) {
            fail_msg("%s: %s and %s", rows[i].name, first, other);
        }
    }
}

static void a_digest_leaves_the_names_in_their_order(void **state)
{
    acme_conf_t *conf = make_conf();

    (void)state;
    set_names(conf, 0, "c.org a.org b.org");
    assert_string_equal(apr_array_pstrcat(scratch_pool,
                                          cert_of(conf, 0)->names, ' '),
                        "c.org a.org b.org");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEEPER_TEST(an_index_beyond_the_last_is_none),
        KEEPER_TEST(a_certificate_has_its_ca),
        KEEPER_TEST(a_digest_changes_with_what_is_asked_for),
        KEEPER_TEST(a_digest_leaves_the_names_in_their_order)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
