/*
 * test_dns_lookup.c - lookups against DNS servers that lie, cut, or are
 * silent.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "acme_dns_lookup.h"
#include "fake_dns.h"
#include "pool.h"
#include "threads.h"

#define TIMEOUT apr_time_from_msec(400)
#define LONG apr_time_from_sec(60)      /* nobody waits for its end */
#define LEAVE_AFTER apr_time_from_msec(100)
#define LEAVE_WITHIN apr_time_from_msec(100)
#define NAME "_acme-challenge.a.test"

static acme_dns_lookup_conf_t conf;
static acme_dns_resolver_t *resolver;
static apr_array_header_t *values;

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

static const char *server(int n)
{
    return apr_psprintf(pool, "127.0.0.%d:%s", n, fake_dns_port());
}

static void start(const fake_dns_row_t *rows)
{
    fake_dns_start(rows);
    conf.servers = server(1);
    conf.authority_port = fake_dns_port();
    conf.timeout = TIMEOUT;
    assert_int_equal(acme_dns_lookup_open(&resolver, &conf, &res, pool), 0);
}

/* Until a lookup is over, or the resolver is stopped. */
static apr_status_t finish(const acme_dns_lookup_t *lookup)
{
    apr_status_t rv = APR_SUCCESS;

    while (!acme_dns_lookup_is_over(lookup) && rv != APR_EINTR) {
        rv = acme_dns_lookup_run(resolver, apr_time_from_sec(60), &res);
    }
    return rv == APR_EINTR ? rv : APR_SUCCESS;
}

/* TXT values as one server has them. */
static apr_status_t txt_at(const char *server_name, const char *name)
{
    acme_dns_lookup_t *lookup = acme_dns_lookup_txt(resolver, server_name,
                                                    name, pool);

    values = NULL;
    return finish(lookup) ? APR_EINTR
                          : acme_dns_lookup_values(&values, lookup, &res);
}

static apr_status_t authority(acme_dns_authority_t *out, const char *name)
{
    acme_dns_lookup_t *lookup = acme_dns_lookup_authority(resolver, name,
                                                          pool);

    return finish(lookup) ? APR_EINTR
                          : acme_dns_lookup_servers(out, lookup, &res);
}

static const char *joined(const apr_array_header_t *texts)
{
    return texts ? apr_array_pstrcat(pool, texts, '|') : "NULL";
}

static void assert_says(const char *text)
{
    if (!strstr(res.detail, text)) {
        fail_msg("%s: not in: %s", text, res.detail);
    }
}

/* A name that leads to nothing, and how that is told. */
typedef struct {
    const char *name;
    apr_status_t rv;
    const char *says;
} refusal_t;

static void assert_refused(const refusal_t *refusal, apr_status_t rv)
{
    if (rv != refusal->rv) {
        fail_msg("%s: %d: %s", refusal->name, res.status, res.detail);
    }
    assert_says(refusal->says);
}

static void txt_values(void **state)
{
    static const fake_dns_row_t rows[] = {
        { 1, "one.test", "TXT", "one.test TXT one", 0, 0, 0, 0 },
        { 1, "two.test", "TXT", "two.test TXT one\ntwo.test TXT t w o\n"
          "x.test TXT other\ntwo.test A 192.0.2.1", 0, 0, 0, 0 },
        { 1, "upper.test", "TXT", "UPPER.test TXT One", 0, 0, 0, 0 },
        { 1, "alias.test", "TXT", "alias.test CNAME b.test\n"
          "b.test CNAME c.test\nc.test TXT c", 0, 0, 0, 0 },
        { 1, "half.test", "TXT", "half.test CNAME one.test", 0, 0, 0, 0 },
        { 1, "tcp.test", "TXT", "tcp.test TXT @\ntcp.test TXT #", 0, 0, 0,
          FAKE_DNS_BY_TCP },
        { 1, "forged.test", "TXT", "forged.test TXT true", 0, 0, 0,
          FAKE_DNS_FORGED_FIRST },
        { 0 }
    };
    static const struct {
        const char *name, *values;
    } cases[] = {
        { "one.test", "one" }, { "two.test", "one|t w o" },
        { "Upper.Test", "One" }, { "alias.test", "c" }, { "half.test", "one" },
        { "forged.test", "true" }
    };
    size_t i;

    (void)state;
    start(rows);
    for (i = 0; i < COUNT(cases); i++) {
        if (acme_dns_lookup_txt_wait(&values, resolver, cases[i].name, &res,
                                     pool)) {
            fail_msg("%s", res.detail);
        }
        assert_string_equal(joined(values), cases[i].values);
    }
    assert_int_equal(
        acme_dns_lookup_txt_wait(&values, resolver, "tcp.test", &res, pool),
        0);
    assert_int_equal(values->nelts, 64);
    assert_string_equal(APR_ARRAY_IDX(values, 0, const char *), "value 0");
    assert_true(fake_dns_recursion_desired(1) > 0);
}

