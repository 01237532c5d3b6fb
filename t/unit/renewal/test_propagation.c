/*
 * test_propagation.c - values that come sooner or later to name servers.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "acme_propagation.h"
#include "fake_dns.h"
#include "pool.h"

#define SECONDS(n) apr_time_from_sec(n)
#define LEAVE_AFTER apr_time_from_msec(100)
#define LEAVE_WITHIN apr_time_from_msec(100)
#define LONG SECONDS(1200)      /* nobody waits for its end */

#define A "_acme-challenge.a.test"
#define B "_acme-challenge.b.test"

/* Where zones are: two servers for a.test, a silent one for b.test. */
#define ZONES \
    { 1, "a.test", "SOA", "a.test SOA 5", 0, 0, 0, 0 }, \
    { 1, "a.test", "NS", "a.test NS n2.test\na.test NS n3.test", 0, 0, 0, \
      0 }, \
    { 1, "b.test", "SOA", "b.test SOA 5", 0, 0, 0, 0 }, \
    { 1, "b.test", "NS", "b.test NS n4.test", 0, 0, 0, 0 }, \
    { 1, "n2.test", "A", "n2.test A 127.0.0.2", 0, 0, 0, 0 }, \
    { 1, "n3.test", "A", "n3.test A 127.0.0.3", 0, 0, 0, 0 }, \
    { 1, "n4.test", "A", "n4.test A 127.0.0.4", 0, 0, 0, 0 }
#define ZONE_ROWS 7

static acme_dns_lookup_conf_t conf;
static apr_array_header_t *records;

/*
 * Its clock runs faster than the machine's, by which the resolver counts the
 * timeout of a question. The linker puts these two before the resolver's.
 */
static int faster;

apr_time_t __real_acme_dns_lookup_now(void);
apr_time_t __wrap_acme_dns_lookup_now(void);
apr_status_t __real_acme_dns_lookup_run(acme_dns_resolver_t *resolver,
                                        apr_interval_time_t most,
                                        acme_result_t *why);
apr_status_t __wrap_acme_dns_lookup_run(acme_dns_resolver_t *resolver,
                                        apr_interval_time_t most,
                                        acme_result_t *why);

apr_time_t __wrap_acme_dns_lookup_now(void)
{
    return __real_acme_dns_lookup_now() * faster;
}

apr_status_t __wrap_acme_dns_lookup_run(acme_dns_resolver_t *resolver,
                                        apr_interval_time_t most,
                                        acme_result_t *why)
{
    return __real_acme_dns_lookup_run(resolver, most / faster, why);
}

static int setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    faster = 20;
    memset(&conf, 0, sizeof(conf));
    records = apr_array_make(pool, 2, sizeof(acme_propagation_record_t));
    return acme_stop_create(&conf.stop, pool);
}

static int teardown(void **state)
{
    pool_teardown(state);
    fake_dns_stop();
    return 0;
}

static void start(const fake_dns_row_t *rows)
{
    fake_dns_start(rows);
    conf.servers = apr_psprintf(pool, "127.0.0.1:%s", fake_dns_port());
    conf.authority_port = fake_dns_port();
    conf.timeout = apr_time_from_msec(300);
}

/* What the resolver, 127.0.0.1, sees of A. */
#define CACHED { 1, A, "TXT", A " TXT one\n" A " TXT two", 0, 0, 0, 0 }

static void want(const char *record, const char *value)
{
    acme_propagation_record_t *one = apr_array_push(records);

    one->name = record;
    one->record = record;
    one->value = value;
}

static apr_status_t wait_for(apr_interval_time_t most)
{
    return acme_propagation_wait(records, &conf, most, &res, pool);
}

static void assert_seen(void)
{
    if (wait_for(LONG) != APR_SUCCESS) {
        fail_msg("%s", res.detail);
    }
}

static void assert_lacks(apr_interval_time_t most, const char *says)
{
    assert_int_equal(wait_for(most), APR_TIMEUP);
    if (!strstr(res.detail, says)) {
        fail_msg("%s: not in: %s", says, res.detail);
    }
}

