/*
 * test_renewal_info.c - when a CA wants a certificate renewed.
 */
#include "acme_renewal_info.h"
#include "fake_ca.h"

#define CERT_ID "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"   /* 9773, 4.1 */

#define NOW apr_time_from_sec(1767225600)
#define MINUTE apr_time_from_sec(60)
#define HOUR (60 * MINUTE)

static apr_status_t parse(acme_renewal_info_t *info, const char *body,
                          apr_time_t retry_after)
{
    acme_http_reply_t reply = { .status = 200, .body = body,
                                .body_len = strlen(body),
                                .retry_after = retry_after };

    return acme_renewal_info_parse(info, &reply, NOW, "renewal info x", &res,
                                   pool);
}

#define WINDOW(start, end) \
    "{\"suggestedWindow\":{\"start\":\"" start "\",\"end\":\"" end "\"}}"

static void a_window_is_read(void **state)
{
    static const struct {
        const char *body;
        apr_int64_t start, end;         /* seconds */
    } rows[] = {
        /* 9773, 4.2 */
        { "{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\","
          "\"end\":\"2025-01-03T04:00:00Z\"},\"explanationURL\":"
          "\"https://acme.example.com/docs/ari\"}", 1735790400, 1735876800 },
        { WINDOW("2025-01-02T04:00:00.999999999Z",
                 "2025-01-03T04:00:00.1Z"), 1735790400, 1735876800 },
        { WINDOW("2025-01-02T06:00:00+02:00", "2025-01-02T20:30:00-07:30"),
          1735790400, 1735876800 },
        { WINDOW("2025-01-02t04:00:00z", "2025-01-02T04:00:01Z"), 1735790400,
          1735790401 },
        { WINDOW("1970-01-01T00:00:01Z", "9999-12-31T23:59:59Z"), 1,
          253402300799 }
    };
    acme_renewal_info_t info;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        print_message("%s\n", rows[i].body);
        assert_int_equal(parse(&info, rows[i].body, 0), 0);
        assert_int_equal(info.start, apr_time_from_sec(rows[i].start));
        assert_int_equal(info.end, apr_time_from_sec(rows[i].end));
        assert_int_equal(info.ask_at, NOW + 6 * HOUR);
    }
}

static void a_bad_window_is_refused_for_long(void **state)
{
    static const char *const rows[] = {
        "", "null", "[]", "{}", "<html>", "{\"suggestedWindow\":[]}",
        "{\"suggestedWindow\":\"2025-01-02T04:00:00Z\"}",
        "{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\"}}",
        "{\"suggestedWindow\":{\"end\":\"2025-01-02T04:00:00Z\"}}",
        "{\"suggestedWindow\":{\"start\":1735790400,\"end\":1735876800}}",
        "{\"start\":\"2025-01-02T04:00:00Z\","
        "\"end\":\"2025-01-03T04:00:00Z\"}",
        WINDOW("2025-01-02T04:00:00Z", "2025-01-02T04:00:00Z"),
        WINDOW("2025-01-02T04:00:00Z", "2025-01-02T03:59:59Z"),
        WINDOW("2025-01-02T04:00:00Z", "2025-01-02T05:00:00+01:00"),
        WINDOW("2025-01-02T04:00:00", "2025-01-03T04:00:00"),
        WINDOW("2025-01-02 04:00:00Z", "2025-01-03 04:00:00Z"),
        WINDOW("2025-02-30T04:00:00Z", "2025-03-03T04:00:00Z"),
        WINDOW("2025-01-02T24:00:00Z", "2025-01-03T04:00:00Z"),
        WINDOW("2025-01-02T04:00:00.Z", "2025-01-03T04:00:00Z"),
        WINDOW("2025-01-02T04:00:00+99:00", "2025-01-03T04:00:00Z"),
        WINDOW("2025-01-02T04:00:00Z\\u0000", "2025-01-03T04:00:00Z"),
        WINDOW("0001-01-01T00:00:00Z", "2025-01-03T04:00:00Z"),
        WINDOW("2025-01-02T04:00:00Z", "12025-01-03T04:00:00Z"),
        WINDOW("", ""), WINDOW("soon", "later")
    };
    acme_renewal_info_t info = { .start = 7 };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        print_message("%s\n", rows[i]);
        assert_int_not_equal(parse(&info, rows[i], NOW), 0);
        assert_int_equal(res.retry, ACME_RETRY_NEVER);
        assert_ptr_equal(strstr(res.detail, "renewal info x: "), res.detail);
        assert_int_equal(info.start, 7);
    }
}

