/*
 * test_caa_records.c - the CAA records that allow a certificate.
 */
#include "acme_caa_records.h"
#include "pool.h"

#define HTTP (1u << ACME_HTTP_01)
#define DNS (1u << ACME_DNS_01)

static apr_array_header_t *one_account(const char *issuer, const char *url)
{
    apr_array_header_t *accounts = apr_array_make(pool, 2,
                                                  sizeof(acme_caa_account_t));

    APR_ARRAY_PUSH(accounts, acme_caa_account_t) =
        (acme_caa_account_t){ .issuer = issuer, .account_url = url };
    return accounts;
}

/* "name tag value|name tag value" */
static const char *records_of(const char *names,
                              const apr_array_header_t *accounts,
                              apr_uint32_t challenges)
{
    const apr_array_header_t *records =
        acme_caa_records_make(words(names), accounts, challenges, pool);
    const char *text = "";
    int i;

    for (i = 0; i < records->nelts; i++) {
        const acme_caa_record_t *record = &APR_ARRAY_IDX(records, i,
                                                         acme_caa_record_t);

        text = apr_psprintf(pool, "%s%s%s %s %s", text, i ? "|" : "",
                            record->name, record->tag, record->value);
    }
    return text;
}

static void names_and_records(void **unused)
{
    static const struct {
        const char *names;
        apr_uint32_t challenges;
        const char *records;
    } rows[] = {
        { "a.org", 0, "a.org issue ca.org" },
        { "a.org", HTTP | DNS,
          "a.org issue ca.org; validationmethods=http-01,dns-01" },
        { "*.a.org", HTTP | DNS,
          "a.org issuewild ca.org; validationmethods=dns-01" },
        { "a.org *.a.org", HTTP | DNS,
          "a.org issue ca.org; validationmethods=http-01,dns-01|"
          "a.org issuewild ca.org; validationmethods=dns-01" },
        { "www.a.org a.org mail.a.org", 0, "a.org issue ca.org" },
        { "www.a.org mail.a.org", 0,
          "www.a.org issue ca.org|mail.a.org issue ca.org" },
        { "www.a.org *.www.a.org *.a.org", DNS,
          "a.org issue ca.org; validationmethods=dns-01|"
          "a.org issuewild ca.org; validationmethods=dns-01" },
        { "xa.org a.org", 0, "xa.org issue ca.org|a.org issue ca.org" },
        { "192.0.2.1 2001:db8::1", 0, "" },
        { "192.0.2.1 a.org", 0, "a.org issue ca.org" },
        { "a.org a.org", 0, "a.org issue ca.org" }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(records_of(rows[i].names,
                                       one_account("ca.org", NULL),
                                       rows[i].challenges),
                            rows[i].records);
    }
}

static void accounts_are_named(void **unused)
{
    apr_array_header_t *accounts = one_account("ca.org",
                                               "https://ca.org/acct/1");

    (void)unused;
    APR_ARRAY_PUSH(accounts, acme_caa_account_t) =
        (acme_caa_account_t){ .issuer = "other.org" };
    assert_string_equal(
        records_of("a.org", accounts, HTTP),
        "a.org issue ca.org; accounturi=https://ca.org/acct/1; validationmethods=http-01|"
        "a.org issue other.org; validationmethods=http-01");
}

/* Whatever a CA calls its accounts, the zone file stays whole. */
static void no_value_leaves_its_quotes(void **unused)
{
    static const char *const urls[] = {
        "https://ca.org/a;b", "https://ca.org/\"", "https://ca.org/\\",
        "https://ca.org/ b", "https://ca.org/\n", "https://ca.org/\xc3\xa9"
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(urls); i++) {
        assert_string_equal(records_of("a.org",
                                       one_account("ca.org", urls[i]), 0),
                            "a.org issue ca.org");
        assert_string_equal(records_of("a.org",
                                       one_account(urls[i], NULL), 0), "");
    }
}

static void known_cas(void **unused)
{
    (void)unused;
    assert_string_equal(acme_caa_records_issuer(
        "https://acme-v02.api.letsencrypt.org/directory", pool),
        "letsencrypt.org");
    assert_string_equal(acme_caa_records_issuer(
        "https://dv.acme-v02.api.pki.goog/other", pool), "pki.goog");
    assert_null(acme_caa_records_issuer("https://ca.example/dir", pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(names_and_records),
        POOL_TEST(accounts_are_named),
        POOL_TEST(no_value_leaves_its_quotes),
        POOL_TEST(known_cas)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
