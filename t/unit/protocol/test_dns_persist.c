/*
 * test_dns_persist.c - the records of dns-persist-01 in both drafts.
 */
#include "acme_dns_persist.h"
#include "pool.h"

#define ACCOUNT "https://ca.example/acct/123"
#define THUMBPRINT "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
/* The draft's vectors, bound to example.com and to all. */
#define HASH "5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw"
#define HASH_ANY "NpDnSwUthQK8zCgFdefYxAdAVPnygMLbs9US6oO-5ug"
#define PREFIX "https://ca.example/"

#define NOW apr_time_from_sec(1767225600)


static acme_dns_persist_t persist_of(int draft, const char *name)
{
    acme_dns_persist_t persist = { .draft = draft,
                                   .name = name,
                                   .account_url = ACCOUNT };
    apr_array_header_t *issuers = apr_array_make(pool, 2, sizeof(char *));

    APR_ARRAY_PUSH(issuers, const char *) = "authority.example";
    APR_ARRAY_PUSH(issuers, const char *) = "other.example";
    persist.issuers = issuers;
    if (draft == 2) {
        persist.thumbprint = THUMBPRINT;
        persist.hash_prefix = PREFIX;
    }
    return persist;
}

static void the_record_has_a_place(void **state)
{
    (void)state;
    assert_string_equal(acme_dns_persist_record("a.org", pool),
                        "_validation-persist.a.org");
    assert_string_equal(acme_dns_persist_record("*.a.org", pool),
                        "_validation-persist.a.org");
}

static void a_prefix_can_be_quoted(void **state)
{
    static const char *const bad[] = {
        "", "a b", "a;b", "a\"b", "a'b", "a\\b", "a\nb", "a\x7f", "\xc3\xa9"
    };
    size_t i;

    (void)state;
    assert_true(acme_dns_persist_is_prefix(PREFIX));
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (acme_dns_persist_is_prefix(bad[i])) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

static void a_value_is_as_the_draft_has_it(void **state)
{
    static const struct {
        int draft;
        const char *name;
        apr_time_t until;
        const char *value;
    } rows[] = {
        { 1, "example.com", 0, "authority.example; accounturi=" ACCOUNT },
        { 1, "*.example.com", 0,
          "authority.example; accounturi=" ACCOUNT "; policy=wildcard" },
        { 1, "example.com", apr_time_from_sec(1767225600) + 999999,
          "authority.example; accounturi=" ACCOUNT
          "; persistUntil=1767225600" },
        { 1, "*.example.com", apr_time_from_sec(1767225600),
          "authority.example; accounturi=" ACCOUNT "; policy=wildcard"
          "; persistUntil=1767225600" },
        { 2, "example.com", 0,
          "authority.example; accounturi=" PREFIX "sha-256/" HASH },
        { 2, "*.example.com", apr_time_from_sec(1767225600),
          "authority.example; accounturi=" PREFIX "sha-256/" HASH
          "; policy=wildcard; persistUntil=1767225600" }
    };
    const char *value;
    apr_time_t until;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        acme_dns_persist_t persist = persist_of(rows[i].draft, rows[i].name);

        assert_int_equal(acme_dns_persist_value(&value, &persist,
                                                rows[i].until, &res, pool),
                         0);
        assert_string_equal(value, rows[i].value);
        /* What we tell people to set we also take for set. */
        assert_int_equal(acme_dns_persist_match(&until, &persist, value,
                                                NOW - 1, &res, pool),
                         0);
        assert_int_equal(until, apr_time_from_sec(apr_time_sec(
            rows[i].until)));
    }
}

