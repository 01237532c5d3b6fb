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

static void a_failure_names_a_path(void **state)
{
    acme_sync_t *sync = sync_of_store();

    (void)state;
    put_and_add(sync, "a");
    put_and_add(sync, "b");
    scratch_errno = EIO;
    scratch_step = 1;
    assert_int_equal(acme_sync_run(sync, &res), EIO);
    assert_non_null(strstr(res.detail, "store/journal/a: cannot sync"));
    assert_int_equal(res.reason, ACME_REASON_STORE_UNWRITABLE);
    assert_false(acme_sync_is_due(sync));
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
    assert_int_equal(acme_sync_dir(sync, store, path, 0755, &res, pool), 0);
    assert_false(acme_sync_is_due(sync));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(few_and_many_last),
        SCRATCH_TEST(without_syncfs_each_is_synced),
        SCRATCH_TEST(each_sync_is_a_step),
        SCRATCH_TEST(a_failure_names_a_path),
        SCRATCH_TEST(what_is_gone_needs_no_sync),
        SCRATCH_TEST(a_folder_that_is_made_lasts_in_its_own)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
