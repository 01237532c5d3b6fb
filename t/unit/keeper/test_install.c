/*
 * test_install.c - a key and its request until the certificate is live,
 * whatever happens between.
 */
#include <signal.h>
#include <unistd.h>
#include <utime.h>

#include "acme_cert_reader.h"
#include "acme_pending.h"
#include "acme_file.h"
#include "acme_install.h"
#include "acme_registry_request.h"
#include "acme_install_pending.h"
#include "acme_pair.h"
#include "acme_json.h"
#include "acme_registry_request.h"
#include "issuer.h"
#include "open_registry.h"
#include "same_key.h"
#include "with_launcher.h"

#define NAMES "a.example www.a.example"
#define STEPS_MAX 300
#define ORDER_URL "https://ca.example/order/1"
#define CERT_URL "https://ca.example/cert/1"

static acme_conf_t *conf;
static acme_registry_t *registry;
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

    registry = open_registry(conf);
    reload = acme_reload_create(&server, registry, held, NULL, pool);
}

static int setup(void **state)
{
    int rc = scratch_setup(state);

    conf = make_conf();
    ca = make_issuer("Test CA");
    open_all();
    return rc;
}

static acme_pending_t *begin_of(const acme_target_t about)
{
    acme_cert_conf_t *cert = cert_of(conf, (int)about.cert);
    acme_pending_t *pending;
    const char *flags;

    if (prepare_now(&pending, &flags, registry, &about)) {
        fail_msg("%s", res.detail);
    }
    if (!pending->account) {            /* and ordered */
        assert_int_equal(
            acme_pending_order(
                acme_registry_store(registry),
                acme_install_pending_name(cert, about.part, pool),
                &(acme_pending_order_t){ .account = ca_of(conf, 0)->folder,
                                         .url = ORDER_URL,
                                         .now = apr_time_now() },
                acme_sync_create(acme_registry_store(registry), pool),
                &res, pool),
            0);
    }
    return pending;
}

static acme_pending_t *begin_part(apr_uint32_t part)
{
    return begin_of((acme_target_t) { 0, 0, part });
}

static acme_pending_t *begin(void)
{
    return begin_part(0);
}

static apr_status_t find_part(acme_pending_t **ppending, apr_uint32_t part)
{
    const acme_target_t about = { 0, 0, part };

    return acme_install_pending_find(ppending, registry, &about, &res, pool);
}

static apr_status_t find(acme_pending_t **ppending)
{
    return find_part(ppending, 0);
}

/* An empty one completes what waits on disk. */
static apr_status_t install_part(apr_uint32_t part, const char *pem)
{
    const acme_target_t about = { 0, 0, part };
    const acme_issued_t what = { pem, strlen(pem), CERT_URL };

    apr_array_header_t *installs = apr_array_make(pool, 1,
                                                  sizeof(acme_install_t *));
    acme_sync_t *sync = acme_sync_create(acme_registry_store(registry), pool);
    acme_install_t *one;
    acme_result_t synced;
    apr_status_t rv = begin_install(&one, registry, reload, &about, &what,
                                    sync, &res);

    if (!one) {
        return rv;
    }
    APR_ARRAY_PUSH(installs, acme_install_t *) = one;
    (void)acme_sync_run(sync, &synced);
    acme_install_finish(installs, sync);
    return acme_install_status(one);
}

static apr_status_t install(const char *pem)
{
    return install_part(0, pem);
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
    set_key_types(conf, 0, "p384");
    assert_int_equal(acme_key_parse(&key, begin()->key_pem, "key", &res,
                                    pool), 0);
    assert_string_equal(acme_key_alg(key), "ES384");
}

static void what_scripts_may_want_is_beside_it(void **state)
{
    const char *text;
    json_t *meta, *certificates;
    apr_size_t len;

    (void)state;
    assert_int_equal(install(issued(begin(), (issue_t){ .serial = 0x1f })),
                     0);
    assert_int_equal(acme_file_read(&text, &len,
                                    at("store/live/a.example/meta.json"),
                                    65536, &res, pool), 0);
    assert_int_equal(acme_json_parse(&meta, text, len, "meta", &res,
                                     pool), 0);
    assert_string_equal(acme_json_string(meta, "id", 99, pool),
                        "a.example");
    assert_string_equal(acme_json_string(meta, "ca", 99, pool),
                        CA_URL);
    assert_string_equal(acme_json_string(meta, "keyTypes", 99, pool),
                        "p256");
    certificates = json_object_get(meta, "certificates");
    assert_int_equal(json_array_size(certificates), 1);
    assert_string_equal(acme_json_string(json_array_get(certificates, 0),
                                         "serial", 99, pool), "1f");
    assert_string_equal(acme_json_string(json_array_get(certificates, 0),
                                         "url", 99, pool), CERT_URL);
    assert_int_equal(acme_json_strings(meta, "names", 99,
                                       pool)->nelts, 2);
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
    assert_logged("earlier than required");
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
    state_of(registry, 0)->wanted = 1;
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
    assert_logged("could not be saved: ");
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
    if (acme_pair_check(pem, key, NULL, &res)) {
        fail_msg("%s", res.detail);
    }
}

/* Each time from a copy of one store: what began it takes longer. */
static void from_the_beginning(apr_pool_t *whole)
{
    if (pool == whole) {
        copy_folder(at("store"), at("begun"));
    }
    else {
        apr_pool_destroy(pool);
    }
    apr_pool_create(&pool, whole);
    copy_folder(at("begun"), at("store"));
    open_all();
}

