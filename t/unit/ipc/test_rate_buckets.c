/*
 * test_rate_buckets.c - when a CA's rate limits allow the next order.
 */
#include "acme_rate_buckets.h"
#include "acme_time.h"
#include "pool.h"

#define SECONDS(n) apr_time_from_sec((apr_int64_t)(n))
#define MINUTES(n) SECONDS(60 * (n))
#define HOURS(n) SECONDS(3600 * (n))
#define DAYS(n) HOURS(24 * (n))
#define NOW SECONDS(1795239365)         /* 2026-11-21 05:36:05, a Saturday */

#define REAL "https://acme-v02.api.letsencrypt.org/directory"
#define STAGING "https://acme-staging-v02.api.letsencrypt.org/directory"

/* One comes back after that. */
#define EACH_ORDER SECONDS(36)
#define EACH_OF_DOMAIN (DAYS(7) / 50)
#define EACH_OF_SET (DAYS(7) / 5)
#define EACH_FAILURE MINUTES(12)

static const apr_array_header_t *names_of(const char *text)
{
    apr_array_header_t *names = apr_array_make(pool, 2, sizeof(char *));
    char *last, *name, *copy = apr_pstrdup(pool, text);

    for (name = apr_strtok(copy, " ", &last); name;
         name = apr_strtok(NULL, " ", &last)) {
        APR_ARRAY_PUSH(names, const char *) = name;
    }
    return names;
}

typedef enum { FIRST, RENEWAL, ARI } how_e;

static acme_rate_buckets_order_t order_of(const char *names, how_e how)
{
    acme_rate_buckets_order_t order;

    order.names = names_of(names);
    order.is_renewal = how != FIRST;
    order.is_ari = how == ARI;
    return order;
}

static acme_rate_buckets_event_t event_of(acme_use_e use, const char *names,
                                        how_e how, apr_time_t when)
{
    acme_rate_buckets_event_t event;

    event.when = when;
    event.use = use;
    event.order = order_of(names, how);
    return event;
}

/* n times; a # of names becomes a number of its own each time. */
static void happen(acme_rate_buckets_t *limits, int n, acme_use_e use,
                   const char *names, how_e how, apr_time_t when)
{
    acme_rate_buckets_event_t event;
    int i;

    for (i = 0; i < n; i++) {
        char *mine = apr_pstrdup(pool, names);
        char *hash = strchr(mine, '#');

        if (hash) {
            mine = apr_pstrcat(pool, apr_pstrndup(pool, mine,
                                                  (apr_size_t)(hash - mine)),
                               apr_itoa(pool, i), hash + 1, NULL);
        }
        event = event_of(use, mine, how, when);
        acme_rate_buckets_add(limits, &event);
    }
}

static void registered_domains(void **unused)
{
    static const struct {
        const char *name, *domain;
    } rows[] = {
        { "example.org", "example.org" },
        { "www.example.org", "example.org" },
        { "a.b.c.example.org", "example.org" },
        { "*.example.org", "example.org" },
        { "www.example.co.uk", "example.co.uk" },
        { "example.co.uk", "example.co.uk" },
        { "co.uk", "co.uk" },
        { "org", "org" },
        { "me.github.io", "me.github.io" },
        { "www.me.github.io", "me.github.io" },
        { "www.xn--85x722f.com.cn", "xn--85x722f.com.cn" },
        { "localhost", "localhost" },
        { "host.internal-zone", "host.internal-zone" },
        { "192.0.2.1", NULL },
        { "2001:db8::1", NULL }
    };
    const char *domain;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        domain = acme_rate_buckets_registered_domain(rows[i].name);
        if (!domain != !rows[i].domain
            || (domain && strcmp(domain, rows[i].domain))) {
            fail_msg("%s: %s", rows[i].name, domain ? domain : "none");
        }
    }
}

