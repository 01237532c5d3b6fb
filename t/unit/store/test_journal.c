/*
 * test_journal.c - what was saved is loaded again; what is damaged is set
 * aside, and is never in the way.
 */
#include "acme_journal.h"
#include "open_store.h"

#define WHEN apr_time_from_sec(1795239365)
#define EMPTY_EVENTS "\"events\": []}"
#define HEAD \
    "{\"attempts\": 1, \"retry\": \"soon\", \"problem\": \"\"," \
    "\"detail\": \"\", \"digest\": \"\", "


static apr_status_t load(acme_journal_t **pjournal)
{
    return acme_journal_load(pjournal, open_store(), "a.org", &res,
                             pool);
}

static apr_status_t save(const acme_journal_t *journal)
{
    return acme_journal_save(open_store(), "a.org", journal, &res,
                             pool);
}

static const char *repeat(const char *text, int n)
{
    char *all = apr_pcalloc(pool, n * strlen(text) + 1);
    int i;

    for (i = 0; i < n; i++) {
        strcpy(all + i * strlen(text), text);
    }
    return all;
}

static void assert_empty(const acme_journal_t *journal)
{
    assert_non_null(journal);
    assert_int_equal(journal->attempts, 0);
    assert_int_equal(journal->next_at, 0);
    assert_int_equal(journal->wanted, 0);
    assert_int_equal(journal->wanted_ca, 0);
    assert_int_equal(journal->reason, -1);
    assert_false(journal->deleted);
    assert_string_equal(journal->window.cert_id, "");
    assert_int_equal(journal->window.start, 0);
    assert_int_equal(journal->names->nelts, 0);
    assert_string_equal(journal->problem, "");
    assert_string_equal(journal->detail, "");
    assert_string_equal(journal->digest, "");
    assert_int_equal(journal->events->nelts, 0);
}

static void none_is_empty(void **state)
{
    acme_journal_t *journal;

    (void)state;
    assert_int_equal(load(&journal), 0);
    assert_empty(journal);
    assert_int_equal(save(journal), 0);
    assert_int_equal(load(&journal), 0);
    assert_empty(journal);
}

static void round_trip(void **state)
{
    static const acme_retry_e retries[] = {
        ACME_RETRY_SOON, ACME_RETRY_LATER, ACME_RETRY_NEVER
    };
    acme_journal_t *journal = acme_journal_make(pool);
    mode_t before = umask(077);
    const acme_journal_event_t *event;
    int i;

    (void)state;
    for (i = 0; i < 3; i++) {
        journal->attempts = UINT32_MAX;
        journal->next_at = WHEN + apr_time_from_sec(36500 * 86400LL);
        journal->retry = retries[i];
        journal->wanted = i % 2;
        journal->problem = "urn:ietf:params:acme:error:rateLimited";
        journal->detail = "too many \"certificates\" \\x41";
        journal->digest = "0123abcd";
        acme_journal_add(journal, WHEN, "ordered", "https://ca.example/1");
        assert_int_equal(save(journal), 0);
        assert_int_equal(load(&journal), 0);
        assert_int_equal(journal->attempts, UINT32_MAX);
        assert_int_equal(journal->next_at,
                         WHEN + apr_time_from_sec(36500 * 86400LL));
        assert_int_equal(journal->retry, retries[i]);
        assert_int_equal(journal->wanted, i % 2);
        assert_string_equal(journal->problem,
                            "urn:ietf:params:acme:error:rateLimited");
        assert_string_equal(journal->detail,
                            "too many \"certificates\" \\x41");
        assert_string_equal(journal->digest, "0123abcd");
        assert_int_equal(journal->events->nelts, i + 1);
        event = &APR_ARRAY_IDX(journal->events, i, acme_journal_event_t);
        assert_int_equal(event->when, WHEN);
        assert_string_equal(event->event, "ordered");
        assert_string_equal(event->detail, "https://ca.example/1");
    }
    umask(before);
    assert_int_equal(mode_of(at("store/journal/a.org.json")), 0644);
    assert_non_null(strstr(text_of(at("store/journal/a.org.json")),
                           "\"2026-11-21T05:36:05Z\""));
}

