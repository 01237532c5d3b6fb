/*
 * test_registry_window.c - what the CA says of the time to renew (9773).
 */
#include "acme_registry_window.h"
#include "registry_case.h"

static acme_msg_window_t window_of(apr_time_t start, apr_time_t end,
                                   apr_time_t pick)
{
    acme_msg_window_t window;

    memset(&window, 0, sizeof(window));
    apr_cpystrn(window.cert_id, "AB.CD", sizeof(window.cert_id));
    window.start = start;
    window.end = end;
    window.pick = pick;
    window.ask_at = NOW + 1000000;
    return window;
}

/* A book with a certificate that the CA can be asked about. */
static acme_state_t *open_with_live(void)
{
    put_live("a.example", "a.example www.a.example");
    registry = open_registry(test_conf);
    apr_cpystrn(state_of(registry, 0)->cert_id, "AB.CD",
                sizeof(state_of(registry, 0)->cert_id));
    return state_of(registry, 0);
}

static void tell_window(acme_msg_window_t window)
{
    acme_registry_window_suggested(registry, &window, NOW, pool);
}

static void a_window_is_bounded(void **state)
{
    static const struct {
        const char *name;
        apr_time_t start, end, pick;
        apr_time_t is;          /* the pick; 0: the window is refused */
    } rows[] = {
        { "a good one", NOW, NOW + 9, NOW + 4, NOW + 4 },
        { "a pick at its start", NOW, NOW + 9, NOW, NOW },
        { "a pick at its end", NOW, NOW + 9, NOW + 9, NOW },
        { "a pick after it", NOW, NOW + 9, APR_INT64_MAX, NOW },
        { "a pick before it", NOW, NOW + 9, NOW - 1, NOW },
        { "a pick before time", NOW, NOW + 9, APR_INT64_MIN, NOW },
        { "no pick", NOW, NOW + 9, 0, NOW },
        { "no window", 0, 0, 0, 0 },
        { "an empty one", NOW, NOW, NOW, 0 },
        { "a reversed one", NOW + 9, NOW, NOW, 0 },
        { "one before time", -9, NOW, NOW, 0 }
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        acme_state_t *a;

        if (i > 0) {
            scratch_teardown(state);
            registry_setup(state);
        }
        a = open_with_live();
        tell_window(window_of(rows[i].start, rows[i].end, rows[i].pick));
        if (a->pick != rows[i].is || !a->window_start != !rows[i].is) {
            fail_msg("%s: %s", rows[i].name,
                     acme_time_text(a->pick, pool));
        }
        assert_int_equal(a->ask_at, NOW + 1000000);
    }
}

static void a_window_of_another_certificate_is_nobody_s(void **state)
{
    acme_msg_window_t window = window_of(NOW, NOW + 9, NOW + 4);
    acme_state_t *a = open_with_live();

    (void)state;
    window.revoked = 1;
    apr_cpystrn(window.cert_id, "AB.CE", sizeof(window.cert_id));
    tell_window(window);
    window.cert_id[0] = '\0';
    tell_window(window);
    apr_cpystrn(window.cert_id, "AB.CD", sizeof(window.cert_id));
    window.about.cert = 1;              /* which has none */
    tell_window(window);
    assert_int_equal(a->pick, 0);
    assert_int_equal(a->revoked, 0);
    assert_int_equal(state_of(registry, 1)->pick, 0);
    assert_int_equal(state_of(registry, 1)->revoked, 0);
    assert_not_logged("renewal info");
}

static void a_pick_is_drawn_once_a_window(void **state)
{
    acme_state_t *a = open_with_live();

    (void)state;
    tell_window(window_of(NOW, NOW + 9, NOW + 4));
    tell_window(window_of(NOW, NOW + 9, NOW + 7));
    assert_int_equal(a->pick, NOW + 4);
    tell_window(window_of(0, 0, 0));    /* nothing new was learnt */
    assert_int_equal(a->pick, NOW + 4);
    assert_int_equal(times_logged("renewal info"), 1);
    tell_window(window_of(NOW, NOW + 8, NOW + 7));
    assert_int_equal(a->pick, NOW + 7);
    assert_int_equal(times_logged("renewal info"), 2);
}

static void it_is_asked_again_within_bounds(void **state)
{
    static const struct {
        apr_time_t ask_at, is;
    } rows[] = {
        { NOW, NOW }, { NOW + DAYS(2), NOW + DAYS(2) },
        { NOW + DAYS(2) + 1, NOW + DAYS(2) }, { NOW - 1, NOW + DAYS(2) },
        { APR_INT64_MAX, NOW + DAYS(2) }, { APR_INT64_MIN, NOW + DAYS(2) }
    };
    acme_state_t *a = open_with_live();
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_msg_window_t window = window_of(0, 0, 0);

        window.ask_at = rows[i].ask_at;
        window.failures = (apr_uint32_t)i;
        tell_window(window);
        assert_int_equal(a->ask_at, rows[i].is);
        assert_int_equal(a->ask_failures, i);
    }
}

static void what_the_ca_revoked_is_told_once(void **state)
{
    acme_msg_window_t window = window_of(NOW, NOW + 9, NOW + 4);
    acme_state_t *a = open_with_live();

    (void)state;
    window.revoked = 1;
    apr_cpystrn(window.explanation, "https://ca.example/\n[error] x",
                sizeof(window.explanation));
    tell_window(window);
    tell_window(window);
    assert_int_equal(a->revoked, 1);
    assert_int_equal(times_logged("[error] a.example: revoked: "), 1);
    assert_null(strchr(a->explanation, '\n'));
    window.revoked = 0;
    tell_window(window);
    assert_int_equal(a->revoked, 1);    /* there is no way back */
    assert_int_equal(journal_of("a.example")->window.revoked, 1);
    assert_string_equal(journal_of("a.example")->window.cert_id, "AB.CD");

    /* Beside the certificate as well, where the journal can't forget it. */
    registry = open_registry(test_conf);
    assert_int_equal(state_of(registry, 0)->revoked, 1);

    /* Another one is live at the next start: nothing is known of it. */
    put_live("a.example", "a.example www.a.example");
    registry = open_registry(test_conf);
    assert_int_equal(state_of(registry, 0)->revoked, 0);
    assert_int_equal(state_of(registry, 0)->pick, 0);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, registry_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_window_is_bounded),
        TEST(a_window_of_another_certificate_is_nobody_s),
        TEST(a_pick_is_drawn_once_a_window),
        TEST(it_is_asked_again_within_bounds),
        TEST(what_the_ca_revoked_is_told_once)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
