/*
 * test_page_load.c - which files of SSLCertificateFile are managed.
 *
 * The source is a part of this program.
 */
#include <unistd.h>

#include "acme_page_load.c"
#include "httpd_stubs.h"
#include "make_conf.h"

static void write_file(const char *path)
{
    apr_file_t *file;

    assert_int_equal(apr_dir_make_recursive(
        apr_pstrndup(pool, path, (apr_size_t)(strrchr(path, '/') - path)),
        APR_FPROT_OS_DEFAULT, pool), 0);
    assert_int_equal(apr_file_open(&file, path, APR_FOPEN_CREATE
                                   | APR_FOPEN_WRITE, APR_FPROT_OS_DEFAULT,
                                   pool), 0);
    apr_file_close(file);
}

static const char *in_scratch(const char *path)
{
    return apr_pstrcat(pool, scratch_dir, path, NULL);
}

/* a.example is installed, b.example is not; c.example is not managed. */
static void make_store(void)
{
    write_file(in_scratch("/acme/archive/a.example/3/fullchain.pem"));
    write_file(in_scratch("/acme/archive/c.example/1/fullchain.pem"));
    write_file(in_scratch("/acme/live/readme"));
    write_file(in_scratch("/other/live/a.example/fullchain.pem"));
    assert_int_equal(symlink("../archive/a.example/3",
                             in_scratch("/acme/live/a.example")), 0);
    assert_int_equal(symlink("../archive/c.example/1",
                             in_scratch("/acme/live/c.example")), 0);
    assert_int_equal(symlink("acme", in_scratch("/link")), 0);
    assert_int_equal(symlink(in_scratch("/acme/live/a.example/fullchain.pem"),
                             in_scratch("/site.pem")), 0);
}

static void ours_however_it_is_written(void **unused)
{
    static const struct {
        const char *path;
        int is_ours;
    } rows[] = {
        { "/acme/live/a.example/fullchain.pem", 1 },
        { "/acme//live//a.example/fullchain.pem", 1 },
        { "/acme/./live/a.example/fullchain.pem", 1 },
        { "/link/live/a.example/fullchain.pem", 1 },
        { "/acme/archive/a.example/3/fullchain.pem", 1 },
        { "/site.pem", 1 },
        { "/acme/live/b.example/fullchain.pem", 1 },
        { "/link//live//b.example/fullchain.pem", 1 },
        { "/acme/live/c.example/fullchain.pem", 0 },
        { "/acme/live/d.example/fullchain.pem", 0 },
        { "/acme/live/b.example", 0 },
        { "/other/live/a.example/fullchain.pem", 0 },
        { "/other/live/b.example/fullchain.pem", 0 },
        { "/acme/live/readme", 0 },
        { "/nowhere.pem", 0 },
        { "/live/b.example/fullchain.pem", 0 }
    };
    static const char *const dirs[] = { "/acme", "/acme/", "/link", "/link/",
                                        "/acme/../acme//" };
    acme_conf_t *conf = make_conf();
    size_t i, k;

    (void)unused;
    stubs_reset(scratch_dir);
    make_store();
    for (k = 0; k < COUNT(dirs); k++) {
        managed_t managed;

        conf->state_dir = in_scratch(dirs[k]);
        managed = managed_of(conf, pool);
        for (i = 0; i < COUNT(rows); i++) {
            if (is_ours(in_scratch(rows[i].path), &managed, pool)
                != rows[i].is_ours) {
                fail_msg("AcmeStateDir %s, %s", dirs[k], rows[i].path);
            }
        }
    }
}

static void without_a_store_nothing_is_ours(void **unused)
{
    acme_conf_t *conf = make_conf();
    managed_t managed;

    (void)unused;
    conf->state_dir = in_scratch("/nowhere");
    managed = managed_of(conf, pool);
    assert_false(is_ours(in_scratch("/nowhere/live/a.example/x"), &managed,
                         pool));
    conf->state_dir = NULL;
    managed = managed_of(conf, pool);
    assert_false(is_ours("/live/a.example/x", &managed, pool));
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(ours_however_it_is_written),
        TEST(without_a_store_nothing_is_ours)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