static void reasons_come_back(void **state)
{
    acme_journal_t *journal = acme_journal_make(pool);

    (void)state;
    journal->attempts = 3;
    journal->why = ACME_REASON_CAA_FORBIDDEN;
    assert_int_equal(save(journal), 0);
    assert_non_null(strstr(text_of(at("store/journal/a.org.json")),
                           "\"reasonCode\": \"caa-forbidden\""));
    assert_int_equal(load(&journal), 0);
    assert_int_equal(journal->why, ACME_REASON_CAA_FORBIDDEN);
    journal->attempts = 0;
    journal->why = ACME_REASON_NONE;
    assert_int_equal(save(journal), 0);
    assert_int_equal(load(&journal), 0);
    assert_int_equal(journal->why, ACME_REASON_NONE);
}

/* As an older version wrote it, or a newer one. */
static void unknown_reasons_are_the_generic_one(void **state)
{
    static const struct {
        const char *name, *json;
        acme_reason_e why;
    } rows[] = {
        { "none, failed", "{\"attempts\":2,\"retry\":\"soon\","
          "\"problem\":\"\",\"detail\":\"no\",\"digest\":\"\","
          "\"events\":[]}", ACME_REASON_OTHER },
        { "none, well", "{\"attempts\":0,\"retry\":\"soon\","
          "\"problem\":\"\",\"detail\":\"\",\"digest\":\"\","
          "\"events\":[]}", ACME_REASON_NONE },
        { "of tomorrow", "{\"attempts\":2,\"retry\":\"soon\","
          "\"problem\":\"\",\"detail\":\"no\",\"digest\":\"\","
          "\"reasonCode\":\"moon-phase\",\"events\":[]}",
          ACME_REASON_OTHER },
        { "no string", "{\"attempts\":2,\"retry\":\"soon\","
          "\"problem\":\"\",\"detail\":\"no\",\"digest\":\"\","
          "\"reasonCode\":7,\"events\":[]}", ACME_REASON_OTHER }
    };
    acme_journal_t *journal;
    size_t i;

    (void)state;
    open_store();
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        put(at("store/journal/a.org.json"), rows[i].json);
        assert_int_equal(load(&journal), 0);
        if (journal->why != rows[i].why) {
            fail_msg("%s: %d", rows[i].name, (int)journal->why);
        }
    }
}

static void wishes_come_back(void **state)
{
    static const struct {
        int wanted, wanted_ca, reason, deleted;
    } rows[] = {
        { 0, 0, -1, 0 }, { 3, 0, 4, 0 }, { 4, 0, 0, 1 }, { 7, 2, -1, 1 }
    };
    acme_journal_t *journal = acme_journal_make(pool);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        journal->wanted = rows[i].wanted;
        journal->wanted_ca = rows[i].wanted_ca;
        journal->reason = rows[i].reason;
        journal->deleted = rows[i].deleted;
        assert_int_equal(save(journal), 0);
        assert_int_equal(load(&journal), 0);
        assert_int_equal(journal->wanted, rows[i].wanted);
        assert_int_equal(journal->wanted_ca, rows[i].wanted_ca);
        assert_int_equal(journal->reason, rows[i].reason);
        assert_int_equal(journal->deleted, rows[i].deleted);
    }
}

static void a_window_comes_back(void **state)
{
    const acme_journal_window_t window = {
        "AB.CD", WHEN, WHEN + apr_time_from_sec(100),
        WHEN + apr_time_from_sec(50), WHEN + apr_time_from_sec(7),
        UINT32_MAX, "https://ca.example/why", 1
    };
    acme_journal_t *journal = acme_journal_make(pool);

    (void)state;
    journal->window = window;
    assert_int_equal(save(journal), 0);
    assert_int_equal(load(&journal), 0);
    assert_string_equal(journal->window.cert_id, "AB.CD");
    assert_int_equal(journal->window.start, window.start);
    assert_int_equal(journal->window.end, window.end);
    assert_int_equal(journal->window.pick, window.pick);
    assert_int_equal(journal->window.ask_at, window.ask_at);
    assert_int_equal(journal->window.failures, UINT32_MAX);
    assert_string_equal(journal->window.explanation,
                        "https://ca.example/why");
    assert_int_equal(journal->window.revoked, 1);

    /* What is not about any certificate is not kept. */
    journal->window.cert_id = "";
    assert_int_equal(save(journal), 0);
    assert_int_equal(load(&journal), 0);
    assert_int_equal(journal->window.start, 0);
    assert_int_equal(journal->window.revoked, 0);
}