/* A full disk at any step: an error, and the next time it succeeds. */
static void a_full_disk_costs_nothing(void **state)
{
    const char *pem = issued(begin(), (issue_t){ 0 });
    apr_pool_t *whole = pool;
    int i, failed;

    (void)state;
    for (i = 1, failed = 1; failed && i < STEPS_MAX; i++) {
        apr_status_t rv;

        from_the_beginning(whole);
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
    pool = whole;
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
    apr_pool_t *whole = pool;
    int i, code;

    (void)state;
    pem_to_install = issued(begin(), (issue_t){ 0 });
    for (i = 1, code = CHILD_DIED; code == CHILD_DIED && i < STEPS_MAX;
         i++) {
        from_the_beginning(whole);
        code = in_child(die_at_step, &i);
        assert_true(code == CHILD_DIED || code == 0);
        assert_whole(0);
        open_all();
        if (install(pem_to_install)) {
            fail_msg("after a death at step %d: %s", i, res.detail);
        }
        assert_whole(1);
        assert_in_range(state_of(registry, 0)->live, 1, 2);
        assert_int_equal(mode_of(at("store/pending/a.example")), -1);
        assert_string_equal(last_event("a.example"), "installed");
    }
    pool = whole;
    assert_in_range(i, 10, STEPS_MAX - 1);
}

static void a_death_without_syncfs_costs_nothing(void **state)
{
    scratch_no_syncfs = 1;
    a_death_costs_nothing(state);
}

static int begin_and_die_at_step(void *data)
{
    const acme_target_t about = { 0, 0, 0 };
    acme_pending_t *pending;
    const char *flags;

    scratch_errno = 0;
    scratch_step = *(int *)data;
    return prepare_now(&pending, &flags, registry, &about)
               ? 1
               : 0;
}

static void a_death_at_the_beginning_costs_nothing(void **state)
{
    int i, code;

    for (i = 1, code = CHILD_DIED; code == CHILD_DIED && i < STEPS_MAX;
         i++) {
        scratch_teardown(state);
        setup(state);
        code = in_child(begin_and_die_at_step, &i);
        assert_true(code == CHILD_DIED || code == 0);
        open_all();
        assert_int_equal(install(issued(begin(), (issue_t){ 0 })), 0);
    }
    assert_in_range(i, 5, STEPS_MAX - 1);
}

/* Several key types */

static const char *issued_part(apr_uint32_t part)
{
    return issued(begin_part(part), (issue_t){ 0 });
}

static int is_live(void)
{
    return mode_of(at("store/live/a.example")) >= 0;
}

static void assert_both_whole(void)
{
    static const char *const suffixes[] = { "", "-rsa" };
    size_t i;

    for (i = 0; i < COUNT(suffixes); i++) {
        if (acme_pair_check(at("store/live/a.example/fullchain%s.pem",
                               suffixes[i]),
                            at("store/live/a.example/privkey%s.pem",
                               suffixes[i]), NULL, &res)) {
            fail_msg("%s", res.detail);
        }
    }
}

static void parts_go_live_together(void **state)
{
    static const char *const orders[] = { "01", "10" };
    acme_pending_t *pending;
    size_t i;

    (void)state;
    set_key_types(conf, 0, "p256 rsa2048");
    assert_string_equal(acme_install_pending_name(cert_of(conf, 0), 0, pool),
                        "a.example");
    assert_string_equal(acme_install_pending_name(cert_of(conf, 0), 1, pool),
                        "a.example+rsa2048");
    for (i = 0; i < COUNT(orders); i++) {
        apr_uint32_t first = (apr_uint32_t)(orders[i][0] - '0');
        const char *pem = issued_part(first);

        assert_int_equal(install_part(first, pem), 0);
        assert_int_equal(state_of(registry, 0)->live, (int)i);
        assert_int_equal(find_part(&pending, first), 0);
        assert_string_equal(pending->chain_pem, pem);
        assert_string_equal(pending->cert_url, CERT_URL);
        assert_string_equal(begin_part(first)->chain_pem, pem);
        assert_int_equal(install_part(first, ""), 0);   /* too early */
        assert_int_equal(state_of(registry, 0)->live, (int)i);

        assert_int_equal(install_part(1 - first, issued_part(1 - first)), 0);
        assert_int_equal(state_of(registry, 0)->live, (int)i + 1);
        assert_int_equal(state_of(registry, 0)->covers, 1);
        assert_int_equal(count(at("store/archive/a.example")), (int)i + 1);
        assert_int_equal(count(at("store/pending")), 0);
        assert_both_whole();
    }
    assert_int_equal(times_logged("installed: "), 2);
}

static void what_is_not_pending_is_not_installed(void **state)
{
    issue_t what = { .key = acme_key_evp(make_key()) };

    (void)state;
    assert_int_equal(install(""), 0);           /* it waits */
    assert_int_equal(install(issued(NULL, what)), APR_ENOENT);
    begin();
    assert_int_equal(install(""), 0);
    set_key_types(conf, 0, "p256 rsa2048");
    assert_int_equal(install_part(1, issued(NULL, what)), APR_ENOENT);
    assert_false(is_live());
    assert_int_equal(count(at("store/aside")), 0);
}

static void a_part_is_not_another_s(void **state)
{
    (void)state;
    set_key_types(conf, 0, "p256 rsa2048");
    begin();
    assert_int_equal(install_part(0, issued_part(1)), APR_EINVAL);
    assert_non_null(strstr(res.detail, "another key"));
    assert_int_equal(count(at("store/aside")), 1);
    assert_int_equal(install_part(1, issued_part(1)), 0);
    assert_false(is_live());
}

/* By hand, as if days had passed since it was checked. */
static void put_chain(const char *folder, const char *pem)
{
    put(at("store/pending/%s/chain.pem", folder), pem);
}

/* Days may have passed: it is checked again when the others are there. */
static void what_waited_too_long_is_ordered_anew(void **state)
{
    acme_pending_t *first, *pending;

    (void)state;
    set_key_types(conf, 0, "p256 rsa2048");
    first = begin_part(0);
    assert_int_equal(install_part(0, issued_part(0)), 0);
    put_chain("a.example", issued(first, (issue_t){ .from = -DAY,
                                                    .until = -1 }));
    assert_int_equal(install_part(1, issued_part(1)), 0);
    assert_false(is_live());
    assert_logged("[warning] a.example: the certificate issued for p256 is "
                  "ordered again: ");
    assert_logged("expired");

    /* With the same key; the other one keeps waiting. */
    assert_int_equal(find_part(&pending, 0), 0);
    assert_false(pending->issued);
    assert_null(pending->order_url);
    assert_string_equal(pending->key_pem, first->key_pem);
    assert_int_equal(find_part(&pending, 1), 0);
    assert_true(pending->issued);
    assert_int_equal(install(""), 0);
    assert_false(is_live());
    assert_int_equal(times_logged("is ordered again"), 1);

    assert_int_equal(install_part(0, issued_part(0)), 0);
    assert_true(is_live());
    assert_both_whole();
    assert_int_equal(count(at("store/pending")), 0);
}

static void one_of_another_key_is_ordered_anew(void **state)
{
    issue_t what = { .key = acme_key_evp(make_key()) };
    acme_pending_t *pending;

    (void)state;
    set_key_types(conf, 0, "p256 rsa2048");
    assert_int_equal(install_part(1, issued_part(1)), 0);
    begin_part(0);
    put_chain("a.example+rsa2048", issued(NULL, what));
    assert_int_equal(install_part(0, issued_part(0)), 0);
    assert_false(is_live());
    assert_logged("the certificate issued for rsa2048 is ordered again: ");
    assert_int_equal(find_part(&pending, 1), 0);
    assert_false(pending->issued);
    assert_int_equal(install_part(1, issued_part(1)), 0);
    assert_true(is_live());
    assert_both_whole();
}

/* A company's own CA may; a public one that does is none. */
static void only_a_private_ca_issues_for_years(void **state)
{
    const issue_t what = { .until = 3650 * DAY };

    (void)state;
    assert_int_equal(install(issued(begin(), what)), APR_EINVAL);
    assert_non_null(strstr(res.detail, "is valid for longer than"));
    route_of(conf, 0)->roots = "/etc/roots.pem";
    assert_int_equal(install(issued(begin(), what)), 0);
}

static int die_with_the_second(void *data)
{
    scratch_errno = 0;
    scratch_step = *(int *)data;
    return install_part(1, pem_to_install) ? 1 : 0;
}

/*
 * Both were paid for: the first waits on disk, and the order of the second
 * leads to what the CA has issued, until both are live.
 */
static void a_death_between_the_parts_costs_nothing(void **state)
{
    apr_pool_t *whole = pool;
    int i, code, fetched = 0;

    (void)state;
    set_key_types(conf, 0, "p256 rsa2048");
    assert_int_equal(install_part(0, issued_part(0)), 0);
    pem_to_install = issued_part(1);
    for (i = 1, code = CHILD_DIED; code == CHILD_DIED && i < STEPS_MAX;
         i++) {
        acme_pending_t *first, *second;

        from_the_beginning(whole);
        code = in_child(die_with_the_second, &i);
        assert_true(code == CHILD_DIED || code == 0);
        open_all();
        if (is_live()) {
            assert_both_whole();
        }
        else {
            assert_int_equal(find_part(&first, 0), 0);
            assert_non_null(first->chain_pem);
            assert_int_equal(find_part(&second, 1), 0);
            assert_string_equal(second->order_url, ORDER_URL);
            fetched++;
        }
        assert_int_equal(install_part(1, pem_to_install), 0);
        assert_both_whole();
        assert_int_equal(state_of(registry, 0)->covers, 1);
    }
    pool = whole;
    assert_in_range(i, 10, STEPS_MAX - 1);
    assert_in_range(fetched, 5, i);
}

/* Certificates that come together */

#define TOGETHER 2

static const char *pems[TOGETHER];
static apr_status_t statuses[TOGETHER];
static acme_result_t results[TOGETHER];

static void issue_together(void)
{
    pems[0] = issued(begin(), (issue_t) { .serial = 1 });
    pems[1] = issued(begin_of((acme_target_t) { 1, 0, 0 }),
                     (issue_t) { .names = "b.example", .serial = 2 });
}

static int sync_fault;          /* fails this step from the first sync on */

/* Each status is that of its beginning, if that failed. */
static void install_together(void)
{
    acme_sync_t *sync = acme_sync_create(acme_registry_store(registry), pool);
    apr_array_header_t *all = apr_array_make(pool, TOGETHER,
                                             sizeof(acme_install_t *));
    acme_install_t *ones[TOGETHER];
    acme_result_t synced;
    int i;

    for (i = 0; i < TOGETHER; i++) {
        const acme_target_t about = { (apr_uint32_t)i, 0, 0 };
        const acme_issued_t what = { pems[i], strlen(pems[i]), CERT_URL };

        statuses[i] = begin_install(&ones[i], registry, reload, &about,
                                    &what, sync, &results[i]);
        assert_int_equal(state_of(registry, i)->live, 0);
        if (ones[i]) {
            assert_int_equal(acme_install_cert(ones[i]), i);
            APR_ARRAY_PUSH(all, acme_install_t *) = ones[i];
        }
    }
    if (sync_fault) {
        scratch_errno = EIO;
        scratch_step = sync_fault;
    }
    (void)acme_sync_run(sync, &synced);
    acme_install_finish(all, sync);
    for (i = 0; i < TOGETHER; i++) {
        statuses[i] = ones[i] ? acme_install_status(ones[i]) : statuses[i];
    }
}

static void several_go_live_together(void **state)
{
    acme_pending_t *pending;
    int i;

    (void)state;
    issue_together();
    install_together();
    for (i = 0; i < TOGETHER; i++) {
        assert_int_equal(statuses[i], 0);
        assert_int_equal(state_of(registry, i)->live, 1);
        assert_true(scratch_lasts(at("store/live/%s", cert_of(conf, i)->id)));
    }
    assert_int_equal(find(&pending), APR_ENOENT);
    assert_int_equal(count(at("store/pending")), 0);
    assert_logged("b.example: installed");
}

/* Whatever fails: nothing half is left, and the order can be resumed and ends
   well. */
static void each_that_fails_can_be_resumed(void **state)
{
    int step, i, is_over = 0;

    (void)state;
    for (step = 1; !is_over; step++) {
        issue_together();
        scratch_errno = EIO;
        scratch_step = step;
        install_together();
        is_over = scratch_step > 0;
        scratch_step = 0;
        for (i = 0; i < TOGETHER; i++) {
            const char *id = cert_of(conf, i)->id;

            if (statuses[i] != APR_SUCCESS) {
                assert_int_equal(statuses[i], EIO);
                assert_int_equal(results[i].reason,
                                 ACME_REASON_STORE_UNWRITABLE);
                assert_int_equal(mode_of(at("store/pending/%s/key.pem", id)),
                                 0600);
            }
            assert_int_equal(count(at("store/archive/%s/.new", id)), -1);
        }
        open_all();
        assert_int_equal(install_part(0, pems[0]), 0);
        assert_int_equal(state_of(registry, 0)->live
                             && state_of(registry, 0)->covers, 1);
        assert_int_equal(acme_file_dir_remove(at("store/pending"), &res,
                                              pool), 0);
        assert_int_equal(acme_file_dir_remove(at("store/archive"), &res,
                                              pool), 0);
        assert_int_equal(acme_file_dir_remove(at("store/live"), &res, pool),
                         0);
        open_all();
    }
    assert_true(step > 8);
}

static void one_that_fails_is_alone(void **state)
{
    (void)state;
    issue_together();
    scratch_no_syncfs = 1;
    sync_fault = 2;             /* its folder, after that of all archives */
    install_together();
    sync_fault = 0;
    assert_int_equal(scratch_step, 0);
    assert_int_equal(statuses[0], EIO);
    assert_non_null(strstr(results[0].detail, "a.example"));
    assert_int_equal(state_of(registry, 0)->live, 0);
    assert_int_equal(statuses[1], 0);
    assert_int_equal(state_of(registry, 1)->live, 1);
    assert_int_equal(install_part(0, pems[0]), 0);
    assert_int_equal(state_of(registry, 0)->live, 1);
}

/* So long after the live certificate was installed. */
static void ask_at(int seconds)
{
    const acme_msg_want_t want = { { 0, 0, 0 }, ACME_WANT_RENEWAL, -1 };

    acme_registry_request_add(registry, &want,
                              state_of(registry, 0)->installed
                                  + apr_time_from_sec(seconds), pool);
}

/* The link is there, and its sync failed: the next time ends it. */
static void a_failed_sync_of_live_is_made_good(void **state)
{
    int n;

    (void)state;
    for (n = 1; n <= 2; n++) {
        const char *pem = issued(begin(), (issue_t) { .serial = n,
                                                      .until = 91 * DAY });

        scratch_unsyncable = at("store/live");
        assert_int_equal(install(pem), EIO);
        scratch_unsyncable = NULL;
        assert_int_equal(count(at("store/archive/a.example")), n);
        assert_non_null(begin()->order_url);    /* it is resumed */
        assert_int_equal(state_of(registry, 0)->live, n - 1);
        ask_at(2);
        scratch_syncs = 0;
        assert_int_equal(install(n == 1 ? pem : ""), 0);
        assert_true(scratch_syncs > 0);
        assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_NOTHING);
        assert_true(scratch_lasts(at("store/live/a.example")));
        assert_int_equal(state_of(registry, 0)->live, n);
        assert_int_equal(count(at("store/archive/a.example")), n);
        assert_int_equal(count(at("store/pending")), 0);
        assert_int_equal(times_logged("a.example goes live when you reload"), n);
        assert_string_equal(last_event("a.example"), "installed");
    }
}

