/*
 * test_registry.c - how certificates stand: read from whatever is in the store,
 * and told to journal, log and board as it changes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acme_archive.h"
#include "acme_launcher.h"
#include "acme_meta.h"
#include "acme_next_step.h"
#include "acme_take_over.h"
#include "acme_file.h"
#include "acme_live_link.h"
#include "issuer.h"
#include "open_registry.h"

#define NOW apr_time_from_sec(1800000000)
#define DAYS(n) apr_time_from_sec((n) * DAY)

static acme_conf_t *conf;
static acme_registry_t *registry;

static int setup(void **state)
{
    int rc = scratch_setup(state);

    conf = make_conf();
    published = 0;
    return rc;
}

/* A certificate for names, as if it had been issued. */
static void add_part(acme_archive_t *archive, const char *suffix,
                     const char *names, long until)
{
    acme_key_t *key = make_key();
    issue_t what = { .issuer = make_issuer("Test CA"), .names = names,
                     .serial = 0xabcd, .until = until };
    acme_archive_part_t part = { suffix, NULL, NULL, "", NULL };

    what.key = acme_key_evp(key);
    part.full_pem = part.cert_pem = issue(&what);
    assert_int_equal(acme_key_pem(&part.key_pem, key, &res, pool), 0);
    APR_ARRAY_PUSH(archive->parts, acme_archive_part_t) = part;
}

static acme_archive_t *make_archive(const char *meta)
{
    acme_archive_t *archive = apr_pcalloc(pool, sizeof(*archive));

    archive->parts = apr_array_make(pool, 2,
                                    sizeof(acme_archive_part_t));
    archive->meta = meta;
    return archive;
}

static void install_archive(const char *id, const acme_archive_t *archive)
{
    int n;

    assert_int_equal(acme_archive_install(&n, open_store(), id, archive,
                                          &res, pool), 0);
}

static void put_live(const char *id, const char *names)
{
    acme_archive_t *archive = make_archive("{}");

    add_part(archive, "", names, 90 * DAY);
    install_archive(id, archive);
}

static void save_journal(acme_journal_t *journal)
{
    assert_int_equal(acme_journal_save(open_store(), "a.example", journal,
                                       &res, pool), 0);
}

/* A failure that belongs to the configuration with this digest. */
static void save_failure(const char *digest)
{
    acme_journal_t *journal = acme_journal_make(pool);

    journal->attempts = 3;
    journal->next_at = NOW;
    journal->retry = ACME_RETRY_NEVER;
    journal->wanted = 1;
    journal->problem = "urn:ietf:params:acme:error:dns";
    journal->detail = "a.example: no such name";
    journal->digest = digest;
    save_journal(journal);
}

#define HOUR (DAYS(1) / 24)

static void note(apr_uint32_t cert, acme_note_e what, const char *detail,
                 apr_time_t next_at)
{
    acme_msg_note_t message = {
        .about = { cert, 0, 0 }, .note = what, .next_at = next_at,
        .retry = ACME_RETRY_SOON, .name = ACME_NO_NAME,
        .challenge = ACME_CHALLENGES
    };

    apr_cpystrn(message.problem, "urn:x", sizeof(message.problem));
    apr_cpystrn(message.detail, detail, sizeof(message.detail));
    acme_registry_order_noted(registry, &message, NOW, pool);
}

static void want(apr_uint32_t cert, acme_want_e what)
{
    const acme_msg_want_t message = { { cert, 0, 0 }, what, 4 };

    acme_registry_want(registry, &message, NOW, pool);
}

static void done(apr_uint32_t cert, acme_want_e what)
{
    const acme_msg_want_t message = { { cert, 0, 0 }, what, -1 };

    acme_registry_want_done(registry, &message, NOW, pool);
}

/* Reading */

static void an_empty_store_is_no_error(void **state)
{
    const acme_state_t *a;

    (void)state;
    registry = open_registry(conf);
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
    cert_of(conf, 0)->served = 1;
    registry = open_registry(conf);
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
            setup(state);
            older = make_archive("{}");
        }
        archive = make_archive(metas[i]);
        add_part(older, "", "a.example", 0);
        add_part(archive, "", "a.example www.a.example", 0);
        install_archive("a.example", older);
        install_archive("a.example", archive);
        registry = open_registry(conf);
        a = state_of(registry, 0);
        assert_string_equal(a->serial, "abcd");
        kill_launcher();
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
            setup(state);
        }
        add_ca(conf, "https://two.example/dir");
        set_key_types(conf, 0, rows[i].key_types);
        archive = make_archive(rows[i].meta);
        add_part(archive, "", "a.example www.a.example", 0);
        install_archive("a.example", archive);
        registry = open_registry(conf);
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
        set_key_types(conf, 0, "p256 p384");
        install_archive("a.example", archive);
        registry = open_registry(conf);
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
    assert_int_equal(state_of(open_registry(conf), 0)->covers, 0);
    APR_ARRAY_PUSH(journal->names, acme_journal_name_t) = name;
    save_journal(journal);
    registry = open_registry(conf);
    assert_int_equal(state_of(registry, 0)->covers, 1);
    assert_int_equal(state_of(registry, 0)->left_out, 1);
    assert_int_equal(apr_time_sec(state_of(registry, 0)->names_again_at),
                     apr_time_sec(now + DAYS(1)));

    APR_ARRAY_IDX(journal->names, 0, acme_journal_name_t).again_at = now - 1;
    save_journal(journal);
    assert_int_equal(state_of(open_registry(conf), 0)->covers, 0);
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
            setup(state);
        }
        put_live("a.example", "a.example www.a.example");
        save_failure(cert_of(conf, 0)->settings);
        if (rows[i].text) {
            put(at("store/%s", rows[i].path), rows[i].text);
        }
        else {
            unlink(at("store/%s", rows[i].path));
        }
        registry = open_registry(conf);
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
    save_failure(cert_of(conf, 0)->settings);
    registry = open_registry(conf);
    a = state_of(registry, 0);
    assert_int_equal(a->attempts, 3);
    assert_int_equal(a->retry, ACME_RETRY_NEVER);
    assert_int_equal(a->next_at, NOW);
    assert_string_equal(a->detail, "a.example: no such name");
    assert_string_equal(acme_state_word(a, NOW), "failed");

    set_names(conf, 0, "a.example");
    registry = open_registry(conf);
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
    journal->digest = cert_of(conf, 0)->settings;
    save_journal(journal);

    route_of(conf, 0)->proxy = "http://proxy:3128";
    set_digests(conf, cert_of(conf, 0));
    registry = open_registry(conf);
    assert_int_equal(state_of(registry, 0)->next_at, NOW);

    set_names(conf, 0, "a.example");
    registry = open_registry(conf);
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
    journal->digest = cert_of(conf, 0)->settings;
    journal->attempts = 1;
    save_journal(journal);
    registry = open_registry(conf);
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

/* Telling */

/* What a worker asks to wait for, and what is made of it. */
static const struct {
    const char *name;
    apr_time_t next_at, until;
} waits[] = {
    { "in a minute", NOW + 60000000, NOW + 60000000 },
    { "in two days", NOW + DAYS(2), NOW + DAYS(2) },
    { "in three days", NOW + DAYS(3), NOW + DAYS(2) },
    { "at the end of time", APR_INT64_MAX, NOW + DAYS(2) },
    { "before time", APR_INT64_MIN, NOW + DAYS(2) }
};

