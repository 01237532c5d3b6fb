/*
 * test_archive.c - a certificate goes live whole, or the old one stays.
 *
 * The process is made to fail, and to die, at every step of an installation.
 */
#include <sys/wait.h>
#include <time.h>
#include <utime.h>

#include "acme_file.h"
#include "acme_archive.h"
#include "acme_live_link.h"
#include "open_store.h"

#define ID "www.example.org"
#define FILES 5
#define PART_FILES 4

static apr_status_t install_to(acme_store_t *store, int *pn, const char *text)
{
    acme_archive_part_t part = { "", text, text, "", text };
    acme_archive_t archive = { .meta = "{}" };

    archive.parts = apr_array_make(pool, 1, sizeof(part));
    APR_ARRAY_PUSH(archive.parts, acme_archive_part_t) = part;
    return acme_archive_install(pn, store, ID, &archive, &res, pool);
}

static apr_status_t install(int *pn, const char *text)
{
    return install_to(open_store(), pn, text);
}

/* What a reader gets from live/, when key and certificate match; or NULL. */
static const char *live_text(void)
{
    const char *key = text_of(at("store/live/%s/privkey.pem", ID));
    const char *full = text_of(at("store/live/%s/fullchain.pem", ID));

    if (!key || !full || strcmp(key, full)) {
        return NULL;
    }
    return full;
}

static void installs_and_numbers(void **state)
{
    static const struct {
        const char *name;
        int mode;
    } rows[] = {
        { ".", 0755 },
        { "privkey.pem", 0600 },
        { "cert.pem", 0644 },
        { "chain.pem", 0644 },
        { "fullchain.pem", 0644 },
        { "meta.json", 0644 }
    };
    mode_t before = umask(077);
    char target[128] = "";
    size_t i;
    int n;

    (void)state;
    assert_int_equal(acme_live_link_read(&n, open_store(), ID, &res,
                                         pool), ENOENT);
    assert_int_equal(install(&n, "one"), 0);
    assert_int_equal(n, 1);
    assert_int_equal(install(&n, "two"), 0);
    assert_int_equal(n, 2);
    umask(before);
    assert_string_equal(res.detail, "");
    assert_string_equal(live_text(), "two");
    assert_int_equal(acme_live_link_read(&n, open_store(), ID, &res,
                                         pool), 0);
    assert_int_equal(n, 2);
    assert_true(readlink(at("store/live/%s", ID), target, 127) > 0);
    assert_string_equal(target, "../archive/" ID "/2");
    assert_string_equal(text_of(at("store/live/%s/chain.pem", ID)), "");
    assert_int_equal(count(at("store/archive/%s/2", ID)), FILES);
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (mode_of(at("store/archive/%s/2/%s", ID, rows[i].name))
            != rows[i].mode) {
            fail_msg("%s", rows[i].name);
        }
    }
}

/* The order is forgotten after this. */
static void what_is_live_lasts(void **state)
{
    static const char *const files[] = {
        "privkey.pem", "cert.pem", "chain.pem", "fullchain.pem", "meta.json"
    };
    size_t i;
    int n;

    (void)state;
    assert_int_equal(install(&n, "one"), 0);
    for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
        assert_true(scratch_lasts(at("store/archive/%s/1/%s", ID, files[i])));
    }
    assert_true(scratch_lasts(at("store/archive/%s/1", ID)));
    assert_true(scratch_lasts(at("store/archive/%s", ID)));
    assert_true(scratch_lasts(at("store/live/%s", ID)));
}