static void huge_documents_are_no_trouble(void **state)
{
    char *big = apr_pcalloc(pool, 1000001);
    acme_renewal_info_t info;

    (void)state;
    memset(big, '9', 1000000);
    assert_int_not_equal(parse(&info, apr_psprintf(
        pool, "{\"suggestedWindow\":{\"start\":\"%s\",\"end\":\"%s\"}}", big,
        big), 0), 0);
    assert_int_not_equal(parse(&info, apr_psprintf(
        pool, WINDOW("2025-01-02T04:00:00.%sZ", "2025-01-03T04:00:00Z"), big),
        0), 0);
    assert_int_equal(parse(&info, apr_psprintf(
        pool, "{\"explanationURL\":\"https://ca/%s\",\"suggestedWindow\":"
        "{\"start\":\"2025-01-02T04:00:00Z\",\"end\":\"2025-01-03T04:00:00Z\""
        "}}", big), 0), 0);
    assert_null(info.explanation);
    memset(big, '[', 1000000);
    assert_int_not_equal(parse(&info, big, 0), 0);
    assert_int_equal(res.retry, ACME_RETRY_NEVER);
}

static void an_explanation_is_a_url_for_people(void **state)
{
    static const struct {
        const char *value, *url;
    } rows[] = {
        { "\"https://ca/why?a=b\"", "https://ca/why?a=b" },
        { "\"http://ca/why\"", "http://ca/why" },
        { "\"HTTP://ca/why\"", "HTTP://ca/why" },
        { "\"\"", NULL }, { "7", NULL }, { "null", NULL },
        { "\"javascript:alert(1)\"", NULL }, { "\"http:\"", NULL },
        { "\"ftp://ca/\"", NULL }, { "\"http://\"", NULL },
        { "\"https://ca/\\u001b[2J\"", NULL }, { "\"http://ca/<b>\"", NULL },
        { "\"http://u:p@ca/\"", NULL }, { "\"https://ca/\\u0000\"", NULL }
    };
    acme_renewal_info_t info;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        print_message("%s\n", rows[i].value);
        assert_int_equal(parse(&info, apr_psprintf(
            pool, "{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\","
            "\"end\":\"2025-01-03T04:00:00Z\"},\"explanationURL\":%s}",
            rows[i].value), 0), 0);
        if (rows[i].url) {
            assert_string_equal(info.explanation, rows[i].url);
        }
        else {
            assert_null(info.explanation);
        }
    }
}

static void retry_after_is_clamped(void **state)
{
    static const struct {
        apr_time_t retry_after, ask_at;
    } rows[] = {
        { 0, NOW + 6 * HOUR }, { 1, NOW + MINUTE }, { NOW, NOW + MINUTE },
        { NOW + MINUTE, NOW + MINUTE }, { NOW + HOUR, NOW + HOUR },
        { NOW + 24 * HOUR, NOW + 24 * HOUR },
        { NOW + 25 * HOUR, NOW + 24 * HOUR }
    };
    acme_renewal_info_t info;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(parse(&info, WINDOW("2025-01-02T04:00:00Z",
                                             "2025-01-03T04:00:00Z"),
                               rows[i].retry_after), 0);
        assert_int_equal(info.ask_at, rows[i].ask_at);
    }
}

#define GOOD WINDOW("2025-01-02T04:00:00Z", "2025-01-03T04:00:00Z")

static void a_reply_is_for_soon_or_for_long(void **state)
{
    static const struct {
        const char *head, *body;
        int good;
        acme_retry_e retry;
    } rows[] = {
        { "200 OK\r\nRetry-After: 21600", GOOD, 1, 0 },
        { "200 OK", GOOD, 1, 0 },
        { "200 OK\r\nRetry-After: tomorrow", GOOD, 1, 0 },
        { "200 OK\r\nRetry-After: 60", "{}", 0, ACME_RETRY_NEVER },
        { "204 No Content", "", 0, ACME_RETRY_NEVER },
        { "302 Found\r\nLocation: ~/x", "", 0, ACME_RETRY_NEVER },
        { "400 Bad\r\n" PROBLEM, "{\"type\":\"" URN "malformed\"}", 0,
          ACME_RETRY_NEVER },
        { "404 Not Found\r\nRetry-After: 60", "", 0, ACME_RETRY_NEVER },
        { "429 Slow\r\nRetry-After: 60", "", 0, ACME_RETRY_LATER },
        { "429 Slow", "", 0, ACME_RETRY_LATER },
        { "500 Oh", "<html>", 0, ACME_RETRY_SOON },
        { "500 Oh\r\n" PROBLEM, "{\"type\":\"" URN "badCSR\"}", 0,
          ACME_RETRY_SOON },
        { "503 Busy\r\nRetry-After: 60", "", 0, ACME_RETRY_LATER }
    };
    acme_renewal_info_t info;
    apr_status_t rv;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const fake_row_t table[] = {
            FULL_DIRECTORY,
            { .request = "GET /info/" CERT_ID, .head = rows[i].head,
              .body = rows[i].body },
            { 0 }
        };
        apr_time_t now = apr_time_now();

        print_message("%s\n", rows[i].head);
        fake_serve(fake, table);
        rv = acme_renewal_info_fetch(&info, &session, CERT_ID, now, &res,
                                     pool);
        if (rows[i].good) {
            assert_int_equal(rv, 0);
            assert_int_equal(info.start, apr_time_from_sec(1735790400));
            assert_true(info.ask_at >= now + 6 * HOUR);
            assert_true(info.ask_at < now + 7 * HOUR);
            continue;
        }
        assert_int_not_equal(rv, 0);
        assert_int_equal(res.retry, rows[i].retry);
        assert_detail(fake_url("/info/" CERT_ID));
        if (res.retry == ACME_RETRY_NEVER) {
            assert_int_equal(res.retry_at, 0);
        }
    }
    assert_int_equal(session.requests, sizeof(rows) / sizeof(*rows));
}