static void a_failure_is_told_and_remembered(void **state)
{
    const acme_state_t *a;
    size_t i;

    (void)state;
    registry = open_registry(conf);
    a = state_of(registry, 0);
    for (i = 0; i < COUNT(waits); i++) {
        note(0, ACME_NOTE_FAILED, "a.example: it rains", waits[i].next_at);
        if (a->attempts != i + 1 || a->next_at != waits[i].until) {
            fail_msg("%s: attempt %u, %s", waits[i].name, a->attempts,
                     acme_time_text(a->next_at, pool));
        }
    }
    assert_logged("[error] a.example: failed: attempt 5: a.example: it rains");
    assert_string_equal(last_event("a.example"), "failed");
    assert_string_equal(a->problem, "urn:x");
    assert_string_equal(acme_state_word(a, NOW), "failed");

    registry = open_registry(conf);
    assert_int_equal(state_of(registry, 0)->attempts, 5);
    assert_int_equal(state_of(registry, 0)->next_at, NOW + DAYS(2));
    assert_string_equal(state_of(registry, 0)->detail, "a.example: it rains");
    assert_int_equal(state_of(registry, 1)->attempts, 0);
}

static void a_failure_for_good_is_told_so(void **state)
{
    const acme_msg_note_t message = {
        .note = ACME_NOTE_FAILED, .next_at = NOW, .retry = ACME_RETRY_NEVER,
        .name = ACME_NO_NAME, .challenge = ACME_CHALLENGES, .detail = "no"
    };

    (void)state;
    registry = open_registry(conf);
    acme_registry_order_noted(registry, &message, NOW, pool);
    assert_logged("waits for a changed configuration");
    assert_int_equal(state_of(open_registry(conf), 0)->retry, ACME_RETRY_NEVER);
}

static void a_stranger_s_text_makes_no_line_of_its_own(void **state)
{
    static const acme_note_e notes[] = {
        ACME_NOTE_ORDERED, ACME_NOTE_RESUMED, ACME_NOTE_VALIDATED,
        ACME_NOTE_WARNING, ACME_NOTE_CHALLENGE, ACME_NOTE_NAME,
        ACME_NOTE_FAILED
    };
    size_t i;

    (void)state;
    registry = open_registry(conf);
    for (i = 0; i < COUNT(notes); i++) {
        note(0, notes[i], "x\n[error] b.example: forged\r\x1b[2J%s%n\xff",
             NOW);
        assert_logged("x\\x0a[error] b.example: forged\\x0d\\x1b[2J%s%n\\xff");
    }
    assert_not_logged("\n[error] b.example");
    assert_null(strpbrk(state_of(registry, 0)->detail, "\n\r\x1b\xff"));
}

static void progress_is_told_and_is_no_failure(void **state)
{
    (void)state;
    registry = open_registry(conf);
    note(0, ACME_NOTE_ORDERED, "2 names", 0);
    note(0, ACME_NOTE_RESUMED, "2 names", 0);
    assert_string_equal(last_event("a.example"), "resumed");
    note(0, ACME_NOTE_VALIDATED, "both", 0);
    assert_logged("[notice] a.example: ordered: 2 names");
    assert_logged("[notice] a.example: resumed: 2 names");
    assert_logged("[notice] a.example: validated: both");
    assert_int_equal(state_of(registry, 0)->attempts, 0);
    assert_string_equal(last_event("a.example"), "validated");
}

static void an_installation_forgets_failures(void **state)
{
    const acme_state_t *a;

    (void)state;
    save_failure(cert_of(conf, 0)->settings);
    put_live("a.example", "a.example www.a.example");
    registry = open_registry(conf);
    a = state_of(registry, 0);
    acme_registry_order_begun(registry, 0, NOW);
    acme_registry_installed(registry, 0, cert_of(conf, 0)->names, NOW, pool);
    assert_int_equal(a->attempts, 0);
    assert_int_equal(a->next_at, 0);
    assert_int_equal(a->wanted, 0);
    assert_int_equal(a->ordering, 0);
    assert_string_equal(a->detail, "");
    assert_string_equal(last_event("a.example"), "installed");
    a = state_of(open_registry(conf), 0);
    assert_int_equal(a->attempts, 0);
    assert_int_equal(a->wanted, 0);
}

static void what_the_administrator_wants_is_remembered(void **state)
{
    (void)state;
    save_failure(cert_of(conf, 0)->settings);
    registry = open_registry(conf);
    want(1, ACME_WANT_RENEWAL);
    assert_int_equal(state_of(registry, 1)->wanted, ACME_WANT_RENEWAL);
    assert_int_equal(state_of(open_registry(conf), 1)->wanted,
                     ACME_WANT_RENEWAL);
    assert_logged("b.example: requested by the administrator: renewal");
    assert_string_equal(last_event("b.example"), "asked");

    note(1, ACME_NOTE_FAILED, "no", NOW);
    assert_int_equal(state_of(open_registry(conf), 1)->wanted, 0);
}

/* Neither an attempt is counted, nor a name blamed, nor an order postponed. */
static void a_dry_run_changes_nothing_but_its_own_result(void **state)
{
    acme_msg_note_t passed = { .note = ACME_NOTE_DRY_RUN_PASSED,
                               .detail = "1 name validated" };
    acme_msg_note_t failed = { .note = ACME_NOTE_DRY_RUN_FAILED, .name = 0,
                               .challenge = ACME_HTTP_01,
                               .why = ACME_REASON_DNS_NXDOMAIN,
                               .detail = "no such\nname" };
    acme_state_t before;
    const acme_state_t *a;

    (void)state;
    save_failure(cert_of(conf, 0)->settings);
    registry = open_registry(conf);
    a = state_of(registry, 0);
    before = *a;
    want(0, ACME_WANT_DRY_RUN);
    assert_int_equal(a->wanted, ACME_WANT_DRY_RUN);
    assert_int_equal(a->dry_run, ACME_DRY_RUN_UNDER_WAY);
    assert_int_equal(a->attempts, before.attempts);
    assert_int_equal(a->next_at, before.next_at);
    assert_int_equal(acme_registry_orders_under_way(registry), 0);
    assert_int_equal(state_of(open_registry(conf), 0)->dry_run,
                     ACME_DRY_RUN_UNDER_WAY);

    acme_registry_order_noted(registry, &failed, NOW, pool);
    assert_int_equal(a->wanted, ACME_WANT_NOTHING);
    assert_int_equal(a->dry_run, ACME_DRY_RUN_FAILED);
    assert_int_equal(a->dry_run_why, ACME_REASON_DNS_NXDOMAIN);
    assert_int_equal(a->attempts, before.attempts);
    assert_int_equal(a->next_at, before.next_at);
    assert_string_equal(a->detail, before.detail);
    assert_int_equal(a->left_out, 0);
    assert_int_equal(a->pasts[ACME_HISTORY_FAILED],
                     before.pasts[ACME_HISTORY_FAILED]);
    assert_string_equal(last_event("a.example"), "dry-run-failed");
    assert_logged("[warning] a.example: dry run failed: no such");
    assert_null(strchr(a->dry_run_detail, '\n'));
    a = state_of(open_registry(conf), 0);
    assert_int_equal(a->dry_run, ACME_DRY_RUN_FAILED);
    assert_int_equal(a->dry_run_why, ACME_REASON_DNS_NXDOMAIN);

    /* Late, and not asked for: nothing of it counts. */
    acme_registry_order_noted(registry, &passed, NOW, pool);
    assert_int_equal(state_of(registry, 0)->dry_run, ACME_DRY_RUN_FAILED);
    want(0, ACME_WANT_DRY_RUN);
    want(0, ACME_WANT_RENEWAL);
    assert_int_equal(state_of(registry, 0)->dry_run, ACME_DRY_RUN_NONE);
    acme_registry_order_noted(registry, &passed, NOW, pool);
    assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_RENEWAL);
    want(0, ACME_WANT_DRY_RUN);
    acme_registry_order_noted(registry, &passed, NOW, pool);
    assert_int_equal(state_of(registry, 0)->dry_run, ACME_DRY_RUN_PASSED);
    assert_string_equal(state_of(open_registry(conf), 0)->dry_run_detail,
                        "1 name validated");
}