static void a_self_check_comes_back(void **state)
{
    const acme_journal_check_t check = { "0123456789abcdef", "other", WHEN, 3,
                                         "*:443=no", "what was found",
                                         "0a1b", WHEN + 1000000 };
    acme_journal_t *journal = acme_journal_make(pool);

    (void)state;
    assert_int_equal(save(journal), 0);
    assert_int_equal(load(&journal), 0);
    assert_string_equal(journal->check.digest, "");
    assert_string_equal(journal->check.reloaded, "");
    journal->check = check;
    assert_int_equal(save(journal), 0);
    assert_int_equal(load(&journal), 0);
    assert_string_equal(journal->check.digest, check.digest);
    assert_string_equal(journal->check.result, check.result);
    assert_int_equal(journal->check.when, check.when);
    assert_int_equal(journal->check.tries, check.tries);
    assert_string_equal(journal->check.places, check.places);
    assert_string_equal(journal->check.detail, check.detail);
    assert_string_equal(journal->check.reloaded, check.reloaded);
    assert_int_equal(journal->check.reloaded_at, check.reloaded_at);
}

static void names_that_failed_come_back(void **state)
{
    static const acme_journal_name_t names[] = {
        { "a.org", 3, WHEN, WHEN + 1000000, WHEN + 2000000, 5,
          ACME_REASON_DNS_FAILED, "a.org: no answer" },
        { "b.org", UINT32_MAX, WHEN, 0, 0, 0, ACME_REASON_NONE, NULL },
        { "c.org", 0, 0, 0, 0, 15, ACME_REASON_NONE, "" }
    };
    acme_journal_t *journal = acme_journal_make(pool);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        APR_ARRAY_PUSH(journal->names, acme_journal_name_t) = names[i];
    }
    assert_int_equal(save(journal), 0);
    assert_int_equal(load(&journal), 0);
    assert_int_equal(journal->names->nelts, 3);
    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const acme_journal_name_t *name = &APR_ARRAY_IDX(journal->names, i,
                                                         acme_journal_name_t);

        assert_string_equal(name->name, names[i].name);
        assert_int_equal(name->failures, names[i].failures);
        assert_int_equal(name->since, names[i].since);
        assert_int_equal(name->left_out, names[i].left_out);
        assert_int_equal(name->again_at, names[i].again_at);
        assert_int_equal(name->challenges, names[i].challenges);
        assert_int_equal(name->why, names[i].why);
        assert_string_equal(name->detail,
                            names[i].detail ? names[i].detail : "");
    }
}

/* What a journal need not have costs nothing but itself. */
static void damaged_extras_are_none(void **state)
{
    static const char *const rows[] = {
        "\"wanted\": \"1\", \"reason\": \"x\",",
        "\"wanted\": true, \"wantedCa\": [], \"deleted\": 1,",
        "\"renewalInfo\": 1, \"names\": 1,",
        "\"renewalInfo\": [], \"names\": {},",
        "\"renewalInfo\": {\"start\": \"2026-11-21T05:36:05Z\"},",
        "\"renewalInfo\": {\"certId\": 1},",
        "\"renewalInfo\": {\"certId\": \"a\", \"start\": \"soon\"},",
        "\"renewalInfo\": {\"certId\": \"a\", \"failures\": -1},",
        "\"renewalInfo\": {\"certId\": \"a\", \"revoked\": \"yes\"},",
        "\"names\": [1, null, [], {}, {\"name\": \"a\"}],",
        "\"names\": [{\"name\": 1, \"failures\": 1}],",
        "\"names\": [{\"name\": \"a\", \"failures\": \"1\"}],",
        "\"names\": [{\"name\": \"a\", \"failures\": -1}],",
        "\"names\": [{\"name\": \"a\", \"failures\": 4294967296}],",
        "\"names\": [{\"name\": \"a\", \"failures\": 1, "
        "\"againAt\": \"x\"}],"
    };
    acme_journal_t *journal;
    size_t i;

    (void)state;
    open_store();
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        put(at("store/journal/a.org.json"),
            apr_pstrcat(pool, HEAD, rows[i], EMPTY_EVENTS, NULL));
        if (load(&journal)) {
            fail_msg("%s: %s", rows[i], res.detail);
        }
        assert_int_equal(journal->attempts, 1);
        if (journal->wanted || journal->deleted || journal->names->nelts
            || journal->window.cert_id[0] || journal->window.start) {
            fail_msg("%s", rows[i]);
        }
    }
}

