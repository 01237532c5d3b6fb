/*
 * test_problem.c - what a CA says went wrong, and whether to try again.
 */
#include "fake_ca.h"

/* A problem document as it comes in a reply. */
static void problem(int status, apr_time_t retry_after, const char *body)
{
    acme_http_reply_t reply = { .status = status, .body = body,
                                .body_len = strlen(body),
                                .retry_after = retry_after };

    assert_int_not_equal(acme_problem_reply(&reply, "order of a.org", &res,
                                            pool), 0);
    assert_ptr_equal(strstr(res.detail, "order of a.org: "), res.detail);
}

static void each_problem_says_whether_trying_again_helps(void **state)
{
    static const struct {
        const char *type;
        acme_retry_e retry;
    } rows[] = {
        { "accountDoesNotExist", ACME_RETRY_SOON },
        { "alreadyReplaced", ACME_RETRY_SOON },
        { "alreadyRevoked", ACME_RETRY_NEVER },
        { "badCSR", ACME_RETRY_NEVER },
        { "badNonce", ACME_RETRY_SOON },
        { "badPublicKey", ACME_RETRY_NEVER },
        { "badRevocationReason", ACME_RETRY_NEVER },
        { "badSignatureAlgorithm", ACME_RETRY_NEVER },
        { "caa", ACME_RETRY_SOON },
        { "compound", ACME_RETRY_SOON },
        { "connection", ACME_RETRY_SOON },
        { "dns", ACME_RETRY_SOON },
        { "externalAccountRequired", ACME_RETRY_NEVER },
        { "incorrectResponse", ACME_RETRY_SOON },
        { "invalidContact", ACME_RETRY_NEVER },
        { "invalidProfile", ACME_RETRY_NEVER },
        { "malformed", ACME_RETRY_SOON },
        { "orderNotReady", ACME_RETRY_SOON },
        { "rateLimited", ACME_RETRY_LATER },
        { "rejectedIdentifier", ACME_RETRY_NEVER },
        { "serverInternal", ACME_RETRY_SOON },
        { "tls", ACME_RETRY_SOON },
        { "unauthorized", ACME_RETRY_SOON },
        { "unsupportedContact", ACME_RETRY_NEVER },
        { "unsupportedIdentifier", ACME_RETRY_NEVER },
        { "userActionRequired", ACME_RETRY_SOON },
        { "ofTheFuture", ACME_RETRY_SOON },
        { "", ACME_RETRY_SOON }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        problem(400, 0, apr_psprintf(pool, "{\"type\":\"" URN "%s\","
                                     "\"detail\":\"no.\"}", rows[i].type));
        if (res.retry != rows[i].retry
            || !acme_problem_is(&res, rows[i].type)) {
            fail_msg("%s", rows[i].type);
        }
    }
    problem(400, 0, "{\"type\":\"about:blank\",\"title\":\"Nope\"}");
    assert_detail("Nope");
    assert_string_equal(res.problem, "about:blank");
    assert_false(acme_problem_is(&res, "blank"));
    /* The type's name of another's namespace means nothing. */
    problem(400, 0, "{\"type\":\"https://ca/rejectedIdentifier\"}");
    assert_int_equal(res.retry, ACME_RETRY_SOON);
}