/* What happened n times, and when an order may follow. */
static const struct {
    const char *name;
    int n;
    acme_use_e use;
    const char *used;
    how_e used_how;
    apr_interval_time_t ago;
    const char *wanted;
    how_e how;
    apr_interval_time_t wait;
    const char *why;                    /* part of it */
} rows_of_one[] = {
    { "nothing happened", 0, ACME_USE_ORDERED, "", FIRST, 0,
      "www.example.org", FIRST, 0, NULL },

    { "269 orders", 269, ACME_USE_ORDERED, "a#.org", FIRST, 0,
      "b.org", FIRST, 0, NULL },
    { "270 orders: the rest is for renewals", 270, ACME_USE_ORDERED,
      "a#.org", FIRST, 0, "b.org", FIRST, EACH_ORDER,
      "300 new orders of an account in 3 h, of which 30 are reserved for renewals" },
    { "270 orders: a renewal", 270, ACME_USE_ORDERED, "a#.org", FIRST, 0,
      "b.org", RENEWAL, 0, NULL },
    { "300 orders: a renewal", 300, ACME_USE_ORDERED, "a#.org", FIRST, 0,
      "b.org", RENEWAL, EACH_ORDER, "300 new orders" },
    { "300 orders: one that the CA wants", 300, ACME_USE_ORDERED, "a#.org",
      FIRST, 0, "b.org", ARI, 0, NULL },
    { "300 orders, an hour ago", 300, ACME_USE_ORDERED, "a#.org", FIRST,
      HOURS(1), "b.org", FIRST, 0, NULL },
    { "300 orders: the reserve first", 300, ACME_USE_ORDERED, "a#.org",
      FIRST, MINUTES(10), "b.org", FIRST, 31 * EACH_ORDER - MINUTES(10),
      "300 new orders" },
    { "300 orders that the CA wanted", 300, ACME_USE_ORDERED, "a#.org", ARI,
      0, "b.org", FIRST, 0, NULL },
    { "more than the CA can have let happen", 900, ACME_USE_ORDERED,
      "a#.org", FIRST, 0, "b.org", RENEWAL, EACH_ORDER, "300 new orders" },

    { "44 of a domain", 44, ACME_USE_ISSUED, "a#.example.org", FIRST, 0,
      "b.example.org", FIRST, 0, NULL },
    { "45 of a domain", 45, ACME_USE_ISSUED, "a#.example.org", FIRST, 0,
      "b.example.org", FIRST, EACH_OF_DOMAIN,
      "50 certificates for the domain example.org in 7 days, of which 5 "
      "are reserved for renewals; the order is postponed until " },
    { "50 of a domain, a wildcard", 50, ACME_USE_ISSUED, "a#.example.org",
      FIRST, 0, "*.example.org", FIRST, 6 * EACH_OF_DOMAIN,
      "the domain example.org" },
    { "50 of a domain: another", 50, ACME_USE_ISSUED, "a#.example.org",
      FIRST, 0, "b.example.net", FIRST, 0, NULL },
    { "50 of a domain, which is one of several", 50, ACME_USE_ISSUED,
      "a#.example.org", FIRST, 0, "b.example.net b.example.org", FIRST,
      6 * EACH_OF_DOMAIN, "the domain example.org" },
    { "50 of a domain: a renewal", 50, ACME_USE_ISSUED, "a#.example.org",
      FIRST, 0, "a7.example.org", RENEWAL, 0, NULL },
    { "50 of a suffix are 50 domains", 50, ACME_USE_ISSUED, "a#.co.uk",
      FIRST, 0, "b.co.uk", FIRST, 0, NULL },
    { "50 renewals of a domain", 50, ACME_USE_ISSUED, "a#.example.org",
      RENEWAL, 0, "b.example.org", FIRST, 0, NULL },
    { "44 with two names of a domain count once", 44, ACME_USE_ISSUED,
      "a#.example.org www.example.org", FIRST, 0, "b.example.org", FIRST, 0,
      NULL },
    { "50 of addresses", 50, ACME_USE_ISSUED, "192.0.2.#", FIRST, 0,
      "192.0.2.200", FIRST, 0, NULL },
    { "50 of a domain, 7 days ago", 50, ACME_USE_ISSUED, "a#.example.org",
      FIRST, DAYS(7), "b.example.org", FIRST, 0, NULL },

    { "4 of the same names", 4, ACME_USE_ISSUED, "a.org b.org", FIRST, 0,
      "a.org b.org", FIRST, 0, NULL },
    { "5 of the same names", 5, ACME_USE_ISSUED, "a.org b.org", FIRST, 0,
      "a.org b.org", FIRST, EACH_OF_SET,
      "5 certificates for the same names (a.org, b.org) in 7 days; the" },
    { "5 of the same names: a renewal", 5, ACME_USE_ISSUED, "a.org b.org",
      RENEWAL, 0, "a.org b.org", RENEWAL, EACH_OF_SET, "the same names" },
    { "5 of the same names in another order", 5, ACME_USE_ISSUED,
      "a.org b.org", FIRST, 0, "b.org a.org", FIRST, EACH_OF_SET,
      "the same names" },
    { "5 of the same names: one of them", 5, ACME_USE_ISSUED, "a.org b.org",
      FIRST, 0, "a.org", FIRST, 0, NULL },
    { "5 of the same names: one more", 5, ACME_USE_ISSUED, "a.org b.org",
      FIRST, 0, "a.org b.org c.org", FIRST, 0, NULL },
    { "5 of the same names: the CA wants it", 5, ACME_USE_ISSUED, "a.org",
      FIRST, 0, "a.org", ARI, 0, NULL },
    { "5 that the CA wanted", 5, ACME_USE_ISSUED, "a.org", ARI, 0, "a.org",
      RENEWAL, EACH_OF_SET, "the same names" },
    { "5 of the same address", 5, ACME_USE_ISSUED, "192.0.2.1", FIRST, 0,
      "192.0.2.1", FIRST, EACH_OF_SET, "the same names (192.0.2.1)" },
    { "5 of the same names, 33 h ago", 5, ACME_USE_ISSUED, "a.org", FIRST,
      HOURS(33), "a.org", FIRST, EACH_OF_SET - HOURS(33), "the same names" },
    { "5 of the same names, 34 h ago", 5, ACME_USE_ISSUED, "a.org", FIRST,
      HOURS(34), "a.org", FIRST, 0, NULL },

    { "4 failures", 4, ACME_USE_FAILED, "a.org", FIRST, 0, "a.org", FIRST, 0,
      NULL },
    { "5 failures", 5, ACME_USE_FAILED, "a.org", FIRST, 0, "a.org", FIRST,
      EACH_FAILURE, "5 failed validations of a.org in 60 min; the" },
    { "5 failures: a renewal", 5, ACME_USE_FAILED, "a.org", RENEWAL, 0,
      "a.org", RENEWAL, EACH_FAILURE, "failed validations of a.org" },
    { "5 failures of one that the CA wanted", 5, ACME_USE_FAILED, "a.org",
      ARI, 0, "a.org", FIRST, EACH_FAILURE, "failed validations of a.org" },
    { "5 failures of one of several", 5, ACME_USE_FAILED, "a.org", FIRST, 0,
      "b.org a.org c.org", FIRST, EACH_FAILURE, "validations of a.org" },
    { "5 failures: another of its domain", 5, ACME_USE_FAILED, "a.org",
      FIRST, 0, "www.a.org", FIRST, 0, NULL },
    { "5 failures of an address", 5, ACME_USE_FAILED, "192.0.2.1", FIRST, 0,
      "192.0.2.1", FIRST, EACH_FAILURE, "failed validations of 192.0.2.1" },
    { "5 failures, 12 min ago", 5, ACME_USE_FAILED, "a.org", FIRST,
      MINUTES(12), "a.org", FIRST, 0, NULL },

    { "wrong clock: years ahead", 300, ACME_USE_ISSUED, "a.org", FIRST,
      -DAYS(7300), "a.org", FIRST, 0, NULL }
};