/* Orders that a power failure has brought back */

/* Install, and bring the order back; its chain. */
static const char *install_and_bring_back(void)
{
    const char *pem = issued(begin(), (issue_t){ 0 });

    copy_folder(at("store/pending/a.example"), at("back"));
    assert_int_equal(install(pem), 0);
    copy_folder(at("back"), at("store/pending/a.example"));
    return pem;
}

static void one_that_is_over_is_not_resumed(void **state)
{
    acme_pending_t *pending;
    const char *key;

    (void)state;
    install_and_bring_back();
    assert_int_equal(find(&pending), 0);
    key = pending->key_pem;
    ask_at(2);
    pending = begin();
    assert_string_not_equal(pending->key_pem, key);
    assert_null(pending->order_url);
    assert_int_equal(install(issued(pending, (issue_t){ .serial = 2 })), 0);
    assert_int_equal(state_of(registry, 0)->live, 2);
    assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_NOTHING);
}

static void nor_does_it_end_a_later_request(void **state)
{
    acme_pending_t *pending;
    const char *pem;

    (void)state;
    cert_of(conf, 0)->key_reuse = ACME_KEY_REUSE_ON;
    pem = install_and_bring_back();
    ask_at(2);
    assert_non_null(begin()->order_url);
    assert_int_equal(install(pem), 0);
    assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_RENEWAL);
    assert_int_equal(find(&pending), APR_ENOENT);
    assert_logged("a new one is made");
}