static void two_key_types_lie_in_one_folder(void **state)
{
    static const struct {
        const char *name, *text;
        int mode;
    } rows[] = {
        { "privkey.pem", "key 1", 0600 },
        { "cert.pem", "cert 1", 0644 },
        { "chain.pem", "chain 1", 0644 },
        { "fullchain.pem", "full 1", 0644 },
        { "privkey-rsa.pem", "key 2", 0600 },
        { "cert-rsa.pem", "cert 2", 0644 },
        { "chain-rsa.pem", "", 0644 },
        { "fullchain-rsa.pem", "full 2", 0644 },
        { "meta.json", "{}", 0644 }
    };
    acme_archive_part_t first = { "", "key 1", "cert 1", "chain 1", "full 1" };
    acme_archive_part_t second = { "-rsa", "key 2", "cert 2", "", "full 2" };
    acme_archive_t archive = { .meta = "{}" };
    mode_t before = umask(0);
    size_t i;
    int n;

    (void)state;
    archive.parts = apr_array_make(pool, 2, sizeof(first));
    APR_ARRAY_PUSH(archive.parts, acme_archive_part_t) = first;
    APR_ARRAY_PUSH(archive.parts, acme_archive_part_t) = second;
    assert_int_equal(acme_archive_install(&n, open_store(), ID, &archive,
                                          &res, pool), 0);
    umask(before);
    assert_int_equal(count(at("store/live/%s/", ID)), FILES + PART_FILES);
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *path = at("store/live/%s/%s", ID, rows[i].name);
        const char *text = text_of(path);

        if (!text || strcmp(text, rows[i].text)
            || mode_of(path) != rows[i].mode) {
            fail_msg("%s: %s", rows[i].name, text ? text : "none");
        }
    }
}

static int install_new(void *data)
{
    int n;

    (void)data;
    return install(&n, "new") == APR_SUCCESS ? 0 : 1;
}

/* Everything with a number is whole, and nothing is there but numbers. */
static void assert_only_whole(int most)
{
    int all = count(at("store/archive/%s", ID));
    int i, found = 0;

    for (i = 1; i <= most; i++) {
        int files = count(at("store/archive/%s/%d", ID, i));

        assert_true(files == -1 || files == FILES);
        found += files == FILES;
    }
    assert_int_equal(all == -1 ? 0 : all, found);
}

static void dies_at_any_step(void **state)
{
    int code = CHILD_DIED;
    const char *live;
    int step;
    int n;

    (void)state;
    assert_int_equal(install(&n, "old"), 0);
    for (step = 1; code == CHILD_DIED; step++) {
        scratch_step = step;
        scratch_errno = 0;
        code = in_child(install_new, NULL);
        scratch_step = 0;
        live = live_text();
        assert_non_null(live);
        assert_true(!strcmp(live, "old") || !strcmp(live, "new"));
        assert_int_equal(install(&n, "old"), 0);
        assert_string_equal(live_text(), "old");
        assert_only_whole(2 * step + 1);
        assert_int_equal(count(at("store/live")), 1);
        assert_int_equal(count(at("store/aside")), 0);
    }
    assert_int_equal(code, 0);
    assert_true(step > 15);
}

static void dies_without_syncfs(void **state)
{
    scratch_no_syncfs = 1;
    scratch_counts_files = 1;
    dies_at_any_step(state);
}

static void lasts_without_syncfs(void **state)
{
    scratch_no_syncfs = 1;
    what_is_live_lasts(state);
}

/* The first one of all has nothing to fall back to, but leaves no half. */
static void fails_at_any_step(void **state)
{
    static const int errors[] = { ENOSPC, EROFS, EIO };
    acme_store_t *store = open_store();
    apr_status_t rv;
    int step;
    int n;

    (void)state;
    scratch_counts_files = 1;
    for (step = 1; scratch_step == 0; step++) {
        scratch_step = step;
        scratch_errno = errors[step % 3];
        rv = install_to(store, &n, "one");
        assert_true(rv == APR_SUCCESS || rv == errors[step % 3]);
        assert_true(rv != APR_SUCCESS || n > 0);
        assert_only_whole(step);
        assert_true(count(at("store/live")) <= 1);
    }
    assert_string_equal(live_text(), "one");
    assert_true(step > 15);
}

