/*
 * test_file.c - files that are whole or not there, whatever happens.
 */
#include "acme_file.h"
#include "scratch.h"


static apr_status_t write_text(const char *path, const char *text)
{
    return acme_file_write(path, text, strlen(text), 0640, &res,
                           pool);
}

static void mode_is_exact_under_any_umask(void **state)
{
    static const mode_t masks[] = { 0, 022, 077, 0777 };
    static const mode_t modes[] = { 0600, 0644, 0755 };
    mode_t before = umask(0);
    size_t i, j;

    (void)state;
    for (i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
        for (j = 0; j < sizeof(modes) / sizeof(*modes); j++) {
            const char *file = at("f%d", (int)(i * 8 + j));
            const char *dir = at("d%d", (int)(i * 8 + j));

            umask(masks[i]);
            assert_int_equal(acme_file_write(file, "x", 1, modes[j], &res,
                                             pool), 0);
            assert_int_equal(
                acme_file_dir_make(dir, modes[j] | 0100, &res, pool), 0);
            assert_int_equal(umask(before), masks[i]);
            assert_int_equal(mode_of(file), modes[j]);
            assert_int_equal(mode_of(dir), modes[j] | 0100);
        }
    }
    umask(before);
}

static void replaces_and_leaves_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(write_text(at("f"), "old"), 0);
    assert_int_equal(write_text(at("f"), ""), 0);
    assert_string_equal(text_of(at("f")), "");
    assert_int_equal(write_text(at("f"), "new"), 0);
    assert_string_equal(text_of(at("f")), "new");
    assert_int_equal(count(scratch_dir), 1);
}

/* After the temporary name is free: fsync, rename, fsync of the folder. */
static void a_failing_step_keeps_the_old(void **state)
{
    static const int errors[] = { ENOSPC, EROFS, EIO };
    static const char *const texts[] = { "full", "read-only", "" };
    size_t i;
    int step;

    (void)state;
    assert_int_equal(write_text(at("f"), "old"), 0);
    for (i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        for (step = 2; step <= 3; step++) {
            scratch_step = step;
            scratch_errno = errors[i];
            assert_int_equal(write_text(at("f"), "new"), errors[i]);
            assert_int_equal(scratch_step, 0);
            assert_non_null(strstr(res.detail, texts[i]));
            assert_ptr_equal(strstr(res.detail, at("f")), res.detail);
            assert_string_equal(text_of(at("f")), "old");
            assert_int_equal(count(scratch_dir), 1);
        }
    }
    scratch_step = 4;
    assert_int_equal(write_text(at("f"), "new"), EIO);
    assert_string_equal(text_of(at("f")), "new");
}

static void what_lies_at_the_temporary_name_goes(void **state)
{
    (void)state;
    put(at("victim"), "victim");
    assert_int_equal(symlink(at("victim"), at(".f.new")), 0);
    assert_int_equal(write_text(at("f"), "1"), 0);
    put(at(".f.new"), "half");
    assert_int_equal(write_text(at("f"), "2"), 0);
    mkdir(at(".f.new"), 0755);
    put(at(".f.new/x"), "x");
    assert_int_equal(write_text(at("f"), "3"), 0);
    assert_string_equal(text_of(at("f")), "3");
    assert_string_equal(text_of(at("victim")), "victim");
    assert_int_equal(count(scratch_dir), 2);
}

static void a_link_at_the_path_is_replaced_not_followed(void **state)
{
    (void)state;
    put(at("victim"), "victim");
    assert_int_equal(symlink(at("victim"), at("f")), 0);
    assert_int_equal(write_text(at("f"), "new"), 0);
    assert_string_equal(text_of(at("victim")), "victim");
    assert_int_equal(mode_of(at("f")), 0640);
}

static void a_folder_at_the_path_stays(void **state)
{
    (void)state;
    mkdir(at("f"), 0755);
    assert_int_equal(write_text(at("f"), "new"), EISDIR);
    assert_int_equal(write_text(at("none/f"), "new"), ENOENT);
    assert_int_equal(count(scratch_dir), 1);
}

static int full_disk(void *data)
{
    char *big = calloc(1, 256 * 1024);
    const char *dir = data;

    if (!mount_small(dir, "size=64k")) {
        free(big);
        return CHILD_SKIP;
    }
    CHECK(write_text(at("f"), "old") == 0);
    CHECK(acme_file_write(at("f"), big, 256 * 1024, 0600, &res, pool)
          == ENOSPC);
    free(big);
    CHECK(strstr(res.detail, "the file system is full"));
    CHECK(res.retry == ACME_RETRY_SOON);
    CHECK(!strcmp(text_of(at("f")), "old"));
    CHECK(count(dir) == 1);
    return 0;
}

