/*
 * test_rehearsal.c - findings on their way from the witness to the keeper, and
 * when a rehearsal follows.
 */
#include "acme_rehearsal.h"
#include "pool.h"

#define NOW apr_time_from_sec(1800000000)
#define NAMES "a.example www.a.example"

static apr_array_header_t *make_findings(const acme_rehearsal_finding_t *rows,
                                         int n)
{
    apr_array_header_t *all = apr_array_make(pool, 4, sizeof(*rows));

    while (n--) {
        APR_ARRAY_PUSH(all, acme_rehearsal_finding_t) = *rows++;
    }
    return all;
}

static const acme_rehearsal_finding_t rows[] = {
    { ACME_REHEARSAL_FINE, ACME_REASON_NONE, ACME_TOPIC_CAA, "a.example",
      "no CAA records" },
    { ACME_REHEARSAL_FAULT, ACME_REASON_PORT_80_UNREACHABLE,
      ACME_TOPIC_HTTP_01, "www.a.example", "port 80 of 192.0.2.7 \"\\x0a\"" },
    { ACME_REHEARSAL_UNSEEN, ACME_REASON_NONE, ACME_TOPIC_CA, "", "late" },
    { ACME_REHEARSAL_FAULT, ACME_REASON_CAA_FORBIDDEN, ACME_TOPIC_CAA,
      "a.example", "second" }
};

static void they_arrive_as_they_were_sent(void **state)
{
    const char *lines = acme_rehearsal_lines(make_findings(rows, 4), 10000,
                                             pool);
    apr_array_header_t *found = acme_rehearsal_parse(lines, words(NAMES),
                                                     pool);
    const acme_rehearsal_finding_t *worst;
    int i;

    (void)state;
    assert_int_equal(found->nelts, 4);
    for (i = 0; i < 4; i++) {
        const acme_rehearsal_finding_t *at =
            &APR_ARRAY_IDX(found, i, acme_rehearsal_finding_t);

        assert_int_equal(at->level, rows[i].level);
        assert_int_equal(at->reason, rows[i].reason);
        assert_int_equal(at->topic, rows[i].topic);
        assert_string_equal(at->name, rows[i].name);
        assert_string_equal(at->text, rows[i].text);
    }
    /* And once more: nothing is escaped twice. */
    assert_string_equal(acme_rehearsal_lines(found, 10000, pool), lines);
    worst = acme_rehearsal_worst(found);
    assert_int_equal(worst->reason, ACME_REASON_PORT_80_UNREACHABLE);
    assert_string_equal(acme_rehearsal_sentence(worst, pool),
                        "www.a.example: port 80 of 192.0.2.7 \"\\x0a\"");
    assert_string_equal(acme_rehearsal_sentence(&rows[2], pool), "late");
    assert_null(acme_rehearsal_worst(make_findings(rows, 0)));
}

static void what_does_not_fit_is_the_mildest(void **state)
{
    const char *all = acme_rehearsal_lines(make_findings(rows, 4), 10000,
                                           pool);
    apr_array_header_t *found;
    apr_size_t max;

    (void)state;
    for (max = 0; max <= strlen(all); max++) {
        const char *some = acme_rehearsal_lines(make_findings(rows, 4), max,
                                                pool);

        assert_true(strlen(some) <= max);
        found = acme_rehearsal_parse(some, words(NAMES), pool);
        if (found->nelts) {
            assert_int_equal(acme_rehearsal_worst(found)->level,
                             ACME_REHEARSAL_FAULT);
        }
    }
    found = acme_rehearsal_parse(
        acme_rehearsal_lines(make_findings(rows, 4), strlen(all) - 1, pool),
        words(NAMES), pool);
    assert_int_equal(found->nelts, 3);
    assert_int_equal(APR_ARRAY_IDX(found, 0, acme_rehearsal_finding_t).level,
                     ACME_REHEARSAL_FAULT);
}

