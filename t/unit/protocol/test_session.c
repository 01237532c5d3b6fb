/*
 * test_session.c - the directory, the nonces, and requests that are signed.
 */
#include "fake_ca.h"
#include "threads.h"

static apr_status_t post(const char *path)
{
    const acme_session_post_t get = { .kind = ACME_SIGN_POST_AS_GET,
                                      .url = fake_url(path),
                                      .what = "the test" };
    acme_http_reply_t *reply;

    return acme_session_post(&reply, &session, &get, &res, pool);
}

static void a_directory_is_asked_for_once(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "GET /dir", .head = "200 OK", .body =
          "{\"newNonce\":\"~/nonce\",\"newAccount\":\"~/account\","
          "\"newOrder\":\"~/order\",\"revokeCert\":\"http://plain/\","
          "\"keyChange\":7,\"renewalInfo\":\"~/info\",\"more\":[{}],"
          "\"meta\":{\"termsOfService\":\"https://ca/\\u001b[2J\","
          "\"externalAccountRequired\":true}}" },
        { 0 }
    };
    const acme_directory_t *dir, *again;

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(acme_session_directory(&dir, &session, &res, pool), 0);
    assert_string_equal(dir->new_nonce, fake_url("/nonce"));
    assert_string_equal(dir->new_order, fake_url("/order"));
    assert_string_equal(dir->renewal_info, fake_url("/info"));
    assert_null(dir->revoke_cert);
    assert_null(dir->key_change);
    assert_string_equal(dir->terms_of_service, "https://ca/\\x1b[2J");
    assert_true(dir->external_account_required);
    assert_int_equal(acme_session_directory(&again, &session, &res, pool), 0);
    assert_string_equal(again->new_order, fake_url("/order"));
    assert_string_equal(fake_log(fake), "GET /dir\n");
    assert_int_equal(session.requests, 0);
}

static void who_has_a_directory_keeps_it_when_it_changes(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "GET /dir", .head = "200 OK", .times = 1, .body =
          "{\"newNonce\":\"~/n\",\"newAccount\":\"~/a\","
          "\"newOrder\":\"~/first\"}" },
        { .request = "GET /dir", .head = "200 OK", .body =
          "{\"newNonce\":\"~/n\",\"newAccount\":\"~/a\","
          "\"newOrder\":\"~/second\"}" },
        { 0 }
    };
    const acme_directory_t *dir, *again;

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(acme_session_directory(&dir, &session, &res, pool), 0);
    acme_ca_directory_forget(session.ca);
    assert_int_equal(acme_session_directory(&again, &session, &res, pool), 0);
    assert_string_equal(dir->new_order, fake_url("/first"));
    assert_string_equal(again->new_order, fake_url("/second"));
}

static void a_directory_without_meta_will_do(void **state)
{
    static const fake_row_t rows[][2] = {
        { DIRECTORY, { 0 } },
        { { .request = "GET /dir", .head = "200 OK", .body =
            "{\"newNonce\":\"~/n\",\"newAccount\":\"~/a\","
            "\"newOrder\":\"~/o\",\"meta\":{}}" }, { 0 } },
        { { .request = "GET /dir", .head = "200 OK", .body =
            "{\"newNonce\":\"~/n\",\"newAccount\":\"~/a\","
            "\"newOrder\":\"~/o\",\"meta\":\"none\"}" }, { 0 } }
    };
    const acme_directory_t *dir;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        open_ca();
        fake_serve(fake, rows[i]);
        assert_int_equal(acme_session_directory(&dir, &session, &res, pool), 0);
        assert_null(dir->terms_of_service);
        assert_false(dir->external_account_required);
    }
}

