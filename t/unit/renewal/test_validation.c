/*
 * test_validation.c - which challenge is answered, how long the CA is waited
 * for, and what is made of its refusal.
 */
#include "renewing.h"

static void renew_with(fake_row_t authz)
{
    const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"), authz,
        RESPOND("http-01"), RESPOND("tls-alpn-01"), ORDER_IS("ready", 1),
        FINALIZE, ORDER_IS_VALID, CHAIN, { 0 }
    };

    /* The administrator's: the breaker lets it pass. */
    request.state.wanted = ACME_WANT_RENEWAL;
    fake_keeper_prepared(keeper, 0, 0)->issued = 0;
    fake_keeper_prepared(keeper, 0, 0)->order_url[0] = '\0';
    renew(rows);
}

static void the_challenge_that_is_answered(void **state)
{
    static const struct {
        const char *name, *flags;
        fake_row_t authz;
        const char *answered;   /* NULL: none */
    } tries[] = {
        { "the first that is configured", "\0\0\0",
          AUTHZ("pending", CHALLENGE("tls-alpn-01", "") ","
                CHALLENGE("http-01", ""), 0), "POST /http-01" },
        { "one that is offered", "\0\0\0",
          AUTHZ("pending", CHALLENGE("tls-alpn-01", ""), 0),
          "POST /tls-alpn-01" },
        { "one that did not fail last time", "\1\0\0",
          AUTHZ("pending", BOTH, 0), "POST /tls-alpn-01" },
        { "all failed: the first again", "\3\0\0",
          AUTHZ("pending", BOTH, 0), "POST /http-01" },
        { "that failed, and no other one is offered", "\1\0\0",
          AUTHZ("pending", CHALLENGE("http-01", ""), 0), "POST /http-01" },
        { "none that is configured", "\0\0\0",
          AUTHZ("pending", CHALLENGE("dns-01", ""), 0), NULL },
        { "a wildcard", "\0\0\0",
          { .request = "POST /authz/1", .head = "200 OK",
            .body = "{\"status\":\"pending\",\"wildcard\":true,"
            "\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},"
            "\"challenges\":[" BOTH "]}" }, NULL }
    };
    static const char *const types[] = { "POST /http-01",
                                         "POST /tls-alpn-01" };
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(tries); i++) {
        fake_keeper_set_flags(keeper, tries[i].flags);
        renew_with(tries[i].authz);
        for (k = 0; k < COUNT(types); k++) {
            if ((strstr(fake_log(fake), types[k]) != NULL)
                != (tries[i].answered
                    && !strcmp(tries[i].answered, types[k]))) {
                fail_msg("%s: %s", tries[i].name, fake_log(fake));
            }
        }
    }
    assert_int_equal(presented, withdrawn);
}

static void none_can_be_answered(void **state)
{
    (void)state;
    renew_with((fake_row_t)AUTHZ("pending", CHALLENGE("dns-01", ""), 0));
    ASSERT_REPORTED("NOTE 0.0 failed name 0 by 4: a.test: no challenge can be "
                    "answered here (the CA offers: dns-01; here can work: "
                    "http-01 tls-alpn-01)\n");
    assert_int_equal(fake_keeper_failure(keeper).retry, ACME_RETRY_NEVER);
}

/* Answered before a reload: it goes on, but has to be presented again. */
static void a_challenge_that_was_begun_is_not_begun_again(void **state)
{
    (void)state;
    renew_with((fake_row_t)AUTHZ(
        "pending", CHALLENGE("http-01", ",\"status\":\"processing\""), 0));
    assert_null(strstr(fake_log(fake), "POST /http-01"));
    assert_int_equal(presented, 1);
    ASSERT_REPORTED("INSTALL 0.0 chain\n");
}

static void a_valid_authorization_is_left_alone(void **state)
{
    (void)state;
    renew_with((fake_row_t)AUTHZ("valid", BOTH, 0));
    assert_int_equal(presented, 0);
    ASSERT_REPORTED("validated: 1 name, still valid from before\n",
                    "INSTALL 0.0 chain\n");
}

