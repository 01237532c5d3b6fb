/*
 * test_json.c - documents that nobody who wishes us well has written.
 */
#include <stdlib.h>

#include "acme_json.h"
#include "pool.h"


static json_t *parse(const char *body)
{
    json_t *json;

    if (acme_json_parse(&json, body, strlen(body), "order", &res, pool)) {
        fail_msg("%s", res.detail);
    }
    return json;
}

static void what_is_no_object_is_refused(void **state)
{
    static const struct {
        const char *name, *body;
    } rows[] = {
        { "empty", "" },
        { "blank", " \n" },
        { "page", "<html><body>502 Bad Gateway</body></html>" },
        { "string", "\"a\"" },
        { "number", "1" },
        { "null", "null" },
        { "array", "[]" },
        { "cut", "{\"a\":\"b" },
        { "not closed", "{\"a\":1" },
        { "something behind", "{} {}" },
        { "comment", "{/* */}" },
        { "comma", "{\"a\":1,}" },
        { "single quotes", "{'a':1}" },
        { "NUL in a key", "{\"a\\u0000b\":1}" },
        { "no UTF-8", "{\"a\":\"\xff\"}" },
        { "overlong UTF-8", "{\"a\":\"\xc0\x80\"}" },
        { "half a surrogate", "{\"a\":\"\\ud800\"}" },
        { "byte order mark", "\xef\xbb\xbf{}" },
        { "line feed in a string", "{\"a\":\"\n\"}" },
        { "infinite", "{\"a\":1e999}" },
    };
    json_t *json;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        json = (json_t *)&res;
        if (!acme_json_parse(&json, rows[i].body, strlen(rows[i].body),
                             "order", &res, pool)) {
            fail_msg("%s: it was liked", rows[i].name);
        }
        assert_null(json);
        assert_ptr_equal(strstr(res.detail, "order: not "), res.detail);
    }
}

static void depth_is_bounded(void **state)
{
    const int depth = 200000;
    char *body = malloc((size_t)depth * 5);
    json_t *json;
    int i;

    (void)state;
    assert_non_null(body);
    for (i = 0; i < depth; i++) {
        memcpy(body + i * 5, "{\"a\":", 5);
    }
    assert_int_equal(acme_json_parse(&json, body, (apr_size_t)depth * 5,
                                     "order", &res, pool), APR_EINVAL);
    memset(body + 5, '[', (size_t)depth * 5 - 5);
    assert_int_equal(acme_json_parse(&json, body, (apr_size_t)depth * 5,
                                     "order", &res, pool), APR_EINVAL);
    free(body);
}

static void what_is_shown_of_it_is_clean(void **state)
{
    static const char body[] = "{\"a\": \x1b[2Jevil\x07}";
    json_t *json;
    const char *c;

    (void)state;
    assert_int_equal(acme_json_parse(&json, body, sizeof(body) - 1, "order",
                                     &res, pool), APR_EINVAL);
    for (c = res.detail; *c; c++) {
        assert_in_range(*c, 0x20, 0x7e);
    }
}

static void the_length_counts_not_the_nul(void **state)
{
    json_t *json;

    (void)state;
    assert_int_equal(acme_json_parse(&json, "{}garbage", 2, "order", &res,
                                     pool), APR_SUCCESS);
    assert_int_equal(acme_json_parse(&json, "{}\0", 3, "order", &res, pool),
                     APR_EINVAL);
    assert_int_equal(acme_json_parse(&json, NULL, 0, "order", &res, pool),
                     APR_EINVAL);
}

static const char document[] =
    "{\"s\": \"abc\", \"empty\": \"\", \"nul\": \"a\\u0000b\","
    " \"utf8\": \"\xc3\xbc\", \"i\": 42, \"neg\": -1, \"real\": 1.5,"
    " \"max\": 9223372036854775807, \"t\": true, \"f\": false,"
    " \"n\": null, \"o\": {\"s\": \"in\"},"
    " \"l\": [\"a\", 1, null, [\"b\"], \"toolong\", \"x\\u0000\", \"c\"]}";

static void strings(void **state)
{
    static const struct {
        const char *key;
        apr_size_t max;
        const char *text;
    } rows[] = {
        { "s", 3, "abc" }, { "s", 2, NULL }, { "empty", 0, "" },
        { "utf8", 2, "\xc3\xbc" }, { "utf8", 1, NULL }, { "nul", 99, NULL },
        { "i", 99, NULL }, { "t", 99, NULL }, { "n", 99, NULL },
        { "o", 99, NULL }, { "l", 99, NULL }, { "none", 99, NULL },
        { "", 99, NULL },
    };
    json_t *json = parse(document);
    const char *text;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        text = acme_json_string(json, rows[i].key, rows[i].max, pool);
        if (!text != !rows[i].text
            || (text && strcmp(text, rows[i].text))) {
            fail_msg("%s: %s", rows[i].key, text);
        }
    }
}