/* The keeper was killed before it noted that it is done. */
static void it_ends_an_earlier_request(void **state)
{
    const char *pem;

    (void)state;
    pem = install_and_bring_back();
    ask_at(-2);
    assert_non_null(begin()->order_url);
    assert_int_equal(install(pem), 0);
    assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_NOTHING);
}

/* What is in the request */

static acme_key_t *key_of(const acme_pending_t *pending)
{
    acme_key_t *key;

    assert_int_equal(acme_key_parse(&key, pending->key_pem, "key", &res,
                                    pool), 0);
    return key;
}

static void the_key_is_kept_when_it_is_wanted(void **state)
{
    acme_key_t *first, *second;

    (void)state;
    set_key_types(conf, 0, "p256 rsa2048");
    cert_of(conf, 0)->key_reuse = 1;
    first = key_of(begin_part(0));
    second = key_of(begin_part(1));
    assert_int_equal(install_part(0, issued_part(0)), 0);
    assert_int_equal(install_part(1, issued_part(1)), 0);
    assert_true(same_key(key_of(begin_part(0)), first));
    assert_true(same_key(key_of(begin_part(1)), second));

    /* One of another type can't be. */
    set_key_types(conf, 0, "p384 rsa3072");
    assert_string_equal(acme_key_alg(key_of(begin_part(0))), "ES384");
    assert_false(same_key(key_of(begin_part(1)), second));

    set_key_types(conf, 0, "p256 rsa2048");
    cert_of(conf, 0)->key_reuse = 0;
    assert_int_equal(acme_pending_remove(acme_registry_store(registry),
                                         "a.example", &res, pool),
                     0);
    assert_false(same_key(key_of(begin_part(0)), first));
}