static void assert_meta(const char *meta, const char *profiles,
                        const char *issuers, const char *prefix)
{
    fake_row_t rows[] = { { .request = "GET /dir", .head = "200 OK" }, { 0 } };
    const acme_directory_t *dir;
    apr_pool_t *short_lived;
    const char *text = "";
    int i;

    rows[0].body = apr_pstrcat(pool, "{\"newNonce\":\"~/n\","
                               "\"newAccount\":\"~/a\",\"newOrder\":\"~/o\","
                               "\"meta\":", meta, "}", NULL);
    open_ca();
    fake_serve(fake, rows);
    apr_pool_create(&short_lived, pool);
    assert_int_equal(acme_session_directory(&dir, &session, &res,
                                            short_lived), 0);
    apr_pool_destroy(short_lived);
    assert_int_equal(acme_session_directory(&dir, &session, &res, pool), 0);
    for (i = 0; i < dir->profiles->nelts; i++) {
        const acme_profile_t *profile = &APR_ARRAY_IDX(dir->profiles, i,
                                                       acme_profile_t);

        text = apr_pstrcat(pool, text, profile->name, "=",
                           profile->description, ";", NULL);
    }
    assert_string_equal(text, profiles);
    assert_string_equal(apr_array_pstrcat(pool, dir->issuer_domain_names, ' '),
                        issuers);
    assert_string_equal(dir->account_hash_prefix ? dir->account_hash_prefix
                                                 : "none", prefix);
}

#define PREFIX(value) "{\"accountHashPrefix\":" value "}"

static void meta_tells_what_a_ca_offers(void **state)
{
    (void)state;
    assert_meta("null", "", "", "none");
    assert_meta("[]", "", "", "none");
    assert_meta("{\"profiles\":[\"classic\"],\"issuerDomainNames\":\"a.org\","
                "\"accountHashPrefix\":[]}", "", "", "none");
    assert_meta("{\"profiles\":{\"classic\":\"https://ca/\",\"\":\"none\","
                "\"odd\\u001b\":\"\\u0007\",\"short\":7},"
                "\"issuerDomainNames\":[\"A.org\",\"b.org.\",\"x y\",3,\"\","
                "\"192.0.2.1\",\"*.c.org\",\"a;b\"],"
                "\"accountHashPrefix\":\"https://ca/acct/\"}",
                "classic=https://ca/;odd\\x1b=\\x07;short=;",
                "a.org b.org", "https://ca/acct/");
    assert_meta(PREFIX("\"\""), "", "", "none");
    assert_meta(PREFIX("\"a b\""), "", "", "none");
    assert_meta(PREFIX("\"a;b\""), "", "", "none");
    assert_meta(PREFIX("\"a\\\"b\""), "", "", "none");
    assert_meta(PREFIX("\"a'b\""), "", "", "none");
    assert_meta(PREFIX("\"a\\nb\""), "", "", "none");
    assert_meta(PREFIX("\"\\u00e4\""), "", "", "none");
    assert_meta(PREFIX("\"\\u007f\""), "", "", "none");
}

static void what_a_ca_offers_is_bounded(void **state)
{
    fake_row_t rows[] = { { .request = "GET /dir", .head = "200 OK" }, { 0 } };
    const char *profiles = "\"0\":0", *issuers = "\"0.org\"";
    char *big = apr_pcalloc(pool, 10001);
    const acme_directory_t *dir;
    int i;

    (void)state;
    memset(big, 'x', 10000);
    for (i = 1; i < 200; i++) {
        profiles = apr_psprintf(pool, "%s,\"%d\":0", profiles, i);
        issuers = apr_psprintf(pool, "%s,\"%d.org\"", issuers, i);
    }
    rows[0].body = apr_psprintf(pool, "{\"newNonce\":\"~/n\","
                                "\"newAccount\":\"~/a\",\"newOrder\":\"~/o\","
                                "\"meta\":{\"profiles\":{\"%s\":\"\","
                                "\"first\":\"%s\",%s},\"issuerDomainNames\":"
                                "[\"%s\",%s],\"accountHashPrefix\":\"%s\"}}",
                                big, big, profiles, big, issuers, big);
    fake_serve(fake, rows);
    assert_int_equal(acme_session_directory(&dir, &session, &res, pool), 0);
    assert_int_equal(dir->profiles->nelts, ACME_PROFILES_MAX);
    assert_string_equal(APR_ARRAY_IDX(dir->profiles, 0, acme_profile_t).name,
                        "first");
    assert_true(strlen(APR_ARRAY_IDX(dir->profiles, 0, acme_profile_t)
                       .description) <= 300);
    assert_int_equal(dir->issuer_domain_names->nelts, 10);
    assert_null(dir->account_hash_prefix);
    big[ACME_HASH_PREFIX_MAX] = '\0';
    assert_meta(apr_psprintf(pool, PREFIX("\"%s\""), big), "", "", big);
}

