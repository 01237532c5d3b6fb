/*
 * test_page.c - the status page as a function of its query and the board: what
 * it escapes, sorts, counts and cuts into pages.
 */
#include "acme_page_cert.h"
#include "acme_page_list.h"
#include "acme_page_query.h"
#include "live.h"
#include "make_conf.h"

#define CERTS 120               /* three pages */

static acme_page_view_t view;
static acme_conf_t *conf;
static acme_page_query_t query;
static int tries;

static void publish(int i, acme_state_t *state)
{
    state->cert = (apr_uint32_t)i;
    acme_board_publish(view.board, state);
}

static apr_array_header_t *vhosts_of(const char *name)
{
    apr_array_header_t *vhosts = apr_array_make(pool, 1,
                                                sizeof(acme_page_vhost_t));

    APR_ARRAY_PUSH(vhosts, acme_page_vhost_t) = (acme_page_vhost_t) {
        .name = name, .file = "/etc/httpd/a.conf", .line = 7, .port = 443
    };
    return vhosts;
}

/* Certificates c0.example, c1.example, ...: one after the other ends. */
static int setup(void **unused)
{
    server_rec *server;
    process_rec *process;
    acme_state_t state;
    int i;

    if (scratch_setup(unused)) {
        return -1;
    }
    server = apr_pcalloc(pool, sizeof(*server));
    process = apr_pcalloc(pool, sizeof(*process));
    process->pool = pool;
    server->process = process;
    conf = make_conf();
    tries = ACME_BOARD_TRIES;
    view = (acme_page_view_t) { .conf = conf, .tries = &tries };
    while (conf->certs->nelts < CERTS) {
        APR_ARRAY_PUSH(conf->certs, acme_cert_conf_t) =
            APR_ARRAY_IDX(conf->certs, 0, acme_cert_conf_t);
    }
    assert_int_equal(acme_board_create(&view.board, server, CERTS, &res, pool),
                     0);
    view.vhosts = apr_pcalloc(pool, CERTS * sizeof(*view.vhosts));
    for (i = 0; i < CERTS; i++) {
        acme_cert_conf_t *cert = cert_of(conf, i);

        cert->id = apr_psprintf(pool, "c%d.example", i);
        cert->names = words(cert->id);
        view.vhosts[i] = vhosts_of(cert->id);
        make_live(&state, DAYS(90), DAYS(10) + HOURS(i), 1);
        state.served = state.live;
        publish(i, &state);
    }
    view.others = apr_array_make(pool, 1, sizeof(acme_page_other_t));
    query = acme_page_query_read(NULL, pool);
    return 0;
}

#define PAGE_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

static const char *data_of(const acme_page_out_t *out)
{
    apr_size_t len;
    const char *data = acme_page_out_data(out, &len);

    assert_int_equal(strlen(data), len);
    return data;
}

static const char *page_of(const char *args)
{
    acme_page_out_t *out = acme_page_out_make(pool);
    acme_page_frame_t frame = { .query = &query, .server = "www.example.org",
                                .now = NOW };
    int i;

    query = acme_page_query_read(args, pool);
    i = query.id ? acme_page_cert_find(&view, query.id) : -1;
    if (i >= 0) {
        acme_page_cert(out, &frame, &view, i, pool);
    }
    else if (query.id) {
        acme_page_cert_unknown(out, &frame);
    }
    else {
        acme_page_list(out, &frame, &view, pool);
    }
    return data_of(out);
}

static void assert_shown(const char *args, const char *text)
{
    const char *page = page_of(args);

    if (!strstr(page, text)) {
        fail_msg("?%s: the page has no %s:\n%s", args, text,
                 strstr(page, "<main"));
    }
}

static void assert_not_shown(const char *args, const char *text)
{
    if (strstr(page_of(args), text)) {
        fail_msg("?%s: the page has %s", args, text);
    }
}

static const char *escaped(const char *text)
{
    acme_page_out_t *out = acme_page_out_make(pool);

    acme_page_out_text(out, text);
    return data_of(out);
}

