/*
 * test_rate_past.c - what the limits of a CA count of a certificate's past.
 */
#include "acme_rate_past.h"
#include "make_conf.h"

#define NOW apr_time_from_sec((apr_int64_t)1795239365)
#define AGO(seconds) (NOW - apr_time_from_sec((apr_int64_t)(seconds)))
#define REAL "https://acme-v02.api.letsencrypt.org/directory"

static void add_past(acme_state_t *state, acme_history_e what,
                     acme_history_t past)
{
    state->past[what][state->pasts[what]++] = past;
}

static const char *left_text(const acme_cert_conf_t *cert,
                             const acme_state_t *state, int is_renewal)
{
    const acme_rate_buckets_order_t order = { .names = cert->names,
                                              .is_renewal = is_renewal };
    apr_array_header_t *events =
        apr_array_make(pool, 4, sizeof(acme_rate_buckets_event_t));
    acme_rate_buckets_t *model = acme_rate_buckets_create(REAL, pool);

    acme_rate_past_add(events, cert, state, 0, pool);
    acme_rate_buckets_load(model, events, NOW);
    return acme_rate_buckets_left_text(model, &order, NOW, pool);
}

static void what_is_left_of_each_limit(void **state_)
{
    const acme_cert_conf_t *cert = cert_of(make_conf(), 0);
    acme_state_t state = { 0 };
    const char *text = left_text(cert, &state, 0);

    (void)state_;
    assert_string_equal(
        text,
        "Let's Encrypt: 300 of 300 new orders of an account in 3 h are left\n"
        "Let's Encrypt: 50 of 50 certificates for the domain a.example in 7 days are left\n"
        "Let's Encrypt: 5 of 5 certificates for the same names (a.example, www.a.example) in 7 days are left\n"
        "Let's Encrypt: 5 of 5 failed validations of a.example in 60 min are left\n");

    add_past(&state, ACME_HISTORY_ORDERED,
             (acme_history_t){ .when = AGO(60), .name = ACME_NO_CA });
    add_past(&state, ACME_HISTORY_ISSUED,
             (acme_history_t){ .when = AGO(60), .name = ACME_NO_CA });
    add_past(&state, ACME_HISTORY_ISSUED,
             (acme_history_t){ .when = AGO(50), .name = ACME_NO_CA,
                               .kind = ACME_ORDER_RENEWAL });
    /* At another CA it counts for nothing. */
    add_past(&state, ACME_HISTORY_ISSUED,
             (acme_history_t){ .when = AGO(40), .ca = 1,
                               .name = ACME_NO_CA });
    add_past(&state, ACME_HISTORY_FAILED,
             (acme_history_t){ .when = AGO(1), .name = 1 });
    text = left_text(cert, &state, 0);
    assert_non_null(strstr(text, ": 3 of 5 certificates for the same names"));
    assert_non_null(strstr(text, ": 49 of 50 certificates for the domain"));
    assert_non_null(strstr(text, ": 4 of 5 failed validations of www.a."));

    /* A renewal uses up no certificate of the domain. */
    text = left_text(cert, &state, 1);
    assert_null(strstr(text, "the domain"));
    assert_non_null(strstr(text, ": 3 of 5 certificates for the same names"));
}

static void a_limit_that_is_used_up_has_none_left(void **state_)
{
    const acme_cert_conf_t *cert = cert_of(make_conf(), 0);
    acme_state_t state = { 0 };
    int i;

    (void)state_;
    for (i = 0; i < 7; i++) {
        add_past(&state, ACME_HISTORY_ISSUED,
                 (acme_history_t){ .when = AGO(10 - i), .name = ACME_NO_CA });
    }
    assert_non_null(strstr(left_text(cert, &state, 1),
                           ": 0 of 5 certificates for the same names"));
}

static void a_ca_without_limits_has_none_to_tell(void **state_)
{
    const acme_cert_conf_t *cert = cert_of(make_conf(), 0);
    const acme_rate_buckets_order_t order = { .names = cert->names };

    (void)state_;
    assert_string_equal(
        acme_rate_buckets_left_text(acme_rate_buckets_create(CA_URL, pool),
                                    &order, NOW, pool), "");
}

#define PAST_TEST(test) \
    cmocka_unit_test_setup_teardown(test, pool_setup, pool_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAST_TEST(what_is_left_of_each_limit),
        PAST_TEST(a_limit_that_is_used_up_has_none_left),
        PAST_TEST(a_ca_without_limits_has_none_to_tell)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
