/*
 * test_name.c - one form for each name, and a refusal for what is none.
 */
#include "acme_name.h"
#include "pool.h"


static void names_get_one_form(void **state)
{
    static const struct {
        const char *text, *name;
    } rows[] = {
        { "www.example.org", "www.example.org" },
        { "WWW.Example.ORG", "www.example.org" },
        { "example.org.", "example.org" },
        { "localhost", "localhost" },
        { "a", "a" },
        { "1and1.com", "1and1.com" },
        { "1.2.3.4.in-addr.arpa", "1.2.3.4.in-addr.arpa" },
        { "0x7f000001", "0x7f000001" },
        { "*.example.org", "*.example.org" },
        { "*.Example.org.", "*.example.org" },
        { "*.internal", "*.internal" },
        /* IDNA: upper case, decomposed, sharp s kept, other full stops. */
        { "b\xc3\xbc" "cher.example", "xn--bcher-kva.example" },
        { "B\xc3\x9c" "CHER.example", "xn--bcher-kva.example" },
        { "bu\xcc\x88" "cher.example", "xn--bcher-kva.example" },
        { "XN--BCHER-KVA.example", "xn--bcher-kva.example" },
        { "*.b\xc3\xbc" "cher.example", "*.xn--bcher-kva.example" },
        { "fa\xc3\x9f.de", "xn--fa-hia.de" },
        { "\xe4\xbe\x8b\xe3\x80\x82jp\xe3\x80\x82", "xn--fsq.jp" },
        /* libidn2 would refuse these, but they exist. */
        { "r3---sn.example.org", "r3---sn.example.org" },
        { "xn--ls8h.la", "xn--ls8h.la" },
        /* Addresses. */
        { "192.0.2.1", "192.0.2.1" },
        { "2001:DB8::1", "2001:db8::1" },
        { "2001:0db8:0:0:0:0:0:0001", "2001:db8::1" },
        { "[2001:db8::1]", "2001:db8::1" },
        { "::", "::" },
        { "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
        { "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
        { "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
        { "0:0:0:0:0:FFFF:C000:0201", "::ffff:192.0.2.1" },
    };
    const char *name, *again;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_name_normalise(&name, rows[i].text, &res, pool)) {
            fail_msg("%s", res.detail);
        }
        assert_string_equal(name, rows[i].name);
        assert_int_equal(acme_name_normalise(&again, name, &res, pool), 0);
        assert_string_equal(again, name);
    }
}

static void names_that_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "it is empty" },
        { "*.", "it is empty" },
        { ".", "label is empty" },
        { "*..", "label is empty" },
        { ".example.org", "label is empty" },
        { "a..org", "label is empty" },
        { "example.org..", "label is empty" },
        { "\xc2\xad.org", "label is empty" },           /* soft hyphen */
        { "\xc2\xad", "label is empty" },
        { "*", "wildcard" },
        { "**.example.org", "wildcard" },
        { "*example.org", "wildcard" },
        { "w*.example.org", "wildcard" },
        { "www.*.org", "wildcard" },
        { "*.*.org", "wildcard" },
        { "\xef\xbc\x8a.example.org", "wildcard" },     /* full width */
        { "_dmarc.example.org", "letters" },
        { "foo_bar.example.org", "letters" },
        { "a b.org", "letters" },
        { " example.org", "letters" },
        { "example.org\n", "letters" },
        { "a/b.org", "letters" },
        { "\xef\xbd\x81\xef\xbc\x8f\xef\xbd\x82.org", "letters" },
        { "../etc", "label is empty" },
        { "https://example.org", "letters" },
        { "example.org:443", "letters" },
        { "joe@example.org", "letters" },
        { "a,b", "letters" },
        { "-a.org", "hyphen" },
        { "a-.org", "hyphen" },
        { "xn--", "hyphen" },
        { "1.2.3", "number" },
        { "127.1", "number" },
        { "1234", "number" },
        { "256.1.1.1", "number" },
        { "1.2.3.4.", "number" },
        { "01.2.3.4", "number" },
        { "1.2.3.4.5", "number" },
        { "example.123", "number" },
        { "*.1.2.3.4", "number" },
        { "\xef\xbc\x91.\xef\xbc\x92", "number" },      /* full width */
        { "[192.0.2.1]", "letters" },
        { "[]", "letters" },
        { "[::1", "letters" },
        { "::1]", "letters" },
        { "[[::1]]", "letters" },
        { "fe80::1%lo", "letters" },
        { "192.0.2.0/24", "letters" },
        { "2001:db8::g", "letters" },
        { "*.::1", "letters" },
        { "\xff.org", "encoding" },
        { "\xc3.org", "" },
        { "\xe2\x98\x83.net", "disallowed" },           /* a snowman */
        { "-\xc3\xbc.org", "hyphen" },
        { "a\xe2\x80\x8d" "b.org", "" },                /* a joiner */
    };
    const char *name;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        name = "x";
        if (!acme_name_normalise(&name, rows[i].text, &res, pool)) {
            fail_msg("\"%s\": became %s", rows[i].text, name);
        }
        assert_null(name);
        assert_int_equal(res.retry, ACME_RETRY_NEVER);
        if (!strstr(res.detail, rows[i].why)) {
            fail_msg("%s", res.detail);
        }
    }
}