/* Nobody opens a firewall for an order that needs none. */
static void pre_and_post_frame_its_challenges(void **state)
{
    apr_array_header_t *hooks = apr_array_make(pool, 1,
                                               sizeof(acme_hook_conf_t));

    (void)state;
    memset(apr_array_push(hooks), 0, sizeof(acme_hook_conf_t));     /* pre */
    cert_of(0)->hooks = hooks;
    renew_with((fake_row_t)AUTHZ("pending", BOTH, 0));
    ASSERT_REPORTED("VALIDATE 0.0 0\n", "VALIDATE 0.0 1\n",
                    "NOTE 0.0 validated", "INSTALL 0.0 chain\n");
    fake_keeper_refuse(keeper, ACME_MSG_VALIDATE, "pre failed");
    presented = 0;
    renew_with((fake_row_t)AUTHZ("pending", BOTH, 0));
    fake_keeper_refuse(keeper, ACME_MSG_VALIDATE, NULL);
    assert_int_equal(presented, 0);
    ASSERT_REPORTED("NOTE 0.0 failed: pre failed\n");
}

static void a_valid_order_is_not_framed(void **state)
{
    apr_array_header_t *hooks = apr_array_make(pool, 1,
                                               sizeof(acme_hook_conf_t));

    (void)state;
    memset(apr_array_push(hooks), 0, sizeof(acme_hook_conf_t));
    cert_of(0)->hooks = hooks;
    renew_with((fake_row_t)AUTHZ("valid", BOTH, 0));
    assert_not_reported("VALIDATE 0.0 0");
    ASSERT_REPORTED("INSTALL 0.0 chain\n");
}

static void an_invalid_order_without_a_reason(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", BOTH, 0), RESPOND("http-01"),
        ORDER_IS("invalid", 0), { 0 }
    };

    (void)state;
    renew(rows);
    ASSERT_REPORTED("ORDER 0.0 ~/order/1\n", "ORDER 0.0 \n",
                    "NOTE 0.0 failed: a.test: the CA marked the order invalid "
                    "and gave no reason\n");
}

static void the_orders_own_reason(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", BOTH, 0), RESPOND("http-01"),
        { .request = "POST /order/1", .head = "200 OK",
          .body = ORDER_BODY("invalid", ",\"error\":{\"type\":\"" URN "caa\","
                             "\"detail\":\"forbidden\"}") }, { 0 }
    };

    (void)state;
    renew(rows);
    ASSERT_REPORTED("NOTE 0.0 failed: ", "forbidden");
    assert_string_equal(fake_keeper_failure(keeper).problem, URN "caa");
}

/* An authorization can fail long before the CA says so of the order. */
static void authorizations_are_fetched_now_and_then(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", CHALLENGE("http-01", ""), 1), RESPOND("http-01"),
        ORDER_IS("pending", 0),
        AUTHZ("invalid", CHALLENGE("http-01", ",\"status\":\"invalid\","
              "\"error\":{\"type\":\"" URN "dns\",\"detail\":\"none\"}"), 0),
        { 0 }
    };

    (void)state;
    cert_of(0)->nchallenges = 1;
    renew(rows);
    ASSERT_REPORTED("NOTE 0.0 failed name 0 by 0: http-01 of a.test: none");
    ASSERT_ASKED("POST /order/1 get", "POST /order/1 get",
                 "POST /order/1 get", "POST /order/1 get", "POST /authz/1");
}

#define BAD_HTTP CHALLENGE("http-01", ",\"status\":\"pending\",\"error\":" \
    "{\"type\":\"" URN "connection\",\"detail\":\"no way in\"}")

/*
 * Some CAs leave a challenge pending that failed: its error is the reason, and
 * the next type is tried.
 */
static void a_pending_challenge_with_an_error_has_failed(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", BAD_HTTP "," CHALLENGE("tls-alpn-01", ""), 0),
        { .request = "POST /http-01", .head = "200 OK", .body = BAD_HTTP },
        RESPOND("tls-alpn-01"), ORDER_IS("pending", 1), ORDER_IS("ready", 1),
        FINALIZE, ORDER_IS_VALID, CHAIN, { 0 }
    };

    (void)state;
    renew(rows);
    ASSERT_ASKED("POST /http-01", "POST /order/1 get", "POST /authz/1 get",
                 "POST /order order", "POST /tls-alpn-01");
    ASSERT_REPORTED("NOTE 0.0 challenge name 0 by 0: http-01 of a.test: no way "
                    "in", "ORDER 0.0 \n", "validated: 1 name by tls-alpn-01",
                    "INSTALL 0.0 chain\n");
}

