/*
 * test_next_key.c - AcmeKeyReuse next: which key an order gets, and when there
 * is another next one.
 */
#include <poll.h>
#include <utime.h>

#include "acme_deploy_file.h"
#include "acme_file.h"
#include "acme_install.h"
#include "acme_install_pending.h"
#include "acme_key_maker.h"
#include "acme_next_key.h"
#include "acme_next_key_file.h"
#include "acme_registry_request.h"
#include "issuer.h"
#include "open_registry.h"
#include "same_key.h"

#define NAMES "a.example www.a.example"
#define STEPS_MAX 300
#define AGE apr_time_from_sec(2 * DAY)

static acme_conf_t *conf;
static acme_registry_t *registry;
static acme_reload_t *reload;
static acme_next_key_queue_t *next_keys;
static int next_keys_wait;      /* nobody asks for them */
static const issuer_t *ca;

static void held(void *baton, const char *reason)
{
    (void)baton;
    (void)reason;
}

/* As the keeper's loop does, until no certificate lacks a next key. */
static void make_next_keys(void)
{
    acme_next_key_queue_look(next_keys);
    while (acme_next_key_queue_step(next_keys, apr_time_now(), pool)) {
        struct pollfd fd = { acme_key_maker_fd(), POLLIN, 0 };

        if (fd.fd >= 0) {
            assert_int_equal(poll(&fd, 1, 60 * 1000), 1);
            assert_true(acme_key_maker_step(apr_time_now()));
            acme_next_key_queue_look(next_keys);
        }
    }
}

/* A keeper that started now, and looked at all certificates. */
static void open_all(void)
{
    static const acme_server_t server;

    registry = open_registry(conf);
    reload = acme_reload_create(&server, registry, held, NULL, pool);
    next_keys = acme_next_key_queue_create(registry, pool);
    make_next_keys();
}

static int setup(void **state)
{
    int rc = scratch_setup(state);

    next_keys_wait = 0;
    conf = make_conf();
    ca = make_issuer("Test CA");
    cert_of(conf, 0)->key_reuse = ACME_KEY_REUSE_NEXT;
    cert_of(conf, 0)->next_key_age = AGE;
    open_all();
    return rc;
}

static acme_pending_t *begin(apr_uint32_t part)
{
    const acme_target_t about = { 0, 0, part };
    acme_pending_t *pending;
    const char *flags;

    if (prepare_now(&pending, &flags, registry, &about)) {
        fail_msg("%s", res.detail);
    }
    assert_int_equal(
        acme_pending_order(
            acme_registry_store(registry),
            acme_install_pending_name(cert_of(conf, 0), part, pool),
            &(acme_pending_order_t){ .account = ca_of(conf, 0)->folder,
                                     .now = apr_time_now() },
            acme_sync_create(acme_registry_store(registry), pool), &res,
            pool),
        0);
    return pending;
}

static acme_key_t *key_of(const acme_pending_t *pending)
{
    acme_key_t *key;

    assert_int_equal(acme_key_parse(&key, pending->key_pem, "key", &res,
                                    pool), 0);
    return key;
}

static const char *issued(const acme_pending_t *pending)
{
    static long serial = 1000;
    const issue_t what = { .issuer = ca, .names = NAMES,
                           .key = csr_key(pending->csr, pending->csr_len),
                           .serial = serial++, .until = 90 * DAY + 3600 };

    return issue(&what);
}

static apr_status_t install_part(apr_uint32_t part, const char *pem)
{
    const acme_target_t about = { 0, 0, part };
    const acme_issued_t what = { pem, strlen(pem), NULL };
    apr_array_header_t *installs = apr_array_make(pool, 1,
                                                  sizeof(acme_install_t *));
    acme_sync_t *sync = acme_sync_create(acme_registry_store(registry), pool);
    acme_install_t *one;
    acme_result_t synced;
    const apr_status_t rv = begin_install(&one, registry, reload, &about,
                                          &what, sync, &res);

    if (!one) {
        return rv;
    }
    APR_ARRAY_PUSH(installs, acme_install_t *) = one;
    (void)acme_sync_run(sync, &synced);
    acme_install_finish(installs, sync);
    if (!next_keys_wait) {
        make_next_keys();
    }
    return acme_install_status(one);
}

