/*
 * test_counters.c - counters in shared memory: from several processes, across
 * loads of the configuration, and with rubbish in them.
 *
 * Their source is a part of this program: its memory is spoiled here.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acme_counters.c"
#include "pool.h"

#define NOW apr_time_from_sec(1700000000)

/* A configuration of one load: certificates and CAs by their ids and hosts. */
static acme_conf_t *conf_of(const char *ids, const char *hosts, apr_pool_t *p)
{
    const apr_array_header_t *certs = words(ids), *cas = words(hosts);
    acme_conf_t *conf = apr_pcalloc(p, sizeof(*conf));
    int i;

    conf->certs = apr_array_make(p, 2, sizeof(acme_cert_conf_t));
    conf->cas = apr_array_make(p, 2, sizeof(acme_ca_conf_t));
    for (i = 0; i < certs->nelts; i++) {
        acme_cert_conf_t *cert = apr_array_push(conf->certs);

        memset(cert, 0, sizeof(*cert));
        cert->id = apr_pstrdup(p, APR_ARRAY_IDX(certs, i, const char *));
    }
    for (i = 0; i < cas->nelts; i++) {
        acme_ca_conf_t *ca = apr_array_push(conf->cas);

        memset(ca, 0, sizeof(*ca));
        ca->url = apr_pstrcat(p, "https://",
                              APR_ARRAY_IDX(cas, i, const char *), "/dir",
                              NULL);
    }
    return conf;
}

/* Each load has a pool of its own, which the next one destroys. */
static void load(const char *ids, const char *hosts)
{
    static apr_pool_t *p;
    apr_pool_t *fresh;

    apr_pool_create(&fresh, NULL);
    assert_int_equal(acme_counters_open(conf_of(ids, hosts, fresh), pool, &res,
                                        fresh), 0);
    if (p) {
        apr_pool_destroy(p);
    }
    p = fresh;
}

static int setup(void **state)
{
    memset(&mine, 0, sizeof(mine));
    return pool_setup(state);
}

static void nothing_is_counted_before_the_first_load(void **state)
{
    apr_uint64_t buckets[ACME_COUNTERS_BUCKETS];
    apr_interval_time_t sum;

    (void)state;
    acme_counters_attempt(0, ACME_ATTEMPT_SUCCESS);
    acme_counters_failure(0, ACME_REASON_OTHER);
    acme_counters_request(0, ACME_RESOURCE_ORDER, 200, 1);
    acme_counters_challenge(ACME_HTTP_01, ACME_SEEN_ANSWERED);
    acme_counters_reload(ACME_RELOAD_SIGNALLED);
    acme_counters_hook_failure();
    acme_counters_pulse(ACME_PULSE_KEEPER, NOW);
    assert_int_equal(acme_counters_attempts(0, ACME_ATTEMPT_SUCCESS), 0);
    assert_null(acme_counters_ca(0));
    assert_int_equal(acme_counters_row(0), ACME_COUNTERS_CAS);
    acme_counters_latency(buckets, &sum, 0, ACME_RESOURCE_ORDER);
    assert_int_equal(buckets[ACME_COUNTERS_BUCKETS - 1], 0);
    assert_int_equal(acme_counters_is_up(ACME_PULSE_KEEPER, NOW), 0);
}

static void processes_add_to_the_same_numbers(void **state)
{
    enum { CHILDREN = 4, TIMES = 5000 };
    int i, k, status;

    (void)state;
    load("a b", "ca.example");
    for (i = 0; i < CHILDREN; i++) {
        if (fork() == 0) {
            for (k = 0; k < TIMES; k++) {
                acme_counters_attempt(1, ACME_ATTEMPT_FAILURE);
                acme_counters_request(0, ACME_RESOURCE_ORDER, 200, 1000);
            }
            _exit(0);
        }
    }
    for (i = 0; i < CHILDREN; i++) {
        assert_true(wait(&status) > 0 && !status);
    }
    assert_int_equal(acme_counters_attempts(1, ACME_ATTEMPT_FAILURE),
                     CHILDREN * TIMES);
    assert_int_equal(acme_counters_attempts(0, ACME_ATTEMPT_FAILURE), 0);
    assert_int_equal(acme_counters_requests(0, ACME_RESOURCE_ORDER,
                                            ACME_REPLY_2XX),
                     CHILDREN * TIMES);
}