static void what_is_there_is_seen_at_once(void **state)
{
    static const fake_dns_row_t rows[] = {
        ZONES,
        { 2, A, "TXT", A " TXT one\n" A " TXT two\n" A " TXT old", 0, 0, 0,
          0 },
        { 3, A, "TXT", A " TXT two\n" A " TXT one", 0, 0, 0, 0 },
        CACHED,
        { 0 }
    };
    apr_time_t begin;

    (void)state;
    faster = 1;
    begin = acme_dns_lookup_now();
    start(rows);
    assert_seen();              /* nothing is wanted */
    want(A, "one");
    want(A, "two");
    assert_seen();
    assert_true(acme_dns_lookup_now() - begin < SECONDS(2));
    assert_int_equal(fake_dns_asked(ZONE_ROWS), 1);
    assert_int_equal(fake_dns_asked(ZONE_ROWS + 1), 1);
    assert_int_equal(fake_dns_recursion_desired(0), 0);
}

/* One server has it at once and is asked once, the other at a second look. */
static void it_comes_later_to_one_of_two(void **state)
{
    static const fake_dns_row_t rows[] = {
        ZONES,
        { 2, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 3, A, "TXT", A " TXT old", 0, 0, 1, 0 },
        { 3, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        CACHED,
        { 0 }
    };
    apr_time_t begin = acme_dns_lookup_now();

    (void)state;
    start(rows);
    want(A, "one");
    assert_seen();
    assert_true(acme_dns_lookup_now() - begin >= SECONDS(2));
    assert_int_equal(fake_dns_asked(ZONE_ROWS), 1);
    assert_int_equal(fake_dns_asked(ZONE_ROWS + 2), 1);
    assert_int_equal(fake_dns_asked(ZONE_ROWS + 3), 1);
}

/* It may be the CA's, too: asked last, and waited for. */
static void the_resolver_sees_it_later(void **state)
{
    static const fake_dns_row_t rows[] = {
        ZONES,
        { 2, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 3, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 1, A, "TXT", NULL, 3, 0, 1, 0 },
        { 1, A, "TXT", A " TXT old", 0, 0, 1, 0 },
        CACHED,
        { 0 }
    };
    apr_time_t begin = acme_dns_lookup_now();

    (void)state;
    start(rows);
    want(A, "one");
    assert_seen();
    assert_true(acme_dns_lookup_now() - begin >= SECONDS(6));
    assert_int_equal(fake_dns_asked(ZONE_ROWS), 1);
    assert_int_equal(fake_dns_asked(ZONE_ROWS + 4), 1);
}

static void the_resolver_never_sees_it(void **state)
{
    static const fake_dns_row_t rows[] = {
        ZONES,
        { 2, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 3, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 1, A, "TXT", NULL, 3, 0, 0, 0 },
        { 0 }
    };

    (void)state;
    start(rows);
    want(A, "one");
    assert_lacks(SECONDS(6), "the resolver of this machine still has an older "
                             "answer in its cache");
}

static void a_resolver_that_fails_counts_not(void **state)
{
    static const fake_dns_row_t rows[] = {
        ZONES,
        { 2, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 3, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 1, A, "TXT", NULL, 2, 0, 0, 0 },
        { 0 }
    };

    (void)state;
    start(rows);
    want(A, "one");
    assert_seen();
    assert_true(fake_dns_asked(ZONE_ROWS + 2) > 0);
}

static void a_cname_leads_to_the_record(void **state)
{
    static const fake_dns_row_t rows[] = {
        { 1, B, "TXT", B " CNAME " A "\n" A " TXT one", 0, 0, 0, 0 },
        ZONES,
        { 2, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 3, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 0 }
    };

    (void)state;
    start(rows);
    want(A, "one");
    APR_ARRAY_IDX(records, 0, acme_propagation_record_t).name = B;
    assert_seen();
    assert_int_equal(fake_dns_asked(0), 1);
    assert_int_equal(fake_dns_asked(1 + ZONE_ROWS), 1);
}

static void a_server_that_lacks_it_is_named(void **state)
{
    static const fake_dns_row_t rows[] = {
        ZONES,
        { 2, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 0 }
    };

    (void)state;
    start(rows);
    want(A, "one");
    want(B, "one");
    assert_lacks(SECONDS(6), apr_psprintf(
        pool, A ": after 6 s, 127.0.0.3:%s, a name server of a.test, does not "
        "have the value; the same is true of 1 more", fake_dns_port()));
}

/*
 * Other values, one of two values, a part of the value: all are not it. One
 * comes a look, and each makes it look again.
 */
static void nearly_is_not_there(void **state)
{
    static const fake_dns_row_t rows[] = {
        ZONES,
        { 2, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 3, A, "TXT", A " TXT two", 0, 0, 1, 0 },
        { 3, A, "TXT", A " TXT on", 0, 0, 1, 0 },
        { 3, A, "TXT", A " TXT ONE", 0, 0, 1, 0 },
        { 3, A, "TXT", A " A 127.0.0.1", 0, 0, 1, 0 },
        { 3, A, "TXT", "x.test TXT one", 0, 0, 1, 0 },
        { 3, A, "TXT", A " CNAME x.test\nx.test TXT other", 0, 0, 0, 0 },
        { 0 }
    };
    int i;

    (void)state;
    faster = 100;
    start(rows);
    want(A, "one");
    assert_lacks(SECONDS(50), "127.0.0.3");
    for (i = 1; i <= 6; i++) {
        assert_true(fake_dns_asked(ZONE_ROWS + i) > 0);
    }
}

static void a_server_that_does_not_answer_counts_not(void **state)
{
    static const struct {
        const char *name;
        fake_dns_row_t row;
    } cases[] = {
        { "silent", { 3, A, NULL, NULL, 0, 0, 0, FAKE_DNS_SILENT } },
        { "refused", { 3, A, NULL, NULL, 5, 0, 0, 0 } },
        { "servfail", { 3, A, NULL, NULL, 2, 0, 0, 0 } },
        { "lame", { 3, A, NULL, "-\ntest NS x.test", 0, 1, 0, 0 } },
        { "broken", { 3, A, NULL, NULL, 0, 0, 0, FAKE_DNS_LOOP } }
    };
    fake_dns_row_t rows[] = {
        ZONES,
        { 2, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 3, NULL, NULL, NULL, 0, 0, 0, 0 },
        CACHED,
        { 0 }
    };
    size_t i;

    (void)state;
    want(A, "one");
    for (i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].name);
        rows[ZONE_ROWS + 1] = cases[i].row;
        start(rows);
        assert_seen();
        assert_true(fake_dns_asked(ZONE_ROWS + 1) > 0);
        fake_dns_stop();
    }
}