/* Order a part, and install what the CA issues; its key. */
static acme_key_t *renew_part(apr_uint32_t part)
{
    const acme_pending_t *pending = begin(part);

    if (install_part(part, issued(pending))) {
        fail_msg("%s", res.detail);
    }
    return key_of(pending);
}

static acme_key_t *renew(void)
{
    return renew_part(0);
}

static const char *path_of(const char *type)
{
    return at("store/next/a.example/%s.pem", type);
}

static acme_key_t *next_of(const char *type)
{
    acme_key_t *key;

    if (acme_key_load(&key, path_of(type), &res, pool)) {
        fail_msg("%s", res.detail);
    }
    return key;
}

static acme_key_t *next(void)
{
    return next_of("p256");
}

/* As if it had been made so many seconds ago. */
static void set_age(const char *type, long age)
{
    const time_t then = time(NULL) - age;
    const struct utimbuf times = { then, then };

    assert_int_equal(utime(path_of(type), &times), 0);
}

static void revoke_live(void)
{
    const acme_msg_want_t want = { { 0, 0, 0 }, ACME_WANT_REVOCATION, -1 };

    acme_registry_request_add(registry, &want, apr_time_now(), pool);
    acme_registry_request_done(registry, &want, apr_time_now(), pool);
    assert_int_equal(acme_pending_remove(acme_registry_store(registry),
                                         "a.example", &res, pool), 0);
    assert_true(state_of(registry, 0)->revoked);
}

static void the_announced_key_is_used_once(void **state)
{
    acme_key_t *first, *second, *third;

    (void)state;
    assert_int_equal(count(at("store/next")), 0);       /* nothing is live */
    first = renew();
    second = next();
    assert_false(same_key(first, second));
    assert_int_equal(mode_of(path_of("p256")), 0600);
    assert_int_equal(mode_of(at("store/next/a.example")), 0700);
    assert_logged("[notice] a.example: the next key (p256) is made: TLSA 3 1 1 ");
    assert_true(state_of(registry, 0)->next_key_made);
    assert_int_equal(state_of(registry, 0)->next_key_from,
                     state_of(registry, 0)->next_key_made + AGE);

    set_age("p256", 2 * DAY + 1);
    assert_true(same_key(renew(), second));
    third = next();
    assert_false(same_key(third, second));
    set_age("p256", 2 * DAY + 1);
    open_all();
    assert_true(same_key(next(), third));
    assert_true(same_key(renew(), third));
}

static void a_young_one_is_not_used(void **state)
{
    acme_key_t *first = renew(), *second = next();

    (void)state;
    set_age("p256", 2 * DAY - 60);
    assert_true(same_key(renew(), first));
    assert_logged("[notice] a.example: the renewal keeps the current key: the next key (p256) is used from ");
    assert_true(same_key(next(), second));      /* and it becomes older */
    set_age("p256", 2 * DAY + 1);
    assert_true(same_key(renew(), second));
}

/* A command of deploy began then, so many seconds ago, and has ended well. */
static void deployed(long ago, int is_complete)
{
    acme_deploy_file_t *file = acme_deploy_file_make(pool);

    file->begun = apr_time_now() - apr_time_from_sec(ago);
    file->is_complete = is_complete;
    assert_int_equal(acme_deploy_file_save(acme_registry_store(registry),
                                           "a.example", file, &res, pool), 0);
}

/* A command of deploy may be what announces it: a registry that does not know
   yet, of a keeper that began just now, is no excuse. */
