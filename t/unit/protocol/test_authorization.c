/*
 * test_authorization.c - authorizations and their challenges, tokens above
 * all: they end up in answers to visitors.
 */
#include "fake_ca.h"

static acme_authorization_t *authz_of(const char *body)
{
    const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /z", .head = "200 OK", .body = body },
        { 0 }
    };
    acme_authorization_t *authz;

    fake_serve(fake, rows);
    if (acme_authorization_fetch(&authz, &session, fake_url("/z"), &res,
                                 pool)) {
        assert_null(authz);
        assert_detail(fake_url("/z"));
    }
    return authz;
}

#define IDENTIFIER "\"identifier\":{\"type\":\"dns\",\"value\":\"a.org\"}"

static void challenges_that_we_cannot_use_are_passed_over(void **state)
{
    const acme_challenge_t *unknown;
    acme_authorization_t *authz;

    (void)state;
    authz = authz_of("{\"status\":\"pending\"," IDENTIFIER ",\"wildcard\":"
        "true,\"challenges\":[7,{},"
        "{\"type\":\"http-01\",\"token\":\"a\"},"
        "{\"type\":\"http-01\",\"token\":\"a\",\"url\":\"http://ca/\"},"
        "{\"type\":\"http-01\",\"token\":\"../x\",\"url\":\"~/1\"},"
        "{\"type\":\"http-01\",\"token\":\"a\",\"url\":\"~/2\","
        "\"status\":\"invalid\"},"
        "{\"type\":\"http-01\",\"token\":\"good\",\"url\":\"~/3\","
        "\"status\":\"processing\"},"
        "{\"type\":\"dns-persist-01\",\"url\":\"~/4\"},"
        "{\"type\":\"tls-\\u0007alpn\",\"token\":\"t\",\"url\":\"~/5\"}]}");
    assert_non_null(authz);
    assert_int_equal(authz->status, ACME_AUTHORIZATION_PENDING);
    assert_string_equal(authz->name, "a.org");
    assert_true(authz->wildcard);
    assert_int_equal(authz->challenges->nelts, 5);
    assert_string_equal(acme_authorization_challenge(authz, ACME_HTTP_01)->url,
                        fake_url("/3"));
    assert_true(acme_authorization_challenge(authz, ACME_HTTP_01)->begun);
    assert_int_equal(acme_authorization_challenge(authz, ACME_HTTP_01)->kind,
                     ACME_HTTP_01);
    assert_null(acme_authorization_challenge(authz, ACME_DNS_PERSIST_01));
    assert_null(acme_authorization_challenge(authz, ACME_DNS_01));
    unknown = &APR_ARRAY_IDX(authz->challenges, 4, acme_challenge_t);
    assert_string_equal(unknown->type, "tls-\\x07alpn");
    assert_int_equal(unknown->kind, -1);
    assert_null(unknown->issuers);
}

/* The issuers of the one challenge there is, "" when it is of no use. */
static const char *issuers_of(const char *members, int draft)
{
    const acme_challenge_t *challenge;
    acme_authorization_t *authz;

    authz = authz_of(apr_psprintf(pool, "{\"status\":\"pending\"," IDENTIFIER
                                  ",\"challenges\":[{\"type\":\"dns-01\","
                                  "\"url\":\"~/1\"},{\"type\":"
                                  "\"dns-persist-01\",\"url\":\"~/2\"%s}]}",
                                  members));
    assert_non_null(authz);
    assert_null(acme_authorization_challenge(authz, ACME_DNS_01));
    challenge = acme_authorization_challenge(authz, ACME_DNS_PERSIST_01);
    if (!challenge) {
        return "";
    }
    assert_string_equal(challenge->url, fake_url("/2"));
    assert_null(challenge->token);
    assert_int_equal(challenge->persist_draft, draft);
    return apr_array_pstrcat(pool, challenge->issuers, ' ');
}

