/*
 * test_import_store.c - what import does to a store: which it refuses, whose
 * account stays, and which directives are the server's.
 */
#include "open_store.h"
#include "ready_keys.h"

#include <string.h>

#include <apr_strings.h>

#include "acme_account_file.h"
#include "acme_file.h"
#include "acme_import_place.h"
#include "acme_import_store.h"

#define CA "https://ca.example.net/directory"

static acme_key_t *some_key(void)
{
    acme_key_t *key;

    assert_int_equal(acme_key_parse(&key, ready_rsa(2048), "test", &res,
                                    pool), 0);
    return key;
}

static acme_import_store_t *open_import(int is_dry)
{
    acme_import_store_t *store;

    assert_int_equal(acme_import_store_open(&store, at("store"),
                                            at("client"), is_dry, &res, pool),
                     0);
    return store;
}

static void a_key_that_may_be_registered_stays(void **state)
{
    static const struct {
        const char *json;       /* NULL: no account.json */
        apr_status_t status;
    } rows[] = {
        { "{\"url\": \"https://ca.example.net/acct/1\"}", EPERM },
        { "{\"url\": 5}", EPERM },
        { "{\"url\": \"https://ca.exa", EPERM },
        { "", EPERM },
        { "{}", 0 },
        { NULL, 0 }
    };
    const char *folder = acme_account_file_folder(CA, NULL, pool);
    const char *path = apr_pstrcat(pool, at("store/accounts/"), folder, NULL);
    acme_account_file_t ours = { .directory = CA };
    const acme_import_account_t theirs = { .ca = CA, .key = some_key() };
    acme_key_t *our_key = some_key();
    acme_import_store_t *store;
    acme_result_t ignored;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        acme_store_t *opened = open_store();

        assert_int_equal(acme_file_dir_remove(path, &res, pool), 0);
        assert_int_equal(acme_account_file_add(opened, folder, &ours,
                                               our_key, &res, pool), 0);
        if (rows[i].json) {
            put(apr_pstrcat(pool, path, "/account.json", NULL), rows[i].json);
        }
        else {
            unlink(apr_pstrcat(pool, path, "/account.json", NULL));
        }
        store = open_import(0);
        if (acme_import_store_account(store, &theirs, &ignored, pool)
            != rows[i].status) {
            fail_msg("%s: %s", rows[i].json, ignored.detail);
        }
        acme_import_store_close(store);
    }
}

static void folders_of_others_are_no_state_directory(void **state)
{
    static const struct {
        const char *root;
        const char *client;
        int is_good;
    } rows[] = {
        { "client", "client", 0 },
        { "client/", "client", 0 },
        { "link", "client", 0 },
        { "client/new", "client", 0 },
        { ".", "client", 0 },
        { "full", "client", 0 },
        { "certbots", "client", 0 },
        { "empty", "client", 1 },
        { "new", "client", 1 },
        { "client2", "client", 1 }
    };
    acme_import_store_t *store;
    size_t i;
    int is_dry;

    (void)state;
    mkdir(at("client"), 0755);
    mkdir(at("empty"), 0755);
    mkdir(at("full"), 0755);
    put(at("full/file"), "");
    mkdir(at("certbots"), 0755);
    mkdir(at("certbots/accounts"), 0755);
    mkdir(at("certbots/archive"), 0750);
    mkdir(at("certbots/live"), 0755);
    assert_int_equal(symlink("client", at("link")), 0);
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *root = apr_pstrdup(pool, at("%s", rows[i].root));

        for (is_dry = 1; is_dry >= 0; is_dry--) {
            const int rv = acme_import_store_open(
                &store, root, at("%s", rows[i].client), is_dry, &res, pool);

            if (rv != (rows[i].is_good ? 0 : EPERM)) {
                fail_msg("%s: %d %s", root, rv, res.detail);
            }
            if (!rv) {
                acme_import_store_close(store);
            }
        }
    }
    assert_int_equal(count(at("client")), 0);
    assert_int_equal(count(at("full")), 1);
    assert_int_equal(mode_of(at("certbots/archive")), 0750);
    assert_int_equal(acme_import_store_open(&store, at("new"), at("client"),
                                            0, &res, pool), 0);
}