/* Without another type it is the order's reason, and the order is over. */
static void its_error_is_the_reason(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", BAD_HTTP, 0), RESPOND("http-01"),
        ORDER_IS("pending", 0), { 0 }
    };

    (void)state;
    cert_of(0)->nchallenges = 1;
    renew(rows);
    ASSERT_REPORTED("ORDER 0.0 ~/order/1\n", "ORDER 0.0 \n",
                    "NOTE 0.0 failed name 0 by 0: http-01 of a.test: no way "
                    "in");
    assert_int_equal(fake_keeper_failure(keeper).why,
                     ACME_REASON_PORT_80_UNREACHABLE);
}

/* The CA is asked to retry, and the next time it goes well. (8555, 8.2) */
static void an_error_may_pass(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", CHALLENGE("http-01", ""), 1),
        AUTHZ("pending", BAD_HTTP, 2), AUTHZ("pending", BOTH, 0),
        { .request = "POST /http-01", .times = 1, .head = "200 OK",
          .body = BAD_HTTP },
        RESPOND("http-01"), ORDER_IS("pending", 4), ORDER_IS("ready", 1),
        FINALIZE, ORDER_IS_VALID, CHAIN, { 0 }
    };
    acme_task_waits_t patient = quick;

    (void)state;
    patient.error_lasts = apr_time_from_sec(20);
    env.waits = &patient;
    renew(rows);
    ASSERT_ASKED("POST /http-01", "POST /authz/1", "POST /http-01",
                 "POST /authz/1", "POST /http-01");
    ASSERT_REPORTED("validated: 1 name by http-01", "INSTALL 0.0 chain\n");
    assert_not_reported("challenge");
}

/* A reply that is late or lost is no reason to send the CSR again. */
static void an_order_that_went_on_is_not_finalized_again(void **state)
{
    static const fake_row_t lost[] = {
        { .request = "POST /finalize", .head = "200 OK", .body = "lost",
          .how = FAKE_CUT },
        { .request = "POST /finalize", .head = "504 Late",
          .body = "<title>Gateway timeout</title>" },
        PROBLEM("POST /finalize", 0, "403 No", "orderNotReady", "wait")
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(lost); i++) {
        const fake_row_t rows[] = {
            DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("ready"), lost[i],
            ORDER_IS("processing", 1), ORDER_IS_VALID, CHAIN, { 0 }
        };
        const char *log;

        request.state.wanted = ACME_WANT_RENEWAL;
        fake_keeper_prepared(keeper, 0, 0)->issued = 0;
        fake_keeper_prepared(keeper, 0, 0)->order_url[0] = '\0';
        renew(rows);
        log = fake_log(fake);
        assert_story(log, (const char *const[]){ "POST /finalize",
                                                 "POST /order/1",
                                                 "POST /cert/1", NULL });
        assert_null(strstr(strstr(log, "POST /finalize") + 1,
                           "POST /finalize"));
        ASSERT_REPORTED("INSTALL 0.0 chain\n");
        assert_not_reported("failed");
    }
}

/* One that did not go on failed as the CA said. */
static void a_refused_finalization_is_told(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("ready"),
        { .request = "POST /finalize", .head = "502 Bad",
          .body = "<title>Bad gateway</title>" },
        ORDER_IS("ready", 0), { 0 }
    };

    (void)state;
    renew(rows);
    ASSERT_REPORTED("NOTE 0.0 failed: order of a.test: HTTP 502: Bad gateway");
}