static void no_txt_values(void **state)
{
    static const fake_dns_row_t rows[] = {
        { 1, "empty.test", "TXT", "-\ntest SOA 60", 0, 0, 0, 0 },
        { 1, "refused.test", "TXT", NULL, 5, 0, 0, 0 },
        { 1, "servfail.test", "TXT", NULL, 2, 0, 0, 0 },
        { 1, "silent.test", "TXT", NULL, 0, 0, 0, FAKE_DNS_SILENT },
        { 1, "cut.test", "TXT", "cut.test TXT a value", 0, 0, 0,
          FAKE_DNS_CUT },
        { 1, "loop.test", "TXT", NULL, 0, 0, 0, FAKE_DNS_LOOP },
        { 1, "wrong.test", "TXT", "wrong.test TXT x", 0, 0, 0,
          FAKE_DNS_WRONG_ID },
        { 1, "circle.test", "TXT", "circle.test CNAME b.test\n"
          "b.test CNAME circle.test", 0, 0, 0, 0 },
        { 1, "r1.test", "TXT", "r1.test CNAME r2.test", 0, 0, 0, 0 },
        { 1, "r2.test", "TXT", "r2.test CNAME r1.test", 0, 0, 0, 0 },
        { 1, "gone.test", "TXT", "gone.test CNAME b.test", 3, 0, 0, 0 },
        { 1, "big.test", "TXT", "big.test TXT @", 0, 0, 0, FAKE_DNS_BY_TCP },
        { 0 }
    };
    static const refusal_t cases[] = {
        { "unknown.test", APR_ENOENT, "unknown.test: 127.0.0.1:" },
        { "empty.test", APR_ENOENT, "empty.test: 127.0.0.1:" },
        { "gone.test", APR_ENOENT, "no TXT record" },
        { "big.test", APR_ENOENT, "no TXT record" },
        { "refused.test", APR_EGENERAL, "refused" },
        { "servfail.test", APR_EGENERAL, "failure" },
        { "silent.test", APR_TIMEUP, "Timeout" },
        { "cut.test", APR_EGENERAL, "malformed" },
        { "loop.test", APR_EGENERAL, "malformed" },
        { "wrong.test", APR_TIMEUP, "Timeout" },
        { "circle.test", APR_EGENERAL, "circle" },
        { "r1.test", APR_EGENERAL, "circle" }
    };
    size_t i;

    (void)state;
    start(rows);
    for (i = 0; i < COUNT(cases); i++) {
        assert_refused(&cases[i],
                       acme_dns_lookup_txt_wait(&values, resolver,
                                                cases[i].name, &res, pool));
        assert_null(values);
    }
    assert_true(fake_dns_asked(8) + fake_dns_asked(9) >= 17);
}

static void a_name_that_is_none(void **state)
{
    static const fake_dns_row_t rows[] = { { 0 } };
    static const char *const names[] = { "", "a..test", ".", "a\\" };
    char name[400];
    size_t i;

    (void)state;
    start(rows);
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(
        acme_dns_lookup_txt_wait(&values, resolver, name, &res, pool),
        APR_EGENERAL);
    for (i = 0; i < COUNT(names); i++) {
        assert_int_not_equal(
            acme_dns_lookup_txt_wait(&values, resolver, names[i], &res, pool),
            0);
    }
}