static void a_full_disk(void **state)
{
    (void)state;
    assert_child(full_disk, scratch_dir);
}

static int read_only_disk(void *data)
{
    const char *dir = data;

    if (!mount_small(dir, "size=64k")) {
        return CHILD_SKIP;
    }
    CHECK(write_text(at("f"), "old") == 0);
    CHECK(mount_read_only(dir));
    CHECK(write_text(at("f"), "new") == EROFS);
    CHECK(strstr(res.detail, "the file system is read-only"));
    CHECK(acme_file_link_swap(at("l"), "x", &res, pool) == EROFS);
    CHECK(acme_file_dir_make(at("d"), 0700, &res, pool) == EROFS);
    CHECK(acme_file_dir_remove(at("f"), &res, pool) == EROFS);
    CHECK(!strcmp(text_of(at("f")), "old"));
    return 0;
}

static void a_read_only_disk(void **state)
{
    (void)state;
    assert_child(read_only_disk, scratch_dir);
}

static int not_permitted(void *data)
{
    (void)data;
    CHECK(chmod(scratch_dir, 0555) == 0);
    CHECK(geteuid() || setuid(65534) == 0);
    CHECK(write_text(at("f"), "new") == EACCES);
    CHECK(strstr(res.detail, "not permitted"));
    CHECK(acme_file_dir_make(at("d"), 0700, &res, pool) == EACCES);
    CHECK(!strcmp(text_of(at("f")), "old"));
    return 0;
}

static void a_read_only_folder(void **state)
{
    (void)state;
    assert_int_equal(acme_file_write(at("f"), "old", 3, 0644, &res,
                                     pool), 0);
    assert_int_equal(in_child(not_permitted, NULL), 0);
    chmod(scratch_dir, 0700);
}

static void reads_only_regular_files_within_bounds(void **state)
{
    const char *data;
    apr_size_t len;

    (void)state;
    put(at("f"), "12345");
    mkdir(at("dir"), 0755);
    assert_int_equal(symlink("f", at("link")), 0);
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
#define READ(name, max) \
    acme_file_read(&data, &len, at(name), max, &res, pool)
    assert_int_equal(READ("f", 5), 0);
    assert_int_equal(len, 5);
    assert_string_equal(data, "12345");
    assert_int_equal(READ("f", 4), APR_EGENERAL);
    assert_null(data);
    assert_int_equal(len, 0);
    assert_int_equal(READ("dir", 10), APR_EGENERAL);
    assert_int_equal(READ("link", 10), APR_EGENERAL);
    assert_int_equal(READ("fifo", 10), APR_EGENERAL);
    assert_non_null(strstr(res.detail, "not a regular file"));
    assert_int_equal(READ("none", 10), ENOENT);
    assert_int_equal(READ("f/none", 10), ENOTDIR);
    put(at("f"), "");
    assert_int_equal(READ("f", 0), 0);
    assert_string_equal(data, "");
}

static apr_status_t is_wiped(void *data)
{
    const char *secret = *(const char **)data;

    assert_memory_equal(secret, "\0\0\0\0\0\0", 6);
    return APR_SUCCESS;
}

/* Cleanups run last in, first out: ours was there before the secret's. */
static void a_secret_is_wiped_with_its_pool(void **state)
{
    static const char *data;
    apr_size_t len;
    apr_pool_t *p;

    (void)state;
    put(at("f"), "secret");
    apr_pool_create(&p, pool);
    apr_pool_cleanup_register(p, &data, is_wiped, apr_pool_cleanup_null);
    assert_int_equal(acme_file_read_secret(&data, &len, at("f"), 10, &res, p),
                     0);
    assert_string_equal(data, "secret");
    assert_int_equal(acme_file_read_secret(&data, &len, at("f"), 10, &res, p),
                     0);
    apr_pool_destroy(p);
}

