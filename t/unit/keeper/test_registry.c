/*
 * test_registry.c - how certificates stand: read from whatever is in the
 * store, with the numbers of their changes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acme_archive.h"
#include "acme_cert_reader.h"
#include "acme_file.h"
#include "acme_launcher.h"
#include "acme_live_link.h"
#include "acme_meta.h"
#include "acme_registry_order.h"
#include "acme_registry_request.h"
#include "acme_registry_revoked.h"
#include "acme_take_over.h"
#include "registry_case.h"

static void an_empty_store_is_no_error(void **state)
{
    const acme_state_t *a;

    (void)state;
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    assert_int_equal(a->live, 0);
    assert_int_equal(a->not_after, 0);
    assert_int_equal(a->agreed, 1);
    assert_int_equal(a->renew.percent, 33);
    assert_int_equal(state_of(registry, 1)->cert, 1);
    assert_string_equal(acme_state_word(a, NOW), "placeholder");
    assert_int_equal(published, 2);
    assert_string_equal(logged(), "");
}

static void what_is_live_is_read(void **state)
{
    const acme_state_t *a;

    (void)state;
    put_live("a.example", "a.example www.a.example");
    put_live("b.example", "other.example");
    cert_of(test_conf, 0)->served = 1;
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    assert_int_equal(a->live, 1);
    assert_int_equal(a->served, 1);
    assert_int_equal(a->covers, 1);
    assert_string_equal(a->serial, "abcd");
    assert_string_equal(a->issuer, "Test CA");
    assert_true(a->not_before < apr_time_now());
    assert_true(a->not_after > apr_time_now() + DAYS(89));
    assert_int_equal(state_of(registry, 1)->live, 1);
    assert_int_equal(state_of(registry, 1)->covers, 0);
}

/* An order may be faster than the witness. */
static void what_the_witness_is_to_ask_outlives_an_order(void **state)
{
    const acme_state_t *a;

    (void)state;
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    assert_true(acme_registry_look_up(registry, 0, ACME_LOOK_UP_ACCOUNT, 1));
    acme_registry_refresh(registry, 0, pool);
    assert_int_equal(a->look_up, ACME_LOOK_UP_ACCOUNT);
    assert_int_equal(a->look_up_ca, 1);
    assert_false(acme_registry_look_up(registry, 0, ACME_LOOK_UP_HOSTS, 0));
    acme_registry_looked_up(registry, 0);
    acme_registry_refresh(registry, 0, pool);
    assert_int_equal(a->look_up, ACME_LOOK_UP_NOTHING);
}

/* Our only child, and with it who parses for us. */
static void kill_launcher(void)
{
    char line[64], path[64];
    FILE *children;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    children = fopen(path, "r");
    if (!children || !fgets(line, sizeof(line), children)) {
        skip();
    }
    fclose(children);
    kill((pid_t)atoi(line), SIGKILL);
    while (!acme_launcher_is_gone()) {
        usleep(1000);
    }
}

/* It would be ordered anew else, with all others. */
static void one_that_can_not_be_parsed_is_as_it_was_noted(void **state)
{
    static const char *const metas[] = {
        "{\"names\": [\"a.example\", \"www.a.example\"], "
        "\"certificates\": [{\"notBefore\": \"2027-01-01T00:00:00Z\", "
        "\"notAfter\": \"2027-04-01T00:00:00Z\", \"serial\": \"12ab\", "
        "\"issuer\": \"Noted CA\"}]}",
        "{}"
    };
    const acme_state_t *a;
    size_t i;

    for (i = 0; i < COUNT(metas); i++) {
        acme_archive_t *older = make_archive("{}"), *archive;

        if (i > 0) {
            scratch_teardown(state);
            registry_setup(state);
            older = make_archive("{}");
        }
        archive = make_archive(metas[i]);
        add_part(older, "", "a.example", 0);
        add_part(archive, "", "a.example www.a.example", 0);
        install_archive("a.example", older);
        install_archive("a.example", archive);
        registry = open_registry(test_conf);
        a = state_of(registry, 0);
        assert_string_equal(a->serial, "abcd");
        kill_launcher();
        acme_registry_refresh(registry, 0, pool);
        assert_string_equal(a->serial, "abcd");         /* it is known */
        acme_cert_reader_start();
        acme_registry_refresh(registry, 0, pool);
        assert_string_equal(a->serial, i ? "" : "12ab");
        assert_int_equal(a->live, i ? 0 : 2);
        assert_int_equal(a->covers, i == 0);
        assert_true(a->not_after == (i ? 0 : apr_time_from_sec(1806537600)));
        assert_logged("fullchain.pem: ");
    }
}

