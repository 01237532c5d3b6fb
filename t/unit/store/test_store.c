/*
 * test_store.c - ids, the folders and who may own them, the lock, aside/.
 */
#include "acme_file.h"
#include "open_store.h"


static const char *repeat(char c, int n)
{
    char *text = apr_palloc(pool, n + 1);

    memset(text, c, n);
    text[n] = '\0';
    return text;
}

static void ids(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *id;
    } rows[] = {
        { "name", "www.example.org", "www.example.org" },
        { "wildcard", "*.example.org", "_.example.org" },
        { "odd but fine", "-a_B.9..", "-a_B.9.." },
        { "empty", "", NULL },
        { "dot", ".", NULL },
        { "parent", "..", NULL },
        { "hidden", ".htaccess", NULL },
        { "temporary", ".x.new", NULL },
        { "slash", "/", NULL },
        { "absolute", "/etc/passwd", NULL },
        { "traversal", "a/../b", NULL },
        { "traversal up", "../b", NULL },
        { "backslash", "a\\b", NULL },
        { "NUL ends it", "a\0/../b", "a" },
        { "space", "a b", NULL },
        { "newline", "a\n", NULL },
        { "percent", "%s", NULL },
        { "address", "2001:db8::1", NULL },
        { "Latin 1", "caf\xe9", NULL },
        { "UTF-8", "caf\xc3\xa9", NULL }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *id = acme_store_id(rows[i].text, pool);

        if (!id != !rows[i].id || (id && strcmp(id, rows[i].id))) {
            fail_msg("%s: %s", rows[i].name, id ? id : "(none)");
        }
    }
    assert_non_null(acme_store_id(repeat('a', ACME_ID_MAX), pool));
    assert_null(acme_store_id(repeat('a', ACME_ID_MAX + 1), pool));
    assert_null(acme_store_id(repeat('a', 300), pool));
}

static void every_name_makes_an_id(void **state)
{
    const char *longest = apr_pstrcat(pool, repeat('a', 200), ".org",
                                      NULL);
    const char *id = acme_store_id_of_name(longest, pool);

    (void)state;
    assert_string_equal(acme_store_id_of_name("*.a.org", pool),
                        "_.a.org");
    assert_string_equal(acme_store_id_of_name("2001:db8::1", pool),
                        "2001_db8__1");
    assert_int_equal(strlen(id), ACME_ID_MAX);
    assert_string_not_equal(id, acme_store_id_of_name(
        apr_pstrcat(pool, longest, ".net", NULL), pool));
}

static void open_makes_folders_with_their_modes(void **state)
{
    static const struct {
        const char *name;
        int mode;
    } rows[] = {
        { "store", 0755 },
        { "store/accounts", 0700 },
        { "store/archive", 0755 },
        { "store/live", 0755 },
        { "store/pending", 0700 },
        { "store/next", 0700 },
        { "store/published", 0700 },
        { "store/journal", 0755 },
        { "store/placeholder", 0700 },
        { "store/deploy", 0700 },
        { "store/undelivered", 0700 },
        { "store/aside", 0700 },
        { "store/run", 0700 }
    };
    static const mode_t masks[] = { 0, 077 };
    size_t i, j;

    (void)state;
    for (j = 0; j < 2; j++) {
        mode_t before = umask(masks[j]);

        open_store();
        umask(before);
        for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
            if (mode_of(at("%s", rows[i].name)) != rows[i].mode) {
                fail_msg("%s: %o", rows[i].name,
                         mode_of(at("%s", rows[i].name)));
            }
        }
        assert_int_equal(count(at("store")), (int)COUNT(rows) - 1);
        assert_int_equal(acme_file_dir_remove(at("store"), &res, pool), 0);
    }
}

/* Whoever made it may have died before it synced the folder above. */
static void folders_of_before_last(void **state)
{
    const char *folder = at("store/live/a.example");
    acme_store_t *store = open_store();

    (void)state;
    assert_true(scratch_lasts(at("store")));
    assert_int_equal(rmdir(at("store/live")), 0);
    assert_int_equal(mkdir(at("store/live"), 0755), 0);
    assert_false(scratch_lasts(at("store")));
    open_store();
    assert_true(scratch_lasts(at("store")));

    assert_int_equal(acme_file_sync(at("store/live"), &res), 0);
    assert_int_equal(mkdir(folder, 0755), 0);
    assert_false(scratch_lasts(at("store/live")));
    assert_int_equal(acme_store_dir(store, folder, 0755, &res, pool), 0);
    assert_true(scratch_lasts(at("store/live")));
}

static apr_status_t try_open(const char *root)
{
    acme_store_t *store;
    apr_status_t rv = acme_store_open(&store, root, &res, pool);

    assert_true(!store == (rv != APR_SUCCESS));
    return rv;
}

