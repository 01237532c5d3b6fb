/*
 * test_history.c - what a journal tells of a certificate's past, and of the
 * names that are left out.
 */
#include "acme_history.h"
#include "acme_name_quarantine.h"
#include "pool.h"

#define SECONDS(n) apr_time_from_sec((apr_int64_t)(n))
#define DAYS(n) SECONDS(24 * 3600 * (n))
#define NOW SECONDS(1795239365)

static acme_conf_t conf;
static acme_cert_conf_t *cert;
static acme_state_t state;
static acme_journal_t *journal;

static const char *const names[] = { "a.example", "b.example", "c.example" };

static int setup(void **unused)
{
    acme_ca_conf_t *ca;
    size_t i;

    if (pool_setup(unused)) {
        return -1;
    }
    memset(&conf, 0, sizeof(conf));
    memset(&state, 0, sizeof(state));
    conf.cas = apr_array_make(pool, 1, sizeof(acme_ca_conf_t));
    conf.certs = apr_array_make(pool, 1, sizeof(acme_cert_conf_t));
    ca = apr_array_push(conf.cas);
    memset(ca, 0, sizeof(*ca));
    ca->folder = "ca-1";
    cert = apr_array_push(conf.certs);
    memset(cert, 0, sizeof(*cert));
    cert->id = names[0];
    cert->names = apr_array_make(pool, 3, sizeof(const char *));
    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        APR_ARRAY_PUSH(cert->names, const char *) = names[i];
    }
    cert->cas = apr_array_make(pool, 1, sizeof(apr_uint32_t));
    APR_ARRAY_PUSH(cert->cas, apr_uint32_t) = 0;
    cert->key_types = apr_array_make(pool, 1, sizeof(acme_key_type_e));
    APR_ARRAY_PUSH(cert->key_types, acme_key_type_e) = ACME_KEY_P256;
    journal = acme_journal_make(pool);
    state.warn.percent = 10;
    return 0;
}

static void make_live(void)
{
    state.live = state.covers = state.same_names = 1;
    state.not_before = NOW - DAYS(60);
    state.not_after = NOW + DAYS(30);
}

static void ordered(apr_time_t when, apr_uint32_t with)
{
    acme_msg_note_t note;

    memset(&note, 0, sizeof(note));
    note.with = with;
    acme_history_ordered(acme_journal_add(journal, when, "ordered", ""), &note,
                         &conf, &state, journal, pool);
}

static void failed(const char *event, apr_uint32_t name,
                   apr_uint32_t challenge)
{
    acme_msg_note_t note;

    memset(&note, 0, sizeof(note));
    note.name = name;
    note.challenge = challenge;
    acme_history_failed(acme_journal_add(journal, NOW, event, ""), &note,
                        &conf);
}

static void installed(apr_time_t when)
{
    acme_journal_add(journal, when, "installed", "");
}

static void read_past(void)
{
    acme_history_read(&state, journal, &conf, cert, NOW);
}

static void orders_and_what_came_of_them(void **unused)
{
    const acme_history_t *issued = state.past[ACME_HISTORY_ISSUED];

    (void)unused;
    ordered(NOW - 9, 0);
    acme_journal_add(journal, NOW - 8, "resumed", "");
    installed(NOW - 7);
    installed(NOW - 6);                 /* the reply was lost */
    make_live();
    ordered(NOW - 5, 0);
    installed(NOW - 4);
    ordered(NOW - 3, 0);
    read_past();
    assert_int_equal(state.pasts[ACME_HISTORY_ORDERED], 3);
    assert_int_equal(state.pasts[ACME_HISTORY_ISSUED], 2);
    assert_int_equal(state.pasts[ACME_HISTORY_FAILED], 0);
    assert_int_equal(issued[0].when, NOW - 7);
    assert_int_equal(issued[0].kind, ACME_ORDER_FIRST);
    assert_int_equal(issued[0].others, 0);
    assert_int_equal(issued[1].kind, ACME_ORDER_RENEWAL);
}

