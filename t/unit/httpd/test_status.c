/*
 * test_status.c - the section in server-status with a hostile board.
 *
 * The source is a part of this program; what it calls of httpd is here.
 */
#include <stdarg.h>

#include "acme_status.c"
#include "live.h"
#include "make_conf.h"

static acme_board_t *board;
static acme_page_view_t the_view;
static request_rec request;
static char *written;

static void write_out(const char *text)
{
    written = apr_pstrcat(pool, written, text, NULL);
}

/* ap_rputs() calls it. */
int ap_rwrite(const void *buf, int nbyte, request_rec *r)
{
    (void)r;
    write_out(apr_pstrmemdup(pool, buf, (apr_size_t)nbyte));
    return nbyte;
}

int ap_rvputs(request_rec *r, ...)
{
    const char *text;
    va_list args;

    (void)r;
    va_start(args, r);
    while ((text = va_arg(args, const char *))) {
        write_out(text);
    }
    va_end(args);
    return 0;
}

int ap_rprintf(request_rec *r, const char *fmt, ...)
{
    va_list args;

    (void)r;
    va_start(args, fmt);
    write_out(apr_pvsprintf(pool, fmt, args));
    va_end(args);
    return 0;
}

char *ap_escape_html2(apr_pool_t *p, const char *text, int is_ascii)
{
    char *copy = apr_pstrdup(p, text), *c;

    (void)is_ascii;
    for (c = copy; *c; c++) {
        *c = *c == '<' || *c == '>' ? '_' : *c;
    }
    return copy;
}

static int setup(void **unused)
{
    server_rec *server;
    process_rec *process;

    if (scratch_setup(unused)) {
        return -1;
    }
    server = apr_pcalloc(pool, sizeof(*server));
    process = apr_pcalloc(pool, sizeof(*process));
    process->pool = pool;
    server->process = process;
    the_view = (acme_page_view_t) { .conf = make_conf() };
    assert_int_equal(acme_board_create(&board, server,
                                       the_view.conf->certs->nelts, &res,
                                       pool), 0);
    acme_page_view_set(&the_view);
    acme_page_view_set_board(board);
    request = (request_rec) { .pool = pool };
    acme_status_init();
    return 0;
}

static const char *show(int flags)
{
    written = apr_pstrdup(pool, "");
    assert_int_equal(on_status(&request, flags), OK);
    return written;
}

static void publish(int octet)
{
    acme_state_t state;

    memset(&state, octet, sizeof(state));
    state.cert = 0;
    acme_board_publish(board, &state);
}

/* Whatever a worker wrote: texts that do not end, times beyond all years. */
static void a_hostile_board_is_harmless(void **unused)
{
    static const int octets[] = { 0xff, 0x7f, 0x80, '<', 'x' };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(octets); i++) {
        publish(octets[i]);
        assert_non_null(strstr(show(0), "</table>"));
        assert_null(strstr(written, "<<"));
        assert_non_null(strstr(show(AP_STATUS_SHORT), "AcmeCertificate[1]Id: b.example\n"));
    }
    /* As long as its field at most: it does not run into the next one. */
    assert_non_null(strstr(written, "]ExportFailure: xxx"));
    assert_true(strcspn(strstr(written, "]ExportFailure: ") + 16, "\n")
                < ACME_DETAIL_SIZE);
    assert_true(strcspn(strstr(written, "]DeployFailure: ") + 16, "\n")
                < ACME_HOOK_FAILURE_SIZE);
}

static void without_a_board_it_is_silent(void **unused)
{
    (void)unused;
    acme_page_view_set_board(NULL);
    assert_string_equal(show(0), "");
    acme_page_view_set(NULL);
    assert_string_equal(show(AP_STATUS_SHORT), "");
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_hostile_board_is_harmless),
        TEST(without_a_board_it_is_silent)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