/* Else a certificate would be revoked once more at each restart. */
static void what_is_done_is_done_for_ever(void **state)
{
    static const acme_want_e wants[] = {
        ACME_WANT_CHAIN, ACME_WANT_REVOCATION, ACME_WANT_UPDATE,
        ACME_WANT_ROLLOVER, ACME_WANT_DEACTIVATION
    };
    size_t i;

    (void)state;
    registry = open_registry(conf);
    for (i = 0; i < COUNT(wants); i++) {
        want(0, wants[i]);
        done(0, ACME_WANT_RENEWAL);
        done(1, wants[i]);
        assert_int_equal(state_of(registry, 0)->wanted, wants[i]);
        assert_int_equal(state_of(open_registry(conf), 0)->wanted, wants[i]);
        assert_int_equal(state_of(open_registry(conf), 0)->reason, 4);
        done(0, wants[i]);
        assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_NOTHING);
        assert_int_equal(state_of(open_registry(conf), 0)->wanted,
                         ACME_WANT_NOTHING);
        assert_string_equal(last_event("a.example"), "done");
        assert_int_equal(state_of(registry, 0)->revoked, i > 0);
        assert_int_equal(state_of(registry, 0)->deleted, 0);
    }
    assert_logged("a.example: done: revocation");
}

static void a_deleted_one_stays_so_until_it_is_wanted(void **state)
{
    (void)state;
    registry = open_registry(conf);
    done(0, ACME_WANT_DELETION);
    assert_int_equal(state_of(registry, 0)->deleted, 0);
    want(0, ACME_WANT_DELETION);
    done(0, ACME_WANT_DELETION);
    assert_int_equal(state_of(registry, 0)->deleted, 1);
    registry = open_registry(conf);
    assert_int_equal(state_of(registry, 0)->deleted, 1);
    want(0, ACME_WANT_RENEWAL);
    assert_int_equal(state_of(registry, 0)->deleted, 0);
    assert_int_equal(state_of(open_registry(conf), 0)->deleted, 0);
}

/* Its position may be another CA's by now. */
static void a_wish_at_a_ca_that_is_gone_is_forgotten(void **state)
{
    acme_journal_t *journal = acme_journal_make(pool);
    int i;

    (void)state;
    for (i = -1; i < 3; i++) {
        journal->wanted = ACME_WANT_DEACTIVATION;
        journal->wanted_ca = i;
        save_journal(journal);
        assert_int_equal(state_of(open_registry(conf), 0)->wanted,
                         i == 0 ? ACME_WANT_DEACTIVATION : ACME_WANT_NOTHING);
    }
    journal->wanted_ca = 0;
    for (i = ACME_WANTS; i < ACME_WANTS + 2; i++) {
        journal->wanted = i;
        save_journal(journal);
        assert_int_equal(state_of(open_registry(conf), 0)->wanted,
                         ACME_WANT_NOTHING);
    }
}

static void a_name_to_blame_is_left_out_at_last(void **state)
{
    acme_msg_note_t message = {
        .note = ACME_NOTE_FAILED, .next_at = NOW, .retry = ACME_RETRY_SOON,
        .name = 1, .challenge = ACME_HTTP_01, .problem = "urn:x",
        .detail = "no"
    };
    const char *flags;
    int i;

    (void)state;
    cert_of(conf, 0)->challenges[0] = ACME_HTTP_01;
    cert_of(conf, 0)->challenges[1] = ACME_DNS_01;
    cert_of(conf, 0)->nchallenges = 2;
    registry = open_registry(conf);
    for (i = 0; i < 3; i++) {
        assert_int_equal(state_of(registry, 0)->left_out, 0);
        acme_registry_order_noted(registry, &message, NOW, pool);
    }
    assert_int_equal(state_of(registry, 0)->attempts, 3);
    assert_int_equal(state_of(registry, 0)->left_out, 1);
    assert_int_equal(state_of(registry, 0)->names_again_at, NOW + DAYS(1));
    assert_logged("[warning] a.example: quarantine: www.a.example keeps "
                  "failing");
    assert_int_equal(
        acme_registry_names_to_order(registry, 0, &flags, NOW, pool)->nelts,
        1);
    assert_int_equal((unsigned char)flags[1], ACME_NAME_LEFT_OUT | 1);

    /* Tried again in vain: that is no failure of the others. */
    acme_registry_order_noted(registry, &message, NOW + DAYS(1), pool);
    assert_int_equal(state_of(registry, 0)->attempts, 3);
    assert_string_equal(last_event("a.example"), "quarantine");

    /* A name that is not configured is nobody's. */
    message.name = 2;
    acme_registry_order_noted(registry, &message, NOW, pool);
    assert_int_equal(state_of(registry, 0)->attempts, 4);
    acme_registry_installed(registry, 0, words("a.example www.a.example"), NOW,
                            pool);
    assert_int_equal(state_of(registry, 0)->left_out, 0);
}

/* What was wanted is for the other names, too, and they are ordered now. */
static void a_name_that_is_refused_for_good_is_left_out_at_once(void **state)
{
    const acme_msg_note_t message = {
        .note = ACME_NOTE_FAILED, .next_at = NOW + DAYS(1),
        .retry = ACME_RETRY_NEVER, .want = ACME_WANT_RENEWAL, .name = 1,
        .challenge = ACME_CHALLENGES, .detail = "no"
    };
    const acme_state_t *a;

    (void)state;
    registry = open_registry(conf);
    a = state_of(registry, 0);
    want(0, ACME_WANT_RENEWAL);
    acme_registry_order_noted(registry, &message, NOW, pool);
    assert_int_equal(a->attempts, 1);
    assert_int_equal(a->retry, ACME_RETRY_SOON);
    assert_int_equal(a->next_at, NOW);
    assert_int_equal(a->left_out, 1);
    assert_int_equal(a->wanted, ACME_WANT_RENEWAL);
    assert_logged("the other names are ordered now");
    assert_string_equal(last_event("a.example"), "failed");

    /* And when it is tried again in vain. */
    acme_registry_order_noted(registry, &message, NOW + DAYS(1), pool);
    assert_int_equal(a->attempts, 1);
    assert_int_equal(a->retry, ACME_RETRY_SOON);
    assert_int_equal(a->next_at, NOW);
    assert_int_equal(a->wanted, ACME_WANT_RENEWAL);
    assert_logged("[warning] a.example: quarantine: still failing: no");
    assert_string_equal(last_event("a.example"), "quarantine");
}