static void a_retry_after_that_is_far_postpones_the_order(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", BOTH, 0), RESPOND("http-01"),
        { .request = "POST /order/1", .head = "200 OK\r\nRetry-After: 3600",
          .body = ORDER_BODY("pending", "") }, { 0 }
    };

    (void)state;
    renew(rows);
    ASSERT_REPORTED("NOTE 0.0 limit ca-timeout: a.test: the CA's Retry-After "
                    "postpones the order until ");
    assert_not_reported("failed");
    assert_not_reported("ORDER 0.0 \n");        /* it goes on then */
}

/* It would be waited for in vain. */
static void a_pending_order_without_authorizations(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT,
        { .request = "POST /order", .head = "201 Created\r\n"
          "Location: ~/order/1", .body = "{\"status\":\"pending\","
          "\"authorizations\":null,\"finalize\":\"~/finalize\"}" }, { 0 }
    };

    (void)state;
    renew(rows);
    ASSERT_REPORTED("NOTE 0.0 failed: order of a.test: it is pending, and the "
                    "CA names no authorization\n");
}

static void an_order_that_needs_none(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT,
        { .request = "POST /order", .head = "201 Created\r\n"
          "Location: ~/order/1", .body = "{\"status\":\"ready\","
          "\"authorizations\":null,\"finalize\":\"~/finalize\"}" },
        FINALIZE, ORDER_IS_VALID, CHAIN, { 0 }
    };

    (void)state;
    renew(rows);
    ASSERT_REPORTED("validated: the CA demands no authorization\n",
                    "INSTALL 0.0 chain\n");
}

static void a_near_one_is_waited_for(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", BOTH, 0), RESPOND("http-01"),
        { .request = "POST /order/1", .times = 1,
          .head = "200 OK\r\nRetry-After: 1",
          .body = ORDER_BODY("pending", "") },
        ORDER_IS("ready", 1), FINALIZE, ORDER_IS_VALID, CHAIN, { 0 }
    };
    const apr_time_t begun = apr_time_now();

    (void)state;
    renew(rows);
    ASSERT_REPORTED("INSTALL 0.0 chain\n");
    assert_true(apr_time_now() - begun > apr_time_from_msec(900));
}

static void a_ca_that_never_ends_is_given_up(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("ready"), FINALIZE,
        ORDER_IS("processing", 0), { 0 }
    };
    acme_task_waits_t short_wait = quick;

    (void)state;
    short_wait.total = apr_time_from_msec(20);
    env.waits = &short_wait;
    renew(rows);
    ASSERT_REPORTED("NOTE 0.0 failed: a.test: the CA did not issue within 10 "
                    "minutes\n");
    assert_not_reported("ORDER 0.0 \n");
}

/* A CA that always says so is not asked without a pause. */
static void a_retry_after_of_nothing(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("ready"), FINALIZE,
        { .request = "POST /order/1", .times = 3,
          .head = "200 OK\r\nRetry-After: 0",
          .body = ORDER_BODY("processing", "") },
        ORDER_IS_VALID, CHAIN, { 0 }
    };
    acme_task_waits_t patient = quick;
    const apr_time_t begun = apr_time_now();

    (void)state;
    patient.looks.first = patient.looks.longest = apr_time_from_msec(100);
    env.waits = &patient;
    renew(rows);
    ASSERT_REPORTED("INSTALL 0.0 chain\n");
    assert_true(apr_time_now() - begun >= apr_time_from_msec(400));
}

static acme_pace_t *pace_of(acme_pace_e what)
{
    return &fake_keeper_prepared(keeper, 0, 0)->pace.of[what];
}

static void what_is_measured(void **state)
{
    (void)state;
    renew_with((fake_row_t)AUTHZ("pending", BOTH, 0));
    ASSERT_REPORTED("PACE 0.0 seen settled visits\n", "PACE 0.0 issued\n",
                    "INSTALL 0.0 chain\n");
}

/* Of an order that was begun before a reload nobody knows when. */
static void what_is_not_measured(void **state)
{
    static const struct { const char *name; fake_row_t authz; } rows[] = {
        { "answered before", AUTHZ("pending", CHALLENGE(
              "http-01", ",\"status\":\"processing\""), 0) },
        { "valid before", AUTHZ("valid", BOTH, 0) }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        renew_with(rows[i].authz);
        ASSERT_REPORTED("PACE 0.0 issued\n");
        if (strstr(fake_keeper_log(keeper), "seen")) {
            fail_msg("%s:\n%s", rows[i].name, fake_keeper_log(keeper));
        }
    }
}