static void when_it_may_be_ordered(void **unused)
{
    acme_rate_buckets_order_t order;
    acme_rate_buckets_t *limits;
    const char *why;
    apr_time_t at;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows_of_one); i++) {
        limits = acme_rate_buckets_create(REAL, pool);
        happen(limits, rows_of_one[i].n, rows_of_one[i].use,
               rows_of_one[i].used, rows_of_one[i].used_how,
               NOW - rows_of_one[i].ago);
        order = order_of(rows_of_one[i].wanted, rows_of_one[i].how);
        at = acme_rate_buckets_next(&why, limits, &order, NOW, pool);
        if (at != NOW + rows_of_one[i].wait) {
            fail_msg("%s: now + %" APR_TIME_T_FMT " us", rows_of_one[i].name,
                     at - NOW);
        }
        if (!why != !rows_of_one[i].why
            || (why && !strstr(why, rows_of_one[i].why))) {
            fail_msg("%s: %s", rows_of_one[i].name, why ? why : "no reason");
        }

        /* What is said holds: then, and not before. */
        assert_int_equal(
            acme_rate_buckets_next(&why, limits, &order, at, pool), at);
        assert_null(why);
        if (at > NOW) {
            assert_int_equal(
                acme_rate_buckets_next(&why, limits, &order, at - 1, pool), at);
        }
    }
}

