/*
 * test_self_check_task.c - httpd is visited: what is compared, and what the
 * keeper is told.
 */
#include "renewing.h"

#include "acme_self_check_report.h"
#include "acme_self_check_task.h"

static acme_visit_place_t here = { "127.0.0.1", NULL, 0, "*:443" };
static acme_visit_place_t there = { "127.0.0.1", NULL, 1, "127.0.0.2:443" };

/* The report */

static acme_self_check_visit_t visit(const acme_visit_place_t *at,
                                     const char *name, acme_check_e check,
                                     const char *more)
{
    acme_visit_t *made = apr_pcalloc(pool, sizeof(*made));
    acme_self_check_visit_t row = { .visit = made, .check = check,
                                    .why = more };

    made->at = at;
    made->name = name;
    row.seen.serial = more;
    row.seen.issuer = "Some CA";
    return row;
}

static acme_msg_served_t report(const acme_self_check_visit_t *rows, int n)
{
    apr_array_header_t *visits =
        apr_array_make(pool, 4, sizeof(acme_self_check_visit_t));
    acme_msg_served_t body;
    int i;

    for (i = 0; i < n; i++) {
        APR_ARRAY_PUSH(visits, acme_self_check_visit_t) = rows[i];
    }
    memset(&body, 0, sizeof(body));
    acme_self_check_report_fill(&body, visits, pool);
    return body;
}

static void the_worst_is_what_is_told(void **state)
{
    const acme_self_check_visit_t rows[] = {
        visit(&here, "a.test", ACME_CHECK_SERVED, NULL),
        visit(&there, "a.test", ACME_CHECK_UNKNOWN, "Connection refused"),
        visit(&there, "b.test", ACME_CHECK_NONE, NULL),
        visit(&here, "b.test", ACME_CHECK_OTHER, "0a"),
        visit(&here, "c.test", ACME_CHECK_OTHER, "0b"),
        visit(&here, "d.test", ACME_CHECK_OTHER, "0a")
    };
    acme_msg_served_t body = report(rows, 1);

    (void)state;
    assert_int_equal(body.check, ACME_CHECK_SERVED);
    assert_string_equal(body.detail, "");
    assert_string_equal(body.places, "*:443=yes");
    body = report(rows, 3);
    assert_int_equal(body.check, ACME_CHECK_UNKNOWN);
    assert_string_equal(body.detail,
                        "a.test at 127.0.0.2:443: Connection refused");
    assert_string_equal(body.places, "*:443=yes 127.0.0.2:443=unknown");
    assert_string_equal(body.others, "");
    body = report(rows, 6);
    assert_int_equal(body.check, ACME_CHECK_OTHER);
    assert_string_equal(body.detail,
                        "visitors of b.test at *:443 get another certificate, serial 0a, issued by Some CA (and 2 more)");
    assert_string_equal(body.places, "*:443=no 127.0.0.2:443=unknown");
    assert_string_equal(body.others, "0a 0b");
    assert_int_equal(body.has_placeholder, 0);
    assert_int_equal(report(rows, 0).check, ACME_CHECK_NONE);
}

static void a_placeholder_is_called_so(void **state)
{
    acme_self_check_visit_t row = visit(&here, "a.test", ACME_CHECK_OTHER,
                                        "0a");
    acme_msg_served_t body;

    (void)state;
    row.seen.is_self_signed = row.seen.is_placeholder = 1;
    body = report(&row, 1);
    assert_string_equal(body.detail,
                        "visitors of a.test at *:443 get the self-signed placeholder");
    assert_int_equal(body.has_placeholder, 1);
    row.seen.is_placeholder = 0;
    body = report(&row, 1);
    assert_non_null(strstr(body.detail, "serial 0a, self-signed by Some CA"));
    assert_int_equal(body.has_placeholder, 0);
}

/* However long names, issuers and lists are. */
static void all_has_its_room(void **state)
{
    char *name = apr_pcalloc(pool, 5000);
    acme_self_check_visit_t rows[64];
    acme_msg_served_t body;
    int i;

    (void)state;
    memset(name, 'x', 4999);
    for (i = 0; i < 64; i++) {
        acme_visit_place_t *at = apr_pcalloc(pool, sizeof(*at));

        *at = here;
        at->text = apr_psprintf(pool, "192.0.2.%d:443", i);
        rows[i] = visit(at, name, ACME_CHECK_OTHER,
                        apr_psprintf(pool, "%040d", i));
        rows[i].seen.issuer = name;
    }
    body = report(rows, 64);
    assert_int_equal(strlen(body.detail), sizeof(body.detail) - 1);
    assert_true(strlen(body.places) > 200);
    assert_string_equal(body.places + strlen(body.places) - 3, "=no");
    assert_int_equal(strlen(body.others), 4 * 40 + 3);
}

static void which_key_types_are_asked_for(void **state)
{
    static const struct {
        acme_key_type_e types[3];
        int ntypes, n;
        acme_peer_key_e keys[2];
        apr_uint32_t parts[2];
    } rows[] = {
        { { ACME_KEY_P256 }, 1, 1, { ACME_PEER_ANY_KEY }, { 0 } },
        { { ACME_KEY_RSA2048 }, 1, 1, { ACME_PEER_ANY_KEY }, { 0 } },
        { { ACME_KEY_P256, ACME_KEY_RSA2048 }, 2, 2,
          { ACME_PEER_EC_KEY, ACME_PEER_RSA_KEY }, { 0, 1 } },
        { { ACME_KEY_RSA2048, ACME_KEY_P384, ACME_KEY_P256 }, 3, 2,
          { ACME_PEER_RSA_KEY, ACME_PEER_EC_KEY }, { 0, 1 } },
        { { ACME_KEY_P384, ACME_KEY_P256 }, 2, 1, { ACME_PEER_ANY_KEY },
          { 0 } }
    };
    size_t i;
    int k;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_cert_conf_t cert = { .key_types = apr_array_make(
                                      pool, 3, sizeof(acme_key_type_e)) };
        acme_peer_key_e keys[2];
        apr_uint32_t parts[2];

        for (k = 0; k < rows[i].ntypes; k++) {
            APR_ARRAY_PUSH(cert.key_types, acme_key_type_e) = rows[i].types[k];
        }
        assert_int_equal(acme_self_check_report_keys(keys, parts, &cert),
                         rows[i].n);
        for (k = 0; k < rows[i].n; k++) {
            assert_int_equal(keys[k], rows[i].keys[k]);
            assert_int_equal(parts[k], rows[i].parts[k]);
        }
    }
}

