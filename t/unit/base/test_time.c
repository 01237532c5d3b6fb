/*
 * test_time.c - durations, windows and times, read strictly.
 */
#include "acme_time.h"
#include "pool.h"

#define SECONDS(n) apr_time_from_sec(n)
#define DAY ((apr_int64_t)86400)
#define NOW SECONDS((apr_int64_t)1795239365)    /* 2026-11-21 05:36:05 */


static void durations(void **state)
{
    static const struct {
        const char *text;
        apr_int64_t seconds;
    } rows[] = {
        { "1s", 1 }, { "30s", 30 }, { "10m", 600 }, { "12h", 43200 },
        { "30d", 30 * DAY }, { "07d", 7 * DAY }, { "3650d", 3650 * DAY },
        { "315360000s", 3650 * DAY },
    };
    apr_interval_time_t d;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(acme_time_duration_parse(&d, rows[i].text, &res), 0);
        assert_int_equal(d, SECONDS(rows[i].seconds));
    }
}

/* Neither a duration nor, but for the last ones, a window. */
static const char *const no_durations[] = {
    "", "s", "30", "0s", "0d", "-1s", "+1s", " 1s", "1s ", "1 s", "1S", "1D",
    "1w", "1y", "1ms", "1d12h", "1.5h", "0x1d", "1e3s", "3651d",
    "315360001s", "999999999d", "1000000000s", "99999999999999999999s",
    "\xd9\xa1s", "d1", "\n", "1%", "33%",
};

static void durations_that_are_refused(void **state)
{
    apr_interval_time_t d;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(no_durations); i++) {
        d = 5;
        if (!acme_time_duration_parse(&d, no_durations[i], &res)) {
            fail_msg("\"%s\": it was liked", no_durations[i]);
        }
        assert_int_equal(d, 0);
        assert_int_equal(res.retry, ACME_RETRY_NEVER);
        assert_non_null(strstr(res.detail, no_durations[i]));
        assert_non_null(strstr(res.detail, "30s"));
    }
}

static void windows(void **state)
{
    acme_window_t w;

    (void)state;
    assert_int_equal(acme_time_window_parse(&w, "30d", &res), 0);
    assert_int_equal(w.duration, SECONDS(30 * DAY));
    assert_int_equal(w.percent, 0);
    assert_int_equal(acme_time_window_parse(&w, "1%", &res), 0);
    assert_int_equal(w.percent, 1);
    assert_int_equal(acme_time_window_parse(&w, "99%", &res), 0);
    assert_int_equal(w.percent, 99);
    assert_int_equal(w.duration, 0);
}

static void windows_that_are_refused(void **state)
{
    static const char *const texts[] = {
        "%", "0%", "100%", "-1%", "+1%", " 1%", "1 %", "1%%", "1%d", "33.3%",
        "4294967297%",
    };
    acme_window_t w;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(texts) + COUNT(no_durations) - 2; i++) {
        const char *text = i < COUNT(texts) ? texts[i]
                                           : no_durations[i - COUNT(texts)];

        memset(&w, 5, sizeof(w));
        if (!acme_time_window_parse(&w, text, &res)) {
            fail_msg("\"%s\": it was liked", text);
        }
        assert_int_equal(w.duration, 0);
        assert_int_equal(w.percent, 0);
        assert_int_equal(res.retry, ACME_RETRY_NEVER);
        assert_non_null(strstr(res.detail, "1% to 99%"));
    }
}