static void a_persistent_record_needs_no_token(void **state)
{
    const char *many = ",\"issuerDomainNames\":[\"a.org\"";
    int i;

    (void)state;
    assert_string_equal(issuers_of(",\"issuer-domain-names\":[\"a.org\","
                                   "\"b.org\"]", 1), "a.org b.org");
    assert_string_equal(issuers_of(",\"issuerDomainNames\":[\"A.ORG.\"]", 2),
                        "a.org");
    assert_string_equal(issuers_of(",\"issuer-domain-names\":[\"a.org\"],"
                                   "\"issuerDomainNames\":[\"b.org\"]", 2),
                        "b.org");
    assert_string_equal(issuers_of("", 0), "");
    assert_string_equal(issuers_of(",\"issuerDomainNames\":[]", 0), "");
    assert_string_equal(issuers_of(",\"issuerDomainNames\":[\"a;b\",\"a b\","
                                   "\"a\\\"b\",\"-a.org\",\"a_b.org\",7,"
                                   "\"2001:db8::1\",\"*.a.org\"]", 0), "");
    assert_string_equal(issuers_of(",\"issuerDomainNames\":[\"a.org\"],"
                                   "\"status\":\"invalid\"", 0), "");
    for (i = 0; i < 100; i++) {
        many = apr_psprintf(pool, "%s,\"%d.org\"", many, i);
    }
    assert_string_equal(issuers_of(apr_pstrcat(pool, many, "]", NULL), 2),
                        "a.org 0.org 1.org 2.org 3.org 4.org 5.org 6.org "
                        "7.org 8.org");
}

static void a_name_is_in_its_one_form(void **state)
{
    static const struct {
        const char *value, *name;
        int wildcard;
    } rows[] = {
        { "a.org", "a.org", 0 }, { "A.Org.", "a.org", 0 },
        { "*.a.org", "a.org", 1 }, { "192.0.2.1", "192.0.2.1", 0 },
        { "2001:DB8::0:1", "2001:db8::1", 0 }
    };
    acme_authorization_t *authz;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        authz = authz_of(apr_psprintf(pool, "{\"status\":\"pending\","
                                      "\"identifier\":{\"value\":\"%s\"}}",
                                      rows[i].value));
        assert_non_null(authz);
        assert_string_equal(authz->name, rows[i].name);
        assert_int_equal(authz->wildcard, rows[i].wildcard);
    }
}

static void a_token_is_base64url_of_bounded_length(void **state)
{
    static const struct {
        const char *token;
        int good;
    } rows[] = {
        { "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA", 1 },
        { "_", 1 }, { "", 0 }, { "a/b", 0 }, { "a+b", 0 }, { "a=", 0 },
        { "..", 0 }, { "$(id)", 0 }, { "a b", 0 }, { "a\\u0000b", 0 },
        { "a\\n", 0 }
    };
    char longest[ACME_TOKEN_MAX + 2];
    acme_authorization_t *authz;
    size_t i;

    (void)state;
    memset(longest, 'a', sizeof(longest));
    longest[ACME_TOKEN_MAX + 1] = '\0';
    for (i = 0; i < sizeof(rows) / sizeof(*rows) + 2; i++) {
        int known = i < sizeof(rows) / sizeof(*rows);
        const char *token = known ? rows[i].token : longest;
        int good = known ? rows[i].good : strlen(longest) == ACME_TOKEN_MAX;

        authz = authz_of(apr_pstrcat(pool, "{\"status\":\"pending\","
                         IDENTIFIER ",\"challenges\":[{\"type\":\"http-01\","
                         "\"url\":\"~/1\",\"token\":\"", token, "\"}]}",
                         NULL));
        assert_non_null(authz);
        assert_int_equal(authz->challenges->nelts, 1);
        if ((acme_authorization_challenge(authz, ACME_HTTP_01) != NULL)
            != good) {
            fail_msg("%s", token);
        }
        if (!known) {
            longest[ACME_TOKEN_MAX] = '\0';
        }
    }
}