static void fails_without_syncfs(void **state)
{
    scratch_no_syncfs = 1;
    fails_at_any_step(state);
}

static apr_status_t add_to(acme_store_t *store, int *pn, const char *text)
{
    acme_archive_part_t part = { "", text, text, "", text };
    acme_archive_t archive = { .meta = "{}",
                               .made = apr_time_from_sec(1000000) };

    archive.parts = apr_array_make(pool, 1, sizeof(part));
    APR_ARRAY_PUSH(archive.parts, acme_archive_part_t) = part;
    return acme_archive_add(pn, store, ID, &archive, &res, pool);
}

static int add_new(void *data)
{
    int n;

    return add_to(data, &n, "new") == APR_SUCCESS ? 0 : 1;
}

static void what_is_there_is_not_added(void **state)
{
    acme_store_t *store = open_store();
    struct stat st;
    int n;

    (void)state;
    assert_int_equal(add_to(store, &n, "one"), 0);
    assert_int_equal(n, 1);
    assert_string_equal(live_text(), "one");
    assert_int_equal(mode_of(at("store/archive/%s", ID)), 0755);
    assert_int_equal(mode_of(at("store/live/%s/privkey.pem", ID)), 0600);
    assert_int_equal(stat(at("store/live/%s/fullchain.pem", ID), &st), 0);
    assert_int_equal(st.st_mtime, 1000000);
    assert_int_equal(count(at("store/archive")), 1);

    assert_int_equal(add_to(store, &n, "two"), APR_EEXIST);
    assert_int_equal(n, 0);
    assert_string_equal(live_text(), "one");
    assert_int_equal(install(&n, "two"), 0);
    assert_int_equal(n, 2);

    /* The keeper has made the folder, and not begun to fill it. */
    assert_int_equal(unlink(at("store/live/%s", ID)), 0);
    assert_int_equal(acme_file_dir_remove(at("store/archive/%s", ID), &res,
                                          pool), 0);
    put(at("store/live/%s", ID), "");
    assert_int_equal(add_to(store, &n, "two"), APR_EEXIST);
    assert_int_equal(count(at("store/archive/%s", ID)), -1);
}

/* Nothing of what is half there has a number, or is in anybody's way. */
static void what_is_added_is_there_or_not(void **state)
{
    int code = CHILD_DIED;
    acme_store_t *store = open_store();
    int step, how;

    (void)state;
    for (step = 1; code != 0; step++) {
        for (how = 0; how < 2; how++) {
            scratch_step = step;
            scratch_errno = how ? 0 : ENOSPC;
            code = in_child(add_new, store);
            scratch_step = 0;
            assert_only_whole(1);
            assert_true(!live_text() || !strcmp(live_text(), "new"));
            assert_true(code == 0 || step < 100);
            (void)unlink(at("store/live/%s", ID));
            assert_int_equal(acme_file_dir_remove(at("store/archive/%s", ID),
                                                  &res, pool), 0);
        }
    }
    assert_true(step > 8);
}

static void the_old_stays_live_when_the_link_fails(void **state)
{
    int kept = 0;
    int step;
    int n;

    (void)state;
    for (step = 1; kept < 2; step++) {
        acme_store_t *store = open_store();

        assert_int_equal(install(&n, "old"), 0);
        scratch_step = step;
        scratch_errno = ENOSPC;
        if (install_to(store, &n, "new") == APR_SUCCESS) {
            continue;           /* what failed was of no matter */
        }
        assert_int_equal(scratch_step, 0);
        assert_int_equal(n, 0);
        assert_string_equal(live_text(), "old");
        if (strstr(res.detail, "; the new certificate is in ")) {
            kept++;             /* at symlink(), and at rename() */
            assert_string_equal(
                text_of(apr_pstrcat(pool,
                                    strstr(res.detail, " is in ") + 7,
                                    "/privkey.pem", NULL)), "new");
        }
    }
}

