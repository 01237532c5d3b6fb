/*
 * test_account_file.c - an account and its key on disk, and the key that is to
 * take its place.
 */
#include <apr_file_info.h>

#include "acme_account_file.h"
#include "open_store.h"
#include "same_key.h"


static void account_folders(void **state)
{
    static const struct {
        const char *url;
        const char *kid;
        const char *folder;
    } rows[] = {
        { "https://ca.example/dir", NULL, "ca.example-1242d0bc" },
        { "https://CA.example:14000/dir", NULL, "ca.example-eb9b3016" },
        { "https://[::1]:14000/dir", NULL, "___1_-95429408" },
        { "https://ca.example/dir", "kid", "ca.example-b794946d" },
        { "https://ca.example/dirkid", NULL, "ca.example-76e86b88" },
        { "https://../dir", NULL, "_.-b0853be9" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_string_equal(
            acme_account_file_folder(rows[i].url, rows[i].kid, pool),
            rows[i].folder);
    }
}

static apr_status_t load_all(acme_account_file_t *account)
{
    acme_key_t *key;
    apr_status_t rv;

    rv = acme_account_file_load(&key, account, open_store(), "ca", &res, pool);
    assert_true(!key == (rv != APR_SUCCESS));
    return rv;
}

static apr_status_t load_account(const char **purl)
{
    acme_account_file_t account;
    apr_status_t rv = load_all(&account);

    *purl = account.url;
    return rv;
}

static apr_status_t save_all(const acme_account_file_t *account)
{
    return acme_account_file_save(open_store(), "ca", account, &res, pool);
}

static apr_status_t save_key(void)
{
    acme_key_t *key;

    assert_int_equal(acme_key_generate(&key, ACME_KEY_P256, &res,
                                       pool), 0);
    return acme_account_file_key_save(open_store(), "ca", key, &res, pool);
}

static void account_round_trip(void **state)
{
    acme_account_file_t account = { NULL };
    apr_array_header_t *contacts = apr_array_make(pool, 1,
                                                  sizeof(const char *));

    (void)state;
    assert_int_equal(load_all(&account), ENOENT);
    assert_int_equal(save_key(), 0);
    assert_int_equal(mode_of(at("store/accounts/ca")), 0700);
    assert_int_equal(mode_of(at("store/accounts/ca/key.pem")), 0600);
    assert_int_equal(load_all(&account), 0);
    assert_null(account.url);
    assert_null(account.contacts);
    assert_null(account.refused);
    assert_null(account.terms);
    assert_false(account.deactivated);

    APR_ARRAY_PUSH(contacts, const char *) = "mailto:a@example.org";
    APR_ARRAY_PUSH(contacts, const char *) = "mailto:b@example.org";
    account.url = "https://ca.example/acct/1";
    account.directory = "https://ca.example/dir";
    account.contacts = contacts;
    account.refused = contacts;
    account.terms = "https://ca.example/terms/1";
    account.deactivated = 1;
    assert_int_equal(save_all(&account), 0);
    assert_int_equal(mode_of(at("store/accounts/ca/account.json")), 0600);
    memset(&account, 0, sizeof(account));
    assert_int_equal(load_all(&account), 0);
    assert_string_equal(res.detail, "");
    assert_string_equal(account.url, "https://ca.example/acct/1");
    assert_string_equal(account.directory, "https://ca.example/dir");
    assert_string_equal(account.terms, "https://ca.example/terms/1");
    assert_int_equal(account.contacts->nelts, 2);
    assert_int_equal(account.refused->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(account.contacts, 1, const char *),
                        "mailto:b@example.org");
    assert_int_equal(account.deactivated, 1);

    /* No contacts is another thing than not knowing them. */
    apr_array_clear(contacts);
    memset(&account, 0, sizeof(account));
    account.contacts = contacts;
    assert_int_equal(save_all(&account), 0);
    assert_int_equal(load_all(&account), 0);
    assert_null(account.url);
    assert_int_equal(account.contacts->nelts, 0);
    assert_false(account.deactivated);
    account.contacts = NULL;
    assert_int_equal(save_all(&account), 0);
    assert_int_equal(load_all(&account), 0);
    assert_null(account.contacts);
}

/* Nothing is made of a member of another type. */
static void odd_members_are_unknown(void **state)
{
    acme_account_file_t account;

    (void)state;
    assert_int_equal(save_key(), 0);
    put(at("store/accounts/ca/account.json"),
        "{\"directory\": 1, \"terms\": [], \"deactivated\": \"yes\", "
        "\"contacts\": [1, \"mailto:a@example.org\", null]}");
    assert_int_equal(load_all(&account), 0);
    assert_null(account.directory);
    assert_null(account.terms);
    assert_false(account.deactivated);
    assert_int_equal(account.contacts->nelts, 1);
}

static void a_text_that_is_not_utf_8_is_not_written(void **state)
{
    acme_account_file_t account = { NULL };

    (void)state;
    assert_int_equal(save_key(), 0);
    account.terms = "https://ca.example/\xff";
    assert_int_equal(save_all(&account), APR_EINVAL);
    assert_non_null(strstr(res.detail, "account.json"));
    assert_int_equal(count(at("store/accounts/ca")), 1);
}

static void account_key_is_never_replaced(void **state)
{
    const char *path;
    const char *url;

    (void)state;
    assert_int_equal(save_key(), 0);
    path = at("store/accounts/ca/key.pem");
    assert_int_equal(save_key(), EEXIST);
    put(path, "damaged");
    assert_int_not_equal(load_account(&url), 0);
    assert_ptr_equal(strstr(res.detail, path), res.detail);
    assert_int_equal(save_key(), EEXIST);
    assert_string_equal(text_of(path), "damaged");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("dangling", path), 0);
    assert_int_equal(save_key(), EEXIST);
    assert_int_equal(count(at("store/aside")), 0);
}

