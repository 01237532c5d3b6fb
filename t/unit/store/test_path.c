/*
 * test_path.c - folders and links on the way to a store that others may swap.
 */
#include <sys/stat.h>

#include "acme_path.h"
#include "open_store.h"

#define OTHER 65534

static void make(const char *name, mode_t mode, uid_t uid)
{
    assert_int_equal(mkdir(at("%s", name), 0700), 0);
    assert_int_equal(chmod(at("%s", name), mode), 0);
    assert_int_equal(chown(at("%s", name), uid, (gid_t)-1), 0);
}

static void make_link(const char *name, const char *target, uid_t uid)
{
    assert_int_equal(symlink(target, at("%s", name)), 0);
    assert_int_equal(lchown(at("%s", name), uid, (gid_t)-1), 0);
}

static void each_folder_on_the_way_counts(void **state)
{
    static const struct {
        const char *path;
        const char *told;       /* NULL: it is good */
    } rows[] = {
        { "good/store", NULL },
        { "good/missing", NULL },
        { "good/.././good//store/", NULL },
        { "sticky/store", NULL },
        { "group/store", "/group: others can write in it" },
        { "world/store", "/world: others can write in it" },
        { "world/a/store", "/world: others can write in it" },
        { "world/a/b/missing", "/world: others can write in it" },
        { "other/store", "/other: belongs to uid 65534" },

        /* The last one is for those who open it. */
        { "world", NULL },

        { "link/store", NULL },
        { "link-up/store", NULL },
        { "link-last", NULL },
        { "absolute/store", NULL },
        { "link-to-world/store", "/world: others can write in it" },
        { "world/link/store", "/world: others can write in it" },
        { "sticky/link/store", "/sticky/link: this symbolic link belongs" },
        { "loop/store", "too many symbolic links" },
        { "good/none/none", "cannot examine it" }
    };
    size_t i;

    (void)state;
    if (geteuid() != 0) {
        return;                 /* it needs folders of others */
    }
    make("good", 0755, 0);
    make("good/store", 0777, 0);
    make("sticky", 01777, 0);
    make("sticky/store", 0700, 0);
    make("group", 0775, 0);
    make("group/store", 0700, 0);
    make("world", 0757, 0);
    make("world/store", 0700, 0);
    make("world/a", 0700, 0);
    make("world/a/b", 0700, 0);
    make("other", 0755, OTHER);
    make("other/store", 0755, 0);
    make_link("link", "good", 0);
    make_link("link-up", "good/../link", 0);
    make_link("link-last", "good/store", 0);
    make_link("absolute", at("good"), 0);
    make_link("link-to-world", "world/a", 0);
    make_link("world/link", "../good", 0);
    make_link("sticky/link", "../good", OTHER);
    make_link("loop", "loop", 0);

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const apr_status_t rv = acme_path_check(at("%s", rows[i].path), &res,
                                                pool);

        if (!rv != !rows[i].told
            || (rv && !strstr(res.detail, rows[i].told))) {
            fail_msg("%s: %s", rows[i].path, rv ? res.detail : "it is good");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(each_folder_on_the_way_counts)
    };

    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
