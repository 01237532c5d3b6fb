/*
 * test_link.c - Link headers, good ones and those that a stranger might send.
 */
#include "acme_link.h"
#include "pool.h"

static const char *found(const char *value, const char *rel, int max)
{
    apr_array_header_t *urls = apr_array_make(pool, 1, sizeof(char *));

    acme_link_find(urls, value, rel, max, pool);
    return apr_array_pstrcat(pool, urls, ' ');
}

#define A "https://ca/a"
#define B "https://ca/b"

static void links_are_found_by_their_relation(void **state)
{
    static const struct {
        const char *name, *value, *urls;
    } rows[] = {
        { "quoted", "<" A ">;rel=\"alternate\"", A },
        { "token", "<" A ">;rel=alternate", A },
        { "spaces", " <" A "> ; rel = \"alternate\" ", A },
        { "case", "<" A ">;REL=\"Alternate\"", A },
        { "several types", "<" A ">;rel=\"up  alternate\"", A },
        { "several links", "<" A ">;rel=alternate,<" B ">;rel=alternate",
          A " " B },
        { "empty elements", ", ,<" A ">;rel=alternate, ,", A },
        { "another first", "<" B ">;rel=up, <" A ">;rel=alternate", A },
        { "parameters", "<" A ">;title=\"a, b; <c>\";rel=alternate;x;y=z", A },
        { "escapes", "<" A ">;title=\"\\\",<\\\\\";rel=\"\\alternate\"", A },
        { "star parameter", "<" A ">;title*=UTF-8''n%c3%a4c;rel=alternate",
          A },
        { "empty parameter", "<" A ">;;rel=alternate;", A },
        { "the same twice", "<" A ">;rel=alternate,<" A ">;rel=alternate",
          A },
        { "comma in the URL", "<" A ",x>;rel=alternate", A ",x" },
        { "first rel counts", "<" A ">;rel=up;rel=alternate", "" },
        { "other", "<" A ">;rel=\"index\"", "" },
        { "part of a type", "<" A ">;rel=\"alternates xalternate\"", "" },
        { "no rel", "<" A ">", "" },
        { "empty rel", "<" A ">;rel=\"\"", "" },
        { "rel without a value", "<" A ">;rel", "" },
        { "anchor", "<" A ">;rel=alternate;anchor=\"#x\"", "" },
        { "relative", "</a>;rel=alternate", "" },
        { "no scheme", "<//ca/a>;rel=alternate", "" },
        { "plain", "<http://ca/a>;rel=alternate", "" },
        { "user", "<https://u@ca/a>;rel=alternate", "" },
        { "script", "<javascript:alert(1)>;rel=alternate", "" },
        { "empty target", "<>;rel=alternate", "" },
        { "a bad one before", "</x>;rel=alternate,<" A ">;rel=alternate", A },
        { "nothing", "", "" },
        { "no brackets", A ";rel=alternate", "" },
        { "open bracket", "<" A, "" },
        { "open quote", "<" A ">;rel=\"alternate", "" },
        { "open escape", "<" A ">;rel=\"alternate\\", "" },
        { "no comma", "<" A ">;rel=alternate <" B ">;rel=alternate", "" },
        { "nameless", "<" A ">;=alternate", "" },
        { "valueless", "<" A ">;rel=;x=y", "" },
        { "rest of garbage", "<" A ">;rel=alternate,garbage,<" B
          ">;rel=alternate", A }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        print_message("%s\n", rows[i].name);
        assert_string_equal(found(rows[i].value, "alternate", 10),
                            rows[i].urls);
    }
    assert_string_equal(found("<" A ">;rel=x,<" B ">;rel=x", "x", 1), A);
    assert_string_equal(found("<" A ">;rel=x", "x", 0), "");
}

/* A header's worth of each must neither take long nor fill the memory. */
static void much_is_no_trouble(void **state)
{
    static const char *const pieces[] = {
        ";", ",", "<", ";a=\"\"", ";a=\"", "<" A ">;", "\\", "\"", "<" A ">,"
    };
    enum { SIZE = 64 * 1024 };
    char *value = apr_palloc(pool, SIZE + 64);
    size_t i, len, step;

    (void)state;
    for (i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
        step = strlen(pieces[i]);
        strcpy(value, "<" A ">;rel=\"alternate\"");
        for (len = strlen(value); len < SIZE; len += step) {
            strcpy(value + len, pieces[i]);
        }
        found(value, "alternate", 10);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(links_are_found_by_their_relation),
        POOL_TEST(much_is_no_trouble)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
