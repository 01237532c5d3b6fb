/*
 * test_health.c - how urgent a certificate is, and what Nagios is told.
 */
#include "acme_ctl_nagios.h"
#include "live.h"

/* A served certificate of 90 days that has left days to go. */
static acme_ctl_cert_t cert_of(const char *id, int left)
{
    acme_ctl_cert_t cert = { .id = id, .names = words(id) };

    make_live(&cert.state, DAYS(90), DAYS(90 - left), 1);
    cert.state.served = cert.state.live;
    return cert;
}

static const acme_ctl_health_days_t no_days = { -1, -1 };

static void days_left(void **unused)
{
    static const struct {
        int left, warning, critical;
        acme_ctl_health_e health;
    } rows[] = {
        { 60, -1, -1, ACME_CTL_HEALTH_OK },
        { 10, -1, -1, ACME_CTL_HEALTH_OK },
        { 9, -1, -1, ACME_CTL_HEALTH_WARNING },         /* the warn window */
        { 1, -1, -1, ACME_CTL_HEALTH_WARNING },
        { 0, -1, -1, ACME_CTL_HEALTH_CRITICAL },        /* expired */
        { -5, -1, -1, ACME_CTL_HEALTH_CRITICAL },
        { 20, 20, -1, ACME_CTL_HEALTH_WARNING },
        { 21, 20, -1, ACME_CTL_HEALTH_OK },
        { 5, 3, -1, ACME_CTL_HEALTH_OK },       /* -w instead of the window */
        { 5, 3, 5, ACME_CTL_HEALTH_CRITICAL },
        { 6, 7, 5, ACME_CTL_HEALTH_WARNING },
        { 0, 0, 0, ACME_CTL_HEALTH_CRITICAL }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_ctl_cert_t cert = cert_of("a.org", rows[i].left);
        const acme_ctl_health_days_t days = { rows[i].warning,
                                              rows[i].critical };

        if (acme_ctl_health_of(&cert, days, NOW) != rows[i].health) {
            fail_msg("row %d: not %s", (int)i,
                     acme_ctl_health_word(rows[i].health));
        }
    }
}

static acme_ctl_health_e health_of(const acme_ctl_cert_t *cert)
{
    return acme_ctl_health_of(cert, no_days, NOW);
}

static void what_is_wrong(void **unused)
{
    acme_ctl_cert_t cert = cert_of("a.org", 60);

    (void)unused;
    cert.state.attempts = 3;
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_WARNING);
    cert.state.not_after = NOW + DAYS(5);
    cert.state.not_before = NOW - DAYS(85);
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_CRITICAL);

    cert = cert_of("a.org", 60);
    cert.state.agreed = 0;
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_WARNING);

    cert = cert_of("a.org", 60);
    cert.state.revoked = 1;
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_CRITICAL);
    cert.state.deleted = 1;
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_OK);

    cert = cert_of("a.org", 60);
    cert.state.check = ACME_CHECK_OTHER;
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_CRITICAL);
    cert.state.served = 2;      /* what was seen is of an older load */
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_OK);
    cert.is_reload_held = 1;
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_WARNING);

    cert = cert_of("a.org", 60);
    cert.state.instead = ACME_INSTEAD_FOREIGN;
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_CRITICAL);

    cert = cert_of("a.org", 60);
    strcpy(cert.state.export_failure, "/x: no space left");
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_WARNING);
}

static void none_was_issued(void **unused)
{
    acme_ctl_cert_t cert = { .id = "a.org", .state.agreed = 1 };

    (void)unused;
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_WARNING);
    cert.state.attempts = 1;
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_CRITICAL);
    cert.state.instead = ACME_INSTEAD_STAND_IN;
    assert_int_equal(health_of(&cert), ACME_CTL_HEALTH_WARNING);
}

static apr_array_header_t *many(void)
{
    apr_array_header_t *certs = apr_array_make(pool, 5,
                                               sizeof(acme_ctl_cert_t));

    APR_ARRAY_PUSH(certs, acme_ctl_cert_t) = cert_of("fine.org", 80);
    APR_ARRAY_PUSH(certs, acme_ctl_cert_t) = cert_of("soon.org", 40);
    APR_ARRAY_PUSH(certs, acme_ctl_cert_t) = cert_of("warned.org", 5);
    APR_ARRAY_PUSH(certs, acme_ctl_cert_t) = cert_of("over.org", -2);
    APR_ARRAY_PUSH(certs, acme_ctl_cert_t) = cert_of("busy.org", 80);
    APR_ARRAY_IDX(certs, 4, acme_ctl_cert_t).state.ordering = 1;
    return certs;
}