static void texts_are_escaped(void **unused)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        { "", "" },
        { "plain", "plain" },
        { "<b onclick=\"x\">'&", "&lt;b onclick=&quot;x&quot;&gt;&#39;&amp;" },
        { "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92",
          "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92" },
        { "a\nb\x7f", "a\\x0ab\\x7f" },
        { "\xff\xfe", "\\xff\\xfe" },
        { "\xc0\xbc", "\\xc0\\xbc" },                   /* a '<' too long */
        { "\xe0\x80\xbc", "\\xe0\\x80\\xbc" },
        { "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* half a pair */
        { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* beyond the end */
        { "a\xe2\x80\xae" "b", "a\\xe2\\x80\\xae" "b" },        /* leftwards */
        { "\xc2\x85", "\\xc2\\x85" },
        { "cut \xe2\x82", "cut \\xe2\\x82" },
        { "<\xc3", "&lt;\\xc3" }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(escaped(rows[i].text), rows[i].shown);
    }
    assert_string_equal(escaped(NULL), "");
}

static void queries_are_bounded(void **unused)
{
    static const struct {
        const char *args;
        const char *id, *q;
        int kind, page, refresh;
    } rows[] = {
        { "", NULL, "", ACME_EXPLAIN_KINDS, 1, -1 },
        { "id=a.example&refresh=0", "a.example", "", ACME_EXPLAIN_KINDS, 1,
          0 },
        { "q=+A%20b%3C+&state=failing&page=7", NULL, "A b<",
          ACME_EXPLAIN_FAILING, 7, -1 },
        { "state=nothing&page=-1&refresh=1", NULL, "", ACME_EXPLAIN_KINDS, 1,
          5 },
        { "page=99999999999999999999&refresh=99999999", NULL, "",
          ACME_EXPLAIN_KINDS, 1, -1 },
        { "page=1e3&refresh=", NULL, "", ACME_EXPLAIN_KINDS, 1, -1 },
        { "q=%&id=%4&page=%zz", NULL, "", ACME_EXPLAIN_KINDS, 1, -1 },
        { "q=a%00b", NULL, "", ACME_EXPLAIN_KINDS, 1, -1 },
        { "&&=&==&q&=x&json", NULL, "", ACME_EXPLAIN_KINDS, 1, -1 },
        { "p%61ge=3", NULL, "", ACME_EXPLAIN_KINDS, 3, -1 }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_page_query_t found = acme_page_query_read(rows[i].args,
                                                             pool);

        if (found.kind != rows[i].kind || found.page != rows[i].page
            || found.refresh != rows[i].refresh
            || strcmp(found.q, rows[i].q)
            || strcmp(found.id ? found.id : "(none)",
                      rows[i].id ? rows[i].id : "(none)")) {
            fail_msg("%s: id %s, q \"%s\", kind %d, page %d, refresh %d",
                     rows[i].args, found.id, found.q, found.kind, found.page,
                     found.refresh);
        }
    }
}

/* Longer than a name: it is as if nothing were asked. */
static void a_long_value_is_passed_over(void **unused)
{
    char args[600] = "q=";

    (void)unused;
    memset(args + 2, 'a', sizeof(args) - 3);
    args[sizeof(args) - 1] = '\0';
    assert_string_equal(acme_page_query_read(args, pool).q, "");
    args[2 + ACME_PAGE_QUERY_TEXT] = '\0';
    assert_int_equal(strlen(acme_page_query_read(args, pool).q),
                     ACME_PAGE_QUERY_TEXT);
}

static void links_ask_for_the_same(void **unused)
{
    static const char *const all[] = {
        "", "id=a%26b.example", "q=%3Ca%22+%26&state=waiting&page=3&refresh=0",
        "others=2&refresh=30"
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(all); i++) {
        const acme_page_query_t asked = acme_page_query_read(all[i], pool);
        acme_page_out_t *out = acme_page_out_make(pool);
        acme_page_query_t again;
        char *link, *amp;

        acme_page_query_link(out, &asked);
        link = apr_pstrdup(pool, data_of(out));
        assert_null(strpbrk(link + 1, "<> '"));
        while ((amp = strstr(link, "&amp;"))) {
            memmove(amp + 1, amp + 5, strlen(amp + 5) + 1);
        }
        link[strlen(link) - 1] = '\0';
        again = acme_page_query_read(link + 2, pool);
        assert_string_equal(again.q, asked.q);
        assert_string_equal(again.id ? again.id : "", asked.id ? asked.id
                                                               : "");
        assert_int_equal(again.kind, asked.kind);
        assert_int_equal(again.page, asked.page);
        assert_int_equal(again.others, asked.others);
        assert_int_equal(again.refresh, asked.refresh);
    }
}

