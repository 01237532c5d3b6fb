/*
 * test_pending.c - an order under way is resumed with the key and the CSR that
 * it was made with, or not at all.
 */
#include "acme_pending.h"
#include "open_store.h"

#define URL "https://ca.example/order/1"
#define CERT_URL "https://ca.example/cert/1"
#define CHAIN "-----BEGIN CERTIFICATE-----\n"
#define HEAD "{\"digest\": \"\", \"names\": [\"a.org\"], "


static apr_status_t load(acme_pending_t **ppending)
{
    return acme_pending_load(ppending, open_store(), "a.org", &res,
                             pool);
}

/* Key, CSR and digest all say text, so that a mixture is seen. */
static apr_status_t save_as(acme_store_t *store, const char *id,
                            const char *text, const char *url)
{
    acme_pending_t pending = { NULL };

    pending.key_pem = pending.digest = text;
    pending.csr = (const unsigned char *)text;
    pending.csr_len = strlen(text);
    pending.names = words("a.org www.a.org");
    pending.order_url = url;
    return acme_pending_save(store, id, &pending, &res, pool);
}

static apr_status_t save_to(acme_store_t *store, const char *text,
                            const char *url)
{
    return save_as(store, "a.org", text, url);
}

static apr_status_t save(const char *text, const char *url)
{
    return save_to(open_store(), text, url);
}

static apr_status_t set_order(const char *url)
{
    const acme_pending_order_t order = { .account = "ca.example-01234567",
                                         .url = url,
                                         .now = apr_time_now() };

    acme_store_t *store = open_store();
    acme_sync_t *sync = acme_sync_create(store, pool);
    const apr_status_t rv = acme_pending_order(store, "a.org", &order, sync,
                                               &res, pool);

    return rv == APR_SUCCESS ? acme_sync_run(sync, &res) : rv;
}

/* The text that all of it was saved with. */
static const char *whole(const acme_pending_t *pending)
{
    assert_string_equal(pending->key_pem, pending->digest);
    assert_int_equal(pending->csr_len, strlen(pending->digest));
    assert_memory_equal(pending->csr, pending->digest, pending->csr_len);
    return pending->digest;
}

static void round_trip(void **state)
{
    mode_t before = umask(0);
    acme_pending_t *pending;

    (void)state;
    assert_int_equal(load(&pending), ENOENT);
    assert_null(pending);
    assert_int_equal(set_order(URL), ENOENT);
    assert_int_equal(save("one", NULL), 0);
    umask(before);
    assert_int_equal(load(&pending), 0);
    assert_string_equal(whole(pending), "one");
    assert_null(pending->order_url);
    assert_int_equal(set_order(URL), 0);
    assert_int_equal(load(&pending), 0);
    assert_string_equal(whole(pending), "one");
    assert_string_equal(pending->order_url, URL);
    assert_int_equal(set_order(NULL), 0);
    assert_int_equal(load(&pending), 0);
    assert_null(pending->order_url);
    assert_int_equal(save("two", URL), 0);
    assert_string_equal(res.detail, "");
    assert_int_equal(load(&pending), 0);
    assert_string_equal(whole(pending), "two");
    assert_int_equal(mode_of(at("store/pending/a.org")), 0700);
    assert_int_equal(mode_of(at("store/pending/a.org/key.pem")), 0600);
    assert_int_equal(mode_of(at("store/pending/a.org/csr.der")), 0600);
    assert_int_equal(mode_of(at("store/pending/a.org/order.json")), 0600);
    assert_int_equal(count(at("store/pending/a.org")), 3);
}

static int is_lasting(const char *file)
{
    return scratch_lasts(at("store/pending/a.org/%s", file));
}

