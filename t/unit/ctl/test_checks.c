/*
 * test_checks.c - what was checked of a certificate, each with its result.
 */
#include "acme_ctl_checks.h"
#include "live.h"

static acme_ctl_cert_t served_cert(void)
{
    acme_ctl_cert_t cert = { .id = "a.org", .names = words("a.org") };

    make_live(&cert.state, DAYS(90), DAYS(5), 1);
    cert.state.served = 1;
    return cert;
}

/* What the check with this name says; "(none)". */
static const char *detail_of(const acme_ctl_cert_t *cert, const char *name)
{
    const apr_array_header_t *checks = acme_ctl_checks_make(cert, NOW, pool);
    int i;

    for (i = 0; i < checks->nelts; i++) {
        const acme_ctl_check_t *check = &APR_ARRAY_IDX(checks, i,
                                                       acme_ctl_check_t);

        if (!strcmp(check->name, name)) {
            return check->detail;
        }
    }
    return "(none)";
}

/* "ok" and the like, of the check with this name; "(none)". */
static const char *result_of(const acme_ctl_cert_t *cert, const char *name)
{
    const apr_array_header_t *checks = acme_ctl_checks_make(cert, NOW, pool);
    int i;

    for (i = 0; i < checks->nelts; i++) {
        const acme_ctl_check_t *check = &APR_ARRAY_IDX(checks, i,
                                                       acme_ctl_check_t);

        if (!strcmp(check->name, name)) {
            assert_non_null(check->detail);
            return acme_ctl_checks_word(check->result);
        }
    }
    return "(none)";
}

#define assert_result(cert, name, word) \
    assert_string_equal(result_of(&(cert), name), word)

static void all_is_well(void **unused)
{
    static const char *const names[] = {
        "certificate", "names", "order", "limits of the CA", "served",
        "reload", "post commands", "deploy commands", "notify commands",
        "copies (AcmeExport)"
    };
    const acme_ctl_cert_t cert = served_cert();
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(names); i++) {
        assert_result(cert, names[i], "ok");
    }
    assert_result(cert, "self check", "unknown");
}

static void each_address_is_a_check(void **unused)
{
    acme_ctl_cert_t cert = served_cert();

    (void)unused;
    cert.state.check = ACME_CHECK_OTHER;
    cert.state.checked = NOW - HOURS(1);
    strcpy(cert.state.check_places, "*:443=yes [::1]:444=no *:8443=unknown");
    strcpy(cert.state.check_detail, "another one is served");
    assert_result(cert, "self check *:443", "ok");
    assert_result(cert, "self check [::1]:444", "failed");
    assert_result(cert, "self check *:8443", "unknown");
    assert_result(cert, "self check", "failed");
}

static void what_failed(void **unused)
{
    acme_ctl_cert_t cert = served_cert();

    (void)unused;
    cert.state.attempts = 2;
    cert.state.left_out = 1;
    cert.state.deploy.waiting = 1;
    strcpy(cert.state.export_failure, "no space");
    cert.is_reload_held = 1;
    assert_result(cert, "order", "failed");
    assert_result(cert, "names", "failed");
    assert_result(cert, "deploy commands", "failed");
    assert_result(cert, "notify commands", "ok");
    assert_result(cert, "copies (AcmeExport)", "failed");
    assert_result(cert, "reload", "waits");
    cert.state.live = 2;
    assert_result(cert, "reload", "failed");
    assert_result(cert, "served", "waits");
    cert.state.not_after = NOW;
    assert_result(cert, "certificate", "failed");
}

static void which_names(void **unused)
{
    const acme_left_out_t name = { "old.org", 4, ACME_REASON_DNS_NXDOMAIN,
                                   NULL, NOW + HOURS(1) };
    acme_ctl_cert_t cert = served_cert();

    (void)unused;
    cert.state.covers = 0;
    assert_result(cert, "names", "waits");
    assert_non_null(strstr(detail_of(&cert, "names"), "names, key types or CA"));
    cert.lacks = "old.org";
    assert_string_equal(detail_of(&cert, "names"),
                        "the certificate lacks old.org");
    acme_state_add_left_out(&cert.state, &name);
    assert_string_equal(detail_of(&cert, "names"),
        "old.org: excluded, failed 4 times (dns-nxdomain); tried again 2026-11-21 06:36:05 UTC (in 60 min)");
}

static void a_rehearsal_has_its_code(void **unused)
{
    acme_ctl_cert_t cert = served_cert();

    (void)unused;
    cert.state.rehearsal = ACME_REHEARSAL_FAULT;
    cert.state.rehearsal_why = ACME_REASON_OTHER_SERVER;
    cert.state.rehearsed = NOW;
    strcpy(cert.state.rehearsal_detail, "port 80 is another's");
    assert_result(cert, "names as a CA sees them", "failed");
    assert_string_equal(detail_of(&cert, "names as a CA sees them"),
        "port 80 is another's (other-server-answers), 2026-11-21 05:36:05 UTC (now)");
}

static void what_stands_in_for_it(void **unused)
{
    acme_ctl_cert_t cert = served_cert();

    (void)unused;
    cert.state.covers = 0;
    cert.state.instead = ACME_INSTEAD_STAND_IN;
    assert_result(cert, "served", "waits");
}

static void the_store_alone_does_not_know_all(void **unused)
{
    acme_ctl_cert_t cert = served_cert();

    (void)unused;
    cert.is_from_store = 1;
    assert_result(cert, "certificate", "ok");
    assert_result(cert, "httpd", "failed");
    assert_result(cert, "served", "(none)");
    assert_result(cert, "deploy commands", "(none)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(all_is_well),
        POOL_TEST(each_address_is_a_check),
        POOL_TEST(what_failed),
        POOL_TEST(which_names),
        POOL_TEST(a_rehearsal_has_its_code),
        POOL_TEST(what_stands_in_for_it),
        POOL_TEST(the_store_alone_does_not_know_all)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
