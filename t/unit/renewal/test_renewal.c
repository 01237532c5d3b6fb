/*
 * test_renewal.c - the life of one renewal: what it asks of the CA and of the
 * keeper, one after the other, and what it reports when it fails.
 */
#include <pthread.h>
#include <unistd.h>

#include "door.h"
#include "renewing.h"

static void from_the_order_to_the_installation(void **state)
{
    static const fake_row_t rows[] = { DIRECTORY, NONCE, ACCOUNT,
                                       NEW_ORDER("pending"), GOES_WELL,
                                       { 0 } };

    (void)state;
    renew(rows);
    ASSERT_REPORTED("PREPARE 0.0\n", "ACCOUNT 0.0 ~/account/1\n",
                    "PREPARE 0.0\n", "ORDER 0.0 ~/order/1\n",
                    "NOTE 0.0 ordered: from 127.0.0.1",
                    "NOTE 0.0 validated: 1 name by http-01 in ",
                    "INSTALL 0.0 chain\n");
    assert_not_reported("failed");
    ASSERT_ASKED("GET /dir", "POST /account account fresh",
                 "POST /order order fresh", "POST /authz/1 get fresh",
                 "POST /http-01 challenge fresh", "POST /order/1 get fresh",
                 "POST /finalize finalize fresh", "POST /order/1 get fresh",
                 "POST /cert/1 get fresh");
    assert_int_equal(presented, 1);
    assert_int_equal(withdrawn, 1);
}

static void another_challenge_is_tried_at_once(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", BOTH, 1), RESPOND("http-01"), RESPOND("tls-alpn-01"),
        ORDER_IS("invalid", 1),
        AUTHZ("invalid", CHALLENGE("http-01", ",\"status\":\"invalid\","
              "\"error\":{\"type\":\"" URN "connection\","
              "\"detail\":\"port 80 is shut\"}"), 1),
        AUTHZ("pending", BOTH, 0), ORDER_IS("ready", 1), FINALIZE,
        ORDER_IS_VALID, CHAIN, { 0 }
    };

    (void)state;
    renew(rows);
    ASSERT_REPORTED("NOTE 0.0 challenge name 0 by 0: http-01 of a.test: ",
                    "port 80 is shut; ", "; another challenge is tried\n",
                    "ORDER 0.0 \n", "PREPARE 0.0\n", "ORDER 0.0 ~/order/1\n",
                    "validated: 1 name by tls-alpn-01", "INSTALL 0.0 chain\n");
    assert_not_reported("failed");
    assert_int_equal(presented, 2);
    assert_int_equal(withdrawn, 2);
}

static void each_challenge_is_tried_once(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", BOTH, 1), RESPOND("http-01"), RESPOND("tls-alpn-01"),
        ORDER_IS("invalid", 0),
        AUTHZ("invalid", CHALLENGE("http-01", ",\"status\":\"invalid\","
              "\"error\":{\"type\":\"" URN "connection\","
              "\"detail\":\"port 80 is shut\"}"), 1),
        AUTHZ("pending", BOTH, 1),
        AUTHZ("invalid", CHALLENGE("tls-alpn-01", ",\"status\":\"invalid\","
              "\"error\":{\"type\":\"" URN "connection\","
              "\"detail\":\"port 443 is shut\"}"), 0), { 0 }
    };
    acme_msg_note_t failure;

    (void)state;
    renew(rows);
    ASSERT_REPORTED("NOTE 0.0 challenge name 0 by 0: ",
                    "ORDER 0.0 ~/order/1\n", "ORDER 0.0 \n",
                    "NOTE 0.0 failed name 0 by 1: ", "port 443 is shut");
    assert_not_reported("INSTALL");
    failure = fake_keeper_failure(keeper);
    assert_string_equal(failure.problem, URN "connection");
    assert_true(failure.next_at > apr_time_now());
    assert_int_equal(withdrawn, 2);
}

static void each_key_type_has_an_order(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("ready"), FINALIZE,
        ORDER_IS_VALID, CHAIN, { 0 }
    };

    (void)state;
    APR_ARRAY_PUSH(cert_of(0)->key_types, acme_key_type_e) = ACME_KEY_RSA2048;
    renew(rows);
    ASSERT_REPORTED("PREPARE 0.0\n", "ORDER 0.0 ~/order/1\n",
                    "validated: 1 name, still valid from before\n",
                    "INSTALL 0.0 chain\n", "PREPARE 0.1\n",
                    "ORDER 0.1 ~/order/1\n", "INSTALL 0.1 chain\n");
    assert_not_reported("failed");
}

static void a_part_that_was_issued_is_only_completed(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("ready"), FINALIZE,
        ORDER_IS_VALID, CHAIN, { 0 }
    };

    (void)state;
    APR_ARRAY_PUSH(cert_of(0)->key_types, acme_key_type_e) = ACME_KEY_RSA2048;
    fake_keeper_prepared(keeper, 0, 0)->issued = 1;
    renew(rows);
    ASSERT_REPORTED("PREPARE 0.0\nINSTALL 0.0 \nPREPARE 0.1\n",
                    "INSTALL 0.1 chain\n");
    assert_not_reported("ORDER 0.0");
}

