/*
 * test_book.c - how certificates stand: read from whatever is in the store,
 * and told to journal, log and board as it changes.
 */
#include "issuer.h"

#define NOW apr_time_from_sec(1800000000)
#define DAYS(n) apr_time_from_sec((n) * DAY)

static acme_conf_t *conf;
static acme_book_t *book;

static int setup(void **state)
{
    int rc = scratch_setup(state);

    conf = make_conf();
    published = 0;
    return rc;
}

/* Put a certificate for names live, as if it had been issued. */
static const char *put_live(const char *id, const char *names)
{
    acme_key_t *key = make_key();
    issue_t what = { .issuer = make_issuer("Test CA"), .names = names,
                     .serial = 0xabcd };
    acme_archive_t archive = { 0 };
    int n;

    what.key = acme_key_evp(key);
    archive.full_pem = issue(&what);
    archive.cert_pem = archive.full_pem;
    archive.chain_pem = "";
    archive.meta = "{}";
    assert_int_equal(acme_key_pem(&archive.key_pem, key, &res, scratch_pool),
                     0);
    assert_int_equal(acme_archive_install(&n, open_store(), id, &archive,
                                          &res, scratch_pool), 0);
    return archive.full_pem;
}

static void save_journal(acme_journal_t *journal)
{
    assert_int_equal(acme_journal_save(open_store(), "a.example", journal,
                                       &res, scratch_pool), 0);
}

/* A failure that belongs to the configuration with this digest. */
static void save_failure(const char *digest)
{
    acme_journal_t *journal = acme_journal_make(scratch_pool);

    journal->attempts = 3;
    journal->next_at = NOW;
    journal->retry = ACME_RETRY_NEVER;
    journal->wanted = 1;
    journal->problem = "urn:ietf:params:acme:error:dns";
    journal->detail = "a.example: no such name";
    journal->digest = digest;
    save_journal(journal);
}

static void note(apr_uint32_t cert, acme_note_e what, const char *detail,
                 apr_time_t next_at)
{
    acme_msg_note_t message = { cert, what, next_at, ACME_RETRY_SOON, "", "" };

    apr_cpystrn(message.problem, "urn:x", sizeof(message.problem));
    apr_cpystrn(message.detail, detail, sizeof(message.detail));
    acme_book_note(book, &message, NOW, scratch_pool);
}

/* Reading */

static void an_empty_store_is_no_error(void **state)
{
    const acme_state_t *a;

    (void)state;
    book = open_book(conf);
    a = &book->states[0];
    assert_int_equal(a->live, 0);
    assert_int_equal(a->not_after, 0);
    assert_int_equal(a->agreed, 1);
    assert_int_equal(a->renew.percent, 33);
    assert_int_equal(book->states[1].cert, 1);
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
    book = open_book(conf);
    a = &book->states[0];
    assert_int_equal(a->live, 1);
    assert_int_equal(a->served, 1);
    assert_int_equal(a->covers, 1);
    assert_string_equal(a->serial, "abcd");
    assert_string_equal(a->issuer, "Test CA");
    assert_true(a->not_before < apr_time_now());
    assert_true(a->not_after > apr_time_now() + DAYS(89));
    assert_int_equal(book->states[1].live, 1);
    assert_int_equal(book->states[1].covers, 0);
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
        book = open_book(conf);
        if (book->states[0].live != rows[i].live) {
            fail_msg("%s: live is %d", rows[i].name, book->states[0].live);
        }
        if (rows[i].text || !rows[i].live) {
            assert_logged("a.example: ");
        }
        assert_string_equal(acme_state_word(&book->states[1], NOW),
                            "placeholder");
    }
}

static void a_failure_belongs_to_its_configuration(void **state)
{
    const acme_state_t *a;

    (void)state;
    save_failure(cert_of(conf, 0)->settings);
    book = open_book(conf);
    a = &book->states[0];
    assert_int_equal(a->attempts, 3);
    assert_int_equal(a->retry, ACME_RETRY_NEVER);
    assert_int_equal(a->next_at, NOW);
    assert_string_equal(a->detail, "a.example: no such name");
    assert_string_equal(acme_state_word(a, NOW), "failed");

    set_names(conf, 0, "a.example");
    book = open_book(conf);
    a = &book->states[0];
    assert_int_equal(a->attempts, 0);
    assert_int_equal(a->next_at, 0);
    assert_string_equal(a->problem, "");
    assert_string_equal(a->detail, "");
    assert_int_equal(a->wanted, 1);     /* what the administrator wants */
}