/* The administrator says that he mended it. */
static void a_wanted_renewal_tries_all_names(void **state)
{
    const acme_msg_note_t message = {
        .note = ACME_NOTE_FAILED, .next_at = NOW, .retry = ACME_RETRY_NEVER,
        .name = 1, .challenge = ACME_CHALLENGES
    };
    const char *flags;

    (void)state;
    registry = open_registry(conf);
    acme_registry_order_noted(registry, &message, NOW, pool);
    want(0, ACME_WANT_CHAIN);
    assert_int_equal(
        acme_registry_names_to_order(registry, 0, &flags, NOW, pool)->nelts,
        1);
    want(0, ACME_WANT_RENEWAL);
    assert_int_equal(
        acme_registry_names_to_order(registry, 0, &flags, NOW, pool)->nelts,
        2);
}

/* The certificate is none the worse for it, and it is not tried for ever. */
static void a_wish_that_fails_is_told_and_forgotten(void **state)
{
    static const acme_want_e wants[] = {
        ACME_WANT_CHAIN, ACME_WANT_REVOCATION, ACME_WANT_DELETION,
        ACME_WANT_UPDATE, ACME_WANT_ROLLOVER, ACME_WANT_DEACTIVATION
    };
    acme_msg_note_t message = {
        .note = ACME_NOTE_FAILED, .next_at = NOW + DAYS(1),
        .retry = ACME_RETRY_NEVER, .name = 1, .challenge = ACME_HTTP_01,
        .detail = "it rains\n"
    };
    const acme_state_t *a;
    size_t i;

    (void)state;
    registry = open_registry(conf);
    a = state_of(registry, 0);
    for (i = 0; i < COUNT(wants); i++) {
        want(0, wants[i]);
        acme_registry_order_begun(registry, 0, NOW);
        message.want = wants[(i + 1) % COUNT(wants)];
        acme_registry_order_noted(registry, &message, NOW, pool);
        assert_int_equal(a->wanted, wants[i]);  /* another one's failure */
        assert_int_equal(a->ordering, 0);

        message.want = wants[i];
        acme_registry_order_noted(registry, &message, NOW, pool);
        assert_int_equal(a->wanted, ACME_WANT_NOTHING);
        assert_int_equal(state_of(open_registry(conf), 0)->wanted,
                         ACME_WANT_NOTHING);
        assert_string_equal(last_event("a.example"), "failed");
    }
    assert_int_equal(a->attempts, 0);
    assert_int_equal(a->left_out, 0);
    assert_int_equal(a->revoked, 0);
    assert_int_equal(a->deleted, 0);
    assert_string_equal(a->detail, "");
    assert_int_equal(times_logged("[error] a.example: failed: "),
                     COUNT(wants));
    assert_logged("[error] a.example: failed: revocation: it rains\\x0a; "
                  "not retried: repeat the request with acmectl");
}

/* What was asked for meanwhile is still to be done. */
static void a_failed_order_takes_no_other_wish(void **state)
{
    (void)state;
    registry = open_registry(conf);
    want(0, ACME_WANT_ROLLOVER);
    note(0, ACME_NOTE_FAILED, "no", NOW);
    assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_ROLLOVER);
    assert_int_equal(state_of(registry, 0)->attempts, 1);
    acme_registry_installed(registry, 0, cert_of(conf, 0)->names, NOW, pool);
    assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_ROLLOVER);
}

static void a_limit_is_bounded_and_no_failure(void **state)
{
    const acme_state_t *a;
    size_t i;

    (void)state;
    registry = open_registry(conf);
    a = state_of(registry, 0);
    for (i = 0; i < COUNT(waits); i++) {
        note(0, ACME_NOTE_LIMIT, "5 an hour\n", waits[i].next_at);
        if (a->limit_until != waits[i].until) {
            fail_msg("%s: %s", waits[i].name,
                     acme_time_text(a->limit_until, pool));
        }
    }
    assert_string_equal(a->limit, "5 an hour\\x0a");
    assert_int_equal(a->attempts, 0);
    assert_string_equal(last_event("a.example"), "none");
    assert_int_equal(state_of(open_registry(conf), 0)->limit_until, 0);
}

static void a_limit_is_over_when_something_happens(void **state)
{
    const acme_state_t *a;
    int i;

    (void)state;
    registry = open_registry(conf);
    a = state_of(registry, 0);
    for (i = 0; i < 3; i++) {
        note(0, ACME_NOTE_LIMIT, "5 an hour", NOW + DAYS(1));
        assert_int_equal(a->limit_until, NOW + DAYS(1));
        if (i == 0) {
            note(0, ACME_NOTE_ORDERED, "2 names", 0);
        }
        else if (i == 1) {
            note(0, ACME_NOTE_FAILED, "no", NOW);
        }
        else {
            want(0, ACME_WANT_RENEWAL);
        }
        assert_int_equal(a->limit_until, 0);
        assert_string_equal(a->limit, "");
    }
}

/*
 * A renewal that is not due was asked for, and failed: it is retried as any
 * other, and forgotten where a retry cannot help.
 */
static void a_request_that_failed_is_retried(void **state)
{
    acme_msg_note_t never = { .note = ACME_NOTE_FAILED,
                              .retry = ACME_RETRY_NEVER,
                              .name = ACME_NO_NAME,
                              .challenge = ACME_CHALLENGES };
    const acme_state_t *a;
    acme_next_t next;

    (void)state;
    put_live("a.example", "a.example www.a.example");
    registry = open_registry(conf);
    a = state_of(registry, 0);
    want(0, ACME_WANT_RENEWAL);
    note(0, ACME_NOTE_FAILED, "no", NOW + HOUR);
    next = acme_next_step(a, NOW);
    assert_int_equal(next.step, ACME_STEP_RETRY);
    assert_int_equal(next.at, NOW + HOUR);
    assert_int_equal(acme_next_step(a, NOW + HOUR).step, ACME_STEP_ORDER);
    assert_int_equal(state_of(open_registry(conf), 0)->wanted,
                     ACME_WANT_RENEWAL);

    want(0, ACME_WANT_RENEWAL);         /* a new request does not wait */
    assert_int_equal(acme_next_step(a, NOW).step, ACME_STEP_ORDER);
    acme_registry_order_noted(registry, &never, NOW, pool);
    assert_int_equal(a->wanted, ACME_WANT_NOTHING);
    assert_int_equal(acme_next_step(a, NOW).step, ACME_STEP_RENEW);
}