static void one_that_is_perhaps_not_announced_is_not_used(void **state)
{
    acme_key_t *first = renew(), *second = next();
    apr_array_header_t *hooks =
        apr_array_make(pool, 1, sizeof(acme_hook_conf_t));
    acme_hook_conf_t *hook = apr_array_push(hooks);
    size_t i;
    static const struct {
        long ago;
        int is_complete;
    } none[] = { { 3 * DAY - 3600, 0 }, { 3 * DAY + 3600, 1 } };

    (void)state;
    hook->kind = ACME_HOOK_DEPLOY;
    hook->command = words("publish");
    cert_of(conf, 0)->hooks = hooks;
    set_age("p256", 3 * DAY);
    assert_true(same_key(renew(), first));      /* none ever ran */
    for (i = 0; i < COUNT(none); i++) {
        deployed(none[i].ago, none[i].is_complete);
        assert_true(same_key(renew(), first));
        assert_int_equal(times_logged("have not all succeeded since it was made"),
                         i + 2);
    }
    assert_true(same_key(next(), second));
    deployed(3 * DAY - 3600, 1);
    assert_true(same_key(renew(), second));

    /* Nobody waits for it after a revocation. */
    second = next();
    set_age("p256", 3 * DAY);
    deployed(3 * DAY, 0);
    revoke_live();
    assert_true(same_key(renew(), second));
}

static void an_order_that_fails_does_not_use_it_up(void **state)
{
    acme_key_t *second;

    (void)state;
    renew();
    second = next();
    set_age("p256", 3 * DAY);
    assert_true(same_key(key_of(begin(0)), second));
    set_names(conf, 0, "a.example");
    assert_true(same_key(key_of(begin(0)), second));
    open_all();
    assert_true(same_key(next(), second));
    assert_true(same_key(key_of(begin(0)), second));
}

/* The keeper dies between the installation and the making of another one. */
static void one_that_is_live_is_not_next(void **state)
{
    acme_key_t *first = renew();

    (void)state;
    assert_int_equal(acme_next_key_file_save(acme_registry_store(registry),
                                             "a.example", ACME_KEY_P256, first,
                                             &res, pool), 0);
    set_age("p256", 3 * DAY);
    assert_true(same_key(next(), first));
    revoke_live();
    assert_false(same_key(key_of(begin(0)), first));
    open_all();
    assert_false(same_key(next(), first));
}

/* Until another one is made its file would be the key that was revoked. */
static void one_that_is_live_has_no_file(void **state)
{
    acme_key_t *first, *second;

    (void)state;
    set_key_types(conf, 0, "rsa2048");
    first = renew();
    second = next_of("rsa2048");
    set_age("rsa2048", 3 * DAY);
    next_keys_wait = 1;
    assert_true(same_key(renew(), second));
    assert_int_equal(mode_of(path_of("rsa2048")), -1);
    next_keys_wait = 0;
    make_next_keys();
    assert_false(same_key(next_of("rsa2048"), first));
    assert_false(same_key(next_of("rsa2048"), second));
}

/* However its file came back, and whatever was installed since. */
static void one_that_was_revoked_is_not_next(void **state)
{
    acme_key_t *first = renew(), *second;

    (void)state;
    revoke_live();
    second = renew();
    assert_false(same_key(second, first));
    assert_int_equal(acme_next_key_file_save(acme_registry_store(registry),
                                             "a.example", ACME_KEY_P256, first,
                                             &res, pool), 0);
    set_age("p256", 3 * DAY);
    assert_true(same_key(renew(), second));
    assert_false(same_key(next(), first));
}

/* An order began with the key, and then it was revoked. */
static void one_that_was_revoked_ends_no_order(void **state)
{
    const acme_msg_want_t want = { { 0, 0, 0 }, ACME_WANT_REVOCATION, -1 };
    acme_key_t *first = renew();

    (void)state;
    assert_true(same_key(key_of(begin(0)), first));
    acme_registry_request_add(registry, &want, apr_time_now(), pool);
    acme_registry_request_done(registry, &want, apr_time_now(), pool);
    unlink(path_of("p256"));
    assert_false(same_key(key_of(begin(0)), first));
}

static void after_a_revocation_it_is_used_at_once(void **state)
{
    acme_key_t *first = renew(), *second = next();

    (void)state;
    revoke_live();
    assert_true(same_key(renew(), second));
    assert_logged("[warning] a.example: the next key (p256) is used before ");
    assert_false(same_key(next(), second));
    assert_false(same_key(next(), first));
}

