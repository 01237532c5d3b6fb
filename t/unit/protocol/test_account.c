/*
 * test_account.c - the account: made, found, looked at, changed, given up.
 */
#include "fake_ca.h"

#define JWK "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"a\",\"y\":\"b\"}"

static void payloads_are_as_the_rfc_has_them(void **state)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(char *));
    acme_account_conf_t account = { .contacts = list };

    (void)state;
    assert_string_equal(acme_account_payload(&account, pool), "{}");
    assert_string_equal(acme_account_update_payload(list, pool),
                        "{\"contact\":[]}");
    account.agreed = 1;
    assert_string_equal(acme_account_payload(&account, pool),
                        "{\"termsOfServiceAgreed\":true}");
    APR_ARRAY_PUSH(list, const char *) = "mailto:me@a.org";
    APR_ARRAY_PUSH(list, const char *) = "mailto:\"you\"@a.org";
    account.binding = "{\"protected\":\"p\",\"payload\":\"q\","
                      "\"signature\":\"s\"}";
    assert_string_equal(acme_account_payload(&account, pool),
                        "{\"contact\":[\"mailto:me@a.org\","
                        "\"mailto:\\\"you\\\"@a.org\"],"
                        "\"termsOfServiceAgreed\":true,"
                        "\"externalAccountBinding\":{\"protected\":\"p\","
                        "\"payload\":\"q\",\"signature\":\"s\"}}");
    assert_string_equal(acme_account_update_payload(list, pool),
                        "{\"contact\":[\"mailto:me@a.org\","
                        "\"mailto:\\\"you\\\"@a.org\"]}");
    account.only_existing = 1;
    assert_string_equal(acme_account_payload(&account, pool),
                        "{\"onlyReturnExisting\":true}");
    assert_string_equal(acme_account_deactivate_payload(pool),
                        "{\"status\":\"deactivated\"}");
    assert_string_equal(
        acme_account_key_change_payload("https://ca/a/1", JWK, pool),
        "{\"account\":\"https://ca/a/1\",\"oldKey\":" JWK "}");
}

static void a_binding_that_is_none_is_left_out(void **state)
{
    static const char *const rows[] = { "", "{", "[]", "\"text\"", "null" };
    acme_account_conf_t account = {
        .contacts = apr_array_make(pool, 1, sizeof(char *))
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        account.binding = rows[i];
        assert_string_equal(acme_account_payload(&account, pool), "{}");
    }
}

typedef apr_status_t locate_t(const char **purl, acme_session_t *session,
                              acme_result_t *res, apr_pool_t *p);

static void assert_located(locate_t *locate, const char *says,
                           const char *signed_as)
{
    const char *url;
    apr_status_t rv = locate(&url, &session, &res, pool);

    if (!says) {
        assert_int_equal(rv, 0);
        assert_string_equal(url, fake_url("/a/1"));
        assert_non_null(strstr(fake_log(fake), signed_as));
        return;
    }
    assert_int_not_equal(rv, 0);
    assert_null(url);
    assert_detail(says);
    assert_detail(fake_url("/dir"));
}

