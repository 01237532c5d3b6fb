/*
 * test_order_begin.c - the unfinished order, or a new one: what is resumed,
 * what a CA refuses of it, and whose fault that is.
 */
#include "renewing.h"

static void set_order(const char *path)
{
    apr_cpystrn(fake_keeper_prepared(keeper, 0, 0)->order_url, url(path),
                ACME_URL_SIZE);
}

static void an_unfinished_order_is_resumed(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, ORDER_IS("ready", 1), FINALIZE,
        ORDER_IS_VALID, CHAIN, { 0 }
    };

    (void)state;
    set_order("/order/1");
    renew(rows);
    ASSERT_REPORTED("ORDER 0.0 ~/order/1\n", "NOTE 0.0 resumed: at 127.0.0.1",
                    "validated: 1 name, still valid from before\n",
                    "INSTALL 0.0 chain\n");
    assert_null(strstr(fake_log(fake), "POST /order order"));
}

/* It was validated before: that is not reported again. */
static void one_that_is_being_issued_is_waited_for(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, ORDER_IS("processing", 2), ORDER_IS_VALID,
        CHAIN, { 0 }
    };

    (void)state;
    set_order("/order/1");
    renew(rows);
    ASSERT_REPORTED("NOTE 0.0 resumed: ", "INSTALL 0.0 chain\n");
    assert_not_reported("validated");
    assert_null(strstr(fake_log(fake), "finalize"));
}

/* A row tells how the CA answers for the old order, and what comes then. */
static void an_order_that_is_gone_is_forgotten(void **state)
{
    static const struct {
        const char *name;
        unsigned attempts;      /* failures before */
        int is_forgotten;
        fake_row_t old;
    } tries[] = {
        { "unknown", 0, 1, PROBLEM("POST /order/0", 0, "404 None", "malformed",
                                   "no such order") },
        { "of somebody else", 0, 1, PROBLEM("POST /order/0", 0, "403 No",
                                            "unauthorized", "not yours") },
        { "invalid", 0, 1, { .request = "POST /order/0", .head = "200 OK",
                             .body = ORDER_BODY("invalid", "") } },
        { "the CA's trouble", 0, 0, PROBLEM("POST /order/0", 0, "500 Oops",
                                            "serverInternal", "oops") },
        { "trouble that lasts", 5, 1, PROBLEM("POST /order/0", 0, "500 Oops",
                                              "serverInternal", "oops") },
        { "no problem document", 0, 1, { .request = "POST /order/0",
                                         .head = "404 None" } },
        { "a page", 0, 1, { .request = "POST /order/0", .head = "403 No",
                            .body = "<title>Forbidden</title>" } },
        { "an empty object", 1, 0, { .request = "POST /order/0",
                                     .head = "500 Oops", .body = "{}" } },
        { "again an empty object", 2, 1, { .request = "POST /order/0",
                                           .head = "500 Oops",
                                           .body = "{}" } },
        { "nonsense", 1, 0, { .request = "POST /order/0", .head = "200 OK",
                              .body = "{\"status\":\"odd\"}" } },
        { "nonsense that lasts", 2, 1, { .request = "POST /order/0",
                                         .head = "200 OK",
                                         .body = "{\"status\":\"odd\"}" } },
        { "a certificate", 2, 1, { .request = "POST /order/0",
                                   .head = "200 OK\r\nContent-Type: "
                                   "application/pem-certificate-chain",
                                   .body = "-----BEGIN CERTIFICATE-----" } },
        { "our account", 0, 1, { .request = "POST /order/0",
                                 .head = "200 OK",
                                 .body = "{\"status\":\"valid\"}" } },
        { "ready for nothing", 0, 1, { .request = "POST /order/0",
                                       .head = "200 OK",
                                       .body = "{\"status\":\"ready\"}" } },
        { "no connection", 5, 0, { .request = "POST /order/0",
                                   .head = "200 OK", .body = "cut off",
                                   .how = FAKE_CUT } },
        { "a limit", 5, 0, { .request = "POST /order/0", .head = "503 Wait\r\n"
                             "Retry-After: 60", .body = "" } }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(tries); i++) {
        const fake_row_t rows[] = { DIRECTORY, NONCE, ACCOUNT, tries[i].old,
                                    NEW_ORDER("ready"), FINALIZE,
                                    ORDER_IS_VALID, CHAIN, { 0 } };

        /* The administrator's: the breaker lets it pass. */
        request.state.wanted = ACME_WANT_RENEWAL;
        fake_keeper_prepared(keeper, 0, 0)->issued = 0;
        set_order("/order/0");
        request.state.attempts = tries[i].attempts;
        renew(rows);
        if ((strstr(fake_log(fake), "POST /order order") != NULL)
            != tries[i].is_forgotten) {
            fail_msg("%s: %s", tries[i].name, fake_keeper_log(keeper));
        }
    }
}

/* While the CA has trouble at all, its old order is not given up. */
static void an_order_is_kept_until_there_is_another(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT,
        { .request = "POST /order/0", .head = "500 Oops", .body = "{}" },
        { .request = "POST /order", .head = "500 Oops", .body = "{}" }, { 0 }
    };

    (void)state;
    set_order("/order/0");
    request.state.attempts = 3;
    renew(rows);
    ASSERT_ASKED("POST /order/0", "POST /order order");
    assert_not_reported("ORDER 0.0 \n");
}