static void the_most_urgent_comes_first(void **unused)
{
    static const char *const order[] = { "over.org", "warned.org", "busy.org",
                                         "soon.org", "fine.org" };
    const apr_array_header_t *sorted = acme_ctl_health_sort(many(), NOW, pool);
    size_t i;

    (void)unused;
    assert_int_equal(sorted->nelts, COUNT(order));
    for (i = 0; i < COUNT(order); i++) {
        assert_string_equal(
            APR_ARRAY_IDX(sorted, i, const acme_ctl_cert_t *)->id, order[i]);
    }
}

static const char *line_of(acme_ctl_health_e *health,
                           const apr_array_header_t *certs)
{
    return acme_ctl_nagios_line(health, certs, no_days, 1, NOW, pool);
}

static void lines_for_nagios(void **unused)
{
    apr_array_header_t *certs = many();
    acme_ctl_health_e health;
    acme_ctl_cert_t *cert;

    (void)unused;
    assert_string_equal(
        line_of(&health, certs),
        "ACME CRITICAL - 2 of 5 certificates: over.org expired, expired 2 days ago; "
        "warned.org valid, expires in 5 days"
        " | certificates=5;;;0 warning=1;;;0 critical=1;;;0 days_left=-2;;");
    assert_int_equal(health, 2);

    certs->nelts = 2;
    assert_string_equal(
        line_of(&health, certs),
        "ACME OK - 2 certificates, the next expires in 40 days"
        " | certificates=2;;;0 warning=0;;;0 critical=0;;;0 days_left=40;;");
    assert_int_equal(health, 0);

    certs->nelts = 1;
    cert = &APR_ARRAY_IDX(certs, 0, acme_ctl_cert_t);
    cert->state.attempts = 1;
    cert->state.why = ACME_REASON_CAA_FORBIDDEN;
    cert->id = "<b>|x\n";
    assert_string_equal(
        acme_ctl_nagios_line(&health, certs,
                             (acme_ctl_health_days_t){ 30, 7 }, 1, NOW, pool),
        "ACME WARNING - 1 of 1 certificate:  b  x\\x0a failed (caa-forbidden), expires in 80 days"
        " | certificates=1;;;0 warning=1;;;0 critical=0;;;0 days_left=80;30:;7:");
    assert_int_equal(health, 1);

    certs->nelts = 0;
    assert_string_equal(
        line_of(&health, certs),
        "ACME OK - 0 certificates | certificates=0;;;0 warning=0;;;0 critical=0;;;0");
    assert_int_equal(health, 0);
    assert_string_equal(
        acme_ctl_nagios_line(&health, certs, no_days, 0, NOW, pool),
        "ACME WARNING - httpd does not run, from its store: 0 certificates"
        " | certificates=0;;;0 warning=0;;;0 critical=0;;;0");
    assert_int_equal(health, 1);
    assert_string_equal(acme_ctl_nagios_unknown("/x: no|thing\n", pool),
                        "ACME UNKNOWN - /x: no thing\\x0a");
}

static void of_many_three_are_named(void **unused)
{
    apr_array_header_t *certs = apr_array_make(pool, 5,
                                               sizeof(acme_ctl_cert_t));
    acme_ctl_health_e health;
    const char *line;
    int i;

    (void)unused;
    for (i = 0; i < 1000; i++) {
        APR_ARRAY_PUSH(certs, acme_ctl_cert_t) =
            cert_of(apr_psprintf(pool, "%03d.org", i), -1);
    }
    line = line_of(&health, certs);
    assert_non_null(strstr(line, "1000 of 1000 certificates: 000.org "));
    assert_non_null(strstr(line, "; and 997 more |"));
    assert_true(strlen(line) < 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(days_left),
        POOL_TEST(what_is_wrong),
        POOL_TEST(none_was_issued),
        POOL_TEST(the_most_urgent_comes_first),
        POOL_TEST(lines_for_nagios),
        POOL_TEST(of_many_three_are_named)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
