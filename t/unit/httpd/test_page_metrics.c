/*
 * test_page_metrics.c - ?metrics with hostile texts on the board, and which
 * format is wanted.
 *
 * The source is a part of this program; what it calls of httpd is here.
 */
#include <apr_hash.h>

#include <http_protocol.h>

#include "acme_page_metrics.c"
#include "pool.h"

#define NOW apr_time_from_sec(1700000000)

static apr_pool_t *answer;      /* of the request */
static char *written;
static apr_size_t written_len;
static acme_state_t shown_state;
static request_rec request;

int ap_rwrite(const void *buf, int nbyte, request_rec *r)
{
    char *more = apr_palloc(answer, written_len + (apr_size_t)nbyte + 1);

    (void)r;
    memcpy(more, written, written_len);
    memcpy(more + written_len, buf, (apr_size_t)nbyte);
    written_len += (apr_size_t)nbyte;
    more[written_len] = '\0';
    written = more;
    return nbyte;
}

void ap_set_content_type(request_rec *r, const char *type)
{
    r->content_type = type;
}

char *ap_strcasestr(const char *text, const char *part)
{
    return strcasestr(text, part);
}

acme_status_cert_t acme_page_view_cert(const acme_page_view_t *view, int i,
                                       acme_state_t *state, const char *held)
{
    const acme_cert_conf_t *cert = &APR_ARRAY_IDX(view->conf->certs, i,
                                                  acme_cert_conf_t);

    *state = shown_state;
    state->parts[0].issuer[ACME_ISSUER_SIZE - 1] = '\0';
    return (acme_status_cert_t){ .id = cert->id, .names = cert->names,
                                 .state = state,
                                 .is_reload_held = held[0] != '\0' };
}

const char *acme_page_view_held(const acme_page_view_t *view, apr_pool_t *p)
{
    (void)view;
    (void)p;
    return "";
}

static acme_page_view_t *make_view(void)
{
    static acme_page_view_t view;
    acme_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));
    acme_cert_conf_t *cert;
    acme_ca_conf_t *ca;

    conf->certs = apr_array_make(pool, 1, sizeof(acme_cert_conf_t));
    conf->cas = apr_array_make(pool, 1, sizeof(acme_ca_conf_t));
    ca = apr_array_push(conf->cas);
    memset(ca, 0, sizeof(*ca));
    ca->url = "https://ca.example/dir";
    cert = apr_array_push(conf->certs);
    memset(cert, 0, sizeof(*cert));
    cert->id = "a.example";
    cert->names = words("a.example");
    cert->cas = apr_array_make(pool, 1, sizeof(apr_uint32_t));
    APR_ARRAY_PUSH(cert->cas, apr_uint32_t) = 0;
    cert->key_types = apr_array_make(pool, 1, sizeof(acme_key_type_e));
    APR_ARRAY_PUSH(cert->key_types, acme_key_type_e) = ACME_KEY_P256;
    assert_int_equal(acme_counters_open(conf, pool, &res, pool), 0);
    memset(&view, 0, sizeof(view));
    view.conf = conf;
    return &view;
}

static int setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    answer = pool;
    written = apr_pstrdup(pool, "");
    written_len = 0;
    memset(&shown_state, 0, sizeof(shown_state));
    shown_state.agreed = shown_state.live = shown_state.served = 1;
    shown_state.covers = 1;
    shown_state.check = ACME_CHECK_SERVED;
    shown_state.parts[0].not_before = NOW - apr_time_from_sec(1000);
    shown_state.parts[0].not_after = NOW + apr_time_from_sec(9000);
    shown_state.not_before = shown_state.parts[0].not_before;
    shown_state.not_after = shown_state.parts[0].not_after;
    memset(&request, 0, sizeof(request));
    request.pool = pool;
    request.headers_in = apr_table_make(pool, 4);
    request.headers_out = apr_table_make(pool, 4);
    return 0;
}

