/*
 * test_live_mend.c - live/<id> is made a link again, and nothing is lost.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_live_link.h"
#include "acme_live_mend.h"
#include "acme_meta.h"
#include "issuer.h"
#include "open_store.h"

#define ID "www.example.org"

static const issuer_t *authority;

static acme_archive_part_t make_part_of(acme_key_t *key, long from,
                                        long until)
{
    acme_archive_part_t part = { .suffix = "", .chain_pem = "" };
    issue_t what = { .names = ID, .key = acme_key_evp(key),
                     .issuer = authority, .from = from, .until = until };

    assert_int_equal(acme_key_pem(&part.key_pem, key, &res, pool), 0);
    part.cert_pem = part.full_pem = issue(&what);
    return part;
}

static acme_archive_part_t make_part(long from, long until)
{
    return make_part_of(make_key(), from, until);
}

static void install(acme_archive_part_t part)
{
    acme_archive_t archive = { .meta = "{\"id\": \"x\"}" };
    int n;

    archive.parts = apr_array_make(pool, 1, sizeof(part));
    APR_ARRAY_PUSH(archive.parts, acme_archive_part_t) = part;
    assert_int_equal(acme_archive_install(&n, open_store(), ID, &archive,
                                          &res, pool), 0);
}

static int setup(void **state)
{
    const int rv = scratch_setup(state);

    authority = make_issuer("authority");
    return rv;
}

/* As a start of httpd: its parent adopts and chooses, the keeper links. */
static apr_status_t mend(void)
{
    const acme_archive_want_t want = { .id = ID, .now = apr_time_now() };
    acme_store_t *store = open_store();
    acme_result_t ignored;
    int n, live;

    if (acme_live_mend_adopt(store, &want, &res, pool) || res.detail[0]) {
        return res.status;
    }
    acme_archive_find_good(&n, &live, store, &want, &ignored, pool);
    return acme_live_mend(store, ID, n, &res, pool);
}

static int live(void)
{
    acme_result_t ignored;
    int n;

    acme_live_link_read(&n, open_store(), ID, &ignored, pool);
    return n;
}

static const char *link_path(void)
{
    return at("store/live/%s", ID);
}

/* As "cp -rL" leaves it: a folder that equals archive n. */
static void follow_link(int n)
{
    assert_int_equal(unlink(link_path()), 0);
    assert_int_equal(mkdir(link_path(), 0755), 0);
    copy_folder(at("store/archive/%s/%d", ID, n), link_path());
}

static void a_link_or_none_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(mend(), 0);
    assert_string_equal(res.detail, "");
    assert_int_equal(count(at("store/live")), 0);
    install(make_part(0, 0));
    install(make_part(0, 0));
    assert_int_equal(acme_live_link_swap(open_store(), ID, 1, &res, pool), 0);
    assert_int_equal(mend(), 0);
    assert_string_equal(res.detail, "");
    assert_int_equal(live(), 1);
    /* A damaged pair is no reason: an administrator may put it right. */
    put(at("store/archive/%s/1/privkey.pem", ID), "garbage");
    assert_int_equal(mend(), 0);
    assert_int_equal(live(), 1);
}

static void a_copy_of_an_archive_is_set_aside(void **state)
{
    (void)state;
    install(make_part(0, 0));
    install(make_part(0, 0));
    follow_link(2);
    assert_int_equal(mend(), 0);
    assert_non_null(strstr(res.detail, "made a link again, to archive/" ID
                                       "/2"));
    assert_non_null(strstr(res.detail, "set aside"));
    assert_int_equal(live(), 2);
    assert_int_equal(count(at("store/aside")), 1);
    assert_int_equal(mend(), 0);
    assert_string_equal(res.detail, "");
}

static void a_newer_pair_of_the_folder_is_archived(void **state)
{
    const acme_archive_part_t newer = make_part(-60, 0);
    const char *folder;

    (void)state;
    install(make_part(0, 0));
    follow_link(1);
    folder = link_path();
    put(apr_pstrcat(pool, folder, "/privkey.pem", NULL), newer.key_pem);
    put(apr_pstrcat(pool, folder, "/fullchain.pem", NULL), newer.full_pem);
    assert_int_equal(mend(), 0);
    assert_non_null(strstr(res.detail, "to archive/" ID "/2 ("));
    assert_int_equal(live(), 2);
    assert_string_equal(text_of(at("store/live/%s/privkey.pem", ID)),
                        newer.key_pem);
    assert_int_equal(mode_of(at("store/live/%s/privkey.pem", ID)), 0600);
    assert_non_null(strstr(text_of(at("store/live/%s/meta.json", ID)), ID));
    assert_int_equal(count(at("store/aside")), 1);
}

