/*
 * test_conf.c - a certificate is named by its index, and its digest says
 * whether what a CA is asked for has changed.
 */
#include "make_conf.h"

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

static void a_certificate_has_its_cas(void **state)
{
    acme_conf_t *conf = make_conf();
    const acme_cert_conf_t *a = acme_conf_cert(conf, 0);
    const acme_cert_conf_t *b = acme_conf_cert(conf, 1);

    (void)state;
    add_ca(conf, "https://other.example/dir");
    APR_ARRAY_IDX(b->cas, 0, apr_uint32_t) = 1;
    assert_string_equal(acme_conf_ca(conf, a, 0)->url, CA_URL);
    assert_string_equal(acme_conf_ca(conf, a, 1)->url,
                        "https://other.example/dir");
    assert_null(acme_conf_ca(conf, a, 2));
    assert_null(acme_conf_ca(conf, a, 0xffffffff));
    assert_string_equal(acme_conf_ca(conf, b, 0)->url,
                        "https://other.example/dir");
    assert_null(acme_conf_ca(conf, b, 1));
    assert_int_equal(acme_conf_ca_index(a, 1), 1);
    assert_int_equal(acme_conf_ca_index(b, 0), 1);
}

static void a_part_for_each_key_type(void **state)
{
    acme_conf_t *conf = make_conf();
    const acme_cert_conf_t *cert = cert_of(conf, 0);

    (void)state;
    assert_int_equal(acme_conf_parts(cert), 1);
    set_key_types(conf, 0, "rsa3072 p256 p384 rsa4096");
    assert_int_equal(acme_conf_parts(cert), 4);
    assert_int_equal(acme_conf_key_type(cert, 2), ACME_KEY_P384);
    assert_string_equal(acme_conf_suffix(cert, 0), "");
    assert_string_equal(acme_conf_suffix(cert, 1), "-p256");
    assert_string_equal(acme_conf_suffix(cert, 2), "-p384");
    assert_string_equal(acme_conf_suffix(cert, 3), "-rsa");
    assert_string_equal(acme_conf_key_types(cert, pool),
                        "rsa3072 p256 p384 rsa4096");
    assert_true(acme_conf_is_first_of_kind(cert, 0));
    assert_true(acme_conf_is_first_of_kind(cert, 1));
    assert_false(acme_conf_is_first_of_kind(cert, 2));
    assert_false(acme_conf_is_first_of_kind(cert, 3));
}

static const char *digest(const char *url, const char *type,
                          const char *names)
{
    acme_conf_t *conf = make_conf();
    acme_cert_conf_t *cert = cert_of(conf, 0);

    APR_ARRAY_IDX(conf->cas, 0, acme_ca_conf_t).url = url;
    cert->key_types = key_types(type);
    cert->names = words(names);
    return acme_conf_digest(conf, cert, pool);
}

static void a_dry_run_has_positions_behind_the_list(void **state)
{
    static const apr_uint32_t of_dry_runs[] = { 2, 1 };
    acme_conf_t *conf = make_conf();
    acme_cert_conf_t *a = cert_of(conf, 0);
    apr_array_header_t *dry_run_cas;
    int i;

    (void)state;
    add_ca(conf, "https://other.example/dir");
    ((acme_ca_conf_t *)apr_array_push(conf->cas))->url = "https://staging/";
    assert_null(acme_conf_ca(conf, a, acme_conf_dry_run_ca(a, 0)));
    dry_run_cas = apr_array_make(pool, 2, sizeof(apr_uint32_t));
    for (i = 0; i < 2; i++) {
        APR_ARRAY_PUSH(dry_run_cas, apr_uint32_t) = of_dry_runs[i];
    }
    a->dry_run_cas = a->dry_run_routes = dry_run_cas;
    assert_int_equal(acme_conf_dry_run_ca(a, 1), 3);
    assert_false(acme_conf_is_dry_run(a, 1));
    assert_true(acme_conf_is_dry_run(a, 2));
    assert_int_equal(acme_conf_ca_index(a, 0), 0);
    assert_string_equal(acme_conf_ca(conf, a, 2)->url, "https://staging/");
    assert_int_equal(acme_conf_ca_index(a, 3), 1);
    assert_int_equal(acme_conf_route_index(a, 2), 2);
    assert_null(acme_conf_ca(conf, a, 4));
    assert_null(acme_conf_ca(conf, a, 0xffffffff));
}