static void a_file_in_place_of_an_account_is_set_aside(void **state)
{
    const char *url;

    (void)state;
    open_store();
    put(at("store/accounts/ca"), "a file");
    assert_int_equal(load_account(&url), ENOENT);
    assert_int_equal(save_key(), 0);
    assert_non_null(strstr(res.detail, "set aside as "));
    assert_int_equal(load_account(&url), 0);
}

static void a_damaged_account_json_is_set_aside(void **state)
{
    static const char *const rows[] = {
        "", "{", "[]", "null", "{\"url\": 1}", "{\"url\": \"http://x/\"}",
        "{\"url\": \"\"}", "{\"url\": \"https://x/\", \"url\": 1}"
    };
    const char *url;
    size_t i;

    (void)state;
    assert_int_equal(save_key(), 0);
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        put(at("store/accounts/ca/account.json"), rows[i]);
        assert_int_equal(load_account(&url), 0);
        assert_null(url);
        if (!strstr(res.detail, "set aside as ")) {
            fail_msg("%s: %s", rows[i], res.detail);
        }
        assert_int_equal(count(at("store/accounts/ca")), 1);
        assert_int_equal(count(at("store/aside")), i + 1);
    }
}

/* The key that is to come */

static acme_key_t *make_key(void)
{
    acme_key_t *key;

    assert_int_equal(acme_key_generate(&key, ACME_KEY_P256, &res,
                                       pool), 0);
    return key;
}

static apr_status_t load_next(acme_key_t **pkey)
{
    return acme_account_file_next_load(pkey, open_store(), "ca", &res, pool);
}

static acme_key_t *account_key(void)
{
    acme_account_file_t account;
    acme_key_t *key;

    assert_int_equal(
        acme_account_file_load(&key, &account, open_store(), "ca", &res, pool),
        0);
    return key;
}

/* The only thing that was set aside. */
static acme_key_t *key_aside(void)
{
    const char *path = NULL;
    acme_key_t *key;
    apr_finfo_t info;
    apr_dir_t *dir;

    assert_int_equal(apr_dir_open(&dir, at("store/aside"), pool), 0);
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (info.name[0] != '.') {
            path = at("store/aside/%s", info.name);
        }
    }
    apr_dir_close(dir);
    assert_non_null(path);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(acme_key_load(&key, path, &res, pool), 0);
    return key;
}

static void who_only_looks_changes_nothing(void **state)
{
    acme_account_file_t account = { .url = "https://ca.example/acct/1" };

    (void)state;
    assert_int_equal(acme_account_file_look(&account, open_store(), "ca", &res,
                                            pool), APR_ENOENT);
    assert_null(account.url);
    assert_int_equal(save_key(), APR_SUCCESS);
    account.url = "https://ca.example/acct/1";
    account.directory = "https://ca.example/dir";
    assert_int_equal(save_all(&account), APR_SUCCESS);
    /* The key is not read. */
    put(at("store/accounts/ca/key.pem"), "damaged");
    assert_int_equal(acme_account_file_look(&account, open_store(), "ca", &res,
                                            pool), APR_SUCCESS);
    assert_string_equal(account.url, "https://ca.example/acct/1");
    assert_string_equal(account.directory, "https://ca.example/dir");

    put(at("store/accounts/ca/account.json"), "{");
    assert_int_equal(acme_account_file_look(&account, open_store(), "ca", &res,
                                            pool), APR_EGENERAL);
    assert_null(account.url);
    assert_string_equal(text_of(at("store/accounts/ca/account.json")), "{");
    assert_int_equal(count(at("store/aside")), 0);
}