/* Of a witness that was taken over. */
static void lines_of_a_stranger_are_checked(void **state)
{
    static const char *const bad[] = {
        "", "\n\n\n", "\t\t\t\t\t", "fault", "fault\tx\tcaa\ta.example",
        "fault\tx\tcaa\ta.example\t", "worst\t\tcaa\ta.example\ttext",
        "\t\tcaa\ta.example\ttext", "fault\t\tcaa\tb.example\ttext",
        "fault\t\tCAA\ta.example\ttext", "fault\t\t\ta.example\ttext",
        "fault\t\tcaa\ta.example \ttext"
    };
    const acme_rehearsal_finding_t *at;
    apr_array_header_t *found;
    char *long_text = apr_pcalloc(pool, 60000);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(bad); i++) {
        if (acme_rehearsal_parse(bad[i], words(NAMES), pool)->nelts) {
            fail_msg("taken: %s", bad[i]);
        }
    }
    assert_int_equal(acme_rehearsal_parse(NULL, NULL, pool)->nelts, 0);
    found = acme_rehearsal_parse(
        "fault\tunheard-of\tcaa\ta.example\t\x1b[31mred\x7f\xff\ta tab\n"
        "bad\nfine\t\tdns\ta.example\tgood", words(NAMES), pool);
    assert_int_equal(found->nelts, 2);
    at = &APR_ARRAY_IDX(found, 0, acme_rehearsal_finding_t);
    assert_int_equal(at->reason, ACME_REASON_OTHER);
    assert_string_equal(at->text, "?[31mred???a tab");
    memset(long_text, 'x', 59999);
    found = acme_rehearsal_parse(apr_pstrcat(
        pool, "fault\t\tcaa\ta.example\t", long_text, NULL), NULL, pool);
    assert_int_equal(strlen(APR_ARRAY_IDX(found, 0,
                                          acme_rehearsal_finding_t).text),
                     ACME_REHEARSAL_TEXT_MAX);
}

static void words_and_levels(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < ACME_REHEARSALS; i++) {
        assert_int_equal(acme_rehearsal_level(
            acme_rehearsal_word((acme_rehearsal_e)i)), i);
    }
    assert_int_equal(acme_rehearsal_level("other"), ACME_REHEARSAL_NONE);
    assert_string_equal(acme_rehearsal_word((acme_rehearsal_e)99), "");
    assert_string_equal(acme_rehearsal_topic((acme_topic_e)99), "");
}

static void one_follows_a_failed_validation(void **state)
{
    const apr_time_t hour = apr_time_from_sec(3600);
    const struct {
        const char *name;
        apr_time_t rehearsed, rehearse_at;
        acme_reason_e why;
        int is_named, follows;
    } cases[] = {
        { "of a name", 0, 0, ACME_REASON_OTHER, 1, 1 },
        { "by its reason", 0, 0, ACME_REASON_CAA_FORBIDDEN, 0, 1 },
        { "the last of them", 0, 0, ACME_REASON_NO_CHALLENGE, 0, 1 },
        { "a limit", 0, 0, ACME_REASON_RATE_LIMITED, 0, 0 },
        { "the CA is away", 0, 0, ACME_REASON_CA_UNREACHABLE, 0, 0 },
        { "within the hour", NOW - hour + 1, 0, ACME_REASON_OTHER, 1, 0 },
        { "after it", NOW - hour, 0, ACME_REASON_OTHER, 1, 1 },
        { "the clock went back", NOW + 1, 0, ACME_REASON_OTHER, 1, 1 },
        { "asked for", 0, NOW, ACME_REASON_OTHER, 1, 0 }
    };
    acme_state_t *now = apr_pcalloc(pool, sizeof(*now));
    size_t i;

    (void)state;
    assert_false(acme_rehearsal_is_due(now));
    for (i = 0; i < COUNT(cases); i++) {
        now->rehearsed = cases[i].rehearsed;
        now->rehearse_at = cases[i].rehearse_at;
        if (acme_rehearsal_follows(now, cases[i].why, cases[i].is_named, NOW)
            != cases[i].follows) {
            fail_msg("%s", cases[i].name);
        }
    }
    assert_true(acme_rehearsal_is_due(now));
    now->rehearse_at = apr_time_now() + hour;   /* the clock went back */
    assert_true(acme_rehearsal_is_due(now));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        POOL_TEST(they_arrive_as_they_were_sent),
        POOL_TEST(what_does_not_fit_is_the_mildest),
        POOL_TEST(lines_of_a_stranger_are_checked),
        POOL_TEST(words_and_levels),
        POOL_TEST(one_follows_a_failed_validation)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
