/*
 * test_enroll.c - a key and its request until the certificate is live,
 * whatever happens between.
 */
#include "acme_enroll.h"
#include "acme_pair.h"
#include "acme_json.h"
#include "issuer.h"

#define NAMES "a.example www.a.example"
#define STEPS_MAX 200

static acme_conf_t *conf;
static acme_book_t *book;
static acme_reload_t *reload;
static const issuer_t *ca;

static void held(void *baton, const char *reason)
{
    (void)baton;
    (void)reason;
}

/* A keeper that started now. */
static void open_all(void)
{
    static const acme_server_t server;

    book = open_book(conf);
    reload = acme_reload_create(&server, book, held, NULL, scratch_pool);
}

static int setup(void **state)
{
    int rc = scratch_setup(state);

    conf = make_conf();
    ca = make_issuer("Test CA");
    open_all();
    return rc;
}

static acme_pending_t *begin(void)
{
    acme_pending_t *pending;

    if (acme_enroll_begin(&pending, book, cert_of(conf, 0), &res,
                          scratch_pool)) {
        fail_msg("%s", res.detail);
    }
    return pending;
}

static apr_status_t find(acme_pending_t **ppending)
{
    return acme_enroll_find(ppending, book, cert_of(conf, 0), &res,
                            scratch_pool);
}

static apr_status_t install(const char *pem)
{
    return acme_enroll_install(book, reload, 0, pem, strlen(pem), &res,
                               scratch_pool);
}

static const char *issued(const acme_pending_t *pending, issue_t what)
{
    what.issuer = what.issuer ? what.issuer : ca;
    what.names = what.names ? what.names : NAMES;
    what.key = what.key ? what.key
                        : csr_key(pending->csr, pending->csr_len);
    return issue(&what);
}

static void what_was_begun_is_found_again(void **state)
{
    acme_pending_t *pending, *first;

    (void)state;
    assert_int_equal(find(&pending), APR_ENOENT);
    assert_null(pending);
    first = begin();
    assert_int_equal(find(&pending), 0);
    assert_string_equal(pending->key_pem, first->key_pem);
    open_all();
    assert_string_equal(begin()->key_pem, first->key_pem);
    assert_memory_equal(begin()->csr, first->csr, first->csr_len);
}

static void another_configuration_begins_anew(void **state)
{
    acme_pending_t *first = begin();
    acme_pending_t *pending;

    (void)state;
    set_names(conf, 0, "a.example new.example");
    assert_int_equal(find(&pending), APR_ENOENT);
    assert_null(pending);
    assert_int_equal(install(issued(first, (issue_t){ 0 })), APR_ENOENT);
    assert_string_not_equal(begin()->key_pem, first->key_pem);
    assert_int_equal(find(&pending), 0);
}

static void damage_begins_anew(void **state)
{
    static const char *const files[] = { "key.pem", "csr.der", "order.json" };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(files); i++) {
        acme_pending_t *first = begin();

        put(at("store/pending/a.example/%s", files[i]), "");
        assert_string_not_equal(begin()->key_pem, first->key_pem);
        assert_logged("aside");
    }
    assert_int_equal(count(at("store/aside")), (int)COUNT(files));
}

static void the_key_is_of_the_configured_type(void **state)
{
    acme_key_t *key;

    (void)state;
    cert_of(conf, 0)->key_type = ACME_KEY_P384;
    assert_int_equal(acme_key_parse(&key, begin()->key_pem, "key", &res,
                                    scratch_pool), 0);
    assert_string_equal(acme_key_alg(key), "ES384");
}