static void an_older_or_damaged_pair_of_the_folder_is_not(void **state)
{
    const acme_archive_part_t older = make_part(-9 * DAY, 0);

    (void)state;
    install(make_part(0, 0));
    follow_link(1);
    put(at("store/live/%s/privkey.pem", ID), older.key_pem);
    put(at("store/live/%s/fullchain.pem", ID), older.full_pem);
    assert_int_equal(mend(), 0);
    assert_int_equal(live(), 1);
    assert_int_equal(count(at("store/archive/%s", ID)), 1);
    assert_int_equal(count(at("store/aside")), 1);

    follow_link(1);
    put(at("store/live/%s/privkey.pem", ID), "garbage");
    assert_int_equal(mend(), 0);
    assert_int_equal(live(), 1);
}

/* In whatever form its key is: here with a line for people before it. */
static void one_with_the_key_of_a_revoked_one_is_not(void **state)
{
    acme_key_t *key = make_key();
    const acme_archive_part_t newer = make_part_of(key, -60, 0);

    (void)state;
    install(make_part_of(key, 0, 0));
    assert_int_equal(acme_meta_set_revoked(open_store(), ID, 1,
                                           apr_time_now(), &res, pool), 0);
    follow_link(1);
    put(at("store/live/%s/meta.json", ID), "{}");
    put(at("store/live/%s/fullchain.pem", ID), newer.full_pem);
    put(at("store/live/%s/privkey.pem", ID),
        apr_pstrcat(pool, "the key of " ID "\n", newer.key_pem, NULL));
    assert_int_not_equal(mend(), 0);    /* nothing is good */
    assert_int_equal(count(at("store/archive/%s", ID)), 1);
}

static void the_only_copy_of_a_pair_is_kept(void **state)
{
    const acme_archive_part_t part = make_part(0, 0);

    (void)state;
    open_store();
    assert_int_equal(mkdir(link_path(), 0755), 0);
    put(at("store/live/%s/privkey.pem", ID), part.key_pem);
    put(at("store/live/%s/fullchain.pem", ID), part.full_pem);
    assert_int_equal(mend(), 0);
    assert_int_equal(live(), 1);
    assert_string_equal(text_of(at("store/live/%s/privkey.pem", ID)),
                        part.key_pem);
}

static void links_elsewhere_and_to_nothing(void **state)
{
    static const char *const targets[] = {
        "/elsewhere/archive/" ID "/2", "../archive/" ID "/9"
    };
    size_t i;

    (void)state;
    install(make_part(0, 0));
    install(make_part(-DAY, -60));      /* expired */
    for (i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
        assert_int_equal(unlink(link_path()), 0);
        assert_int_equal(symlink(targets[i], link_path()), 0);
        assert_int_equal(mend(), 0);
        assert_non_null(strstr(res.detail, "made a link again"));
        assert_int_equal(live(), 1);
    }
    assert_int_equal(count(at("store/archive/%s", ID)), 2);
}

static void where_nothing_is_good_nothing_changes(void **state)
{
    (void)state;
    open_store();
    put(link_path(), "x");
    assert_int_equal(mend(), APR_EGENERAL);
    assert_non_null(strstr(res.detail, "not a symbolic link, and no archive"));
    assert_string_equal(text_of(link_path()), "x");
    assert_int_equal(count(at("store/aside")), 0);
}

static void a_disk_that_fails_leaves_it_as_it_was(void **state)
{
    acme_store_t *store = open_store();
    int step;

    (void)state;
    install(make_part(0, 0));
    for (step = 1; live() != 1 || step == 1; step++) {
        apr_status_t rv;

        if (live() == 1) {
            follow_link(1);
        }
        scratch_step = step;
        scratch_errno = EROFS;
        rv = acme_live_mend(store, ID, 1, &res, pool);
        scratch_step = 0;
        assert_true(step < 20);
        if (rv != APR_SUCCESS) {
            assert_non_null(strstr(res.detail, "cannot be made a link again"));
        }
        assert_non_null(text_of(at("store/live/%s/privkey.pem", ID)));
    }
    assert_true(step > 2);
}

static void many_folders_are_all_kept_aside(void **state)
{
    acme_store_t *store = open_store();
    const char *to;
    int i;

    (void)state;
    for (i = 0; i < 40; i++) {
        const char *path = at("store/live/%d.example.org", i);

        assert_int_equal(mkdir(path, 0755), 0);
        assert_int_equal(acme_store_aside(&to, store, path, apr_time_now(),
                                          &res, pool), 0);
    }
    assert_int_equal(count(at("store/aside")), 40);
}

#define MEND_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        MEND_TEST(a_link_or_none_is_left_alone),
        MEND_TEST(a_copy_of_an_archive_is_set_aside),
        MEND_TEST(a_newer_pair_of_the_folder_is_archived),
        MEND_TEST(an_older_or_damaged_pair_of_the_folder_is_not),
        MEND_TEST(one_with_the_key_of_a_revoked_one_is_not),
        MEND_TEST(the_only_copy_of_a_pair_is_kept),
        MEND_TEST(links_elsewhere_and_to_nothing),
        MEND_TEST(where_nothing_is_good_nothing_changes),
        MEND_TEST(a_disk_that_fails_leaves_it_as_it_was),
        MEND_TEST(many_folders_are_all_kept_aside),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
