/*
 * test_sync.c - what is made to last together, or one by one.
 */
#include "acme_file.h"
#include "acme_sync.h"
#include "open_store.h"

static acme_sync_t *sync_of_store(void)
{
    acme_sync_t *sync = acme_sync_create(open_store(), pool);

    acme_sync_begin(sync);
    return sync;
}

static void put_and_add(acme_sync_t *sync, const char *name)
{
    const char *path = at("store/journal/%s", name);

    assert_int_equal(acme_file_put(path, name, strlen(name), 0600, &res), 0);
    acme_sync_add(sync, path);
    acme_sync_add(sync, at("store/journal"));
}

static int is_lasting(const char *name)
{
    return scratch_lasts(at("store/journal/%s", name));
}

static void few_and_many_last(void **state)
{
    acme_sync_t *sync = sync_of_store();

    (void)state;
    assert_false(acme_sync_is_due(sync));
    assert_int_equal(acme_sync_run(sync, &res), 0);
    put_and_add(sync, "a");
    assert_true(acme_sync_is_due(sync));
    assert_false(is_lasting("a"));
    assert_int_equal(acme_sync_run(sync, &res), 0);
    assert_true(is_lasting("a"));
    assert_false(acme_sync_is_due(sync));

    acme_sync_begin(sync);
    put_and_add(sync, "b");
    put_and_add(sync, "c");
    put_and_add(sync, "d");
    assert_int_equal(acme_sync_run(sync, &res), 0);
    assert_true(is_lasting("b") && is_lasting("c") && is_lasting("d"));
}

static void without_syncfs_each_is_synced(void **state)
{
    acme_sync_t *sync = sync_of_store();

    (void)state;
    scratch_no_syncfs = 1;
    put_and_add(sync, "a");
    put_and_add(sync, "b");
    put_and_add(sync, "c");
    scratch_errno = EIO;
    scratch_step = 4;           /* three files and the folder */
    assert_int_equal(acme_sync_run(sync, &res), EIO);
    assert_int_equal(scratch_step, 0);
    assert_non_null(strstr(res.detail, "store/journal"));
    assert_false(acme_sync_is_due(sync));
}

static void count_step(void *baton)
{
    ++*(int *)baton;
}

/* The keeper says that it does not hang. */
static void each_sync_is_a_step(void **state)
{
    acme_sync_t *sync = sync_of_store();
    int steps = 0;

    (void)state;
    acme_sync_step(sync);
    acme_sync_on_step(sync, count_step, &steps);
    scratch_no_syncfs = 1;
    put_and_add(sync, "a");
    put_and_add(sync, "b");
    put_and_add(sync, "c");
    assert_int_equal(acme_sync_run(sync, &res), 0);
    assert_true(steps >= 4);    /* three files and the folder */
}

/* Of a file system whose syncfs() succeeds whatever happens, or a new one. */
static void another_file_system_is_not_believed(void **state)
{
    static const struct {
        const char *name;
        long type;
        int syncs;
    } rows[] = {
        { "ext4", 0xef53, 0 },
        { "xfs", 0x58465342, 0 },
        { "btrfs", 0x9123683e, 0 },
        { "f2fs", (long)0xf2f52010, 0 },
        { "tmpfs", 0x01021994, 0 },
        { "overlayfs", 0x794c7630, 4 },
        { "fuse", 0x65735546, 4 },
        { "9p", 0x01021997, 4 },
        { "cifs", (long)0xff534d42, 4 },
        { "nfs", 0x6969, 4 },
        { "zfs", 0x2fc12fc1, 4 }
    };
    acme_sync_t *sync = sync_of_store();
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_sync_begin(sync);
        put_and_add(sync, "a");
        put_and_add(sync, "b");
        put_and_add(sync, "c");
        scratch_fs = rows[i].type;
        scratch_syncs = 0;
        assert_int_equal(acme_sync_run(sync, &res), 0);
        if (scratch_syncs != rows[i].syncs) {
            fail_msg("%s: %d", rows[i].name, scratch_syncs);
        }
        assert_true(is_lasting("a") && is_lasting("b") && is_lasting("c"));
    }
}

static void a_failure_names_a_path(void **state)
{
    acme_sync_t *sync = sync_of_store();

    (void)state;
    put_and_add(sync, "a");
    scratch_errno = EIO;
    scratch_step = 1;
    assert_int_equal(acme_sync_run(sync, &res), EIO);
    assert_non_null(strstr(res.detail, "store/journal/a: cannot sync"));
    assert_int_equal(res.reason, ACME_REASON_STORE_UNWRITABLE);
    assert_false(acme_sync_is_due(sync));
}