static void one_server_is_asked_directly(void **state)
{
    static const fake_dns_row_t rows[] = {
        { 2, NAME, "TXT", NAME " TXT here", 0, 0, 0, 0 },
        { 3, NAME, "TXT", NULL, 0, 1, 0, 0 },
        { 4, NAME, "TXT", NULL, 5, 0, 0, 0 },
        { 0 }
    };
    static const char *const bad[] = {
        "127.0.0.1:0x", "nowhere", "127.0.0.300:53",
        "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:53000"
    };
    size_t i;

    (void)state;
    start(rows);
    assert_int_equal(txt_at(server(2), NAME), 0);
    assert_string_equal(joined(values), "here");
    assert_int_equal(txt_at(server(2), "b.test"), APR_ENOENT);
    assert_int_equal(txt_at(server(3), NAME), APR_EGENERAL);
    assert_says("not responsible");
    assert_int_equal(txt_at(server(4), NAME), APR_EGENERAL);
    assert_says(server(4));
    assert_int_equal(fake_dns_recursion_desired(0), 0);
    for (i = 0; i < COUNT(bad); i++) {
        assert_int_not_equal(txt_at(bad[i], NAME), 0);
        assert_null(values);
    }
}

#define NS2 { 1, "a.test", "NS", "a.test NS ns1.b.test\na.test NS ns2.b.test" \
              "\nother.test NS ns3.b.test", 0, 0, 0, 0 }, \
            { 1, "ns1.b.test", "A", "ns1.b.test A 127.0.0.2", 0, 0, 0, 0 }, \
            { 1, "ns2.b.test", "A", "ns2.b.test CNAME x.test\n" \
              "x.test A 127.0.0.3\nx.test A 127.0.0.2", 0, 0, 0, 0 }, \
            { 1, "ns2.b.test", "AAAA", "ns2.b.test AAAA ::1", 0, 0, 0, 0 }

/* At both servers of a.test that answer. */
#define AT_BOTH(name, type, says) \
    { 2, name, type, says, 0, 0, 0, 0 }, { 3, name, type, says, 0, 0, 0, 0 }

static void the_authority_is_found(void **state)
{
    static const fake_dns_row_t rows[] = {
        { 1, NAME, NULL, NULL, 0, 0, 0, 0 },
        { 1, "c.a.test", NULL, NULL, 0, 0, 0, 0 },
        NS2,
        { 1, "a.test", "SOA", "a.test SOA 86400", 0, 0, 0, 0 },
        { 1, "e.a.test", "SOA", "-\na.test SOA 5", 3, 0, 0, 0 },
        { 1, "f.a.test", "SOA", "-\na.test SOA 1", 0, 0, 0, 0 },
        { 1, "g.a.test", "SOA", "g.a.test CNAME x.test\n-\nx.test SOA 5", 0,
          0, 0, 0 },
        { 1, "h.a.test", "SOA", "-\nb.test SOA 5\n. SOA 5", 0, 0, 0, 0 },
        AT_BOTH("far.a.test", "CNAME", "far.a.test CNAME b.a.test\n"
                "b.a.test CNAME c.a.test"),
        AT_BOTH("b.a.test", "CNAME", "b.a.test CNAME c.a.test"),
        AT_BOTH("circle.a.test", "CNAME", "circle.a.test CNAME circle.a.test"),
        { 0 }
    };
    static const struct {
        const char *name, *record;
        int interval;
    } cases[] = {
        { NAME, NAME, 60 }, { "new.e.a.test", "new.e.a.test", 5 },
        { "New.F.a.test", "new.f.a.test", 2 },
        { "new.g.a.test", "new.g.a.test", 60 },
        { "new.h.a.test", "new.h.a.test", 60 },
        { "far.a.test", "c.a.test", 60 }
    };
    acme_dns_authority_t out;
    acme_dns_lookup_t *zone;
    const char *all;
    size_t i;

    (void)state;
    start(rows);
    for (i = 0; i < COUNT(cases); i++) {
        if (authority(&out, cases[i].name)) {
            fail_msg("%s: %s", cases[i].name, res.detail);
        }
        assert_string_equal(out.record, cases[i].record);
        assert_string_equal(out.zone, "a.test");
        assert_int_equal(out.interval, apr_time_from_sec(cases[i].interval));
        all = joined(out.servers);
        assert_int_equal(out.servers->nelts, 3);
        assert_non_null(strstr(all, server(2)));
        assert_non_null(strstr(all, server(3)));
        assert_non_null(strstr(all, apr_psprintf(pool, "[::1]:%s",
                                                 fake_dns_port())));
    }
    /* A cache is never asked for the names themselves. */
    assert_int_equal(fake_dns_asked(0) + fake_dns_asked(1), 0);
    assert_int_equal(authority(&out, "circle.a.test"), APR_EGENERAL);
    assert_says("circle of them");

    zone = acme_dns_lookup_zone(resolver, "far.a.test", pool);
    assert_int_equal(finish(zone), 0);
    assert_int_equal(acme_dns_lookup_servers(&out, zone, &res), 0);
    assert_string_equal(out.record, "far.a.test");
    assert_string_equal(out.zone, "a.test");
}