/* The extension of 7633: SEQUENCE { INTEGER 5 } */
static int asks_for_staple(const acme_pending_t *pending)
{
    static const unsigned char feature[] = {
        0x30, 0x03, 0x02, 0x01, 0x05
    };

    return memmem(pending->csr, pending->csr_len, feature, sizeof(feature))
        != NULL;
}

static void must_staple_is_in_the_request(void **state)
{
    (void)state;
    assert_false(asks_for_staple(begin()));
    cert_of(conf, 0)->must_staple = 1;
    assert_true(asks_for_staple(begin()));
}

static void a_name_left_out_is_not_in_the_request(void **state)
{
    const apr_time_t now = apr_time_now();
    acme_journal_name_t name = {
        "www.a.example", 3, now, now, now + apr_time_from_sec(DAY), 0,
        ACME_REASON_DNS_FAILED, "no answer"
    };
    acme_journal_t *journal = acme_journal_make(pool);
    const acme_target_t about = { 0, 0, 0 };
    acme_pending_t *pending, *all = begin();
    const char *flags;

    (void)state;
    assert_int_equal(all->names->nelts, 2);
    APR_ARRAY_PUSH(journal->names, acme_journal_name_t) = name;
    assert_int_equal(acme_journal_save(acme_registry_store(registry),
                                       "a.example", journal, &res, pool),
                     0);
    assert_int_equal(
        prepare_now(&pending, &flags, registry, &about),
        0);
    assert_int_equal(pending->names->nelts, 1);
    assert_string_not_equal(pending->key_pem, all->key_pem);
    assert_int_equal(flags[0], 0);
    assert_int_equal((unsigned char)flags[1], ACME_NAME_LEFT_OUT);
    assert_string_equal(begin()->key_pem, pending->key_pem);
    assert_int_equal(install(issued(pending, (issue_t){ 0 })), APR_EINVAL);
    open_all();
    assert_int_equal(install(issued(pending,
                                    (issue_t){ .names = "a.example" })), 0);
    assert_int_equal(state_of(registry, 0)->covers, 1);
    assert_int_equal(state_of(registry, 0)->left_out, 1);
}

/* ACME_WANT_CHAIN */

static void want_chain(void)
{
    const acme_msg_want_t want = { { 0, 0, 0 }, ACME_WANT_CHAIN, -1 };

    acme_registry_request_add(registry, &want, apr_time_now(), pool);
}

static const char *live(const char *file)
{
    const char *text = text_of(at("store/live/a.example/%s", file));

    return text ? text : "none";
}

/* The same leaf, followed by another certificate of its issuer. */
static const char *with_new_chain(const char *pem)
{
    issue_t self = { .key = ca->key };
    const char *end = strstr(pem, "-----END CERTIFICATE-----\n") + 26;

    return apr_pstrcat(pool,
                       apr_pstrmemdup(pool, pem,
                                      (apr_size_t)(end - pem)),
                       pem_text(make_x509(&self, "Test CA", 1)), NULL);
}

static void a_new_chain_is_only_that(void **state)
{
    const char *pem = issued(begin(), (issue_t){ 0 });
    const char *again = with_new_chain(pem), *key, *leaf, *chain;

    (void)state;
    assert_int_equal(install(pem), 0);
    key = live("privkey.pem");
    leaf = live("cert.pem");
    chain = live("chain.pem");
    assert_int_equal(install(again), 0);        /* nobody asked for it */
    assert_int_equal(state_of(registry, 0)->live, 1);
    assert_string_equal(live("chain.pem"), chain);

    want_chain();
    assert_int_equal(install(again), 0);
    assert_int_equal(state_of(registry, 0)->live, 2);
    assert_string_equal(live("privkey.pem"), key);
    assert_string_equal(live("cert.pem"), leaf);
    assert_string_not_equal(live("chain.pem"), chain);
    assert_string_equal(live("fullchain.pem"), again);
    assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_CHAIN);
}