static const char *show(const char *accept)
{
    if (accept) {
        apr_table_set(request.headers_in, "Accept", accept);
    }
    else {
        apr_table_unset(request.headers_in, "Accept");
    }
    written = apr_pstrdup(pool, "");
    written_len = 0;
    assert_int_equal(acme_page_metrics(&request, make_view(), NOW), OK);
    return written;
}

static void the_format_follows_from_accept(void **state)
{
    static const struct {
        const char *accept;
        int is_open;
    } rows[] = {
        { NULL, 0 },
        { "", 0 },
        { "*/*", 0 },
        { "application/openmetrics-text", 1 },
        { "text/plain;q=0.5, application/OpenMetrics-Text;version=1.0.0", 1 },
        { "application/openmetrics-text;q=0.5,text/plain", 0 },
        { "application/openmetrics-text;q=0", 0 },
        { "application/openmetrics-text;q=nan", 1 },
        { "application/openmetrics-text;q=1e999,text/plain;q=-4", 1 },
        { ",,;;q=,application/openmetrics-text", 1 },
        { ";q=1", 0 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *text = show(rows[i].accept);

        if (strncmp(request.content_type, rows[i].is_open
                        ? "application/openmetrics-text; version=1.0.0;"
                        : "text/plain; version=0.0.4;",
                    rows[i].is_open ? 44 : 26)
            || !!strstr(text, "# EOF\n") != rows[i].is_open
            || !!strstr(text, "# TYPE acme_build info\n") != rows[i].is_open) {
            fail_msg("%s", rows[i].accept);
        }
    }
}

/* NAME{LABEL="VALUE",...} NUMBER, in which a value ends where it should. */
static void assert_sample(const char *line)
{
    const char *c = line + strspn(line, "abcdefghijklmnopqrstuvwxyz_0123456789");
    int is_quoted = 0;

    if (*c == '{') {
        for (c++; *c && (is_quoted || *c != '}'); c++) {
            if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e) {
                fail_msg("not printable: %s", line);
            }
            if (*c == '\\') {
                c++;
                assert_true(*c == '\\' || *c == '"');
            }
            else if (*c == '"') {
                is_quoted = !is_quoted;
            }
        }
        if (*c++ != '}') {
            fail_msg("no end: %s", line);
        }
    }
    if (*c != ' ' || strspn(c + 1, "0123456789.") != strlen(c + 1)) {
        fail_msg("no number: %s", line);
    }
}

static void a_hostile_board_changes_values_only(void **state)
{
    char *line, *last;
    int samples = 0;

    (void)state;
    memset(shown_state.parts[0].issuer, 0xff, ACME_ISSUER_SIZE);
    memcpy(shown_state.parts[0].issuer, "\"} 1\nacme_x{y=\"\\", 17);
    apr_cpystrn(shown_state.check_places,
                "*:1\"}=yes \\=no =yes = a=maybe \n=yes {}=no *:2=yes",
                sizeof(shown_state.check_places));
    shown_state.limit_ca = 77;
    shown_state.limit_until = NOW + apr_time_from_sec(50);
    for (line = apr_strtok(apr_pstrdup(pool, show(NULL)), "\n", &last); line;
         line = apr_strtok(NULL, "\n", &last)) {
        if (*line != '#') {
            assert_sample(line);
            samples++;
        }
    }
    assert_true(samples > 300);
    assert_non_null(strstr(written, "issuer=\"\\\"} 1\\\\x0Aacme_x{y=\\\"\\\\"));
    assert_non_null(strstr(written, "{id=\"a.example\",address=\"*:2\"} 1\n"));
    assert_null(strstr(strstr(written, "address=") + 1, "address="));
}