/* The CA hands back an order that went another way before. */
static void an_older_order_for_another_key(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT,
        { .request = "POST /order", .head = "201 Created\r\n"
          "Location: ~/order/1",
          .body = ORDER_BODY("valid", ",\"certificate\":\"~/cert/1\"") },
        CHAIN, { 0 }
    };

    (void)state;
    fake_keeper_refuse(keeper, ACME_MSG_INSTALL, "not for this key");
    renew(rows);
    ASSERT_REPORTED("NOTE 0.0 failed: the CA handed back an older order of the "
                    "same names, which was finalized before: not for this "
                    "key\n");
}

static void a_refused_profile_is_left_out(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT,
        PROBLEM("POST /order", 1, "400 Bad", "invalidProfile", "not you"),
        NEW_ORDER("ready"), FINALIZE, ORDER_IS_VALID, CHAIN, { 0 }
    };

    (void)state;
    cert_of(0)->profile = "tls";
    renew(rows);
    ASSERT_ASKED("POST /order order+profile fresh", "POST /order order fresh");
    ASSERT_REPORTED("NOTE 0.0 warning: a.test: order of a.test: not you",
                    "; ordered without the profile tls\n",
                    "INSTALL 0.0 chain\n");
}

static void a_required_profile_is_not(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT,
        PROBLEM("POST /order", 0, "400 Bad", "invalidProfile", "not you"),
        { 0 }
    };

    (void)state;
    cert_of(0)->profile = "tls";
    cert_of(0)->profile_required = 1;
    renew(rows);
    ASSERT_REPORTED("NOTE 0.0 failed: order of a.test: not you");
    assert_not_reported("warning");
}

static void a_profile_that_is_not_offered(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("ready"), FINALIZE,
        ORDER_IS_VALID, CHAIN, { 0 }
    };

    (void)state;
    cert_of(0)->profile = "long";
    renew(rows);
    ASSERT_ASKED("POST /order order fresh");
    ASSERT_REPORTED("warning: a.test: the CA does not offer the profile long "
                    "(it offers: tls); ordered without it\n", "INSTALL");
    cert_of(0)->profile_required = 1;
    fake_keeper_prepared(keeper, 0, 0)->issued = 0;
    fake_keeper_prepared(keeper, 0, 0)->order_url[0] = '\0';
    renew(rows);
    ASSERT_REPORTED("failed: a.test: the CA does not offer the profile long "
                    "(it offers: tls), and AcmeProfile says required\n");
    assert_int_equal(fake_keeper_failure(keeper).retry, ACME_RETRY_NEVER);
}

static void the_name_that_the_ca_refuses_is_blamed(void **state)
{
    static const struct {
        const char *name, *body;
        apr_uint32_t blamed;
    } tries[] = {
        { "a subproblem",
          "{\"type\":\"" URN "malformed\",\"subproblems\":[{\"type\":\"" URN
          "rejectedIdentifier\",\"detail\":\"no\",\"identifier\":"
          "{\"type\":\"dns\",\"value\":\"b.test\"}}]}", 1 },
        { "a sentence", "{\"type\":\"" URN "rejectedIdentifier\","
          "\"detail\":\"no issue for \\\"b.test\\\"\"}", 1 },
        { "the first one", "{\"type\":\"" URN "rejectedIdentifier\","
          "\"detail\":\"not \\\"b.test\\\", not \\\"a.test\\\"\"}", 0 },
        { "without quotes", "{\"type\":\"" URN "rejectedIdentifier\","
          "\"detail\":\"no issue for b.test\"}", ACME_NO_NAME },
        { "another type", "{\"type\":\"" URN "unauthorized\","
          "\"detail\":\"\\\"b.test\\\"\"}", ACME_NO_NAME }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(tries); i++) {
        const fake_row_t rows[] = {
            DIRECTORY, NONCE, ACCOUNT,
            { .request = "POST /order", .head = "403 No\r\n"
              "Content-Type: application/problem+json",
              .body = tries[i].body },
            { 0 }
        };

        renew(rows);
        if (fake_keeper_failure(keeper).name != tries[i].blamed) {
            fail_msg("%s: %u", tries[i].name,
                     fake_keeper_failure(keeper).name);
        }
    }
}

static void names_left_out_are_not_noted(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("ready"), FINALIZE,
        ORDER_IS_VALID, CHAIN, { 0 }
    };

    (void)state;
    fake_keeper_set_flags(keeper, "\0\x80\0");
    renew(rows);
    ASSERT_REPORTED("ordered: from ", " for a.test, https://");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RENEWING_TEST(an_unfinished_order_is_resumed),
        RENEWING_TEST(one_that_is_being_issued_is_waited_for),
        RENEWING_TEST(an_order_that_is_gone_is_forgotten),
        RENEWING_TEST(an_order_is_kept_until_there_is_another),
        RENEWING_TEST(an_older_order_for_another_key),
        RENEWING_TEST(a_refused_profile_is_left_out),
        RENEWING_TEST(a_required_profile_is_not),
        RENEWING_TEST(a_profile_that_is_not_offered),
        RENEWING_TEST(the_name_that_the_ca_refuses_is_blamed),
        RENEWING_TEST(names_left_out_are_not_noted)
    };

    return cmocka_run_group_tests(tests, renewing_begin, renewing_end);
}