/* It may be of a file that is nobody's here. */
static void a_failure_of_all_is_looked_into(void **state)
{
    acme_sync_t *sync = sync_of_store();

    (void)state;
    put_and_add(sync, "a");
    put_and_add(sync, "b");
    scratch_errno = EIO;
    scratch_step = 1;
    scratch_syncs = 0;
    assert_int_equal(acme_sync_run(sync, &res), 0);
    assert_int_equal(scratch_step, 0);
    assert_int_equal(scratch_syncs, 3);
    assert_true(is_lasting("a") && is_lasting("b"));
}

static void a_failure_is_its_owners(void **state)
{
    acme_sync_t *sync = sync_of_store();
    acme_result_t mine;

    (void)state;
    scratch_no_syncfs = 1;
    acme_sync_owner(sync, "a.org");
    put_and_add(sync, "a");
    acme_sync_owner(sync, "b.org");
    put_and_add(sync, "b");
    acme_sync_owner(sync, NULL);
    put_and_add(sync, "c");
    scratch_errno = EIO;
    scratch_step = 3;           /* a, the folder, b, c */
    scratch_syncs = 0;
    assert_int_equal(acme_sync_run(sync, &res), EIO);
    assert_int_equal(scratch_syncs, 4);
    acme_result_clear(&mine);
    assert_int_equal(acme_sync_ended(sync, "a.org", &mine), 0);
    assert_int_equal(acme_sync_ended(sync, NULL, &mine), 0);
    assert_string_equal(mine.detail, "");
    assert_int_equal(acme_sync_ended(sync, "b.org", &mine), EIO);
    assert_non_null(strstr(mine.detail, "store/journal/b: cannot sync"));
    assert_true(is_lasting("a") && is_lasting("c"));

    /* What they share is of all of them. */
    acme_sync_owner(sync, "a.org");
    put_and_add(sync, "a");
    acme_sync_owner(sync, "b.org");
    put_and_add(sync, "b");
    scratch_step = 2;
    assert_int_equal(acme_sync_run(sync, &res), EIO);
    assert_int_equal(acme_sync_ended(sync, "a.org", &mine), EIO);
    assert_int_equal(acme_sync_ended(sync, "b.org", &mine), EIO);

    /* Nothing is left of it. */
    acme_sync_owner(sync, "b.org");
    put_and_add(sync, "b");
    assert_int_equal(acme_sync_run(sync, &res), 0);
    assert_int_equal(acme_sync_ended(sync, "b.org", &mine), 0);
}

static void what_is_gone_needs_no_sync(void **state)
{
    acme_sync_t *sync = sync_of_store();

    (void)state;
    put_and_add(sync, "a");
    put_and_add(sync, "b");
    assert_int_equal(unlink(at("store/journal/a")), 0);
    assert_int_equal(acme_sync_run(sync, &res), 0);
    assert_true(is_lasting("b"));
}

static void a_folder_that_is_made_lasts_in_its_own(void **state)
{
    acme_sync_t *sync = sync_of_store();
    acme_store_t *store = open_store();
    const char *path = at("store/archive/a.org");

    (void)state;
    assert_int_equal(acme_sync_dir(sync, store, path, 0755, &res, pool), 0);
    assert_true(acme_sync_is_due(sync));
    acme_sync_add(sync, path);
    assert_false(scratch_lasts(path));
    assert_int_equal(acme_sync_run(sync, &res), 0);
    assert_true(scratch_lasts(path));
    /* Who made it may have died before. */
    assert_int_equal(acme_sync_dir(sync, store, path, 0755, &res, pool), 0);
    assert_true(acme_sync_is_due(sync));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(few_and_many_last),
        SCRATCH_TEST(without_syncfs_each_is_synced),
        SCRATCH_TEST(each_sync_is_a_step),
        SCRATCH_TEST(another_file_system_is_not_believed),
        SCRATCH_TEST(a_failure_names_a_path),
        SCRATCH_TEST(a_failure_of_all_is_looked_into),
        SCRATCH_TEST(a_failure_is_its_owners),
        SCRATCH_TEST(what_is_gone_needs_no_sync),
        SCRATCH_TEST(a_folder_that_is_made_lasts_in_its_own)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
