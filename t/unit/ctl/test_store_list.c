/*
 * test_store_list.c - what acmectl shows when no httpd runs.
 */
#include "acme_ctl_accounts.h"
#include "acme_ctl_store.h"
#include "open_store.h"

static acme_store_t *store;
static const char *store_root;

static int setup(void **state)
{
    scratch_setup(state);
    store = open_store();
    store_root = acme_store_path(store, "live", NULL, pool);
    store_root = apr_pstrmemdup(pool, store_root,
                                strlen(store_root) - strlen("/live"));
    return 0;
}

#define STORE_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

static void put_file(const char *folder, const char *name, const char *text)
{
    const char *path = acme_store_path(store, folder, name, pool);
    char *slash = apr_pstrdup(pool, path);

    *strrchr(slash, '/') = '\0';
    mkdir(slash, 0755);
    put(path, text);
}

static void put_live(const char *id, const char *meta)
{
    mkdir(acme_store_path(store, "archive", id, pool), 0755);
    put_file("archive", apr_psprintf(pool, "%s/2/meta.json", id), meta);
    assert_int_equal(symlink(apr_psprintf(pool, "../archive/%s/2", id),
                             acme_store_path(store, "live", id, pool)), 0);
}

#define META \
    "{\"id\": \"a.org\", \"names\": [\"a.org\", \"b.org\"]," \
    " \"ca\": \"https://ca.example/dir\"," \
    " \"installed\": \"2026-11-21T05:36:05Z\", \"certificates\": [" \
    "{\"keyType\": \"p256\", \"notBefore\": \"2026-11-21T05:00:00Z\"," \
    " \"notAfter\": \"2027-02-21T05:00:00Z\", \"serial\": \"04de\"," \
    " \"issuer\": \"Some \\u001b CA\"}," \
    "{\"keyType\": \"rsa2048\", \"notBefore\": \"2026-11-21T05:00:00Z\"," \
    " \"notAfter\": \"2027-02-20T05:00:00Z\", \"serial\": \"04df\"," \
    " \"issuer\": \"Some CA\"}]}"

static apr_array_header_t *list(void)
{
    apr_array_header_t *certs;

    assert_int_equal(acme_ctl_store_list(&certs, store_root, &res, pool), 0);
    return certs;
}

static void what_is_live_is_listed(void **unused)
{
    const acme_ctl_cert_t *cert;
    apr_array_header_t *certs;
    acme_journal_t *journal = acme_journal_make(pool);

    (void)unused;
    put_live("a.org", META);
    journal->attempts = 3;
    journal->why = ACME_REASON_CAA_FORBIDDEN;
    journal->detail = "b.org: forbidden\033";
    acme_journal_add(journal, apr_time_from_sec(1795239365), "failed",
                     "b.org: forbidden");
    assert_int_equal(acme_journal_save(store, "a.org", journal, &res, pool),
                     0);
    assert_int_equal(acme_journal_save(store, "new.org", journal, &res, pool),
                     0);
    certs = list();
    assert_int_equal(certs->nelts, 2);
    cert = &APR_ARRAY_IDX(certs, 0, acme_ctl_cert_t);
    assert_string_equal(cert->id, "a.org");
    assert_true(cert->is_from_store);
    assert_int_equal(cert->names->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(cert->cas, 0, const char *),
                        "https://ca.example/dir");
    assert_int_equal(cert->state.live, 2);
    assert_int_equal(cert->state.served, 0);
    assert_int_equal(cert->state.attempts, 3);
    assert_int_equal(cert->state.why, ACME_REASON_CAA_FORBIDDEN);
    assert_string_equal(cert->state.serial, "04de");
    assert_string_equal(cert->state.issuer, "Some \\x1b CA");
    assert_string_equal(acme_time_rfc3339(cert->state.not_after, pool),
                        "2027-02-20T05:00:00Z");
    cert = &APR_ARRAY_IDX(certs, 1, acme_ctl_cert_t);
    assert_string_equal(cert->id, "new.org");
    assert_int_equal(cert->state.live, 0);
}

static void what_it_lacks(void **unused)
{
    acme_ctl_cert_t cert = { .id = "a.org" };

    (void)unused;
    put_live("a.org", META);
    cert.names = words("a.org b.org");
    assert_null(acme_ctl_store_lacks(&cert, store_root, pool));
    cert.names = words("a.org old.org");
    assert_string_equal(acme_ctl_store_lacks(&cert, store_root, pool),
                        "old.org");
    cert.names = words("1.org 2.org a.org 3.org 4.org 5.org");
    assert_string_equal(acme_ctl_store_lacks(&cert, store_root, pool),
                        "1.org, 2.org, 3.org and 2 more");
    cert.id = "nobody.org";
    assert_null(acme_ctl_store_lacks(&cert, store_root, pool));
}