static void locks_are_seen_and_let_go(void **state)
{
    acme_store_t *keeper = open_store();
    acme_import_store_t *store;

    (void)state;
    store = open_import(1);
    assert_false(acme_import_store_is_beside(store));
    assert_int_equal(mode_of(at("store/run/lock")), -1);
    assert_int_equal(acme_store_lock(keeper, &res, pool), 0);
    assert_true(acme_import_store_is_beside(open_import(1)));
    acme_store_unlock(keeper);
    assert_false(acme_import_store_is_beside(open_import(1)));

    store = open_import(0);
    assert_int_equal(acme_store_lock(keeper, &res, pool), APR_EBUSY);
    acme_import_store_close(store);
    assert_int_equal(acme_store_lock(keeper, &res, pool), 0);
    store = open_import(0);
    assert_true(acme_import_store_is_beside(store));
    acme_import_store_close(store);
    (void)open_import(0);
}

static void add_item(apr_array_header_t *items, const char *name,
                     const char *lines)
{
    acme_import_item_t *item = apr_array_push(items);
    char *line, *last, *copy = apr_pstrdup(pool, lines);

    *item = (acme_import_item_t) {
        .name = name, .lines = apr_array_make(pool, 4, sizeof(const char *))
    };
    for (line = apr_strtok(copy, "\n", &last); line;
         line = apr_strtok(NULL, "\n", &last)) {
        APR_ARRAY_PUSH(item->lines, const char *) = line;
    }
}

/* What is the server's then, joined by newlines. */
static const char *placed(apr_array_header_t *items, const char *hook,
                          int has_others)
{
    acme_import_report_t report = { .items = items };
    apr_array_header_t *common = apr_array_make(pool, 1, sizeof(const char *));

    if (hook) {
        APR_ARRAY_PUSH(common, const char *) = hook;
    }
    acme_import_place_lines(&report, common, has_others, pool);
    return apr_array_pstrcat(pool, report.lines, '\n');
}

static apr_array_header_t *items_make(void)
{
    return apr_array_make(pool, 2, sizeof(acme_import_item_t));
}

static int lines_of(const apr_array_header_t *items, int i)
{
    return APR_ARRAY_IDX(items, i, acme_import_item_t).lines->nelts;
}

static void directives_of_all_are_the_servers(void **state)
{
    apr_array_header_t *items = items_make();

    (void)state;
    add_item(items, "a", "AcmeKeyTypes p384\nAcmeCA zerossl\nAcmeContact x\n"
                         "AcmeProfile y\nAcmeMustStaple on");
    assert_string_equal(placed(items, "AcmeHook deploy /x", 0),
                        "AcmeContact x");
    assert_int_equal(lines_of(items, 0), 5);

    items = items_make();
    add_item(items, "a", "AcmeKeyTypes p384\nAcmeContact x");
    add_item(items, "b", "AcmeContact x\nAcmeKeyTypes p384");
    assert_string_equal(placed(items, "AcmeHook deploy /x", 0),
                        "AcmeKeyTypes p384\nAcmeContact x\n"
                        "AcmeHook deploy /x");
    assert_int_equal(lines_of(items, 0) + lines_of(items, 1), 0);

    items = items_make();
    add_item(items, "a", "AcmeKeyTypes p384\nAcmeContact x");
    add_item(items, "b", "AcmeContact x\nAcmeKeyTypes p384");
    assert_string_equal(placed(items, "AcmeHook deploy /x", 1), "");
    assert_int_equal(lines_of(items, 0), 3);
    assert_int_equal(lines_of(items, 1), 3);
}

static void other_certificates_are_seen(void **state)
{
    apr_array_header_t *items = items_make();
    acme_import_store_t *store;

    (void)state;
    (void)open_store();
    store = open_import(1);
    add_item(items, "www.example.org", "");
    assert_false(acme_import_store_has_others(store, items, pool));
    assert_int_equal(symlink("x", at("store/live/www.example.org")), 0);
    assert_false(acme_import_store_has_others(store, items, pool));
    assert_int_equal(symlink("x", at("store/live/shop.example.org")), 0);
    assert_true(acme_import_store_has_others(store, items, pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_key_that_may_be_registered_stays),
        SCRATCH_TEST(folders_of_others_are_no_state_directory),
        SCRATCH_TEST(locks_are_seen_and_let_go),
        SCRATCH_TEST(directives_of_all_are_the_servers),
        SCRATCH_TEST(other_certificates_are_seen)
    };

    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
