/*
 * test_page_handler.c - which requests the handler acme-status answers.
 *
 * The source is a part of this program; what it calls of httpd is here.
 */
#include "acme_page.c"
#include "make_conf.h"

static acme_page_view_t view;
static request_rec request;
static server_rec server;
static int logged;
static apr_size_t written;

int ap_rwrite(const void *buf, int nbyte, request_rec *r)
{
    (void)buf;
    (void)r;
    written += (apr_size_t)nbyte;
    return nbyte;
}

int ap_rprintf(request_rec *r, const char *fmt, ...)
{
    (void)r;
    written += strlen(fmt);
    return 0;
}

void ap_set_content_type(request_rec *r, const char *type)
{
    r->content_type = type;
}

void ap_set_content_length(request_rec *r, apr_off_t length)
{
    r->clength = length;
}

void ap_allow_standard_methods(request_rec *r, int reset, ...)
{
    (void)r;
    (void)reset;
}

char *ap_strcasestr(const char *text, const char *part)
{
    return strcasestr(text, part);
}

int ap_unescape_urlencoded(char *query)
{
    (void)query;
    return OK;
}

void ap_hook_handler(ap_HOOK_handler_t *hook, const char *const *before,
                     const char *const *after, int order)
{
    (void)hook;
    (void)before;
    (void)after;
    (void)order;
}

void ap_log_rerror_(const char *file, int line, int index, int level,
                    apr_status_t status, const request_rec *r,
                    const char *fmt, ...)
{
    (void)file;
    (void)line;
    (void)index;
    (void)level;
    (void)status;
    (void)r;
    (void)fmt;
    logged++;
}

static int setup(void **unused)
{
    int i;

    if (scratch_setup(unused)) {
        return -1;
    }
    view = (acme_page_view_t) { .conf = make_conf() };
    view.vhosts = apr_pcalloc(pool, 2 * sizeof(*view.vhosts));
    for (i = 0; i < 2; i++) {
        view.vhosts[i] = apr_array_make(pool, 1, sizeof(acme_page_vhost_t));
    }
    view.others = apr_array_make(pool, 1, sizeof(acme_page_other_t));
    acme_page_view_set(&view);
    request = (request_rec) { .pool = pool, .handler = HANDLER,
                              .server = &server, .uri = "/a" };
    request.headers_in = apr_table_make(pool, 4);
    request.headers_out = apr_table_make(pool, 4);
    server.log.level = APLOG_DEBUG;
    logged = 0;
    written = 0;
    return 0;
}

static void the_configurations_page_is_shown(void **unused)
{
    static const char *const args[] = { NULL, "json", "metrics", "id=a.example" };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(args); i++) {
        request.args = args[i] ? apr_pstrdup(pool, args[i]) : NULL;
        written = 0;
        assert_int_equal(on_handler(&request), OK);
        assert_true(written > 100);
    }
    assert_int_equal(logged, 0);
    request.handler = "server-status";
    assert_int_equal(on_handler(&request), DECLINED);
    request.handler = HANDLER;
    request.method_number = M_POST;
    assert_int_equal(on_handler(&request), HTTP_METHOD_NOT_ALLOWED);
    acme_page_view_set(NULL);
    assert_int_equal(on_handler(&request), HTTP_SERVICE_UNAVAILABLE);
}

/* No directive of the configuration names it: an .htaccess file does. */
static void a_sites_own_page_is_not_shown(void **unused)
{
    static const char *const args[] = { NULL, "json", "metrics" };
    size_t i;

    (void)unused;
    view.others = NULL;
    for (i = 0; i < COUNT(args); i++) {
        request.args = args[i] ? apr_pstrdup(pool, args[i]) : NULL;
        assert_int_equal(on_handler(&request), HTTP_NOT_FOUND);
        assert_int_equal(written, 0);
        assert_int_equal(logged, i + 1);
    }
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(the_configurations_page_is_shown),
        TEST(a_sites_own_page_is_not_shown)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
