/*
 * test_order.c - the account, orders and the certificate, of a CA that keeps
 * to RFC 8555 and of one that does not.
 */
#include "fake_ca.h"

static void payloads_are_as_the_rfc_has_them(void **state)
{
    apr_array_header_t *list = apr_array_make(pool, 3, sizeof(char *));

    (void)state;
    assert_string_equal(acme_account_payload(list, 0, pool), "{}");
    assert_string_equal(acme_account_payload(list, 1, pool),
                        "{\"termsOfServiceAgreed\":true}");
    APR_ARRAY_PUSH(list, const char *) = "mailto:me@a.org";
    assert_string_equal(acme_account_payload(list, 0, pool),
                        "{\"contact\":[\"mailto:me@a.org\"]}");
    apr_array_clear(list);
    APR_ARRAY_PUSH(list, const char *) = "*.a.org";
    APR_ARRAY_PUSH(list, const char *) = "192.0.2.1";
    APR_ARRAY_PUSH(list, const char *) = "2001:db8::1";
    assert_string_equal(acme_order_payload(list, pool), "{\"identifiers\":["
                        "{\"type\":\"dns\",\"value\":\"*.a.org\"},"
                        "{\"type\":\"ip\",\"value\":\"192.0.2.1\"},"
                        "{\"type\":\"ip\",\"value\":\"2001:db8::1\"}]}");
    assert_string_equal(acme_finalize_payload(
        (const unsigned char *)"\xfb\xff\x00", 3, pool),
        "{\"csr\":\"-_8A\"}");
}

static void an_account_is_its_location(void **state)
{
    static const struct {
        const char *name, *head, *body, *says;  /* NULL: registered */
    } rows[] = {
        { "made", "201 Created\r\nLocation: ~/a/1",
          "{\"status\":\"valid\"}", NULL },
        { "found", "200 OK\r\nLocation: ~/a/1", "{}", NULL },
        { "no body", "200 OK\r\nLocation: ~/a/1", NULL, NULL },
        { "no location", "201 Created", "{\"status\":\"valid\"}", "no URL" },
        { "relative", "201 Created\r\nLocation: /a/1", "{}", "/a/1" },
        { "plain", "201 Created\r\nLocation: http://ca/a/1", "{}", "http" },
        { "deactivated", "200 OK\r\nLocation: ~/a/1",
          "{\"status\":\"deactivated\"}", "deactivated" },
        { "refused", "403 No\r\n" PROBLEM, "{\"type\":\"" URN
          "unauthorized\",\"detail\":\"Go.\"}", "Go." }
    };
    const char *url;
    apr_status_t rv;
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
        rv = acme_account_register(&url, &session, &res, pool);
        if (!rows[i].says) {
            assert_int_equal(rv, 0);
            assert_string_equal(url, at("/a/1"));
            assert_non_null(strstr(fake_log(fake), "account fresh\n"));
            continue;
        }
        assert_int_not_equal(rv, 0);
        assert_null(url);
        assert_detail(rows[i].says);
        assert_detail(at("/dir"));
    }
}

static void an_order_is_read_whole(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /order", .head = "201 Created\r\n"
          "Location: ~/o/1\r\nRetry-After: 5", .body =
          "{\"status\":\"pending\",\"expires\":null,\"strange\":{\"a\":[]},"
          "\"identifiers\":[{}],\"authorizations\":[\"~/z/1\",\"~/z/2\"],"
          "\"finalize\":\"~/f/1\"}" },
        { .request = "POST /f/1", .head = "200 OK\r\nLocation: ~/o/2",
          .body = "{\"status\":\"processing\",\"authorizations\":[],"
          "\"finalize\":\"~/f/1\"}" },
        { .request = "POST /o/1", .times = 1, .head = "200 OK",
          .body = "{\"status\":\"valid\",\"certificate\":\"~/c/1\"}" },
        { .request = "POST /o/1", .head = "200 OK",
          .body = "{\"status\":\"invalid\",\"authorizations\":[],\"error\":"
          "{\"type\":\"" URN "badCSR\",\"detail\":\"Weak.\"}}" },
        { 0 }
    };
    acme_order_t *order, *after;

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(acme_order_create(&order, &session, "a.org", &res, pool),
                     0);
    assert_int_equal(order->status, ACME_ORDER_PENDING);
    assert_string_equal(order->url, at("/o/1"));
    assert_int_equal(order->authorizations->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(order->authorizations, 1, const char *),
                        at("/z/2"));
    assert_string_equal(order->finalize, at("/f/1"));
    assert_null(order->certificate);
    assert_true(order->retry_after > 0);
    assert_string_equal(order->error.detail, "");

    assert_int_equal(acme_order_finalize(&after, &session, order, "a.org",
                                         &res, pool), 0);
    assert_int_equal(after->status, ACME_ORDER_PROCESSING);
    assert_string_equal(after->url, at("/o/1"));
    assert_true(after->retry_after == 0);

    assert_int_equal(acme_order_fetch(&after, &session, order->url, "a.org",
                                      &res, pool), 0);
    assert_int_equal(after->status, ACME_ORDER_VALID);
    assert_string_equal(after->certificate, at("/c/1"));
    assert_non_null(strstr(fake_log(fake), "POST /f/1 finalize fresh\n"
                           "HEAD /nonce\nPOST /o/1 get fresh\n"));

    assert_int_equal(acme_order_fetch(&after, &session, order->url, "a.org",
                                      &res, pool), 0);
    assert_int_equal(after->status, ACME_ORDER_INVALID);
    assert_string_equal(after->error.detail, "order of a.org: Weak.");
    assert_int_equal(after->error.retry, ACME_RETRY_NEVER);
    /* It cannot be finalized, and nothing was sent for it. */
    fake_serve(fake, rows);
    assert_int_not_equal(acme_order_finalize(&order, &session, after, "a.org",
                                             &res, pool), 0);
    assert_null(order);
    assert_string_equal(fake_log(fake), "");
}