static void intervals_for_people(void **state)
{
    static const struct {
        apr_int64_t seconds;
        const char *text;
    } rows[] = {
        { -1, "0 s" }, { 0, "0 s" }, { 1, "1 s" }, { 41, "41 s" },
        { 119, "119 s" }, { 120, "2 min" }, { 779, "12 min" },
        { 7199, "119 min" }, { 7200, "2 h" }, { 5 * 3600 + 1, "5 h" },
        { 2 * DAY - 1, "47 h" }, { 2 * DAY, "2 days" },
        { 30 * DAY - 1, "29 days" }, { 36500 * DAY, "36500 days" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(
            acme_time_interval_text(SECONDS(rows[i].seconds), pool),
            rows[i].text);
    }
    assert_string_equal(acme_time_interval_text(999999, pool), "0 s");
}

static void times_for_people_and_files(void **state)
{
    (void)state;
    assert_string_equal(acme_time_text(0, pool), "never");
    assert_string_equal(acme_time_text(NOW, pool), "2026-11-21 05:36:05 UTC");
    assert_string_equal(acme_time_rfc3339(NOW + 999999, pool),
                        "2026-11-21T05:36:05Z");
    assert_int_equal(acme_time_parse(acme_time_rfc3339(NOW, pool)), NOW);
}

static void times_of_rfc_3339(void **state)
{
    static const struct {
        const char *text;
        apr_time_t t;
    } rows[] = {
        { "2026-11-21T05:36:05Z", NOW },
        { "2026-11-21t05:36:05z", NOW },
        { "2026-11-21T05:36:05.5Z", NOW },
        { "2026-11-21T05:36:05.123456789Z", NOW },
        { "2026-11-21T05:36:05+00:00", NOW },
        { "2026-11-21T05:36:05-00:00", NOW },
        { "2026-11-21T07:36:05+02:00", NOW },
        { "2026-11-20T21:36:05.25-08:00", NOW },
        { "2026-11-21T11:06:05+05:30", NOW },
        { "1970-01-01T00:00:01Z", SECONDS(1) },
        { "2024-02-29T00:00:00Z", SECONDS((apr_int64_t)1709164800) },
        { "2016-12-31T23:59:60Z", SECONDS((apr_int64_t)1483228799) },
        { "9999-12-31T23:59:59Z", SECONDS((apr_int64_t)253402300799) },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_time_parse(rows[i].text) != rows[i].t) {
            fail_msg("%s", rows[i].text);
        }
    }
}

static void no_times_of_rfc_3339(void **state)
{
    static const char *const texts[] = {
        NULL, "", "2026", "2026-11-21", "2026-11-21T", "2026-11-21T05:36:05",
        "2026-11-21 05:36:05Z", "2026-11-21T05:36Z", "2026-11-21T05:36:05ZZ",
        "2026-11-21T05:36:05Z ", " 2026-11-21T05:36:05Z",
        "2026-11-21T05:36:05.Z", "2026-11-21T05:36:05,5Z",
        "2026-11-21T05:36:05.5", "2026-11-21T05:36:05+0200",
        "2026-11-21T05:36:05+02", "2026-11-21T05:36:05+24:00",
        "2026-11-21T05:36:05+02:60", "2026-11-21T05:36:05 02:00",
        "2026-11-21T05:36:05+02:00Z", "2026-00-21T05:36:05Z",
        "2026-13-21T05:36:05Z", "2026-11-00T05:36:05Z",
        "2026-11-31T05:36:05Z", "2026-02-29T05:36:05Z",
        "2026-11-21T24:00:00Z", "2026-11-21T05:60:05Z",
        "2026-11-21T05:36:61Z", "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z", "1970-01-01T00:00:01+01:00",
        "0000-01-01T00:00:00Z", "-026-11-21T05:36:05Z",
        "+026-11-21T05:36:05Z", "20 6-11-21T05:36:05Z",
        "2026-11- 1T05:36:05Z", "2026-11-21T-5:36:05Z",
        "12026-11-21T05:36:05Z", "2026-11-21X05:36:05Z", "1795239365",
        "Sat, 21 Nov 2026 05:36:05 GMT",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(texts); i++) {
        if (acme_time_parse(texts[i]) != 0) {
            fail_msg("%s: it was liked", texts[i]);
        }
    }
}

static void json_has_no_0(void **state)
{
    (void)state;
    assert_null(acme_time_json(0, pool));
    assert_string_equal(acme_time_json(apr_time_from_sec(1), pool),
                        "1970-01-01T00:00:01Z");
}

static void the_earlier_one_is_not_never(void **state)
{
    (void)state;
    assert_int_equal(acme_time_earlier(0, 0), 0);
    assert_int_equal(acme_time_earlier(0, 7), 7);
    assert_int_equal(acme_time_earlier(7, 0), 7);
    assert_int_equal(acme_time_earlier(7, 8), 7);
    assert_int_equal(acme_time_earlier(8, 7), 7);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(durations),
        POOL_TEST(durations_that_are_refused),
        POOL_TEST(windows),
        POOL_TEST(windows_that_are_refused),
        POOL_TEST(intervals_for_people),
        POOL_TEST(times_for_people_and_files),
        POOL_TEST(times_of_rfc_3339),
        POOL_TEST(no_times_of_rfc_3339),
        POOL_TEST(json_has_no_0),
        POOL_TEST(the_earlier_one_is_not_never),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