static void the_limit_that_ends_last_is_told(void **unused)
{
    acme_rate_buckets_t *limits = acme_rate_buckets_create(REAL, pool);
    acme_rate_buckets_order_t order = order_of("a.org", FIRST);
    const char *why;

    (void)unused;
    happen(limits, 300, ACME_USE_ORDERED, "a.org", FIRST, NOW);
    happen(limits, 5, ACME_USE_ISSUED, "a.org", FIRST, NOW);
    happen(limits, 5, ACME_USE_FAILED, "a.org", FIRST, NOW);
    assert_int_equal(acme_rate_buckets_next(&why, limits, &order, NOW, pool),
                     NOW + EACH_OF_SET);
    assert_string_equal(why, "Let's Encrypt allows 5 certificates for the "
                        "same names (a.org) in 7 days; the order is "
                        "postponed until 2026-11-22 15:12:05 UTC");
}

static void cas(void **unused)
{
    static const struct {
        const char *url;
        int known, waits;
    } rows[] = {
        { REAL, 1, 1 },
        { STAGING, 1, 0 },
        { "https://ACME-V02.api.LetsEncrypt.org/directory", 1, 1 },
        { "https://acme-v02.api.letsencrypt.org.example/directory", 0, 0 },
        { "https://acme-v02.api.letsencrypt.org:14000/dir", 0, 0 },
        { "https://ca.example/acme-v02.api.letsencrypt.org", 0, 0 }
    };
    acme_rate_buckets_order_t order = order_of("a.org", FIRST);
    apr_array_header_t *orders =
        apr_array_make(pool, 1, sizeof(acme_rate_buckets_order_t));
    acme_rate_buckets_t *limits;
    const char *why;
    size_t i;

    (void)unused;
    APR_ARRAY_PUSH(orders, acme_rate_buckets_order_t) = order;
    for (i = 0; i < COUNT(rows); i++) {
        limits = acme_rate_buckets_create(rows[i].url, pool);
        happen(limits, 300, ACME_USE_ORDERED, "a.org", FIRST, NOW);
        happen(limits, 50, ACME_USE_ISSUED, "a.org", FIRST, NOW);
        happen(limits, 5, ACME_USE_FAILED, "a.org", FIRST, NOW);
        if (acme_rate_buckets_is_known(limits) != rows[i].known
            || (acme_rate_buckets_next(&why, limits, &order, NOW, pool) > NOW)
                   != rows[i].waits
            || (acme_rate_buckets_forecast(limits, orders, NOW, pool) > NOW)
                   != rows[i].waits) {
            fail_msg("%s: known, or not", rows[i].url);
        }
        if (!rows[i].known) {
            assert_int_equal(acme_rate_buckets_count(limits), 0);
        }
    }
}

static void a_past_in_any_order(void **unused)
{
    static const apr_interval_time_t agos[] = {
        HOURS(1), HOURS(150), HOURS(50), HOURS(2), HOURS(100), HOURS(160)
    };
    acme_rate_buckets_t *limits = acme_rate_buckets_create(REAL, pool);
    acme_rate_buckets_t *sorted = acme_rate_buckets_create(REAL, pool);
    acme_rate_buckets_order_t order = order_of("a.org", FIRST);
    apr_array_header_t *events =
        apr_array_make(pool, 2, sizeof(acme_rate_buckets_event_t));
    const char *why;
    apr_time_t at;
    size_t i;

    (void)unused;
    acme_rate_buckets_load(limits, events, NOW);
    assert_int_equal(acme_rate_buckets_count(limits), 0);

    for (i = 0; i < 6 * COUNT(agos); i++) {
        APR_ARRAY_PUSH(events, acme_rate_buckets_event_t) =
            event_of(ACME_USE_ISSUED, "a.org", FIRST, NOW - agos[i % 6]);
    }
    APR_ARRAY_PUSH(events, acme_rate_buckets_event_t) =
        event_of(ACME_USE_ISSUED, "a.org", FIRST, NOW + DAYS(400));
    acme_rate_buckets_load(limits, events, NOW);
    for (i = 0; i < 6; i++) {
        static const int hours[] = { 160, 150, 100, 50, 2, 1 };

        happen(sorted, 6, ACME_USE_ISSUED, "a.org", FIRST,
               NOW - HOURS(hours[i]));
    }
    at = acme_rate_buckets_next(&why, sorted, &order, NOW, pool);
    assert_true(at > NOW);
    assert_int_equal(acme_rate_buckets_next(&why, limits, &order, NOW, pool),
                     at);

    /* Late: too much rather than too little. */
    happen(limits, 1, ACME_USE_ISSUED, "a.org", FIRST, NOW - DAYS(9));
    assert_true(acme_rate_buckets_next(&why, limits, &order, NOW, pool) >= at);
}

