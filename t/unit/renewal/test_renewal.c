/*
 * test_renewal.c - the life of one renewal: what it asks of the CA and of the
 * keeper, one after the other, and what it reports when it fails.
 */
#include <pthread.h>
#include <unistd.h>

#include "door.h"
#include "acme_dry_run.h"
#include "acme_live_check.h"
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

static void run_dry(const fake_row_t *rows)
{
    apr_array_header_t *dry_run_cas = apr_array_copy(pool, cert_of(0)->cas);
    apr_pool_t *p;

    cert_of(0)->dry_run_cas = cert_of(0)->dry_run_routes = dry_run_cas;
    request.ca = acme_conf_dry_run_ca(cert_of(0), 0);
    request.state.wanted = ACME_WANT_DRY_RUN;
    request.state.dry_run_at = apr_time_now();
    fake_serve(fake, rows);
    apr_pool_create(&p, pool);
    acme_dry_run_run(&env, &request, p);
    apr_pool_destroy(p);
}

static void a_dry_run_ends_before_the_finalization(void **state)
{
    static const fake_row_t rows[] = { DIRECTORY, NONCE, ACCOUNT,
                                       NEW_ORDER("pending"), GOES_WELL,
                                       { 0 } };

    (void)state;
    run_dry(rows);
    ASSERT_REPORTED("PREPARE 0.0\n", "ACCOUNT 0.0 ~/account/1\n",
                    "NOTE 0.0 dry-run: ordered: from 127.0.0.1",
                    "NOTE 0.0 dry-run: validated: 1 name by http-01 in ",
                    "NOTE 0.0 dry-run-passed: 1 name validated by http-01, at 127.0.0.1");
    assert_not_reported("INSTALL");
    assert_not_reported("ORDER 0.0");
    ASSERT_ASKED("POST /order order fresh", "POST /http-01 challenge fresh",
                 "POST /order/1 get fresh");
    assert_null(strstr(fake_log(fake), "finalize"));
    assert_int_equal(presented, 1);
    assert_int_equal(withdrawn, 1);
}

static void a_dry_run_tries_each_challenge_and_counts_nothing(void **state)
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

    (void)state;
    run_dry(rows);
    ASSERT_REPORTED("NOTE 0.0 dry-run name 0 by 0: http-01 of a.test: ",
                    "; another challenge is tried\n",
                    "NOTE 0.0 dry-run-failed name 0 by 1: ", "port 443 is shut");
    assert_not_reported("NOTE 0.0 failed");
    assert_not_reported("ORDER 0.0");
    assert_int_equal(withdrawn, 2);
    /* How well the CA is, is not told by it. */
    assert_true(acme_ca_pool_allow(env.cas, 0, apr_time_now()));
}

static void a_dry_run_registers_a_lost_account_again(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE, ACCOUNT,
        PROBLEM("POST /order", 1, "400 Bad Request", "accountDoesNotExist",
                "who?"),
        NEW_ORDER("pending"), GOES_WELL, { 0 }
    };

    (void)state;
    run_dry(rows);
    ASSERT_REPORTED("ACCOUNT 0.0 ~/account/1\n", "ACCOUNT 0.0 \n",
                    "ACCOUNT 0.0 ~/account/1\n", "NOTE 0.0 dry-run-passed: ");
    assert_not_reported("ORDER 0.0");
}