static void the_cname_of_a_wildcard_is_not_followed(void **state)
{
    static const fake_dns_row_t rows[] = {
        NS2,
        { 1, "a.test", "SOA", "a.test SOA 5", 0, 0, 0, 0 },
        AT_BOTH("own.a.test", "CNAME", "own.a.test CNAME c.a.test"),
        AT_BOTH("c.a.test", "CNAME", NULL),     /* has names below it */
        AT_BOTH(NULL, "CNAME", "? CNAME lb.test"),
        { 0 }
    };
    static const struct {
        const char *name, *record;
    } cases[] = {
        { NAME, NAME }, { "own.a.test", "c.a.test" }, { "c.a.test", "c.a.test" }
    };
    acme_dns_authority_t out;
    size_t i;

    (void)state;
    start(rows);
    for (i = 0; i < COUNT(cases); i++) {
        if (authority(&out, cases[i].name)) {
            fail_msg("%s: %s", cases[i].name, res.detail);
        }
        assert_string_equal(out.record, cases[i].record);
        assert_string_equal(out.zone, "a.test");
    }
}

/* Delegated to others, or to the same servers; or they cannot be asked. */
static void a_zone_begins_at_the_name(void **state)
{
    static const fake_dns_row_t rows[] = {
        NS2,
        { 1, "a.test", "SOA", "a.test SOA 5", 0, 0, 0, 0 },
        { 2, "r.a.test", "CNAME", "-\nr.a.test NS n4.test", 0, 1, 0, 0 },
        { 3, "r.a.test", "CNAME", "-\nr.a.test NS n4.test", 0, 1, 0, 0 },
        { 1, "r.a.test", "NS", "r.a.test NS n4.test", 0, 0, 0, 0 },
        { 1, "n4.test", "A", "n4.test A 127.0.0.4", 0, 0, 0, 0 },
        AT_BOTH("s.a.test", "CNAME", "-\ns.a.test SOA 7"),
        { 1, "s.a.test", "NS", "s.a.test NS ns1.b.test", 0, 0, 0, 0 },
        { 1, "c.test", "SOA", "c.test SOA 5", 0, 0, 0, 0 },
        { 1, "c.test", "NS", "c.test NS n5.test", 0, 0, 0, 0 },
        { 1, "n5.test", "A", "n5.test A 127.0.0.5", 0, 0, 0, 0 },
        { 1, "q.c.test", "CNAME", "q.c.test CNAME t.c.test", 0, 0, 0, 0 },
        { 0 }
    };
    static const struct {
        const char *name, *record, *zone;
    } cases[] = {
        { "r.a.test", "r.a.test", "r.a.test" },
        { "s.a.test", "s.a.test", "s.a.test" },
        { "q.c.test", "t.c.test", "c.test" }
    };
    acme_dns_authority_t out;
    size_t i;

    (void)state;
    start(rows);
    for (i = 0; i < COUNT(cases); i++) {
        if (authority(&out, cases[i].name)) {
            fail_msg("%s: %s", cases[i].name, res.detail);
        }
        assert_string_equal(out.record, cases[i].record);
        assert_string_equal(out.zone, cases[i].zone);
        assert_int_equal(out.servers->nelts, 1);
    }
}