static void each_problem_has_a_reason(void **state)
{
    static const struct {
        int status;
        const char *body;
        acme_reason_e reason;
    } rows[] = {
        { 400, "{\"type\":\"" URN "caa\"}", ACME_REASON_CAA_FORBIDDEN },
        { 400, "{\"type\":\"" URN "dns\",\"detail\":\"SERVFAIL\"}",
          ACME_REASON_DNS_FAILED },
        { 400, "{\"type\":\"" URN "dns\",\"detail\":\"DNS problem: NXDOMAIN "
          "looking up A for a.org\"}", ACME_REASON_DNS_NXDOMAIN },
        { 400, "{\"type\":\"" URN "connection\"}",
          ACME_REASON_SERVER_UNREACHABLE },
        { 403, "{\"type\":\"" URN "unauthorized\",\"detail\":\"NXDOMAIN\"}",
          ACME_REASON_CHALLENGE_FAILED },
        { 403, "{\"type\":\"" URN "externalAccountRequired\"}",
          ACME_REASON_EAB_REQUIRED },
        { 403, "{\"type\":\"" URN "rejectedIdentifier\"}",
          ACME_REASON_REJECTED_NAME },
        { 429, "{\"type\":\"" URN "rateLimited\"}",
          ACME_REASON_RATE_LIMITED },
        { 403, "{\"type\":\"" URN "compound\",\"subproblems\":["
          "{\"type\":\"" URN "caa\"},"
          "{\"type\":\"" URN "rejectedIdentifier\"},"
          "{\"type\":\"" URN "dns\"}]}", ACME_REASON_REJECTED_NAME },
        { 403, "{\"type\":\"" URN "compound\",\"subproblems\":["
          "{\"type\":\"" URN "caa\"}]}", ACME_REASON_CAA_FORBIDDEN },
        { 403, "{\"type\":\"" URN "compound\"}",
          ACME_REASON_REQUEST_REFUSED },
        { 400, "{\"type\":\"" URN "ofTheFuture\"}",
          ACME_REASON_REQUEST_REFUSED },
        { 500, "{\"type\":\"" URN "serverInternal\"}",
          ACME_REASON_CA_ERROR },
        { 502, "<html>", ACME_REASON_CA_ERROR },
        { 429, "", ACME_REASON_RATE_LIMITED },
        { 404, "<html>", ACME_REASON_CA_ANSWER }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        problem(rows[i].status, 0, rows[i].body);
        if (res.reason != rows[i].reason) {
            fail_msg("%d %s: %s", rows[i].status, rows[i].body,
                     acme_reason_about(res.reason)->code);
        }
    }
}