/* From the URL on, which comes before the CA issues anything for the key. */
static void what_was_ordered_lasts(void **state)
{
    acme_store_t *store = open_store();
    acme_sync_t *sync = acme_sync_create(store, pool);
    acme_pending_order_t order = { .account = "ca.example-01234567",
                                   .url = URL,
                                   .now = apr_time_now() };

    (void)state;
    assert_int_equal(save("one", NULL), 0);
    assert_false(is_lasting("key.pem"));
    assert_int_equal(acme_pending_order(store, "a.org", &order, sync, &res,
                                        pool), 0);
    assert_true(acme_sync_is_due(sync));
    assert_false(is_lasting("key.pem") && is_lasting("order.json"));
    assert_int_equal(acme_sync_run(sync, &res), 0);
    assert_false(acme_sync_is_due(sync));
    assert_true(is_lasting("key.pem"));
    assert_true(is_lasting("csr.der"));
    assert_true(is_lasting("order.json"));
    assert_true(scratch_lasts(at("store/pending/a.org")));

    order.url = NULL;           /* the CA says it again */
    assert_int_equal(acme_pending_order(store, "a.org", &order, sync, &res,
                                        pool), 0);
    assert_false(acme_sync_is_due(sync));
}

static void lasts_without_syncfs(void **state)
{
    scratch_no_syncfs = 1;
    what_was_ordered_lasts(state);
}

static void a_csr_is_octets(void **state)
{
    static const unsigned char csr[] = "0\0\x80\xff\n";
    acme_pending_t made = { NULL };
    acme_pending_t *pending;

    (void)state;
    made.key_pem = "key";
    made.csr = csr;
    made.csr_len = sizeof(csr);
    made.digest = "d";
    made.names = words("a.org");
    assert_int_equal(acme_pending_save(open_store(), "a.org", &made, &res,
                                       pool), 0);
    assert_int_equal(load(&pending), 0);
    assert_int_equal(pending->csr_len, sizeof(csr));
    assert_memory_equal(pending->csr, csr, sizeof(csr));
}

static void names_and_account_come_back(void **state)
{
    acme_pending_t *pending;

    (void)state;
    assert_int_equal(save("one", NULL), 0);
    assert_int_equal(load(&pending), 0);
    assert_int_equal(pending->names->nelts, 2);
    assert_string_equal(apr_array_pstrcat(pool, pending->names, ' '),
                        "a.org www.a.org");
    assert_null(pending->account);
    assert_int_equal(set_order(URL), 0);
    assert_int_equal(load(&pending), 0);
    assert_string_equal(pending->account, "ca.example-01234567");
    assert_int_equal(pending->names->nelts, 2);
    assert_null(pending->chain_pem);
    assert_null(pending->cert_url);
}

static apr_status_t set_issued(const char *chain, const char *url)
{
    return acme_pending_issued(open_store(), "a.org", chain, url, &res,
                               pool);
}

static void what_was_issued_waits_on_disk(void **state)
{
    acme_pending_t *pending;

    (void)state;
    assert_int_equal(set_issued(CHAIN, CERT_URL), ENOENT);
    assert_int_equal(mode_of(at("store/pending/a.org")), -1);
    assert_int_equal(save("one", URL), 0);
    assert_int_equal(set_order(URL), 0);
    assert_int_equal(set_issued(CHAIN, CERT_URL), 0);
    assert_int_equal(mode_of(at("store/pending/a.org/chain.pem")), 0600);
    assert_int_equal(load(&pending), 0);
    assert_string_equal(whole(pending), "one");
    assert_string_equal(pending->order_url, URL);
    assert_string_equal(pending->account, "ca.example-01234567");
    assert_string_equal(pending->chain_pem, CHAIN);
    assert_string_equal(pending->cert_url, CERT_URL);

    assert_int_equal(set_issued("x", NULL), 0);
    assert_int_equal(load(&pending), 0);
    assert_string_equal(pending->chain_pem, "x");
    assert_null(pending->cert_url);

    /* A new key's order has not been issued, whatever lies beside it. */
    assert_int_equal(save("two", URL), 0);
    assert_int_equal(load(&pending), 0);
    assert_null(pending->chain_pem);

    assert_int_not_equal(set_issued(CHAIN, "http://ca.example/"), 0);
    assert_int_equal(load(&pending), 0);
    assert_null(pending->chain_pem);
}

