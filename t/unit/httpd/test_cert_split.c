/*
 * test_cert_split.c - more names than a certificate may hold: who is where, and
 * stays there.
 */
#include "open_store.h"

#include "acme_cert_split.h"
#include "acme_cert_split_live.h"
#include "acme_known_ca.h"
#include "acme_name.h"

static const char *const nobody[] = { NULL };

/* "a b | c" are two lists; "-" is none at all. */
static apr_array_header_t *lists(const char *text)
{
    apr_array_header_t *array = apr_array_make(
        pool, 4, sizeof(const apr_array_header_t *));
    char *copy = apr_pstrdup(pool, text), *state, *list;

    for (list = apr_strtok(copy, "|", &state); list;
         list = apr_strtok(NULL, "|", &state)) {
        APR_ARRAY_PUSH(array, const apr_array_header_t *) =
            strchr(list, '-') ? NULL : words(list);
    }
    return array;
}

/* "x0 x1 ... " */
static const char *numbered(const char *prefix, int from, int to)
{
    const char *text = "";

    for (; from < to; from++) {
        text = apr_psprintf(pool, "%s%s%d ", text, prefix, from);
    }
    return text;
}

static apr_array_header_t *split_as(const char *vhosts, const char *live,
                                    int limit, const char *const *taken)
{
    acme_cert_split_t ask;

    ask.id = "shop";
    ask.limit = limit;
    ask.vhosts = lists(vhosts);
    ask.live = lists(live);
    ask.taken = apr_hash_make(pool);
    for (; *taken; taken++) {
        apr_hash_set(ask.taken, *taken, APR_HASH_KEY_STRING, "");
    }
    return acme_cert_split(&ask, pool);
}

/* "shop: a b; shop-2: c" */
static const char *text_of_parts(const apr_array_header_t *parts)
{
    const char *text = "";
    int i;

    for (i = 0; i < parts->nelts; i++) {
        const acme_cert_split_part_t *part =
            &APR_ARRAY_IDX(parts, i, acme_cert_split_part_t);

        assert_string_equal(part->id,
                            acme_cert_split_id("shop", part->number, pool));
        text = apr_pstrcat(pool, text, i ? "; " : "", part->id, ": ",
                           apr_array_pstrcat(pool, part->names, ' '),
                           NULL);
    }
    return text;
}

static void assert_parts(const char *name, const apr_array_header_t *parts,
                         const char *expected)
{
    const char *text = text_of_parts(parts);

    if (strcmp(text, expected)) {
        fail_msg("%s: %s, not %s", name, text, expected);
    }
}