static void a_status_says_it_where_no_problem_does(void **state)
{
    static const struct {
        int status;
        apr_time_t retry_after;
        const char *body;
        acme_retry_e retry;
        apr_time_t retry_at;
    } rows[] = {
        { 500, 0, "<html>", ACME_RETRY_SOON, 0 },
        { 500, 7, "", ACME_RETRY_SOON, 7 },
        { 503, 0, "", ACME_RETRY_SOON, 0 },
        { 503, 7, "busy", ACME_RETRY_LATER, 7 },
        { 429, 7, "", ACME_RETRY_LATER, 7 },
        { 429, 0, "", ACME_RETRY_LATER, 0 },
        { 404, 0, "[1]", ACME_RETRY_SOON, 0 },
        { 400, 0, "{\"error\":1}", ACME_RETRY_SOON, 0 },
        { 400, 0, "{\"type\":7,\"detail\":[]}", ACME_RETRY_SOON, 0 },
        { 429, 7, "{\"type\":\"" URN "rateLimited\"}", ACME_RETRY_LATER, 7 },
        { 403, 7, "{\"type\":\"" URN "rateLimited\"}", ACME_RETRY_LATER, 7 },
        { 503, 7, "{\"type\":\"" URN "rejectedIdentifier\"}",
          ACME_RETRY_LATER, 7 },
        { 400, 7, "{\"type\":\"" URN "badCSR\"}", ACME_RETRY_NEVER, 0 },
        { 403, 7, "{\"type\":\"" URN "orderNotReady\"}", ACME_RETRY_SOON, 7 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        problem(rows[i].status, rows[i].retry_after, rows[i].body);
        if (res.retry != rows[i].retry || res.retry_at != rows[i].retry_at) {
            fail_msg("row %d: %s", (int)i, res.detail);
        }
    }
    problem(502, 0, "<b>\r\n\x1b[2J\xff");
    assert_string_equal(res.detail, "order of a.org: HTTP 502: "
                                    "\\x1b[2J\\xff");
    assert_string_equal(res.problem, "");
}

/* People read the page's words; it is a proxy's, a firewall's. */
static void pages_are_shown_without_their_tags(void **state)
{
    static const struct {
        const char *body, *shown;
    } rows[] = {
        { "<!DOCTYPE html>\n<html><HEAD><meta x='y'>\n<title lang=en>Bad\n "
          "Gateway</title></head><body>x", "Bad Gateway" },
        { "\n<html><head><title> </title><style>b { c: d }</style></head>"
          "<body><h1>It is\tclosed.</h1><script>var a = '<b>';</script> Come"
          " <b>back</b></body>", "It is closed. Come back" },
        { "<?xml version=\"1.0\"?><e><c>AccessDenied</c></e>",
          "AccessDenied" },
        { "<html", "" }, { "<title", "" }, { "<title>a", "a" },
        { "<script>a", "" }, { "plain <b>words</b>", "plain <b>words</b>" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        problem(503, 0, rows[i].body);
        assert_string_equal(
            res.detail, apr_pstrcat(pool, "order of a.org: HTTP 503",
                                    *rows[i].shown ? ": " : "", rows[i].shown,
                                    NULL));
    }
}

static void subproblems_name_their_identifiers(void **state)
{
    (void)state;
    problem(400, 0, "{\"type\":\"" URN "compound\",\"detail\":\"Two names.\","
            "\"subproblems\":["
            "{\"type\":\"" URN "caa\",\"detail\":\"Forbidden.\","
            "\"identifier\":{\"type\":\"dns\",\"value\":\"a.org\"}},"
            "{\"type\":\"" URN "rejectedIdentifier\",\"detail\":\"No.\","
            "\"identifier\":{\"type\":\"dns\",\"value\":\"b\\u0007.org\"}},"
            "7,{\"detail\":\"Nameless.\"}]}");
    assert_string_equal(res.detail, "order of a.org: Two names.; a.org: "
                        "Forbidden.; b\\x07.org: No.; the CA gave no reason; "
                        "Nameless.");
    assert_int_equal(res.retry, ACME_RETRY_NEVER);
    problem(400, 0, "{\"type\":\"" URN "malformed\",\"detail\":\"Many.\","
            "\"instance\":\"https://ca/help\",\"subproblems\":["
            "1,2,3,4,5,6,7,8,9,10,11]}");
    assert_detail("Many. (see https://ca/help); ");
    assert_detail("; and 3 more");
}

static void advice_follows_the_cas_sentence(void **state)
{
    static const struct {
        const char *type, *says;
    } rows[] = {
        { "alreadyReplaced", "order of a.org: No." },
        { "badCSR", "No.; check AcmeKeyTypes" },
        { "badRevocationReason", "No.; give another reason" },
        { "caa", "No.; the CAA records" },
        { "connection", "No.; the CA must reach this server" },
        { "dns", "No.; check the DNS servers" },
        { "externalAccountRequired",
          "No.; set AcmeExternalAccount kid file:path" },
        { "invalidProfile", "No.; check AcmeProfile" },
        { "rateLimited", "No.; it is retried when the CA allows it" },
        { "rejectedIdentifier", "exclude it with AcmeNames" },
        { "unsupportedIdentifier",
          "No.; the CA does not issue for names of this" },
        { "userActionRequired", "No.; open the CA's page and do what it asks "
          "(see https://ca/terms?v=2)" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        problem(400, 0, apr_psprintf(pool, "{\"type\":\"" URN "%s\","
                                     "\"detail\":\"No.\",\"instance\":"
                                     "\"https://ca/terms?v=2\"}",
                                     rows[i].type));
        assert_detail(rows[i].says);
    }
}

/* However much a CA has to say, the page to visit is told. */
static void an_instance_is_not_cut_off(void **state)
{
    char *big = apr_pcalloc(pool, 10001);

    (void)state;
    memset(big, 'x', 10000);
    problem(403, 0, apr_psprintf(pool, "{\"type\":\"" URN
                                 "userActionRequired\",\"detail\":\"%s\","
                                 "\"instance\":\"https://ca/agree\"}", big));
    assert_detail(" (see https://ca/agree)");
    assert_detail("...; open the CA's page");
}

static const char *names_of(const char *body)
{
    acme_http_reply_t reply = { .status = 403, .body = body,
                                .body_len = strlen(body) };

    return apr_array_pstrcat(pool, acme_problem_names(&reply, pool), ' ');
}

static void subproblems_give_their_names(void **state)
{
    const char *many = "{\"type\":\"x\",\"subproblems\":[7";
    acme_http_reply_t reply = { .status = 403 };
    int i;

    (void)state;
    assert_string_equal(names_of(
        "{\"type\":\"" URN "compound\",\"subproblems\":["
        "{\"identifier\":{\"type\":\"dns\",\"value\":\"B.org\"}},"
        "{\"identifier\":{\"type\":\"dns\",\"value\":\"*.a.org\"}},"
        "{\"identifier\":{\"type\":\"ip\",\"value\":\"2001:DB8::1\"}},"
        "{\"identifier\":{\"value\":\"b.org.\"}},"
        "{\"identifier\":{\"value\":\"../../etc\"}},"
        "{\"identifier\":{\"value\":\"a\\u0000.org\"}},"
        "{\"identifier\":{\"value\":9}},{\"identifier\":\"c.org\"},"
        "{},null,[]]}"), "b.org *.a.org 2001:db8::1");
    assert_string_equal(names_of(""), "");
    assert_string_equal(names_of("<html>"), "");
    assert_string_equal(names_of("{\"subproblems\":{}}"), "");
    assert_string_equal(names_of("{\"type\":\"x\",\"identifier\":{\"value\":"
                                 "\"a.org\"}}"), "");
    for (i = 0; i < 1000; i++) {
        many = apr_psprintf(pool, "%s,{\"identifier\":{\"value\":"
                            "\"%d.org\"}}", many, i);
    }
    reply.body = apr_pstrcat(pool, many, "]}", NULL);
    reply.body_len = strlen(reply.body);
    assert_int_equal(acme_problem_names(&reply, pool)->nelts,
                     ACME_PROBLEM_NAMES_MAX);
}

static void a_problem_is_bounded(void **state)
{
    char *big = apr_palloc(pool, 100001);

    (void)state;
    memset(big, 'x', 100000);
    big[100000] = '\0';
    problem(400, 0, apr_psprintf(pool, "{\"type\":\"" URN "%s\","
            "\"detail\":\"%s\",\"instance\":\"%s\",\"subproblems\":["
            "{\"detail\":\"%s\",\"identifier\":{\"value\":\"%s\"}}]}",
            big, big, big, big, big));
    assert_true(strlen(res.detail) < ACME_DETAIL_SIZE);
    assert_true(strlen(res.problem) < ACME_PROBLEM_SIZE);
    assert_int_equal(res.retry, ACME_RETRY_SOON);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FAKE_CA_TEST(each_problem_says_whether_trying_again_helps),
        FAKE_CA_TEST(each_problem_has_a_reason),
        FAKE_CA_TEST(a_status_says_it_where_no_problem_does),
        FAKE_CA_TEST(pages_are_shown_without_their_tags),
        FAKE_CA_TEST(subproblems_name_their_identifiers),
        FAKE_CA_TEST(advice_follows_the_cas_sentence),
        FAKE_CA_TEST(an_instance_is_not_cut_off),
        FAKE_CA_TEST(subproblems_give_their_names),
        FAKE_CA_TEST(a_problem_is_bounded)
    };

    return cmocka_run_group_tests(tests, fake_ca_begin, fake_ca_end);
}