/* A worker that lost its way tells it once more. */
static void an_order_told_again_leaves_what_was_issued(void **state)
{
    acme_pending_t *pending;

    (void)state;
    assert_int_equal(save("one", NULL), 0);
    assert_int_equal(set_order(URL), 0);
    assert_int_equal(set_issued(CHAIN, CERT_URL), 0);
    assert_int_equal(set_order("https://ca.example/order/2"), 0);
    assert_int_equal(load(&pending), 0);
    assert_string_equal(pending->order_url, "https://ca.example/order/2");
    assert_true(pending->issued);
    assert_string_equal(pending->chain_pem, CHAIN);
    assert_string_equal(pending->cert_url, CERT_URL);
}

static void an_order_is_made_anew_with_the_same_key(void **state)
{
    acme_pending_t *pending;

    (void)state;
    assert_int_equal(acme_pending_reorder(open_store(), "a.org", &res,
                                          pool), ENOENT);
    assert_int_equal(mode_of(at("store/pending/a.org")), -1);
    assert_int_equal(save("one", NULL), 0);
    assert_int_equal(set_order(URL), 0);
    assert_int_equal(set_issued(CHAIN, CERT_URL), 0);
    assert_int_equal(acme_pending_reorder(open_store(), "a.org", &res,
                                          pool), 0);
    assert_int_equal(load(&pending), 0);
    assert_string_equal(whole(pending), "one");
    assert_int_equal(pending->names->nelts, 2);
    assert_false(pending->issued);
    assert_null(pending->order_url);
    assert_null(pending->chain_pem);
    assert_null(pending->cert_url);

    /* What lies beside it does not come back with the next order. */
    assert_int_equal(set_order(URL), 0);
    assert_int_equal(load(&pending), 0);
    assert_string_equal(pending->order_url, URL);
    assert_false(pending->issued);
    assert_null(pending->chain_pem);
}

static void parts_go_with_their_certificate(void **state)
{
    static const char *const ids[] = {
        "a.org", "a.org+rsa2048", "a.org+p384", "a.org.uk", "a.or+rsa2048"
    };
    acme_pending_t *pending;
    size_t i;

    (void)state;
    assert_string_equal(acme_pending_part("a.org", "rsa2048", pool),
                        "a.org+rsa2048");
    assert_null(acme_store_id("a.org+rsa2048", pool));
    for (i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        assert_int_equal(save_as(open_store(), ids[i], ids[i], URL), 0);
    }
    assert_int_equal(acme_pending_load(&pending, open_store(), ids[1], &res,
                                       pool), 0);
    assert_string_equal(whole(pending), ids[1]);
    assert_int_equal(acme_pending_remove(open_store(), ids[1], &res,
                                         pool), 0);
    assert_int_equal(count(at("store/pending")), 4);
    assert_int_equal(acme_pending_remove(open_store(), "a.org", &res,
                                         pool), 0);
    assert_int_equal(count(at("store/pending")), 2);
    assert_int_equal(mode_of(at("store/pending/a.org.uk")), 0700);
    assert_int_equal(mode_of(at("store/pending/a.or+rsa2048")), 0700);
}

static void remove_is_for_good(void **state)
{
    acme_pending_t *pending;

    (void)state;
    assert_int_equal(acme_pending_remove(open_store(), "a.org", &res,
                                         pool), 0);
    assert_int_equal(save("one", URL), 0);
    put(at("store/pending/a.org/foreign"), "x");
    assert_int_equal(acme_pending_remove(open_store(), "a.org", &res,
                                         pool), 0);
    assert_int_equal(count(at("store/pending")), 0);
    assert_int_equal(load(&pending), ENOENT);
}

/* A keeper that died after it had removed order.json: without a sync the old
   one could come back, beside the new key. */
static void what_another_has_removed_stays_removed(void **state)
{
    (void)state;
    assert_int_equal(save("one", URL), 0);
    assert_int_equal(unlink(at("store/pending/a.org/order.json")), 0);
    scratch_syncs = 0;
    assert_int_equal(save("two", NULL), 0);
    assert_int_equal(scratch_syncs, 1 + 1);     /* and that of the open */
}

static void what_is_destroyed_stays_away(void **state)
{
    acme_store_t *store = open_store();

    (void)state;
    assert_int_equal(save("one", URL), 0);
    scratch_syncs = 0;
    assert_int_equal(acme_pending_destroy(store, "a.org", &res, pool), 0);
    assert_int_equal(scratch_syncs, 1);
    assert_int_equal(count(at("store/pending")), 0);
    /* Nobody knows whether the first one's sync succeeded. */
    scratch_errno = EIO;
    scratch_step = 3;           /* after order.json and the folder */
    assert_int_equal(acme_pending_destroy(store, "a.org", &res, pool), EIO);
    assert_int_equal(scratch_step, 0);
}

