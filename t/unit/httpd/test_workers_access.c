/*
 * test_workers_access.c - whether httpd's workers can read a file.
 */
#include "scratch.h"

#include <apr_general.h>

#include <httpd.h>
#include <unixd.h>

#include "acme_workers_access.h"

/* Not who owns the scratch folder, and not of its group. */
static acme_workers_access_t user;
static gid_t groups[2];

static int setup(void **state)
{
    const int rc = scratch_setup(state);

    mkdir(at("closed"), 0700);
    put(at("closed/file"), "");
    mkdir(at("open"), 0700);
    put(at("open/file"), "");
    (void)!symlink(at("closed/file"), at("open/link"));
    (void)!symlink(at("open/file"), at("closed/link"));
    user.name = "somebody";
    user.uid = getuid() + 1;
    groups[0] = getgid() + 1;
    groups[1] = getgid() + 2;
    user.groups = groups;
    user.group_count = 2;
    return rc || chmod(scratch_dir, 0755);
}

/* The obstacle's path in the scratch folder; "-": there is none. */
static const char *obstacle(const char *path)
{
    const char *found = acme_workers_access_obstacle(at("%s", path), &user,
                                                     pool);
    const size_t len = strlen(scratch_dir);

    if (!found) {
        return "-";
    }
    assert_memory_equal(found, scratch_dir, len);
    return found + len;
}

static void by_modes(void **state)
{
    static const struct {
        mode_t folder, file;
        const char *other, *member, *owner;
    } rows[] = {
        { 0755, 0644, "-", "-", "-" },
        { 0711, 0604, "-", "/open/file", "-" },
        { 0755, 0600, "/open/file", "/open/file", "-" },
        { 0755, 0640, "/open/file", "-", "-" },
        { 0700, 0644, "/open", "/open", "-" },
        { 0750, 0644, "/open", "-", "-" },
        { 0744, 0644, "/open", "/open", "-" },
        { 0755, 0044, "-", "-", "/open/file" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        chmod(at("open"), 0700);        /* who is not root opens it again */
        chmod(at("open/file"), rows[i].file);
        chmod(at("open"), rows[i].folder);
        assert_string_equal(obstacle("open/file"), rows[i].other);
        groups[1] = getgid();
        assert_string_equal(obstacle("open/file"), rows[i].member);
        user.uid = getuid();
        assert_string_equal(obstacle("open/file"), rows[i].owner);
        user.uid++;
        groups[1] = getgid() + 2;
    }
}

static void by_links(void **state)
{
    (void)state;
    chmod(at("open"), 0755);
    assert_string_equal(obstacle("open/link"), "/closed");
    assert_string_equal(obstacle("closed/link"), "/closed");
    assert_string_equal(obstacle("open/nothing"), "-");
}

static void who_it_is(void **state)
{
    const acme_workers_access_t *workers;

    (void)state;
    ap_unixd_config.user_id = 54321;
    ap_unixd_config.group_id = 54322;
    workers = acme_workers_access_user(pool);
    if (geteuid()) {
        assert_null(workers);           /* the workers are who asks */
        return;
    }
    assert_string_equal(workers->name, "#54321");
    assert_int_equal(workers->uid, 54321);
    assert_int_equal(workers->group_count, 1);
    assert_int_equal(workers->groups[0], 54322);

    ap_unixd_config.chroot_dir = "/srv";
    assert_null(acme_workers_access_user(pool));
    ap_unixd_config.chroot_dir = NULL;
    ap_unixd_config.user_id = (uid_t)-1;
    assert_null(acme_workers_access_user(pool));
    ap_unixd_config.user_id = 0;
    assert_null(acme_workers_access_user(pool));
}

#define ACCESS_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ACCESS_TEST(by_modes),
        ACCESS_TEST(by_links),
        ACCESS_TEST(who_it_is)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