static void a_directory_that_is_none_is_named(void **state)
{
    static const struct {
        const char *name, *head, *body, *says;
    } rows[] = {
        { "empty", "200 OK", NULL, "" },
        { "html", "200 OK", "<html>", "" },
        { "an array", "200 OK", "[]", "" },
        { "empty object", "200 OK", "{}", "newNonce" },
        { "no newOrder", "200 OK", "{\"newNonce\":\"~/n\","
          "\"newAccount\":\"~/a\"}", "newOrder" },
        { "plain newAccount", "200 OK", "{\"newNonce\":\"~/n\","
          "\"newAccount\":\"http://ca/\",\"newOrder\":\"~/o\"}",
          "newAccount" },
        { "not found", "404 Not Found", "gone", "HTTP 404: gone" },
        { "moved", "301 Moved\r\nLocation: http://ca/other", NULL,
          "HTTP 301: it leads to http://ca/other, which is not followed" }
    };
    const acme_directory_t *dir;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const fake_row_t table[] = {
            { .request = "GET /dir", .head = rows[i].head,
              .body = rows[i].body },
            { 0 }
        };

        print_message("%s\n", rows[i].name);
        fake_serve(fake, table);
        assert_int_not_equal(acme_session_directory(&dir, &session, &res, pool),
                             0);
        assert_null(dir);
        assert_detail(fake_url("/dir"));
        assert_detail(rows[i].says);
        assert_int_equal(res.retry, ACME_RETRY_SOON);
    }
}

static void nonces_come_from_replies(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /a", .head = "200 OK\r\nReplay-Nonce: of-a" },
        { .request = "POST /error", .head = "403 Forbidden\r\n"
          "Replay-Nonce: of-error" },
        { .request = "POST /bad", .head = "200 OK\r\nReplay-Nonce: a+b/c=" },
        { 0 }
    };

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(post("/a"), 0);
    assert_int_not_equal(post("/error"), 0);
    assert_int_equal(post("/bad"), 0);
    assert_int_equal(post("/a"), 0);
    assert_string_equal(fake_log(fake),
                        "GET /dir\n"
                        "HEAD /nonce\nPOST /a get fresh\n"
                        "POST /error get of-a\n"
                        "POST /bad get of-error\n"
                        "HEAD /nonce\nPOST /a get fresh\n");
    assert_int_equal(session.requests, 6);
    assert_int_equal(session.replies, 1 + 6);
    assert_true(acme_session_latency(&session) > 0);
    assert_true(acme_session_latency(&session) * 7 <= session.waited);
}

static void a_long_nonce_is_dropped(void **state)
{
    char *nonce = apr_palloc(pool, ACME_NONCE_MAX + 2);
    fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /a", .times = 1 }, { .request = "POST /a" },
        { 0 }
    };

    (void)state;
    memset(nonce, 'n', ACME_NONCE_MAX + 1);
    nonce[ACME_NONCE_MAX + 1] = '\0';
    rows[2].head = apr_pstrcat(pool, "200 OK\r\nReplay-Nonce: ", nonce, NULL);
    rows[3].head = apr_pstrcat(pool, "200 OK\r\nReplay-Nonce: ", nonce + 1,
                               NULL);
    fake_serve(fake, rows);
    assert_int_equal(post("/a"), 0);
    assert_int_equal(post("/a"), 0);
    assert_int_equal(post("/a"), 0);
    assert_non_null(strstr(fake_log(fake), apr_pstrcat(pool, "get fresh\n"
                           "POST /a get ", nonce + 1, "\n", NULL)));
}

static void no_nonce_is_an_error(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY,
        { .request = "HEAD /nonce", .head = "200 OK", .times = 1 },
        { .request = "HEAD /nonce", .head = "429 Slow Down\r\n"
          "Retry-After: 60" },
        { 0 }
    };

    (void)state;
    fake_serve(fake, rows);
    assert_int_not_equal(post("/a"), 0);
    assert_detail(fake_url("/nonce"));
    assert_int_not_equal(post("/a"), 0);
    assert_detail("HTTP 429");
    assert_int_equal(res.retry, ACME_RETRY_LATER);
    assert_true(res.retry_at > apr_time_now());
}

