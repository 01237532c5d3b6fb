/*
 * test_text.c - a stranger's texts and URLs: shown safely, or refused.
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

static void plain_urls_are_a_matter_of_purpose(void **state)
{
    static const struct {
        const char *url;
        int plain, https;       /* is it used? */
    } rows[] = {
        { "http://ocsp.example.org", 1, 0 },
        { "HTTP://[::1]:80/a?b", 1, 0 },
        { "https://ocsp.example.org/", 1, 1 },
        { "http:///x", 0, 0 }, { "http://a:0/", 0, 0 },
        { "http://me@a/", 0, 0 }, { "http://a/#b", 0, 0 },
        { "http://a b/", 0, 0 }, { "ftp://a/", 0, 0 }, { "", 0, 0 },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].url);
        assert_int_equal(!acme_url_check_plain(rows[i].url, &res, pool),
                         rows[i].plain);
        assert_int_equal(!acme_url_check(rows[i].url, &res, pool),
                         rows[i].https);
    }
}

static void urls_that_are_used(void **state)
{
    static const struct {
        const char *url, *host;
    } rows[] = {
        { "https://a", "a" },
        { "https://ca.example.org/directory", "ca.example.org" },
        { "https://CA.Example.ORG/Dir", "ca.example.org" },
        { "HTTPS://a/", "a" },
        { "https://ca_1:14000/dir", "ca_1:14000" },
        { "https://a:1/", "a:1" },
        { "https://a:65535", "a:65535" },
        { "https://192.0.2.1/", "192.0.2.1" },
        { "https://[2001:DB8::1]:8443/d", "[2001:db8::1]:8443" },
        { "https://[::1]", "[::1]" },
        { "https://a?b=c/d", "a" },
        { "https://a/@b:c", "a" },
        { "https://a/%20~!$&'()*+,;=[]", "a" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_url_check(rows[i].url, &res, pool)) {
            fail_msg("%s", res.detail);
        }
        assert_string_equal(acme_url_host(rows[i].url, pool), rows[i].host);
    }
}

static void urls_that_are_refused(void **state)
{
    static const struct {
        const char *url, *why;
    } rows[] = {
        { "", "https://" },
        { "a", "https://" },
        { "/acme/order/1", "https://" },
        { "//a/b", "https://" },
        { "http://a/", "https://" },
        { "httpsx://a/", "https://" },
        { "https:/a", "https://" },
        { "https:a", "https://" },
        { " https://a", "https://" },
        { "file:///etc/passwd", "https://" },
        { "https://", "no host" },
        { "https:///a", "no host" },
        { "https://?a", "no host" },
        { "https://:443/", "no host" },
        { "https://../a", "no host" },
        { "https://-a/", "no host" },
        { "https://%61/", "no host" },
        { "https://[::1/", "no host" },
        { "https://[]/", "no host" },
        { "https://[a]/", "no host" },
        { "https://[192.0.2.1]/", "no host" },
        { "https://[fe80::1%25eth0]/", "no host" },
        { "https://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]/",
          "no host" },
        { "https://[::1]a/", "a port" },
        { "https://a:/", "a port" },
        { "https://a:0/", "a port" },
        { "https://a:65536/", "a port" },
        { "https://a:4294967739/", "a port" },
        { "https://a:000443/", "a port" },
        { "https://a:-1/", "a port" },
        { "https://a:+1/", "a port" },
        { "https://a:443a/", "a port" },
        { "https://a:b/", "a port" },
        { "https://a:1:2/", "a port" },
        { "https://a%2f/", "a port" },
        { "https://a;b/", "a port" },
        { "https://@a/", "user name" },
        { "https://b@a/", "user name" },
        { "https://a\\@b/", "user name" },
        { "https://a/#b", "fragment" },
        { "https://a#", "fragment" },
        { "https://a/b c", "character" },
        { "https://a/\tb", "character" },
        { "https://a/b\r\nX: y", "character" },
        { "https://a/\x7f", "character" },
        { "https://a\\b/", "character" },
        { "https://a/\"", "character" },
        { "https://a/<b>", "character" },
        { "https://\xc3\xbc.org/", "character" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_url_check(rows[i].url, &res, pool) != APR_EINVAL) {
            fail_msg("%s: it was liked", rows[i].url);
        }
        if (!strstr(strstr(res.detail, "used: "), rows[i].why)) {
            fail_msg("%s", res.detail);
        }
    }
}

static void a_url_has_a_longest(void **state)
{
    char url[ACME_URL_MAX + 2];

    (void)state;
    memset(url, 'a', sizeof(url));
    memcpy(url, "https://a/", 10);
    url[ACME_URL_MAX] = '\0';
    assert_int_equal(acme_url_check(url, &res, pool), APR_SUCCESS);
    url[ACME_URL_MAX] = 'a';
    url[ACME_URL_MAX + 1] = '\0';
    assert_int_equal(acme_url_check(url, &res, pool), APR_EINVAL);
    assert_non_null(strstr(res.detail, "too long"));
}

static void a_refusal_is_clean_and_without_password(void **state)
{
    (void)state;
    acme_url_check("https://joe:secret@a.org/\n", &res, pool);
    assert_string_equal(res.detail, "@a.org/\\x0a: this URL is not used: "
                                    "it has a user name");
    acme_url_check("http://joe:s/cr@t@a.org/", &res, pool);
    assert_null(strstr(res.detail, "s/cr"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(clean_shows_only_what_is_printable),
        POOL_TEST(clean_keeps_its_bound),
        POOL_TEST(base64url_is_told_from_the_rest),
        POOL_TEST(base64url_is_written_without_padding),
        POOL_TEST(lower_is_for_ascii_alone),
        POOL_TEST(plain_urls_are_a_matter_of_purpose),
        POOL_TEST(urls_that_are_used),
        POOL_TEST(urls_that_are_refused),
        POOL_TEST(a_url_has_a_longest),
        POOL_TEST(a_refusal_is_clean_and_without_password),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
