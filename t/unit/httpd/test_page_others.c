/*
 * test_page_others.c - what is in files that are not managed is read once, and
 * never believed of files that are others.
 */
#include <string.h>
#include <time.h>

#include <apr_strings.h>

#include "acme_no_x509.h"
#include "acme_page_others.h"
#include "issuer.h"
#include "scratch.h"

#define LATER apr_time_from_sec(10)     /* a load when all files are old */

static const issuer_t *authority;
static apr_pool_t *process;     /* httpd's, over loads */
static acme_page_other_t found;

static int setup(void **state)
{
    const int rv = scratch_setup(state);

    authority = make_issuer("authority");
    apr_pool_create(&process, pool);
    return rv;
}

static const char *make_chain(void)
{
    issue_t what = { .names = "a.example.org", .issuer = authority,
                     .key = acme_key_evp(make_key()), .serial = 1234567 };

    return issue(&what);
}

static const char *path(void)
{
    return at("site.pem");
}

static void load_at(apr_time_t now)
{
    acme_page_others_t *others = acme_page_others_begin(now, process);

    found = acme_page_others_read(others, path(), 0);
    acme_page_others_end(others);
}

static void load(void)
{
    load_at(apr_time_now() + LATER);
}

/* In a process that cannot parse one. */
static int load_without_parsing(void *unused)
{
    (void)unused;
    acme_no_x509_begin();
    load();
    CHECK(!strcmp(found.problem, ""));
    CHECK(found.names->nelts == 1);
    CHECK(!strcmp(found.issuer, "authority"));
    return 0;
}

static void a_file_is_read_once(void **state)
{
    (void)state;
    put(path(), make_chain());
    load();
    assert_string_equal(APR_ARRAY_IDX(found.names, 0, const char *),
                        "a.example.org");
    assert_string_equal(found.problem, "");
    assert_child(load_without_parsing, NULL);
    load();
    assert_string_equal(found.serial, "12d687");
}

static void a_young_file_is_read_again(void **state)
{
    (void)state;
    put(path(), make_chain());
    load_at(apr_time_now());
    assert_int_equal(in_child(load_without_parsing, NULL), 1);
}

/* Of the same size, and written at the same time. */
static void a_file_that_changed_is_read_again(void **state)
{
    struct timespec times[2];
    struct stat before;
    char *text;

    (void)state;
    put(path(), make_chain());
    load();
    assert_int_equal(stat(path(), &before), 0);
    text = apr_pstrdup(pool, text_of(path()));
    memset(text, 'x', strlen(text));
    put(path(), text);
    times[0] = times[1] = before.st_mtim;
    assert_int_equal(utimensat(AT_FDCWD, path(), times, 0), 0);
    load();
    assert_string_equal(found.problem, "The file has no certificate in PEM.");
    assert_int_equal(unlink(path()), 0);
    load();
    assert_non_null(strstr(found.problem, "cannot open"));
    put(path(), make_chain());
    load();
    assert_string_equal(found.problem, "");
}

/* The intermediate certificate is over before the file changes. */
static void a_problem_that_comes_with_time_is_seen(void **state)
{
    (void)state;
    put(path(), make_chain());
    load();
    assert_string_equal(found.problem, "");
    load_at(apr_time_now() + apr_time_from_sec(50 * 365 * DAY));
    assert_non_null(strstr(found.problem, "authority expired"));
    load();                             /* the clock was wrong */
    assert_string_equal(found.problem, "");
}

#define OTHERS_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OTHERS_TEST(a_file_is_read_once),
        OTHERS_TEST(a_young_file_is_read_again),
        OTHERS_TEST(a_file_that_changed_is_read_again),
        OTHERS_TEST(a_problem_that_comes_with_time_is_seen)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
