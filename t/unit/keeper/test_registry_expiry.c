/*
 * test_registry_expiry.c - certificates that expire are warned of daily.
 */
#include "acme_registry_expiry.h"
#include "registry_case.h"

/* Whatever the renewal does: it may do nothing. */
static void an_expiry_is_warned_of_once_a_day(void **state)
{
    const acme_state_t *a;
    apr_time_t at, next;

    (void)state;
    put_live("a.example", "a.example www.a.example");
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    at = acme_state_warn_at(a, a->not_after);
    next = acme_registry_expiry_warn(registry, at - 1, pool);
    assert_in_range(next, at, at + DAYS(1) / 24);
    assert_not_logged("expir");

    acme_registry_expiry_warn(registry, at, pool);
    assert_logged("[warning] a.example: expiring. WARNING: the served "
                  "certificate expires at ");
    assert_logged("; its renewal is under way");
    acme_registry_expiry_warn(registry, at + DAYS(1) - 1, pool);
    assert_int_equal(times_logged("a.example: expiring"), 1);

    /* A reload is no reason to warn again. */
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    acme_registry_expiry_warn(registry, at + DAYS(1) - 1, pool);
    assert_int_equal(times_logged("a.example: expiring"), 1);
    acme_registry_expiry_warn(registry, at + DAYS(1), pool);
    assert_int_equal(times_logged("a.example: expiring"), 2);

    /* Expired, and it is known why. */
    note(0, ACME_NOTE_FAILED, "it rains", a->not_after);
    acme_registry_expiry_warn(registry, a->not_after, pool);
    assert_int_equal(times_logged("a.example: expiring"), 3);
    assert_logged("the served certificate expired at ");
    assert_logged("; it rains");
    assert_not_logged("b.example");     /* which has none to lose */
}

static void each_is_warned_of_by_itself(void **state)
{
    apr_time_t at;

    (void)state;
    put_live("a.example", "a.example www.a.example");
    put_live("b.example", "b.example");
    cert_of(test_conf, 1)->warn.percent = 50;
    registry = open_registry(test_conf);
    at = acme_state_warn_at(state_of(registry, 1),
                            state_of(registry, 1)->not_after);
    acme_registry_expiry_warn(registry, at, pool);
    assert_int_equal(times_logged("expiring"), 1);
    assert_logged("[warning] b.example: expiring");
    acme_registry_expiry_warn(registry, at + DAYS(40), pool);
    assert_logged("[warning] a.example: expiring");
    assert_int_equal(times_logged("expiring"), 3);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, registry_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_expiry_is_warned_of_once_a_day),
        TEST(each_is_warned_of_by_itself)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