/* What else is said of an event: all, or nothing. */
static void events_say_more(void **state)
{
    acme_journal_t *journal = acme_journal_make(pool);
    acme_journal_event_t *event;

    (void)state;
    event = acme_journal_add(journal, WHEN, "ordered", "");
    event->ca = "ca.example-0123";
    event->kind = "first";
    event->about = "a.example";
    acme_journal_add(journal, WHEN, "validated", "");
    assert_int_equal(save(journal), 0);
    assert_int_equal(load(&journal), 0);
    event = &APR_ARRAY_IDX(journal->events, 0, acme_journal_event_t);
    assert_string_equal(event[0].ca, "ca.example-0123");
    assert_string_equal(event[0].kind, "first");
    assert_string_equal(event[0].about, "a.example");
    assert_string_equal(event[1].ca, "");
    assert_string_equal(event[1].kind, "");
    assert_string_equal(event[1].about, "");
    assert_null(strstr(text_of(at("store/journal/a.org.json")),
                       "\"about\": \"\""));
}

static void keeps_the_last_events(void **state)
{
    acme_journal_t *journal = acme_journal_make(pool);
    int i;

    (void)state;
    for (i = 0; i < 100; i++) {
        acme_journal_add(journal, WHEN + apr_time_from_sec(i), "event",
                         apr_itoa(pool, i));
    }
    assert_int_equal(save(journal), 0);
    assert_int_equal(load(&journal), 0);
    assert_int_equal(journal->events->nelts, ACME_JOURNAL_EVENTS);
    assert_string_equal(
        APR_ARRAY_IDX(journal->events, 0, acme_journal_event_t).detail, "68");
    assert_string_equal(
        APR_ARRAY_IDX(journal->events, 31, acme_journal_event_t).detail, "99");
}

/* Whatever texts there are, they are cut, escaped, and loaded again. */
static void hostile_texts_are_bounded(void **state)
{
    static const char *const rows[] = {
        "x", "\"", "\\", "\x01", "\xff", "\xc3\xa9", "<script>", "%n"
    };
    acme_journal_t *journal;
    struct stat st;
    size_t i;
    int n;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *text = repeat(rows[i], 5000);

        journal = acme_journal_make(pool);
        journal->problem = journal->detail = journal->digest = text;
        for (n = 0; n < ACME_JOURNAL_EVENTS; n++) {
            acme_journal_add(journal, WHEN, text, text);
        }
        assert_int_equal(save(journal), 0);
        assert_int_equal(stat(at("store/journal/a.org.json"), &st), 0);
        assert_true(st.st_size <= 256 * 1024);
        if (load(&journal) != APR_SUCCESS) {
            fail_msg("%s: %s", rows[i], res.detail);
        }
        assert_true(strlen(journal->problem) < ACME_PROBLEM_SIZE);
        assert_true(strlen(journal->detail) < ACME_DETAIL_SIZE);
        assert_true(journal->events->nelts > 5);
    }
}

