/*
 * test_webroot.c - tokens are written below a folder, and nowhere else.
 */
#include "acme_webroot.h"
#include "open_registry.h"

#define VALUE "token.0123456789"
#define TOKEN ".well-known/acme-challenge/token"

static const char *root;
static int made;

static int setup(void **state)
{
    int rc = scratch_setup(state);

    umask(022);
    root = at("www");
    assert_int_equal(mkdir(root, 0755), 0);
    assert_int_equal(mkdir(at("elsewhere"), 0755), 0);
    return rc;
}

static apr_status_t present(void)
{
    acme_result_clear(&res);
    return acme_webroot_present(&made, root, "token", VALUE, &res);
}

static apr_status_t cleanup(int folders)
{
    acme_result_clear(&res);
    return acme_webroot_cleanup(root, "token", VALUE, folders, &res);
}

static void what_was_made_is_removed(void **state)
{
    (void)state;
    assert_int_equal(present(), 0);
    assert_int_equal(made, 2);
    assert_string_equal(text_of(at("www/" TOKEN)), VALUE);
    assert_int_equal(mode_of(at("www/" TOKEN)), 0644);
    assert_int_equal(mode_of(at("www/.well-known")), 0755);
    assert_int_equal(mode_of(at("www/.well-known/acme-challenge")), 0755);
    assert_int_equal(count(at("www/.well-known/acme-challenge")), 1);
    assert_int_equal(present(), 0);     /* it is there */
    assert_int_equal(made, 0);
    assert_int_equal(cleanup(2), 0);
    assert_int_equal(count(root), 0);
    assert_int_equal(cleanup(2), 0);    /* it is gone */
}

static void what_others_have_there_stays(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("www/.well-known"), 0700), 0);
    assert_int_equal(present(), 0);
    assert_int_equal(made, 1);
    assert_int_equal(mode_of(at("www/.well-known")), 0700);
    assert_int_equal(cleanup(1), 0);
    assert_int_equal(count(at("www/.well-known")), 0);

    assert_int_equal(present(), 0);
    put(at("www/.well-known/security.txt"), "x");
    assert_int_equal(cleanup(2), 0);
    assert_int_equal(count(at("www/.well-known")), 1);

    assert_int_equal(present(), 0);
    put(at("www/" TOKEN), "another");
    assert_int_equal(present(), EEXIST);
    assert_detail("is there already with another content");
    assert_int_equal(cleanup(2), EEXIST);
    assert_string_equal(text_of(at("www/" TOKEN)), "another");
}

/* Each is planted by who can write in the folder. */
static void no_link_leads_elsewhere(void **state)
{
    static const struct {
        const char *link, *target;
    } rows[] = {
        { ".well-known", "../elsewhere" },
        { ".well-known/acme-challenge", "../../elsewhere" },
        { TOKEN, "../../../elsewhere/file" },
        { TOKEN, "../../../elsewhere/none" }
    };
    size_t i;

    (void)state;
    put(at("elsewhere/file"), VALUE);
    for (i = 0; i < COUNT(rows); i++) {
        const char *link = at("www/%s", rows[i].link);

        if (strchr(rows[i].link, '/')) {
            mkdir(at("www/.well-known"), 0755);
        }
        if (!strcmp(rows[i].link, TOKEN)) {
            mkdir(at("www/.well-known/acme-challenge"), 0755);
        }
        assert_int_equal(symlink(rows[i].target, link), 0);
        assert_int_not_equal(present(), 0);
        assert_detail(at("www/"));
        assert_int_not_equal(cleanup(2), 0);
        assert_int_equal(count(at("elsewhere")), 1);
        assert_string_equal(text_of(at("elsewhere/file")), VALUE);
        assert_int_equal(unlink(link), 0);
    }
}

/* A name that is there, which nobody ever reads from. */
static void what_is_no_file_is_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(present(), 0);
    assert_int_equal(unlink(at("www/" TOKEN)), 0);
    assert_int_equal(mkfifo(at("www/" TOKEN), 0666), 0);
    alarm(20);
    assert_int_equal(present(), EEXIST);
    assert_int_equal(cleanup(0), EEXIST);
    alarm(0);
    unlink(at("www/" TOKEN));
    put(at("www/.well-known/acme-challenge/.token.new"), "of a crash");
    assert_int_equal(present(), 0);
    assert_int_equal(cleanup(2), 0);
    assert_int_equal(count(root), 0);
}

static void the_folder_itself_may_be_a_link(void **state)
{
    (void)state;
    assert_int_equal(symlink("www", at("current")), 0);
    root = at("current");
    assert_int_equal(present(), 0);
    assert_string_equal(text_of(at("www/" TOKEN)), VALUE);
    assert_int_equal(cleanup(2), 0);
    assert_int_equal(count(at("www")), 0);
    root = at("none");
    assert_int_equal(present(), ENOENT);
    assert_detail("none: the folder of AcmeHttp webroot cannot be opened");
    assert_int_equal(cleanup(2), ENOENT);       /* perhaps not mounted */
    assert_detail("none: the folder of AcmeHttp webroot cannot be opened");
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_made_is_removed),
        TEST(what_others_have_there_stays),
        TEST(no_link_leads_elsewhere),
        TEST(what_is_no_file_is_not_waited_for),
        TEST(the_folder_itself_may_be_a_link)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
