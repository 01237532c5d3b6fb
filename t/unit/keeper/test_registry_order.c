/*
 * test_registry_order.c - what workers note of orders, told to journal and
 * log.
 */
#include "acme_next_step.h"
#include "acme_registry_live.h"
#include "acme_registry_order.h"
#include "registry_case.h"

/* What a worker asks to wait for, and what is made of it. */
static const struct {
    const char *name;
    apr_time_t next_at, until;
} waits[] = {
    { "in a minute", NOW + 60000000, NOW + 60000000 },
    { "in two days", NOW + DAYS(2), NOW + DAYS(2) },
    { "in three days", NOW + DAYS(3), NOW + DAYS(2) },
    { "at the end of time", APR_INT64_MAX, NOW + DAYS(2) },
    { "before time", APR_INT64_MIN, NOW + DAYS(2) }
};

static void a_failure_is_told_and_remembered(void **state)
{
    const acme_state_t *a;
    size_t i;

    (void)state;
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    for (i = 0; i < COUNT(waits); i++) {
        note(0, ACME_NOTE_FAILED, "a.example: it rains", waits[i].next_at);
        if (a->attempts != i + 1 || a->next_at != waits[i].until) {
            fail_msg("%s: attempt %u, %s", waits[i].name, a->attempts,
                     acme_time_text(a->next_at, pool));
        }
    }
    assert_logged("[error] a.example: failed: attempt 5: a.example: it rains");
    assert_string_equal(last_event("a.example"), "failed");
    assert_string_equal(a->problem, "urn:x");
    assert_string_equal(acme_state_word(a, NOW), "failed");

    registry = open_registry(test_conf);
    assert_int_equal(state_of(registry, 0)->attempts, 5);
    assert_int_equal(state_of(registry, 0)->next_at, NOW + DAYS(2));
    assert_string_equal(state_of(registry, 0)->detail, "a.example: it rains");
    assert_int_equal(state_of(registry, 1)->attempts, 0);
}

static void a_failure_for_good_is_told_so(void **state)
{
    const acme_msg_note_t message = {
        .note = ACME_NOTE_FAILED, .next_at = NOW, .retry = ACME_RETRY_NEVER,
        .name = ACME_NO_NAME, .challenge = ACME_CHALLENGES, .detail = "no"
    };

    (void)state;
    registry = open_registry(test_conf);
    acme_registry_order_noted(registry, &message, NOW, pool);
    assert_logged("waits for a changed configuration");
    assert_int_equal(state_of(open_registry(test_conf), 0)->retry,
                     ACME_RETRY_NEVER);
}

static void a_stranger_s_text_makes_no_line_of_its_own(void **state)
{
    static const acme_note_e notes[] = {
        ACME_NOTE_ORDERED, ACME_NOTE_RESUMED, ACME_NOTE_VALIDATED,
        ACME_NOTE_WARNING, ACME_NOTE_CHALLENGE, ACME_NOTE_NAME,
        ACME_NOTE_FAILED
    };
    size_t i;

    (void)state;
    registry = open_registry(test_conf);
    for (i = 0; i < COUNT(notes); i++) {
        note(0, notes[i], "x\n[error] b.example: forged\r\x1b[2J%s%n\xff",
             NOW);
        assert_logged("x\\x0a[error] b.example: forged\\x0d\\x1b[2J%s%n\\xff");
    }
    assert_not_logged("\n[error] b.example");
    assert_null(strpbrk(state_of(registry, 0)->detail, "\n\r\x1b\xff"));
}

static void progress_is_told_and_is_no_failure(void **state)
{
    (void)state;
    registry = open_registry(test_conf);
    note(0, ACME_NOTE_ORDERED, "2 names", 0);
    note(0, ACME_NOTE_RESUMED, "2 names", 0);
    assert_string_equal(last_event("a.example"), "resumed");
    note(0, ACME_NOTE_VALIDATED, "both", 0);
    assert_logged("[notice] a.example: ordered: 2 names");
    assert_logged("[notice] a.example: resumed: 2 names");
    assert_logged("[notice] a.example: validated: both");
    assert_int_equal(state_of(registry, 0)->attempts, 0);
    assert_string_equal(last_event("a.example"), "validated");
}