static void damaged_is_set_aside(void **state)
{
    static const struct {
        const char *name;
        const char *text;
    } rows[] = {
        { "empty", "" },
        { "half", HEAD "\"events\": [{\"when\"" },
        { "array", "[]" },
        { "null", "null" },
        { "nothing in it", "{}" },
        { "binary", "\x7f\x45LF\x01" },
        { "negative", "{\"attempts\": -1, \"retry\": \"soon\", \"problem\": "
          "\"\", \"detail\": \"\", \"digest\": \"\"," EMPTY_EVENTS },
        { "too many", "{\"attempts\": 4294967296, \"retry\": \"soon\", "
          "\"problem\": \"\", \"detail\": \"\", \"digest\": \"\","
          EMPTY_EVENTS },
        { "text for number", "{\"attempts\": \"1\", \"retry\": \"soon\", "
          "\"problem\": \"\", \"detail\": \"\", \"digest\": \"\","
          EMPTY_EVENTS },
        { "unknown retry", "{\"attempts\": 1, \"retry\": \"perhaps\", "
          "\"problem\": \"\", \"detail\": \"\", \"digest\": \"\","
          EMPTY_EVENTS },
        { "number for text", "{\"attempts\": 1, \"retry\": \"soon\", "
          "\"problem\": 1, \"detail\": \"\", \"digest\": \"\","
          EMPTY_EVENTS },
        { "bad time", HEAD "\"next_at\": \"tomorrow\"," EMPTY_EVENTS },
        { "number for time", HEAD "\"next_at\": 17," EMPTY_EVENTS },
        { "events no array", HEAD "\"events\": {}}" },
        { "no events", HEAD "\"x\": 1}" },
        { "event no object", HEAD "\"events\": [1]}" },
        { "event half", HEAD "\"events\": [{\"when\": "
          "\"2026-11-21T05:36:05Z\"}]}" },
        { "event bad time", HEAD "\"events\": [{\"when\": \"x\", "
          "\"event\": \"\", \"detail\": \"\"}]}" },
        { "trailing", HEAD EMPTY_EVENTS "x" }
    };
    acme_store_t *store = open_store();
    const char *path;
    acme_journal_t *journal;
    size_t i;

    (void)state;
    path = at("store/journal/a.org.json");
    put(path, HEAD EMPTY_EVENTS);       /* what the rows vary is good */
    assert_int_equal(load(&journal), 0);
    assert_int_equal(journal->attempts, 1);
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        put(path, rows[i].text);
        if (acme_journal_look(&journal, store, "a.org", &res, pool)
                != APR_EGENERAL) {
            fail_msg("%s: looked at", rows[i].name);
        }
        assert_empty(journal);
        assert_int_equal(count(at("store/journal")), 1);
        if (load(&journal) != APR_EGENERAL) {
            fail_msg("%s", rows[i].name);
        }
        assert_empty(journal);
        assert_ptr_equal(strstr(res.detail, path), res.detail);
        assert_non_null(strstr(res.detail, "set aside as "));
        assert_int_equal(count(at("store/journal")), 0);
        assert_int_equal(count(at("store/aside")), i + 1);
        assert_int_equal(load(&journal), 0);
    }
}

static void foreign_things_are_set_aside(void **state)
{
    acme_journal_t *journal;
    const char *path;

    (void)state;
    open_store();
    path = at("store/journal/a.org.json");
    put(path, repeat(" ", 256 * 1024 + 1));
    assert_int_equal(load(&journal), APR_EGENERAL);
    assert_empty(journal);
    mkdir(path, 0755);
    put(at("store/journal/a.org.json/x"), "x");
    assert_int_equal(load(&journal), APR_EGENERAL);
    assert_empty(journal);
    put(at("victim"), HEAD EMPTY_EVENTS);
    assert_int_equal(symlink(at("victim"), path), 0);
    assert_int_equal(load(&journal), APR_EGENERAL);
    assert_empty(journal);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(load(&journal), APR_EGENERAL);
    assert_int_equal(count(at("store/aside")), 4);
    put(path, repeat("[", 60000));
    assert_int_equal(load(&journal), APR_EGENERAL);
    assert_int_equal(save(journal), 0);
}

/* A damaged one that cannot be moved does not stop anything either. */
static void set_aside_may_fail(void **state)
{
    acme_store_t *store = open_store();
    acme_journal_t *journal;

    (void)state;
    put(at("store/journal/a.org.json"), "{");
    scratch_step = 1;
    scratch_errno = EROFS;
    assert_int_equal(acme_journal_load(&journal, store, "a.org", &res,
                                       pool), APR_EGENERAL);
    assert_empty(journal);
    assert_non_null(strstr(res.detail, "it cannot be set aside: "));
    assert_non_null(strstr(res.detail, "read-only"));
    assert_int_equal(save(journal), 0);
}