static void the_url_is_joined_with_one_slash(void **state)
{
    static const char *const urls[] = { "~/info", "~/info/" };
    acme_renewal_info_t info;
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        const fake_row_t rows[] = {
            { .request = "GET /dir", .head = "200 OK", .body = apr_psprintf(
              pool, "{\"newNonce\":\"~/n\",\"newAccount\":\"~/a\","
              "\"newOrder\":\"~/o\",\"renewalInfo\":\"%s\"}", urls[i]) },
            { .request = "GET /info/" CERT_ID, .head = "200 OK",
              .body = GOOD },
            { 0 }
        };

        open_ca();
        fake_serve(fake, rows);
        assert_int_equal(acme_renewal_info_fetch(&info, &session, CERT_ID,
                                                 NOW, &res, pool), 0);
        assert_string_equal(fake_log(fake),
                            "GET /dir\nGET /info/" CERT_ID "\n");
    }
}

static void what_is_no_cert_id_is_not_asked_for(void **state)
{
    static const char *const ids[] = {
        "", ".", "a", "a.", ".a", "a.b.c", "../a.b", "a.b/c", "a.b?c", "a.b=",
        "a b.c"
    };
    static const fake_row_t rows[] = { FULL_DIRECTORY, { 0 } };
    acme_renewal_info_t info;
    size_t i;

    (void)state;
    fake_serve(fake, rows);
    for (i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        assert_int_equal(acme_renewal_info_fetch(&info, &session, ids[i], NOW,
                                                 &res, pool), APR_EINVAL);
    }
    assert_string_equal(fake_log(fake), "GET /dir\n");
}

static void a_ca_may_have_none_or_be_away(void **state)
{
    static const fake_row_t none[] = { DIRECTORY, { 0 } };
    static const fake_row_t cut[] = {
        FULL_DIRECTORY,
        { .request = "GET /info/" CERT_ID, .head = "200 OK", .body = GOOD,
          .how = FAKE_CUT },
        { 0 }
    };
    acme_renewal_info_t info;

    (void)state;
    fake_serve(fake, none);
    assert_int_equal(acme_renewal_info_fetch(&info, &session, CERT_ID, NOW,
                                             &res, pool), APR_ENOTIMPL);
    assert_detail(fake_url("/dir"));
    open_ca();
    fake_serve(fake, cut);
    assert_int_not_equal(acme_renewal_info_fetch(&info, &session, CERT_ID,
                                                 NOW, &res, pool), 0);
    assert_int_equal(res.retry, ACME_RETRY_SOON);
    acme_stop_now(http_conf.stop);
    assert_int_equal(acme_renewal_info_fetch(&info, &session, CERT_ID, NOW,
                                             &res, pool), APR_EINTR);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FAKE_CA_TEST(a_window_is_read),
        FAKE_CA_TEST(a_bad_window_is_refused_for_long),
        FAKE_CA_TEST(huge_documents_are_no_trouble),
        FAKE_CA_TEST(an_explanation_is_a_url_for_people),
        FAKE_CA_TEST(retry_after_is_clamped),
        FAKE_CA_TEST(a_reply_is_for_soon_or_for_long),
        FAKE_CA_TEST(the_url_is_joined_with_one_slash),
        FAKE_CA_TEST(what_is_no_cert_id_is_not_asked_for),
        FAKE_CA_TEST(a_ca_may_have_none_or_be_away)
    };

    return cmocka_run_group_tests(tests, fake_ca_begin, fake_ca_end);
}