static void arrays_keep_their_strings_alone(void **state)
{
    json_t *json = parse(document);
    apr_array_header_t *list;

    (void)state;
    list = acme_json_strings(json, "l", 3, pool);
    assert_int_equal(list->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(list, 0, const char *), "a");
    assert_string_equal(APR_ARRAY_IDX(list, 1, const char *), "c");
    assert_null(acme_json_strings(json, "s", 99, pool));
    assert_null(acme_json_strings(json, "o", 99, pool));
    assert_null(acme_json_strings(json, "none", 99, pool));
}

static void numbers_and_truth(void **state)
{
    static const struct {
        const char *key;
        apr_int64_t number;
        int is_true;
    } rows[] = {
        { "i", 42, 0 }, { "neg", -1, 0 }, { "max", APR_INT64_MAX, 0 },
        { "real", 0, 0 }, { "t", 0, 1 }, { "f", 0, 0 }, { "n", 0, 0 },
        { "s", 0, 0 }, { "o", 0, 0 }, { "none", 0, 0 },
    };
    json_t *json = parse(document);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(acme_json_int(json, rows[i].key), rows[i].number);
        assert_int_equal(acme_json_true(json, rows[i].key), rows[i].is_true);
    }
}

static void getters_take_what_is_no_object(void **state)
{
    json_t *list = json_object_get(parse(document), "l");

    (void)state;
    assert_null(acme_json_string(NULL, "s", 99, pool));
    assert_null(acme_json_strings(NULL, "l", 99, pool));
    assert_int_equal(acme_json_int(NULL, "i"), 0);
    assert_false(acme_json_true(NULL, "t"));
    assert_null(acme_json_string(list, "s", 99, pool));
    assert_null(acme_json_strings(list, "l", 99, pool));
}

/* The sanitizer and valgrind say whether the document itself went. */
static void a_string_outlives_its_document(void **state)
{
    const char *text;
    apr_pool_t *sub;
    json_t *json;

    (void)state;
    apr_pool_create(&sub, pool);
    assert_int_equal(acme_json_parse(&json, document, sizeof(document) - 1,
                                     "order", &res, sub), APR_SUCCESS);
    text = acme_json_string(json, "s", 99, pool);
    apr_pool_destroy(sub);
    assert_string_equal(text, "abc");
}

static void texts_are_compact_or_indented(void **state)
{
    json_t *json = acme_json_own(json_pack("{s:s,s:[i,i]}", "b", "x/y",
                                           "a", 1, 2), pool);

    (void)state;
    assert_string_equal(acme_json_text(json, 0, pool),
                        "{\"b\":\"x/y\",\"a\":[1,2]}");
    assert_string_equal(acme_json_text(json, 2, pool),
                        "{\n  \"b\": \"x/y\",\n  \"a\": [\n    1,\n    2\n"
                        "  ]\n}");
    assert_null(acme_json_text(NULL, 0, pool));
    assert_null(acme_json_own(NULL, pool));
}

static const char *from_text(const char *text, apr_size_t max)
{
    json_t *array = acme_json_own(json_array(), pool);

    json_array_append_new(array, acme_json_from_text(text, max, pool));
    return acme_json_text(array, 0, pool);
}

static void any_text_becomes_a_string(void **state)
{
    (void)state;
    assert_string_equal(from_text("K\xc3\xbcrz \"a\"", 99),
                        "[\"K\xc3\xbcrz \\\"a\\\"\"]");
    assert_string_equal(from_text("a\xff", 99), "[\"a\\\\xff\"]");
    assert_string_equal(from_text("abcdef", 4), "[\"abcd\"]");
    assert_string_equal(from_text("abc\xc3\xbc", 4), "[\"a...\"]");
    assert_true(acme_json_is_text(""));
    assert_true(acme_json_is_text("\xc3\xbc"));
    assert_false(acme_json_is_text("\xc3"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(what_is_no_object_is_refused),
        POOL_TEST(depth_is_bounded),
        POOL_TEST(what_is_shown_of_it_is_clean),
        POOL_TEST(the_length_counts_not_the_nul),
        POOL_TEST(strings),
        POOL_TEST(arrays_keep_their_strings_alone),
        POOL_TEST(any_text_becomes_a_string),
        POOL_TEST(numbers_and_truth),
        POOL_TEST(getters_take_what_is_no_object),
        POOL_TEST(a_string_outlives_its_document),
        POOL_TEST(texts_are_compact_or_indented),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