static void dir_make_wants_a_folder_of_ours(void **state)
{
    (void)state;
#define MAKE(name) acme_file_dir_make(at(name), 0700, &res, pool)
    mkdir(at("wide"), 0755);
    assert_int_equal(MAKE("wide"), 0);
    assert_int_equal(mode_of(at("wide")), 0700);
    put(at("file"), "x");
    assert_int_equal(MAKE("file"), ENOTDIR);
    assert_int_equal(symlink("wide", at("link")), 0);
    assert_int_equal(MAKE("link"), ENOTDIR);
    assert_int_equal(MAKE("none/below"), ENOENT);
    if (geteuid() == 0) {
        assert_int_equal(chown(at("wide"), 65534, 65534), 0);
        assert_int_equal(MAKE("wide"), EPERM);
        assert_non_null(strstr(res.detail, "belongs to uid 65534"));
    }
}

static void dir_remove_follows_no_link(void **state)
{
    (void)state;
    mkdir(at("keep"), 0755);
    put(at("keep/x"), "x");
    mkdir(at("go"), 0755);
    mkdir(at("go/below"), 0755);
    put(at("go/below/x"), "x");
    assert_int_equal(symlink(at("keep"), at("go/link")), 0);
    assert_int_equal(acme_file_dir_remove(at("go"), &res, pool), 0);
    assert_int_equal(mode_of(at("go")), -1);
    assert_int_equal(symlink("keep", at("link")), 0);
    assert_int_equal(acme_file_dir_remove(at("link"), &res, pool), 0);
    assert_int_equal(acme_file_dir_remove(at("none"), &res, pool), 0);
    assert_string_equal(text_of(at("keep/x")), "x");
    assert_int_equal(count(scratch_dir), 1);
}

static void dir_remove_is_bounded_in_depth(void **state)
{
    const char *path = "d";
    int i;

    (void)state;
    for (i = 0; i < 20; i++) {
        mkdir(at("%s", path), 0755);
        path = apr_pstrcat(pool, path, "/d", NULL);
    }
    assert_int_equal(acme_file_dir_remove(at("d"), &res, pool), ENAMETOOLONG);
    /* For the teardown, which has the same bound. */
    assert_int_equal(rename(at("d/d/d/d/d/d/d/d"), at("e")), 0);
}

static void link_swap_is_one_step(void **state)
{
    char target[16];
    int step;

    (void)state;
    assert_int_equal(acme_file_link_swap(at("l"), "one", &res, pool), 0);
    put(at(".l.new"), "left from a crash");
    assert_int_equal(acme_file_link_swap(at("l"), "two", &res, pool), 0);
    for (step = 2; step <= 3; step++) {
        scratch_step = step;
        scratch_errno = ENOSPC;
        assert_int_equal(acme_file_link_swap(at("l"), "three", &res, pool),
                         ENOSPC);
    }
    assert_int_equal(readlink(at("l"), target, sizeof(target)), 3);
    assert_memory_equal(target, "two", 3);
    assert_int_equal(count(scratch_dir), 1);
}

static void move_tells_a_failed_sync(void **state)
{
    (void)state;
    put(at("a"), "a");
    mkdir(at("d"), 0755);
    scratch_step = 2;
    scratch_errno = EIO;
    assert_int_equal(acme_file_move(at("a"), at("d/a"), &res, pool),
                     EIO);
    assert_string_equal(text_of(at("d/a")), "a");
    scratch_step = 2;
    scratch_errno = EINVAL;     /* some file systems have no such sync */
    assert_int_equal(acme_file_move(at("d/a"), at("a"), &res, pool),
                     0);
    assert_int_equal(acme_file_move(at("none"), at("b"), &res, pool),
                     ENOENT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SCRATCH_TEST(mode_is_exact_under_any_umask),
        SCRATCH_TEST(replaces_and_leaves_nothing_else),
        SCRATCH_TEST(a_failing_step_keeps_the_old),
        SCRATCH_TEST(what_lies_at_the_temporary_name_goes),
        SCRATCH_TEST(a_link_at_the_path_is_replaced_not_followed),
        SCRATCH_TEST(a_folder_at_the_path_stays),
        SCRATCH_TEST(a_full_disk),
        SCRATCH_TEST(a_read_only_disk),
        SCRATCH_TEST(a_read_only_folder),
        SCRATCH_TEST(reads_only_regular_files_within_bounds),
        SCRATCH_TEST(a_secret_is_wiped_with_its_pool),
        SCRATCH_TEST(dir_make_wants_a_folder_of_ours),
        SCRATCH_TEST(dir_remove_follows_no_link),
        SCRATCH_TEST(dir_remove_is_bounded_in_depth),
        SCRATCH_TEST(link_swap_is_one_step),
        SCRATCH_TEST(move_tells_a_failed_sync),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
