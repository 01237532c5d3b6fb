/*
 * test_trial_limit.c - a test of the configuration has the time that a load
 * needs.
 */
#include "pool.h"

#include <httpd.h>
#include <http_main.h>

#include "acme_trial_limit.h"

AP_DECLARE_DATA apr_array_header_t *ap_server_config_defines;

static void it_follows_the_last_load(void **state)
{
    static const struct {
        double load;
        int limit;              /* seconds */
    } rows[] = {
        { -1, 60 }, { 0, 60 }, { 0.1, 61 }, { 10, 160 }, { 83.9, 899 },
        { 84, 900 }, { 1e6, 900 }, { 9e12, 900 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(apr_time_sec(acme_trial_limit(
                             (apr_interval_time_t)(rows[i].load * 1e6))),
                         rows[i].limit);
    }
}

static unsigned with(const char *define)
{
    ap_server_config_defines = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(ap_server_config_defines, const char *) = "ACME_TRIAL";
    APR_ARRAY_PUSH(ap_server_config_defines, const char *) = define;
    return acme_trial_limit_of_mod_ssl();
}

static void mod_ssl_has_a_half_of_it(void **state)
{
    const char *option = acme_trial_limit_define(apr_time_from_sec(160), pool);

    (void)state;
    assert_string_equal(option, "-DACME_TRIAL_SECONDS=160");
    assert_int_equal(with(option + 2), 80);
    assert_int_equal(with("OTHER"), 30);
    assert_int_equal(with("ACME_TRIAL_SECONDS="), 30);
    assert_int_equal(with("ACME_TRIAL_SECONDS=59"), 30);
    assert_int_equal(with("ACME_TRIAL_SECONDS=901"), 30);
    assert_int_equal(with("ACME_TRIAL_SECONDS=-99999999999999999999"), 30);
    ap_server_config_defines = NULL;
    assert_int_equal(acme_trial_limit_of_mod_ssl(), 30);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(it_follows_the_last_load),
        POOL_TEST(mod_ssl_has_a_half_of_it)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