static void a_failed_save_keeps_the_old(void **state)
{
    acme_store_t *store = open_store();
    acme_journal_t *journal = acme_journal_make(pool);

    (void)state;
    journal->attempts = 7;
    assert_int_equal(save(journal), 0);
    journal->attempts = 8;
    scratch_step = 2;
    scratch_errno = ENOSPC;
    assert_int_equal(acme_journal_save(store, "a.org", journal, &res,
                                       pool), ENOSPC);
    assert_int_equal(load(&journal), 0);
    assert_int_equal(journal->attempts, 7);
}

static const char *step_since(const acme_journal_t *journal, int seconds)
{
    const acme_journal_event_t *event =
        acme_journal_step(journal, apr_time_from_sec(seconds));

    return event ? event->event : "none";
}

/* What a check found while the order goes on is none of its steps. */
static void the_step_is_that_of_the_order(void **state)
{
    acme_journal_t *journal = acme_journal_make(pool);

    (void)state;
    assert_string_equal(step_since(journal, 100), "none");
    acme_journal_add(journal, apr_time_from_sec(50), "validated", "");
    acme_journal_add(journal, apr_time_from_sec(99), "asked", "");
    assert_string_equal(step_since(journal, 100), "none");
    acme_journal_add(journal, apr_time_from_sec(99), "ordered", "");
    acme_journal_add(journal, apr_time_from_sec(120), "check", "");
    assert_string_equal(step_since(journal, 100), "ordered");
    acme_journal_add(journal, apr_time_from_sec(130), "validated", "");
    acme_journal_add(journal, apr_time_from_sec(131), "expiring", "");
    assert_string_equal(step_since(journal, 100), "validated");
    assert_string_equal(step_since(journal, 200), "none");
}

/* A command that is repeated within a second leaves the same events again. */
static void what_was_read_is_not_read_again(void **state)
{
    acme_journal_t *journal = acme_journal_make(pool);
    acme_journal_mark_t mark = { .when = 0 };
    int i;

    (void)state;
    assert_int_equal(acme_journal_unread(journal, &mark), 0);
    acme_journal_mark(&mark, journal, pool);
    assert_int_equal(mark.when, 0);
    for (i = 0; i < 3; i++) {
        acme_journal_add(journal, WHEN, "asked", "chain");
        assert_int_equal(acme_journal_unread(journal, &mark), 2 * i);
        acme_journal_add(journal, WHEN, "done", "chain: the same");
        assert_int_equal(acme_journal_unread(journal, &mark), 2 * i);
        acme_journal_mark(&mark, journal, pool);
        assert_int_equal(acme_journal_unread(journal, &mark), 2 * i + 2);
    }
    acme_journal_mark(&mark, acme_journal_make(pool), pool);
    assert_int_equal(acme_journal_unread(journal, &mark), 6);

    for (i = 0; i < ACME_JOURNAL_EVENTS - 1; i++) {
        acme_journal_add(journal, WHEN + i, "ordered", "");
    }
    assert_int_equal(acme_journal_unread(journal, &mark), 1);
    acme_journal_add(journal, WHEN, "ordered", "");
    assert_int_equal(acme_journal_unread(journal, &mark), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SCRATCH_TEST(none_is_empty),
        SCRATCH_TEST(round_trip),
        SCRATCH_TEST(reasons_come_back),
        SCRATCH_TEST(unknown_reasons_are_the_generic_one),
        SCRATCH_TEST(wishes_come_back),
        SCRATCH_TEST(a_window_comes_back),
        SCRATCH_TEST(a_self_check_comes_back),
        SCRATCH_TEST(names_that_failed_come_back),
        SCRATCH_TEST(damaged_extras_are_none),
        SCRATCH_TEST(events_say_more),
        SCRATCH_TEST(keeps_the_last_events),
        SCRATCH_TEST(hostile_texts_are_bounded),
        SCRATCH_TEST(damaged_is_set_aside),
        SCRATCH_TEST(foreign_things_are_set_aside),
        SCRATCH_TEST(set_aside_may_fail),
        SCRATCH_TEST(a_failed_save_keeps_the_old),
        SCRATCH_TEST(the_step_is_that_of_the_order),
        SCRATCH_TEST(what_was_read_is_not_read_again)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
