/*
 * test_url.c - a stranger's URLs: used, or refused with a reason.
 */
#include "acme_url.h"
#include "pool.h"

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
        if (!strstr(strstr(res.detail, "refused: "), rows[i].why)) {
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
    assert_string_equal(res.detail, "@a.org/\\x0a: this URL is refused: "
                                    "it has a user name");
    acme_url_check("http://joe:s/cr@t@a.org/", &res, pool);
    assert_null(strstr(res.detail, "s/cr"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
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