static void an_installation_forgets_failures(void **state)
{
    const acme_state_t *a;

    (void)state;
    save_failure(cert_of(test_conf, 0)->settings);
    put_live("a.example", "a.example www.a.example");
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    acme_registry_order_begun(registry, 0, NOW);
    acme_registry_live_installed(registry, 0, cert_of(test_conf, 0)->names,
                                 NOW, pool);
    assert_int_equal(a->attempts, 0);
    assert_int_equal(a->next_at, 0);
    assert_int_equal(a->wanted, 0);
    assert_int_equal(a->ordering, 0);
    assert_string_equal(a->detail, "");
    assert_string_equal(last_event("a.example"), "installed");
    a = state_of(open_registry(test_conf), 0);
    assert_int_equal(a->attempts, 0);
    assert_int_equal(a->wanted, 0);
}

static void a_name_to_blame_is_left_out_at_last(void **state)
{
    acme_msg_note_t message = {
        .note = ACME_NOTE_FAILED, .next_at = NOW, .retry = ACME_RETRY_SOON,
        .name = 1, .challenge = ACME_HTTP_01, .problem = "urn:x",
        .detail = "no"
    };
    const char *flags;
    int i;

    (void)state;
    cert_of(test_conf, 0)->challenges[0] = ACME_HTTP_01;
    cert_of(test_conf, 0)->challenges[1] = ACME_DNS_01;
    cert_of(test_conf, 0)->nchallenges = 2;
    registry = open_registry(test_conf);
    for (i = 0; i < 3; i++) {
        assert_int_equal(state_of(registry, 0)->left_out, 0);
        acme_registry_order_noted(registry, &message, NOW, pool);
    }
    assert_int_equal(state_of(registry, 0)->attempts, 3);
    assert_int_equal(state_of(registry, 0)->left_out, 1);
    assert_int_equal(state_of(registry, 0)->names_again_at, NOW + DAYS(1));
    assert_logged("[warning] a.example: quarantine: www.a.example keeps "
                  "failing");
    assert_int_equal(
        acme_registry_order_names(registry, 0, &flags, NOW, pool)->nelts, 1);
    assert_int_equal((unsigned char)flags[1], ACME_NAME_LEFT_OUT | 1);

    /* Tried again in vain: that is no failure of the others. */
    acme_registry_order_noted(registry, &message, NOW + DAYS(1), pool);
    assert_int_equal(state_of(registry, 0)->attempts, 3);
    assert_string_equal(last_event("a.example"), "quarantine");

    /* A name that is not configured is nobody's. */
    message.name = 2;
    acme_registry_order_noted(registry, &message, NOW, pool);
    assert_int_equal(state_of(registry, 0)->attempts, 4);
    acme_registry_live_installed(registry, 0, words("a.example www.a.example"),
                                 NOW, pool);
    assert_int_equal(state_of(registry, 0)->left_out, 0);
}

/* What was wanted is for the other names, too, and they are ordered now. */
static void a_name_that_is_refused_for_good_is_left_out_at_once(void **state)
{
    const acme_msg_note_t message = {
        .note = ACME_NOTE_FAILED, .next_at = NOW + DAYS(1),
        .retry = ACME_RETRY_NEVER, .want = ACME_WANT_RENEWAL, .name = 1,
        .challenge = ACME_CHALLENGES, .detail = "no"
    };
    const acme_state_t *a;

    (void)state;
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    want(0, ACME_WANT_RENEWAL);
    acme_registry_order_noted(registry, &message, NOW, pool);
    assert_int_equal(a->attempts, 1);
    assert_int_equal(a->retry, ACME_RETRY_SOON);
    assert_int_equal(a->next_at, NOW);
    assert_int_equal(a->left_out, 1);
    assert_int_equal(a->wanted, ACME_WANT_RENEWAL);
    assert_logged("the other names are ordered now");
    assert_string_equal(last_event("a.example"), "failed");

    /* And when it is tried again in vain. */
    acme_registry_order_noted(registry, &message, NOW + DAYS(1), pool);
    assert_int_equal(a->attempts, 1);
    assert_int_equal(a->retry, ACME_RETRY_SOON);
    assert_int_equal(a->next_at, NOW);
    assert_int_equal(a->wanted, ACME_WANT_RENEWAL);
    assert_logged("[warning] a.example: quarantine: still failing: no");
    assert_string_equal(last_event("a.example"), "quarantine");
}

