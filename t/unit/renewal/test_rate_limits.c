/*
 * test_rate_limits.c - the limits of the CAs, counted from states.
 */
#include "acme_rate_limits.h"
#include "pool.h"

#define SECONDS(n) apr_time_from_sec((apr_int64_t)(n))
#define HOURS(n) SECONDS(3600 * (n))
#define DAYS(n) HOURS(24 * (n))
#define NOW SECONDS(1795239365)         /* 2026-11-21 05:36:05, a Saturday */

#define LIMITED 0                       /* CAs of the configuration, */
#define OTHER 1                         /* and positions in each list */

#define CERTS 60
#define EACH_OF_DOMAIN (DAYS(7) / 50)
#define EACH_OF_SET (DAYS(7) / 5)

static acme_conf_t conf;
static acme_state_t states[CERTS];
static acme_rate_limits_t *limits;

static void add_ca(const char *url)
{
    acme_ca_conf_t *ca = apr_array_push(conf.cas);

    memset(ca, 0, sizeof(*ca));
    ca->url = url;
}

/* Each has a name of its own below example.org, and both CAs. */
static void add_cert(int i)
{
    acme_cert_conf_t *cert = apr_array_push(conf.certs);

    memset(cert, 0, sizeof(*cert));
    cert->id = apr_psprintf(pool, "site%d.example.org", i);
    cert->names = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(cert->names, const char *) = cert->id;
    cert->cas = apr_array_make(pool, 2, sizeof(apr_uint32_t));
    APR_ARRAY_PUSH(cert->cas, apr_uint32_t) = LIMITED;
    APR_ARRAY_PUSH(cert->cas, apr_uint32_t) = OTHER;
    states[i].cert = (apr_uint32_t)i;
    states[i].cas = 2;
    states[i].issued_by = ACME_NO_CA;
}

static int setup(void **state)
{
    int i;

    if (pool_setup(state)) {
        return -1;
    }
    memset(&conf, 0, sizeof(conf));
    memset(states, 0, sizeof(states));
    conf.cas = apr_array_make(pool, 2, sizeof(acme_ca_conf_t));
    conf.certs = apr_array_make(pool, CERTS, sizeof(acme_cert_conf_t));
    add_ca("https://acme-v02.api.letsencrypt.org/directory");
    add_ca("https://ca.example/dir");
    for (i = 0; i < CERTS; i++) {
        add_cert(i);
    }
    limits = acme_rate_limits_create(&conf, pool);
    return 0;
}

static acme_history_t *happened(int i, acme_history_e what, apr_uint32_t ca,
                                apr_time_t when)
{
    acme_state_t *state = &states[i];
    acme_history_t *past = &state->past[what][state->pasts[what]++];

    past->when = when;
    past->ca = ca;
    past->name = (apr_uint32_t)-1;
    return past;
}

static void hear(int i, apr_time_t now)
{
    acme_rate_limits_read(limits, &states[i], now);
    acme_rate_limits_count(limits, now);
}

static apr_time_t next_of(int i, apr_uint32_t ca, const char **why)
{
    const char *ignored;

    return acme_rate_limits_next(why ? why : &ignored, limits, &states[i], ca,
                                 NOW, pool);
}

static void make_live(int i)
{
    states[i].live = 1;
    states[i].same_names = 1;
    states[i].issued_by = LIMITED;
    states[i].not_before = NOW - DAYS(60);
    states[i].not_after = NOW + DAYS(30);
}

/* All that a set of names may have, at the same CA. */
static void use_up_names(int i, apr_uint32_t ca)
{
    int n;

    make_live(i);
    for (n = 0; n < 5; n++) {
        happened(i, ACME_HISTORY_ISSUED, ca, NOW - SECONDS(50 - n))->kind =
            n ? ACME_ORDER_RENEWAL : ACME_ORDER_FIRST;
    }
    hear(i, NOW);
}

static void nothing_happened(void **unused)
{
    const char *why = "none";

    (void)unused;
    assert_int_equal(next_of(0, LIMITED, &why), NOW);
    assert_null(why);
    assert_null(acme_rate_limits_news(limits, NOW, pool));
}

static void the_same_names(void **unused)
{
    const char *why;

    (void)unused;
    use_up_names(0, LIMITED);
    assert_true(next_of(0, LIMITED, &why) > NOW + EACH_OF_SET
                                            - SECONDS(60));
    assert_non_null(strstr(why, "(site0.example.org)"));
    assert_int_equal(next_of(0, OTHER, NULL), NOW);
    assert_int_equal(next_of(1, LIMITED, NULL), NOW);
}

static void another_ca_has_no_limits(void **unused)
{
    (void)unused;
    use_up_names(0, OTHER);
    assert_int_equal(next_of(0, LIMITED, NULL), NOW);
    assert_int_equal(next_of(0, OTHER, NULL), NOW);
}