static void open_refuses_a_root_that_is_not_safe(void **state)
{
    (void)state;
    assert_int_equal(try_open("relative/store"), EINVAL);
    assert_int_equal(res.retry, ACME_RETRY_NEVER);
    assert_int_equal(try_open(""), EINVAL);
    assert_int_equal(try_open(at("none/store")), ENOENT);
    assert_non_null(strstr(res.detail, "the folder above does not exist"));
    assert_int_equal(mode_of(at("none")), -1);
    put(at("file"), "x");
    assert_int_equal(try_open(at("file")), ENOTDIR);
    assert_int_equal(try_open(at("file/store")), ENOTDIR);

    mkdir(at("store"), 0755);
    chmod(at("store"), 0775);
    assert_int_equal(try_open(at("store")), EPERM);
    chmod(at("store"), 0757);
    assert_int_equal(try_open(at("store")), EPERM);
    assert_non_null(strstr(res.detail, "chmod go-w"));
    chmod(at("store"), 0750);
    assert_int_equal(try_open(at("store")), 0);
    assert_int_equal(mode_of(at("store")), 0750);
    if (geteuid() == 0) {
        assert_int_equal(chown(at("store"), 65534, 65534), 0);
        assert_int_equal(try_open(at("store")), EPERM);
        assert_non_null(strstr(res.detail, "belongs to uid 65534"));
    }
}

static void open_sets_foreign_files_aside(void **state)
{
    (void)state;
    mkdir(at("store"), 0755);
    put(at("store/journal"), "a file");
    put(at("store/notes.txt"), "stays");
    assert_int_equal(try_open(at("store")), 0);
    assert_ptr_equal(strstr(res.detail, at("store/journal")), res.detail);
    assert_non_null(strstr(res.detail, "set aside as "));
    assert_int_equal(mode_of(at("store/journal")), 0755);
    assert_int_equal(count(at("store/aside")), 1);
    assert_string_equal(text_of(at("store/notes.txt")), "stays");
    assert_int_equal(try_open(at("store/")), 0);
    assert_string_equal(res.detail, "");
}

/* Certificates must not vanish because a folder was moved elsewhere. */
static void open_leaves_links_to_the_administrator(void **state)
{
    (void)state;
    mkdir(at("real"), 0755);
    mkdir(at("elsewhere"), 0755);
    assert_int_equal(symlink("real", at("store")), 0);
    assert_int_equal(symlink(at("elsewhere"), at("real/archive")), 0);
    assert_int_equal(try_open(at("store")), ENOTDIR);
    assert_non_null(strstr(res.detail, "archive: not a folder"));
    assert_int_equal(count(at("real/aside")), 0);
    assert_int_equal(unlink(at("real/archive")), 0);
    assert_int_equal(try_open(at("store")), 0);
}

static void at_touches_nothing(void **state)
{
    acme_store_t *store = acme_store_at("/none//", pool);

    (void)state;
    assert_string_equal(acme_store_path(store, "run", NULL, pool),
                        "/none/run");
    assert_string_equal(acme_store_path(store, "run", "lock", pool),
                        "/none/run/lock");
    assert_string_equal(acme_store_live(store, "a.org", "fullchain.pem",
                                        pool),
                        "/none/live/a.org/fullchain.pem");
    assert_string_equal(acme_store_path(acme_store_at("/", pool), "run", NULL,
                                        pool), "//run");
}

static int lock_is_held(void *data)
{
    const char *pid = data;
    acme_store_t *store = open_store();

    CHECK(acme_store_lock(store, &res, pool) == APR_EBUSY);
    CHECK(strstr(res.detail, pid));
    CHECK(strstr(res.detail, "run/lock"));
    return 0;
}

static int lock_and_die(void *data)
{
    (void)data;
    CHECK(acme_store_lock(open_store(), &res, pool) == 0);
    return 0;
}

static void one_process_locks(void **state)
{
    acme_store_t *store = open_store();
    char pid[16];

    (void)state;
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    put(at("store/run/lock"), "junk\n");
    assert_int_equal(in_child(lock_and_die, NULL), 0);
    assert_int_equal(acme_store_lock(store, &res, pool), 0);
    assert_int_equal(acme_store_lock(store, &res, pool), 0);
    assert_int_equal(atoi(text_of(at("store/run/lock"))), getpid());
    assert_int_equal(in_child(lock_is_held, pid), 0);
    assert_int_equal(in_child(lock_is_held, pid), 0);
}

static void lock_follows_no_link(void **state)
{
    acme_store_t *store = open_store();

    (void)state;
    put(at("victim"), "victim");
    assert_int_equal(symlink(at("victim"), at("store/run/lock")), 0);
    assert_int_not_equal(acme_store_lock(store, &res, pool), 0);
    assert_string_equal(text_of(at("victim")), "victim");
}