/* n times unit, and then end. */
static const char *many(const char *unit, int n, const char *end)
{
    apr_size_t len = strlen(unit);
    char *text = apr_palloc(pool, n * len + strlen(end) + 1);
    int i;

    for (i = 0; i < n; i++) {
        memcpy(text + i * len, unit, len);
    }
    strcpy(text + n * len, end);
    return text;
}

static void names_have_a_longest(void **state)
{
    const struct {
        const char *name, *text;
        apr_size_t len;         /* 0: refused */
    } rows[] = {
        { "label of 63", many("a", 63, ".org"), 67 },
        { "label of 64", many("a", 64, ".org"), 0 },
        { "last label of 64", many("a", 64, ""), 0 },
        { "253 octets", many("a.", 126, "a"), 253 },
        { "253 octets and a dot", many("a.", 126, "a."), 253 },
        { "254 octets", many("a.", 126, "aa"), 0 },
        { "wildcard of 253 octets", many("a.", 125, "a") , 251 },
        { "wildcard of 255 octets",
          apr_pstrcat(pool, "*.", many("a.", 126, "a"), NULL), 0 },
        { "many octets", many("a.", 100000 / 2, "a"), 0 },
        { "many octets of UTF-8", many("\xc3\xbc", 30000, ""), 0 },
        { "U-label beyond 63", many("\xc3\xbc", 64, ".org"), 0 },
        { "U-labels beyond 253", many("\xc3\xbc.", 100, "org"), 0 },
    };
    const char *name;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_name_normalise(&name, rows[i].text, &res, pool);
        if ((name ? strlen(name) : 0) != rows[i].len) {
            fail_msg("%s: \"%s\"", rows[i].name, name ? name : res.detail);
        }
        assert_true(strlen(res.detail) < 400);
    }
}

static void addresses_and_wildcards_are_told_apart(void **state)
{
    static const struct {
        const char *name;
        int ip, wildcard;
    } rows[] = {
        { "192.0.2.1", 1, 0 }, { "2001:db8::1", 1, 0 }, { "::", 1, 0 },
        { "*.example.org", 0, 1 }, { "example.org", 0, 0 }, { "", 0, 0 },
        { "*", 0, 0 }, { "1.2.3", 0, 0 }, { "[::1]", 0, 0 },
        { "*a.org", 0, 0 },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(acme_name_is_ip(rows[i].name), rows[i].ip);
        assert_int_equal(acme_name_is_wildcard(rows[i].name),
                         rows[i].wildcard);
    }
}

static void a_wildcard_has_a_base(void **state)
{
    static const struct {
        const char *name, *base;
    } rows[] = {
        { "*.example.org", "example.org" }, { "example.org", "example.org" },
        { "*.internal", "internal" }, { "192.0.2.1", "192.0.2.1" },
        { "*", "*" }, { "", "" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(acme_name_base(rows[i].name), rows[i].base);
    }
}

/* 8738, 6 and 3596, 2.5. */
static void addresses_have_a_reverse_name(void **state)
{
    static const struct {
        const char *ip, *arpa;
    } rows[] = {
        { "127.0.0.1", "1.0.0.127.in-addr.arpa" },
        { "192.0.2.255", "255.2.0.192.in-addr.arpa" },
        { "0.0.0.0", "0.0.0.0.in-addr.arpa" },
        { "4321:0:1:2:3:4:567:89ab", "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0."
          "2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa" },
        { "::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
          "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa" },
        { "example.org", NULL }, { "1.2.3", NULL }, { "[::1]", NULL },
        { "*.example.org", NULL }, { "", NULL },
    };
    const char *arpa;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        arpa = acme_name_arpa(rows[i].ip, pool);
        if (!arpa != !rows[i].arpa || (arpa && strcmp(arpa, rows[i].arpa))) {
            fail_msg("%s: %s", rows[i].ip, arpa ? arpa : "none");
        }
    }
}