/* The visits */

static const char *text_of(const char *path)
{
    char *text = apr_pcalloc(pool, 64 * 1024);
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    assert_true(fread(text, 1, 64 * 1024 - 1, file) > 0);
    fclose(file);
    return text;
}

static void add_visit(const acme_visit_place_t *at, const char *name)
{
    acme_cert_conf_t *cert = cert_of(0);

    if (!cert->visits) {
        cert->visits = apr_array_make(pool, 2, sizeof(acme_visit_t));
    }
    APR_ARRAY_PUSH((apr_array_header_t *)cert->visits, acme_visit_t) =
        (acme_visit_t) { .at = at, .name = name };
}

static const char *check(void)
{
    apr_pool_t *p;

    apr_pool_create(&p, pool);
    acme_self_check_task_run(&env, &request, p);
    apr_pool_destroy(p);
    return fake_keeper_log(keeper);
}

static int task_setup(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    if (renewing_setup(state)) {
        return -1;
    }
    here.port = atoi(strrchr(fake_address(fake), ':') + 1);
    here.spare = NULL;
    here.address = "127.0.0.1";
    fake_keeper_set_live(keeper, text_of(fake_ca_file(fake)));
    return 0;
}

static void what_is_live_is_served(void **state)
{
    (void)state;
    add_visit(&here, "a.test");
    add_visit(&here, "*.b.test");
    add_visit(&here, "192.0.2.1");
    assert_string_equal(check(),
                        "LIVE 0.0\nSERVED 0.0 is 1 at *:443=yes, others : \n");
    assert_int_equal(fake_connections(fake), 3);
    assert_string_equal(fake_log(fake), "");    /* no request */
}

static void another_one_is_looked_at_again_and_told(void **state)
{
    fake_t *other = fake_start(0);
    const char *log;
    int visits;

    (void)state;
    fake_keeper_set_live(keeper, text_of(fake_ca_file(other)));
    add_visit(&here, "a.test");
    log = check();
    assert_non_null(strstr(log, "SERVED 0.0 is 3 at *:443=no, others "));
    assert_non_null(strstr(log, ": visitors of a.test at *:443 get another certificate, serial "));
    visits = fake_connections(fake);
    assert_true(visits > 1);

    /* What was told before is not. */
    request.state.check = ACME_CHECK_OTHER;
    apr_cpystrn(request.state.check_detail,
                apr_pstrcat(pool, strstr(log, "visitors of"), NULL),
                sizeof(request.state.check_detail));
    *strchr(request.state.check_detail, '\n') = '.';
    check();
    assert_int_equal(fake_connections(fake), visits + 1);
    fake_stop(other);
}

static void where_nobody_is_nothing_is_known(void **state)
{
    (void)state;
    add_visit(&there, "a.test");
    add_visit(&here, "a.test");
    add_visit(&there, "b.test");
    request.state.check = ACME_CHECK_UNKNOWN;
    apr_cpystrn(request.state.check_detail,
                "a.test at 127.0.0.2:443: Connection refused",
                sizeof(request.state.check_detail));
    assert_string_equal(check(), "LIVE 0.0\n"
                        "SERVED 0.0 is 2 at 127.0.0.2:443=unknown *:443=yes, others : a.test at 127.0.0.2:443: Connection refused\n");

    /* One socket of IPv6 may be for IPv4 as well. */
    there.spare = "127.0.0.1";
    there.address = "::1";
    here.spare = "127.0.0.1";
    here.address = "::1";
    cert_of(0)->visits = NULL;
    add_visit(&here, "a.test");
    assert_non_null(strstr(check(), "SERVED 0.0 is 1 at *:443=yes"));
    there.address = "127.0.0.1";
    there.spare = NULL;
}

static void nothing_is_told_without_a_comparison(void **state)
{
    (void)state;
    assert_string_equal(check(), "");           /* no place */
    add_visit(&here, "a.test");
    fake_keeper_set_live(keeper, "damaged");
    assert_string_equal(check(), "LIVE 0.0\nSERVED 0.0 is 0 at , others : \n");
    assert_int_equal(fake_connections(fake), 0);
    acme_stop_now(env.stop);
    assert_null(strstr(check(), "SERVED 0.0 is 1"));
}

#define REPORT_TEST(test) POOL_TEST(test)
#define TASK_TEST(test) \
    cmocka_unit_test_setup_teardown(test, task_setup, renewing_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        REPORT_TEST(the_worst_is_what_is_told),
        REPORT_TEST(a_placeholder_is_called_so),
        REPORT_TEST(all_has_its_room),
        REPORT_TEST(which_key_types_are_asked_for),
        TASK_TEST(what_is_live_is_served),
        TASK_TEST(another_one_is_looked_at_again_and_told),
        TASK_TEST(where_nobody_is_nothing_is_known),
        TASK_TEST(nothing_is_told_without_a_comparison)
    };
    int failed;

    apr_initialize();
    acme_http_init(&res);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