static void each_part_gets_its_new_chain(void **state)
{
    const char *first, *second;

    (void)state;
    set_key_types(conf, 0, "p256 rsa2048");
    first = issued_part(0);
    assert_int_equal(install_part(0, first), 0);
    second = issued_part(1);
    assert_int_equal(install_part(1, second), 0);
    want_chain();
    first = with_new_chain(first);
    assert_int_equal(install_part(0, first), 0);
    assert_string_equal(live("fullchain.pem"), first);
    assert_string_equal(live("fullchain-rsa.pem"), second);
    second = with_new_chain(second);
    assert_int_equal(install_part(1, second), 0);
    assert_string_equal(live("fullchain.pem"), first);
    assert_string_equal(live("fullchain-rsa.pem"), second);
    assert_both_whole();
}

static void a_chain_that_does_not_fit_is_refused(void **state)
{
    const char *pem = issued(begin(), (issue_t){ 0 });
    const issuer_t *evil = make_issuer("Evil CA");
    const char *end = strstr(pem, "-----END CERTIFICATE-----\n") + 26;

    (void)state;
    assert_int_equal(install(pem), 0);
    want_chain();
    assert_int_equal(install(apr_pstrcat(
        pool, apr_pstrmemdup(pool, pem,
                             (apr_size_t)(end - pem)),
        pem_text(evil->x509), NULL)), APR_EINVAL);
    assert_int_equal(state_of(registry, 0)->live, 1);
    assert_string_equal(live("fullchain.pem"), pem);

    /* Nor is another leaf one. */
    assert_int_not_equal(install(issued(begin(), (issue_t){
        .key = acme_key_evp(make_key()) })), 0);
    assert_string_equal(live("fullchain.pem"), pem);
}

/* What a worker that is not ours may bring: one after the other. */
static apr_status_t install_next(void)
{
    static long serial = 1000;

    return install(issued(begin(), (issue_t){ .serial = serial++,
                                              .until = 90 * DAY + 3600 }));
}

/* Revoked ones */

static void revoke_live(void)
{
    const acme_msg_want_t want = { { 0, 0, 0 }, ACME_WANT_REVOCATION, -1 };

    acme_registry_request_add(registry, &want, apr_time_now(), pool);
    acme_registry_request_done(registry, &want, apr_time_now(), pool);
    assert_true(state_of(registry, 0)->revoked);
}

static void the_key_of_a_revoked_one_is_not_kept(void **state)
{
    acme_pending_t *first;

    (void)state;
    cert_of(conf, 0)->key_reuse = 1;
    first = begin();
    assert_int_equal(install(issued(first, (issue_t){ 0 })), 0);
    revoke_live();
    /* Whatever becomes of the journal. */
    assert_int_equal(unlink(at("store/journal/a.example.json")), 0);
    open_all();
    assert_true(state_of(registry, 0)->revoked);
    assert_false(same_key(key_of(begin()), key_of(first)));
}

/* The order was begun with the live key before that was revoked. */
static void nor_does_an_order_go_on_with_it(void **state)
{
    acme_pending_t *first, *pending;

    (void)state;
    cert_of(conf, 0)->key_reuse = ACME_KEY_REUSE_ON;
    first = begin();
    assert_int_equal(install(issued(first, (issue_t){ 0 })), 0);
    assert_string_equal(begin()->key_pem, first->key_pem);
    assert_int_equal(find(&pending), 0);
    revoke_live();
    assert_int_equal(find(&pending), APR_ENOENT);
    assert_string_not_equal(begin()->key_pem, first->key_pem);
    assert_int_equal(find(&pending), 0);
}

/* Archive 2 cannot be loaded; 1 is served, unless it must not be. */
static int served_instead(void)
{
    put(at("store/archive/a.example/2/fullchain.pem"), "damaged");
    open_all();
    return state_of(registry, 0)->live;
}

static void an_older_one_is_served(void **state)
{
    (void)state;
    assert_int_equal(install(issued(begin(), (issue_t){ 0 })), 0);
    assert_int_equal(install_next(), 0);
    assert_int_equal(served_instead(), 1);
    assert_false(state_of(registry, 0)->revoked);
}

static void a_revoked_one_is_not_served_again(void **state)
{
    (void)state;
    assert_int_equal(install(issued(begin(), (issue_t){ 0 })), 0);
    revoke_live();
    assert_int_equal(install_next(), 0);
    assert_false(state_of(registry, 0)->revoked);
    assert_int_equal(served_instead(), 0);
}

/* Nor is one with the key of one that was revoked. */
static void nor_is_one_with_its_key(void **state)
{
    (void)state;
    cert_of(conf, 0)->key_reuse = 1;
    assert_int_equal(install(issued(begin(), (issue_t){ 0 })), 0);
    assert_int_equal(install_next(), 0);
    revoke_live();
    assert_int_equal(served_instead(), 0);
}

/* Orders that do not end */

static const char *resumed(void)
{
    return begin()->order_url;
}

/* order.json, with a member set. */
static void set_member(const char *key, json_t *value)
{
    const char *path = at("store/pending/a.example/order.json");
    json_t *json = json_loads(text_of(path), 0, NULL);

    json_object_set_new(json, key, value);
    put(path, acme_json_text(acme_json_own(json, pool), 2, pool));
}

static void an_order_is_not_resumed_without_end(void **state)
{
    acme_pending_t *first = begin();
    int i;

    (void)state;
    for (i = 0; i < 10; i++) {
        assert_string_equal(resumed(), ORDER_URL);
        if (i % 3 == 0) {
            open_all();
        }
    }
    assert_null(resumed());
    assert_logged("the order " ORDER_URL " is dropped");
    assert_string_equal(begin()->key_pem, first->key_pem);
}