static void the_authority_is_not_found(void **state)
{
    static const fake_dns_row_t rows[] = {
        { 1, "servfail.test", "SOA", NULL, 2, 0, 0, 0 },
        { 1, "no.ns.test", "SOA", "-\nns.test SOA 5", 0, 0, 0, 0 },
        { 1, "a.test", "SOA", "a.test SOA 5", 0, 0, 0, 0 },
        { 1, "a.test", "NS", "a.test NS ns.test", 0, 0, 0, 0 },
        { 1, "root.test", "SOA", "-\n. SOA 5", 3, 0, 0, 0 },
        { 0 }
    };
    static const refusal_t cases[] = {
        { "x.servfail.test", APR_EGENERAL, "SOA" },
        { "x.no.ns.test", APR_EGENERAL, "has no name servers" },
        { "x.a.test", APR_EGENERAL, "have no addresses" },
        { "x.root.test", APR_ENOENT, "no zone" },
        { "x.unknown.test", APR_ENOENT, "no zone" }
    };
    acme_dns_authority_t out;
    size_t i;

    (void)state;
    start(rows);
    for (i = 0; i < COUNT(cases); i++) {
        assert_refused(&cases[i], authority(&out, cases[i].name));
        assert_null(out.servers);
        assert_says(strchr(cases[i].name, '.') + 1);
    }
}

static void a_zone_has_so_many_servers(void **state)
{
    apr_array_header_t *lines = apr_array_make(pool, 40, sizeof(char *));
    fake_dns_row_t rows[] = {
        { 1, "a.test", "SOA", "a.test SOA 5", 0, 0, 0, 0 },
        { 1, "a.test", "NS", NULL, 0, 0, 0, 0 },
        { 1, NULL, "A", NULL, 0, 0, 0, 0 },
        { 0 }
    };
    acme_dns_authority_t out;
    int i;

    (void)state;
    for (i = 0; i < 20; i++) {
        APR_ARRAY_PUSH(lines, const char *) =
            apr_psprintf(pool, "a.test NS ns%d.test", i);
    }
    rows[1].says = apr_array_pstrcat(pool, lines, '\n');
    apr_array_clear(lines);
    for (i = 0; i < 20; i++) {
        APR_ARRAY_PUSH(lines, const char *) =
            apr_psprintf(pool, "ns.test A 127.0.1.%d", i);
    }
    rows[2].says = apr_array_pstrcat(pool, lines, '\n');
    start(rows);
    assert_int_equal(authority(&out, "x.a.test"), 0);
    assert_int_equal(out.servers->nelts, 16);
    assert_int_equal(fake_dns_asked(2), 16);
}

/* 200 at once: more than a server is asked at a time; some are forgotten. */
static void many_go_on_side_by_side(void **state)
{
    static const fake_dns_row_t rows[] = {
        { 1, "slow.test", NULL, NULL, 0, 0, 0, FAKE_DNS_SILENT },
        { 1, "b.test", "TXT", "b.test TXT b", 0, 0, 0, 0 },
        { 0 }
    };
    acme_dns_lookup_t *lookups[200];
    int i, over = 0;

    (void)state;
    start(rows);
    conf.timeout = 3 * TIMEOUT;
    assert_int_equal(acme_dns_lookup_open(&resolver, &conf, &res, pool), 0);
    for (i = 0; i < 200; i++) {
        lookups[i] = acme_dns_lookup_txt(
            resolver, NULL, i % 20 ? "b.test" : "slow.test", pool);
    }
    while (over < 190) {
        assert_int_equal(acme_dns_lookup_run(resolver, LONG, &res), 0);
        for (i = 0, over = 0; i < 200; i++) {
            over += acme_dns_lookup_is_over(lookups[i]);
        }
    }
    assert_false(acme_dns_lookup_is_over(lookups[0]));
    for (i = 0; i < 200; i += 40) {
        acme_dns_lookup_end(lookups[i]);
    }
    for (i = 20; i < 200; i += 40) {
        while (!acme_dns_lookup_is_over(lookups[i])) {
            assert_int_equal(acme_dns_lookup_run(resolver, LONG, &res), 0);
        }
    }
    assert_int_equal(acme_dns_lookup_values(&values, lookups[20], &res),
                     APR_TIMEUP);
    assert_int_equal(acme_dns_lookup_values(&values, lookups[1], &res), 0);
    assert_string_equal(joined(values), "b");
    assert_int_equal(acme_dns_lookup_run(resolver, 1000, &res), APR_TIMEUP);
}