/* start, then text so often. */
static const char *repeat(const char *start, const char *text, int times)
{
    apr_size_t len = strlen(start), step = strlen(text);
    char *out = apr_palloc(pool, len + step * times + 1);

    strcpy(out, start);
    for (; times; times--, len += step) {
        strcpy(out + len, text);
    }
    return out;
}

static void a_hostile_order_is_refused(void **state)
{
    const char *many = repeat("{\"status\":\"pending\","
                              "\"authorizations\":[0", ",0", 1000);
    const struct {
        const char *name, *body;
    } rows[] = {
        { "nothing", NULL },
        { "html", "<html>" },
        { "a string", "\"pending\"" },
        { "cut", "{\"status\":\"pend" },
        { "no status", "{}" },
        { "status of another type", "{\"status\":1}" },
        { "status unknown", "{\"status\":\"\\u001bperfect\"}" },
        { "plain authorization",
          "{\"status\":\"pending\",\"authorizations\":[\"http://ca/\"]}" },
        { "authorization no text",
          "{\"status\":\"pending\",\"authorizations\":[{}]}" },
        { "too many authorizations", apr_pstrcat(pool, many, "]}", NULL) },
        { "finalize of a file",
          "{\"status\":\"ready\",\"finalize\":\"file:///etc/passwd\"}" },
        { "certificate of two lines",
          "{\"status\":\"valid\",\"certificate\":\"https://a/\\r\\nX: y\"}" },
        { "deep", repeat("{\"status\":", "[", 300000) }
    };
    acme_order_t *order;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const fake_row_t table[] = {
            DIRECTORY, NONCE,
            { .request = "POST /o", .head = "200 OK", .body = rows[i].body },
            { 0 }
        };

        print_message("%s\n", rows[i].name);
        fake_serve(fake, table);
        assert_int_not_equal(acme_order_fetch(&order, &session, at("/o"),
                                              "a.org", &res, pool), 0);
        assert_null(order);
        assert_ptr_equal(strstr(res.detail, "order of a.org: "), res.detail);
        assert_null(strchr(res.detail, '\x1b'));
        assert_int_equal(res.retry, ACME_RETRY_SOON);
    }
}

static void a_certificate_is_what_it_says(void **state)
{
    static const struct {
        const char *name, *type, *body, *says;  /* NULL: fetched */
    } rows[] = {
        { "good", "application/pem-certificate-chain", "PEM", NULL },
        { "with a parameter",
          "Application/PEM-certificate-chain;charset=utf-8", "PEM", NULL },
        { "other", "application/pkix-cert", "PEM", "application/pkix-cert" },
        { "hostile", "text/\x1b[2J", "PEM", "nothing that we know" },
        { "long", "application/pem-certificate-chain", "PEM and more",
          "longer than 10" }
    };
    const char *pem;
    apr_size_t len;
    apr_status_t rv;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const fake_row_t table[] = {
            DIRECTORY, NONCE,
            { .request = "POST /c", .body = rows[i].body, .head = apr_pstrcat(
              pool, "200 OK\r\nContent-Type: ", rows[i].type, NULL) },
            { 0 }
        };

        print_message("%s\n", rows[i].name);
        fake_serve(fake, table);
        rv = acme_certificate_fetch(&pem, &len, &session, at("/c"), 10, &res,
                                    pool);
        if (!rows[i].says) {
            assert_int_equal(rv, 0);
            assert_string_equal(pem, "PEM");
            assert_int_equal(len, 3);
            continue;
        }
        assert_int_not_equal(rv, 0);
        assert_null(pem);
        assert_int_equal(len, 0);
        assert_detail(at("/c"));
        assert_detail(rows[i].says);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FAKE_CA_TEST(payloads_are_as_the_rfc_has_them),
        FAKE_CA_TEST(an_account_is_its_location),
        FAKE_CA_TEST(an_order_is_read_whole),
        FAKE_CA_TEST(a_hostile_order_is_refused),
        FAKE_CA_TEST(a_certificate_is_what_it_says)
    };

    return cmocka_run_group_tests(tests, fake_ca_begin, fake_ca_end);
}
