/*
 * test_show.c - certificates as a table, in detail, and as JSON.
 */
#include <stdlib.h>

#include "acme_ctl_show.h"
#include "live.h"

static const char *written(FILE *file)
{
    char buf[16 * 1024];
    size_t len;

    rewind(file);
    len = fread(buf, 1, sizeof(buf), file);
    fclose(file);
    return apr_pstrmemdup(pool, buf, len);
}

static apr_array_header_t *certs_of(int n)
{
    apr_array_header_t *certs = apr_array_make(pool, 2,
                                               sizeof(acme_ctl_cert_t));
    acme_ctl_cert_t *cert;

    cert = apr_array_push(certs);
    *cert = (acme_ctl_cert_t){ .id = "www.example.org",
                               .names = words("www.example.org") };
    make_live(&cert->state, DAYS(90), DAYS(5), 1);
    cert->state.served = 1;
    cert = apr_array_push(certs);
    *cert = (acme_ctl_cert_t){ .id = "b.org", .names = words("b.org") };
    cert->state.agreed = 1;
    cert->state.attempts = 2;
    cert->state.next_at = NOW + HOURS(3);
    cert->state.why = ACME_REASON_CAA_FORBIDDEN;
    strcpy(cert->state.detail, "b.org: \033[2Jforbidden");
    certs->nelts = n;
    return certs;
}

static void a_table(void **unused)
{
    FILE *file = tmpfile();

    (void)unused;
    acme_ctl_show_table(file, certs_of(2), 0, NOW, pool);
    assert_string_equal(written(file),
        "2 certificates: 1 failing, 1 fine; the first expires in 85 days\n"
        "\n"
        "CERTIFICATE      STATE   VALID UNTIL                           NEXT\n"
        "b.org            failed  -                                     retry 2026-11-21 08:36:05 UTC (in 3 h)\n"
        "    caa-forbidden: The CAA records of the name forbid this CA.\n"
        "    b.org: \\x1b[2Jforbidden\n"
        "www.example.org  valid   2027-02-14 05:36:05 UTC (in 85 days)  renew 2027-01-11 12:47:21 UTC (in 51 days)\n");
    file = tmpfile();
    acme_ctl_show_table(file, certs_of(0), 0, NOW, pool);
    assert_string_equal(written(file), "no certificate is managed\n");
}

static void what_was_seen_and_who_is_left_out(void **unused)
{
    static const acme_left_out_t name = { "old.org", 3,
                                          ACME_REASON_DNS_NXDOMAIN, NULL,
                                          NOW + HOURS(1) };
    apr_array_header_t *certs = certs_of(2);
    acme_state_t *good = &APR_ARRAY_IDX(certs, 0, acme_ctl_cert_t).state;
    acme_state_t *bad = &APR_ARRAY_IDX(certs, 1, acme_ctl_cert_t).state;
    FILE *file = tmpfile();
    const char *text;

    (void)unused;
    bad->rehearsal = ACME_REHEARSAL_FAULT;
    bad->rehearsal_why = ACME_REASON_OTHER_SERVER;
    strcpy(bad->rehearsal_detail, "another server answers");
    acme_state_add_left_out(good, &name);
    good->served = 0;
    acme_ctl_show_table(file, certs, 0, NOW, pool);
    text = written(file);
    assert_non_null(strstr(text, "\n    Seen from here: another server answers. (other-server-answers) Remove that address (A, AAAA)"));
    assert_non_null(strstr(text, "    old.org (dns-nxdomain, failed 3 times; tried again at "));
    assert_non_null(strstr(text, "  valid, served after the next reload  2027-"));
}

static void colours_change_no_column(void **unused)
{
    FILE *file = tmpfile();
    const char *text;

    (void)unused;
    acme_ctl_show_table(file, certs_of(2), 1, NOW, pool);
    text = written(file);
    assert_non_null(strstr(text, "\nb.org            \033[31mfailed\033[0m  -  "));
    assert_non_null(strstr(text, "  \033[32mvalid\033[0m   2027-"));
}

static void one_in_detail(void **unused)
{
    FILE *file = tmpfile();
    const char *text;

    (void)unused;
    acme_ctl_show_detail(file, &APR_ARRAY_IDX(certs_of(2), 0, acme_ctl_cert_t),
                         0, NOW, pool);
    text = written(file);
    assert_ptr_equal(strstr(text, "www.example.org: valid\n"), text);
    assert_non_null(strstr(text, "    valid until: 2027-02-14 05:36:05 UTC (in 85 days)\n"));
    assert_non_null(strstr(text, "    next: renew at 2027-01-11 12:47:21 UTC (in 51 days)\n"));
    file = tmpfile();
    acme_ctl_show_detail(file, &APR_ARRAY_IDX(certs_of(2), 1, acme_ctl_cert_t),
                         0, NOW, pool);
    text = written(file);
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "b.org: failed\n"));
}

static void json_is_of_ascii(void **unused)
{
    apr_array_header_t *certs = certs_of(2);
    acme_ctl_cert_t *cert = &APR_ARRAY_IDX(certs, 0, acme_ctl_cert_t);
    FILE *file = tmpfile();
    const char *text, *c;
    json_t *json;

    (void)unused;
    strcpy(cert->state.issuer, "Caf\xc3\xa9 \xc2\x9b\033");
    json = json_array();
    json_array_append_new(json, acme_ctl_show_object(cert, NOW, pool));
    acme_ctl_show_json(file, json, pool);
    text = written(file);
    for (c = text; *c; c++) {
        assert_true((*c >= 0x20 && *c <= 0x7e) || *c == '\n');
    }
    json = acme_json_own(json_loads(text, 0, NULL), pool);
    json = json_array_get(json, 0);
    assert_string_equal(acme_json_string(json, "id", 100, pool),
                        "www.example.org");
    assert_string_equal(acme_json_string(json, "validUntil", 100, pool),
                        "2027-02-14T05:36:05Z");
    assert_string_equal(acme_json_string(json, "source", 100, pool),
                        "keeper");
    assert_true(json_is_true(json_object_get(json, "served")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(a_table),
        POOL_TEST(what_was_seen_and_who_is_left_out),
        POOL_TEST(colours_change_no_column),
        POOL_TEST(one_in_detail),
        POOL_TEST(json_is_of_ascii)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