static void a_certificate_keeps_its_numbers_over_loads(void **state)
{
    (void)state;
    load("a b c", "ca.example");
    acme_counters_attempt(0, ACME_ATTEMPT_SUCCESS);
    acme_counters_attempt(1, ACME_ATTEMPT_FAILURE);
    acme_counters_attempt(2, ACME_ATTEMPT_FAILURE);
    load("c d a", "ca.example");
    assert_int_equal(acme_counters_attempts(0, ACME_ATTEMPT_FAILURE), 1);
    assert_int_equal(acme_counters_attempts(2, ACME_ATTEMPT_SUCCESS), 1);
    /* d may have got the row of b, but not its numbers. */
    assert_int_equal(acme_counters_attempts(1, ACME_ATTEMPT_FAILURE), 0);
    acme_counters_attempt(1, ACME_ATTEMPT_SUCCESS);
    load("a b c d", "ca.example");
    assert_int_equal(acme_counters_attempts(0, ACME_ATTEMPT_SUCCESS), 1);
    assert_int_equal(acme_counters_attempts(0, ACME_ATTEMPT_FAILURE), 0);
    assert_int_equal(acme_counters_attempts(1, ACME_ATTEMPT_FAILURE), 0);
    assert_int_equal(acme_counters_attempts(2, ACME_ATTEMPT_FAILURE), 1);
    assert_int_equal(acme_counters_attempts(3, ACME_ATTEMPT_SUCCESS), 1);
    load("", "");
    load("a", "");
    assert_int_equal(acme_counters_attempts(0, ACME_ATTEMPT_SUCCESS), 0);
}

static void a_host_keeps_its_row_and_too_many_share_one(void **state)
{
    char hosts[2048] = "";
    apr_uint32_t i;

    (void)state;
    load("a", "one.example two.example one.example");
    acme_counters_failure(1, ACME_REASON_CA_ERROR);
    acme_counters_failure(2, ACME_REASON_CA_ERROR);
    assert_int_equal(acme_counters_row(0), acme_counters_row(2));
    load("a", "two.example three.example");
    assert_string_equal(acme_counters_ca(acme_counters_row(0)), "two.example");
    assert_int_equal(acme_counters_failures(acme_counters_row(0),
                                            ACME_REASON_CA_ERROR), 1);
    assert_int_equal(acme_counters_failures(acme_counters_row(1),
                                            ACME_REASON_CA_ERROR), 0);
    for (i = 0; i < ACME_COUNTERS_CAS; i++) {
        apr_snprintf(hosts + strlen(hosts), sizeof(hosts) - strlen(hosts),
                     " ca%u.example", i);
    }
    load("a", hosts);
    assert_string_equal(acme_counters_ca(acme_counters_row(0)), "ca0.example");
    assert_string_equal(acme_counters_ca(
        acme_counters_row(ACME_COUNTERS_CAS - 1)), "other");
    assert_int_equal(acme_counters_row(ACME_COUNTERS_CAS - 2),
                     acme_counters_row(ACME_COUNTERS_CAS - 1));
    for (i = 0; i < ACME_COUNTERS_CAS; i++) {
        acme_counters_failure(i, ACME_REASON_OTHER);
    }
    assert_int_equal(acme_counters_failures(ACME_COUNTERS_CAS - 1,
                                            ACME_REASON_OTHER), 4);
}

static void what_is_out_of_range_is_not_counted(void **state)
{
    (void)state;
    load("a", "ca.example");
    acme_counters_attempt(1, ACME_ATTEMPT_SUCCESS);
    acme_counters_attempt((apr_uint32_t)-1, ACME_ATTEMPT_SUCCESS);
    acme_counters_failure(1, ACME_REASON_OTHER);
    acme_counters_failure(0, (acme_reason_e)9999);
    acme_counters_failure(0, ACME_REASON_NONE);
    acme_counters_request(7, ACME_RESOURCE_ORDER, 200, 1);
    assert_int_equal(acme_counters_attempts(0, ACME_ATTEMPT_SUCCESS), 0);
    assert_int_equal(acme_counters_failures(0, ACME_REASON_OTHER), 2);
    assert_null(acme_counters_ca(1));
    assert_null(acme_counters_ca(ACME_COUNTERS_CAS));
}