static void a_limit_is_bounded_and_no_failure(void **state)
{
    const acme_state_t *a;
    size_t i;

    (void)state;
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    for (i = 0; i < COUNT(waits); i++) {
        note(0, ACME_NOTE_LIMIT, "5 an hour\n", waits[i].next_at);
        if (a->limit_until != waits[i].until) {
            fail_msg("%s: %s", waits[i].name,
                     acme_time_text(a->limit_until, pool));
        }
    }
    assert_string_equal(a->limit, "5 an hour\\x0a");
    assert_int_equal(a->attempts, 0);
    assert_string_equal(last_event("a.example"), "none");
    assert_int_equal(state_of(open_registry(test_conf), 0)->limit_until, 0);
}

static void a_limit_is_over_when_something_happens(void **state)
{
    const acme_state_t *a;
    int i;

    (void)state;
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    for (i = 0; i < 3; i++) {
        note(0, ACME_NOTE_LIMIT, "5 an hour", NOW + DAYS(1));
        assert_int_equal(a->limit_until, NOW + DAYS(1));
        if (i == 0) {
            note(0, ACME_NOTE_ORDERED, "2 names", 0);
        }
        else if (i == 1) {
            note(0, ACME_NOTE_FAILED, "no", NOW);
        }
        else {
            want(0, ACME_WANT_RENEWAL);
        }
        assert_int_equal(a->limit_until, 0);
        assert_string_equal(a->limit, "");
    }
}

/* The CA wants an order to be left alone: that is no failure. */
static void a_ca_may_postpone_an_order(void **state)
{
    acme_msg_note_t later = { .note = ACME_NOTE_LIMIT,
                              .next_at = NOW + 5 * HOUR,
                              .why = ACME_REASON_CA_SLOW,
                              .detail = "later" };
    const acme_state_t *a;

    (void)state;
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    acme_registry_order_begun(registry, 0, NOW);
    acme_registry_order_noted(registry, &later, NOW, pool);
    assert_int_equal(a->attempts, 0);
    assert_int_equal(acme_next_step(a, NOW).step, ACME_STEP_LIMIT);
    assert_int_equal(acme_next_step(a, NOW).at, NOW + 5 * HOUR);
    assert_false(acme_next_step_is_due(a, NOW));
    assert_true(acme_next_step_is_due(a, NOW + 5 * HOUR));
}

static void orders_under_way_are_counted(void **state)
{
    (void)state;
    registry = open_registry(test_conf);
    assert_int_equal(acme_registry_order_count(registry), 0);
    acme_registry_order_begun(registry, 0, NOW);
    acme_registry_order_begun(registry, 1, NOW + 1);
    acme_registry_order_begun(registry, 0, NOW + 2);
    assert_int_equal(acme_registry_order_count(registry), 2);
    assert_int_equal(state_of(registry, 0)->ordering_since, NOW);
    acme_registry_refresh(registry, 0, pool);
    assert_int_equal(state_of(registry, 0)->ordering, 1);
    assert_int_equal(state_of(registry, 0)->ordering_since, NOW);
    note(0, ACME_NOTE_FAILED, "no", NOW);
    acme_registry_order_gone(registry, 1);
    assert_int_equal(acme_registry_order_count(registry), 0);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, registry_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_failure_is_told_and_remembered),
        TEST(a_failure_for_good_is_told_so),
        TEST(a_stranger_s_text_makes_no_line_of_its_own),
        TEST(progress_is_told_and_is_no_failure),
        TEST(an_installation_forgets_failures),
        TEST(a_name_to_blame_is_left_out_at_last),
        TEST(a_name_that_is_refused_for_good_is_left_out_at_once),
        TEST(a_limit_is_bounded_and_no_failure),
        TEST(a_limit_is_over_when_something_happens),
        TEST(a_ca_may_postpone_an_order),
        TEST(orders_under_way_are_counted)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
