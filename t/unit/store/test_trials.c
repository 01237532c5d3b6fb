/*
 * test_trials.c - what was tried is not tried again, and never believed of
 * files that are others.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_live_link.h"
#include "acme_no_x509.h"
#include "acme_trials.h"
#include "issuer.h"
#include "open_store.h"

#define ID "www.example.org"
#define NAMES ID " example.org"

#define LATER apr_time_from_sec(10)     /* a load when all files are old */

static const issuer_t *authority;
static apr_pool_t *process;     /* httpd's, over loads */
static const char *const *lists;        /* SSLCipherSuite of this test */

static int setup(void **state)
{
    const int rv = scratch_setup(state);

    authority = make_issuer("authority");
    apr_pool_create(&process, pool);
    lists = NULL;
    return rv;
}

static acme_archive_part_t make_part(void)
{
    acme_archive_part_t part = { .suffix = "", .chain_pem = "" };
    acme_key_t *key = make_key();
    issue_t what = { .names = NAMES, .key = acme_key_evp(key),
                     .issuer = authority };

    assert_int_equal(acme_key_pem(&part.key_pem, key, &res, pool), 0);
    part.cert_pem = part.full_pem = issue(&what);
    return part;
}

static void install(void)
{
    acme_archive_t archive = { .meta = "{}" };
    int n;

    archive.parts = apr_array_make(pool, 1, sizeof(acme_archive_part_t));
    APR_ARRAY_PUSH(archive.parts, acme_archive_part_t) = make_part();
    assert_int_equal(acme_archive_install(&n, open_store(), ID, &archive,
                                          &res, pool), 0);
}

static acme_trials_pair_t pair_of(int n)
{
    apr_array_header_t *ciphers = apr_array_make(pool, 2,
                                                 sizeof(const char *));
    const acme_trials_pair_t pair = { .id = ID, .n = n, .suffix = "",
                                      .ciphers = ciphers };
    int i;

    for (i = 0; lists && lists[i]; i++) {
        APR_ARRAY_PUSH(ciphers, const char *) = lists[i];
    }
    return pair;
}

static const acme_cert_info_t *leaf;

/* A load of httpd that asks for archive 1 only. */
static apr_status_t load_at(apr_time_t now)
{
    const acme_trials_pair_t pair = pair_of(1);
    apr_status_t rv;

    acme_trials_begin(open_store(), now, process);
    rv = acme_trials_check(&leaf, open_store(), &pair, &res, pool);
    acme_trials_end();
    return rv;
}

static apr_status_t load(void)
{
    return load_at(apr_time_now() + LATER);
}

static const acme_cert_info_t *known(void)
{
    const acme_trials_pair_t pair = pair_of(1);

    return acme_trials_known(open_store(), &pair, pool);
}

/* In a process that cannot parse one. */
static int load_without_parsing(void *unused)
{
    (void)unused;
    acme_no_x509_begin();
    CHECK(load() == APR_SUCCESS);
    CHECK(leaf && leaf->names->nelts == 2);
    return 0;
}

static const char *chain_path(void)
{
    return at("store/archive/%s/1/fullchain.pem", ID);
}

static const char *key_path(void)
{
    return at("store/archive/%s/1/privkey.pem", ID);
}

