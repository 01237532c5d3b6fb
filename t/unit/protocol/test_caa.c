/*
 * test_caa.c - which CAA records allow a CA. (8659, 8657)
 */
#include "acme_caa.h"
#include "pool.h"

#define OURS "https://ca.example/acct/7"

/* Records with '|' between two. Ours is ca.example, also called ca.test. */
static acme_caa_e decide(const char **pwhy, const char *records,
                         const char *identities, int is_wildcard,
                         const char *account, const char *challenge)
{
    apr_array_header_t *all = apr_array_make(pool, 4, sizeof(const char *));
    apr_array_header_t *names = apr_array_make(pool, 2, sizeof(const char *));
    acme_caa_issuer_t issuer = { names, account, challenge, is_wildcard };
    char *last, *text;

    for (text = apr_strtok(apr_pstrdup(pool, records), "|", &last); text;
         text = apr_strtok(NULL, "|", &last)) {
        APR_ARRAY_PUSH(all, const char *) = text;
    }
    for (text = apr_strtok(apr_pstrdup(pool, identities), " ", &last); text;
         text = apr_strtok(NULL, " ", &last)) {
        APR_ARRAY_PUSH(names, const char *) = text;
    }
    return acme_caa_decide(pwhy, all, &issuer, pool);
}

static void records_allow_and_forbid(void **state)
{
    enum { YES = ACME_CAA_ALLOWED, MAYBE = ACME_CAA_UNKNOWN,
           NO = ACME_CAA_FORBIDDEN };
    static const struct {
        const char *records;
        int plain, wildcard;
        const char *says;       /* of the plain one */
    } rows[] = {
        { "", YES, YES, "" },
        { "0 iodef mailto:a@b.example", YES, YES, "" },
        { "0 issue ca.example", YES, YES, "" },
        { "0 issue CA.Example", YES, YES, "" },
        { "128 issue ca.test", YES, YES, "" },
        { "0 issue  ca.example ; ", YES, YES, "" },
        { "0 issue ;", NO, NO, "forbid every CA" },
        { "0 issue ", NO, NO, "forbid every CA" },
        { "0 issue other.example", NO, NO, "allow other.example, and not" },
        { "0 issue notca.example", NO, NO, "notca.example" },
        { "0 issue ca.example.org", NO, NO, "ca.example.org" },
        { "0 issue other.example|0 issue ca.example", YES, YES, "" },
        { "0 issue ;|0 issue ca.example", YES, YES, "" },
        { "0 issuewild ;", YES, NO, "" },
        { "0 issue ;|0 issuewild ca.example", NO, YES, "forbid" },
        { "0 issue ca.example|0 issuewild other.example", YES, NO, "" },
        { "0 issue ca example", NO, NO, "malformed" },
        { "0 issue ca.exam?ple", NO, NO, "malformed" },
        { "0 issue ca.example; nonsense", NO, NO, "malformed" },
        { "128 unheard-of x|0 issue ca.example", NO, NO, "critical" },
        { "0 unheard-of x|0 issue ca.example", YES, YES, "" },
        { "128 issuemail ;|0 issue ca.example", YES, YES, "" },
        { "0 issue ca.example; accounturi=" OURS, YES, YES, "" },
        { "0 issue ca.example;AccountURI=" OURS, YES, YES, "" },
        { "0 issue ca.example; accounturi=" OURS "0", NO, NO, "accounturi" },
        { "0 issue ca.example; accounturi=" OURS "; accounturi=" OURS, NO, NO,
          "malformed" },
        { "0 issue ca.example; accounturi=https://x/|0 issue ca.example;"
          " accounturi=" OURS, YES, YES, "" },
        { "0 issue other.example|0 issue ca.example; accounturi=https://x/",
          NO, NO, "accounturi" },
        { "0 issue ca.example; validationmethods=http-01", YES, YES, "" },
        { "0 issue ca.example; validationmethods=dns-01,http-01", YES, YES,
          "" },
        { "0 issue ca.example; validationmethods=dns-01", NO, NO,
          "validationmethods allows dns-01, and http-01" },
        { "0 issue ca.example; validationmethods=http-011", NO, NO,
          "validationmethods" },
        { "0 issue ca.example; other=1; accounturi=" OURS, YES, YES, "" },
        { "garbage", YES, YES, "" }
    };
    const char *why;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const int plain = decide(&why, rows[i].records, "ca.example ca.test",
                                 0, OURS, "http-01");

        if (plain != rows[i].plain || !strstr(why, rows[i].says)
            || (plain == YES) != !*why) {
            fail_msg("%s: %d: %s", rows[i].records, plain, why);
        }
        if ((int)decide(&why, rows[i].records, "ca.example ca.test", 1, OURS,
                        "http-01") != rows[i].wildcard) {
            fail_msg("%s, for a wildcard: %s", rows[i].records, why);
        }
    }
}

static void what_is_not_known_is_not_guessed(void **state)
{
    const char *why;

    (void)state;
    assert_int_equal(decide(&why, "0 issue x.example", "", 0, OURS, "http-01"),
                     ACME_CAA_UNKNOWN);
    assert_non_null(strstr(why, "is not known"));
    assert_int_equal(decide(&why, "0 issue ;", "", 0, OURS, "http-01"),
                     ACME_CAA_FORBIDDEN);
    assert_int_equal(decide(&why, "0 issue ca.example; accounturi=" OURS,
                            "ca.example", 0, NULL, "http-01"),
                     ACME_CAA_UNKNOWN);
    assert_non_null(strstr(why, "not registered"));
    assert_int_equal(decide(&why, "0 issue ca.example; validationmethods=a",
                            "ca.example", 0, OURS, NULL), ACME_CAA_UNKNOWN);
    assert_int_equal(decide(&why, "0 issue other.example|0 issue ca.example;"
                                  " accounturi=x",
                            "ca.example", 0, NULL, "http-01"),
                     ACME_CAA_UNKNOWN);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(records_allow_and_forbid),
        POOL_TEST(what_is_not_known_is_not_guessed)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