static void a_dry_run_that_was_requested_long_ago_has_failed(void **state)
{
    static const fake_row_t rows[] = { DIRECTORY, { 0 } };
    apr_array_header_t *dry_run_cas = apr_array_copy(pool, cert_of(0)->cas);

    (void)state;
    cert_of(0)->dry_run_cas = cert_of(0)->dry_run_routes = dry_run_cas;
    request.ca = acme_conf_dry_run_ca(cert_of(0), 0);
    request.state.dry_run_at = apr_time_now() - apr_time_from_sec(1801);
    fake_serve(fake, rows);
    acme_dry_run_run(&env, &request, pool);
    ASSERT_REPORTED("NOTE 0.0 dry-run-failed: a.test: the dry run has not ended within half an hour");
    assert_string_equal(fake_log(fake), "");
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

static void set_account(void)
{
    apr_cpystrn(fake_keeper_prepared(keeper, 0, 0)->account_url,
                url("/account/0"), ACME_URL_SIZE);
    fake_keeper_prepared(keeper, 0, 0)->order_url[0] = '\0';
    fake_keeper_prepared(keeper, 0, 0)->issued = 0;
    request.state.wanted = ACME_WANT_RENEWAL;   /* the breaker lets it pass */
}

/*
 * A row tells what the CA calls an account that it lost, and what it says when
 * the account is looked up by its key.
 */
static void an_account_is_lost_by_many_names(void **state)
{
    static const struct {
        const char *name;
        fake_row_t refusal, look_up;
        int is_registered;
    } tries[] = {
        { "unauthorized",
          PROBLEM("POST /order", 1, "401 No", "unauthorized",
                  "Account not found"),
          PROBLEM("POST /account", 1, "400 No", "accountDoesNotExist", "who?"),
          1 },
        { "a type of its own",
          { .request = "POST /order", .head = "401 No", .times = 1,
            .body = "{\"type\":\"urn:acme:unknown\",\"detail\":\"who\"}" },
          PROBLEM("POST /account", 1, "404 No", "malformed", "not found"), 1 },
        { "its own trouble",
          { .request = "POST /order", .head = "500 Oops", .times = 1,
            .body = "{}" },
          PROBLEM("POST /account", 1, "400 No", "accountDoesNotExist", "who?"),
          1 },
        { "trouble with all",
          { .request = "POST /order", .head = "500 Oops", .body = "{}" },
          { .request = "POST /account", .head = "500 Oops", .body = "{}" },
          0 },
        { "a look-up that wants a binding",
          { .request = "POST /order", .head = "500 Oops", .body = "{}" },
          PROBLEM("POST /account", 0, "403 No", "externalAccountRequired",
                  "bind it"), 0 },
        { "a firewall",
          { .request = "POST /order", .head = "403 No", .body = "<p>No" },
          { .request = "POST /account", .head = "403 No", .body = "<p>No" },
          0 },
        { "about a name",
          PROBLEM("POST /order", 0, "400 No", "rejectedIdentifier", "never"),
          PROBLEM("POST /account", 1, "400 No", "accountDoesNotExist", "who?"),
          0 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(tries); i++) {
        const fake_row_t rows[] = {
            DIRECTORY, NONCE, tries[i].refusal, tries[i].look_up, ACCOUNT,
            NEW_ORDER("pending"), GOES_WELL, { 0 }
        };
        const size_t before = strlen(fake_keeper_log(keeper));
        const char *log;

        set_account();
        renew(rows);
        log = fake_keeper_log(keeper) + before;
        if ((strstr(log, "ACCOUNT 0.0 https") != NULL)
                != tries[i].is_registered
            || (strstr(log, "INSTALL") != NULL) != tries[i].is_registered
            || (strstr(log, "ACCOUNT 0.0 \n") != NULL)
                != tries[i].is_registered) {
            fail_msg("%s: %s", tries[i].name, log);
        }
    }
}

static void an_account_that_was_given_up_is_told(void **state)
{
    static const fake_row_t look_ups[] = {
        PROBLEM("POST /account", 0, "403 No", "unauthorized",
                "Account is not valid, has status deactivated"),
        { .request = "POST /account", .head = "200 OK\r\n"
          "Location: ~/account/0", .body = "{\"status\":\"deactivated\"}" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(look_ups); i++) {
        const fake_row_t rows[] = {
            DIRECTORY, NONCE,
            PROBLEM("POST /order", 0, "403 No", "unauthorized", "no"),
            look_ups[i], { 0 }
        };

        APR_ARRAY_IDX(conf.cas, 0, acme_ca_conf_t).folder = "ca-12345678";
        set_account();
        renew(rows);
        ASSERT_REPORTED("NOTE 0.0 failed: account at ", "deactivated; for a new "
                        "account, remove /nowhere/accounts/ca-12345678 and "
                        "reload httpd");
        assert_int_equal(fake_keeper_failure(keeper).why,
                         ACME_REASON_ACCOUNT_DEACTIVATED);
        assert_not_reported("ACCOUNT 0.0 \n");
    }
}

/* The directory did not say so; with another CA in the list none is sent. */
static void a_binding_follows_when_the_ca_asks_for_it(void **state)
{
    static const fake_row_t rows[] = {
        DIRECTORY, NONCE,
        PROBLEM("POST /account", 1, "400 No", "externalAccountRequired",
                "bind it"),
        ACCOUNT, NEW_ORDER("pending"), GOES_WELL, { 0 }
    };

    (void)state;
    APR_ARRAY_IDX(conf.cas, 0, acme_ca_conf_t).kid = "kid-1";
    APR_ARRAY_PUSH(cert_of(0)->cas, apr_uint32_t) = 0;
    request.state.cas = 2;
    renew(rows);
    ASSERT_ASKED("POST /account account fresh",
                 "POST /account account+binding fresh");
    ASSERT_REPORTED("ACCOUNT 0.0 ~/account/1\n", "INSTALL 0.0 chain\n");
}

/* A row tells how a CA refuses a registration, and what is advised. */
static void a_missing_address_is_told(void **state)
{
    static const struct {
        const char *type, *detail, *told;
        acme_reason_e why;
    } tries[] = {
        { "malformed", "Contact email is required", "dir: Contact email is "
          "required; this CA requires an address: set AcmeContact\n",
          ACME_REASON_CONTACT_REFUSED },
        { "invalidContact", "none", "dir: none; check AcmeContact\n",
          ACME_REASON_CONTACT_REFUSED },
        { "unauthorized", "bad MAC", "dir: bad MAC; check the key identifier "
          "and the HMAC key of AcmeExternalAccount\n",
          ACME_REASON_EAB_REQUIRED }
    };
    size_t i;

    (void)state;
    APR_ARRAY_IDX(conf.cas, 0, acme_ca_conf_t).kid = "kid-1";
    apr_array_clear(APR_ARRAY_IDX(conf.cas, 0, acme_ca_conf_t).contacts);
    for (i = 0; i < COUNT(tries); i++) {
        const fake_row_t rows[] = {
            DIRECTORY, NONCE,
            { .request = "POST /account", .head = "400 No", .body =
              apr_psprintf(pool, "{\"type\":\"" URN "%s\",\"detail\":\"%s\"}",
                           tries[i].type, tries[i].detail) }, { 0 }
        };

        renew(rows);
        ASSERT_REPORTED("NOTE 0.0 failed: account at ", tries[i].told);
        assert_int_equal(fake_keeper_failure(keeper).why, tries[i].why);
    }
}

/* Each costs one of few certificates that the CA issues in a week. */
static void refused_certificates_are_not_ordered_again_and_again(void **state)
{
    static const fake_row_t rows[] = { DIRECTORY, NONCE, ACCOUNT,
                                       NEW_ORDER("pending"), GOES_WELL,
                                       { 0 } };

    (void)state;
    fake_keeper_refuse(keeper, ACME_MSG_INSTALL, "not for this key");
    request.state.attempts = 1;
    request.state.why = ACME_REASON_CHAIN_REFUSED;
    renew(rows);
    assert_true(fake_keeper_failure(keeper).next_at
                > apr_time_now() + apr_time_from_sec(23 * 3600));
}

#define INFO_ID "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"

/* A row tells what the state knows of earlier requests. */
static void renewal_info_that_does_not_work_is_told_once(void **state)
{
    static const char *const refusals[] = { "404 None", "500 Oops" };
    static const struct {
        const char *name;
        int refusal;
        apr_time_t ask_at;
        apr_uint32_t failures;
        int is_told;
    } tries[] = {
        { "lasting, the first time", 0, 0, 0, 1 },
        { "lasting, again", 0, 1, 0, 0 },
        { "the first failure", 1, 0, 0, 0 },
        { "it lasts", 1, 1, 4, 1 },
        { "it goes on lasting", 1, 1, 5, 0 }
    };
    size_t i;

    (void)state;
    fake_keeper_refuse(keeper, ACME_MSG_LIVE, "none");
    request.state.live = 1;
    request.state.not_after = apr_time_now() + apr_time_from_sec(86400 * 60);
    apr_cpystrn(request.state.cert_id, INFO_ID, ACME_CERT_ID_SIZE);
    for (i = 0; i < COUNT(tries); i++) {
        const fake_row_t rows[] = {
            { .request = "GET /dir", .head = "200 OK", .body =
              "{\"newNonce\":\"~/nonce\",\"newAccount\":\"~/account\","
              "\"newOrder\":\"~/order\",\"renewalInfo\":\"~/info\"}" },
            { .request = "GET /info/" INFO_ID,
              .head = refusals[tries[i].refusal] }, { 0 }
        };
        const size_t before = strlen(fake_keeper_log(keeper));
        apr_pool_t *p;

        fake_serve(fake, rows);
        request.state.ask_at = tries[i].ask_at;
        request.state.ask_failures = tries[i].failures;
        acme_ca_pool_probe(env.cas, 0, apr_time_now());
        apr_pool_create(&p, pool);
        acme_live_check_run(&env, &request, p);
        apr_pool_destroy(p);
        ASSERT_ASKED("GET /info/" INFO_ID);
        if ((strstr(fake_keeper_log(keeper) + before,
                    "warning: renewal info does not work, the lifetime "
                    "decides: renewal info https://") != NULL)
            != tries[i].is_told) {
            fail_msg("%s: %s", tries[i].name,
                     fake_keeper_log(keeper) + before);
        }
    }
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
        RENEWING_TEST(a_dry_run_ends_before_the_finalization),
        RENEWING_TEST(a_dry_run_tries_each_challenge_and_counts_nothing),
        RENEWING_TEST(a_dry_run_registers_a_lost_account_again),
        RENEWING_TEST(a_dry_run_that_was_requested_long_ago_has_failed),
        RENEWING_TEST(another_challenge_is_tried_at_once),
        RENEWING_TEST(each_challenge_is_tried_once),
        RENEWING_TEST(each_key_type_has_an_order),
        RENEWING_TEST(a_part_that_was_issued_is_only_completed),
        RENEWING_TEST(a_lost_account_is_registered_again),
        RENEWING_TEST(an_account_is_registered_again_once),
        RENEWING_TEST(an_account_is_lost_by_many_names),
        RENEWING_TEST(an_account_that_was_given_up_is_told),
        RENEWING_TEST(a_binding_follows_when_the_ca_asks_for_it),
        RENEWING_TEST(a_missing_address_is_told),
        RENEWING_TEST(refused_certificates_are_not_ordered_again_and_again),
        RENEWING_TEST(renewal_info_that_does_not_work_is_told_once),
        RENEWING_TEST(the_cas_word_when_to_retry_is_reported),
        RENEWING_TEST(a_chain_that_the_keeper_refuses_ends_the_order),
        RENEWING_TEST(of_one_that_was_stopped_nothing_is_reported),
        RENEWING_TEST(without_a_keeper_nothing_is_asked),
        RENEWING_TEST(an_ill_ca_is_asked_no_more)
    };

    return cmocka_run_group_tests(tests, renewing_begin, renewing_end);
}