static void an_order_has_an_age(void **state)
{
    const apr_time_t week = apr_time_from_sec(7 * DAY);
    const apr_time_t now = apr_time_now();

    (void)state;
    begin();
    set_member("since", json_string(acme_time_rfc3339(now - week + 60 * 1000000,
                                                      pool)));
    assert_string_equal(resumed(), ORDER_URL);
    set_member("since", json_string(acme_time_rfc3339(now - week - 60 * 1000000,
                                                      pool)));
    assert_null(resumed());
    assert_logged("not ended within seven days");
}

/* Of an older version, or edited. */
static void an_order_without_an_age_gets_one(void **state)
{
    acme_pending_t *pending;

    (void)state;
    begin();
    set_member("since", json_null());
    set_member("resumed", json_null());
    assert_string_equal(resumed(), ORDER_URL);
    assert_int_equal(find(&pending), 0);
    assert_true(pending->since > apr_time_now() - apr_time_from_sec(60));
    assert_int_equal(pending->resumed, 1);
    set_member("resumed", json_integer(-1));
    assert_null(resumed());
}

/* What was issued waits for the other part, however long. */
static void an_issued_one_is_not_dropped(void **state)
{
    int i;

    (void)state;
    set_key_types(conf, 0, "p256 rsa2048");
    assert_int_equal(install_part(0, issued_part(0)), 0);
    for (i = 0; i < 15; i++) {
        assert_true(begin()->issued);
    }
}

/* The bound of installations */

#define A_DAY_MAX 12

static int archives(void)
{
    return count(at("store/archive/a.example"));
}

static void install_so_many(int n)
{
    while (n--) {
        if (install_next()) {
            fail_msg("%s", res.detail);
        }
    }
}

static void installations_in_a_loop_end(void **state)
{
    acme_pending_t *pending;
    int i, refused = 0;

    (void)state;
    for (i = 0; i < 40; i++) {
        refused += install_next() != 0;
    }
    assert_int_equal(archives(), A_DAY_MAX);
    assert_int_equal(refused, 40 - A_DAY_MAX);
    assert_int_equal(res.reason, ACME_REASON_INSTALL_LIMITED);
    assert_int_equal(res.retry, ACME_RETRY_LATER);
    assert_true(res.retry_at > apr_time_now());
    assert_int_equal(times_logged("too often"), 1);
    /* Nothing of it is installed later. */
    assert_int_equal(find(&pending), 0);
    assert_null(pending->order_url);
    assert_false(pending->issued);
    assert_int_equal(install(""), APR_EBUSY);
    /* Not after a restart either. */
    open_all();
    assert_int_equal(install_next(), APR_EBUSY);
    assert_int_equal(archives(), A_DAY_MAX);
}

static void installations_of_yesterday_do_not_count(void **state)
{
    struct utimbuf times;
    int i;

    (void)state;
    install_so_many(A_DAY_MAX);
    times.actime = times.modtime = time(NULL) - DAY - 60;
    for (i = 1; i <= 3; i++) {
        assert_int_equal(utime(at("store/archive/a.example/%d", i), &times),
                         0);
    }
    install_so_many(3);
    assert_int_equal(install_next(), APR_EBUSY);
    /* Nor do those of a clock that was wrong. */
    times.actime = times.modtime = time(NULL) + 400 * DAY;
    assert_int_equal(utime(at("store/archive/a.example/15"), &times), 0);
    install_so_many(1);
}

static void what_is_due_or_wanted_is_installed(void **state)
{
    acme_state_t *live;

    (void)state;
    install_so_many(A_DAY_MAX);
    assert_int_equal(install_next(), APR_EBUSY);

    live = state_of(registry, 0);
    live->wanted = ACME_WANT_RENEWAL;
    install_so_many(1);
    assert_int_equal(install_next(), APR_EBUSY);

    /* It lives for ten minutes, and nine have passed. */
    live->not_before = apr_time_now() - apr_time_from_sec(540);
    live->not_after = apr_time_now() + apr_time_from_sec(60);
    live->installed = live->not_before;
    install_so_many(1);
    assert_int_equal(install_next(), APR_EBUSY);

    /* It lives for a second, as no honest one does. */
    live->not_before = apr_time_now() - apr_time_from_sec(2);
    live->not_after = apr_time_now();
    assert_int_equal(install_next(), APR_EBUSY);

    /* A name was added. */
    set_names(conf, 0, NAMES " new.a.example");
    acme_registry_refresh(registry, 0, pool);
    assert_int_equal(install(issued(begin(), (issue_t){
        .names = NAMES " new.a.example" })), 0);
    assert_int_equal(install(issued(begin(), (issue_t){
        .names = NAMES " new.a.example", .until = 91 * DAY })), APR_EBUSY);
}

static void the_chain_that_is_live_is_not_installed_again(void **state)
{
    const char *pem = issued(begin(), (issue_t){ 0 });
    const char *again = with_new_chain(pem);
    int i;

    (void)state;
    assert_int_equal(install(pem), 0);
    want_chain();
    assert_int_equal(install(pem), 0);
    assert_int_equal(archives(), 1);
    /* And new ones have the bound of certificates. */
    for (i = 0; i < 20; i++) {
        install(i % 2 ? pem : again);
    }
    assert_int_equal(archives(), A_DAY_MAX);
}

/* Both ask; what the first installs is there for the second, and the reader is
   not asked for it. */
