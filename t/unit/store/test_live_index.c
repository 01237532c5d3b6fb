/*
 * test_live_index.c - which certificate of the store stands in for another.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_live_index.h"
#include "acme_live_link.h"
#include "acme_meta.h"
#include "issuer.h"
#include "open_store.h"

#define LOOKER "looker"

static const issuer_t *authority;

/* Put a certificate live under an id; its archive's number. */
static int put_live(const char *id, issue_t what)
{
    acme_archive_part_t part = { .suffix = "", .chain_pem = "" };
    acme_archive_t archive = { .meta = "{}" };
    acme_key_t *key = make_key();
    const char *key_pem;
    int n;

    if (!authority) {
        authority = make_issuer("authority");
    }
    what.key = acme_key_evp(key);
    if (what.serial >= 0) {
        what.issuer = authority;
    }
    assert_int_equal(acme_key_pem(&key_pem, key, &res, pool), 0);
    part.key_pem = key_pem;
    part.cert_pem = part.full_pem = issue(&what);
    archive.parts = apr_array_make(pool, 1, sizeof(part));
    APR_ARRAY_PUSH(archive.parts, acme_archive_part_t) = part;
    assert_int_equal(acme_archive_install(&n, open_store(), id, &archive,
                                          &res, pool), 0);
    return n;
}

static int setup(void **state)
{
    authority = NULL;
    return scratch_setup(state);
}

/* The id that is found for these names, "=" behind it if it is the same; or
   "". */
static const char *found_for(const char *names)
{
    const acme_archive_want_t want = { .id = LOOKER, .now = apr_time_now() };
    acme_live_found_t found;

    if (!acme_live_index_find(&found, acme_live_index_make(open_store(),
                                                           want.now, pool),
                              &want, words(names), pool)) {
        return "";
    }
    assert_true(found.n > 0);
    return apr_pstrcat(pool, found.id, found.is_same ? "=" : "", NULL);
}

static void the_fewest_other_names_win(void **state)
{
    (void)state;
    put_live("three", (issue_t) { .names = "a.org b.org c.org" });
    put_live("wild", (issue_t) { .names = "*.w.org w.org" });
    put_live("two", (issue_t) { .names = "b.org a.org" });
    assert_string_equal(found_for("a.org b.org"), "two=");
    assert_string_equal(found_for("b.org"), "two");
    assert_string_equal(found_for("c.org"), "three");
    assert_string_equal(found_for("c.org a.org"), "three");
    assert_string_equal(found_for("x.w.org w.org y.w.org"), "wild");
    assert_string_equal(found_for("*.w.org w.org"), "wild=");
    assert_string_equal(found_for("x.y.w.org"), "");
    assert_string_equal(found_for("a.org d.org"), "");
    assert_string_equal(found_for("org"), "");
    assert_string_equal(found_for("*.org"), "");
}

static void then_the_longest_validity_then_the_id(void **state)
{
    (void)state;
    put_live("short", (issue_t) { .names = "a.org", .until = DAY });
    put_live("z", (issue_t) { .names = "a.org", .until = 9 * DAY });
    put_live("middle", (issue_t) { .names = "a.org", .until = 5 * DAY });
    assert_string_equal(found_for("a.org"), "z=");
    put_live(LOOKER, (issue_t) { .names = "a.org", .until = 19 * DAY });
    assert_string_equal(found_for("a.org"), "z=");
}

static void what_proves_nothing_does_not_count(void **state)
{
    int n;

    (void)state;
    put_live("expired", (issue_t) { .names = "a.org", .from = -2 * DAY,
                                    .until = -DAY });
    put_live("future", (issue_t) { .names = "a.org", .from = DAY });
    put_live("self", (issue_t) { .names = "a.org", .serial = -1 });
    n = put_live("revoked", (issue_t) { .names = "a.org" });
    assert_int_equal(acme_meta_set_revoked(open_store(), "revoked", n,
                                           apr_time_now(), &res, pool), 0);
    n = put_live("foreign", (issue_t) { .names = "a.org" });
    put(at("store/archive/foreign/%d/privkey.pem", n), "garbage");
    put(at("store/live/.hidden"), "x");
    put(at("store/live/file"), "x");
    assert_string_equal(found_for("a.org"), "");
    put_live("good", (issue_t) { .names = "a.org b.org", .until = DAY });
    assert_string_equal(found_for("a.org"), "good");
}

/* meta.json is for people and programs, too: it may say anything. */
static void the_leaf_decides_and_not_what_is_noted(void **state)
{
    static const char noted[] = "{\"names\": [\"%s\"], \"certificates\": "
        "[{\"notAfter\": \"%s\"}]}";
    int n = put_live("liar", (issue_t) { .names = "a.org" });

    (void)state;
    put(at("store/archive/liar/%d/meta.json", n),
        apr_psprintf(pool, noted, "b.org", "2099-01-01T00:00:00Z"));
    n = put_live("old", (issue_t) { .names = "c.org", .from = -2 * DAY,
                                    .until = -DAY });
    put(at("store/archive/old/%d/meta.json", n),
        apr_psprintf(pool, noted, "c.org", "2099-01-01T00:00:00Z"));
    n = put_live("more", (issue_t) { .names = "d.org e.org" });
    put(at("store/archive/more/%d/meta.json", n),
        apr_psprintf(pool, noted, "d.org", "2099-01-01T00:00:00Z"));
    assert_string_equal(found_for("b.org"), "");
    assert_string_equal(found_for("c.org"), "");
    assert_string_equal(found_for("d.org"), "more");
}

#define INDEX_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        INDEX_TEST(the_fewest_other_names_win),
        INDEX_TEST(then_the_longest_validity_then_the_id),
        INDEX_TEST(what_proves_nothing_does_not_count),
        INDEX_TEST(the_leaf_decides_and_not_what_is_noted),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