#define WHEN apr_time_from_sec(1795239365)

/* Whatever is in the file, it is a text of a terminal. */
static void names_that_are_left_out(void **unused)
{
    const acme_journal_name_t names[] = {
        { "old.org\033[2J", 4, WHEN, WHEN, WHEN, 0, ACME_REASON_DNS_NXDOMAIN,
          "no \033 such name" },
        { "tried.org", 1, WHEN, 0, 0, 0, ACME_REASON_DNS_FAILED, "no answer" }
    };
    acme_journal_t *journal = acme_journal_make(pool);
    const acme_state_t *state;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(names); i++) {
        APR_ARRAY_PUSH(journal->names, acme_journal_name_t) = names[i];
    }
    assert_int_equal(acme_journal_save(store, "a.org", journal, &res, pool),
                     0);
    state = &APR_ARRAY_IDX(list(), 0, acme_ctl_cert_t).state;
    assert_int_equal(state->left_out, 1);
    assert_int_equal(state->left_out_failures, 4);
    assert_int_equal(state->left_out_why, ACME_REASON_DNS_NXDOMAIN);
    assert_null(strchr(state->left_out_names, '\033'));
    assert_non_null(strstr(state->left_out_names, "old.org"));
    assert_null(strchr(state->left_out_detail, '\033'));
    assert_non_null(strstr(state->left_out_detail, "such name"));
}

/* It only looks: whoever wrote that, the keeper sets it aside. */
static void damage_stays_and_is_told(void **unused)
{
    static const char *const metas[] = {
        "", "[]", "{\"certificates\": 3}", "{\"certificates\": [3]}",
        "{\"certificates\": [{\"serial\": [], \"notAfter\": \"x\"}]}",
        "{\"names\": {}, \"ca\": 7}", "not JSON"
    };
    const char *path = acme_store_path(store, "journal", "bad.org.json", pool);
    const acme_ctl_cert_t *cert;
    struct stat st;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(metas); i++) {
        put_live(apr_psprintf(pool, "bad%d.org", (int)i), metas[i]);
    }
    put_file("journal", "bad.org.json", "{");
    put_file("journal", ".hidden.json", "{");
    put_file("journal", "other.txt", "{");
    assert_int_equal(symlink("/etc/passwd",
                             acme_store_path(store, "live", "link.org", pool)),
                     0);
    assert_int_equal(list()->nelts, COUNT(metas) + 2);
    cert = &APR_ARRAY_IDX(list(), 0, acme_ctl_cert_t);
    assert_string_equal(cert->id, "bad.org");
    assert_non_null(cert->store_problem);
    assert_int_equal(lstat(path, &st), 0);
}

static void a_folder_that_is_no_store(void **unused)
{
    apr_array_header_t *certs;

    (void)unused;
    assert_int_equal(acme_ctl_store_list(&certs, "/nonexistent", &res, pool),
                     APR_ENOENT);
    assert_detail("/nonexistent/live");
    assert_int_equal(certs->nelts, 0);
}

static void journals_are_found_by_ids_alone(void **unused)
{
    static const char *const ids[] = { "../x", "", ".", "a/b", "nobody.org",
                                       "*.org" };
    acme_journal_t *journal;
    size_t i;

    (void)unused;
    for (i = 0; i < COUNT(ids); i++) {
        assert_int_equal(acme_ctl_store_journal(&journal, store_root, ids[i],
                                                &res, pool), APR_ENOENT);
        assert_int_equal(journal->events->nelts, 0);
    }
}

static void accounts_are_read_without_their_keys(void **unused)
{
    apr_array_header_t *accounts;

    (void)unused;
    put_file("accounts", "ca-1/account.json",
        "{\"directory\": \"https://ca.example/dir\","
        " \"url\": \"https://ca.example/acct/1\"}");
    put_file("accounts", "ca-2/account.json", "{");
    put_file("accounts", "ca-3/account.json",
        "{\"directory\": \"file:///etc/passwd\"}");
    mkdir(acme_store_path(store, "accounts", "empty", pool), 0700);
    assert_int_equal(acme_ctl_accounts_read(&accounts, store_root, &res, pool),
                     0);
    assert_int_equal(accounts->nelts, 1);
    assert_string_equal(
        APR_ARRAY_IDX(accounts, 0, acme_ctl_account_t).file.url,
        "https://ca.example/acct/1");
    assert_int_equal(acme_ctl_accounts_read(&accounts, "/nonexistent", &res,
                                            pool), APR_ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_is_live_is_listed),
        STORE_TEST(what_it_lacks),
        STORE_TEST(names_that_are_left_out),
        STORE_TEST(damage_stays_and_is_told),
        STORE_TEST(a_folder_that_is_no_store),
        STORE_TEST(journals_are_found_by_ids_alone),
        STORE_TEST(accounts_are_read_without_their_keys)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