static void a_reply_is_in_the_bucket_of_its_time(void **state)
{
    static const struct {
        int status;
        apr_interval_time_t latency;
        acme_reply_e reply;
        int bucket;                     /* -1: none */
    } rows[] = {
        { 200, 0, ACME_REPLY_2XX, 0 },
        { 201, 50000, ACME_REPLY_2XX, 0 },
        { 301, 50001, ACME_REPLY_3XX, 1 },
        { 429, 1000000, ACME_REPLY_4XX, 4 },
        { 503, 60000000, ACME_REPLY_5XX, 10 },
        { 700, 60000001, ACME_REPLY_OTHER, 11 },
        { 150, -5, ACME_REPLY_OTHER, 0 },
        { 0, 0, ACME_REPLY_NONE, -1 }
    };
    size_t i;
    int k;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        apr_uint64_t buckets[ACME_COUNTERS_BUCKETS];
        apr_interval_time_t sum;

        pool_teardown(state);
        setup(state);
        load("a", "ca.example");
        acme_counters_request(0, ACME_RESOURCE_FINALIZE, rows[i].status,
                              rows[i].latency);
        assert_int_equal(acme_counters_requests(0, ACME_RESOURCE_FINALIZE,
                                                rows[i].reply), 1);
        acme_counters_latency(buckets, &sum, 0, ACME_RESOURCE_FINALIZE);
        for (k = 0; k < ACME_COUNTERS_BUCKETS; k++) {
            const int wanted = rows[i].bucket >= 0 && k >= rows[i].bucket;

            if ((int)buckets[k] != wanted) {
                fail_msg("%d after %d us: bucket %s has %d", rows[i].status,
                         (int)rows[i].latency, acme_counters_bounds[k],
                         (int)buckets[k]);
            }
        }
        assert_int_equal(sum, rows[i].latency > 0 ? rows[i].latency : 0);
        acme_counters_latency(buckets, &sum, 0, ACME_RESOURCE_ORDER);
        assert_int_equal(buckets[ACME_COUNTERS_BUCKETS - 1], 0);
    }
}

static void the_bounds_say_what_they_count(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < ACME_COUNTERS_BUCKETS - 1; i++) {
        assert_int_equal((apr_interval_time_t)(strtod(acme_counters_bounds[i],
                                                      NULL) * 1e6 + 0.5),
                         bounds[i]);
    }
}

static void a_pulse_lasts_a_while(void **state)
{
    (void)state;
    load("a", "ca.example");
    assert_int_equal(acme_counters_is_up(ACME_PULSE_KEEPER, NOW), 0);
    acme_counters_pulse(ACME_PULSE_KEEPER, NOW);
    assert_int_equal(acme_counters_is_up(ACME_PULSE_RENEWAL, NOW), 0);
    assert_int_equal(acme_counters_is_up(ACME_PULSE_KEEPER, NOW), 1);
    assert_int_equal(acme_counters_is_up(ACME_PULSE_KEEPER,
                                         NOW + apr_time_from_sec(89)), 1);
    assert_int_equal(acme_counters_is_up(ACME_PULSE_KEEPER,
                                         NOW + apr_time_from_sec(91)), 0);
    /* The clock was set back by more. */
    assert_int_equal(acme_counters_is_up(ACME_PULSE_KEEPER,
                                         NOW - apr_time_from_sec(3600)), 0);
}

/* A worker can write whatever it likes: numbers are shown, and no more. */
static void rubbish_is_a_number(void **state)
{
    (void)state;
    load("a", "ca.example");
    memset((void *)mine.shared, 0xff, sizeof(*mine.shared));
    acme_counters_attempt(0, ACME_ATTEMPT_SUCCESS);
    acme_counters_pulse(ACME_PULSE_KEEPER, NOW);
    assert_int_equal(acme_counters_attempts(0, ACME_ATTEMPT_SUCCESS), 0);
    assert_int_equal(acme_counters_is_up(ACME_PULSE_KEEPER, NOW), 1);
    assert_int_equal(acme_counters_is_up(ACME_PULSE_RENEWAL, NOW), 0);
    assert_string_equal(acme_counters_ca(0), "ca.example");
    load("b", "ca.example");
    assert_int_equal(acme_counters_attempts(0, ACME_ATTEMPT_FAILURE), 0);
}