static void what_scripts_may_want_is_beside_it(void **state)
{
    const char *text;
    apr_size_t len;
    json_t *meta;

    (void)state;
    assert_int_equal(install(issued(begin(), (issue_t){ .serial = 0x1f })),
                     0);
    assert_int_equal(acme_file_read(&text, &len,
                                    at("store/live/a.example/meta.json"),
                                    65536, &res, scratch_pool), 0);
    assert_int_equal(acme_json_parse(&meta, text, len, "meta", &res,
                                     scratch_pool), 0);
    assert_string_equal(acme_json_string(meta, "id", 99, scratch_pool),
                        "a.example");
    assert_string_equal(acme_json_string(meta, "ca", 99, scratch_pool),
                        CA_URL);
    assert_string_equal(acme_json_string(meta, "serial", 99, scratch_pool),
                        "1f");
    assert_string_equal(acme_json_string(meta, "keyType", 99, scratch_pool),
                        "p256");
    assert_int_equal(acme_json_strings(meta, "names", 99,
                                       scratch_pool)->nelts, 2);
    assert_null(strstr(text, "PRIVATE"));
    assert_logged("[notice] a.example: installed: serial 1f, issued by "
                  "Test CA, valid until");
    assert_string_equal(last_event("a.example"), "installed");
}

static void it_ends_no_earlier_than_what_it_replaces(void **state)
{
    static const struct {
        const char *name;
        const char *names;      /* NULL: the same configuration */
        long until;
        apr_status_t status;
    } rows[] = {
        { "a day less", NULL, 89 * DAY, APR_EINVAL },
        { "a day more", NULL, 91 * DAY, APR_SUCCESS },
        { "less, for other names", "a.example", 30 * DAY, APR_SUCCESS }
    };
    size_t i;

    (void)state;
    assert_int_equal(install(issued(begin(), (issue_t){ 0 })), 0);
    for (i = 0; i < COUNT(rows); i++) {
        issue_t what = { .until = rows[i].until, .names = rows[i].names };

        if (rows[i].names) {
            set_names(conf, 0, rows[i].names);
        }
        if (install(issued(begin(), what)) != rows[i].status) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
    }
    assert_logged("before the one that it replaces");
}

/* Without a readable meta.json nothing is known of what it replaces. */
static void a_damaged_meta_refuses_nothing(void **state)
{
    (void)state;
    assert_int_equal(install(issued(begin(), (issue_t){ 0 })), 0);
    put(at("store/live/a.example/meta.json"), "{");
    assert_int_equal(install(issued(begin(), (issue_t){ .until = DAY })), 0);
}

static void one_that_was_asked_for_may_end_earlier(void **state)
{
    (void)state;
    assert_int_equal(install(issued(begin(), (issue_t){ 0 })), 0);
    book->states[0].wanted = 1;
    assert_int_equal(install(issued(begin(), (issue_t){ .until = 40 * DAY })),
                     APR_EINVAL);
    assert_int_equal(install(issued(begin(), (issue_t){ .until = 50 * DAY })),
                     0);
}

static void a_refused_one_is_kept_and_named(void **state)
{
    acme_pending_t *pending = begin();

    (void)state;
    assert_int_equal(install(issued(pending, (issue_t){ .names = "x.org" })),
                     APR_EINVAL);
    assert_int_equal(count(at("store/aside")), 1);
    assert_int_equal(count(at("store/live")), 0);
    assert_logged("[error] a.example: refused: ");
    assert_logged("was never served");
    assert_string_equal(begin()->key_pem, pending->key_pem);
}

static void a_refused_one_that_can_not_be_kept_is_refused(void **state)
{
    const char *pem = issued(begin(), (issue_t){ .names = "x.org" });
    int i;

    (void)state;
    for (i = 1; i <= 4; i++) {
        scratch_errno = ENOSPC;
        scratch_step = i;
        assert_int_equal(install(pem), APR_EINVAL);
        scratch_step = 0;
        assert_non_null(strstr(res.detail, "without all"));
    }
    assert_logged("could not be kept: ");
    assert_int_equal(count(at("store/live")), 0);
}