static void what_is_over_is_forgotten(void **unused)
{
    acme_rate_buckets_t *limits = acme_rate_buckets_create(REAL, pool);
    acme_rate_buckets_order_t order = order_of("new.org", FIRST);
    const char *why;
    int i;

    (void)unused;
    happen(limits, 1000, ACME_USE_FAILED, "old#.org", FIRST, NOW - HOURS(1));
    happen(limits, 5, ACME_USE_ISSUED, "new.org", FIRST, NOW);
    happen(limits, 1, ACME_USE_ISSUED, "ahead.org", FIRST, NOW + DAYS(7300));
    assert_int_equal(acme_rate_buckets_count(limits), 1004);
    for (i = 0; i < 3; i++) {
        acme_rate_buckets_expire(limits, NOW);
        assert_int_equal(acme_rate_buckets_count(limits), 2);
        assert_int_equal(
            acme_rate_buckets_next(&why, limits, &order, NOW, pool),
            NOW + EACH_OF_SET);
    }

    /* Years of it take no more than a week of it. */
    for (i = 0; i < 1000; i++) {
        happen(limits, 1, ACME_USE_ISSUED, apr_psprintf(pool, "n%d.org", i),
               FIRST, NOW + DAYS(i));
        acme_rate_buckets_expire(limits, NOW + DAYS(i));
        assert_in_range(acme_rate_buckets_count(limits), 2, 20);
    }
}

static apr_array_header_t *orders_of(int n, const char *format, how_e how)
{
    apr_array_header_t *orders =
        apr_array_make(pool, n, sizeof(acme_rate_buckets_order_t));
    int i;

    for (i = 0; i < n; i++) {
        APR_ARRAY_PUSH(orders, acme_rate_buckets_order_t) =
            order_of(apr_psprintf(pool, format, i), how);
    }
    return orders;
}

static void forecasts(void **unused)
{
    static const struct {
        const char *name;
        int n;
        const char *format;
        how_e how;
        apr_interval_time_t wait;
    } rows[] = {
        { "none", 0, "a%d.org", FIRST, 0 },
        { "one", 1, "a%d.org", FIRST, 0 },
        { "as many as may be at once", 270, "a%d.org", FIRST, 0 },
        { "one more", 271, "a%d.org", FIRST, EACH_ORDER },
        { "4000 domains", 4000, "a%d.org", FIRST, 3730 * EACH_ORDER },
        { "4000 renewals", 4000, "a%d.org", RENEWAL, 3700 * EACH_ORDER },
        { "4000 that the CA wants", 4000, "a%d.org", ARI, 0 },
        { "45 names of a domain", 45, "a%d.example.org", FIRST, 0 },
        { "46 names of a domain", 46, "a%d.example.org", FIRST,
          EACH_OF_DOMAIN },
        { "4000 names of a domain", 4000, "a%d.example.org", FIRST,
          3955 * EACH_OF_DOMAIN },
        { "300 renewals of a domain", 300, "a%d.example.org", RENEWAL, 0 }
    };
    acme_rate_buckets_t *limits = acme_rate_buckets_create(REAL, pool);
    apr_time_t at;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        at = acme_rate_buckets_forecast(
            limits, orders_of(rows[i].n, rows[i].format, rows[i].how), NOW,
            pool);
        if (at != NOW + rows[i].wait) {
            fail_msg("%s: now + %" APR_TIME_T_FMT " us", rows[i].name,
                     at - NOW);
        }
    }

    /* It is a forecast: nothing was used. */
    assert_int_equal(acme_rate_buckets_count(limits), 0);
}

