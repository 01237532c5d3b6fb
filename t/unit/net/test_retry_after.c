/*
 * test_retry_after.c - Retry-After, read strictly and bounded.
 */
#include "acme_retry_after.h"
#include "pool.h"

#define SECONDS(n) apr_time_from_sec(n)
#define DAY ((apr_int64_t)86400)
#define NOW SECONDS((apr_int64_t)1795239365)    /* 2026-11-21 05:36:05 */

static void retry_after(void **state)
{
    static const struct {
        const char *value;
        apr_int64_t seconds;    /* from now */
    } rows[] = {
        { "0", 0 }, { "1", 1 }, { "0120", 120 }, { "86399", 86399 },
        { "86400", DAY }, { "86401", DAY }, { "4294967297", DAY },
        { "9223372036854775807", DAY },
        { "99999999999999999999999999", DAY },
        { "Sat, 21 Nov 2026 05:37:05 GMT", 60 },
        { "Saturday, 21-Nov-26 05:37:05 GMT", 60 },
        { "Sat Nov 21 05:37:05 2026", 60 },
        { "Sat, 21 Nov 2026 05:36:05 GMT", 0 },
        { "Thu, 01 Jan 2015 00:00:00 GMT", 0 },
        { "Sun, 22 Nov 2026 05:36:06 GMT", DAY },
        { "Fri, 31 Dec 9999 23:59:59 GMT", DAY },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_retry_after_parse(rows[i].value, NOW)
            != NOW + SECONDS(rows[i].seconds)) {
            fail_msg("%s", rows[i].value);
        }
    }
}

static void no_retry_after(void **state)
{
    static const char *const values[] = {
        NULL, "", " ", "-1", "+1", "1.5", "1s", "0x10", "soon", "1 2",
        "120 seconds", "Sat, 21 Nov", "Sat, 31 Feb 2026 05:37:05 GMT",
        "Sat, 21 Nov 2026 25:37:05 GMT", "Sat, 21 Foo 2026 05:37:05 GMT",
        "Sat,", "Sat, ", "2026-11-21T05:36:05Z", "\xff\xff \xff",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(values); i++) {
        if (acme_retry_after_parse(values[i], NOW) != 0) {
            fail_msg("%s: it was liked", values[i]);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_after),
        cmocka_unit_test(no_retry_after),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