static void a_digest_changes_with_what_is_asked_for(void **state)
{
    static const struct {
        const char *name;
        const char *url;
        const char *types;
        const char *names;
        int same;
    } rows[] = {
        { "the same", CA_URL, "p256", "a.org b.org", 1 },
        { "names in another order", CA_URL, "p256", "b.org a.org", 1 },
        { "a name more", CA_URL, "p256", "a.org b.org c.org", 0 },
        { "a name less", CA_URL, "p256", "a.org", 0 },
        { "another name", CA_URL, "p256", "a.org c.org", 0 },
        { "names that look joined", CA_URL, "p256", "a.orgb.org", 0 },
        { "another key", CA_URL, "p384", "a.org b.org", 0 },
        { "a key more", CA_URL, "p256 rsa2048", "a.org b.org", 0 },
        { "another CA", CA_URL "2", "p256", "a.org b.org", 0 }
    };
    const char *first = digest(CA_URL, "p256", "a.org b.org");
    size_t i;

    (void)state;
    assert_int_equal(strlen(first), 16);
    assert_int_equal(strspn(first, "0123456789abcdef"), 16);
    for (i = 0; i < COUNT(rows); i++) {
        const char *other = digest(rows[i].url, rows[i].types, rows[i].names);

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
    assert_string_equal(apr_array_pstrcat(pool,
                                          cert_of(conf, 0)->names, ' '),
                        "c.org a.org b.org");
}

/* What is changed, and which of the digests change with it. */

typedef void change_t(acme_conf_t *conf, acme_cert_conf_t *cert);

static void nothing(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    (void)conf;
    (void)cert;
}

static void another_ca(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    add_ca(conf, "https://other.example/dir");
    (void)cert;
}

static void external_account(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    ca_of(conf, 0)->kid = "kid-1";
    (void)cert;
}

static void secret(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    ca_of(conf, 0)->hmac = "c2VjcmV0c2VjcmV0c2VjcmV0";
    (void)cert;
}

static void secret_file(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    ca_of(conf, 0)->hmac_file = "/etc/secret";
    (void)cert;
}

static void contacts(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    ca_of(conf, 0)->contacts = words("mailto:c@a.example");
    (void)cert;
}

static void proxy(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    route_of(conf, 0)->proxy = "http://proxy.example:3128/";
    (void)cert;
}

static void roots(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    route_of(conf, 0)->roots = "/etc/roots.pem";
    (void)cert;
}

static void names(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    (void)conf;
    cert->names = words("a.example");
}

static void second_key(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    (void)conf;
    cert->key_types = key_types("p256 rsa2048");
}

static void staple(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    (void)conf;
    cert->must_staple = 1;
}

static void profile(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    (void)conf;
    cert->profile = "shortlived";
}

static void challenges(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    (void)conf;
    cert->challenges[0] = ACME_DNS_01;
    cert->nchallenges = 1;
}

static void ports(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    (void)conf;
    cert->ports = "80 1 443 1";
}

static void required(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    (void)conf;
    cert->profile_required = 1;
}

static void dns(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    static acme_dns_conf_t command;

    (void)conf;
    command.present = words("/bin/dns");
    cert->dns = &command;
}

static void windows(acme_conf_t *conf, acme_cert_conf_t *cert)
{
    (void)conf;
    cert->renew.percent = 50;
    cert->warn.percent = 20;
    cert->key_reuse = 1;
    cert->renewal_info = 1;
    cert->preferred_chain = "Root X";
}

static int differ(const char *a, const char *b)
{
    return strcmp(a, b) != 0;
}

/* Another request: the pending key; another digest: a new order; other
   settings: what failed before is tried again. */
static void each_digest_changes_with_what_is_its(void **state)
{
    static const struct {
        const char *name;
        change_t *change;
        int request, digest, settings;
    } rows[] = {
        { "nothing", nothing, 0, 0, 0 },
        { "one more CA", another_ca, 0, 1, 1 },
        { "an external account", external_account, 0, 1, 1 },
        { "its secret", secret, 0, 0, 1 },
        { "its file", secret_file, 0, 0, 1 },
        { "contacts", contacts, 0, 0, 1 },
        { "a proxy", proxy, 0, 0, 1 },
        { "roots", roots, 0, 0, 1 },
        { "names", names, 1, 1, 1 },
        { "a second key", second_key, 0, 1, 1 },
        { "must-staple", staple, 1, 1, 1 },
        { "a profile", profile, 0, 1, 1 },
        { "challenges", challenges, 0, 0, 1 },
        { "ports, or a Listen", ports, 0, 0, 1 },
        { "a profile that is required", required, 0, 0, 1 },
        { "a DNS command", dns, 0, 0, 1 },
        { "what no CA hears of", windows, 0, 0, 0 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_conf_t *conf = make_conf();
        acme_cert_conf_t *cert = cert_of(conf, 0);
        const acme_cert_conf_t *before = cert_of(make_conf(), 0);
        const char *request = acme_conf_request(cert, 0, cert->names,
                                                pool);

        rows[i].change(conf, cert);
        if (differ(request, acme_conf_request(cert, 0, cert->names,
                                              pool))
                != rows[i].request
            || differ(before->digest, acme_conf_digest(conf, cert,
                                                       pool))
                != rows[i].digest
            || differ(before->settings, acme_conf_settings(conf, cert,
                                                           pool))
                != rows[i].settings) {
            fail_msg("%s", rows[i].name);
        }
    }
}

/* Its content is the administrator's remedy. */
static void a_file_that_was_mended_is_another_setting(void **state)
{
    acme_conf_t *conf = make_conf();
    const char *before;

    (void)state;
    put(at("roots.pem"), "x");
    route_of(conf, 0)->roots = at("roots.pem");
    before = acme_conf_settings(conf, cert_of(conf, 0), pool);
    assert_string_equal(before, acme_conf_settings(conf, cert_of(conf, 0),
                                                   pool));
    put(at("roots.pem"), "other");
    assert_string_not_equal(before, acme_conf_settings(conf, cert_of(conf, 0),
                                                       pool));
}

static void each_part_has_a_request_of_its_own(void **state)
{
    acme_conf_t *conf = make_conf();
    const acme_cert_conf_t *cert = cert_of(conf, 0);

    (void)state;
    set_key_types(conf, 0, "p256 rsa2048");
    assert_string_not_equal(
        acme_conf_request(cert, 0, cert->names, pool),
        acme_conf_request(cert, 1, cert->names, pool));
    assert_string_equal(
        acme_conf_request(cert, 1, words("b.org a.org"), pool),
        acme_conf_request(cert, 1, words("a.org b.org"), pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(an_index_beyond_the_last_is_none),
        SCRATCH_TEST(a_certificate_has_its_cas),
        SCRATCH_TEST(a_dry_run_has_positions_behind_the_list),
        SCRATCH_TEST(a_digest_changes_with_what_is_asked_for),
        SCRATCH_TEST(a_part_for_each_key_type),
        SCRATCH_TEST(each_digest_changes_with_what_is_its),
        SCRATCH_TEST(a_file_that_was_mended_is_another_setting),
        SCRATCH_TEST(each_part_has_a_request_of_its_own),
        SCRATCH_TEST(a_digest_leaves_the_names_in_their_order)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