/* Where it came from, of what kind, and whether that is as configured. */
static void origin_and_key_types_are_compared(void **state)
{
    static const struct {
        const char *name, *meta, *key_types;
        apr_uint32_t issued_by;
        int covers;
    } rows[] = {
        { "no meta", "", "p256", ACME_NO_CA, 1 },
        { "an empty one", "{}", "p256", ACME_NO_CA, 1 },
        { "the first CA", "{\"ca\": \"" CA_URL "\"}", "p256", 0, 1 },
        { "the second CA", "{\"ca\": \"https://two.example/dir\", "
          "\"keyTypes\": \"p256\"}", "p256", 1, 1 },
        { "a CA no longer configured",
          "{\"ca\": \"https://gone.example/dir\"}", "p256", ACME_NO_CA, 0 },
        { "another key type", "{\"ca\": \"" CA_URL "\", "
          "\"keyTypes\": \"rsa2048\"}", "p256", 0, 0 },
        { "another profile", "{\"ca\": \"" CA_URL "\", "
          "\"profile\": \"shortlived\"}", "p256", 0, 0 },
        { "must-staple that is not wanted any more", "{\"ca\": \"" CA_URL
          "\", \"mustStaple\": true}", "p256", 0, 0 },
        { "none, as configured", "{\"ca\": \"" CA_URL
          "\", \"mustStaple\": false}", "p256", 0, 1 },
        { "by hand, with another profile", "{\"profile\": \"x\"}", "p256",
          ACME_NO_CA, 1 },
        { "a part that is not there", "{\"ca\": \"" CA_URL "\"}",
          "p256 rsa2048", 0, 0 }
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        acme_archive_t *archive;

        if (i > 0) {
            scratch_teardown(state);
            registry_setup(state);
        }
        add_ca(test_conf, "https://two.example/dir");
        set_key_types(test_conf, 0, rows[i].key_types);
        archive = make_archive(rows[i].meta);
        add_part(archive, "", "a.example www.a.example", 0);
        install_archive("a.example", archive);
        registry = open_registry(test_conf);
        if (state_of(registry, 0)->live != 1
            || state_of(registry, 0)->issued_by != rows[i].issued_by
            || state_of(registry, 0)->covers != rows[i].covers) {
            fail_msg("%s: issued by %u, covers %d", rows[i].name,
                     state_of(registry, 0)->issued_by,
                     state_of(registry, 0)->covers);
        }
        assert_int_equal(state_of(registry, 0)->cas, 2);
        assert_int_equal(state_of(registry, 1)->issued_by, ACME_NO_CA);
    }
}

/* A second part only takes away: names, and time. */
static void the_parts_are_read_together(void **state)
{
    static const struct {
        const char *name, *names;
        long until;             /* of the second part */
        int covers;
        long ends;              /* not after, in days from now */
    } rows[] = {
        { "as good", "a.example www.a.example", 90 * DAY, 1, 90 },
        { "ends earlier", "a.example www.a.example", 30 * DAY, 1, 30 },
        { "ends later", "a.example www.a.example", 200 * DAY, 1, 90 },
        { "lacks a name", "a.example", 90 * DAY, 0, 90 }
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        acme_archive_t *archive = make_archive("{}");
        const acme_state_t *a;

        add_part(archive, "", "a.example www.a.example", 90 * DAY);
        add_part(archive, "-p384", rows[i].names, rows[i].until);
        set_key_types(test_conf, 0, "p256 p384");
        install_archive("a.example", archive);
        registry = open_registry(test_conf);
        a = state_of(registry, 0);
        if (a->covers != rows[i].covers
            || a->not_after < apr_time_now() + DAYS(rows[i].ends - 1)
            || a->not_after > apr_time_now() + DAYS(rows[i].ends)) {
            fail_msg("%s: covers %d until %s", rows[i].name, a->covers,
                     acme_time_text(a->not_after, pool));
        }
    }
    (void)state;
}