static void a_failed_authorization_says_why(void **state)
{
    acme_authorization_t *authz;

    (void)state;
    authz = authz_of("{\"status\":\"invalid\"," IDENTIFIER ",\"challenges\":["
        "{\"type\":\"dns-01\",\"url\":\"~/1\"},"
        "{\"type\":\"http-01\",\"url\":\"~/2\",\"status\":\"invalid\","
        "\"error\":{\"type\":\"" URN "connection\",\"detail\":\"Refused.\"}}"
        "]}");
    assert_non_null(authz);
    assert_int_equal(authz->status, ACME_AUTHORIZATION_FAILED);
    assert_ptr_equal(strstr(authz->error.detail,
                            "http-01 of a.org: Refused.; the CA must reach "),
                     authz->error.detail);
    assert_true(acme_problem_is(&authz->error, "connection"));
    assert_int_equal(authz->error.retry, ACME_RETRY_SOON);

    authz = authz_of("{\"status\":\"expired\"," IDENTIFIER "}");
    assert_non_null(authz);
    assert_int_equal(authz->status, ACME_AUTHORIZATION_FAILED);
    assert_string_equal(authz->error.detail,
                        "authorization of a.org: the CA marked it expired");

    authz = authz_of("{\"status\":\"valid\"," IDENTIFIER "}");
    assert_non_null(authz);
    assert_int_equal(authz->status, ACME_AUTHORIZATION_VALID);
    assert_int_equal(authz->challenges->nelts, 0);
}

static void a_hostile_authorization_is_refused(void **state)
{
    static const char *const bodies[] = {
        "", "null", "{}", "{\"status\":\"pending\"}",
        "{\"status\":\"pending\",\"identifier\":\"a.org\"}",
        "{\"status\":\"pending\",\"identifier\":{\"value\":\"\"}}",
        "{\"status\":\"pending\",\"identifier\":{\"value\":\"a\\u0000b\"}}",
        "{\"status\":\"pending\",\"identifier\":{\"value\":\"../a\"}}",
        "{\"status\":\"pending\",\"identifier\":{\"value\":\"$(id)\"}}",
        "{\"status\":\"new\"," IDENTIFIER "}"
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        if (authz_of(bodies[i])) {
            fail_msg("%s", bodies[i]);
        }
    }
}

static void a_challenge_is_answered(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /1", .times = 1, .head = "200 OK" },
        { .request = "POST /1", .times = 1, .head = "200 OK", .body =
          "{\"type\":\"http-01\",\"status\":\"pending\",\"error\":{}}" },
        { .request = "POST /1", .head = "400 Bad\r\n" PROBLEM, .body =
          "{\"type\":\"" URN "malformed\",\"detail\":\"Late.\"}" },
        { 0 }
    };
    acme_challenge_t challenge = { .type = "http-01", .token = "t" };
    int has_error = 1;

    (void)state;
    challenge.url = fake_url("/1");
    fake_serve(fake, rows);
    assert_int_equal(acme_authorization_respond(&has_error, &session,
                                                &challenge, "a.org", &res,
                                                pool), 0);
    assert_string_equal(fake_log(fake), "GET /dir\nHEAD /nonce\n"
                                        "POST /1 challenge fresh\n");
    assert_false(has_error);
    assert_int_equal(acme_authorization_respond(&has_error, &session,
                                                &challenge, "a.org", &res,
                                                pool), 0);
    assert_true(has_error);     /* the CA has tried before it answers */
    assert_int_not_equal(acme_authorization_respond(&has_error, &session,
                                                    &challenge, "a.org", &res,
                                                    pool), 0);
    assert_string_equal(res.detail, "http-01 of a.org: Late.");
    assert_false(has_error);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FAKE_CA_TEST(challenges_that_we_cannot_use_are_passed_over),
        FAKE_CA_TEST(a_persistent_record_needs_no_token),
        FAKE_CA_TEST(a_name_is_in_its_one_form),
        FAKE_CA_TEST(a_token_is_base64url_of_bounded_length),
        FAKE_CA_TEST(a_failed_authorization_says_why),
        FAKE_CA_TEST(a_hostile_authorization_is_refused),
        FAKE_CA_TEST(a_challenge_is_answered)
    };

    return cmocka_run_group_tests(tests, fake_ca_begin, fake_ca_end);
}