/* What Prometheus cannot read, or that runs backwards, costs the whole scrape. */
static void numbers_out_of_range_count_as_nothing(void **state)
{
    static const apr_uint64_t spoils[] = {
        (apr_uint64_t)-1, (apr_uint64_t)-50, (apr_uint64_t)1 << 63,
        ((apr_uint64_t)1 << 63) - 1, (apr_uint64_t)1 << 60
    };
    apr_uint64_t buckets[ACME_COUNTERS_BUCKETS];
    apr_interval_time_t sum;
    number_t *numbers;
    size_t i, k;

    (void)state;
    load("a", "ca.example");
    numbers = (number_t *)mine.shared;
    for (i = 0; i < COUNT(spoils); i++) {
        for (k = 0; k < sizeof(*mine.shared) / sizeof(*numbers); k++) {
            numbers[k] = spoils[i];
        }
        acme_counters_latency(buckets, &sum, 0, ACME_RESOURCE_ORDER);
        assert_int_equal(sum, 0);
        for (k = 0; k < ACME_COUNTERS_BUCKETS; k++) {
            assert_int_equal(buckets[k], 0);
        }
        assert_int_equal(acme_counters_pulse_at(ACME_PULSE_KEEPER), 0);
        assert_false(acme_counters_is_up(ACME_PULSE_KEEPER, NOW));
        assert_int_equal(acme_counters_attempts(0, ACME_ATTEMPT_FAILURE), 0);
        assert_int_equal(acme_counters_failures(0, ACME_REASON_OTHER), 0);
        assert_int_equal(acme_counters_requests(0, ACME_RESOURCE_ORDER,
                                                ACME_REPLY_2XX), 0);
        assert_int_equal(acme_counters_challenges(ACME_HTTP_01,
                                                  ACME_SEEN_FAILED), 0);
        assert_int_equal(acme_counters_reloads(ACME_RELOAD_IGNORED), 0);
        assert_int_equal(acme_counters_hook_failures(), 0);
    }
}

static void a_host_named_other_has_no_row_of_its_own(void **state)
{
    (void)state;
    load("a", "other one.example");
    assert_int_equal(acme_counters_row(0), ACME_COUNTERS_CAS - 1);
    assert_string_equal(acme_counters_ca(ACME_COUNTERS_CAS - 1), "other");
    assert_int_equal(acme_counters_row(1), 0);
    assert_null(acme_counters_ca(1));
}

/* An upgrade by reload finds what the version before it left. */
static void what_another_version_left_is_not_taken(void **state)
{
    static lasting_t left;      /* smaller than it looks: never to be used */
    const char *key = lasting_key(pool);

    (void)state;
    left.nhosts = 7;
    apr_pool_userdata_set(&left, "mod_acme counters 1", NULL, pool);
    load("a", "ca.example");
    assert_int_equal(acme_counters_row(0), 0);
    assert_int_equal(left.nhosts, 7);
    assert_ptr_not_equal(mine.lasting, &left);
    assert_non_null(strstr(key, apr_psprintf(pool, " %" APR_SIZE_T_FMT " %"
                                             APR_SIZE_T_FMT " %d ",
                                             sizeof(shared_t),
                                             sizeof(lasting_t),
                                             ACME_REASONS)));
    assert_string_equal(lasting_key(pool), key);
}

static void the_words_are_a_part_of_the_key(void **state)
{
    (void)state;
    assert_int_not_equal(hash_word(hash_word(1, "ab"), "c"),
                         hash_word(hash_word(1, "a"), "bc"));
    assert_int_not_equal(hash_word(hash_word(1, "a"), "b"),
                         hash_word(hash_word(1, "b"), "a"));
    assert_int_not_equal(hash_words(), 0);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(nothing_is_counted_before_the_first_load),
        TEST(processes_add_to_the_same_numbers),
        TEST(a_certificate_keeps_its_numbers_over_loads),
        TEST(a_host_keeps_its_row_and_too_many_share_one),
        TEST(what_is_out_of_range_is_not_counted),
        TEST(a_reply_is_in_the_bucket_of_its_time),
        TEST(the_bounds_say_what_they_count),
        TEST(a_pulse_lasts_a_while),
        TEST(rubbish_is_a_number),
        TEST(numbers_out_of_range_count_as_nothing),
        TEST(a_host_named_other_has_no_row_of_its_own),
        TEST(what_another_version_left_is_not_taken),
        TEST(the_words_are_a_part_of_the_key)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