static int full_disk(void *data)
{
    char *big = malloc(200 * 1024);
    acme_store_t *store;
    int n;

    (void)data;
    memset(big, 'x', 200 * 1024 - 1);
    big[200 * 1024 - 1] = '\0';
    if (!mount_small(scratch_dir, "size=300k,mode=755")) {
        free(big);
        return CHILD_SKIP;
    }
    store = open_store();
    CHECK(install_to(store, &n, "old") == 0);
    CHECK(install_to(store, &n, big) == ENOSPC);
    free(big);
    CHECK(strstr(res.detail, "the file system is full"));
    CHECK(!strcmp(live_text(), "old"));
    CHECK(count(at("store/archive/%s", ID)) == 1);
    CHECK(install_to(store, &n, "new") == 0);
    CHECK(n == 2);
    CHECK(mount_read_only(scratch_dir));
    CHECK(install_to(store, &n, "newer") == EROFS);
    CHECK(strstr(res.detail, "read-only"));
    CHECK(!strcmp(live_text(), "new"));
    return 0;
}

static void a_full_disk(void **state)
{
    (void)state;
    assert_child(full_disk, NULL);
}

static void foreign_files_do_not_matter(void **state)
{
    static const char *const names[] = {
        "README", "007", "7a", "-3", "1e3", "99999999999999999999", "0",
        "2.bak", " 9"
    };
    size_t i;
    int n;

    (void)state;
    assert_int_equal(install(&n, "one"), 0);
    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        put(at("store/archive/%s/%s", ID, names[i]), "x");
        put(at("store/live/%s", names[i]), "x");
    }
    put(at("store/archive/%s/5", ID), "a file with a number");
    assert_int_equal(install(&n, "two"), 0);
    assert_int_equal(n, 6);
    assert_string_equal(live_text(), "two");
    put(at("store/archive/%s/.new", ID), "a file in place of a folder");
    assert_int_equal(install(&n, "three"), 0);
    assert_int_equal(n, 7);
}

static void a_half_folder_of_a_crash_goes(void **state)
{
    int n;

    (void)state;
    assert_int_equal(install(&n, "one"), 0);
    mkdir(at("store/archive/%s/.new", ID), 0700);
    put(at("store/archive/%s/.new/privkey.pem", ID), "half");
    put(at("store/archive/%s/.new/.cert.pem.new", ID), "half");
    assert_int_equal(symlink("x", at("store/live/.%s.new", ID)), 0);
    assert_int_equal(install(&n, "two"), 0);
    assert_int_equal(n, 2);
    assert_only_whole(2);
    assert_int_equal(count(at("store/live")), 1);
}

static void a_file_in_place_of_the_archive_is_set_aside(void **state)
{
    int n;

    (void)state;
    open_store();
    put(at("store/archive/%s", ID), "x");
    assert_int_equal(install(&n, "one"), 0);
    assert_non_null(strstr(res.detail, "set aside as "));
    assert_string_equal(live_text(), "one");
}

/* As a copy of the store that followed links leaves it. */
static void make_live_folder(void)
{
    open_store();
    mkdir(at("store/live/%s", ID), 0755);
    put(at("store/live/%s/privkey.pem", ID), "copied");
    put(at("store/live/%s/fullchain.pem", ID), "copied");
}

static void a_folder_in_live_is_set_aside_and_named(void **state)
{
    int n;

    (void)state;
    make_live_folder();
    assert_int_equal(acme_live_link_read(&n, open_store(), ID, &res,
                                         pool), APR_EGENERAL);
    assert_int_equal(install(&n, "one"), 0);
    assert_non_null(strstr(res.detail, "was not a symbolic link; set aside"));
    assert_string_equal(live_text(), "one");
    assert_int_equal(count(at("store/aside")), 1);
}

