/*
 * test_text.c - a stranger's texts, shown safely.
 */
#include "acme_text.h"
#include "pool.h"

static void clean_shows_only_what_is_printable(void **state)
{
    static const struct {
        const char *name, *text;
        apr_size_t max;
        const char *shown;
    } rows[] = {
        { "nothing", NULL, 9, "" },
        { "empty", "", 9, "" },
        { "no room", "a", 0, "" },
        { "plain", "no such order", 99, "no such order" },
        { "both ends of what is printable", " ~", 9, " ~" },
        { "line feed", "a\nb", 9, "a\\x0ab" },
        { "escape sequence", "\x1b[2J", 9, "\\x1b[2J" },
        { "DEL", "\x7f", 9, "\\x7f" },
        { "UTF-8", "\xc3\xbc", 9, "\\xc3\\xbc" },
        { "highest octet", "\xff", 9, "\\xff" },
        { "backslash", "\\x41", 9, "\\\\x41" },
        { "fits", "12345", 5, "12345" },
        { "cut", "123456", 5, "12..." },
        { "cut, before an escape", "1234\n", 7, "1234..." },
        { "cut, no escape in halves", "12\n4567", 7, "12..." },
        { "cut, no backslash in halves", "123\\56", 6, "123..." },
        { "an escape that fits", "123\n", 7, "123\\x0a" },
        { "room for the dots", "1234", 3, "..." },
        { "no room for the dots", "123", 2, ".." },
    };
    const char *shown;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        shown = acme_text_clean(rows[i].text, rows[i].max, pool);
        if (strcmp(shown, rows[i].shown)) {
            fail_msg("%s: \"%s\"", rows[i].name, shown);
        }
    }
}

/* All octets at all sizes: the sanitizers watch the room. */
static void clean_keeps_its_bound(void **state)
{
    char text[256];
    apr_size_t max;
    const char *shown;
    int i;

    (void)state;
    for (i = 0; i < 255; i++) {
        text[i] = (char)(i + 1);
    }
    text[255] = '\0';
    for (max = 0; max < 900; max++) {
        shown = acme_text_clean(text, max, pool);
        assert_true(strlen(shown) <= max);
        assert_int_equal(strspn(shown, "\n\r\t\x7f"), 0);
    }
}

static void base64url_is_told_from_the_rest(void **state)
{
    static const struct {
        const char *name, *text;
        apr_size_t max;
        int is;
    } rows[] = {
        { "all kinds", "azAZ09-_", 99, 1 },
        { "as long as allowed", "abcd", 4, 1 },
        { "too long", "abcde", 4, 0 },
        { "nothing", NULL, 4, 0 },
        { "empty", "", 4, 0 },
        { "padding", "YQ==", 99, 0 },
        { "base64", "a+/b", 99, 0 },
        { "path", "../etc", 99, 0 },
        { "dot", "a.b", 99, 0 },
        { "blank", "a b", 99, 0 },
        { "line feed at the end", "ab\n", 99, 0 },
        { "UTF-8", "\xc3\xbc", 99, 0 },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_text_is_base64url(rows[i].text, rows[i].max)
            != rows[i].is) {
            fail_msg("%s", rows[i].name);
        }
    }
}

/* 4648, 10, without the padding; then the two characters that differ. */
static void base64url_is_written_without_padding(void **state)
{
    static const struct {
        const char *data;
        apr_size_t len;
        const char *text;
    } rows[] = {
        { "", 0, "" }, { "f", 1, "Zg" }, { "fo", 2, "Zm8" },
        { "foo", 3, "Zm9v" }, { "foob", 4, "Zm9vYg" },
        { "fooba", 5, "Zm9vYmE" }, { "foobar", 6, "Zm9vYmFy" },
        { "\xff\xfe\x00\xfb", 4, "__4A-w" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(acme_text_base64url(rows[i].data, rows[i].len,
                                                pool), rows[i].text);
    }
}

static void lower_is_for_ascii_alone(void **state)
{
    (void)state;
    assert_string_equal(acme_text_lower("AZ@[az`{09", 10, pool),
                        "az@[az`{09");
    assert_string_equal(acme_text_lower("I\xc3\x9c\xc4\xb0", 5, pool),
                        "i\xc3\x9c\xc4\xb0");
    assert_string_equal(acme_text_lower("ABC", 2, pool), "ab");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(clean_shows_only_what_is_printable),
        POOL_TEST(clean_keeps_its_bound),
        POOL_TEST(base64url_is_told_from_the_rest),
        POOL_TEST(base64url_is_written_without_padding),
        POOL_TEST(lower_is_for_ascii_alone),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