static void a_damaged_one_is_set_aside(void **state)
{
    static const char *const damages[] = { "", "not a key" };
    acme_key_t *first = renew();
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(damages); i++) {
        put(path_of("p256"), damages[i]);
        assert_true(same_key(renew(), first));
        assert_int_equal(times_logged("the next key cannot be used: "), i + 1);
        assert_int_equal(times_logged("there is no next key (p256), so the renewal keeps the current key"),
                         i + 1);
        assert_int_equal(count(at("store/aside")), (int)i + 1);
        assert_int_equal(times_logged("the next key (p256) is made: "), i + 2);
        assert_false(same_key(next(), first));
    }
    /* Also by a keeper that starts. */
    put(path_of("p256"), "not a key");
    open_all();
    assert_int_equal(times_logged("the next key (p256) is made: "), i + 2);
    /* A key of another type is none, nor is a link. */
    assert_int_equal(acme_file_dir_remove(path_of("p256"), &res, pool), 0);
    assert_int_equal(symlink(at("store/live/a.example/privkey.pem"),
                             path_of("p256")), 0);
    open_all();
    assert_int_equal(times_logged("the next key (p256) is made: "), i + 3);
    assert_false(same_key(next(), first));
}

static void a_revoked_one_without_a_next_gets_a_new_one(void **state)
{
    acme_key_t *first = renew(), *second = next();
    acme_key_t *found;

    (void)state;
    put(path_of("p256"), "not a key");
    revoke_live();
    found = renew();
    assert_false(same_key(found, first) || same_key(found, second));
    assert_logged("a new one is used at once, and clients with DANE may fail");
}

/* The request waits for its key, and is looked at each second. */
static void one_that_is_missed_is_logged_once(void **state)
{
    const acme_target_t about = { 0, 0, 0 };
    acme_pending_t *pending;
    const char *flags;
    int i;

    (void)state;
    set_key_types(conf, 0, "rsa2048");
    renew();
    revoke_live();
    unlink(path_of("rsa2048"));
    for (i = 0; i < 3; i++) {
        assert_int_equal(acme_install_pending_prepare(&pending, &flags,
                                                      registry, &about, &res,
                                                      pool), APR_EAGAIN);
    }
    assert_int_equal(times_logged("there is no next key"), 0);
    begin(0);
    assert_int_equal(times_logged("there is no next key"), 1);
}

static void one_of_the_future_counts_from_now(void **state)
{
    acme_key_t *first = renew(), *second = next();

    (void)state;
    set_age("p256", -30 * DAY);
    open_all();
    assert_logged("is dated ");
    assert_true(same_key(next(), second));
    assert_true(same_key(renew(), first));
    assert_int_equal(times_logged("is dated "), 1);
    set_age("p256", 3 * DAY);
    assert_true(same_key(renew(), second));
}

static void each_key_type_has_one(void **state)
{
    acme_key_t *elliptic, *rsa;

    (void)state;
    set_key_types(conf, 0, "p256 rsa2048");
    renew_part(0);
    renew_part(1);
    elliptic = next();
    rsa = next_of("rsa2048");
    set_age("p256", 3 * DAY);
    set_age("rsa2048", 3 * DAY);
    assert_true(same_key(renew_part(0), elliptic));
    assert_true(same_key(next(), elliptic));    /* one is not live yet */
    assert_true(same_key(renew_part(1), rsa));
    assert_false(same_key(next(), elliptic));
    assert_false(same_key(next_of("rsa2048"), rsa));
}

/* Of another type there is none yet, and the current key is of no use. */
static void another_key_type_begins_anew(void **state)
{
    acme_key_t *third;

    (void)state;
    renew();
    set_key_types(conf, 0, "p384");
    assert_string_equal(acme_key_alg(renew()), "ES384");
    assert_logged("a new one is used at once, and clients with DANE may fail");
    assert_int_equal(mode_of(path_of("p256")), -1);
    third = next_of("p384");
    set_age("p384", 3 * DAY);
    assert_true(same_key(renew(), third));
}

/* An order has a key that nobody announced. */
static void begin_with_any_key(acme_key_t *current)
{
    assert_int_equal(acme_pending_remove(acme_registry_store(registry),
                                         "a.example", &res, pool), 0);
    cert_of(conf, 0)->key_reuse = ACME_KEY_REUSE_OFF;
    assert_false(same_key(key_of(begin(0)), current));
    cert_of(conf, 0)->key_reuse = ACME_KEY_REUSE_NEXT;
}