static void what_cannot_be_written_is_refused(void **state)
{
    acme_dns_persist_t rows[5];
    const char *value;
    apr_time_t until;
    size_t i;

    (void)state;
    rows[0] = persist_of(1, "192.0.2.1");
    rows[1] = persist_of(2, "2001:db8::1");
    rows[2] = persist_of(1, "example.com");
    rows[2].issuers = apr_array_make(pool, 1, sizeof(char *));
    rows[3] = persist_of(2, "example.com");
    rows[3].hash_prefix = NULL;
    rows[4] = persist_of(1, "example.com");
    rows[4].account_url = ACCOUNT ";policy=wildcard";
    for (i = 0; i < 5; i++) {
        assert_int_equal(
            acme_dns_persist_value(&value, &rows[i], 0, &res, pool),
            APR_EINVAL);
        assert_null(value);
        assert_ptr_equal(strstr(res.detail, rows[i].name), res.detail);
        assert_int_equal(res.retry, ACME_RETRY_NEVER);
        assert_int_equal(
            acme_dns_persist_match(&until, &rows[i], "x", NOW, &res, pool),
            APR_EINVAL);
    }
}

#define OURS "authority.example;accounturi=" ACCOUNT
#define OURS_2 "authority.example;accounturi=" PREFIX "sha-256/"

static void a_record_authorises_or_says_why_not(void **state)
{
    static const struct {
        const char *value;
        int draft;
        const char *name;
        apr_status_t rv;
        apr_int64_t until;              /* seconds */
    } rows[] = {
        { OURS, 1, "example.com", 0, 0 },
        { OURS ";", 1, "example.com", 0, 0 },
        { "\tauthority.example\t;\taccounturi\t=\t" ACCOUNT "\t;\tpolicy\t="
          "\twildcard\t;\tpersistUntil\t=\t1767225601\t;\tfoo\t=\tbar\t", 1,
          "*.example.com", 0, 1767225601 },
        { "AUTHORITY.Example.; foo=; PoLiCy=WiLdCaRd; ACCOUNTURI=" ACCOUNT, 1,
          "*.example.com", 0, 0 },
        { "other.example;accounturi=" ACCOUNT, 1, "example.com", 0, 0 },
        { OURS ";bad tag=v w;\x01=\x02", 1, "example.com", 0, 0 },
        { OURS ";policy=of-the-future", 1, "example.com", 0, 0 },
        { OURS ";policy=", 1, "example.com", 0, 0 },
        { OURS ";persistUntil=999999999999", 1, "example.com", 0,
          999999999999 },
        { OURS_2 HASH, 2, "example.com", 0, 0 },
        { OURS_2 HASH_ANY, 2, "example.com", 0, 0 },
        { OURS_2 HASH ";policy=wildcard", 2, "*.example.com", 0, 0 },
        { OURS_2 HASH_ANY ";policy=wildcard", 2, "*.example.com", 0, 0 },

        { "", 1, "example.com", APR_ENOENT, 0 },
        { ";accounturi=" ACCOUNT, 1, "example.com", APR_ENOENT, 0 },
        { "v=spf1 -all", 1, "example.com", APR_ENOENT, 0 },
        { "third.example;accounturi=" ACCOUNT, 1, "example.com", APR_ENOENT,
          0 },
        { "third.example;;;", 1, "example.com", APR_ENOENT, 0 },
        { OURS "4", 1, "example.com", APR_ENOENT, 0 },
        { "authority.example;accounturi=https://CA.example/acct/123", 1,
          "example.com", APR_ENOENT, 0 },
        { OURS, 2, "example.com", APR_ENOENT, 0 },
        { OURS_2 HASH, 1, "example.com", APR_ENOENT, 0 },
        { OURS_2 HASH, 2, "www.example.com", APR_ENOENT, 0 },
        { "authority.example;accounturi=sha-256/" HASH, 2, "example.com",
          APR_ENOENT, 0 },

        { "authority.example", 1, "example.com", APR_EINVAL, 0 },
        { "authority.example;policy=wildcard", 1, "example.com", APR_EINVAL,
          0 },
        { "authority.example;accounturi=", 1, "example.com", APR_EINVAL, 0 },
        { OURS ";accounturi=" ACCOUNT, 1, "example.com", APR_EINVAL, 0 },
        { OURS ";ACCOUNTURI=" ACCOUNT, 1, "example.com", APR_EINVAL, 0 },
        { OURS ";foo=1;FOO=2", 1, "example.com", APR_EINVAL, 0 },
        { OURS ";foo", 1, "example.com", APR_EINVAL, 0 },
        { OURS ";=foo", 1, "example.com", APR_EINVAL, 0 },
        { OURS ";;policy=wildcard", 1, "example.com", APR_EINVAL, 0 },
        { OURS ";policy=wild card", 1, "example.com", APR_EINVAL, 0 },
        { OURS ";policy=wild\xc3\xa4", 1, "example.com", APR_EINVAL, 0 },
        { OURS ";persistUntil=", 1, "example.com", APR_EINVAL, 0 },
        { OURS ";persistUntil=-1", 1, "example.com", APR_EINVAL, 0 },
        { OURS ";persistUntil=+9999999999", 1, "example.com", APR_EINVAL, 0 },
        { OURS ";persistUntil=2027-01-01", 1, "example.com", APR_EINVAL, 0 },
        { OURS ";persistUntil=9999999999999", 1, "example.com", APR_EINVAL,
          0 },

        { OURS, 1, "*.example.com", APR_EACCES, 0 },
        { OURS ";policy=none", 1, "*.example.com", APR_EACCES, 0 },
        { OURS ";policy=wildcards", 1, "*.example.com", APR_EACCES, 0 },
        { OURS_2 HASH, 2, "*.example.com", APR_EACCES, 0 },
        { OURS ";persistUntil=1767225600", 1, "example.com", APR_EACCES, 0 },
        { OURS ";persistUntil=0", 1, "example.com", APR_EACCES, 0 }
    };
    apr_time_t until;
    apr_status_t rv;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        acme_dns_persist_t persist = persist_of(rows[i].draft, rows[i].name);

        print_message("%s\n", rows[i].value);
        until = 7;
        rv = acme_dns_persist_match(&until, &persist, rows[i].value, NOW, &res,
                                    pool);
        assert_int_equal(rv, rows[i].rv);
        assert_int_equal(until, apr_time_from_sec(rows[i].until));
        if (rv) {
            assert_ptr_equal(strstr(res.detail, "_validation-persist."),
                             res.detail);
        }
    }
}