/* The octets of a file are others: its inode, size and time of writing stay. */
static void overwrite(const char *path, const char *text)
{
    struct timespec times[2];
    struct stat before, after;
    int fd;

    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(strlen(text), before.st_size);
    fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    times[0] = times[1] = before.st_mtim;
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

static void a_pair_is_tried_once(void **state)
{
    (void)state;
    install();
    assert_null(known());
    assert_int_equal(load(), 0);
    assert_string_equal(APR_ARRAY_IDX(leaf->names, 1, const char *),
                        "example.org");
    assert_child(load_without_parsing, NULL);
    assert_string_equal(known()->serial, leaf->serial);
    assert_string_equal(known()->issuer, leaf->issuer);
    assert_int_equal(known()->not_after, leaf->not_after);
    assert_int_equal(known()->not_before, leaf->not_before);
    assert_int_equal(!known()->cert_id, !leaf->cert_id);
    assert_int_equal(known()->names->nelts, 2);
}

static void without_a_load_it_is_tried_each_time(void **state)
{
    const acme_trials_pair_t pair = pair_of(1);

    (void)state;
    install();
    assert_int_equal(acme_trials_check(&leaf, open_store(), &pair, &res,
                                       pool), 0);
    assert_non_null(leaf);
    assert_null(known());
}

/* Of two changes in one moment a file system may show the first only. */
static void what_is_younger_than_two_seconds_is_not_believed(void **state)
{
    (void)state;
    install();
    assert_int_equal(load_at(apr_time_now()), 0);
    assert_non_null(leaf);
    assert_null(known());
    assert_int_equal(load_at(apr_time_now() - LATER), 0);   /* clock is set */
    assert_null(known());
}

static void a_key_that_is_replaced_in_place_is_seen(void **state)
{
    const char *text;
    char *other;

    (void)state;
    install();
    assert_int_equal(load(), 0);
    text = text_of(key_path());
    other = apr_pstrdup(pool, make_part().key_pem);
    assert_int_equal(strlen(text), strlen(other));
    overwrite(key_path(), other);
    assert_null(known());
    assert_int_equal(load(), APR_EINVAL);
    assert_non_null(strstr(res.detail, "not the key"));
    assert_null(known());
    overwrite(key_path(), text);
    assert_int_equal(load(), 0);
}

static void garbage_of_the_same_size_is_seen(void **state)
{
    char *text;

    (void)state;
    install();
    assert_int_equal(load(), 0);
    text = apr_pstrdup(pool, text_of(chain_path()));
    memset(text, 'x', strlen(text));
    overwrite(chain_path(), text);
    assert_null(known());
    assert_int_equal(load(), APR_EINVAL);
    assert_null(leaf);
}

static void a_file_that_cannot_be_read_is_seen(void **state)
{
    (void)state;
    install();
    assert_int_equal(load(), 0);
    assert_int_equal(rename(key_path(), at("key")), 0);
    assert_null(known());
    assert_true(APR_STATUS_IS_ENOENT(load()));
    assert_int_equal(mkdir(key_path(), 0700), 0);
    assert_null(known());
    assert_int_not_equal(load(), 0);
    assert_int_equal(rmdir(key_path()), 0);
    assert_int_equal(rename(at("key"), key_path()), 0);
    assert_int_equal(load(), 0);
    assert_non_null(known());
}

static void rights_that_changed_are_seen(void **state)
{
    (void)state;
    install();
    assert_int_equal(load(), 0);
    assert_int_equal(chmod(key_path(), 0), 0);
    assert_null(known());
}

static void another_list_of_ciphers_is_another_trial(void **state)
{
    static const char *const strict[] = { "ALL:@SECLEVEL=5", NULL };
    static const char *const both[] = { "", "ALL:@SECLEVEL=5", NULL };
    static const char *const two[] = { "", "HIGH", NULL };

    (void)state;
    install();
    assert_int_equal(load(), 0);
    lists = strict;
    assert_null(known());
    assert_int_equal(load(), APR_EINVAL);
    lists = both;
    assert_int_equal(load(), APR_EINVAL);
    lists = two;
    assert_int_equal(load(), 0);
    assert_non_null(known());
    lists = NULL;
    assert_null(known());
}

static void only_what_is_asked_for_is_kept(void **state)
{
    (void)state;
    install();
    assert_int_equal(load(), 0);
    acme_trials_begin(open_store(), apr_time_now() + LATER, process);
    acme_trials_end();
    assert_null(known());
}

/* A module that is newer than the running server finds what that kept. */
static void what_another_shape_has_is_not_touched(void **state)
{
    static const char none[512];
    char *before = apr_pcalloc(process, sizeof(none));

    (void)state;
    apr_pool_userdata_set(before, "mod_acme trials 1", NULL, process);
    install();
    assert_int_equal(load(), 0);
    assert_memory_equal(before, none, sizeof(none));
}

/* mod_ssl passes over what is no certificate, and nothing was wrong. */
static void what_loads_has_no_fault(void **state)
{
    FILE *chain;

    (void)state;
    install();
    chain = fopen(chain_path(), "a");
    assert_non_null(chain);
    assert_true(fputs("-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n",
                      chain) > 0);
    assert_int_equal(fclose(chain), 0);
    res.detail[0] = '\0';
    assert_int_equal(load(), 0);
    assert_null(leaf);
    assert_string_equal(res.detail, "");
}

static const char *file(void)
{
    return at("store/run/tried");
}

/* As after a start of the machine: only the file is left. */
static void forget(void)
{
    apr_pool_clear(process);
}

static void the_file_outlives_the_process(void **state)
{
    (void)state;
    install();
    assert_int_equal(load(), 0);
    acme_trials_save(open_store(), pool);
    assert_int_equal(mode_of(file()), 0600);
    forget();
    assert_child(load_without_parsing, NULL);
    assert_int_equal(load(), 0);
    assert_string_equal(known()->serial, leaf->serial);
    assert_string_equal(known()->issuer, "authority");
    assert_int_equal(known()->names->nelts, 2);
    /* It is as it was, so it is not written. */
    assert_int_equal(unlink(file()), 0);
    acme_trials_save(open_store(), pool);
    assert_int_equal(mode_of(file()), -1);
}

/* As the parent does before it forks, and the keeper as it begins. */
static void what_is_in_the_file_is_not_in_memory(void **state)
{
    (void)state;
    install();
    assert_int_equal(load(), 0);
    acme_trials_release();              /* it is in no file */
    assert_non_null(known());
    acme_trials_save(open_store(), pool);
    acme_trials_release();
    assert_null(known());
    acme_trials_recall(open_store());
    assert_non_null(known());
    assert_string_equal(known()->serial, leaf->serial);
    acme_trials_release();
    acme_trials_save(open_store(), pool);       /* not of nothing */
    assert_child(load_without_parsing, NULL);
    assert_int_equal(unlink(file()), 0);
    acme_trials_recall(open_store());
    assert_null(known());
    assert_int_equal(load(), 0);
}

static void the_file_is_of_the_pair_as_it_was(void **state)
{
    (void)state;
    install();
    assert_int_equal(load(), 0);
    acme_trials_save(open_store(), pool);
    forget();
    overwrite(key_path(), make_part().key_pem);
    assert_int_equal(load(), APR_EINVAL);
}

/* Each is passed over, and written anew. */
static void a_damaged_file_costs_time_only(void **state)
{
    static const char *const damages[] = {
        "", "garbage", "mod_acme trials 1\n", "mod_acme trials 1\nend",
        "mod_acme trials 2\nend\n",
        "mod_acme trials 1\nwww.example.org/1\t1\t2\nend\n",
        "mod_acme trials 1\n"
        "a/1\t1\t2\t3\t4\t5\t6\t7\t8\tx\t9\tten\tserial\tid\tissuer\tname\nend\n",
        "mod_acme trials 1\n"
        "a/1\t1\t2\t3\t4\t5\t6\t7\t8\tx\t9\t99999999999999999999999\t"
        "serial\tid\tissuer\tname\nend\n"
    };
    const char *whole;
    size_t i;

    (void)state;
    install();
    assert_int_equal(load(), 0);
    acme_trials_save(open_store(), pool);
    whole = text_of(file());
    for (i = 0; i < strlen(whole); i += strlen(whole) / 7) {
        forget();
        put(file(), apr_pstrmemdup(pool, whole, i));
        assert_int_equal(in_child(load_without_parsing, NULL), 1);
        assert_int_equal(load(), 0);
    }
    for (i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        forget();
        put(file(), damages[i]);
        assert_int_equal(load(), 0);
        assert_non_null(known());
        acme_trials_save(open_store(), pool);
        forget();
        assert_child(load_without_parsing, NULL);
    }
}

/* It depends on OpenSSL, whose release may be another one now. */
static void the_file_of_another_openssl_is_not_believed(void **state)
{
    char *text, *scene;

    (void)state;
    install();
    assert_int_equal(load(), 0);
    acme_trials_save(open_store(), pool);
    forget();
    text = apr_pstrdup(pool, text_of(file()));
    scene = strstr(text, "\t");
    for (int i = 0; i < 8; i++) {
        scene = strstr(scene + 1, "\t");
    }
    scene[1] = scene[1] == 'a' ? 'b' : 'a';
    put(file(), text);
    assert_int_equal(in_child(load_without_parsing, NULL), 1);
    assert_int_equal(load(), 0);
}

#define TRIALS_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIALS_TEST(without_a_load_it_is_tried_each_time),  /* the first */
        TRIALS_TEST(a_pair_is_tried_once),
        TRIALS_TEST(what_is_younger_than_two_seconds_is_not_believed),
        TRIALS_TEST(a_key_that_is_replaced_in_place_is_seen),
        TRIALS_TEST(garbage_of_the_same_size_is_seen),
        TRIALS_TEST(a_file_that_cannot_be_read_is_seen),
        TRIALS_TEST(rights_that_changed_are_seen),
        TRIALS_TEST(another_list_of_ciphers_is_another_trial),
        TRIALS_TEST(only_what_is_asked_for_is_kept),
        TRIALS_TEST(what_another_shape_has_is_not_touched),
        TRIALS_TEST(what_loads_has_no_fault),
        TRIALS_TEST(the_file_outlives_the_process),
    TRIALS_TEST(what_is_in_the_file_is_not_in_memory),
    TRIALS_TEST(the_file_is_of_the_pair_as_it_was),
        TRIALS_TEST(a_damaged_file_costs_time_only),
        TRIALS_TEST(the_file_of_another_openssl_is_not_believed)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
