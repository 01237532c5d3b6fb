/*
 * test_order.c - orders, of a CA that keeps to RFC 8555 and of one that does
 * not.
 */
#include "fake_ca.h"

static const acme_order_scope_t scope = { .id = "a.org", .names = 2 };

static void payloads_are_as_the_rfc_has_them(void **state)
{
    apr_array_header_t *names = apr_array_make(pool, 3, sizeof(char *));
    acme_order_conf_t conf_of = { .names = names };

    (void)state;
    APR_ARRAY_PUSH(names, const char *) = "*.a.org";
    APR_ARRAY_PUSH(names, const char *) = "192.0.2.1";
    APR_ARRAY_PUSH(names, const char *) = "2001:db8::1";
    assert_string_equal(acme_order_payload(&conf_of, pool),
                        "{\"identifiers\":["
                        "{\"type\":\"dns\",\"value\":\"*.a.org\"},"
                        "{\"type\":\"ip\",\"value\":\"192.0.2.1\"},"
                        "{\"type\":\"ip\",\"value\":\"2001:db8::1\"}]}");
    names->nelts = 1;
    conf_of.profile = "short\"lived";
    assert_string_equal(acme_order_payload(&conf_of, pool),
                        "{\"identifiers\":["
                        "{\"type\":\"dns\",\"value\":\"*.a.org\"}],"
                        "\"profile\":\"short\\\"lived\"}");
    conf_of.profile = NULL;
    conf_of.replaces = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
    assert_string_equal(acme_order_payload(&conf_of, pool),
                        "{\"identifiers\":["
                        "{\"type\":\"dns\",\"value\":\"*.a.org\"}],"
                        "\"replaces\":"
                        "\"aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE\"}");
    assert_string_equal(acme_order_finalize_payload(
                            (const unsigned char *)"\xfb\xff\x00", 3, pool),
                        "{\"csr\":\"-_8A\"}");
}

static void an_order_is_read_whole(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /order", .head = "201 Created\r\n"
          "Location: ~/o/1\r\nRetry-After: 5", .body =
          "{\"status\":\"pending\",\"expires\":null,\"strange\":{\"a\":[]},"
          "\"identifiers\":[{}],\"authorizations\":[\"~/z/1\",\"~/z/2\"],"
          "\"profile\":\"\\u001b[2J\",\"finalize\":\"~/f/1\"}" },
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
    apr_array_header_t *names;

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(acme_order_create(&order, &names, &session, &scope,
                                       &res, pool), 0);
    assert_int_equal(names->nelts, 0);
    assert_int_equal(order->status, ACME_ORDER_PENDING);
    assert_string_equal(order->profile, "\\x1b[2J");
    assert_string_equal(order->url, fake_url("/o/1"));
    assert_int_equal(order->authorizations->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(order->authorizations, 1, const char *),
                        fake_url("/z/2"));
    assert_string_equal(order->finalize, fake_url("/f/1"));
    assert_null(order->certificate);
    assert_true(order->retry_after > 0);
    assert_string_equal(order->error.detail, "");

    assert_int_equal(acme_order_finalize(&after, &session, order, &scope,
                                         &res, pool), 0);
    assert_int_equal(after->status, ACME_ORDER_PROCESSING);
    assert_null(after->profile);
    assert_string_equal(after->url, fake_url("/o/1"));
    assert_true(after->retry_after == 0);

    assert_int_equal(acme_order_fetch(&after, &session, order->url, &scope,
                                      &res, pool), 0);
    assert_int_equal(after->status, ACME_ORDER_VALID);
    assert_string_equal(after->certificate, fake_url("/c/1"));
    assert_non_null(strstr(fake_log(fake), "POST /f/1 finalize fresh\n"
                           "HEAD /nonce\nPOST /o/1 get fresh\n"));

    assert_int_equal(acme_order_fetch(&after, &session, order->url, &scope,
                                      &res, pool), 0);
    assert_int_equal(after->status, ACME_ORDER_INVALID);
    assert_ptr_equal(strstr(after->error.detail,
                            "order of a.org: Weak.; check AcmeKeyTypes"),
                     after->error.detail);
    assert_int_equal(after->error.retry, ACME_RETRY_NEVER);
    /* It cannot be finalized, and nothing was sent for it. */
    fake_serve(fake, rows);
    assert_int_not_equal(acme_order_finalize(&order, &session, after, &scope,
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
        { "deep", repeat("{\"status\":", "[", 30000) },
        { "one authorization too many",
          "{\"status\":\"pending\",\"authorizations\":"
          "[\"~/1\",\"~/2\",\"~/3\"]}" }
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
        assert_int_not_equal(acme_order_fetch(&order, &session, fake_url("/o"),
                                              &scope, &res, pool), 0);
        assert_null(order);
        assert_ptr_equal(strstr(res.detail, "order of a.org: "), res.detail);
        assert_null(strchr(res.detail, '\x1b'));
        assert_int_equal(res.retry, ACME_RETRY_SOON);
    }
}