/* The second server is asked when the first is silent. */
static void the_next_server_is_asked(void **state)
{
    static const fake_dns_row_t rows[] = {
        { 1, NULL, NULL, NULL, 0, 0, 0, FAKE_DNS_SILENT },
        { 2, "a.test", "TXT", "a.test TXT a", 0, 0, 0, 0 },
        { 0 }
    };

    (void)state;
    start(rows);
    conf.servers = apr_pstrcat(pool, server(1), ",", server(2), NULL);
    assert_int_equal(acme_dns_lookup_open(&resolver, &conf, &res, pool), 0);
    assert_int_equal(
        acme_dns_lookup_txt_wait(&values, resolver, "a.test", &res, pool), 0);
    assert_true(fake_dns_asked(0) > 0);
    assert_true(fake_dns_recursion_desired(0) > 0);
}

static void bad_servers_are_refused(void **state)
{
    static const char *const bad[] = { "nowhere", "127.0.0.1:99x", "[::1" };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(bad); i++) {
        conf.servers = bad[i];
        assert_int_equal(acme_dns_lookup_open(&resolver, &conf, &res, pool),
                         APR_EINVAL);
        assert_null(resolver);
        assert_int_equal(res.retry, ACME_RETRY_NEVER);
        assert_says(bad[i]);
    }
}

static void nobody_listens(void **state)
{
    (void)state;
    conf.servers = "127.0.0.1:1";
    conf.timeout = TIMEOUT;
    assert_int_equal(acme_dns_lookup_open(&resolver, &conf, &res, pool), 0);
    assert_int_not_equal(
        acme_dns_lookup_txt_wait(&values, resolver, NAME, &res, pool), 0);
    assert_says("127.0.0.1:1");
}

static void the_system_has_servers(void **state)
{
    (void)state;
    assert_int_equal(acme_dns_lookup_open(&resolver, &conf, &res, pool), 0);
}

static void *stop_soon(void *data)
{
    apr_sleep(LEAVE_AFTER);
    acme_stop_now(data);
    return NULL;
}

static void a_stop_leaves_at_once(void **state)
{
    static const fake_dns_row_t rows[] = {
        { 1, NULL, NULL, NULL, 0, 0, 0, FAKE_DNS_SILENT },
        { 0 }
    };
    acme_dns_authority_t out;
    apr_time_t begin;
    pthread_t thread;

    (void)state;
    start(rows);
    begin = apr_time_now();
    pthread_create(&thread, NULL, stop_soon, conf.stop);
    assert_int_equal(
        acme_dns_lookup_txt_wait(&values, resolver, NAME, &res, pool),
        APR_EINTR);
    assert_in_range(apr_time_now() - begin, LEAVE_AFTER,
                    LEAVE_AFTER + LEAVE_WITHIN);
    pthread_join(thread, NULL);
    assert_null(values);
    assert_int_equal(authority(&out, NAME), APR_EINTR);
    assert_int_equal(txt_at(server(2), NAME), APR_EINTR);
}

/* A resolver is one thread's, but a process has many. */
static void *create_one(void *data)
{
    apr_pool_t *own = data;
    acme_dns_resolver_t *mine;
    acme_result_t why;
    apr_array_header_t *texts;
    intptr_t good = 0;
    int i;

    if (acme_dns_lookup_open(&mine, &conf, &why, own) == APR_SUCCESS) {
        for (i = 0; i < THREAD_CALLS; i++) {
            good += acme_dns_lookup_txt_wait(&texts, mine, "a.test", &why, own)
                    == APR_SUCCESS;
        }
    }
    return (void *)good;
}