static void bad_nonce_spends_that_of_the_error(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /pool", .head = "200 OK\r\nReplay-Nonce: pool" },
        { .request = "POST /a", .times = 1, .head = "400 Bad\r\n" PROBLEM
          "\r\nReplay-Nonce: error-1", .body = "{\"type\":\"" URN
          "badNonce\"}" },
        { .request = "POST /a", .times = 1, .head = "400 Bad\r\n" PROBLEM,
          .body = "{\"type\":\"" URN "badNonce\"}" },
        { .request = "POST /a", .head = "200 OK\r\nReplay-Nonce: good" },
        { 0 }
    };

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(post("/pool"), 0);
    assert_int_equal(post("/a"), 0);
    assert_string_equal(fake_log(fake),
                        "GET /dir\nHEAD /nonce\n"
                        "POST /pool get fresh\n"
                        "POST /a get pool\n"
                        "POST /a get error-1\n"
                        "HEAD /nonce\nPOST /a get fresh\n");
}

static void bad_nonce_is_tried_again_within_a_bound(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /a", .head = "400 Bad\r\n" PROBLEM
          "\r\nReplay-Nonce: again", .body = "{\"type\":\"" URN
          "badNonce\",\"detail\":\"never heard of it\"}" },
        { 0 }
    };

    (void)state;
    fake_serve(fake, rows);
    assert_int_not_equal(post("/a"), 0);
    assert_true(acme_problem_is(&res, "badNonce"));
    assert_detail("the test: never heard of it");
    assert_int_equal(res.retry, ACME_RETRY_SOON);
    assert_int_equal(session.requests, 1 + 21);
}

static void *post_ten(void *data)
{
    acme_session_t mine = session;
    acme_http_reply_t *reply;
    apr_pool_t *own = data;
    acme_result_t why;
    intptr_t good = 0;
    int i;

    acme_http_create(&mine.http, &http_conf, &why, own);
    for (i = 0; i < THREAD_CALLS; i++) {
        const acme_session_post_t get = {
            .kind = ACME_SIGN_POST_AS_GET,
            .url = apr_pstrcat(own, fake_address(fake), "/a", NULL),
            .what = "x"
        };

        good += acme_session_post(&reply, &mine, &get, &why, own)
                == APR_SUCCESS;
    }
    return (void *)good;
}

static void threads_share_a_ca(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /a", .head = "200 OK\r\nReplay-Nonce: next" },
        { 0 }
    };

    const char *directory;

    (void)state;
    fake_serve(fake, rows);
    assert_threads_are_good(post_ten);
    /* One fetches it for all that begin together. */
    directory = strstr(fake_log(fake), "GET /dir");
    assert_non_null(directory);
    assert_null(strstr(directory + 1, "GET /dir"));
}

/* Each by itself, and none waits for the other any more. */
static void a_directory_that_failed_is_fetched_by_all(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "GET /dir", .head = "500 No", .body = "" }, { 0 }
    };

    (void)state;
    fake_serve(fake, rows);
    assert_int_not_equal(post("/a"), 0);
    assert_int_not_equal(post("/a"), 0);
    assert_string_equal(fake_log(fake), "GET /dir\nGET /dir\n");
}

static int borrowed, given_back;

static apr_status_t lend(acme_http_t **phttp, void *baton, acme_result_t *why)
{
    borrowed++;
    *phttp = baton;
    return baton ? APR_SUCCESS : acme_fail(why, APR_ENOMEM, "nothing to lend");
}

static void take_back(void *baton, acme_http_t *http)
{
    assert_ptr_equal(http, baton);
    given_back++;
}

static void a_connection_is_borrowed_for_each_request(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /a", .head = "200 OK\r\nReplay-Nonce: next" },
        { .request = "POST /cut", .head = "200 OK", .how = FAKE_CUT,
          .body = "cut" },
        { 0 }
    };
    acme_http_t *own = session.http;
    acme_session_lender_t lender = { own, lend, take_back };

    (void)state;
    fake_serve(fake, rows);
    session.http = NULL;
    session.lender = &lender;
    borrowed = given_back = 0;
    assert_int_equal(post("/a"), 0);
    assert_int_equal(borrowed, 3);
    assert_int_not_equal(post("/cut"), 0);      /* after a failure as well */
    assert_int_equal(borrowed, 4);
    assert_int_equal(given_back, 4);
    lender.baton = NULL;
    assert_int_equal(post("/a"), APR_ENOMEM);
    assert_detail("nothing to lend");
    assert_int_equal(given_back, 4);
    session.http = own;
    session.lender = NULL;
}