static void it_follows_the_configuration(void **state)
{
    acme_key_t *first;

    (void)state;
    cert_of(conf, 0)->key_reuse = ACME_KEY_REUSE_OFF;
    first = renew();
    assert_int_equal(count(at("store/next")), 0);
    begin_with_any_key(first);          /* and there is no next one yet */
    assert_true(same_key(key_of(begin(0)), first));
    begin_with_any_key(first);
    open_all();
    assert_false(same_key(next(), first));
    assert_true(same_key(key_of(begin(0)), first));
    assert_true(same_key(renew(), first));

    cert_of(conf, 0)->key_reuse = ACME_KEY_REUSE_ON;
    open_all();
    assert_int_equal(count(at("store/next")), 0);
    assert_int_equal(state_of(registry, 0)->next_key_made, 0);
    assert_true(same_key(renew(), first));
    assert_int_equal(count(at("store/next")), 0);
}

static void one_that_can_not_be_written_costs_nothing(void **state)
{
    acme_key_t *first;

    (void)state;
    assert_int_equal(rmdir(at("store/next")), 0);
    put(at("store/next"), "");
    first = renew();
    assert_int_equal(state_of(registry, 0)->live, 1);
    assert_logged("[error] a.example: the next key (p256) cannot be made: ");
    assert_int_equal(state_of(registry, 0)->next_key_made, 0);
    assert_true(same_key(renew(), first));
    open_all();                         /* the file is set aside */
    assert_false(same_key(next(), first));
}

/* What the next keeper finds: the announced key is live, or still next. */
static void assert_announced(acme_key_t *announced)
{
    acme_key_t *live;

    open_all();
    assert_int_equal(acme_key_load(&live, at("store/live/a.example/privkey.pem"),
                                   &res, pool), 0);
    assert_int_equal(same_key(live, announced),
                     !same_key(next(), announced));
}

static const char *pem_to_install;

/* 0: there are not so many steps. */
static int install_and_fail(void *data)
{
    scratch_step = *(int *)data;
    (void)install_part(0, pem_to_install);
    return scratch_step == 0;
}

/* A keeper that dies, or a full disk, at any step of an installation. */
static void no_step_loses_it(void **state)
{
    apr_pool_t *whole = pool;
    acme_key_t *announced;
    int i, code, errno_at[] = { 0, ENOSPC };
    size_t k;

    (void)state;
    renew();
    announced = next();
    set_age("p256", 3 * DAY);
    pem_to_install = issued(begin(0));
    copy_folder(at("store"), at("begun"));
    for (k = 0; k < COUNT(errno_at); k++) {
        for (i = 1, code = 1; code && i < STEPS_MAX; i++) {
            apr_pool_create(&pool, whole);
            copy_folder(at("begun"), at("store"));
            open_all();
            scratch_errno = errno_at[k];
            code = in_child(install_and_fail, &i);
            assert_announced(announced);
            assert_int_equal(install_part(0, pem_to_install), 0);
            assert_announced(announced);
            assert_false(same_key(next(), announced));
            apr_pool_destroy(pool);
        }
        assert_in_range(i, 10, STEPS_MAX - 1);
    }
    pool = whole;
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_announced_key_is_used_once),
        TEST(a_young_one_is_not_used),
        TEST(one_that_is_perhaps_not_announced_is_not_used),
        TEST(an_order_that_fails_does_not_use_it_up),
        TEST(one_that_is_live_is_not_next),
        TEST(one_that_is_live_has_no_file),
        TEST(one_that_was_revoked_is_not_next),
        TEST(one_that_was_revoked_ends_no_order),
        TEST(after_a_revocation_it_is_used_at_once),
        TEST(a_damaged_one_is_set_aside),
        TEST(a_revoked_one_without_a_next_gets_a_new_one),
        TEST(one_that_is_missed_is_logged_once),
        TEST(one_of_the_future_counts_from_now),
        TEST(each_key_type_has_one),
        TEST(another_key_type_begins_anew),
        TEST(it_follows_the_configuration),
        TEST(one_that_can_not_be_written_costs_nothing),
        TEST(no_step_loses_it)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
