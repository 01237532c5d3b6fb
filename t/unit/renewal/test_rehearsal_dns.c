/*
 * test_rehearsal_dns.c - what the DNS says of names: which CAA records count,
 * and what is a failure.
 */
#include <signal.h>

#include "acme_rehearsal_dns.h"
#include "fake_dns.h"
#include "pool.h"

static acme_dns_lookup_conf_t conf;

static int setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    memset(&conf, 0, sizeof(conf));
    return acme_stop_create(&conf.stop, pool);
}

static int teardown(void **state)
{
    pool_teardown(state);
    fake_dns_stop();
    return 0;
}

static acme_rehearsal_dns_t *look_up(const fake_dns_row_t *rows,
                                     const char *names, int wants)
{
    apr_array_header_t *texts = words(names);
    apr_array_header_t *all = apr_array_make(pool, 8,
                                             sizeof(acme_rehearsal_dns_t));
    int i;

    fake_dns_start(rows);
    conf.servers = apr_psprintf(pool, "127.0.0.1:%s", fake_dns_port());
    conf.authority_port = fake_dns_port();
    conf.timeout = apr_time_from_msec(500);
    for (i = 0; i < texts->nelts; i++) {
        acme_rehearsal_dns_t *row = apr_array_push(all);

        memset(row, 0, sizeof(*row));
        row->name = APR_ARRAY_IDX(texts, i, const char *);
        row->wants_zone = row->wants_persist = wants;
    }
    assert_int_equal(acme_rehearsal_dns_look_up(
        all, &conf, acme_dns_lookup_now() + apr_time_from_sec(60), &res,
        pool), 0);
    return (acme_rehearsal_dns_t *)all->elts;
}

static const char *joined(const apr_array_header_t *texts)
{
    return texts ? apr_array_pstrcat(pool, texts, '|') : "NULL";
}

static void the_records_of_the_nearest_name_count(void **state)
{
    static const fake_dns_row_t rows[] = {
        { .server = 1, .name = "a.test", .type = "A",
          .says = "a.test A 192.0.2.7" },
        { .server = 1, .name = "a.test", .type = "AAAA",
          .says = "a.test AAAA 2001:db8::7" },
        { .server = 1, .name = "a.test", .type = "CAA",
          .says = "a.test CAA 0 issue ca.test" },
        { .server = 1, .name = "own.a.test", .type = "CAA",
          .says = "own.a.test CAA 0 issue ;" },
        { .server = 1, .name = "alias.a.test",
          .says = "alias.a.test CNAME own.a.test" },
        { .server = 1, .name = "broken.a.test", .type = "CAA", .rcode = 2 },
        { .server = 0 }
    };
    acme_rehearsal_dns_t *all;

    (void)state;
    all = look_up(rows, "a.test *.a.test deep.down.a.test own.a.test "
                        "x.own.a.test alias.a.test broken.a.test b.test "
                        "192.0.2.9", 0);
    assert_string_equal(joined(all[0].addresses), "2001:db8::7|192.0.2.7");
    assert_string_equal(all[0].caa_at, "a.test");
    assert_string_equal(joined(all[0].caa), "0 issue ca.test");
    assert_string_equal(all[1].caa_at, "a.test");
    assert_string_equal(all[2].caa_at, "a.test");
    assert_true(all[2].is_nxdomain);
    assert_string_equal(joined(all[3].caa), "0 issue ;");
    assert_string_equal(all[4].caa_at, "own.a.test");
    assert_string_equal(joined(all[5].caa), "0 issue ;");
    assert_null(all[6].caa_at);         /* and does not climb on */
    assert_non_null(strstr(all[6].caa_failed.why, "broken.a.test"));
    assert_false(all[6].caa_failed.is_ours);
    assert_null(all[7].caa_at);
    assert_null(all[7].caa_failed.why);
    assert_string_equal(joined(all[8].addresses), "192.0.2.9");
    assert_null(all[8].caa_at);
    /* What many names have above them is asked once. */
    assert_int_equal(fake_dns_asked(2), 1);
}

static void what_is_not_answered_has_failed(void **state)
{
    static const fake_dns_row_t rows[] = {
        { .server = 1, .name = "half.test", .type = "A",
          .says = "half.test A 192.0.2.7" },
        { .server = 1, .name = "half.test", .type = "AAAA",
          .how = FAKE_DNS_SILENT },
        { .server = 1, .name = "mute.test", .how = FAKE_DNS_SILENT },
        { .server = 1, .name = "empty.test" },
        { .server = 0 }
    };
    acme_rehearsal_dns_t *all;

    (void)state;
    all = look_up(rows, "half.test mute.test empty.test", 1);
    assert_string_equal(joined(all[0].addresses), "192.0.2.7");
    assert_int_equal(all[1].addresses->nelts, 0);
    assert_non_null(strstr(all[1].failed.why, "mute.test"));
    assert_true(all[1].failed.is_ours);
    assert_non_null(all[1].caa_failed.why);
    assert_true(all[1].caa_failed.is_ours);
    assert_false(all[1].is_nxdomain);
    assert_int_equal(all[2].addresses->nelts, 0);
    assert_null(all[2].failed.why);
    assert_false(all[2].is_nxdomain);
    assert_non_null(all[2].zone_failed.why);
    assert_null(all[2].persist);
    assert_null(all[2].persist_failed.why);
}

static void the_addresses_behind_a_redirect(void **state)
{
    static const fake_dns_row_t rows[] = {
        { .server = 1, .name = "a.test", .type = "A",
          .says = "a.test A 192.0.2.7" },
        { .server = 1, .name = "a.test", .type = "AAAA",
          .says = "a.test AAAA 2001:db8::7" },
        { .server = 1, .name = "broken.test", .rcode = 2 },
        { .server = 0 }
    };
    acme_rehearsal_dns_failure_t failed;
    const apr_time_t end = acme_dns_lookup_now() + apr_time_from_sec(60);

    (void)state;
    look_up(rows, "a.test", 0);
    assert_string_equal(joined(acme_rehearsal_dns_addresses(
        &failed, "a.test", &conf, end, pool)), "2001:db8::7|192.0.2.7");
    assert_null(failed.why);
    assert_int_equal(acme_rehearsal_dns_addresses(&failed, "b.test", &conf,
                                                  end, pool)->nelts, 0);
    assert_null(failed.why);
    assert_int_equal(acme_rehearsal_dns_addresses(&failed, "broken.test",
                                                  &conf, end, pool)->nelts, 0);
    assert_non_null(failed.why);
    assert_false(failed.is_ours);
    assert_int_equal(acme_rehearsal_dns_addresses(&failed, "a.test", &conf, 0,
                                                  pool)->nelts, 0);
    assert_true(failed.why && failed.is_ours);
}

/* A resolver that refuses everything says nothing of a name. */
static void what_is_refused_to_this_machine(void **state)
{
    static const fake_dns_row_t rows[] = {
        { .server = 1, .name = "a.test", .rcode = 5 },
        { .server = 1, .name = "test", .rcode = 5 },
        { .server = 0 }
    };
    acme_rehearsal_dns_t *all;

    (void)state;
    all = look_up(rows, "a.test", 0);
    assert_true(all[0].failed.why && all[0].failed.is_ours);
    assert_true(all[0].caa_failed.why && all[0].caa_failed.is_ours);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(the_records_of_the_nearest_name_count),
        TEST(what_is_not_answered_has_failed),
        TEST(the_addresses_behind_a_redirect),
        TEST(what_is_refused_to_this_machine)
    };
    int failed;

    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