static void a_folder_in_live_comes_back_after_a_failure(void **state)
{
    acme_store_t *store;
    apr_status_t rv;
    int step;
    int left;
    int n;

    (void)state;
    for (step = 1, left = 0; left == 0; step++) {
        make_live_folder();
        store = open_store();
        scratch_step = step;
        scratch_errno = ENOSPC;
        rv = install_to(store, &n, "one");
        left = scratch_step;
        scratch_step = 0;
        if (rv != APR_SUCCESS && strstr(res.detail, "symbolic link")) {
            assert_string_equal(live_text(), "copied");
        }
        acme_file_dir_remove(at("store/live/%s", ID), &res, pool);
    }
}

static void it_comes_back_without_syncfs(void **state)
{
    scratch_no_syncfs = 1;
    a_folder_in_live_comes_back_after_a_failure(state);
}

static void live_believes_no_other_link(void **state)
{
    static const char *const targets[] = {
        "../archive/other.org/1", "../archive/" ID "/", "../archive/" ID "/x",
        "../archive/" ID "/1/", "../archive/" ID "/../../x", "/etc",
        "../archive/" ID "/0", "..", "../archive/" ID "/01", "a\nb\x1b[0m"
    };
    size_t i;
    int n;

    (void)state;
    for (i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
        open_store();
        assert_int_equal(symlink(targets[i], at("store/live/%s", ID)), 0);
        if (acme_live_link_read(&n, open_store(), ID, &res, pool)
            != APR_EGENERAL || n != 0 || strpbrk(res.detail, "\n\x1b")) {
            fail_msg("%s", targets[i]);
        }
        /* What is live may be any of them: nothing goes. */
        assert_int_equal(acme_archive_prune(open_store(), ID, 0, apr_time_now(),
                                            &res, pool),
                         APR_EGENERAL);
        assert_int_equal(install(&n, "one"), 0);
        assert_string_equal(live_text(), "one");
        assert_int_equal(unlink(at("store/live/%s", ID)), 0);
    }
}

static void set_age(int n, int days)
{
    struct utimbuf times;

    times.actime = times.modtime = time(NULL) - days * 86400L;
    assert_int_equal(utime(at("store/archive/%s/%d", ID, n), &times), 0);
}

static void prune_keeps_live_new_and_young(void **state)
{
    static const char present[] = { 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1 };
    int i, n;

    (void)state;
    for (i = 1; i <= 11; i++) {
        assert_int_equal(install(&n, "x"), 0);
        set_age(i, 31);
    }
    set_age(4, 29);
    set_age(7, 400);            /* among the newest five */
    assert_int_equal(acme_file_link_swap(at("store/live/%s", ID),
                                         "../archive/" ID "/2", &res, pool),
                     0);
    put(at("store/archive/%s/README", ID), "stays");
    assert_int_equal(acme_archive_prune(open_store(), ID, 0, apr_time_now(),
                                        &res, pool), 0);
    for (i = 1; i <= 11; i++) {
        if ((mode_of(at("store/archive/%s/%d", ID, i)) != -1) != present[i]) {
            fail_msg("archive %d", i);
        }
    }
    assert_int_equal(count(at("store/archive/%s", ID)), 8);
    assert_string_equal(live_text(), "x");
}

/* Even of young ones there are not more and more. */
static void prune_bounds_the_young(void **state)
{
    int i, n, kept = 0;

    (void)state;
    for (i = 1; i <= 80; i++) {
        assert_int_equal(install(&n, "x"), 0);
        if (i == 3) {
            set_age(3, 400);
        }
    }
    assert_int_equal(acme_file_link_swap(at("store/live/%s", ID),
                                         "../archive/" ID "/2", &res, pool),
                     0);
    assert_int_equal(acme_archive_prune(open_store(), ID, 3, apr_time_now(),
                                        &res, pool), 0);
    for (i = 1; i <= 80; i++) {
        const int is_there = mode_of(at("store/archive/%s/%d", ID, i)) != -1;

        assert_int_equal(is_there, i == 2 || i == 3
                                   || i > 80 - ACME_ARCHIVE_KEEP_MOST);
        kept += is_there;
    }
    assert_int_equal(kept, ACME_ARCHIVE_KEEP_MOST + 2);
    assert_string_equal(live_text(), "x");
}

