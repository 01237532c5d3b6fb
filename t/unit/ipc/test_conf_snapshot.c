/*
 * test_conf_snapshot.c - an administrator's unfinished edit is seen; what is no
 * edit is not taken for one.
 */
#include <sys/time.h>

#include "acme_conf_snapshot.h"
#include "scratch.h"

#define TICK 20000              /* microseconds: longer than a file's clock */

static apr_array_header_t *files;       /* that httpd read */
static apr_array_header_t *now;         /* that it would read now */
static acme_conf_snapshot_t *baseline;

static void add(apr_array_header_t *list, const char *path)
{
    APR_ARRAY_PUSH(list, const char *) = path;
}

/* httpd read main.conf and site.conf; empty.conf has no directives. */
static int setup(void **state)
{
    int rc = scratch_setup(state);

    put(at("main.conf"), "Listen 80\n");
    put(at("site.conf"), "ServerName a.example\n");
    put(at("empty.conf"), "# nothing\n");
    put(at("old.conf"), "Listen 81\n");
    files = apr_array_make(pool, 4, sizeof(const char *));
    add(files, at("main.conf"));
    add(files, at("site.conf"));
    now = apr_array_copy(pool, files);
    usleep(TICK);
    baseline = acme_conf_snapshot_make(files, apr_time_now(), pool);
    usleep(TICK);
    return rc;
}

static void nothing(void)
{
}

static void edit(void)
{
    put(at("site.conf"), "ServerName b.example\n");
}

/* Of the same length, and by its times never written since. */
static void edit_in_secret(void)
{
    static const struct timeval times[2] = { { 1000, 0 }, { 1000, 0 } };

    edit();
    utimes(at("site.conf"), times);
}

static void edit_and_undo(void)
{
    edit();
    put(at("site.conf"), "ServerName a.example\n");
}

static void touch(void)
{
    utimes(at("site.conf"), NULL);
}

static void truncate_it(void)
{
    put(at("site.conf"), "");
}

static void remove_it(void)
{
    unlink(at("site.conf"));
}

static void replace_by_an_equal_one(void)
{
    put(at("new.conf"), "ServerName a.example\n");
    rename(at("new.conf"), at("site.conf"));
}

static void replace_by_a_folder(void)
{
    unlink(at("site.conf"));
    mkdir(at("site.conf"), 0755);
}

static void add_a_new_one(void)
{
    put(at("new.conf"), "Listen 82\n");
    add(now, at("new.conf"));
}

/* It was not listed, for it has no directives; it is no news. */
static void list_an_old_one(void)
{
    add(now, at("empty.conf"));
}

static void edit_what_was_not_listed(void)
{
    put(at("empty.conf"), "Listen 83\n");
    add(now, at("empty.conf"));
}

/* An old file under a new name, as mv and a2ensite do it */
static void rename_into_place(void)
{
    rename(at("old.conf"), at("renamed.conf"));
    add(now, at("renamed.conf"));
}

static void link_into_place(void)
{
    assert_int_equal(symlink("old.conf", at("linked.conf")), 0);
    add(now, at("linked.conf"));
}

static void leave_one_out(void)
{
    apr_array_pop(now);
}

static void list_twice(void)
{
    add(now, at("main.conf"));
    add(now, at("site.conf"));
}

static const struct {
    const char *name;
    void (*change)(void);
    const char *changed;        /* the file; NULL: none */
    const char *changed_before; /* the same without a list of files now */
} rows[] = {
    { "nothing", nothing, NULL, NULL },
    { "an edit", edit, "site.conf", "site.conf" },
    { "an edit with old times", edit_in_secret, "site.conf", "site.conf" },
    { "an edit that was undone", edit_and_undo, NULL, NULL },
    { "a touch", touch, NULL, NULL },
    { "an emptied file", truncate_it, "site.conf", "site.conf" },
    { "a file that is gone", remove_it, "site.conf", "site.conf" },
    { "an equal file in its place", replace_by_an_equal_one, NULL, NULL },
    { "a folder in its place", replace_by_a_folder, "site.conf",
      "site.conf" },
    { "a new file", add_a_new_one, "new.conf", NULL },
    { "an old file without directives", list_an_old_one, NULL, NULL },
    { "that one with directives", edit_what_was_not_listed, "empty.conf",
      NULL },
    { "a file renamed into place", rename_into_place, "renamed.conf", NULL },
    { "a link made in place", link_into_place, "linked.conf", NULL },
    { "a file that is read no more", leave_one_out, "site.conf", NULL },
    { "a file read twice", list_twice, NULL, NULL }
};

static void expect(const char *name, const apr_array_header_t *files_now,
                   const char *file)
{
    const char *path = acme_conf_snapshot_changed(baseline, files_now, pool);

    if (path ? !file || strcmp(path, at("%s", file)) : file != NULL) {
        fail_msg("%s: %s instead of %s", name, path ? path : "none",
                 file ? file : "none");
    }
}

static void changes_are_seen(void **state)
{
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        if (i > 0) {
            scratch_teardown(state);
            setup(state);
        }
        rows[i].change();
        expect(rows[i].name, now, rows[i].changed);
        expect(rows[i].name, NULL, rows[i].changed_before);
    }
}

/* What httpd read can't be known: it may have been half of it. */
static void written_after_it_was_read_counts_as_changed(void **state)
{
    (void)state;
    baseline = acme_conf_snapshot_make(files, apr_time_now(), pool);
    expect("written before", NULL, NULL);
    baseline = acme_conf_snapshot_make(
        files, apr_time_now() - apr_time_from_sec(60), pool);
    expect("written after", NULL, "main.conf");
}

static void not_there_when_it_was_read_counts_as_changed(void **state)
{
    (void)state;
    add(files, at("later.conf"));
    baseline = acme_conf_snapshot_make(files, apr_time_now(), pool);
    expect("not there", NULL, "later.conf");
    put(at("later.conf"), "");
    expect("there now", NULL, "later.conf");
}

static void of_no_files_nothing_changes(void **state)
{
    (void)state;
    apr_array_clear(files);
    baseline = acme_conf_snapshot_make(files, apr_time_now(), pool);
    expect("none", NULL, NULL);
    expect("none and none", files, NULL);
}

/* It is the keeper's: what the caller does to its list is no matter. */
static void the_list_is_a_copy(void **state)
{
    (void)state;
    add(files, at("none.conf"));
    expect("an addition", NULL, NULL);
    apr_array_clear(files);
    edit();
    expect("emptied", NULL, "site.conf");
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(changes_are_seen),
        TEST(written_after_it_was_read_counts_as_changed),
        TEST(not_there_when_it_was_read_counts_as_changed),
        TEST(of_no_files_nothing_changes),
        TEST(the_list_is_a_copy)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
