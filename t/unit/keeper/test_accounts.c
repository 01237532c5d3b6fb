/*
 * test_accounts.c - what is known of the accounts, and what survives when the
 * keeper ends in the middle of a change.
 */
#include "acme_accounts.h"
#include "acme_json.h"
#include "issuer.h"
#include "open_registry.h"
#include "same_key.h"

#define URL "https://ca.example/account/1"
#define OTHER_URL "https://ca.example/account/2"
#define SECRET "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"

static acme_conf_t *conf;
static acme_accounts_t *accounts;

/* As a keeper has them that started now. */
static void open_accounts(void)
{
    accounts = acme_accounts_create(open_registry(conf), pool);
}

static int setup(void **state)
{
    int rc = scratch_setup(state);

    conf = make_conf();
    open_accounts();
    return rc;
}

static const acme_ca_account_t *find(void)
{
    const acme_ca_account_t *account;

    if (acme_accounts_find(&account, accounts, 0, &res)) {
        fail_msg("%s", res.detail);
    }
    return account;
}

static void tell_url(const char *url)
{
    assert_int_equal(acme_accounts_set_url(accounts, 0, url, &res,
                                            pool), 0);
}

static const char *key_path(const char *file)
{
    return at("store/accounts/%s/%s", ca_of(conf, 0)->folder, file);
}

static acme_key_t *key_in(const char *file)
{
    acme_key_t *key;

    assert_int_equal(acme_key_load(&key, key_path(file), &res, pool),
                     0);
    return key;
}

static void a_key_is_made_once(void **state)
{
    acme_key_t *key;

    (void)state;
    assert_null(find()->url);
    key = key_in("key.pem");
    assert_true(same_key(find()->key, key));
    open_accounts();
    assert_true(same_key(find()->key, key));
    assert_string_equal(find()->directory, CA_URL);
    assert_string_equal(find()->folder, ca_of(conf, 0)->folder);
    assert_false(find()->has_next_key);
    assert_false(find()->contacts_changed);
}

static void its_url_is_remembered_and_forgotten(void **state)
{
    (void)state;
    tell_url(URL);
    assert_string_equal(find()->url, URL);
    tell_url(URL);
    assert_int_equal(times_logged("account: ca.example: the account is " URL), 1);
    open_accounts();
    assert_string_equal(find()->url, URL);
    tell_url(NULL);
    assert_null(find()->url);
    assert_logged("the CA no longer knows the account");
    open_accounts();
    assert_null(find()->url);
}

static void other_contacts_are_noticed(void **state)
{
    acme_ca_conf_t *ca = ca_of(conf, 0);

    (void)state;
    tell_url(URL);
    ca->contacts = words("mailto:b@b.example mailto:admin@a.example");
    open_accounts();
    assert_false(find()->contacts_changed);     /* only the order */
    ca->contacts = words("mailto:new@a.example");
    open_accounts();
    assert_true(find()->contacts_changed);
    tell_url(URL);                              /* the CA was told */
    assert_false(find()->contacts_changed);
    open_accounts();
    assert_false(find()->contacts_changed);
    ca->contacts = words("");
    open_accounts();
    assert_true(find()->contacts_changed);
}

static void changed_terms_are_told_once(void **state)
{
    static const struct {
        const char *url;
        int told;
    } rows[] = {
        { "https://ca.example/terms/1", 0 },
        { "https://ca.example/terms/1", 0 },
        { "https://ca.example/terms/2", 1 },
        { "https://ca.example/terms/2", 0 }
    };
    size_t i;

    (void)state;
    tell_url(URL);
    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(acme_accounts_note_terms(accounts, 0, rows[i].url,
                                                  pool),
                         rows[i].told);
        open_accounts();
        assert_string_equal(find()->url, URL);
    }
}

static void a_deactivated_one_stays_so(void **state)
{
    (void)state;
    tell_url(URL);
    assert_int_equal(acme_accounts_deactivated(accounts, 0, &res,
                                               pool), 0);
    assert_true(find()->deactivated);
    open_accounts();
    assert_true(find()->deactivated);
    assert_non_null(strstr(acme_accounts_text(accounts, pool),
                           CA_URL ": deactivated"));
    /* Whatever a worker says that the CA said. */
    assert_int_equal(acme_accounts_set_url(accounts, 0, NULL, &res, pool),
                     APR_EACCES);
    assert_int_equal(acme_accounts_set_url(accounts, 0, OTHER_URL, &res,
                                           pool), APR_EACCES);
    assert_non_null(strstr(res.detail, "was deactivated"));
    open_accounts();
    assert_true(find()->deactivated);
    assert_string_equal(find()->url, URL);
}

/* Keys */

static acme_key_t *next_key(acme_next_key_e make)
{
    acme_key_t *key;
    apr_status_t rv;

    rv = acme_accounts_next_key(&key, accounts, 0, make, &res, pool);
    assert_int_equal(rv, key ? APR_SUCCESS : APR_ENOENT);
    return key;
}

static void end_key(acme_key_end_e end)
{
    assert_int_equal(acme_accounts_end_key(accounts, 0, end, &res,
                                           pool), 0);
}