/* The CA wants an order to be left alone: that is no failure. */
static void a_ca_may_postpone_an_order(void **state)
{
    acme_msg_note_t later = { .note = ACME_NOTE_LIMIT,
                              .next_at = NOW + 5 * HOUR,
                              .why = ACME_REASON_CA_SLOW,
                              .detail = "later" };
    const acme_state_t *a;

    (void)state;
    registry = open_registry(conf);
    a = state_of(registry, 0);
    acme_registry_order_begun(registry, 0, NOW);
    acme_registry_order_noted(registry, &later, NOW, pool);
    assert_int_equal(a->attempts, 0);
    assert_int_equal(acme_next_step(a, NOW).step, ACME_STEP_LIMIT);
    assert_int_equal(acme_next_step(a, NOW).at, NOW + 5 * HOUR);
    assert_false(acme_next_step_is_due(a, NOW));
    assert_true(acme_next_step_is_due(a, NOW + 5 * HOUR));
}

/* Whatever the renewal does: it may do nothing. */
static void an_expiry_is_warned_of_once_a_day(void **state)
{
    const acme_state_t *a;
    apr_time_t at, next;

    (void)state;
    put_live("a.example", "a.example www.a.example");
    registry = open_registry(conf);
    a = state_of(registry, 0);
    at = acme_state_warn_at(a, a->not_after);
    next = acme_registry_warn(registry, at - 1, pool);
    assert_in_range(next, at, at + DAYS(1) / 24);
    assert_not_logged("expir");

    acme_registry_warn(registry, at, pool);
    assert_logged("[warning] a.example: expiring. WARNING: the served "
                  "certificate expires at ");
    assert_logged("; its renewal is under way");
    acme_registry_warn(registry, at + DAYS(1) - 1, pool);
    assert_int_equal(times_logged("a.example: expiring"), 1);

    /* A reload is no reason to warn again. */
    registry = open_registry(conf);
    a = state_of(registry, 0);
    acme_registry_warn(registry, at + DAYS(1) - 1, pool);
    assert_int_equal(times_logged("a.example: expiring"), 1);
    acme_registry_warn(registry, at + DAYS(1), pool);
    assert_int_equal(times_logged("a.example: expiring"), 2);

    /* Expired, and it is known why. */
    note(0, ACME_NOTE_FAILED, "it rains", a->not_after);
    acme_registry_warn(registry, a->not_after, pool);
    assert_int_equal(times_logged("a.example: expiring"), 3);
    assert_logged("the served certificate expired at ");
    assert_logged("; it rains");
    assert_not_logged("b.example");     /* which has none to lose */
}

static void each_is_warned_of_by_itself(void **state)
{
    apr_time_t at;

    (void)state;
    put_live("a.example", "a.example www.a.example");
    put_live("b.example", "b.example");
    cert_of(conf, 1)->warn.percent = 50;
    registry = open_registry(conf);
    at = acme_state_warn_at(state_of(registry, 1),
                            state_of(registry, 1)->not_after);
    acme_registry_warn(registry, at, pool);
    assert_int_equal(times_logged("expiring"), 1);
    assert_logged("[warning] b.example: expiring");
    acme_registry_warn(registry, at + DAYS(40), pool);
    assert_logged("[warning] a.example: expiring");
    assert_int_equal(times_logged("expiring"), 3);
}

/* What httpd was found to serve */

/* Certificate 0 with two archives, the second of which is served. */
/* Journals that wait */

static int events_on_disk(void)
{
    acme_journal_t *journal;

    assert_int_equal(acme_journal_look(&journal, open_store(), "a.example",
                                       &res, pool), 0);
    return journal->events->nelts;
}

static void note_order(acme_note_e what, apr_time_t when)
{
    acme_msg_note_t message = { .note = what, .name = ACME_NO_NAME };

    acme_registry_order_noted(registry, &message, when, pool);
}

static void notes_of_a_second_are_one_write(void **state)
{
    const apr_time_t due = NOW + apr_time_from_sec(1);

    (void)state;
    registry = open_registry(conf);
    assert_int_equal(acme_registry_write_journals(registry, NOW, pool), 0);
    note_order(ACME_NOTE_ORDERED, NOW);
    note_order(ACME_NOTE_VALIDATED, due - 1);
    assert_int_equal(acme_registry_write_journals(registry, due - 1, pool),
                     due);
    assert_int_equal(events_on_disk(), 0);
    assert_int_equal(acme_registry_write_journals(registry, due, pool), 0);
    assert_int_equal(events_on_disk(), 2);

    /* A clock that is set back keeps none for longer. */
    note_order(ACME_NOTE_VALIDATED, due);
    assert_int_equal(acme_registry_write_journals(registry, NOW - DAYS(1),
                                                  pool), 0);
    assert_int_equal(events_on_disk(), 3);

    note_order(ACME_NOTE_VALIDATED, due);
    acme_registry_write_all_journals(registry, pool);
    assert_int_equal(events_on_disk(), 4);
    assert_int_equal(acme_registry_write_journals(registry, due + DAYS(1),
                                                  pool), 0);
}

static void what_counts_is_on_disk_at_once(void **state)
{
    const acme_msg_want_t want = { { 0, 0, 0 }, ACME_WANT_RENEWAL, -1 };

    (void)state;
    registry = open_registry(conf);
    note_order(ACME_NOTE_ORDERED, NOW);
    acme_registry_want(registry, &want, NOW, pool);
    assert_int_equal(events_on_disk(), 2);      /* with what came before */
    assert_true(scratch_lasts(at("store/journal/a.example.json")));
    note_order(ACME_NOTE_VALIDATED, NOW);
    note_order(ACME_NOTE_FAILED, NOW);
    assert_int_equal(events_on_disk(), 4);
    assert_int_equal(acme_registry_write_journals(registry, NOW + DAYS(1),
                                                  pool), 0);
    assert_int_equal(events_on_disk(), 4);
}

/* A state that is read again sees what is not on disk. */
static void what_waits_counts(void **state)
{
    (void)state;
    registry = open_registry(conf);
    note_order(ACME_NOTE_ORDERED, NOW);
    acme_registry_refresh(registry, 0, pool);
    assert_int_equal(events_on_disk(), 0);
    note_order(ACME_NOTE_VALIDATED, NOW);
    acme_registry_write_all_journals(registry, pool);
    assert_int_equal(events_on_disk(), 2);
}