static void a_lost_account_is_registered_again(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT,
        PROBLEM("POST /order", 1, "400 Bad", "accountDoesNotExist", "who?"),
        NEW_ORDER("pending"), GOES_WELL, { 0 }
    };

    (void)state;
    apr_cpystrn(fake_keeper_prepared(keeper, 0, 0)->account_url,
                url("/account/0"), ACME_URL_SIZE);
    renew(rows);
    ASSERT_REPORTED("PREPARE 0.0\n", "ACCOUNT 0.0 \n", "ORDER 0.0 \n",
                    "ACCOUNT 0.0 ~/account/1\n", "ORDER 0.0 ~/order/1\n",
                    "INSTALL 0.0 chain\n");
    assert_not_reported("failed");
}

static void an_account_is_registered_again_once(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT,
        PROBLEM("POST /order", 0, "400 Bad", "accountDoesNotExist", "who?"),
        { 0 }
    };

    (void)state;
    renew(rows);
    ASSERT_REPORTED("ACCOUNT 0.0 ~/account/1\n", "ACCOUNT 0.0 \n",
                    "ACCOUNT 0.0 ~/account/1\n", "NOTE 0.0 failed: ", "who?");
    assert_string_equal(fake_keeper_failure(keeper).problem,
                        URN "accountDoesNotExist");
}

static void the_cas_word_when_to_retry_is_reported(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT,
        { .request = "POST /order", .head = "429 Slow\r\n"
          "Retry-After: 3600\r\nContent-Type: application/problem+json",
          .body = "{\"type\":\"" URN "rateLimited\",\"detail\":\"slow\"}" },
        { 0 }
    };
    acme_msg_note_t failure;

    (void)state;
    renew(rows);
    failure = fake_keeper_failure(keeper);
    assert_int_equal(failure.retry, ACME_RETRY_LATER);
    assert_true(failure.next_at > apr_time_now() + apr_time_from_sec(3500));
    assert_not_reported("ORDER 0.0");
}

static void a_chain_that_the_keeper_refuses_ends_the_order(void **state)
{
    static const fake_row_t rows[] = { DIRECTORY, NONCE, ACCOUNT,
                                       NEW_ORDER("pending"), GOES_WELL,
                                       { 0 } };

    (void)state;
    fake_keeper_refuse(keeper, ACME_MSG_INSTALL, "not for this key");
    renew(rows);
    ASSERT_REPORTED("ORDER 0.0 ~/order/1\n", "ORDER 0.0 \n",
                    "NOTE 0.0 failed: not for this key\n");
    assert_int_equal(withdrawn, 1);
}

static void *stop_it(void *unused)
{
    (void)unused;
    fake_keeper_await(keeper, "ordered", 1);
    acme_stop_now(env.stop);
    return NULL;
}

static void of_one_that_was_stopped_nothing_is_reported(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT, NEW_ORDER("pending"),
        AUTHZ("pending", BOTH, 0), RESPOND("http-01"),
        ORDER_IS("pending", 0), { 0 }
    };
    pthread_t thread;

    (void)state;
    pthread_create(&thread, NULL, stop_it, NULL);
    renew(rows);
    pthread_join(thread, NULL);
    assert_not_reported("failed");
    assert_int_equal(withdrawn, 0);
}

static void without_a_keeper_nothing_is_asked(void **state)
{
    static const fake_row_t rows[] = { { 0 } };
    door_t door;

    (void)state;
    door_open(&door);
    door_close(&door);
    env.keeper = &door.address;
    renew(rows);
    assert_string_equal(fake_log(fake), "");
    assert_string_equal(fake_keeper_log(keeper), "");
}

/* Each task reports once how the CA was: three failures open the breaker. */
static void an_ill_ca_is_asked_no_more(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "GET /dir", .head = "500 Oops", .body = "" }, { 0 }
    };
    int i;

    (void)state;
    for (i = 0; i < 4; i++) {
        renew(rows);
    }
    assert_string_equal(fake_log(fake), "");    /* of the last one */
    assert_non_null(strstr(logged, "three requests in a row failed; no "
                           "requests are sent to it until "));
    request.state.wanted = ACME_WANT_RENEWAL;   /* the administrator's */
    renew(rows);
    assert_string_equal(fake_log(fake), "GET /dir\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RENEWING_TEST(from_the_order_to_the_installation),
        RENEWING_TEST(another_challenge_is_tried_at_once),
        RENEWING_TEST(each_challenge_is_tried_once),
        RENEWING_TEST(each_key_type_has_an_order),
        RENEWING_TEST(a_part_that_was_issued_is_only_completed),
        RENEWING_TEST(a_lost_account_is_registered_again),
        RENEWING_TEST(an_account_is_registered_again_once),
        RENEWING_TEST(the_cas_word_when_to_retry_is_reported),
        RENEWING_TEST(a_chain_that_the_keeper_refuses_ends_the_order),
        RENEWING_TEST(of_one_that_was_stopped_nothing_is_reported),
        RENEWING_TEST(without_a_keeper_nothing_is_asked),
        RENEWING_TEST(an_ill_ca_is_asked_no_more)
    };

    return cmocka_run_group_tests(tests, renewing_begin, renewing_end);
}