/* One such series, and Prometheus drops all. */
static void no_series_comes_twice(void **state)
{
    apr_hash_t *seen = apr_hash_make(pool);
    char *line, *last;

    (void)state;
    apr_cpystrn(shown_state.check_places,
                "*:443=yes *:443=no [::1]:444=no [::1]:444=no a\n=yes a\\x0A=no",
                sizeof(shown_state.check_places));
    for (line = apr_strtok(apr_pstrdup(pool, show(NULL)), "\n", &last); line;
         line = apr_strtok(NULL, "\n", &last)) {
        char *value = strrchr(line, ' ');

        if (*line == '#') {
            continue;
        }
        *value = '\0';
        if (apr_hash_get(seen, line, APR_HASH_KEY_STRING)) {
            fail_msg("twice: %s", line);
        }
        apr_hash_set(seen, line, APR_HASH_KEY_STRING, value);
    }
    assert_non_null(strstr(written, "address=\"*:443\"} 1\n"));
    assert_non_null(strstr(written, "address=\"[::1]:444\"} 0\n"));
}

/* As a worker can write them into the counters. */
static void times_are_numbers_that_prometheus_reads(void **state)
{
    static const struct {
        apr_interval_time_t time;
        const char *shown;
    } rows[] = {
        { 0, "x 0.000000\n" },
        { 1500001, "x 1.500001\n" },
        { -50, "x -0.000050\n" },
        { -1500001, "x -1.500001\n" },
        { APR_INT64_MAX, "x 9223372036854.775807\n" },
        { APR_INT64_MIN, "x -9223372036854.775808\n" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_metric_t *out = acme_metric_begin(&request);

        written_len = 0;
        acme_metric_gauge(out, "x", NULL, "y");
        acme_metric_sample(out, "");
        acme_metric_seconds(out, rows[i].time);
        acme_metric_end(out);
        assert_non_null(strstr(written, rows[i].shown));
    }
}

static void a_wait_for_a_limit_is_its_cas(void **state)
{
    (void)state;
    shown_state.covers = 0;
    shown_state.limit_until = NOW + apr_time_from_sec(50);
    shown_state.limit_why = ACME_REASON_RATE_LIMITED;
    assert_non_null(strstr(show(NULL), "acme_limit_wait_seconds{ca=\"ca.example\",limit=\"rate-limited\"} 50.000000\n"));
    assert_non_null(strstr(written, "acme_certificate_reason{id=\"a.example\",reason=\"rate-limited\"} 1\n"));
    shown_state.limit_ca = 1;
    assert_non_null(strstr(show(NULL), "limit=\"rate-limited\"} 0.000000\n"));
}

static void each_state_is_a_sample(void **state)
{
    const char *word, *text = show(NULL);
    int i, ones = 0;

    (void)state;
    for (i = 0; (word = acme_state_word_at(i)); i++) {
        const char *sample_of = apr_pstrcat(
            pool, "acme_certificate_state{id=\"a.example\",state=\"", word,
            "\"} ", NULL);
        const char *found = strstr(text, sample_of);

        assert_non_null(found);
        ones += found[strlen(sample_of)] == '1';
    }
    assert_int_equal(ones, 1);
    assert_non_null(strstr(text, "state=\"valid\"} 1\n"));
}

/* Whatever else its state says. */
static void a_revoked_one_is_always_said_so(void **state)
{
    static const char one[] = "acme_certificate_revoked{id=\"a.example\"} 1\n";

    (void)state;
    assert_null(strstr(show(NULL), one));
    assert_non_null(strstr(written, "acme_certificate_revoked{id=\"a.example\"} 0\n"));
    shown_state.revoked = 1;
    assert_non_null(strstr(show(NULL), one));
    shown_state.ordering = 1;
    assert_non_null(strstr(show(NULL), one));
    assert_non_null(strstr(written, "state=\"renewing\"} 1\n"));
    shown_state.ordering = 0;
    shown_state.attempts = 3;
    assert_non_null(strstr(show(NULL), one));
    shown_state.live = shown_state.served = 0;
    assert_null(strstr(show(NULL), one));
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(the_format_follows_from_accept),
        TEST(a_hostile_board_changes_values_only),
        TEST(no_series_comes_twice),
        TEST(times_are_numbers_that_prometheus_reads),
        TEST(a_wait_for_a_limit_is_its_cas),
        TEST(each_state_is_a_sample),
        TEST(a_revoked_one_is_always_said_so)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
