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

/* mod_macro gives each server its name in memory of the load's. */
static server_rec *add_server(server_rec *next, const char *file)
{
    server_rec *s = stubs_server("www.example.org", pool);
    acme_server_found_t *found = apr_pcalloc(pool, sizeof(*found));

    found->conf = apr_pcalloc(pool, sizeof(*found->conf));
    found->certs = apr_array_make(pool, 1, sizeof(int));
    APR_ARRAY_PUSH(found->certs, int) = 0;
    ap_set_module_config(s->module_config, &acme_module, found);
    s->defn_name = file;
    s->next = next;
    return s;
}

static void names_of_files_outlive_the_load(void **unused)
{
    char other[] = "other.conf", first[] = "macro 'X'", second[] = "macro 'X'";
    acme_page_view_t view = { .conf = make_conf() };
    server_rec *s = add_server(add_server(add_server(NULL, other), first),
                               second);
    const acme_page_vhost_t *rows;

    (void)unused;
    read_vhosts(&view, s, pool);
    memset(other, '?', sizeof(other) - 1);
    memset(first, '?', sizeof(first) - 1);
    memset(second, '?', sizeof(second) - 1);
    assert_int_equal(view.vhosts[0]->nelts, 3);
    rows = (const void *)view.vhosts[0]->elts;
    assert_string_equal(rows[0].file, "other.conf");
    assert_string_equal(rows[1].file, "macro 'X'");
    assert_ptr_equal(rows[1].file, rows[2].file);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(ours_however_it_is_written),
        TEST(without_a_store_nothing_is_ours),
        TEST(names_of_files_outlive_the_load)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
