/*
 * test_live_link.c - the link in live/ is read as it is written, and swapped
 * in one step. Its part in an installation is tested in test_archive.c.
 */
#include "acme_live_link.h"
#include "open_store.h"

#define ID "www.example.org"

static void put_link(const char *target)
{
    (void)unlink(at("store/live/%s", ID));
    assert_int_equal(symlink(target, at("store/live/%s", ID)), 0);
}

static void reads_what_was_swapped(void **state)
{
    acme_store_t *store = open_store();
    char target[128] = "";
    int n = 7;

    (void)state;
    assert_int_equal(acme_live_link_read(&n, store, ID, &res, pool), ENOENT);
    assert_int_equal(n, 0);
    assert_non_null(strstr(res.detail, "live/" ID));
    assert_int_equal(acme_live_link_swap(store, ID, 1, &res, pool), 0);
    assert_int_equal(acme_live_link_swap(store, ID, 20, &res, pool), 0);
    assert_int_equal(acme_live_link_read(&n, store, ID, &res, pool), 0);
    assert_int_equal(n, 20);
    assert_true(readlink(at("store/live/%s", ID), target, 127) > 0);
    assert_string_equal(target, "../archive/" ID "/20");
    assert_int_equal(count(at("store/live")), 1);
    assert_int_equal(count(at("store/aside")), 0);
}

static void only_our_own_text_is_believed(void **state)
{
    static const struct {
        const char *target;
        int n;                  /* 0: refused */
    } rows[] = {
        { "../archive/" ID "/1", 1 },
        { "../archive/" ID "/999999999", 999999999 },
        { "../archive/" ID "/1000000000", 0 },
        { "../archive/" ID "/99999999999999999999", 0 },
        { "../archive/" ID "/-1", 0 },
        { "../archive/" ID "/+1", 0 },
        { "../archive/" ID "/ 1", 0 },
        { "../archive/" ID "/1a", 0 },
        { "../archive/" ID "//1", 0 },
        { "archive/" ID "/1", 0 },
        { "../archive/" ID ".evil/1", 0 },
        { "1", 0 }
    };
    acme_store_t *store = open_store();
    apr_status_t rv;
    size_t i;
    int n;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        put_link(rows[i].target);
        rv = acme_live_link_read(&n, store, ID, &res, pool);
        if (n != rows[i].n || rv != (rows[i].n ? APR_SUCCESS : APR_EGENERAL)) {
            fail_msg("%s", rows[i].target);
        }
    }
}

static void a_file_in_its_place_is_set_aside(void **state)
{
    acme_store_t *store = open_store();
    int n;

    (void)state;
    put(at("store/live/%s", ID), "x");
    assert_int_equal(acme_live_link_read(&n, store, ID, &res, pool),
                     APR_EGENERAL);
    assert_int_equal(n, 0);
    assert_non_null(strstr(res.detail, "not a symbolic link"));
    assert_int_equal(acme_live_link_swap(store, ID, 3, &res, pool), 0);
    assert_non_null(strstr(res.detail, "was not a symbolic link; set aside"));
    assert_int_equal(acme_live_link_read(&n, store, ID, &res, pool), 0);
    assert_int_equal(n, 3);
    assert_int_equal(count(at("store/aside")), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SCRATCH_TEST(reads_what_was_swapped),
        SCRATCH_TEST(only_our_own_text_is_believed),
        SCRATCH_TEST(a_file_in_its_place_is_set_aside),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