/* Order as soon as it is allowed, for as long as there are some. */
static apr_time_t do_it(acme_rate_buckets_t *limits, apr_array_header_t *orders)
{
    apr_time_t now = NOW, next, last = NOW;
    int left = orders->nelts, i;
    char *done = apr_pcalloc(pool, (apr_size_t)left);
    const char *why;

    while (left) {
        apr_time_t soonest = now + DAYS(9999);

        for (i = 0; i < orders->nelts; i++) {
            acme_rate_buckets_event_t event;

            if (done[i]) {
                continue;
            }
            event.order = APR_ARRAY_IDX(orders, i, acme_rate_buckets_order_t);
            next =
                acme_rate_buckets_next(&why, limits, &event.order, now, pool);
            if (next > now) {
                soonest = next < soonest ? next : soonest;
                continue;
            }
            event.when = last = now;
            event.use = ACME_USE_ORDERED;
            acme_rate_buckets_add(limits, &event);
            event.use = ACME_USE_ISSUED;
            acme_rate_buckets_add(limits, &event);
            done[i] = 1;
            left--;
        }
        now = soonest;
    }
    return last;
}

static void a_forecast_comes_true(void **unused)
{
    static const struct {
        const char *name;
        int domains, subdomains, renewals, used;
    } rows[] = {
        { "own domains", 400, 0, 0, 0 },
        { "one domain", 0, 100, 0, 20 },
        { "both", 300, 60, 0, 40 },
        { "both, and renewals", 200, 60, 150, 45 },
        { "a busy account", 100, 0, 50, 299 }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        acme_rate_buckets_t *limits = acme_rate_buckets_create(REAL, pool);
        apr_array_header_t *orders =
            orders_of(rows[i].subdomains, "s%d.example.org", FIRST);
        apr_time_t said, is;

        happen(limits, rows[i].used, ACME_USE_ISSUED, "u#.example.org",
               FIRST, NOW - HOURS(1));
        happen(limits, rows[i].used, ACME_USE_ORDERED, "u", FIRST,
               NOW - HOURS(1));
        happen(limits, 5, ACME_USE_FAILED, "s1.example.org", FIRST, NOW);
        apr_array_cat(orders, orders_of(rows[i].domains, "d%d.org", FIRST));
        apr_array_cat(orders, orders_of(rows[i].renewals, "r%d.org",
                                        RENEWAL));
        said = acme_rate_buckets_forecast(limits, orders, NOW, pool);
        is = do_it(limits, orders);
        if (is > said + HOURS(3) || is < said - HOURS(3)) {
            fail_msg("%s: said now + %" APR_TIME_T_FMT " us, is now + %"
                     APR_TIME_T_FMT " us", rows[i].name, said - NOW,
                     is - NOW);
        }
    }
}

static void forecasts_for_people(void **unused)
{
    static const struct {
        int names;
        apr_interval_time_t in;
        const char *text;
    } rows[] = {
        { 4000, DAYS(3) + HOURS(8) + MINUTES(34),
          "the last of 4,000 names about Tuesday 14:10 UTC" },
        { 1, HOURS(20), "the last of 1 name about Sunday 01:36 UTC" },
        { 999, DAYS(6) - 1, "the last of 999 names about Friday 05:36 UTC" },
        { 1000, DAYS(6),
          "the last of 1,000 names about 2026-11-27 05:36 UTC" },
        { 1234567, DAYS(200),
          "the last of 1,234,567 names about 2027-06-09 05:36 UTC" },
        { 4000, 0, "no limit postpones 4,000 names" },
        { 1, -1, "no limit postpones 1 name" }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(acme_rate_buckets_forecast_text(
                                rows[i].names, NOW + rows[i].in, NOW, pool),
                            rows[i].text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(registered_domains),
        POOL_TEST(when_it_may_be_ordered),
        POOL_TEST(the_limit_that_ends_last_is_told),
        POOL_TEST(cas),
        POOL_TEST(a_past_in_any_order),
        POOL_TEST(what_is_over_is_forgotten),
        POOL_TEST(forecasts),
        POOL_TEST(a_forecast_comes_true),
        POOL_TEST(forecasts_for_people)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