static void bad_urls_are_not_written(void **state)
{
    static const char *const urls[] = {
        "", "http://ca.example/1", "file:///etc/passwd", "https://"
    };
    acme_pending_t *pending;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        assert_int_equal(save("one", URL), 0);
        if (set_order(urls[i]) == APR_SUCCESS) {
            fail_msg("%s", urls[i]);
        }
        assert_int_equal(load(&pending), 0);
        assert_string_equal(pending->order_url, URL);
        assert_int_not_equal(save("two", urls[i]), 0);
    }
    assert_int_equal(count(at("store/aside")), 0);
}

static void damaged_is_set_aside(void **state)
{
    static const struct {
        const char *name;
        const char *file;
        const char *text;           /* NULL: the file is not there */
    } rows[] = {
        { "order empty", "order.json", "" },
        { "order half", "order.json", "{\"digest\": \"on" },
        { "order array", "order.json", "[]" },
        { "no digest", "order.json", "{\"url\": \"" URL "\"}" },
        { "digest a number", "order.json", "{\"digest\": 1}" },
        { "no names", "order.json", "{\"digest\": \"\"}" },
        { "names a text", "order.json",
          "{\"digest\": \"\", \"names\": \"a.org\"}" },
        { "URL a number", "order.json", HEAD "\"url\": 1}" },
        { "URL null", "order.json", HEAD "\"url\": null}" },
        { "URL not https", "order.json", HEAD
          "\"url\": \"http://ca.example/\"}" },
        { "certificate's URL not https", "order.json", HEAD
          "\"certificate\": \"http://ca.example/\"}" },
        { "certificate's URL a number", "order.json", HEAD
          "\"certificate\": 1}" },
        { "issued, and no chain", "order.json", HEAD "\"issued\": true}" },
        { "key gone", "key.pem", NULL },
        { "key empty", "key.pem", "" },
        { "CSR gone", "csr.der", NULL },
        { "CSR empty", "csr.der", "" }
    };
    acme_pending_t *pending;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *path = at("store/pending/a.org/%s", rows[i].file);

        assert_int_equal(save("one", URL), 0);
        if (rows[i].text) {
            put(path, rows[i].text);
        }
        else {
            unlink(path);
        }
        if (load(&pending) != APR_EGENERAL) {
            fail_msg("%s", rows[i].name);
        }
        assert_null(pending);
        assert_non_null(strstr(res.detail, "set aside as "));
        assert_int_equal(count(at("store/pending")), 0);
        assert_int_equal(count(at("store/aside")), i + 1);
        assert_int_equal(load(&pending), ENOENT);
    }
}

static void foreign_things_are_set_aside(void **state)
{
    acme_pending_t *pending;

    (void)state;
    open_store();
    put(at("store/pending/a.org"), "a file");
    assert_int_equal(load(&pending), APR_EGENERAL);
    put(at("store/pending/a.org"), "a file");
    assert_int_equal(save("one", URL), 0);
    assert_non_null(strstr(res.detail, "set aside as "));
    put(at("victim"), "victim");
    unlink(at("store/pending/a.org/key.pem"));
    assert_int_equal(symlink(at("victim"), at("store/pending/a.org/key.pem")),
                     0);
    assert_int_equal(load(&pending), APR_EGENERAL);
    mkdir(at("store/pending/a.org"), 0700);
    mkdir(at("store/pending/a.org/order.json"), 0700);
    assert_int_equal(load(&pending), APR_EGENERAL);
    assert_int_equal(count(at("store/aside")), 4);
}

/* Keys of a crash before order.json was written: nothing to resume. */
static void half_states_are_nothing(void **state)
{
    acme_pending_t *pending;

    (void)state;
    open_store();
    mkdir(at("store/pending/a.org"), 0700);
    assert_int_equal(load(&pending), ENOENT);
    put(at("store/pending/a.org/key.pem"), "half");
    put(at("store/pending/a.org/.order.json.new"), "{");
    assert_int_equal(load(&pending), ENOENT);
    assert_int_equal(save("one", NULL), 0);
    assert_int_equal(load(&pending), 0);
    assert_string_equal(whole(pending), "one");
    assert_int_equal(count(at("store/pending/a.org")), 3);
}