static void a_name_is_found_in_its_script(void **unused)
{
    (void)unused;
    set_names(conf, 1, "xn--mller-kva.example");
    assert_shown("q=M%C3%BCller.Example", ">1 certificate<");
    assert_shown("q=m%C3%BCller", "value=\"m\xc3\xbcller\"");
    assert_shown("q=%C3%BC", "is like that");
    assert_shown("q=%FF", "is like that");
}

/* The last one ends first. */
static void the_list_is_cut_into_pages(void **unused)
{
    (void)unused;
    assert_shown("", "<strong>120</strong> certificates");
    assert_shown("", "<strong>120</strong> fine");
    assert_shown("", "Soonest expiry: <a href=\"?id=c119.example\">");
    assert_shown("", "Page 1 of 3");
    assert_shown("", ">c119.example</a>");
    assert_shown("", ">c70.example</a>");
    assert_not_shown("", ">c69.example</a>");
    assert_shown("page=2&refresh=0", ">c69.example</a>");
    assert_shown("page=2&refresh=0", "\"?page=3&amp;refresh=0\" rel=\"next\"");
    assert_shown("page=900", "Page 3 of 3");
    assert_shown("page=900", ">c0.example</a>");
    assert_shown("q=C11", "11 certificates, the most urgent");
    assert_not_shown("q=C11", "Page 1");
    assert_shown("q=nobody", "No managed certificate is like that");
    assert_shown("state=failing", "No managed certificate is like that");
}

static void the_urgent_come_first(void **unused)
{
    acme_state_t state;
    const char *failing, *fine;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(1), 1);
    state.served = state.live;
    state.attempts = 2;
    state.why = ACME_REASON_CAA_FORBIDDEN;
    state.next_at = NOW + MINUTES(5);
    publish(3, &state);
    assert_shown("", "<strong>1</strong> failing");
    failing = strstr(page_of("q=c"), ">c3.example</a>");
    fine = failing ? strstr(failing, ">c119.example</a>") : NULL;
    assert_non_null(failing);
    assert_non_null(fine);
    assert_shown("state=failing", "<code>caa-forbidden</code>");
    assert_shown("state=failing", ">1 certificate<");
}

static void running_orders_are_shown(void **unused)
{
    acme_state_t state;

    (void)unused;
    make_live(&state, DAYS(90), DAYS(61), 1);
    state.served = state.live;
    state.ordering = 1;
    state.ordering_since = NOW - SECONDS(41);
    publish(7, &state);
    assert_shown("", "Orders under way: 1");
    assert_shown("", "asking the CA for an order");
    assert_shown("", "41 s ago");
    assert_shown("", "http-equiv=\"refresh\" content=\"10\"");
    assert_shown("id=c7.example", "asking the CA for an order");
    assert_not_shown("refresh=0", "http-equiv=\"refresh\"");
}

/* Workers can write to the board whatever they like. */
static void a_hostile_board_is_harmless(void **unused)
{
    acme_state_t state;
    int round;

    (void)unused;
    for (round = 0; round < 4; round++) {
        static const int octets[] = { 0xff, 0x7f, 0x80, '<' };

        memset(&state, octets[round], sizeof(state));
        publish(5, &state);
        assert_non_null(strstr(page_of(""), "</html>"));
        assert_non_null(strstr(page_of("id=c5.example"), "</html>"));
        assert_null(strstr(page_of("id=c5.example"), "<<<"));
        assert_null(strstr(page_of("state=failing"), "<<<"));
    }
}

static void assert_bounded(apr_time_t t)
{
    assert_true(t >= 0 && t <= SECONDS(253402300799));
}