/* One without it is whole as long as the name is left out. */
static void a_name_left_out_need_not_be_covered(void **state)
{
    const apr_time_t now = apr_time_now();
    acme_journal_t *journal = acme_journal_make(pool);
    acme_journal_name_t name = {
        "www.a.example", 3, now, now, now + DAYS(1), 0,
        ACME_REASON_DNS_FAILED, "no answer"
    };

    (void)state;
    put_live("a.example", "a.example");
    assert_int_equal(state_of(open_registry(test_conf), 0)->covers, 0);
    APR_ARRAY_PUSH(journal->names, acme_journal_name_t) = name;
    save_journal(journal);
    registry = open_registry(test_conf);
    assert_int_equal(state_of(registry, 0)->covers, 1);
    assert_int_equal(state_of(registry, 0)->left_out, 1);
    assert_int_equal(apr_time_sec(state_of(registry, 0)->names_again_at),
                     apr_time_sec(now + DAYS(1)));

    APR_ARRAY_IDX(journal->names, 0, acme_journal_name_t).again_at = now - 1;
    save_journal(journal);
    assert_int_equal(state_of(open_registry(test_conf), 0)->covers, 0);
}

static void damage_is_told_and_survived(void **state)
{
    static const struct {
        const char *name, *path;
        const char *text;       /* NULL: the file is removed */
        int live;
    } rows[] = {
        { "a journal", "journal/a.example.json", "{ \"attempts\": ", 1 },
        { "no journal", "journal/a.example.json", NULL, 1 },
        { "an empty chain", "live/a.example/fullchain.pem", "", 0 },
        { "no chain", "live/a.example/fullchain.pem", NULL, 0 },
        { "no key", "live/a.example/privkey.pem", NULL, 0 },
        { "a damaged key", "live/a.example/privkey.pem", "x", 0 }
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        if (i > 0) {
            scratch_teardown(state);
            registry_setup(state);
        }
        put_live("a.example", "a.example www.a.example");
        save_failure(cert_of(test_conf, 0)->settings);
        if (rows[i].text) {
            put(at("store/%s", rows[i].path), rows[i].text);
        }
        else {
            unlink(at("store/%s", rows[i].path));
        }
        registry = open_registry(test_conf);
        if (state_of(registry, 0)->live != rows[i].live) {
            fail_msg("%s: live is %d", rows[i].name,
                     state_of(registry, 0)->live);
        }
        if (rows[i].text || !rows[i].live) {
            assert_logged("a.example: ");
        }
        assert_string_equal(acme_state_word(state_of(registry, 1), NOW),
                            "placeholder");
    }
}

static void a_failure_belongs_to_its_configuration(void **state)
{
    const acme_state_t *a;

    (void)state;
    save_failure(cert_of(test_conf, 0)->settings);
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    assert_int_equal(a->attempts, 3);
    assert_int_equal(a->retry, ACME_RETRY_NEVER);
    assert_int_equal(a->next_at, NOW);
    assert_string_equal(a->detail, "a.example: no such name");
    assert_string_equal(acme_state_word(a, NOW), "failed");

    set_names(test_conf, 0, "a.example");
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    assert_int_equal(a->attempts, 0);
    assert_int_equal(a->next_at, 0);
    assert_string_equal(a->problem, "");
    assert_string_equal(a->detail, "");
    assert_int_equal(a->wanted, 1);     /* what the administrator wants */
}

/* Not so the time that the CA named, unless something else is asked for. */
static void a_time_of_the_cas_outlives_a_mended_setting(void **state)
{
    acme_journal_t *journal = acme_journal_make(pool);

    (void)state;
    journal->attempts = 1;
    journal->next_at = NOW;
    journal->retry = ACME_RETRY_LATER;
    journal->digest = cert_of(test_conf, 0)->settings;
    save_journal(journal);

    route_of(test_conf, 0)->proxy = "http://proxy:3128";
    set_digests(test_conf, cert_of(test_conf, 0));
    registry = open_registry(test_conf);
    assert_int_equal(state_of(registry, 0)->next_at, NOW);

    set_names(test_conf, 0, "a.example");
    registry = open_registry(test_conf);
    assert_int_equal(state_of(registry, 0)->next_at, 0);
}

static void texts_of_a_journal_are_cut(void **state)
{
    acme_journal_t *journal = acme_journal_make(pool);
    char *text = apr_palloc(pool, 4000);

    (void)state;
    memset(text, 'x', 3999);
    text[3999] = '\0';
    journal->problem = journal->detail = text;
    journal->digest = cert_of(test_conf, 0)->settings;
    journal->attempts = 1;
    save_journal(journal);
    registry = open_registry(test_conf);
    assert_in_range(strlen(state_of(registry, 0)->problem), 0,
                    ACME_PROBLEM_SIZE - 1);
    assert_in_range(strlen(state_of(registry, 0)->detail), 0,
                    ACME_DETAIL_SIZE - 1);
}