/* And without any that answers, the resolver's view is what there is. */
static void nobody_answers(void **state)
{
    static const fake_dns_row_t rows[] = {
        ZONES,
        { 4, NULL, NULL, NULL, 0, 0, 0, FAKE_DNS_SILENT },
        { 1, B, "TXT", NULL, 3, 0, 1, 0 },
        { 1, B, "TXT", B " TXT one", 0, 0, 0, 0 },
        { 0 }
    };

    (void)state;
    start(rows);
    want(B, "one");
    assert_seen();
    assert_true(fake_dns_asked(ZONE_ROWS + 2) > 0);
    want(B, "two");
    assert_lacks(SECONDS(60), "no name server of b.test answers, and the "
                 "resolver of this machine does not see the value");
}

static void no_authority_is_found(void **state)
{
    static const fake_dns_row_t rows[] = {
        { 1, "a.test", "SOA", NULL, 2, 0, 0, 0 },
        { 1, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 0 }
    };

    (void)state;
    start(rows);
    want(A, "one");
    assert_seen();
    assert_int_equal(fake_dns_asked(1), 1);
    want(B, "one");
    assert_lacks(SECONDS(6), B ": after 6 s, its name servers were not found");
}

static void no_resolver(void **state)
{
    static const fake_dns_row_t rows[] = { { 0 } };

    (void)state;
    start(rows);
    conf.servers = "127.0.0.1:1";
    want(A, "one");
    assert_lacks(SECONDS(6), "127.0.0.1:1");
    conf.servers = "nowhere";
    assert_int_equal(wait_for(LONG), APR_EINVAL);
}

