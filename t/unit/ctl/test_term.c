/*
 * test_term.c - texts for the terminal of root.
 */
#include "acme_ctl_term.h"
#include "pool.h"

/* What was written to file. */
static const char *written(FILE *file)
{
    char buf[4096];
    size_t len;

    rewind(file);
    len = fread(buf, 1, sizeof(buf), file);
    fclose(file);
    return apr_pstrmemdup(pool, buf, len);
}

static void nothing_steers_the_terminal(void **unused)
{
    static const struct {
        const char *text, *clean;
    } rows[] = {
        { "plain text, with ~ and \\x1b", "plain text, with ~ and \\x1b" },
        { "\033[31mred\033]0;title\007", "\\x1b[31mred\\x1b]0;title\\x07" },
        { "a\nb\rc\td\177", "a\\x0ab\\x0dc\\x09d\\x7f" },
        { "\xc2\x9b" "31m \xe2\x80\xae", "\\xc2\\x9b31m \\xe2\\x80\\xae" },
        { "", "" },
        { NULL, "" }
    };
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        FILE *file = tmpfile();

        assert_string_equal(acme_ctl_term_text(rows[i].text, pool),
                            rows[i].clean);
        acme_ctl_term_put(file, rows[i].text);
        assert_string_equal(written(file), rows[i].clean);
    }
}

static void lines_stay_lines(void **unused)
{
    FILE *file = tmpfile();

    (void)unused;
    acme_ctl_term_put_lines(file, "a\n\033b\nrest", 5);
    assert_string_equal(written(file), "a\n\\x1bb\n");
}

static void a_long_text_is_wrapped(void **unused)
{
    FILE *file = tmpfile();
    const char *text = "";
    int i;

    (void)unused;
    for (i = 0; i < 10; i++) {
        text = apr_pstrcat(pool, text, i ? " " : "", "123456789", NULL);
    }
    acme_ctl_term_put_wrapped(file, text, 10);
    assert_string_equal(
        written(file),
        "123456789 123456789 123456789 123456789 123456789 123456789\n"
        "          123456789 123456789 123456789 123456789\n");
    file = tmpfile();
    acme_ctl_term_put_wrapped(file, "\033 x", 2);
    assert_string_equal(written(file), "\\x1b x\n");
}

static void colours_are_for_terminals(void **unused)
{
    static const struct {
        const char *when, *no_color, *term;
        int is_coloured;
    } rows[] = {
        { "always", NULL, NULL, 1 },
        { "always", "1", "dumb", 1 },
        { "never", NULL, "xterm", 0 },
        { "auto", NULL, "xterm", 0 }    /* a file is no terminal */
    };
    FILE *file = tmpfile();
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(acme_ctl_term_is_coloured(file, rows[i].when,
                                                   rows[i].no_color,
                                                   rows[i].term),
                         rows[i].is_coloured);
    }
    acme_ctl_term_color(file, ACME_CTL_TERM_RED, "a\033", 1);
    acme_ctl_term_color(file, ACME_CTL_TERM_RED, "b", 0);
    acme_ctl_term_color(file, ACME_CTL_TERM_PLAIN, "c", 1);
    assert_string_equal(written(file), "\033[31ma\\x1b\033[0mbc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(nothing_steers_the_terminal),
        POOL_TEST(lines_stay_lines),
        POOL_TEST(a_long_text_is_wrapped),
        POOL_TEST(colours_are_for_terminals)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