/* The ages are set some time after it was asked what time it is. */
static void assert_about(apr_time_t made, apr_time_t wanted)
{
    assert_true(made >= wanted && made < wanted + apr_time_from_sec(3600));
}

static void the_nth_newest_has_a_time(void **state)
{
    const apr_time_t now = apr_time_from_sec(time(NULL));
    int i, n;

    (void)state;
    assert_int_equal(acme_archive_made_at(open_store(), ID, 1, now, pool), 0);
    for (i = 1; i <= 4; i++) {
        assert_int_equal(install(&n, "x"), 0);
        set_age(i, 10 - i);
    }
    set_age(3, -400);           /* the clock was wrong */
    assert_about(acme_archive_made_at(open_store(), ID, 1, now, pool),
                 now - apr_time_from_sec(6 * 86400));
    assert_about(acme_archive_made_at(open_store(), ID, 2, now, pool),
                 now - apr_time_from_sec(8 * 86400));
    assert_int_equal(acme_archive_made_at(open_store(), ID, 4, now, pool), 0);
}

static void prune_of_nothing(void **state)
{
    (void)state;
    assert_int_equal(acme_archive_prune(open_store(), ID, 0, apr_time_now(),
                                        &res, pool), 0);
}

/* A reader who opens key and certificate by live/ never sees a gap. */
static int read_live(void *data)
{
    int i;

    (void)data;
    for (i = 0; i < 3000; i++) {
        CHECK(text_of(at("store/live/%s/fullchain.pem", ID)));
        apr_pool_clear(pool);
    }
    return 0;
}

static void readers_see_no_gap(void **state)
{
    acme_store_t *store = open_store();
    int status;
    pid_t pid;
    int n;

    (void)state;
    assert_int_equal(install_to(store, &n, "one"), 0);
    pid = fork();
    if (pid == 0) {
        _exit(read_live(NULL));
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        assert_int_equal(install_to(store, &n, "two"), 0);
    }
    assert_int_equal(status, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SCRATCH_TEST(installs_and_numbers),
        SCRATCH_TEST(what_is_live_lasts),
        SCRATCH_TEST(two_key_types_lie_in_one_folder),
        SCRATCH_TEST(dies_at_any_step),
        SCRATCH_TEST(dies_without_syncfs),
        SCRATCH_TEST(lasts_without_syncfs),
        SCRATCH_TEST(fails_at_any_step),
        SCRATCH_TEST(fails_without_syncfs),
        SCRATCH_TEST(what_is_there_is_not_added),
        SCRATCH_TEST(what_is_added_is_there_or_not),
        SCRATCH_TEST(the_old_stays_live_when_the_link_fails),
        SCRATCH_TEST(a_full_disk),
        SCRATCH_TEST(foreign_files_do_not_matter),
        SCRATCH_TEST(a_half_folder_of_a_crash_goes),
        SCRATCH_TEST(a_file_in_place_of_the_archive_is_set_aside),
        SCRATCH_TEST(a_folder_in_live_is_set_aside_and_named),
        SCRATCH_TEST(a_folder_in_live_comes_back_after_a_failure),
        SCRATCH_TEST(it_comes_back_without_syncfs),
        SCRATCH_TEST(live_believes_no_other_link),
        SCRATCH_TEST(prune_keeps_live_new_and_young),
        SCRATCH_TEST(prune_bounds_the_young),
        SCRATCH_TEST(the_nth_newest_has_a_time),
        SCRATCH_TEST(prune_of_nothing),
        SCRATCH_TEST(readers_see_no_gap),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