/* What a reply may have follows from the names that are ordered. */
static void an_order_is_as_large_as_its_names(void **state)
{
    static const struct {
        const char *name;
        int names, authorizations, padding;     /* padding: octets */
        const char *says;                       /* "": it is read */
    } rows[] = {
        { "as many", 100, 100, 0, "" },
        { "one more", 100, 101, 0, "demands 101 authorizations, and only 100 names are ordered" },
        { "one too many", 1, 2, 0, "demands 2 authorizations, and only 1 name is ordered" },
        { "fewer", 100, 1, 0, "" },
        { "64 kB of one", 1, 1, 63 * 1024, "" },
        { "more of one", 1, 1, 64 * 1024, "more than 65536 octets" },
        { "more of many", 100, 100, 200 * 1024, "" },
        { "too much of many", 100, 100, 300 * 1024, "more than 24" }
    };
    acme_order_t *order;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const acme_order_scope_t of = { .id = "a.org",
                                        .names = rows[i].names };
        const char *list = repeat("\"~/0\"", ",\"~/1\"",
                                  rows[i].authorizations - 1);
        const fake_row_t table[] = {
            DIRECTORY, NONCE,
            { .request = "POST /o", .head = "200 OK", .body = apr_pstrcat(
              pool, "{\"status\":\"pending\",\"authorizations\":[", list,
              "],\"x\":\"", repeat("", "x", rows[i].padding), "\"}", NULL) },
            { 0 }
        };
        apr_status_t rv;

        print_message("%s\n", rows[i].name);
        fake_serve(fake, table);
        rv = acme_order_fetch(&order, &session, fake_url("/o"), &of, &res,
                              pool);
        assert_int_equal(rv == APR_SUCCESS, !*rows[i].says);
        if (rv == APR_SUCCESS) {
            assert_int_equal(order->authorizations->nelts,
                             rows[i].authorizations);
        }
        else if (!strstr(res.detail, rows[i].says)) {
            fail_msg("%s", res.detail);
        }
    }
}

static void a_refused_order_names_the_names(void **state)
{
    static const struct {
        const char *name, *head, *body, *names;
    } rows[] = {
        { "two of three", "403 No\r\n" PROBLEM, "{\"type\":\"" URN
          "compound\",\"subproblems\":[{\"identifier\":{\"type\":\"dns\","
          "\"value\":\"A.org\"}},{\"identifier\":{\"value\":\"*.b.org\"}}]}",
          "a.org *.b.org" },
        { "none", "403 No\r\n" PROBLEM, "{\"type\":\"" URN "caa\"}", "" },
        { "no problem", "500 Oh", "<html>", "" },
        { "no location", "201 Created", "{\"status\":\"pending\"}", "" }
    };
    apr_array_header_t *names;
    acme_order_t *order;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const fake_row_t table[] = {
            DIRECTORY, NONCE,
            { .request = "POST /order", .head = rows[i].head,
              .body = rows[i].body },
            { 0 }
        };

        print_message("%s\n", rows[i].name);
        fake_serve(fake, table);
        assert_int_not_equal(acme_order_create(&order, &names, &session,
                                               &scope, &res, pool), 0);
        assert_null(order);
        assert_string_equal(apr_array_pstrcat(pool, names, ' '),
                            rows[i].names);
    }
    acme_stop_now(http_conf.stop);
    assert_int_equal(acme_order_create(&order, &names, &session, &scope,
                                       &res, pool), APR_EINTR);
    assert_int_equal(names->nelts, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FAKE_CA_TEST(payloads_are_as_the_rfc_has_them),
        FAKE_CA_TEST(an_order_is_read_whole),
        FAKE_CA_TEST(a_hostile_order_is_refused),
        FAKE_CA_TEST(an_order_is_as_large_as_its_names),
        FAKE_CA_TEST(a_refused_order_names_the_names)
    };

    return cmocka_run_group_tests(tests, fake_ca_begin, fake_ca_end);
}