static void octets_are_in_network_order(void **state)
{
    unsigned char buf[16];

    (void)state;
    assert_int_equal(acme_name_ip_octets(buf, "192.0.2.1"), 4);
    assert_memory_equal(buf, "\xc0\x00\x02\x01", 4);
    assert_int_equal(acme_name_ip_octets(buf, "2001:db8::1"), 16);
    assert_memory_equal(buf, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
    assert_int_equal(acme_name_ip_octets(buf, "example.org"), 0);
    assert_int_equal(acme_name_ip_octets(buf, "192.0.2"), 0);
    assert_int_equal(acme_name_ip_octets(buf, ""), 0);
}

/* An array of names from "a b c". */
static apr_array_header_t *names(const char *text)
{
    apr_array_header_t *array = apr_array_make(pool, 1, sizeof(char *));
    char *rest = apr_pstrdup(pool, text), *name;

    while ((name = apr_strtok(rest, " ", &rest))) {
        APR_ARRAY_PUSH(array, const char *) = name;
    }
    return array;
}

static void sets_are_compared(void **state)
{
    static const struct {
        const char *a, *b;
        int all;
    } rows[] = {
        { "", "", 1 }, { "", "a.org", 1 }, { "a.org", "", 0 },
        { "a.org", "a.org", 1 }, { "b.org a.org", "a.org b.org c.org", 1 },
        { "a.org d.org", "a.org b.org", 0 }, { "a.org a.org", "a.org", 1 },
        { "www.a.org", "*.a.org", 0 }, { "a.or", "a.org", 0 },
    };
    apr_array_header_t *set;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_name_all_in(names(rows[i].a), names(rows[i].b))
            != rows[i].all) {
            fail_msg("%s in %s", rows[i].a, rows[i].b);
        }
    }
    assert_true(acme_name_in(names("a.org b.org"), "b.org"));
    assert_false(acme_name_in(names("a.org b.org"), "c.org"));

    set = names("a.org");
    acme_name_add(set, "b.org");
    acme_name_add(set, "a.org");
    assert_int_equal(set->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(set, 1, const char *), "b.org");
}

static void a_wildcard_covers_one_label(void **state)
{
    static const struct {
        const char *names, *certificate;
        int covered;
    } rows[] = {
        { "a.org", "a.org", 1 }, { "", "", 1 }, { "a.org", "", 0 },
        { "www.a.org", "*.a.org", 1 }, { "a.org", "*.a.org", 0 },
        { "x.www.a.org", "*.a.org", 0 }, { "*.a.org", "*.a.org", 1 },
        { "*.a.org", "*.org", 0 }, { ".a.org", "*.a.org", 0 },
        { "www.a.org a.org", "*.a.org a.org", 1 },
        { "www.a.org a.org", "*.a.org", 0 },
        { "192.0.2.1", "*.0.2.1", 0 }, { "localhost", "*.localhost", 0 },
        { "www.a.org", "www.*", 0 },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_name_all_covered(names(rows[i].names),
                                  names(rows[i].certificate))
            != rows[i].covered) {
            fail_msg("%s by %s", rows[i].names, rows[i].certificate);
        }
    }
}

static void three_names_are_shown(void **state)
{
    static const struct {
        const char *names, *text;
    } rows[] = {
        { "", "" }, { "a", "a" }, { "a b", "a, b" }, { "a b c", "a, b, c" },
        { "a b c d", "a, b and 2 more" },
        { "a b c d e f g h i", "a, b and 7 more" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(acme_name_list_text(names(rows[i].names), pool),
                            rows[i].text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(names_get_one_form),
        POOL_TEST(names_that_are_refused),
        POOL_TEST(names_have_a_longest),
        POOL_TEST(addresses_and_wildcards_are_told_apart),
        POOL_TEST(a_wildcard_has_a_base),
        POOL_TEST(addresses_have_a_reverse_name),
        POOL_TEST(octets_are_in_network_order),
        POOL_TEST(sets_are_compared),
        POOL_TEST(a_wildcard_covers_one_label),
        POOL_TEST(three_names_are_shown),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