static void what_was_for_other_names_counts_for_the_domain(void **unused)
{
    int i, n;

    (void)unused;
    for (i = 0; i < 9; i++) {
        for (n = 0; n < 5; n++) {
            happened(i, ACME_HISTORY_ISSUED, LIMITED, NOW - SECONDS(9))
                ->others = 1;
        }
        hear(i, NOW);
    }
    make_live(0);
    assert_int_equal(next_of(0, LIMITED, NULL), NOW);
    assert_true(next_of(9, LIMITED, NULL) > NOW + EACH_OF_DOMAIN
                                            - SECONDS(60));
}

static void what_is_told_twice_counts_once(void **unused)
{
    int i;

    (void)unused;
    make_live(0);
    happened(0, ACME_HISTORY_ISSUED, LIMITED, NOW - 1)->kind =
        ACME_ORDER_RENEWAL;
    for (i = 0; i < 20; i++) {
        hear(0, NOW);
    }
    assert_int_equal(next_of(0, LIMITED, NULL), NOW);
    for (i = 0; i < 4; i++) {
        happened(0, ACME_HISTORY_ISSUED, LIMITED, NOW)->kind =
            ACME_ORDER_RENEWAL;
    }
    hear(0, NOW);
    assert_true(next_of(0, LIMITED, NULL) > NOW);
}

/* Of the second that was heard of before; the journal drops its parts. */
static void another_one_in_the_same_second_counts(void **unused)
{
    acme_history_t *past;
    int i;

    (void)unused;
    make_live(0);
    for (i = 0; i < 5; i++) {
        assert_int_equal(next_of(0, LIMITED, NULL), NOW);
        past = happened(0, ACME_HISTORY_ISSUED, LIMITED, NOW + 1000 * i);
        hear(0, NOW + 10000);
        past->when = NOW;
        hear(0, NOW + 10000);
    }
    assert_true(next_of(0, LIMITED, NULL) > NOW);
}

/* Of a clock that was wrong. */
static void the_future_does_not_count(void **unused)
{
    int i;

    (void)unused;
    make_live(0);
    for (i = 0; i < 5; i++) {
        happened(0, ACME_HISTORY_ISSUED, LIMITED, NOW + DAYS(400));
    }
    hear(0, NOW);
    assert_int_equal(next_of(0, LIMITED, NULL), NOW);
    states[0].pasts[ACME_HISTORY_ISSUED] = 0;
    use_up_names(0, LIMITED);
    assert_true(next_of(0, LIMITED, NULL) > NOW);
}

static void a_name_that_failed(void **unused)
{
    const char *why;
    int i;

    (void)unused;
    for (i = 0; i < 5; i++) {
        happened(0, ACME_HISTORY_FAILED, LIMITED, NOW - SECONDS(5 - i))->name =
            0;
    }
    hear(0, NOW);
    assert_true(next_of(0, LIMITED, &why) > NOW);
    assert_non_null(strstr(why, "failed validations of site0.example.org"));
    assert_int_equal(next_of(1, LIMITED, NULL), NOW);
}

static void nonsense_is_survived(void **unused)
{
    (void)unused;
    happened(0, ACME_HISTORY_ISSUED, 77, NOW);
    happened(0, ACME_HISTORY_FAILED, LIMITED, NOW)->name = 12345;
    states[0].pasts[ACME_HISTORY_ORDERED] = 4711;
    hear(0, NOW);
    assert_int_equal(next_of(0, LIMITED, NULL), NOW);
}

static void in_the_window_of_the_ca_no_limit_applies(void **unused)
{
    (void)unused;
    use_up_names(0, LIMITED);
    states[0].use_renewal_info = 1;
    apr_cpystrn(states[0].cert_id, "a.b", sizeof(states[0].cert_id));
    states[0].window_start = NOW - HOURS(1);
    states[0].window_end = NOW + HOURS(1);
    states[0].pick = NOW;
    assert_int_equal(next_of(0, LIMITED, NULL), NOW);
    states[0].window_end = NOW;
    assert_true(next_of(0, LIMITED, NULL) > NOW);
}

/* Names that were left out and are tried again: another set. */
static void more_names_than_before_are_no_renewal(void **unused)
{
    (void)unused;
    make_live(0);
    assert_true(acme_state_renews(&states[0], LIMITED, NOW));
    assert_false(acme_state_renews(&states[0], OTHER, NOW));
    states[0].names_again_at = NOW + 1;
    assert_true(acme_state_renews(&states[0], LIMITED, NOW));
    states[0].names_again_at = NOW;
    assert_false(acme_state_renews(&states[0], LIMITED, NOW));
    states[0].names_again_at = 0;
    states[0].same_names = 0;
    assert_false(acme_state_renews(&states[0], LIMITED, NOW));
}