/* An order may be faster than the witness. */
static void what_the_witness_is_to_ask_outlives_an_order(void **state)
{
    const acme_state_t *a;

    (void)state;
    registry = open_registry(conf);
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

static acme_state_t *open_checked(void)
{
    const char *meta = "{\"certificates\":[{\"serial\":\"0a1b\"}]}";
    acme_archive_t *archive = make_archive(meta);
    acme_cert_conf_t *cert = cert_of(conf, 0);

    add_part(archive, "", "a.example www.a.example", 90 * DAY);
    install_archive("a.example", archive);
    put_live("a.example", "a.example www.a.example");
    cert->visits_digest = "0123456789abcdef";
    cert->served = 2;
    conf->activate = ACME_ACTIVATE_GRACEFUL;
    registry = open_registry(conf);
    return state_of(registry, 0);
}

static int found(acme_check_e check, const char *others, const char *detail)
{
    acme_msg_served_t body = { .check = check };

    apr_cpystrn(body.live, "abcd", sizeof(body.live));
    apr_cpystrn(body.others, others, sizeof(body.others));
    apr_cpystrn(body.places, "*:443=any", sizeof(body.places));
    apr_cpystrn(body.detail, detail, sizeof(body.detail));
    return acme_registry_self_checked(registry, &body, NOW, pool);
}

static void a_check_is_kept(void **state)
{
    acme_state_t *a = open_checked();

    (void)state;
    assert_int_equal(a->check, ACME_CHECK_NONE);
    assert_true(a->check_at && a->check_at <= apr_time_now());
    assert_false(found(ACME_CHECK_SERVED, "", ""));
    assert_int_equal(a->check, ACME_CHECK_SERVED);
    assert_int_equal(a->checked, NOW);
    assert_true(a->check_at > NOW && a->check_at <= NOW + DAYS(1));
    assert_not_logged("a.example: self check");
    acme_registry_refresh(registry, 0, pool);
    assert_int_equal(a->check, ACME_CHECK_SERVED);
    assert_true(a->check_at > NOW);

    registry = open_registry(conf);
    a = state_of(registry, 0);
    assert_int_equal(a->check, ACME_CHECK_SERVED);
    assert_int_equal(a->checked, NOW);
    assert_string_equal(a->check_places, "*:443=any");
    assert_true(a->check_at > apr_time_now());

    /* What is served elsewhere, or is another one, is looked at at once. */
    cert_of(conf, 0)->visits_digest = "fedcba9876543210";
    registry = open_registry(conf);
    a = state_of(registry, 0);
    assert_int_equal(a->check, ACME_CHECK_NONE);
    assert_true(a->check_at <= apr_time_now());
}

static void an_older_one_leads_to_one_reload(void **state)
{
    acme_state_t *a = open_checked();

    (void)state;
    assert_true(found(ACME_CHECK_OTHER, "ffff 0a1b", "an older one"));
    assert_int_equal(a->check_tries, 1);
    assert_int_equal(a->check_at, NOW + DAYS(1) / 24 / 60);
    assert_logged("[error] a.example: not served: an older one. httpd is reloaded once for this");
    assert_string_equal(last_event("a.example"), "not-served");
    assert_false(found(ACME_CHECK_OTHER, "0a1b", "an older one"));
    assert_int_equal(times_logged("a.example: not served: "), 1);

    /* The keeper of the next load. */
    registry = open_registry(conf);
    a = state_of(registry, 0);
    assert_int_equal(a->check, ACME_CHECK_OTHER);
    assert_true(a->check_at <= apr_time_now());
    assert_false(found(ACME_CHECK_OTHER, "ffff 0a1b", "an older one"));
    assert_logged("an older one. Reloading httpd did not help: ");
    assert_false(found(ACME_CHECK_OTHER, "ffff 0a1b", "an older one"));
    assert_false(found(ACME_CHECK_OTHER, "0a1b", "an older one"));
    assert_int_equal(times_logged("a.example: not served: "), 2);

    assert_false(found(ACME_CHECK_SERVED, "", ""));
    assert_logged("[notice] a.example: self check: served again, seen at *:443=any");
    assert_string_equal(last_event("a.example"), "served");
    assert_false(found(ACME_CHECK_OTHER, "0a1b", "an older one"));
}

static int found_of(apr_uint32_t cert, apr_time_t now)
{
    acme_msg_served_t body = { .about.cert = cert, .check = ACME_CHECK_OTHER,
                               .has_placeholder = 1, .live = "abcd",
                               .detail = "the placeholder" };

    return acme_registry_self_checked(registry, &body, now, pool);
}

/* An old process answers for both. */
static void one_reload_is_for_all(void **state)
{
    acme_cert_conf_t *b = cert_of(conf, 1);

    (void)state;
    put_live("b.example", "b.example");
    b->visits_digest = "0123456789abcdef";
    b->served = 1;
    open_checked();
    assert_true(found_of(0, NOW));
    registry = open_registry(conf);
    assert_false(found_of(1, NOW + DAYS(1) / 2));
    assert_logged("b.example: not served: the placeholder. httpd is not reloaded for this: ");

    /* It helped the first one; an hour later another may be tried. */
    assert_false(found(ACME_CHECK_SERVED, "", ""));
    assert_false(found_of(1, NOW + DAYS(1) / 24 - 1));
    registry = open_registry(conf);
    assert_true(found_of(1, NOW + DAYS(1) / 24));
    assert_logged("b.example: not served: the placeholder. httpd is reloaded once for this");
    assert_false(found_of(1, NOW + DAYS(1)));
}

/* Both are found before the reload: it is for both. */
static void a_reload_that_is_asked_for_is_for_all(void **state)
{
    acme_cert_conf_t *b = cert_of(conf, 1);

    (void)state;
    put_live("b.example", "b.example");
    b->visits_digest = "0123456789abcdef";
    b->served = 1;
    open_checked();
    assert_true(found_of(0, NOW));
    assert_true(found_of(1, NOW));
    registry = open_registry(conf);
    assert_false(found_of(0, NOW + DAYS(1)));
    assert_false(found_of(1, NOW + DAYS(1)));
    assert_logged("b.example: not served: the placeholder. Reloading httpd did not help: ");
}

static void a_stranger_s_leads_to_none(void **state)
{
    acme_state_t *a = open_checked();

    (void)state;
    assert_false(found(ACME_CHECK_OTHER, "ffff", "a\nstranger's"));
    assert_logged("a.example: not served: a\\x0astranger's. Another virtual host");
    assert_non_null(strstr(a->check_detail, "stranger's. Another"));
    assert_false(found(ACME_CHECK_OTHER, "ffff", "a\nstranger's"));
    assert_int_equal(times_logged("a.example: not served: "), 1);
    assert_int_equal(a->check_tries, 2);

    /* It was seen: not to see it says nothing. */
    assert_false(found(ACME_CHECK_UNKNOWN, "", "refused"));
    assert_int_equal(a->check, ACME_CHECK_OTHER);
    assert_non_null(strstr(a->check_detail, "stranger's. Another"));
    assert_int_equal(a->check_tries, 3);
    assert_int_equal(a->check_at, NOW + DAYS(1) / 24 / 60 * 100);
    assert_false(found(ACME_CHECK_OTHER, "ffff", "a\nstranger's"));
    assert_int_equal(times_logged("a.example: not served: "), 1);

    /* The serial of what is live is not that of an older one. */
    assert_false(found(ACME_CHECK_OTHER, "abcd", "its own"));
    a->instead = ACME_INSTEAD_FOREIGN;
    assert_false(found(ACME_CHECK_OTHER, "0a1b", "as it is configured"));
}

/* Who reloads by hand is told to, each time the same. */
static void without_reloads_of_ours_none_is_asked_for(void **state)
{
    acme_msg_served_t body = { .check = ACME_CHECK_OTHER,
                               .has_placeholder = 1, .live = "abcd",
                               .detail = "the placeholder" };

    (void)state;
    open_checked();
    conf->activate = ACME_ACTIVATE_NONE;
    assert_false(acme_registry_self_checked(registry, &body, NOW, pool));
    assert_false(acme_registry_self_checked(registry, &body, NOW, pool));
    assert_int_equal(times_logged("a.example: not served: "), 1);
    assert_logged("the placeholder. It is installed, not yet served: reload httpd (AcmeActivate none)");
}

static void what_could_not_be_seen_is_no_fault(void **state)
{
    acme_state_t *a = open_checked();

    (void)state;
    assert_false(found(ACME_CHECK_UNKNOWN, "", "refused"));
    assert_false(found(ACME_CHECK_UNKNOWN, "", "refused"));
    assert_int_equal(times_logged("[notice] a.example: self check: could not see what is served: refused"), 1);
    assert_int_equal(a->check, ACME_CHECK_UNKNOWN);
    assert_false(found(ACME_CHECK_SERVED, "", ""));
    assert_not_logged("served again");
    assert_string_equal(a->check_detail, "");
}

/* The result is about another certificate than the keeper knows. */
static void a_link_that_was_changed_by_hand_is_seen(void **state)
{
    acme_msg_served_t body = { .check = ACME_CHECK_OTHER, .live = "0a1b",
                               .detail = "the served one" };
    acme_state_t *a = open_checked();
    const char *link = apr_pstrcat(pool, conf->state_dir, "/live/a.example",
                                   NULL);

    (void)state;
    assert_false(acme_registry_self_checked(registry, &body, NOW, pool));
    assert_int_equal(a->check, ACME_CHECK_NONE);
    assert_int_equal(a->check_at, NOW + DAYS(1) / 24 / 60);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("../archive/a.example/1", link), 0);
    assert_true(acme_registry_self_checked(registry, &body, NOW, pool));
    assert_int_equal(a->live, 1);
    assert_logged("live/a.example was changed by hand: archive/a.example/1 is there, and is not served yet");
}