/* A CA that issues at once is not looked at, and a refused number is no
   failure. */
static void what_costs_no_certificate(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", BOTH, 0), RESPOND("http-01"), ORDER_IS("ready", 1),
        { .request = "POST /finalize", .head = "200 OK",
          .body = ORDER_BODY("valid", ",\"certificate\":\"~/cert/1\"") },
        CHAIN, { 0 }
    };

    (void)state;
    fake_keeper_refuse(keeper, ACME_MSG_PACE, "no");
    renew(rows);
    fake_keeper_refuse(keeper, ACME_MSG_PACE, NULL);
    assert_not_reported("PACE 0.0 issued");
    ASSERT_REPORTED("INSTALL 0.0 chain\n");
}

/* The usual time is waited for, and one look suffices. */
static void orders_begin_with_what_was_learned(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("ready"), FINALIZE,
        ORDER_IS_VALID, CHAIN, { 0 }
    };
    acme_task_waits_t patient = quick;
    const apr_time_t begun = apr_time_now();

    (void)state;
    patient.looks.longest = apr_time_from_sec(10);
    env.waits = &patient;
    acme_ca_pace_add(pace_of(ACME_PACE_ISSUED), 400, 1);
    renew(rows);
    ASSERT_REPORTED("INSTALL 0.0 chain\n");
    assert_true(apr_time_now() - begun >= apr_time_from_msec(400));
}

/* They usually take ten seconds, and have all come. */
static void validators_bring_the_look_forward(void **state)
{
    acme_task_waits_t patient = quick;
    const apr_time_t begun = apr_time_now();

    (void)state;
    patient.looks.longest = apr_time_from_sec(60);
    env.waits = &patient;
    acme_ca_pace_add(pace_of(ACME_PACE_SEEN), ACME_PACE_MAX, 2);
    acme_ca_pace_add(pace_of(ACME_PACE_VISITS), 1, 2);
    acme_ca_pace_add(pace_of(ACME_PACE_SETTLED), 1, 2);
    renew_with((fake_row_t)AUTHZ("pending", BOTH, 0));
    ASSERT_REPORTED("INSTALL 0.0 chain\n");
    assert_true(apr_time_now() - begun < apr_time_from_sec(8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RENEWING_TEST(the_challenge_that_is_answered),
        RENEWING_TEST(none_can_be_answered),
        RENEWING_TEST(a_challenge_that_was_begun_is_not_begun_again),
        RENEWING_TEST(a_valid_authorization_is_left_alone),
        RENEWING_TEST(pre_and_post_frame_its_challenges),
        RENEWING_TEST(a_valid_order_is_not_framed),
        RENEWING_TEST(an_invalid_order_without_a_reason),
        RENEWING_TEST(the_orders_own_reason),
        RENEWING_TEST(authorizations_are_fetched_now_and_then),
        RENEWING_TEST(a_pending_challenge_with_an_error_has_failed),
        RENEWING_TEST(its_error_is_the_reason),
        RENEWING_TEST(an_error_may_pass),
        RENEWING_TEST(an_order_that_went_on_is_not_finalized_again),
        RENEWING_TEST(a_refused_finalization_is_told),
        RENEWING_TEST(a_retry_after_that_is_far_postpones_the_order),
        RENEWING_TEST(a_pending_order_without_authorizations),
        RENEWING_TEST(an_order_that_needs_none),
        RENEWING_TEST(a_near_one_is_waited_for),
        RENEWING_TEST(a_ca_that_never_ends_is_given_up),
        RENEWING_TEST(a_retry_after_of_nothing),
        RENEWING_TEST(what_is_measured),
        RENEWING_TEST(what_is_not_measured),
        RENEWING_TEST(what_costs_no_certificate),
        RENEWING_TEST(orders_begin_with_what_was_learned),
        RENEWING_TEST(validators_bring_the_look_forward)
    };

    return cmocka_run_group_tests(tests, renewing_begin, renewing_end);
}