static void a_state_of_the_board_is_bounded(void **unused)
{
    static const int octets[] = { 0xff, 0x7f, 0x80, '<' };
    acme_state_t state;
    size_t i, k;

    (void)unused;
    for (i = 0; i < COUNT(octets); i++) {
        memset(&state, octets[i], sizeof(state));
        publish(5, &state);
        assert_true(acme_page_view_state(&view, 5, &state));
        assert_true(strlen(state.check_places) < sizeof(state.check_places));
        assert_true(strlen(state.export_failure)
                    < sizeof(state.export_failure));
        assert_bounded(state.not_before);
        assert_bounded(state.not_after);
        assert_bounded(state.limit_until);
        for (k = 0; k < ACME_STATE_PARTS; k++) {
            assert_bounded(state.parts[k].not_before);
            assert_bounded(state.parts[k].not_after);
            assert_true(strlen(state.parts[k].issuer) < ACME_ISSUER_SIZE);
        }
        assert_bounded(state.past[ACME_HISTORY_FAILED][7].when);
    }
}

static void one_that_is_unknown_is_said_so(void **unused)
{
    (void)unused;
    assert_shown("id=%3Cscript%3E", "&lt;script&gt;");
    assert_not_shown("id=%3Cscript%3E", "<script");
    assert_not_shown("q=%22%3E%3Cscript%3E", "<script");
    assert_shown("q=%22%3E", "value=\"&quot;&gt;\"");
}

static void a_page_without_files_says_so(void **unused)
{
    (void)unused;
    assert_shown("id=c5.example", "/etc/httpd/a.conf:7");
    assert_shown("id=c5.example", "httpd serves it");
    assert_shown("id=c5.example", "fullchain.pem");
    assert_shown("id=c5.example", "Nothing happened yet");
}

static void add_other(const char *path, apr_time_t until, const char *problem)
{
    APR_ARRAY_PUSH((apr_array_header_t *)view.others, acme_page_other_t) =
        (acme_page_other_t) {
            .path = path, .place = "/x:1", .names = words("other.example"),
            .issuer = "<i>", .serial = "", .not_before = NOW - DAYS(50),
            .not_after = until, .problem = problem,
            .vhosts = vhosts_of("other.example")
        };
}

static void others_are_judged(void **unused)
{
    (void)unused;
    assert_not_shown("", "Not managed by");
    add_other("/fine.pem", NOW + DAYS(50), "");
    add_other("/soon.pem", NOW + DAYS(2), "");
    add_other("/late.pem", NOW - DAYS(2), "");
    add_other("/odd.pem", NOW + DAYS(50), "It has <no> chain.");
    add_other("/none.pem", 0, "It cannot be read.");
    assert_shown("", "5 files, the most urgent first");
    assert_shown("", "expires soon");
    assert_shown("", "It has &lt;no&gt; chain.");
    assert_shown("", "issued by &lt;i&gt;");
    assert_shown("", "expired <time");
    assert_shown("q=late", "1 file, the most urgent");
    assert_shown("q=OTHER.ex", "5 files");
    assert_not_shown("state=fine", "Not managed by");
}

static void without_certificates_it_helps(void **unused)
{
    (void)unused;
    conf->certs->nelts = 0;
    view.board = NULL;
    assert_shown("", "AcmeEngine is off");
    assert_shown("", "AcmeTermsOfService agree");
    view.engines = 1;
    assert_shown("", "no certificate to manage");
}

static void without_a_keeper_nothing_is_known(void **unused)
{
    (void)unused;
    view.board = NULL;
    assert_shown("", "Shared memory could not be made");
    assert_shown("", "<strong>120</strong> waiting");
    assert_shown("id=c1.example", "not known yet");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(texts_are_escaped),
        PAGE_TEST(queries_are_bounded),
        PAGE_TEST(a_long_value_is_passed_over),
        PAGE_TEST(links_ask_for_the_same),
        PAGE_TEST(a_name_is_found_in_its_script),
        PAGE_TEST(the_list_is_cut_into_pages),
        PAGE_TEST(the_urgent_come_first),
        PAGE_TEST(running_orders_are_shown),
        PAGE_TEST(a_hostile_board_is_harmless),
        PAGE_TEST(a_state_of_the_board_is_bounded),
        PAGE_TEST(one_that_is_unknown_is_said_so),
        PAGE_TEST(a_page_without_files_says_so),
        PAGE_TEST(others_are_judged),
        PAGE_TEST(without_certificates_it_helps),
        PAGE_TEST(without_a_keeper_nothing_is_known)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