static void names_are_divided(void **state)
{
    static const struct {
        const char *name, *vhosts, *live, *parts;   /* limit 3 */
    } rows[] = {
        { "they fit", "a b c", "", "shop: a b c" },
        { "they fit, from two vhosts", "a b | c", "", "shop: a b c" },
        { "in order", "a b c d e f g", "",
          "shop: a b c; shop-2: d e f; shop-3: g" },
        { "a vhost that fits stays together", "a b | c d", "",
          "shop: a b; shop-2: c d" },
        { "the first with room", "a b | c d e | f", "",
          "shop: a b f; shop-2: c d e" },
        { "a vhost that can't fit fills the gaps", "a b | c d e f", "",
          "shop: a b c; shop-2: d e f" },
        { "a name of two vhosts is there once", "a b | b a c | c d", "",
          "shop: a b c; shop-2: d" },
        { "the rest of a vhost goes to its names", "a b | c d | d e", "",
          "shop: a b; shop-2: c d e" },
        { "a vhost without names of its own", "a b | | c", "",
          "shop: a b c" },
        { "a wildcard goes with its base name",
          "a b x.y c *.x.y d", "", "shop: a b c; shop-2: x.y *.x.y d" },
        { "in whatever order", "a *.x.y b c x.y d", "",
          "shop: a *.x.y x.y; shop-2: b c d" },
        { "and over vhosts", "a x.y | b c | *.x.y", "",
          "shop: a x.y *.x.y; shop-2: b c" },
        { "addresses go with the first name", "a b c d 192.0.2.1 ::1", "",
          "shop: a 192.0.2.1 ::1; shop-2: b c d" },
        { "too many addresses for that",
          "a 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4", "",
          "shop: a 192.0.2.1 192.0.2.2; shop-2: 192.0.2.3 192.0.2.4" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_parts(rows[i].name, split_as(rows[i].vhosts, rows[i].live, 3,
                                            nobody), rows[i].parts);
    }
}

static void names_stay(void **state)
{
    static const struct {
        const char *name, *vhosts, *live, *parts;   /* limit 3 */
    } rows[] = {
        { "all of them", "a b c d e", "a b c | d e",
          "shop: a b c; shop-2: d e" },
        { "a name before all", "new a b c d e", "a b c | d e",
          "shop: a b c; shop-2: new d e" },
        { "two names between, when one has room", "a n1 b c n2 d e",
          "a b c | d e", "shop: a b c; shop-2: n1 d e; shop-3: n2" },
        { "a removed one leaves room", "new a c d e", "a b c | d e",
          "shop: new a c; shop-2: d e" },
        { "the order of vhosts", "d e | a b c", "a b c | d e",
          "shop: a b c; shop-2: d e" },
        { "a vhost that came before", "n1 n2 | a b c | d", "a b c | d",
          "shop: a b c; shop-2: n1 n2 d" },
        { "a part without names is not ordered", "a b c g", "a b c | d | g",
          "shop: a b c; shop-3: g" },
        { "nor is the first", "d e", "a b c | d e", "shop-2: d e" },
        { "what is free is filled first", "d e n", "a b c | d e",
          "shop-2: d e n" },
        { "names of another vhost fill the first", "d e | n", "a b c | d e",
          "shop: n; shop-2: d e" },
        { "a part that was never issued", "a b c d e f", "a b c | - | d e",
          "shop: a b c; shop-2: f; shop-3: d e" },
        { "the first was never issued", "a b c d e", "- | d e",
          "shop: a b c; shop-2: d e" },
        { "what was joined stays together", "a b c d", "a b c d",
          "shop: a b c; shop-2: d" },
        { "a name of two live ones", "a b c d e", "a b c | c d e",
          "shop: a b c; shop-2: d e" },
        { "one has too many now, another has them", "z a b c d e",
          "a b c d e | d e", "shop: a b c; shop-2: z d e" },
        { "foreign names of live ones are nothing", "a b", "x y z | y",
          "shop: a b" },
        { "a vhost's new name goes where it lives", "d | a b | e d",
          "a b | d", "shop: a b; shop-2: d e" },
        { "but not where there is no room", "d f g | a b | e d",
          "a b | d f g", "shop: a b e; shop-2: d f g" },
        { "a wildcard goes to its base name that lives", "a b *.x c x",
          "a b | x", "shop: a b c; shop-2: *.x x" },
        { "if there is room", "a b *.x c d x", "a b | x c d",
          "shop: a b *.x; shop-2: c d x" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_parts(rows[i].name, split_as(rows[i].vhosts, rows[i].live, 3,
                                            nobody), rows[i].parts);
    }
}

static void ids_of_others_are_not_used(void **state)
{
    static const char *const two[] = { "shop", "shop-2", NULL };
    static const char *const more[] = { "shop-3", "shop-2", NULL };

    (void)state;
    assert_parts("new", split_as("a b c d", "", 3, two),
                 "shop: a b c; shop-3: d");
    assert_parts("it was a part", split_as("a b c d e", "a b c | d e", 3, two),
                 "shop: a b c; shop-3: d e");
    assert_parts("several", split_as("a b c d", "", 1, more),
                 "shop: a; shop-4: b; shop-5: c; shop-6: d");
}

/* Whatever happens, each name is in one part, and none is too large. */
static void nothing_is_lost(void **state)
{
    const char *vhosts = apr_pstrcat(
        pool, numbered("a", 0, 250), "|", numbered("b", 0, 99), "|",
        numbered("a", 200, 260), "|", numbered("c", 0, 60), NULL);
    const char *live = apr_pstrcat(
        pool, numbered("a", 100, 230), "|-|", numbered("b", 50, 120),
        "|", numbered("a", 0, 60), NULL);
    const apr_array_header_t *parts = split_as(vhosts, live, 100, nobody);
    apr_hash_t *seen = apr_hash_make(pool);
    int i, k, total = 0;

    (void)state;
    for (i = 0; i < parts->nelts; i++) {
        const apr_array_header_t *names =
            APR_ARRAY_IDX(parts, i, acme_cert_split_part_t).names;

        assert_in_range(names->nelts, 1, 100);
        total += names->nelts;
        for (k = 0; k < names->nelts; k++) {
            apr_hash_set(seen, APR_ARRAY_IDX(names, k, const char *),
                         APR_HASH_KEY_STRING, "");
        }
    }
    assert_int_equal(total, 260 + 99 + 60);
    assert_int_equal(apr_hash_count(seen), total);
}

/* What was issued is live, names are added anywhere, and so on. */
static void a_division_lives_on(void **state)
{
    const char *live = "", *before;
    apr_array_header_t *parts;
    int n, i;

    (void)state;
    for (n = 10; n < 60; n += 7) {
        /* Each time the new ones come first. */
        const char *vhost = apr_pstrcat(pool, numbered("x", n - 7, n),
                                        numbered("x", 0, n - 7), NULL);

        before = live;
        parts = split_as(vhost, before, 10, nobody);
        live = "";
        for (i = 0; i < parts->nelts; i++) {
            live = apr_pstrcat(
                pool, live, i ? "|" : "",
                apr_array_pstrcat(
                    pool,
                    APR_ARRAY_IDX(parts, i, acme_cert_split_part_t).names,
                    ' '),
                NULL);
        }
        for (i = 0; i < lists(before)->nelts; i++) {
            assert_true(acme_name_all_in(
                APR_ARRAY_IDX(lists(before), i, apr_array_header_t *),
                APR_ARRAY_IDX(parts, i, acme_cert_split_part_t).names));
        }
        assert_int_equal(parts->nelts, (n + 9) / 10);
        assert_parts("again", split_as(vhost, live, 10, nobody),
                     text_of_parts(parts));
    }
}

static void profiles_have_limits(void **state)
{
    static const struct {
        const char *profile;
        int limit;
    } rows[] = {
        { NULL, 100 }, { "classic", 100 }, { "tlsserver", 25 },
        { "shortlived", 25 }, { "", 100 }, { "short", 100 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(acme_known_ca_names(rows[i].profile),
                         rows[i].limit);
    }
}

static void a_part_has_a_number(void **state)
{
    static const struct {
        const char *part;
        int number;
        int len;
    } rows[] = {
        { "shop-2", 2, 4 }, { "www.example.org-12", 12, 15 },
        { "a-b-3", 3, 3 }, { "a-2-2", 2, 3 }, { "shop-9999", 9999, 4 },
        { "shop", 0, 0 }, { "shop-1", 0, 0 }, { "shop-0", 0, 0 },
        { "shop-02", 0, 0 }, { "shop-", 0, 0 }, { "shop-2x", 0, 0 },
        { "shop-x", 0, 0 }, { "-2", 0, 0 }, { "", 0, 0 },
        { "shop-10000", 0, 0 }, { "shop-99999999999999999999", 0, 0 },
        { "shop--2", 2, 5 }, { ".", 0, 0 }, { "..", 0, 0 }
    };
    apr_size_t len;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (acme_cert_split_number(rows[i].part, &len) != rows[i].number
            || len != (apr_size_t)rows[i].len) {
            fail_msg("%s", rows[i].part);
        }
    }
    assert_string_equal(acme_cert_split_id("shop", 1, pool), "shop");
    assert_string_equal(acme_cert_split_id("shop", 10, pool), "shop-10");
}

static void put_live(acme_store_t *store, const char *id, const char *meta)
{
    const char *folder = acme_store_path(store, "archive", id, pool);
    const char *target = apr_pstrcat(pool, "../archive/", id, "/1",
                                     NULL);

    assert_int_equal(mkdir(folder, 0755), 0);
    folder = apr_pstrcat(pool, folder, "/1", NULL);
    assert_int_equal(mkdir(folder, 0755), 0);
    put(apr_pstrcat(pool, folder, "/meta.json", NULL), meta);
    assert_int_equal(symlink(target, acme_store_path(store, "live", id,
                                                     pool)), 0);
}

static const char *live_text(const acme_cert_split_live_t *found,
                             const char *id)
{
    apr_array_header_t *live = acme_cert_split_live_names(found, id, pool);
    const char *text = "";
    int i;

    for (i = 0; i < live->nelts; i++) {
        const apr_array_header_t *names = APR_ARRAY_IDX(
            live, i, const apr_array_header_t *);

        text = apr_pstrcat(pool, text, i ? " | " : "",
                           names ? apr_array_pstrcat(pool, names, ' ')
                                 : "-", NULL);
    }
    return text;
}

static void the_store_is_asked_for_parts(void **state)
{
    acme_store_t *store = open_store();
    acme_cert_split_live_t *found;

    (void)state;
    put_live(store, "shop", "{\"names\":[\"a\",\"b\"]}");
    put_live(store, "shop-2", "{\"names\":[\"c\"]}");
    put_live(store, "shop-4", "{\"names\":[7,\"d\"]}");
    put_live(store, "shop-5", "{\"names\":\"e\"}");
    put_live(store, "shop-6", "{]");
    put_live(store, "web", "{\"names\":[\"w\"]}");
    assert_int_equal(symlink("../archive/nowhere/1", acme_store_path(
        store, "live", "lost-2", pool)), 0);
    found = acme_cert_split_live_scan(store, pool);

    assert_int_equal(acme_cert_split_live_last(found, "shop"), 6);
    assert_string_equal(live_text(found, "shop"),
                        "a b | c | - | d | - | -");
    assert_int_equal(acme_cert_split_live_last(found, "web"), 1);
    assert_string_equal(live_text(found, "web"), "w");
    assert_string_equal(live_text(found, "lost"), "- | -");
    assert_string_equal(live_text(found, "none"), "-");
}

static void without_a_store_there_are_none(void **state)
{
    acme_store_t *store = acme_store_at(at("nowhere"), pool);
    acme_cert_split_live_t *found =
        acme_cert_split_live_scan(store, pool);

    (void)state;
    assert_int_equal(acme_cert_split_live_last(found, "shop"), 1);
    assert_string_equal(live_text(found, "shop"), "-");
    assert_int_equal(count(at("nowhere")), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SCRATCH_TEST(names_are_divided),
        SCRATCH_TEST(names_stay),
        SCRATCH_TEST(ids_of_others_are_not_used),
        SCRATCH_TEST(nothing_is_lost),
        SCRATCH_TEST(a_division_lives_on),
        SCRATCH_TEST(profiles_have_limits),
        SCRATCH_TEST(a_part_has_a_number),
        SCRATCH_TEST(the_store_is_asked_for_parts),
        SCRATCH_TEST(without_a_store_there_are_none),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