static void aside_keeps_all_under_names_of_their_own(void **state)
{
    acme_store_t *store = open_store();
    apr_time_t now = apr_time_from_sec(1795239365);
    const char *to[3];
    int i;

    (void)state;
    for (i = 0; i < 3; i++) {
        put(at("store/journal/a.json"), i ? "later" : "first");
        assert_int_equal(acme_store_aside(&to[i], store,
                                          at("store/journal/a.json"), now,
                                          &res, pool), 0);
    }
    assert_string_equal(to[0],
        at("store/aside/20261121T053605Z-000-journal-a.json"));
    assert_string_equal(text_of(to[0]), "first");
    assert_string_equal(text_of(to[2]), "later");
    assert_int_equal(count(at("store/journal")), 0);
    assert_int_equal(acme_store_aside(&to[0], store, at("store/none"), now,
                                      &res, pool), ENOENT);
    assert_null(to[0]);
    put(at("%s", repeat('x', 250)), "long");
    assert_int_equal(acme_store_aside(&to[0], store,
                                      at("%s", repeat('x', 250)), now, &res,
                                      pool), 0);
}

static void aside_keeps_the_newest_32(void **state)
{
    acme_store_t *store = open_store();
    apr_time_t now = apr_time_from_sec(1795239365);
    const char *first = NULL;
    const char *to;
    int i;

    (void)state;
    put(at("store/aside/README"), "the administrator's");
    for (i = 0; i < 40; i++) {
        const char *path = at("store/pending/a");

        mkdir(path, 0700);
        put(at("store/pending/a/key.pem"), "secret");
        assert_int_equal(acme_store_aside(&to, store, path,
                                          now + apr_time_from_sec(i), &res,
                                          pool), 0);
        first = first ? first : to;
    }
    assert_int_equal(count(at("store/aside")), 33);
    assert_int_equal(mode_of(first), -1);
    assert_string_equal(text_of(apr_pstrcat(pool, to, "/key.pem",
                                            NULL)), "secret");
    assert_int_equal(mode_of(at("store/aside/README")) & 0400, 0400);
}

static void aside_keeps_folders_of_accounts(void **state)
{
    acme_store_t *store = open_store();
    apr_time_t now = apr_time_from_sec(1795239365);
    const char *path = at("store/accounts/ca.example.net-01234567");
    const char *file = at("store/accounts/account.json");
    const char *to;
    int i;

    (void)state;
    for (i = 0; i < 40; i++) {
        mkdir(path, 0700);
        put(at("store/accounts/ca.example.net-01234567/key.pem"), "secret");
        assert_int_equal(acme_store_aside(&to, store, path, now, &res, pool),
                         0);
    }
    assert_int_equal(count(at("store/aside")), 40);
    for (i = 0; i < 40; i++) {
        put(file, "no key");
        assert_int_equal(acme_store_aside(&to, store, file, now, &res, pool),
                         0);
    }
    assert_int_equal(count(at("store/aside")), 72);
}

static void an_unlocked_store_can_be_locked(void **state)
{
    acme_store_t *store = open_store(), *other;

    (void)state;
    assert_int_equal(acme_store_open(&other, at("store"), &res, pool), 0);
    assert_int_equal(acme_store_lock(store, &res, pool), 0);
    assert_int_equal(acme_store_lock(other, &res, pool), APR_EBUSY);
    acme_store_unlock(store);
    acme_store_unlock(store);
    assert_int_equal(acme_store_lock(other, &res, pool), 0);
}

static void damaged_tells_both(void **state)
{
    acme_store_t *store = open_store();

    (void)state;
    put(at("store/journal/a.json"), "x");
    acme_fail(&res, APR_EINVAL, "it is bad");
    assert_int_equal(acme_store_damaged(store, at("store/journal/a.json"),
                                        &res, pool), APR_EGENERAL);
    assert_ptr_equal(strstr(res.detail, "it is bad; set aside as "),
                     res.detail);
    acme_fail(&res, APR_EINVAL, "it is bad");
    assert_int_equal(acme_store_damaged(store, at("store/journal/a.json"),
                                        &res, pool), APR_EGENERAL);
    assert_ptr_equal(strstr(res.detail, "it is bad; it cannot be set aside"),
                     res.detail);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SCRATCH_TEST(ids),
        SCRATCH_TEST(every_name_makes_an_id),
        SCRATCH_TEST(open_makes_folders_with_their_modes),
        SCRATCH_TEST(folders_of_before_last),
        SCRATCH_TEST(open_refuses_a_root_that_is_not_safe),
        SCRATCH_TEST(open_sets_foreign_files_aside),
        SCRATCH_TEST(open_leaves_links_to_the_administrator),
        SCRATCH_TEST(at_touches_nothing),
        SCRATCH_TEST(one_process_locks),
        SCRATCH_TEST(lock_follows_no_link),
        SCRATCH_TEST(aside_keeps_all_under_names_of_their_own),
        SCRATCH_TEST(aside_keeps_the_newest_32),
        SCRATCH_TEST(aside_keeps_folders_of_accounts),
        SCRATCH_TEST(an_unlocked_store_can_be_locked),
        SCRATCH_TEST(damaged_tells_both),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
