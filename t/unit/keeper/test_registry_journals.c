/*
 * test_registry_journals.c - which journals wait, and what is on disk at once.
 */
#include "acme_registry_journals.h"
#include "acme_registry_order.h"
#include "acme_registry_request.h"
#include "registry_case.h"

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
    registry = open_registry(test_conf);
    assert_int_equal(acme_registry_journals_write(registry, NOW, pool), 0);
    note_order(ACME_NOTE_ORDERED, NOW);
    note_order(ACME_NOTE_VALIDATED, due - 1);
    assert_int_equal(acme_registry_journals_write(registry, due - 1, pool),
                     due);
    assert_int_equal(events_on_disk(), 0);
    assert_int_equal(acme_registry_journals_write(registry, due, pool), 0);
    assert_int_equal(events_on_disk(), 2);

    /* A clock that is set back keeps none for longer. */
    note_order(ACME_NOTE_VALIDATED, due);
    assert_int_equal(
        acme_registry_journals_write(registry, NOW - DAYS(1), pool), 0);
    assert_int_equal(events_on_disk(), 3);

    note_order(ACME_NOTE_VALIDATED, due);
    acme_registry_journals_write_all(registry, pool);
    assert_int_equal(events_on_disk(), 4);
    assert_int_equal(
        acme_registry_journals_write(registry, due + DAYS(1), pool), 0);
}

static int count_on_disk(void)
{
    int i, n = 0;

    for (i = 2; i < test_conf->certs->nelts; i++) {
        n += mode_of(at("store/journal/%s.json", cert_of(test_conf, i)->id))
            >= 0;
    }
    return n;
}

/* The keeper serves others between, and no certificate is written first each
   time: so a worker that notes without end keeps none back. */
static void many_are_written_in_several_turns(void **state)
{
    acme_msg_note_t message = { .note = ACME_NOTE_ORDERED,
                                .name = ACME_NO_NAME };
    const int others = 6;
    apr_time_t now = NOW + apr_time_from_sec(1);
    int i, turns = 0;

    (void)state;
    for (i = 0; i < others; i++) {
        const acme_cert_conf_t cert = *cert_of(test_conf, 1);

        APR_ARRAY_PUSH((apr_array_header_t *)test_conf->certs,
                       acme_cert_conf_t) = cert;
        cert_of(test_conf, 2 + i)->id = apr_psprintf(pool, "%d.example", i);
    }
    registry = open_registry(test_conf);
    while (count_on_disk() < others) {
        for (i = 2; i < test_conf->certs->nelts; i++) {
            message.about.cert = (apr_uint32_t)i;
            acme_registry_order_noted(registry, &message, now, pool);
        }
        now += apr_time_from_sec(1);
        if (acme_registry_journals_write(registry, now, pool) == now) {
            assert_in_range(count_on_disk(), 1, others);
        }
        assert_in_range(++turns, 1, 2);
    }
    assert_int_equal(turns, 2);
    while (acme_registry_journals_write(registry, now, pool)) {
        assert_in_range(++turns, 1, 5);
    }
}

static void what_counts_is_on_disk_at_once(void **state)
{
    const acme_msg_want_t want = { { 0, 0, 0 }, ACME_WANT_RENEWAL, -1 };

    (void)state;
    registry = open_registry(test_conf);
    note_order(ACME_NOTE_ORDERED, NOW);
    acme_registry_request_add(registry, &want, NOW, pool);
    assert_int_equal(events_on_disk(), 2);      /* with what came before */
    assert_true(scratch_lasts(at("store/journal/a.example.json")));
    note_order(ACME_NOTE_VALIDATED, NOW);
    note_order(ACME_NOTE_FAILED, NOW);
    assert_int_equal(events_on_disk(), 4);
    assert_int_equal(
        acme_registry_journals_write(registry, NOW + DAYS(1), pool), 0);
    assert_int_equal(events_on_disk(), 4);
}

/* A state that is read again sees what is not on disk. */
static void what_waits_counts(void **state)
{
    (void)state;
    registry = open_registry(test_conf);
    note_order(ACME_NOTE_ORDERED, NOW);
    acme_registry_refresh(registry, 0, pool);
    assert_int_equal(events_on_disk(), 0);
    note_order(ACME_NOTE_VALIDATED, NOW);
    acme_registry_journals_write_all(registry, pool);
    assert_int_equal(events_on_disk(), 2);
}

static void a_journal_that_can_not_be_written_stops_nothing(void **state)
{
    int i;

    (void)state;
    registry = open_registry(test_conf);
    for (i = 1; i <= 4; i++) {
        scratch_errno = ENOSPC;
        scratch_step = i;
        note(0, ACME_NOTE_FAILED, "no", NOW);
        scratch_step = 0;
        assert_int_equal(state_of(registry, 0)->attempts, i);
    }
    assert_logged("the file system is full");
    assert_int_equal(times_logged("the file system is full"), 1);
    note(0, ACME_NOTE_FAILED, "no", NOW);
    assert_int_equal(state_of(open_registry(test_conf), 0)->attempts, i);
}

/* The administrator is told, and a later keeper knows of it. */
static void a_request_that_can_not_be_written_is_written_later(void **state)
{
    const acme_msg_want_t want = { { 0, 0, 0 }, ACME_WANT_RENEWAL, -1 };
    apr_time_t again;

    (void)state;
    registry = open_registry(test_conf);
    note_order(ACME_NOTE_ORDERED, NOW);
    scratch_errno = ENOSPC;
    scratch_step = 2;
    assert_int_not_equal(acme_registry_request_add(registry, &want, NOW, pool),
                         0);
    assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_RENEWAL);
    assert_int_equal(events_on_disk(), 0);
    scratch_step = 2;
    again = acme_registry_journals_write(registry, NOW + apr_time_from_sec(10),
                                         pool);
    assert_int_equal(scratch_step, 0);
    assert_int_equal(again, NOW + apr_time_from_sec(20));
    assert_int_equal(events_on_disk(), 0);
    assert_int_equal(times_logged("the file system is full"), 1);
    assert_int_equal(acme_registry_journals_write(registry, again, pool), 0);
    assert_int_equal(events_on_disk(), 2);      /* with what came before */
    assert_int_equal(state_of(open_registry(test_conf), 0)->wanted,
                     ACME_WANT_RENEWAL);
}

static void the_oldest_events_go(void **state)
{
    int i;

    (void)state;
    registry = open_registry(test_conf);
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

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, registry_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(notes_of_a_second_are_one_write),
        TEST(many_are_written_in_several_turns),
        TEST(what_counts_is_on_disk_at_once),
        TEST(what_waits_counts),
        TEST(a_journal_that_can_not_be_written_stops_nothing),
        TEST(a_request_that_can_not_be_written_is_written_later),
        TEST(the_oldest_events_go)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