static void a_result_that_is_none_changes_nothing(void **state)
{
    acme_state_t *a = open_checked();

    (void)state;
    assert_false(found(ACME_CHECK_NONE, "0a1b", "x"));
    assert_false(found(ACME_CHECKS, "0a1b", "x"));
    assert_false(found((acme_check_e)77, "0a1b", "x"));
    assert_int_equal(a->check, ACME_CHECK_NONE);
    assert_true(a->check_at > NOW);
    a->live = 0;
    assert_false(found(ACME_CHECK_OTHER, "0a1b", "x"));
    assert_not_logged("not served");
}

/* What the CA says of the time to renew (9773) */

static acme_msg_window_t window_of(apr_time_t start, apr_time_t end,
                                   apr_time_t pick)
{
    acme_msg_window_t window;

    memset(&window, 0, sizeof(window));
    apr_cpystrn(window.cert_id, "AB.CD", sizeof(window.cert_id));
    window.start = start;
    window.end = end;
    window.pick = pick;
    window.ask_at = NOW + 1000000;
    return window;
}

/* A book with a certificate that the CA can be asked about. */
static acme_state_t *open_with_live(void)
{
    put_live("a.example", "a.example www.a.example");
    registry = open_registry(conf);
    apr_cpystrn(state_of(registry, 0)->cert_id, "AB.CD",
                sizeof(state_of(registry, 0)->cert_id));
    return state_of(registry, 0);
}

static void tell_window(acme_msg_window_t window)
{
    acme_registry_window_suggested(registry, &window, NOW, pool);
}

static void a_window_is_bounded(void **state)
{
    static const struct {
        const char *name;
        apr_time_t start, end, pick;
        apr_time_t is;          /* the pick; 0: the window is refused */
    } rows[] = {
        { "a good one", NOW, NOW + 9, NOW + 4, NOW + 4 },
        { "a pick at its start", NOW, NOW + 9, NOW, NOW },
        { "a pick at its end", NOW, NOW + 9, NOW + 9, NOW },
        { "a pick after it", NOW, NOW + 9, APR_INT64_MAX, NOW },
        { "a pick before it", NOW, NOW + 9, NOW - 1, NOW },
        { "a pick before time", NOW, NOW + 9, APR_INT64_MIN, NOW },
        { "no pick", NOW, NOW + 9, 0, NOW },
        { "no window", 0, 0, 0, 0 },
        { "an empty one", NOW, NOW, NOW, 0 },
        { "a reversed one", NOW + 9, NOW, NOW, 0 },
        { "one before time", -9, NOW, NOW, 0 }
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        acme_state_t *a;

        if (i > 0) {
            scratch_teardown(state);
            setup(state);
        }
        a = open_with_live();
        tell_window(window_of(rows[i].start, rows[i].end, rows[i].pick));
        if (a->pick != rows[i].is || !a->window_start != !rows[i].is) {
            fail_msg("%s: %s", rows[i].name,
                     acme_time_text(a->pick, pool));
        }
        assert_int_equal(a->ask_at, NOW + 1000000);
    }
}

static void a_window_of_another_certificate_is_nobody_s(void **state)
{
    acme_msg_window_t window = window_of(NOW, NOW + 9, NOW + 4);
    acme_state_t *a = open_with_live();

    (void)state;
    window.revoked = 1;
    apr_cpystrn(window.cert_id, "AB.CE", sizeof(window.cert_id));
    tell_window(window);
    window.cert_id[0] = '\0';
    tell_window(window);
    apr_cpystrn(window.cert_id, "AB.CD", sizeof(window.cert_id));
    window.about.cert = 1;              /* which has none */
    tell_window(window);
    assert_int_equal(a->pick, 0);
    assert_int_equal(a->revoked, 0);
    assert_int_equal(state_of(registry, 1)->pick, 0);
    assert_int_equal(state_of(registry, 1)->revoked, 0);
    assert_not_logged("renewal info");
}

static void a_pick_is_drawn_once_a_window(void **state)
{
    acme_state_t *a = open_with_live();

    (void)state;
    tell_window(window_of(NOW, NOW + 9, NOW + 4));
    tell_window(window_of(NOW, NOW + 9, NOW + 7));
    assert_int_equal(a->pick, NOW + 4);
    tell_window(window_of(0, 0, 0));    /* nothing new was learnt */
    assert_int_equal(a->pick, NOW + 4);
    assert_int_equal(times_logged("renewal info"), 1);
    tell_window(window_of(NOW, NOW + 8, NOW + 7));
    assert_int_equal(a->pick, NOW + 7);
    assert_int_equal(times_logged("renewal info"), 2);
}

static void it_is_asked_again_within_bounds(void **state)
{
    static const struct {
        apr_time_t ask_at, is;
    } rows[] = {
        { NOW, NOW }, { NOW + DAYS(2), NOW + DAYS(2) },
        { NOW + DAYS(2) + 1, NOW + DAYS(2) }, { NOW - 1, NOW + DAYS(2) },
        { APR_INT64_MAX, NOW + DAYS(2) }, { APR_INT64_MIN, NOW + DAYS(2) }
    };
    acme_state_t *a = open_with_live();
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_msg_window_t window = window_of(0, 0, 0);

        window.ask_at = rows[i].ask_at;
        window.failures = (apr_uint32_t)i;
        tell_window(window);
        assert_int_equal(a->ask_at, rows[i].is);
        assert_int_equal(a->ask_failures, i);
    }
}