static void a_huge_record_is_refused(void **state)
{
    acme_dns_persist_t persist = persist_of(1, "example.com");
    const char *value = OURS;
    char *big = apr_pcalloc(pool, 65536);
    apr_time_t until;
    int i;

    (void)state;
    memset(big, ';', 65535);
    assert_int_equal(
        acme_dns_persist_match(&until, &persist, big, NOW, &res, pool),
        APR_EINVAL);
    memset(big, '\x1b', 65535);
    assert_int_equal(
        acme_dns_persist_match(&until, &persist, big, NOW, &res, pool),
        APR_EINVAL);
    assert_null(strchr(res.detail, '\x1b'));
    for (i = 0; i < 31; i++) {
        value = apr_psprintf(pool, "%s;p%d=", value, i);
    }
    assert_int_equal(
        acme_dns_persist_match(&until, &persist, value, NOW, &res, pool), 0);
    value = apr_pstrcat(pool, value, ";q=", NULL);
    assert_int_equal(
        acme_dns_persist_match(&until, &persist, value, NOW, &res, pool),
        APR_EINVAL);
    assert_non_null(strstr(res.detail, "too many parameters"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(a_prefix_can_be_quoted),
        POOL_TEST(the_record_has_a_place),
        POOL_TEST(a_value_is_as_the_draft_has_it),
        POOL_TEST(what_cannot_be_written_is_refused),
        POOL_TEST(a_record_authorises_or_says_why_not),
        POOL_TEST(a_huge_record_is_refused)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