static void an_account_is_its_location(void **state)
{
    static const struct {
        const char *name, *head, *body, *says;  /* NULL: located */
    } rows[] = {
        { "made", "201 Created\r\nLocation: ~/a/1",
          "{\"status\":\"valid\"}", NULL },
        { "found", "200 OK\r\nLocation: ~/a/1", "{}", NULL },
        { "no body", "200 OK\r\nLocation: ~/a/1", NULL, NULL },
        { "no location", "201 Created", "{\"status\":\"valid\"}", "no Location" },
        { "relative", "201 Created\r\nLocation: /a/1", "{}", "/a/1" },
        { "plain", "201 Created\r\nLocation: http://ca/a/1", "{}", "http" },
        { "deactivated", "200 OK\r\nLocation: ~/a/1",
          "{\"status\":\"deactivated\"}", "deactivated" },
        { "refused", "403 No\r\n" PROBLEM, "{\"type\":\"" URN
          "unauthorized\",\"detail\":\"Go.\"}", "Go." },
        { "unknown", "400 No\r\n" PROBLEM, "{\"type\":\"" URN
          "accountDoesNotExist\",\"detail\":\"Who?\"}", "Who?" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const fake_row_t table[] = {
            DIRECTORY, NONCE,
            { .request = "POST /account", .head = rows[i].head,
              .body = rows[i].body },
            { 0 }
        };

        print_message("%s\n", rows[i].name);
        fake_serve(fake, table);
        assert_located(acme_account_register, rows[i].says,
                       "account account fresh\n");
        assert_located(acme_account_find, rows[i].says,
                       "account find fresh\n");
    }
    assert_true(acme_problem_is(&res, "accountDoesNotExist"));
}

static void an_account_is_changed(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /a/1", .times = 1, .head = "200 OK",
          .body = "{\"status\":\"valid\"}" },
        { .request = "POST /a/1", .head = "200 OK",
          .body = "{\"status\":\"deactivated\"}" },
        { 0 }
    };
    const char *url = fake_url("/a/1");

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(acme_account_update(&session, url, &res, pool), 0);
    assert_int_equal(acme_account_deactivate(&session, url, &res, pool), 0);
    assert_string_equal(fake_log(fake), "GET /dir\n"
                        "HEAD /nonce\nPOST /a/1 update fresh\n"
                        "HEAD /nonce\nPOST /a/1 deactivate fresh\n");
}

static void a_change_may_fail(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /a/1", .times = 1, .head = "200 OK",
          .body = "{\"status\":\"valid\"}" },
        { .request = "POST /a/1", .head = "400 Bad\r\n" PROBLEM, .body =
          "{\"type\":\"" URN "invalidContact\",\"detail\":\"Typo.\"}" },
        { 0 }
    };
    const char *url = fake_url("/a/1");

    (void)state;
    fake_serve(fake, rows);
    assert_int_not_equal(acme_account_deactivate(&session, url, &res, pool),
                         0);
    assert_detail("the status at the CA is valid");
    assert_int_not_equal(acme_account_update(&session, url, &res, pool), 0);
    assert_detail("Typo.; check AcmeContact");
    assert_int_equal(res.retry, ACME_RETRY_NEVER);
}

static void a_key_is_changed_where_the_ca_can(void **state)
{
    static const fake_row_t full[] = {
        FULL_DIRECTORY, NONCE,
        { .request = "POST /key", .times = 1, .head = "200 OK" },
        { .request = "POST /key", .head = "409 Conflict\r\nLocation: ~/a/2" },
        { 0 }
    };
    static const fake_row_t plain[] = { DIRECTORY, NONCE, { 0 } };

    (void)state;
    fake_serve(fake, full);
    assert_int_equal(acme_account_key_change(&session, &res, pool), 0);
    assert_string_equal(fake_log(fake), "GET /dir\nHEAD /nonce\n"
                                        "POST /key key fresh\n");
    assert_int_not_equal(acme_account_key_change(&session, &res, pool), 0);
    assert_detail("HTTP 409");
    open_ca();
    fake_serve(fake, plain);
    assert_int_equal(acme_account_key_change(&session, &res, pool),
                     APR_ENOTIMPL);
    assert_int_equal(res.retry, ACME_RETRY_NEVER);
    assert_string_equal(fake_log(fake), "GET /dir\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FAKE_CA_TEST(payloads_are_as_the_rfc_has_them),
        FAKE_CA_TEST(a_binding_that_is_none_is_left_out),
        FAKE_CA_TEST(an_account_is_its_location),
        FAKE_CA_TEST(an_account_is_changed),
        FAKE_CA_TEST(a_change_may_fail),
        FAKE_CA_TEST(a_key_is_changed_where_the_ca_can)
    };

    return cmocka_run_group_tests(tests, fake_ca_begin, fake_ca_end);
}