static void threads_do_not_meet(void **state)
{
    static const fake_dns_row_t rows[] = {
        { 1, "a.test", "TXT", "a.test TXT a", 0, 0, 0, 0 },
        { 0 }
    };

    (void)state;
    start(rows);
    assert_threads_are_good(create_one);
}

/* Records of a type at the recursive server. */
static apr_status_t records(const char *name, acme_dns_rr_e type, int *pgone)
{
    acme_dns_lookup_t *lookup = acme_dns_lookup_records(resolver, name, type,
                                                        pool);
    apr_status_t rv = finish(lookup);

    values = NULL;
    *pgone = acme_dns_lookup_is_nxdomain(lookup);
    return rv ? rv : acme_dns_lookup_values(&values, lookup, &res);
}

static void addresses_and_caa_are_looked_up(void **state)
{
    static const fake_dns_row_t rows[] = {
        { .server = 1, .name = "a.test", .type = "A",
          .says = "a.test A 192.0.2.7\na.test A 192.0.2.8" },
        { .server = 1, .name = "a.test", .type = "AAAA",
          .says = "a.test AAAA 2001:db8::7" },
        { .server = 1, .name = "a.test", .type = "CAA",
          .says = "a.test CAA 128 Issue ca.test; x=y\n"
                  "a.test CAA 0 iodef mailto:x@a.test" },
        { .server = 1, .name = "alias.test", .type = "A",
          .says = "alias.test CNAME a.test" },
        { .server = 1, .name = "empty.test" },
        { .server = 1, .name = "broken.test", .rcode = 2 },
        { .server = 1, .name = "mute.test", .how = FAKE_DNS_SILENT },
        { .server = 0 }
    };
    int gone;

    (void)state;
    start(rows);
    assert_int_equal(records("A.test", ACME_RR_A, &gone), 0);
    assert_string_equal(joined(values), "192.0.2.7|192.0.2.8");
    assert_int_equal(records("a.test", ACME_RR_AAAA, &gone), 0);
    assert_string_equal(joined(values), "2001:db8::7");
    assert_int_equal(records("a.test", ACME_RR_CAA, &gone), 0);
    assert_string_equal(joined(values),
                        "128 issue ca.test; x=y|0 iodef mailto:x@a.test");
    assert_int_equal(records("alias.test", ACME_RR_A, &gone), 0);
    assert_string_equal(joined(values), "192.0.2.7|192.0.2.8");

    assert_true(APR_STATUS_IS_ENOENT(records("empty.test", ACME_RR_CAA,
                                             &gone)));
    assert_false(gone);
    assert_says("no CAA record");
    assert_true(APR_STATUS_IS_ENOENT(records("gone.test", ACME_RR_A, &gone)));
    assert_true(gone);
    /* There may be records: it must not pass for none. */
    assert_int_equal(records("broken.test", ACME_RR_CAA, &gone),
                     APR_EGENERAL);
    assert_false(gone);
    assert_int_equal(records("mute.test", ACME_RR_CAA, &gone), APR_TIMEUP);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(addresses_and_caa_are_looked_up),
        TEST(txt_values),
        TEST(no_txt_values),
        TEST(a_name_that_is_none),
        TEST(one_server_is_asked_directly),
        TEST(the_authority_is_found),
        TEST(the_cname_of_a_wildcard_is_not_followed),
        TEST(a_zone_begins_at_the_name),
        TEST(the_authority_is_not_found),
        TEST(a_zone_has_so_many_servers),
        TEST(many_go_on_side_by_side),
        TEST(the_next_server_is_asked),
        TEST(bad_servers_are_refused),
        TEST(nobody_listens),
        TEST(the_system_has_servers),
        TEST(a_stop_leaves_at_once),
        TEST(threads_do_not_meet)
    };
    int failed;

    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