static void one_word_for_each_state(void **state)
{
    static const struct {
        acme_state_t state;
        const char *word;
    } rows[] = {
        { { .agreed = 1 }, "placeholder" },
        { { .agreed = 1, .ordering = 1 }, "ordering" },
        { { .agreed = 1, .attempts = 1 }, "failed" },
        { { .agreed = 1, .attempts = 1, .ordering = 1 }, "ordering" },
        { { .agreed = 1, .live = 1, .not_after = NOW + 1 }, "valid" },
        { { .agreed = 1, .live = 1, .not_after = NOW + 1, .ordering = 1 },
          "renewing" },
        { { .agreed = 1, .live = 1, .not_after = NOW + 1, .attempts = 2 },
          "failed" },
        { { .agreed = 1, .live = 1, .not_after = NOW }, "expired" },
        { { .agreed = 1, .live = 1, .not_after = NOW, .ordering = 1 },
          "expired" },
        { { .agreed = 0 }, "not-agreed" },
        { { .agreed = 0, .live = 1, .not_after = NOW + 1 }, "not-agreed" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(acme_state_word(&rows[i].state, NOW),
                            rows[i].word);
    }
}

static void changes_are_found_in_their_order(void **state)
{
    const acme_state_t *next;
    apr_uint64_t change;

    (void)state;
    registry = open_registry(test_conf);
    assert_int_equal(published, 2);
    next = acme_registry_next_change(registry, 0);
    assert_int_equal(next->cert, 0);
    next = acme_registry_next_change(registry, next->change);
    assert_int_equal(next->cert, 1);
    change = next->change;
    assert_null(acme_registry_next_change(registry, change));
    assert_null(acme_registry_next_change(registry, (apr_uint64_t)-1));

    acme_registry_order_begun(registry, 0, NOW);
    note(0, ACME_NOTE_ORDERED, "", NOW);
    assert_int_equal(published, 4);
    next = acme_registry_next_change(registry, change);
    assert_int_equal(next->cert, 0);
    assert_null(acme_registry_next_change(registry, next->change));
    assert_int_equal(acme_registry_next_change(registry, 0)->cert, 1);
}

/* More often than there is room for changes that are out of date. */
static void the_latest_change_of_each_is_found(void **state)
{
    const acme_state_t *next;
    apr_uint64_t change;
    int i;

    (void)state;
    registry = open_registry(test_conf);
    for (i = 0; i < 50; i++) {
        acme_registry_order_begun(registry, 0, NOW);
        if (i % 7 == 0) {
            acme_registry_order_begun(registry, 1, NOW);
        }
        change = state_of(registry, 1)->change;
        next = acme_registry_next_change(registry, change - 1);
        assert_int_equal(next->cert, 1);
        next = acme_registry_next_change(registry, change);
        if (i % 7) {
            assert_int_equal(next->cert, 0);
            assert_null(acme_registry_next_change(registry, next->change));
        }
        else {
            assert_null(next);
        }
    }
    assert_int_equal(acme_registry_order_count(registry), 2);
}

/* As the first look of a keeper whose load found it so. */
static void take_over(void)
{
    acme_cert_conf_t *cert = cert_of(test_conf, 0);

    cert->stand_in = (acme_stand_in_t) { .id = "old.example", .n = 1,
                                         .is_same = 1 };
    acme_take_over(cert, open_store(), &test_log, pool);
}

static int live_of_a(void)
{
    int n = 0;

    assert_int_equal(acme_live_link_read(&n, open_store(), "a.example", &res,
                                         pool), 0);
    return n;
}

static void what_is_taken_over_is_one_with_its_origin(void **state)
{
    const char *full = at("store/archive/old.example/1/fullchain.pem");
    const char *copy = at("store/archive/a.example/1/fullchain.pem");

    (void)state;
    put_live("old.example", "a.example www.a.example");
    assert_int_equal(chmod(full, 0600), 0); /* somebody added the key to it */
    take_over();
    assert_int_equal(live_of_a(), 1);
    assert_int_equal(mode_of(copy), 0600);
    assert_string_equal(text_of(copy), text_of(full));
    assert_string_equal(last_event("a.example"), "taken over");

    /* A keeper that is forked anew does not put it in the place of a new one. */
    put_live("a.example", "a.example www.a.example");
    take_over();
    assert_int_equal(live_of_a(), 2);
    assert_int_equal(count(at("store/archive/a.example")), 2);

    /* Whose key is lost is lost under each id. */
    assert_false(acme_archive_is_void(open_store(), "old.example", 1, pool));
    assert_int_equal(acme_meta_set_revoked(open_store(), "a.example", 1, NOW,
                                           &res, pool), 0);
    assert_true(acme_archive_is_void(open_store(), "old.example", 1, pool));
    assert_false(acme_archive_is_void(open_store(), "a.example", 2, pool));
}

static void a_copy_of_what_was_revoked_is_revoked(void **state)
{
    (void)state;
    put_live("old.example", "a.example www.a.example");
    take_over();
    assert_int_equal(acme_meta_set_revoked(open_store(), "old.example", 1, NOW,
                                           &res, pool), 0);
    open_registry(test_conf);
    assert_true(state_of(open_registry(test_conf), 0)->revoked);

    assert_int_equal(unlink(at("store/live/a.example")), 0);
    assert_int_equal(acme_file_dir_remove(at("store/archive/a.example"), &res,
                                          pool), 0);
    take_over();
    assert_int_equal(access(at("store/archive/a.example"), F_OK), -1);
}

static int has_revoked_key(apr_uint32_t cert, const char *id)
{
    return acme_registry_revoked_has_key(
        registry, cert, text_of(at("store/archive/%s/1/privkey.pem", id)),
        pool);
}

static void revoke_first(void)
{
    const acme_msg_want_t want = { { 0, 0, 0 }, ACME_WANT_REVOCATION, -1 };

    acme_registry_request_add(registry, &want, NOW, pool);
    acme_registry_request_done(registry, &want, NOW, pool);
}

/* They were asked of the archives before, which only this keeper changes. */
static void revoked_keys_are_known_at_once(void **state)
{
    const char *noted = at("store/archive/a.example/1/meta.json");

    (void)state;
    put_live("a.example", "a.example www.a.example");
    put_live("b.example", "b.example");
    registry = open_registry(test_conf);
    assert_false(has_revoked_key(0, "a.example"));
    put(noted, "{\"revoked\": \"2026-01-01T00:00:00Z\"}");
    assert_false(has_revoked_key(0, "a.example"));
    put(noted, "{}");
    revoke_first();
    assert_true(has_revoked_key(0, "a.example"));
    assert_false(has_revoked_key(0, "b.example"));
    assert_false(has_revoked_key(1, "b.example"));
}

static void so_are_those_of_what_it_is_a_copy_of(void **state)
{
    (void)state;
    put_live("a.example", "a.example www.a.example");
    put_live("b.example", "b.example");
    put(at("store/archive/a.example/1/meta.json"),
        "{\"from\": \"b.example/1\"}");
    registry = open_registry(test_conf);
    assert_false(has_revoked_key(1, "b.example"));
    revoke_first();
    assert_true(has_revoked_key(1, "b.example"));
}

/* Then nothing is remembered. */
static void an_archive_that_can_not_be_read_is_read_again(void **state)
{
    const char *noted = at("store/archive/a.example/1/meta.json");

    (void)state;
    put_live("a.example", "a.example www.a.example");
    registry = open_registry(test_conf);
    put(noted, "damaged");
    assert_false(has_revoked_key(0, "a.example"));
    put(noted, "{\"revoked\": \"2026-01-01T00:00:00Z\"}");
    assert_true(has_revoked_key(0, "a.example"));
}

static void no_certificates_at_all(void **state)
{
    (void)state;
    apr_array_clear(test_conf->certs);
    registry = open_registry(test_conf);
    assert_null(acme_registry_next_change(registry, 0));
    assert_int_equal(acme_registry_order_count(registry), 0);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, registry_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store_is_no_error),
        TEST(what_is_live_is_read),
        TEST(one_that_can_not_be_parsed_is_as_it_was_noted),
        TEST(origin_and_key_types_are_compared),
        TEST(the_parts_are_read_together),
        TEST(a_name_left_out_need_not_be_covered),
        TEST(damage_is_told_and_survived),
        TEST(a_failure_belongs_to_its_configuration),
        TEST(a_time_of_the_cas_outlives_a_mended_setting),
        TEST(texts_of_a_journal_are_cut),
        TEST(one_word_for_each_state),
        TEST(changes_are_found_in_their_order),
        TEST(the_latest_change_of_each_is_found),
        TEST(what_is_taken_over_is_one_with_its_origin),
        TEST(a_copy_of_what_was_revoked_is_revoked),
        TEST(revoked_keys_are_known_at_once),
        TEST(so_are_those_of_what_it_is_a_copy_of),
        TEST(an_archive_that_can_not_be_read_is_read_again),
        TEST(what_the_witness_is_to_ask_outlives_an_order),
        TEST(no_certificates_at_all)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