/* What is under way takes its part before it is issued. */
static void those_under_way_are_counted(void **unused)
{
    const char *why;
    int i;

    (void)unused;
    for (i = 0; i < 45; i++) {
        assert_int_equal(next_of(i, LIMITED, NULL), NOW);
        acme_rate_limits_begin(limits, &states[i], LIMITED, NOW);
    }
    assert_true(next_of(45, LIMITED, &why) > NOW);
    assert_null(why);
    assert_int_equal(next_of(45, OTHER, NULL), NOW);
    make_live(46);              /* the reserve is for renewals */
    assert_int_equal(next_of(46, LIMITED, NULL), NOW);

    acme_rate_limits_end(limits, 7); /* it came to nothing */
    assert_int_equal(next_of(45, LIMITED, NULL), NOW);
}

static void a_batch_waits_with_one_line(void **unused)
{
    const char *why, *text;
    int i;

    (void)unused;
    for (i = 0; i < 45; i++) {
        happened(i, ACME_HISTORY_ISSUED, LIMITED, NOW);
        hear(i, NOW);
    }
    for (; i < CERTS; i++) {
        assert_int_equal(next_of(i, LIMITED, &why), NOW + EACH_OF_DOMAIN);
        acme_rate_limits_wait(limits, &states[i], LIMITED, why, NOW);
    }
    text = acme_rate_limits_news(limits, NOW, pool);
    assert_non_null(text);
    assert_non_null(strstr(text, "postpones 15 certificates: the last of 15 "
                                 "names about Monday 08:00 UTC (Let's "
                                 "Encrypt allows 50 certificates for the "
                                 "domain example.org"));
    assert_null(acme_rate_limits_news(limits, NOW, pool));

    /* It waits on: no news. Once it was forgotten, it is. */
    acme_rate_limits_wait(limits, &states[50], LIMITED, why, NOW);
    assert_null(acme_rate_limits_news(limits, NOW, pool));
    states[50].limit_until = 0;
    hear(50, NOW);
    acme_rate_limits_wait(limits, &states[50], LIMITED, why, NOW);
    assert_non_null(acme_rate_limits_news(limits, NOW, pool));
}

static void full_cas_are_passed_over(void **unused)
{
    unsigned char full[ACME_CHOICE_MAX];

    (void)unused;
    use_up_names(0, LIMITED);
    acme_rate_limits_full(full, limits, &states[0], NOW, pool);
    assert_int_equal(full[LIMITED], 1);
    assert_int_equal(full[OTHER], 0);
    acme_rate_limits_full(full, limits, &states[1], NOW, pool);
    assert_int_equal(full[LIMITED], 0);
}

static apr_uint32_t first_of(int i, apr_time_t limited, apr_time_t other)
{
    const apr_time_t paused[ACME_CHOICE_MAX] = { [LIMITED] = limited,
                                                 [OTHER] = other };

    return acme_rate_limits_first(limits, &states[i], paused, NOW, pool);
}

/* Of two CAs with limits, one frees up days before the other. */
static void the_ca_that_frees_up_first(void **unused)
{
    int i;

    (void)unused;
    APR_ARRAY_IDX(conf.cas, OTHER, acme_ca_conf_t).url =
        APR_ARRAY_IDX(conf.cas, LIMITED, acme_ca_conf_t).url;
    limits = acme_rate_limits_create(&conf, pool);
    assert_int_equal(first_of(0, 0, 0), LIMITED);
    use_up_names(0, LIMITED);
    assert_int_equal(first_of(0, 0, 0), OTHER);
    for (i = 0; i < 5; i++) {
        happened(0, ACME_HISTORY_FAILED, OTHER, NOW - SECONDS(5 - i))->name =
            0;
    }
    hear(0, NOW);
    assert_true(next_of(0, OTHER, NULL) > NOW);
    assert_true(next_of(0, OTHER, NULL) < next_of(0, LIMITED, NULL));
    assert_int_equal(first_of(0, 0, 0), OTHER);
    assert_int_equal(first_of(0, 0, NOW + HOURS(1)), OTHER);
    assert_int_equal(first_of(0, 0, NOW + DAYS(30)), LIMITED);
    assert_int_equal(first_of(0, NOW + DAYS(40), NOW + DAYS(30)), OTHER);
}

#define LIMITS_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIMITS_TEST(nothing_happened),
        LIMITS_TEST(the_same_names),
        LIMITS_TEST(another_ca_has_no_limits),
        LIMITS_TEST(what_was_for_other_names_counts_for_the_domain),
        LIMITS_TEST(what_is_told_twice_counts_once),
        LIMITS_TEST(another_one_in_the_same_second_counts),
        LIMITS_TEST(the_future_does_not_count),
        LIMITS_TEST(a_name_that_failed),
        LIMITS_TEST(nonsense_is_survived),
        LIMITS_TEST(in_the_window_of_the_ca_no_limit_applies),
        LIMITS_TEST(more_names_than_before_are_no_renewal),
        LIMITS_TEST(those_under_way_are_counted),
        LIMITS_TEST(a_batch_waits_with_one_line),
        LIMITS_TEST(full_cas_are_passed_over),
        LIMITS_TEST(the_ca_that_frees_up_first)
    };
    int failed;

    if (apr_initialize()) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