static void the_next_key_takes_its_place(void **state)
{
    acme_key_t *next = make_key();
    acme_key_t *key, *found;

    (void)state;
    assert_int_equal(save_key(), 0);
    key = account_key();
    assert_int_equal(load_next(&found), ENOENT);
    assert_null(found);
    assert_int_equal(
        acme_account_file_next_promote(open_store(), "ca", &res, pool),
        ENOENT);
    assert_true(same_key(account_key(), key));

    assert_int_equal(
        acme_account_file_next_save(open_store(), "ca", next, &res, pool), 0);
    assert_int_equal(mode_of(at("store/accounts/ca/next-key.pem")), 0600);
    assert_int_equal(load_next(&found), 0);
    assert_true(same_key(found, next));
    assert_true(same_key(account_key(), key));

    assert_int_equal(
        acme_account_file_next_promote(open_store(), "ca", &res, pool), 0);
    assert_true(same_key(account_key(), next));
    assert_int_equal(mode_of(at("store/accounts/ca/key.pem")), 0600);
    assert_int_equal(load_next(&found), ENOENT);

    /* Some account may still have the other one. */
    assert_int_equal(count(at("store/aside")), 1);
    assert_true(same_key(key_aside(), key));
    assert_int_equal(mode_of(at("store/accounts/ca/old-key.pem")), -1);
}

static void the_next_key_is_dropped(void **state)
{
    acme_key_t *next = make_key();
    acme_key_t *key, *found;

    (void)state;
    assert_int_equal(save_key(), 0);
    key = account_key();
    assert_int_equal(
        acme_account_file_next_drop(open_store(), "ca", &res, pool), 0);
    assert_int_equal(count(at("store/aside")), 0);
    assert_int_equal(
        acme_account_file_next_save(open_store(), "ca", next, &res, pool), 0);
    assert_int_equal(
        acme_account_file_next_drop(open_store(), "ca", &res, pool), 0);
    assert_int_equal(load_next(&found), ENOENT);
    assert_true(same_key(account_key(), key));
    assert_int_equal(count(at("store/aside")), 1);
    assert_true(same_key(key_aside(), next));
}

static void a_damaged_next_key_is_a_failure(void **state)
{
    acme_key_t *found;

    (void)state;
    assert_int_equal(save_key(), 0);
    put(at("store/accounts/ca/next-key.pem"), "damaged");
    assert_int_not_equal(load_next(&found), 0);
    assert_false(APR_STATUS_IS_ENOENT(res.status));
    assert_null(found);
}

static int promote(void *data)
{
    return acme_account_file_next_promote(data, "ca", &res, pool) ? 1 : 0;
}

/* One of both keys is the account's at any time, and none is lost. */
static void promote_dies(void **state)
{
    acme_store_t *store = open_store();
    int step, code = CHILD_DIED;

    (void)state;
    assert_int_equal(save_key(), 0);
    for (step = 1; code == CHILD_DIED; step++) {
        acme_key_t *key = account_key(), *next = make_key(), *found;

        assert_int_equal(
            acme_account_file_next_save(store, "ca", next, &res, pool), 0);
        scratch_step = step;
        scratch_errno = 0;
        code = in_child(promote, store);
        scratch_step = 0;
        if (load_next(&found) == APR_SUCCESS) {
            assert_true(same_key(account_key(), key));
            assert_true(same_key(found, next));
        }
        else {
            assert_true(same_key(account_key(), next));
        }
    }
    assert_int_equal(code, 0);
    assert_true(step > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(account_folders),
        SCRATCH_TEST(account_round_trip),
        SCRATCH_TEST(odd_members_are_unknown),
        SCRATCH_TEST(a_text_that_is_not_utf_8_is_not_written),
        SCRATCH_TEST(account_key_is_never_replaced),
        SCRATCH_TEST(a_file_in_place_of_an_account_is_set_aside),
        SCRATCH_TEST(a_damaged_account_json_is_set_aside),
        SCRATCH_TEST(who_only_looks_changes_nothing),
        SCRATCH_TEST(the_next_key_takes_its_place),
        SCRATCH_TEST(the_next_key_is_dropped),
        SCRATCH_TEST(a_damaged_next_key_is_a_failure),
        SCRATCH_TEST(promote_dies)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