static void in_the_window_it_was_suggested(void **unused)
{
    static const struct {
        apr_uint32_t with;
        apr_time_t start, end;
        acme_order_kind_e kind;
    } rows[] = {
        { ACME_WITH_REPLACES, NOW - 1, NOW + 1, ACME_ORDER_SUGGESTED },
        { 0, NOW - 1, NOW + 1, ACME_ORDER_RENEWAL },
        { ACME_WITH_REPLACES, NOW - 2, NOW, ACME_ORDER_RENEWAL },
        { ACME_WITH_REPLACES, NOW + 1, NOW + 2, ACME_ORDER_RENEWAL },
        { ACME_WITH_REPLACES, 0, 0, ACME_ORDER_RENEWAL }
    };
    size_t i;

    (void)unused;
    make_live();
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        state.window_start = rows[i].start;
        state.window_end = rows[i].end;
        ordered(NOW, rows[i].with);
        read_past();
        assert_int_equal(state.past[ACME_HISTORY_ORDERED][i].kind,
                         rows[i].kind);
    }
}

static void each_part_is_a_certificate(void **unused)
{
    (void)unused;
    APR_ARRAY_PUSH(cert->key_types, acme_key_type_e) = ACME_KEY_RSA2048;
    ordered(NOW, 0);
    ordered(NOW, 0);
    installed(NOW);
    read_past();
    assert_int_equal(state.pasts[ACME_HISTORY_ISSUED], 2);
    assert_int_equal(state.past[ACME_HISTORY_ISSUED][0].kind,
                     ACME_ORDER_FIRST);
    assert_int_equal(state.past[ACME_HISTORY_ISSUED][1].kind,
                     ACME_ORDER_RENEWAL);
}

static void other_names_are_told_apart(void **unused)
{
    const char *last;

    (void)unused;
    ordered(NOW, 0);
    installed(NOW);
    last = *(const char **)apr_array_pop(cert->names);
    read_past();
    assert_int_equal(state.past[ACME_HISTORY_ISSUED][0].others, 1);
    APR_ARRAY_PUSH(cert->names, const char *) = last;
    read_past();
    assert_int_equal(state.past[ACME_HISTORY_ISSUED][0].others, 0);
}

static void only_what_was_validated_has_failed(void **unused)
{
    (void)unused;
    failed("failed", 1, ACME_HTTP_01);
    failed("challenge", 2, ACME_HTTP_01);
    failed("failed", 1, ACME_CHALLENGES);
    failed("failed", ACME_NO_NAME, ACME_HTTP_01);
    read_past();
    assert_int_equal(state.pasts[ACME_HISTORY_FAILED], 2);
    assert_int_equal(state.past[ACME_HISTORY_FAILED][0].name, 1);
    assert_int_equal(state.past[ACME_HISTORY_FAILED][1].name, 2);
}

static void another_account_and_strange_words(void **unused)
{
    acme_journal_event_t *event;

    (void)unused;
    ordered(NOW, 0);
    APR_ARRAY_IDX(conf.cas, 0, acme_ca_conf_t).folder = "ca-2";
    installed(NOW);
    event = acme_journal_add(journal, NOW, "ordered", "");
    event->ca = "ca-2";
    event->kind = "unheard of";
    event->about = "nothing";
    read_past();
    assert_int_equal(state.pasts[ACME_HISTORY_ISSUED], 0);
    assert_int_equal(state.pasts[ACME_HISTORY_ORDERED], 1);
    assert_int_equal(state.past[ACME_HISTORY_ORDERED][0].kind,
                     ACME_ORDER_FIRST);
    assert_int_equal(state.past[ACME_HISTORY_ORDERED][0].others, 1);
}