static void what_the_ca_revoked_is_told_once(void **state)
{
    acme_msg_window_t window = window_of(NOW, NOW + 9, NOW + 4);
    acme_state_t *a = open_with_live();

    (void)state;
    window.revoked = 1;
    apr_cpystrn(window.explanation, "https://ca.example/\n[error] x",
                sizeof(window.explanation));
    tell_window(window);
    tell_window(window);
    assert_int_equal(a->revoked, 1);
    assert_int_equal(times_logged("[error] a.example: revoked: "), 1);
    assert_null(strchr(a->explanation, '\n'));
    window.revoked = 0;
    tell_window(window);
    assert_int_equal(a->revoked, 1);    /* there is no way back */
    assert_int_equal(journal_of("a.example")->window.revoked, 1);
    assert_string_equal(journal_of("a.example")->window.cert_id, "AB.CD");

    /* Beside the certificate as well, where the journal can't forget it. */
    registry = open_registry(conf);
    assert_int_equal(state_of(registry, 0)->revoked, 1);

    /* Another one is live at the next start: nothing is known of it. */
    put_live("a.example", "a.example www.a.example");
    registry = open_registry(conf);
    assert_int_equal(state_of(registry, 0)->revoked, 0);
    assert_int_equal(state_of(registry, 0)->pick, 0);
}

static void orders_under_way_are_counted(void **state)
{
    (void)state;
    registry = open_registry(conf);
    assert_int_equal(acme_registry_orders_under_way(registry), 0);
    acme_registry_order_begun(registry, 0, NOW);
    acme_registry_order_begun(registry, 1, NOW + 1);
    acme_registry_order_begun(registry, 0, NOW + 2);
    assert_int_equal(acme_registry_orders_under_way(registry), 2);
    assert_int_equal(state_of(registry, 0)->ordering_since, NOW);
    acme_registry_refresh(registry, 0, pool);
    assert_int_equal(state_of(registry, 0)->ordering, 1);
    assert_int_equal(state_of(registry, 0)->ordering_since, NOW);
    note(0, ACME_NOTE_FAILED, "no", NOW);
    acme_registry_order_gone(registry, 1);
    assert_int_equal(acme_registry_orders_under_way(registry), 0);
}

static void changes_are_found_in_their_order(void **state)
{
    const acme_state_t *next;
    apr_uint64_t change;

    (void)state;
    registry = open_registry(conf);
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
    registry = open_registry(conf);
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
    assert_int_equal(acme_registry_orders_under_way(registry), 2);
}

static void a_journal_that_can_not_be_written_stops_nothing(void **state)
{
    int i;

    (void)state;
    registry = open_registry(conf);
    for (i = 1; i <= 4; i++) {
        scratch_errno = ENOSPC;
        scratch_step = i;
        note(0, ACME_NOTE_FAILED, "no", NOW);
        scratch_step = 0;
        assert_int_equal(state_of(registry, 0)->attempts, i);
    }
    assert_logged("the file system is full");
    note(0, ACME_NOTE_FAILED, "no", NOW);
    assert_int_equal(state_of(open_registry(conf), 0)->attempts, i);
}

static void the_oldest_events_go(void **state)
{
    int i;

    (void)state;
    registry = open_registry(conf);
    for (i = 0; i < 2 * ACME_JOURNAL_EVENTS; i++) {
        note(0, i ? ACME_NOTE_VALIDATED : ACME_NOTE_ORDERED, "", NOW);
    }
    assert_int_equal(journal_of("a.example")->events->nelts,
                     ACME_JOURNAL_EVENTS);
    assert_string_equal(
        APR_ARRAY_IDX(journal_of("a.example")->events, 0, acme_journal_event_t)
            .event,
        "validated");
}

/* As the first look of a keeper whose load found it so. */
static void take_over(void)
{
    acme_cert_conf_t *cert = cert_of(conf, 0);

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
    open_registry(conf);
    assert_true(state_of(open_registry(conf), 0)->revoked);

    assert_int_equal(unlink(at("store/live/a.example")), 0);
    assert_int_equal(acme_file_dir_remove(at("store/archive/a.example"), &res,
                                          pool), 0);
    take_over();
    assert_int_equal(access(at("store/archive/a.example"), F_OK), -1);
}

static void no_certificates_at_all(void **state)
{
    (void)state;
    apr_array_clear(conf->certs);
    registry = open_registry(conf);
    assert_null(acme_registry_next_change(registry, 0));
    assert_int_equal(acme_registry_orders_under_way(registry), 0);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

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
        TEST(a_failure_is_told_and_remembered),
        TEST(a_failure_for_good_is_told_so),
        TEST(a_stranger_s_text_makes_no_line_of_its_own),
        TEST(progress_is_told_and_is_no_failure),
        TEST(an_installation_forgets_failures),
        TEST(what_the_administrator_wants_is_remembered),
        TEST(a_dry_run_changes_nothing_but_its_own_result),
        TEST(what_is_done_is_done_for_ever),
        TEST(a_deleted_one_stays_so_until_it_is_wanted),
        TEST(a_wish_at_a_ca_that_is_gone_is_forgotten),
        TEST(a_name_to_blame_is_left_out_at_last),
        TEST(a_name_that_is_refused_for_good_is_left_out_at_once),
        TEST(a_wanted_renewal_tries_all_names),
        TEST(a_wish_that_fails_is_told_and_forgotten),
        TEST(a_failed_order_takes_no_other_wish),
        TEST(a_limit_is_bounded_and_no_failure),
        TEST(a_limit_is_over_when_something_happens),
        TEST(a_request_that_failed_is_retried),
        TEST(a_ca_may_postpone_an_order),
        TEST(an_expiry_is_warned_of_once_a_day),
        TEST(each_is_warned_of_by_itself),
        TEST(notes_of_a_second_are_one_write),
        TEST(what_counts_is_on_disk_at_once),
        TEST(what_waits_counts),
        TEST(what_the_witness_is_to_ask_outlives_an_order),
        TEST(a_check_is_kept),
        TEST(an_older_one_leads_to_one_reload),
        TEST(one_reload_is_for_all),
        TEST(a_reload_that_is_asked_for_is_for_all),
        TEST(a_stranger_s_leads_to_none),
        TEST(without_reloads_of_ours_none_is_asked_for),
        TEST(what_could_not_be_seen_is_no_fault),
        TEST(a_link_that_was_changed_by_hand_is_seen),
        TEST(a_result_that_is_none_changes_nothing),
        TEST(a_window_is_bounded),
        TEST(a_window_of_another_certificate_is_nobody_s),
        TEST(a_pick_is_drawn_once_a_window),
        TEST(it_is_asked_again_within_bounds),
        TEST(what_the_ca_revoked_is_told_once),
        TEST(orders_under_way_are_counted),
        TEST(changes_are_found_in_their_order),
        TEST(the_latest_change_of_each_is_found),
        TEST(a_journal_that_can_not_be_written_stops_nothing),
        TEST(the_oldest_events_go),
        TEST(what_is_taken_over_is_one_with_its_origin),
        TEST(a_copy_of_what_was_revoked_is_revoked),
        TEST(no_certificates_at_all)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