static void a_refusal_brings_its_reply(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /a", .head = "403 No", .body = "why" },
        { 0 }
    };
    const acme_session_post_t order = { .kind = ACME_SIGN_NEW_ORDER,
                                        .url = fake_url("/a"),
                                        .what = "x" };
    acme_http_reply_t *reply;

    (void)state;
    fake_serve(fake, rows);
    assert_int_not_equal(acme_session_post(&reply, &session, &order, &res,
                                           pool), 0);
    assert_non_null(reply);
    assert_string_equal(reply->body, "why");
    session.baton = &session;
    assert_int_not_equal(acme_session_post(&reply, &session, &order, &res,
                                           pool), 0);
    assert_null(reply);
}

static void what_is_not_signed_is_not_sent(void **state)
{
    static const fake_row_t rows[] = { DIRECTORY, NONCE, { 0 } };
    const acme_session_post_t plain = { .kind = ACME_SIGN_POST_AS_GET,
                                        .url = "http://127.0.0.1/",
                                        .what = "x" };

    (void)state;
    fake_serve(fake, rows);
    session.baton = &session;
    assert_int_equal(post("/a"), APR_EACCES);
    assert_detail("does not sign");
    assert_string_equal(fake_log(fake), "GET /dir\nHEAD /nonce\n");
    session.baton = NULL;
    assert_int_not_equal(acme_session_post(&(acme_http_reply_t *){ NULL },
                                           &session, &plain, &res, pool), 0);
    acme_stop_now(http_conf.stop);
    assert_int_equal(post("/a"), APR_EINTR);
}

static char seen[256];

static void note_seen(void *baton, acme_resource_e resource, int status,
                      apr_interval_time_t latency)
{
    const apr_size_t len = strlen(seen);

    assert_ptr_equal(baton, &session);
    assert_true(status ? latency > 0 : !latency);
    apr_snprintf(seen + len, sizeof(seen) - len, "%s %d, ",
                 acme_resource_word(resource), status);
}

static void each_request_is_seen_with_its_resource(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        { .request = "POST /a", .head = "403 No", .body = "why" },
        { 0 }
    };
    acme_session_post_t order = { .kind = ACME_SIGN_NEW_ORDER,
                                  .resource = ACME_RESOURCE_NEW_ORDER,
                                  .url = fake_url("/a"),
                                  .what = "x" };
    acme_http_reply_t *reply;

    (void)state;
    seen[0] = '\0';
    session.seen = note_seen;
    session.seen_baton = &session;
    fake_serve(fake, rows);
    acme_session_post(&reply, &session, &order, &res, pool);
    assert_string_equal(seen, "directory 200, newNonce 200, newOrder 403, ");
    seen[0] = '\0';
    order.resource = ACME_RESOURCE_FINALIZE;
    order.url = "https://127.0.0.1:1/";
    acme_session_post(&reply, &session, &order, &res, pool);
    assert_non_null(strstr(seen, "finalize 0, "));
    seen[0] = '\0';
    acme_stop_now(http_conf.stop);
    acme_session_post(&reply, &session, &order, &res, pool);
    assert_string_equal(seen, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FAKE_CA_TEST(a_directory_is_asked_for_once),
        FAKE_CA_TEST(who_has_a_directory_keeps_it_when_it_changes),
        FAKE_CA_TEST(a_directory_without_meta_will_do),
        FAKE_CA_TEST(meta_tells_what_a_ca_offers),
        FAKE_CA_TEST(what_a_ca_offers_is_bounded),
        FAKE_CA_TEST(a_directory_that_is_none_is_named),
        FAKE_CA_TEST(nonces_come_from_replies),
        FAKE_CA_TEST(a_long_nonce_is_dropped),
        FAKE_CA_TEST(no_nonce_is_an_error),
        FAKE_CA_TEST(bad_nonce_spends_that_of_the_error),
        FAKE_CA_TEST(bad_nonce_is_tried_again_within_a_bound),
        FAKE_CA_TEST(a_directory_that_failed_is_fetched_by_all),
        FAKE_CA_TEST(a_connection_is_borrowed_for_each_request),
        FAKE_CA_TEST(threads_share_a_ca),
        FAKE_CA_TEST(a_refusal_brings_its_reply),
        FAKE_CA_TEST(what_is_not_signed_is_not_sent),
        FAKE_CA_TEST(each_request_is_seen_with_its_resource)
    };

    return cmocka_run_group_tests(tests, fake_ca_begin, fake_ca_end);
}