/* Exit code 0 once the fault lies beyond the last step. */
static int tell(apr_status_t rv)
{
    return scratch_step > 0 ? rv != APR_SUCCESS : CHILD_DIED;
}

static int save_new(void *data)
{
    return tell(save_to(data, "new", URL));
}

static int remove_it(void *data)
{
    return tell(acme_pending_remove(data, "a.org", &res, pool));
}

/* At each step of a call the process dies: what is there is whole or none. */
static void dies_at_any_step_of(int (*call)(void *data), int fault)
{
    acme_store_t *store = open_store();
    acme_pending_t *pending;
    int code = CHILD_DIED;
    int step;

    scratch_counts_files = 1;
    for (step = 1; code == CHILD_DIED; step++) {
        assert_int_equal(save("old", "https://ca.example/old"), 0);
        scratch_step = step;
        scratch_errno = fault;
        code = in_child(call, store);
        scratch_step = 0;
        if (load(&pending) == APR_SUCCESS) {
            assert_string_equal(pending->order_url,
                                strcmp(whole(pending), "new")
                                ? "https://ca.example/old" : URL);
        }
        else {
            assert_true(APR_STATUS_IS_ENOENT(res.status));
        }
        assert_int_equal(count(at("store/aside")), 0);
    }
    assert_int_equal(code, 0);
    assert_true(step > 5);
}

static int issue_it(void *data)
{
    return tell(acme_pending_issued(data, "a.org", "new", CERT_URL, &res,
                                    pool));
}

/* The chain is there with its URL, or the order is as it was before. */
static void issued_dies(void **state)
{
    acme_store_t *store = open_store();
    acme_pending_t *pending;
    int step, code = CHILD_DIED;

    (void)state;
    for (step = 1; code == CHILD_DIED; step++) {
        assert_int_equal(save("old", URL), 0);
        scratch_step = step;
        scratch_errno = 0;
        code = in_child(issue_it, store);
        scratch_step = 0;
        assert_int_equal(load(&pending), 0);
        assert_string_equal(whole(pending), "old");
        assert_int_equal(!pending->chain_pem, !pending->cert_url);
        assert_int_equal(count(at("store/aside")), 0);
    }
    assert_int_equal(code, 0);
    assert_string_equal(pending->chain_pem, "new");
    assert_true(step > 5);
}

static void save_dies(void **state)
{
    (void)state;
    dies_at_any_step_of(save_new, 0);
}

static void save_fails(void **state)
{
    (void)state;
    dies_at_any_step_of(save_new, ENOSPC);
}

static void remove_dies(void **state)
{
    (void)state;
    dies_at_any_step_of(remove_it, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SCRATCH_TEST(round_trip),
        SCRATCH_TEST(what_was_ordered_lasts),
        SCRATCH_TEST(lasts_without_syncfs),
        SCRATCH_TEST(a_csr_is_octets),
        SCRATCH_TEST(names_and_account_come_back),
        SCRATCH_TEST(what_was_issued_waits_on_disk),
        SCRATCH_TEST(an_order_told_again_leaves_what_was_issued),
        SCRATCH_TEST(an_order_is_made_anew_with_the_same_key),
        SCRATCH_TEST(parts_go_with_their_certificate),
        SCRATCH_TEST(remove_is_for_good),
        SCRATCH_TEST(what_another_has_removed_stays_removed),
        SCRATCH_TEST(what_is_destroyed_stays_away),
        SCRATCH_TEST(bad_urls_are_not_written),
        SCRATCH_TEST(damaged_is_set_aside),
        SCRATCH_TEST(foreign_things_are_set_aside),
        SCRATCH_TEST(half_states_are_nothing),
        SCRATCH_TEST(save_dies),
        SCRATCH_TEST(save_fails),
        SCRATCH_TEST(issued_dies),
        SCRATCH_TEST(remove_dies),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