/* a.test comes at its second look, while b.test's server lets us wait. */
static void a_slow_zone_delays_no_other(void **state)
{
    static const fake_dns_row_t rows[] = {
        ZONES,
        { 2, A, "TXT", NULL, 3, 0, 1, 0 },
        { 2, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        { 3, A, "TXT", A " TXT one", 0, 0, 0, 0 },
        CACHED,
        { 4, NULL, NULL, NULL, 0, 0, 0, FAKE_DNS_SILENT },
        { 0 }
    };

    (void)state;
    start(rows);
    conf.timeout = SECONDS(100);
    want(B, "one");
    want(A, "one");
    assert_lacks(SECONDS(60), B ": after 60 s, no answer yet; check");
    assert_int_equal(fake_dns_asked(ZONE_ROWS + 1), 1);
}

/* More names than sockets, and more than a server is asked at a time. */
static void many_names(void **state)
{
    apr_array_header_t *rows = apr_array_make(pool, 16,
                                              sizeof(fake_dns_row_t));
    static const fake_dns_row_t all[] = {
        { 1, "test", "SOA", "test SOA 5", 0, 0, 0, 0 },
        { 1, "test", "NS", "test NS n2.test\ntest NS n3.test", 0, 0, 0, 0 },
        { 1, "n2.test", "A", "n2.test A 127.0.0.2", 0, 0, 0, 0 },
        { 1, "n3.test", "A", "n3.test A 127.0.0.3", 0, 0, 0, 0 }
    };
    fake_dns_row_t *row;
    int i;

    (void)state;
    for (i = 0; i < (int)COUNT(all); i++) {
        APR_ARRAY_PUSH(rows, fake_dns_row_t) = all[i];
    }
    for (i = 0; i < 100; i++) {
        want(apr_psprintf(pool, "n%d.test", i % 50 + 10),
             i < 50 ? "one" : "two");
    }
    for (i = 0; i < 50; i++) {
        row = apr_array_push(rows);
        row->server = 2;
        row->name = apr_psprintf(pool, "n%d.test", i + 10);
        row->says = apr_psprintf(pool, "%s TXT one\n%s TXT two", row->name,
                                 row->name);
        APR_ARRAY_PUSH(rows, fake_dns_row_t) = (fake_dns_row_t){
            .server = 1, .name = row->name, .type = "TXT", .says = row->says
        };
    }
    row = apr_array_push(rows);
    row->server = 3;
    row->how = FAKE_DNS_SILENT;
    (void)apr_array_push(rows);
    start((fake_dns_row_t *)rows->elts);
    assert_seen();
}

static void *stop_soon(void *data)
{
    apr_sleep(LEAVE_AFTER);
    acme_stop_now(data);
    return NULL;
}

static void assert_left(void)
{
    apr_time_t begin;
    pthread_t thread;

    faster = 1;
    begin = apr_time_now();
    pthread_create(&thread, NULL, stop_soon, conf.stop);
    assert_int_equal(wait_for(LONG), APR_EINTR);
    assert_in_range(apr_time_now() - begin, LEAVE_AFTER,
                    LEAVE_AFTER + LEAVE_WITHIN);
    pthread_join(thread, NULL);
}

static void a_stop_leaves_between_two_looks(void **state)
{
    static const fake_dns_row_t rows[] = { ZONES, { 0 } };

    (void)state;
    start(rows);
    want(A, "one");
    assert_left();
    assert_int_equal(wait_for(LONG), APR_EINTR);
}

static void a_stop_leaves_a_look(void **state)
{
    static const fake_dns_row_t rows[] = {
        ZONES,
        { 4, NULL, NULL, NULL, 0, 0, 0, FAKE_DNS_SILENT },
        { 0 }
    };

    (void)state;
    start(rows);
    conf.timeout = LONG;
    want(B, "one");
    assert_left();
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(what_is_there_is_seen_at_once),
        TEST(it_comes_later_to_one_of_two),
        TEST(the_resolver_sees_it_later),
        TEST(the_resolver_never_sees_it),
        TEST(a_resolver_that_fails_counts_not),
        TEST(a_cname_leads_to_the_record),
        TEST(a_server_that_lacks_it_is_named),
        TEST(nearly_is_not_there),
        TEST(a_server_that_does_not_answer_counts_not),
        TEST(nobody_answers),
        TEST(no_authority_is_found),
        TEST(no_resolver),
        TEST(a_slow_zone_delays_no_other),
        TEST(many_names),
        TEST(a_stop_leaves_between_two_looks),
        TEST(a_stop_leaves_a_look)
    };
    int failed;

    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