static void the_next_key_is_one_until_its_end(void **state)
{
    acme_key_t *old, *next;

    (void)state;
    tell_url(URL);
    old = key_in("key.pem");
    assert_null(next_key(ACME_NEXT_KEY_FIND));
    next = next_key(ACME_NEXT_KEY_MAKE);
    assert_true(find()->has_next_key);
    assert_true(same_key(next_key(ACME_NEXT_KEY_MAKE), next));
    open_accounts();
    assert_true(find()->has_next_key);
    assert_true(same_key(next_key(ACME_NEXT_KEY_FIND), next));
    assert_true(same_key(find()->key, old));

    end_key(ACME_KEY_PROMOTE);
    assert_true(same_key(find()->key, next));
    assert_false(find()->has_next_key);
    assert_string_equal(find()->url, URL);
    end_key(ACME_KEY_PROMOTE);                  /* the reply was lost */
    assert_true(same_key(find()->key, next));
    assert_int_equal(times_logged("has its new key"), 1);

    assert_false(same_key(next_key(ACME_NEXT_KEY_MAKE), next));
    end_key(ACME_KEY_DROP);
    assert_true(same_key(find()->key, next));
    assert_false(find()->has_next_key);
    assert_null(next_key(ACME_NEXT_KEY_FIND));
}

static int change_key(void *data)
{
    acme_key_t *key;

    scratch_errno = 0;
    scratch_step = *(int *)data;
    return acme_accounts_next_key(&key, accounts, 0, ACME_NEXT_KEY_MAKE, &res,
                                  pool)
        || acme_accounts_end_key(accounts, 0, ACME_KEY_PROMOTE, &res,
                                 pool) ? 1 : 0;
}

/* At any time one key is the account's, and the next one is not lost. */
static void a_death_costs_no_key(void **state)
{
    int i, code;

    for (i = 1, code = CHILD_DIED; code == CHILD_DIED && i < 100; i++) {
        acme_key_t *old;

        scratch_teardown(state);
        setup(state);
        tell_url(URL);
        old = key_in("key.pem");
        code = in_child(change_key, &i);
        assert_true(code == CHILD_DIED || code == 0);
        open_accounts();
        assert_string_equal(find()->url, URL);
        if (find()->has_next_key) {
            acme_key_t *next = next_key(ACME_NEXT_KEY_FIND);

            assert_true(same_key(find()->key, old));
            end_key(ACME_KEY_PROMOTE);
            assert_true(same_key(find()->key, next));
        }
        else if (!same_key(find()->key, old)) {
            assert_null(next_key(ACME_NEXT_KEY_FIND));
        }
    }
    assert_in_range(i, 4, 99);
}

/* It was moved, and only the sync failed: memory follows the file. */
static void a_failed_sync_leaves_no_old_key_in_memory(void **state)
{
    acme_key_t *next;
    int i;

    for (i = 1; i < 4; i++) {
        scratch_teardown(state);
        setup(state);
        tell_url(URL);
        next = next_key(ACME_NEXT_KEY_MAKE);
        scratch_errno = EIO;
        scratch_step = i;
        (void)acme_accounts_end_key(accounts, 0, ACME_KEY_PROMOTE, &res,
                                    pool);
        scratch_step = 0;
        end_key(ACME_KEY_PROMOTE);
        assert_true(same_key(find()->key, next));
        assert_true(same_key(key_in("key.pem"), next));
    }
}

/* External accounts (8555, 7.3.4) */

static const char *bound(void)
{
    const char *json;

    if (acme_accounts_binding(&json, accounts, 0, "https://ca.example/new",
                              &res, pool)) {
        return NULL;
    }
    return json;
}

static void a_binding_comes_inline_or_from_a_file(void **state)
{
    acme_ca_conf_t *ca = ca_of(conf, 0);
    const char *json;

    (void)state;
    assert_int_equal(acme_accounts_binding(&json, accounts, 0, URL, &res,
                                           pool), 0);
    assert_null(json);                          /* none is configured */
    ca->kid = "kid-1";
    ca->hmac = SECRET;
    json = bound();
    assert_non_null(strstr(json, "\"signature\""));
    ca->hmac = NULL;
    ca->hmac_file = at("hmac");
    put(ca->hmac_file, "  " SECRET "\n");
    assert_string_equal(bound(), json);
    put(ca->hmac_file, "x");
    assert_null(bound());
    unlink(ca->hmac_file);
    assert_null(bound());
    assert_ptr_equal(strstr(res.detail, "AcmeExternalAccount"), res.detail);
    put(ca->hmac_file, SECRET);                 /* mended, without a reload */
    assert_string_equal(bound(), json);
    assert_null(strstr(json, SECRET));
}

static void the_secret_is_told_to_nobody(void **state)
{
    acme_ca_conf_t *ca = ca_of(conf, 0);

    (void)state;
    ca->kid = "kid-1";
    ca->hmac = SECRET "!";
    assert_null(bound());
    assert_null(strstr(res.detail, SECRET));
    tell_url(URL);
    assert_null(strstr(acme_accounts_text(accounts, pool), SECRET));
    assert_non_null(strstr(acme_accounts_text(accounts, pool),
                           "external account kid-1"));
    assert_null(strstr(text_of(key_path("account.json")), SECRET));
    assert_not_logged(SECRET);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_made_once),
        TEST(its_url_is_remembered_and_forgotten),
        TEST(other_contacts_are_noticed),
        TEST(changed_terms_are_told_once),
        TEST(a_deactivated_one_stays_so),
        TEST(the_next_key_is_one_until_its_end),
        TEST(a_death_costs_no_key),
        TEST(a_failed_sync_leaves_no_old_key_in_memory),
        TEST(a_binding_comes_inline_or_from_a_file),
        TEST(the_secret_is_told_to_nobody)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