static void what_was_read_is_not_asked_again(void **state)
{
    const acme_target_t about = { 0, 0, 0 };
    const char *pem = apr_pstrcat(pool, "words\n",
                                  issued(begin(), (issue_t){ 0 }), NULL);
    const acme_issued_t what = { pem, strlen(pem), CERT_URL };
    acme_sync_t *sync = acme_sync_create(acme_registry_store(registry), pool);
    acme_install_t *one;
    apr_uint64_t asker;
    pid_t pid;

    (void)state;
    for (asker = 1; asker < 3; asker++) {
        acme_cert_reader_turn(asker);
        assert_int_equal(acme_install_begin(&one, registry, reload, &about,
                                            &what, sync, &res, pool),
                         APR_EINPROGRESS);
        assert_null(one);
        assert_int_equal(acme_cert_reader_is_asked(asker), asker == 1);
    }
    while (acme_cert_reader_fd() >= 0) {
        wait_for_reading();
    }
    pid = reader_of(getpid());
    kill(pid, SIGSTOP);
    assert_int_equal(install(pem), 0);
    assert_int_equal(state_of(registry, 0)->live, 1);
    assert_int_equal(install(pem), 0);
    assert_int_equal(archives(), 1);
    kill(pid, SIGCONT);
}

/* A reader that cannot answer says nothing of the chain, and while it rests the
   installation waits. */
static void what_cannot_be_read_is_not_refused(void **state)
{
    const acme_target_t about = { 0, 0, 0 };
    const char *pem = issued(begin(), (issue_t){ 0 });
    const acme_issued_t what = { pem, strlen(pem), CERT_URL };
    acme_sync_t *sync = acme_sync_create(acme_registry_store(registry), pool);
    acme_install_t *one;
    int i;

    (void)state;
    acme_cert_reader_turn(1);
    for (i = 0; i < 4; i++) {
        const pid_t pid = reader_of(getpid());

        kill(pid, SIGSTOP);
        assert_int_equal(acme_install_begin(&one, registry, reload, &about,
                                            &what, sync, &res, pool),
                         APR_EINPROGRESS);
        kill(pid, SIGKILL);
        while (kill(pid, 0) == 0) {
            usleep(1000);       /* the launcher reaps it */
        }
        wait_for_reading();
        assert_int_equal(acme_install_begin(&one, registry, reload, &about,
                                            &what, sync, &res, pool),
                         APR_EGENERAL);
        assert_detail("ended while it read it");
        assert_int_not_equal(res.reason, ACME_REASON_CHAIN_REFUSED);
    }
    assert_int_equal(acme_install_begin(&one, registry, reload, &about, &what,
                                        sync, &res, pool), APR_EINPROGRESS);
    assert_false(acme_cert_reader_is_asked(1));
    assert_false(acme_cert_reader_has_room());
    assert_true(count(at("store/aside")) <= 0);
    acme_cert_reader_start();
    assert_int_equal(install(pem), 0);
}

/* A revocation, which voids the key, and another configuration. */
static void what_happens_while_it_is_read_counts(void **state)
{
    const acme_target_t about = { 0, 0, 0 };
    const char *pem = issued(begin(), (issue_t){ 0 });
    const acme_issued_t what = { pem, strlen(pem), CERT_URL };
    acme_sync_t *sync = acme_sync_create(acme_registry_store(registry), pool);
    acme_install_t *one;

    (void)state;
    acme_cert_reader_turn(1);
    assert_int_equal(acme_install_begin(&one, registry, reload, &about, &what,
                                        sync, &res, pool), APR_EINPROGRESS);
    assert_int_equal(acme_pending_destroy(acme_registry_store(registry),
                                          "a.example", &res, pool), 0);
    wait_for_reading();
    assert_int_equal(acme_install_begin(&one, registry, reload, &about, &what,
                                        sync, &res, pool), APR_ENOENT);
    assert_null(one);
    assert_int_equal(count(at("store/aside")), 0);
    assert_true(archives() <= 0);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_begun_is_found_again),
        TEST(what_was_read_is_not_asked_again),
        TEST(what_happens_while_it_is_read_counts),
        TEST(what_cannot_be_read_is_not_refused),
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
        TEST(a_death_without_syncfs_costs_nothing),
        TEST(a_death_at_the_beginning_costs_nothing),
        TEST(parts_go_live_together),
        TEST(what_is_not_pending_is_not_installed),
        TEST(a_part_is_not_another_s),
        TEST(what_waited_too_long_is_ordered_anew),
        TEST(one_of_another_key_is_ordered_anew),
        TEST(only_a_private_ca_issues_for_years),
        TEST(a_death_between_the_parts_costs_nothing),
        TEST(several_go_live_together),
        TEST(each_that_fails_can_be_resumed),
        TEST(one_that_fails_is_alone),
        TEST(a_failed_sync_of_live_is_made_good),
        TEST(one_that_is_over_is_not_resumed),
        TEST(nor_does_it_end_a_later_request),
        TEST(it_ends_an_earlier_request),
        TEST(the_key_is_kept_when_it_is_wanted),
        TEST(must_staple_is_in_the_request),
        TEST(a_name_left_out_is_not_in_the_request),
        TEST(a_new_chain_is_only_that),
        TEST(each_part_gets_its_new_chain),
        TEST(a_chain_that_does_not_fit_is_refused),
        TEST(the_key_of_a_revoked_one_is_not_kept),
        TEST(nor_does_an_order_go_on_with_it),
        TEST(an_older_one_is_served),
        TEST(a_revoked_one_is_not_served_again),
        TEST(nor_is_one_with_its_key),
        TEST(an_order_is_not_resumed_without_end),
        TEST(an_order_has_an_age),
        TEST(an_order_without_an_age_gets_one),
        TEST(an_issued_one_is_not_dropped),
        TEST(installations_in_a_loop_end),
        TEST(installations_of_yesterday_do_not_count),
        TEST(what_is_due_or_wanted_is_installed),
        TEST(the_chain_that_is_live_is_not_installed_again)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
