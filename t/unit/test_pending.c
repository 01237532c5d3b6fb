/*
 * test_pending.c - an order under way is resumed with the key and the CSR that
 * it was made with, or not at all.
 */
#include "acme_pending.h"
#include "scratch.h"

#define URL "https://ca.example/order/1"

static acme_result_t res;

static apr_status_t load(acme_pending_t **ppending)
{
    return acme_pending_load(ppending, open_store(), "a.org", &res,
                             scratch_pool);
}

/* Key, CSR and digest all say text, so that a mixture is seen. */
static apr_status_t save_to(acme_store_t *store, const char *text,
                            const char *url)
{
    acme_pending_t pending = {
        text, (const unsigned char *)text, strlen(text), url, text
    };

    return acme_pending_save(store, "a.org", &pending, &res, scratch_pool);
}

static apr_status_t save(const char *text, const char *url)
{
    return save_to(open_store(), text, url);
}

static apr_status_t set_order(const char *url)
{
    return acme_pending_order(open_store(), "a.org", url, &res, scratch_pool);
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

static void a_csr_is_octets(void **state)
{
    static const unsigned char csr[] = "0\0\x80\xff\n";
    acme_pending_t made = { "key", csr, sizeof(csr), NULL, "d" };
    acme_pending_t *pending;

    (void)state;
    assert_int_equal(acme_pending_save(open_store(), "a.org", &made, &res,
                                       scratch_pool), 0);
    assert_int_equal(load(&pending), 0);
    assert_int_equal(pending->csr_len, sizeof(csr));
    assert_memory_equal(pending->csr, csr, sizeof(csr));
}

static void remove_is_for_good(void **state)
{
    acme_pending_t *pending;

    (void)state;
    assert_int_equal(acme_pending_remove(open_store(), "a.org", &res,
                                         scratch_pool), 0);
    assert_int_equal(save("one", URL), 0);
    put(at("store/pending/a.org/foreign"), "x");
    assert_int_equal(acme_pending_remove(open_store(), "a.org", &res,
                                         scratch_pool), 0);
    assert_int_equal(count(at("store/pending")), 0);
    assert_int_equal(load(&pending), ENOENT);
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
        { "URL a number", "order.json", "{\"digest\": \"\", \"url\": 1}" },
        { "URL null", "order.json", "{\"digest\": \"\", \"url\": null}" },
        { "URL not https", "order.json",
          "{\"digest\": \"\", \"url\": \"http://ca.example/\"}" },
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
    put(at("store/pending/a.org/.csr.der.new"), "half");
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
    return scratch_step > 0 ? rv != APR_SUCCESS : SCRATCH_DIED;
}

static int save_new(void *data)
{
    return tell(save_to(data, "new", URL));
}

static int remove_it(void *data)
{
    return tell(acme_pending_remove(data, "a.org", &res, scratch_pool));
}

/* At each step of a call the process dies: what is there is whole or none. */
static void dies_at_any_step_of(int (*call)(void *data), int fault)
{
    acme_store_t *store = open_store();
    acme_pending_t *pending;
    int code = SCRATCH_DIED;
    int step;

    for (step = 1; code == SCRATCH_DIED; step++) {
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
        SCRATCH_TEST(a_csr_is_octets),
        SCRATCH_TEST(remove_is_for_good),
        SCRATCH_TEST(bad_urls_are_not_written),
        SCRATCH_TEST(damaged_is_set_aside),
        SCRATCH_TEST(foreign_things_are_set_aside),
        SCRATCH_TEST(half_states_are_nothing),
        SCRATCH_TEST(save_dies),
        SCRATCH_TEST(save_fails),
        SCRATCH_TEST(remove_dies),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