/* Only what is live, whole and with its key, or nothing: no third state. */
static void assert_whole(int live)
{
    const char *pem = at("store/live/a.example/fullchain.pem");
    const char *key = at("store/live/a.example/privkey.pem");

    if (!live && mode_of(at("store/live/a.example")) < 0) {
        return;
    }
    if (acme_pair_check(pem, key, &res, scratch_pool)) {
        fail_msg("%s", res.detail);
    }
}

/* A full disk at any step: an error, and the next time it succeeds. */
static void a_full_disk_costs_nothing(void **state)
{
    int i, failed;

    for (i = 1, failed = 1; failed && i < STEPS_MAX; i++) {
        const char *pem;
        apr_status_t rv;

        scratch_teardown(state);
        setup(state);
        pem = issued(begin(), (issue_t){ 0 });
        scratch_errno = ENOSPC;
        scratch_step = i;
        rv = install(pem);
        failed = scratch_step == 0;
        scratch_step = 0;
        assert_whole(rv == APR_SUCCESS);
        assert_int_equal(install(pem), 0);
        assert_whole(1);
        assert_int_equal(mode_of(at("store/pending/a.example")), -1);
        assert_string_equal(last_event("a.example"), "installed");
    }
    assert_in_range(i, 10, STEPS_MAX - 1);
}

static const char *pem_to_install;

static int die_at_step(void *data)
{
    scratch_errno = 0;
    scratch_step = *(int *)data;
    return install(pem_to_install) ? 1 : 0;
}

/* A keeper that dies at any step: the next one is asked again, and installs */
static void a_death_costs_nothing(void **state)
{
    int i, code;

    for (i = 1, code = SCRATCH_DIED; code == SCRATCH_DIED && i < STEPS_MAX;
         i++) {
        acme_pending_t *pending;

        scratch_teardown(state);
        setup(state);
        pending = begin();
        pem_to_install = issued(pending, (issue_t){ 0 });
        code = in_child(die_at_step, &i);
        assert_true(code == SCRATCH_DIED || code == 0);
        assert_whole(0);
        open_all();
        if (install(pem_to_install)) {
            fail_msg("after a death at step %d: %s", i, res.detail);
        }
        assert_whole(1);
        assert_in_range(book->states[0].live, 1, 2);
        assert_int_equal(mode_of(at("store/pending/a.example")), -1);
        assert_string_equal(last_event("a.example"), "installed");
    }
    assert_in_range(i, 10, STEPS_MAX - 1);
}

static int begin_and_die_at_step(void *data)
{
    acme_pending_t *pending;

    scratch_errno = 0;
    scratch_step = *(int *)data;
    return acme_enroll_begin(&pending, book, cert_of(conf, 0), &res,
                             scratch_pool) ? 1 : 0;
}

static void a_death_at_the_beginning_costs_nothing(void **state)
{
    int i, code;

    for (i = 1, code = SCRATCH_DIED; code == SCRATCH_DIED && i < STEPS_MAX;
         i++) {
        scratch_teardown(state);
        setup(state);
        code = in_child(begin_and_die_at_step, &i);
        assert_true(code == SCRATCH_DIED || code == 0);
        open_all();
        assert_int_equal(install(issued(begin(), (issue_t){ 0 })), 0);
    }
    assert_in_range(i, 5, STEPS_MAX - 1);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_begun_is_found_again),
        TEST(another_configuration_begins_anew),
        TEST(damage_begins_anew),
        TEST(the_key_is_of_the_configured_type),
        TEST(what_scripts_may_want_is_beside_it),
        TEST(it_ends_no_earlier_than_what_it_replaces),
        TEST(one_that_was_asked_for_may_end_earlier),
        TEST(a_damaged_meta_refuses_nothing),
        TEST(a_refused_one_is_kept_and_named),
        TEST(a_refused_one_that_can_not_be_kept_is_refused),
        TEST(a_full_disk_costs_nothing),
        TEST(a_death_costs_nothing),
        TEST(a_death_at_the_beginning_costs_nothing)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