static void texts_of_a_journal_are_cut(void **state)
{
    acme_journal_t *journal = acme_journal_make(scratch_pool);
    char *text = apr_palloc(scratch_pool, 4000);

    (void)state;
    memset(text, 'x', 3999);
    text[3999] = '\0';
    journal->problem = journal->detail = text;
    journal->digest = cert_of(conf, 0)->settings;
    journal->attempts = 1;
    save_journal(journal);
    book = open_book(conf);
    assert_in_range(strlen(book->states[0].problem), 0,
                    ACME_PROBLEM_SIZE - 1);
    assert_in_range(strlen(book->states[0].detail), 0, ACME_DETAIL_SIZE - 1);
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

static void a_failure_is_told_and_remembered(void **state)
{
    static const struct {
        const char *name;
        apr_time_t next_at, until;
    } rows[] = {
        { "in a minute", NOW + 60000000, NOW + 60000000 },
        { "in two days", NOW + DAYS(2), NOW + DAYS(2) },
        { "in three days", NOW + DAYS(3), NOW + DAYS(2) },
        { "at the end of time", APR_INT64_MAX, NOW + DAYS(2) },
        { "before time", APR_INT64_MIN, NOW + DAYS(2) }
    };
    const acme_state_t *a;
    size_t i;

    (void)state;
    book = open_book(conf);
    a = &book->states[0];
    for (i = 0; i < COUNT(rows); i++) {
        note(0, ACME_NOTE_FAILED, "a.example: it rains", rows[i].next_at);
        if (a->attempts != i + 1 || a->next_at != rows[i].until) {
            fail_msg("%s: attempt %u, %s", rows[i].name, a->attempts,
                     acme_time_text(a->next_at, scratch_pool));
        }
    }
    assert_logged("[error] a.example: failed: attempt 5: a.example: it rains");
    assert_string_equal(last_event("a.example"), "failed");
    assert_string_equal(a->problem, "urn:x");
    assert_string_equal(acme_state_word(a, NOW), "failed");

    book = open_book(conf);
    assert_int_equal(book->states[0].attempts, 5);
    assert_int_equal(book->states[0].next_at, NOW + DAYS(2));
    assert_string_equal(book->states[0].detail, "a.example: it rains");
    assert_int_equal(book->states[1].attempts, 0);
}

static void a_failure_for_good_is_told_so(void **state)
{
    acme_msg_note_t message = {
        0, ACME_NOTE_FAILED, NOW, ACME_RETRY_NEVER, "", "no"
    };

    (void)state;
    book = open_book(conf);
    acme_book_note(book, &message, NOW, scratch_pool);
    assert_logged("waits for a changed configuration");
    assert_int_equal(open_book(conf)->states[0].retry, ACME_RETRY_NEVER);
}

static void a_stranger_s_text_makes_no_line_of_its_own(void **state)
{
    static const acme_note_e notes[] = {
        ACME_NOTE_ORDERED, ACME_NOTE_VALIDATED, ACME_NOTE_FAILED
    };
    size_t i;

    (void)state;
    book = open_book(conf);
    for (i = 0; i < COUNT(notes); i++) {
        note(0, notes[i], "x\n[error] b.example: forged\r\x1b[2J%s%n\xff",
             NOW);
        assert_logged("x\\x0a[error] b.example: forged\\x0d\\x1b[2J%s%n\\xff");
    }
    assert_not_logged("\n[error] b.example");
    assert_null(strpbrk(book->states[0].detail, "\n\r\x1b\xff"));
}

static void progress_is_told_and_is_no_failure(void **state)
{
    (void)state;
    book = open_book(conf);
    note(0, ACME_NOTE_ORDERED, "2 names", 0);
    note(0, ACME_NOTE_VALIDATED, "both", 0);
    assert_logged("[notice] a.example: ordered: 2 names");
    assert_logged("[notice] a.example: validated: both");
    assert_int_equal(book->states[0].attempts, 0);
    assert_string_equal(last_event("a.example"), "validated");
}

static void an_installation_forgets_failures(void **state)
{
    const acme_state_t *a;

    (void)state;
    save_failure(cert_of(conf, 0)->settings);
    put_live("a.example", "a.example www.a.example");
    book = open_book(conf);
    a = &book->states[0];
    acme_book_order(book, 0, 1, NOW);
    acme_book_installed(book, 0, NOW, scratch_pool);
    assert_int_equal(a->attempts, 0);
    assert_int_equal(a->next_at, 0);
    assert_int_equal(a->wanted, 0);
    assert_int_equal(a->ordering, 0);
    assert_string_equal(a->detail, "");
    assert_string_equal(last_event("a.example"), "installed");
    a = &open_book(conf)->states[0];
    assert_int_equal(a->attempts, 0);
    assert_int_equal(a->wanted, 0);
}

static void what_the_administrator_wants_is_remembered(void **state)
{
    (void)state;
    save_failure(cert_of(conf, 0)->settings);
    book = open_book(conf);
    acme_book_wanted(book, 1, NOW, scratch_pool);
    assert_int_equal(book->states[1].wanted, 1);
    assert_int_equal(open_book(conf)->states[1].wanted, 1);
    assert_logged("b.example: renewal: asked for");

    note(1, ACME_NOTE_FAILED, "no", NOW);
    assert_int_equal(open_book(conf)->states[1].wanted, 0);
}

static void orders_under_way_are_counted(void **state)
{
    (void)state;
    book = open_book(conf);
    assert_int_equal(acme_book_ordering(book), 0);
    acme_book_order(book, 0, 1, NOW);
    acme_book_order(book, 1, 1, NOW + 1);
    acme_book_order(book, 0, 1, NOW + 2);
    assert_int_equal(acme_book_ordering(book), 2);
    assert_int_equal(book->states[0].ordering_since, NOW);
    acme_book_reload(book, 0, scratch_pool);
    assert_int_equal(book->states[0].ordering, 1);
    assert_int_equal(book->states[0].ordering_since, NOW);
    note(0, ACME_NOTE_FAILED, "no", NOW);
    acme_book_order(book, 1, 0, NOW + 3);
    assert_int_equal(acme_book_ordering(book), 0);
}

static void changes_are_found_in_their_order(void **state)
{
    const acme_state_t *next;
    apr_uint64_t change;

    (void)state;
    book = open_book(conf);
    assert_int_equal(published, 2);
    next = acme_book_next(book, 0);
    assert_int_equal(next->cert, 0);
    next = acme_book_next(book, next->change);
    assert_int_equal(next->cert, 1);
    change = next->change;
    assert_null(acme_book_next(book, change));
    assert_null(acme_book_next(book, (apr_uint64_t)-1));

    acme_book_order(book, 0, 1, NOW);
    note(0, ACME_NOTE_ORDERED, "", NOW);
    assert_int_equal(published, 4);
    next = acme_book_next(book, change);
    assert_int_equal(next->cert, 0);
    assert_null(acme_book_next(book, next->change));
    assert_int_equal(acme_book_next(book, 0)->cert, 1);
}

static void a_journal_that_can_not_be_written_stops_nothing(void **state)
{
    int i;

    (void)state;
    book = open_book(conf);
    for (i = 1; i <= 4; i++) {
        scratch_errno = ENOSPC;
        scratch_step = i;
        note(0, ACME_NOTE_FAILED, "no", NOW);
        scratch_step = 0;
        assert_int_equal(book->states[0].attempts, i);
    }
    assert_logged("the file system is full");
    note(0, ACME_NOTE_FAILED, "no", NOW);
    assert_int_equal(open_book(conf)->states[0].attempts, i);
}

static void the_oldest_events_go(void **state)
{
    int i;

    (void)state;
    book = open_book(conf);
    for (i = 0; i < 2 * ACME_JOURNAL_EVENTS; i++) {
        note(0, i ? ACME_NOTE_VALIDATED : ACME_NOTE_ORDERED, "", NOW);
    }
    assert_int_equal(journal_of("a.example")->events->nelts,
                     ACME_JOURNAL_EVENTS);
    assert_string_equal(APR_ARRAY_IDX(journal_of("a.example")->events, 0,
                                      acme_event_t).event, "validated");
}

static void no_certificates_at_all(void **state)
{
    (void)state;
    apr_array_clear(conf->certs);
    book = open_book(conf);
    assert_null(acme_book_next(book, 0));
    assert_int_equal(acme_book_ordering(book), 0);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store_is_no_error),
        TEST(what_is_live_is_read),
        TEST(damage_is_told_and_survived),
        TEST(a_failure_belongs_to_its_configuration),
        TEST(texts_of_a_journal_are_cut),
        TEST(one_word_for_each_state),
        TEST(a_failure_is_told_and_remembered),
        TEST(a_failure_for_good_is_told_so),
        TEST(a_stranger_s_text_makes_no_line_of_its_own),
        TEST(progress_is_told_and_is_no_failure),
        TEST(an_installation_forgets_failures),
        TEST(what_the_administrator_wants_is_remembered),
        TEST(orders_under_way_are_counted),
        TEST(changes_are_found_in_their_order),
        TEST(a_journal_that_can_not_be_written_stops_nothing),
        TEST(the_oldest_events_go),
        TEST(no_certificates_at_all)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