static void the_last_ones_are_kept(void **unused)
{
    int i;

    (void)unused;
    for (i = 0; i < 12; i++) {
        ordered(NOW - 100 + i, 0);
    }
    read_past();
    assert_int_equal(state.pasts[ACME_HISTORY_ORDERED], ACME_HISTORY_MAX);
    assert_int_equal(state.past[ACME_HISTORY_ORDERED][0].when, NOW - 100 + 4);
    assert_int_equal(
        state.past[ACME_HISTORY_ORDERED][ACME_HISTORY_MAX - 1].when,
        NOW - 100 + 11);
}

static acme_blame_e blame(int name, int is_lasting, apr_time_t now)
{
    acme_fault_t fault;

    fault.name = names[name];
    fault.challenge = ACME_CHALLENGES;
    fault.is_lasting = is_lasting;
    return acme_name_quarantine_blame(journal, &fault, cert, &state, now);
}

static void left_out_after_some_failures(void **unused)
{
    (void)unused;
    assert_int_equal(blame(1, 0, NOW), ACME_BLAME_NOTED);
    assert_int_equal(blame(1, 0, NOW), ACME_BLAME_NOTED);
    assert_int_equal(blame(1, 0, NOW), ACME_BLAME_LEFT_OUT);
    assert_int_equal(
        acme_name_quarantine_names(cert, journal, NOW, pool)->nelts, 2);
    assert_int_equal(
        acme_name_quarantine_names(cert, journal, NOW + DAYS(1), pool)->nelts,
        3);
    assert_int_equal(blame(1, 0, NOW + DAYS(1)), ACME_BLAME_STILL_OUT);
    assert_int_equal(
        acme_name_quarantine_names(cert, journal, NOW + DAYS(1), pool)->nelts,
        2);
    acme_name_quarantine_try_all(journal, NOW + DAYS(1));
    assert_int_equal(
        acme_name_quarantine_names(cert, journal, NOW + DAYS(1), pool)->nelts,
        3);
    acme_name_quarantine_issued(journal, cert->names);
    assert_int_equal(journal->names->nelts, 0);
}

static void a_lasting_refusal_at_once(void **unused)
{
    (void)unused;
    assert_int_equal(blame(0, 1, NOW), ACME_BLAME_LEFT_OUT);
    assert_int_equal(blame(1, 1, NOW), ACME_BLAME_LEFT_OUT);
    assert_int_equal(blame(2, 1, NOW), ACME_BLAME_NOTED);       /* the last */
    assert_int_equal(
        acme_name_quarantine_names(cert, journal, NOW, pool)->nelts, 1);

    /* Without it the next one becomes the last, and stays in. */
    apr_array_pop(cert->names);
    assert_int_equal(blame(0, 1, NOW), ACME_BLAME_NOTED);
    assert_int_equal(
        acme_name_quarantine_names(cert, journal, NOW, pool)->nelts, 1);
}

static void not_before_the_warn_window(void **unused)
{
    int i;

    (void)unused;
    make_live();
    for (i = 0; i < 9; i++) {
        assert_int_equal(blame(1, i % 2, NOW), ACME_BLAME_NOTED);
    }
    assert_int_equal(blame(1, 0, NOW + DAYS(21) + 1), ACME_BLAME_LEFT_OUT);
}

#define PAST_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAST_TEST(orders_and_what_came_of_them),
        PAST_TEST(in_the_window_it_was_suggested),
        PAST_TEST(each_part_is_a_certificate),
        PAST_TEST(other_names_are_told_apart),
        PAST_TEST(only_what_was_validated_has_failed),
        PAST_TEST(another_account_and_strange_words),
        PAST_TEST(the_last_ones_are_kept),
        PAST_TEST(left_out_after_some_failures),
        PAST_TEST(a_lasting_refusal_at_once),
        PAST_TEST(not_before_the_warn_window)
    };
    int failed_tests;

    if (apr_initialize()) {
        return 1;
    }
    failed_tests = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed_tests;
}
