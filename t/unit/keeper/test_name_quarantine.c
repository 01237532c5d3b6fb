/*
 * test_name_quarantine.c - a name that keeps failing is left out for a time,
 * and takes the others neither down nor away for ever.
 */
#include "acme_message.h"
#include "acme_name_quarantine.h"
#include "open_registry.h"

#define NOW apr_time_from_sec(1800000000)
#define DAYS(n) apr_time_from_sec((n) * 24 * 3600LL)

static acme_conf_t *conf;
static acme_cert_conf_t *cert;
static acme_journal_t *journal;
static acme_state_t certificate;        /* none is live */

static int setup(void **state)
{
    int rc = scratch_setup(state);

    conf = make_conf();
    cert = cert_of(conf, 0);
    cert->nchallenges = 2;
    cert->challenges[0] = ACME_HTTP_01;
    cert->challenges[1] = ACME_DNS_01;
    journal = acme_journal_make(pool);
    memset(&certificate, 0, sizeof(certificate));
    certificate.warn.percent = 10;
    return rc;
}

static acme_blame_e blame_challenge(const char *name, apr_uint32_t challenge)
{
    const acme_fault_t fault = { .name = name, .challenge = challenge };

    return acme_name_quarantine_blame(journal, &fault, cert, &certificate, NOW);
}

static acme_blame_e blame(const char *name, apr_time_t now)
{
    const acme_fault_t fault = { .name = name, .challenge = ACME_CHALLENGES };

    return acme_name_quarantine_blame(journal, &fault, cert, &certificate, now);
}

/* As the CA does that refuses an order for it. */
static acme_blame_e refuse(const char *name, apr_time_t now)
{
    const acme_fault_t fault = {
        .name = name, .challenge = ACME_CHALLENGES, .is_lasting = 1
    };

    return acme_name_quarantine_blame(journal, &fault, cert, &certificate, now);
}

static const char *names_at(apr_time_t now)
{
    return apr_array_pstrcat(
        pool, acme_name_quarantine_names(cert, journal, now, pool), ' ');
}

static unsigned flags_of(int name, apr_time_t now)
{
    return (unsigned char)acme_name_quarantine_flags(cert, journal, now,
                                                     pool)[name];
}

static apr_uint32_t left_out(apr_time_t *pagain_at)
{
    acme_name_quarantine_left_out(&certificate, cert, journal);
    *pagain_at = certificate.names_again_at;
    return certificate.left_out;
}

static void all_are_ordered_at_first(void **state)
{
    apr_time_t again_at = 1;

    (void)state;
    assert_string_equal(names_at(NOW), "a.example www.a.example");
    assert_int_equal(flags_of(0, NOW), 0);
    assert_int_equal(flags_of(1, NOW), 0);
    assert_int_equal(left_out(&again_at), 0);
    assert_int_equal(again_at, 0);
}

static void left_out_after_three_failures(void **state)
{
    apr_time_t again_at;

    (void)state;
    assert_int_equal(blame("www.a.example", NOW), ACME_BLAME_NOTED);
    assert_int_equal(blame("www.a.example", NOW + 1), ACME_BLAME_NOTED);
    assert_string_equal(names_at(NOW + 1), "a.example www.a.example");
    assert_int_equal(left_out(&again_at), 0);
    assert_int_equal(blame("www.a.example", NOW + 2), ACME_BLAME_LEFT_OUT);
    assert_string_equal(names_at(NOW + 2), "a.example");
    assert_int_equal(flags_of(0, NOW + 2), 0);
    assert_int_equal(flags_of(1, NOW + 2), ACME_NAME_LEFT_OUT);
    assert_int_equal(left_out(&again_at), 1);
    assert_int_equal(again_at, NOW + 2 + DAYS(1));
}

/* What is shown of it is that of its own last failure. */
static void the_reason_of_one_that_is_left_out(void **state)
{
    const acme_fault_t fault = {
        .name = "www.a.example", .challenge = ACME_CHALLENGES,
        .why = ACME_REASON_DNS_NXDOMAIN, .detail = "no such name"
    };
    apr_time_t again_at;

    (void)state;
    blame("www.a.example", NOW);
    blame("www.a.example", NOW);
    acme_name_quarantine_blame(journal, &fault, cert, &certificate, NOW);
    assert_int_equal(left_out(&again_at), 1);
    assert_string_equal(certificate.left_out_names, "www.a.example");
    assert_int_equal(certificate.left_out_named, 1);
    assert_int_equal(certificate.left_out_failures, 3);
    assert_int_equal(certificate.left_out_why, ACME_REASON_DNS_NXDOMAIN);
    assert_string_equal(certificate.left_out_detail, "no such name");

    acme_name_quarantine_issued(journal, cert->names);
    assert_int_equal(left_out(&again_at), 0);
    assert_string_equal(certificate.left_out_names, "");
    assert_string_equal(certificate.left_out_detail, "");
}

static void tried_again_in_a_day_and_later_in_a_week(void **state)
{
    apr_time_t now = NOW, again_at;
    int i;

    (void)state;
    for (i = 0; i < 3; i++) {
        blame("www.a.example", now);
    }
    for (i = 0; i < 10; i++) {
        left_out(&again_at);
        if (again_at != now + (i < 7 ? DAYS(1) : DAYS(7))) {
            fail_msg("try %d: after %d h", i,
                     (int)(apr_time_sec(again_at - now) / 3600));
        }
        assert_string_equal(names_at(again_at - 1), "a.example");
        assert_string_equal(names_at(again_at), "a.example www.a.example");
        assert_int_equal(flags_of(1, again_at), 0);
        now = again_at;
        assert_int_equal(blame("www.a.example", now), ACME_BLAME_STILL_OUT);
    }
}

static void others_failures_are_others(void **state)
{
    (void)state;
    blame("www.a.example", NOW);
    blame("a.example", NOW);
    blame("www.a.example", NOW);
    blame("a.example", NOW);
    assert_string_equal(names_at(NOW), "a.example www.a.example");
    assert_int_equal(blame("a.example", NOW), ACME_BLAME_LEFT_OUT);
    assert_string_equal(names_at(NOW), "www.a.example");
}

/* It costs nothing to try all of them as long as a good one is live. */
static void a_good_certificate_can_wait(void **state)
{
    int i;

    (void)state;
    certificate.live = certificate.covers = 1;
    certificate.not_before = NOW;
    certificate.not_after = NOW + DAYS(100);
    for (i = 0; i < 9; i++) {
        assert_int_equal(blame("a.example", NOW + DAYS(90) - 1),
                         ACME_BLAME_NOTED);
    }
    assert_int_equal(blame("a.example", NOW + DAYS(90)),
                     ACME_BLAME_LEFT_OUT);
}

static void one_that_lacks_a_name_can_not(void **state)
{
    (void)state;
    certificate.live = 1;
    certificate.not_before = NOW;
    certificate.not_after = NOW + DAYS(100);
    blame("a.example", NOW);
    blame("a.example", NOW);
    assert_int_equal(blame("a.example", NOW), ACME_BLAME_LEFT_OUT);
}

static void the_only_name_is_never_left_out(void **state)
{
    int i;

    (void)state;
    set_names(conf, 0, "a.example");
    for (i = 0; i < 9; i++) {
        assert_int_equal(blame("a.example", NOW), ACME_BLAME_NOTED);
    }
    assert_string_equal(names_at(NOW), "a.example");
}

/* At once: the CA will say the same the next time. */
static void what_is_refused_for_good_is_left_out_at_once(void **state)
{
    apr_time_t again_at;

    (void)state;
    assert_int_equal(refuse("www.a.example", NOW), ACME_BLAME_LEFT_OUT);
    assert_string_equal(names_at(NOW), "a.example");
    assert_int_equal(left_out(&again_at), 1);
    assert_int_equal(again_at, NOW + DAYS(1));
    assert_int_equal(refuse("www.a.example", NOW + DAYS(1)),
                     ACME_BLAME_STILL_OUT);
    assert_int_equal(left_out(&again_at), 1);
    assert_int_equal(again_at, NOW + DAYS(2));
}

static void not_even_that_while_a_good_one_can_wait(void **state)
{
    (void)state;
    certificate.live = certificate.covers = 1;
    certificate.not_before = NOW;
    certificate.not_after = NOW + DAYS(100);
    assert_int_equal(refuse("a.example", NOW + DAYS(90) - 1),
                     ACME_BLAME_NOTED);
    assert_int_equal(refuse("a.example", NOW + DAYS(90)),
                     ACME_BLAME_LEFT_OUT);
}

static void the_last_one_is_never_left_out(void **state)
{
    apr_time_t again_at;
    int i;

    (void)state;
    refuse("a.example", NOW);
    for (i = 0; i < 9; i++) {
        assert_int_equal(refuse("www.a.example", NOW), ACME_BLAME_NOTED);
    }
    assert_string_equal(names_at(NOW), "www.a.example");
    assert_int_equal(left_out(&again_at), 1);
    assert_int_equal(flags_of(1, NOW), 0);

    /* The other one is tried again: this one need not be the last. */
    assert_int_equal(refuse("www.a.example", NOW + DAYS(1)),
                     ACME_BLAME_LEFT_OUT);
    assert_string_equal(names_at(NOW + DAYS(1)), "a.example");

    /* Which fails too, and is the last one now. */
    assert_int_equal(refuse("a.example", NOW + DAYS(1)), ACME_BLAME_NOTED);
    assert_int_equal(left_out(&again_at), 1);
    assert_string_equal(names_at(NOW + DAYS(1)), "a.example");
}

static void add_left_out(const char *name, apr_time_t again_at)
{
    acme_journal_name_t *added = apr_array_push(journal->names);

    memset(added, 0, sizeof(*added));
    added->name = name;
    added->failures = 3;
    added->since = added->left_out = NOW - 1;
    added->again_at = again_at;
}

/* No journal of ours says so, but the store's may be of another. */
static void all_left_out_are_all_tried(void **state)
{
    apr_time_t again_at;

    (void)state;
    add_left_out("a.example", NOW + 5 + DAYS(1));
    add_left_out("www.a.example", NOW + DAYS(1));
    assert_int_equal(left_out(&again_at), 2);
    assert_int_equal(again_at, NOW + DAYS(1));      /* the earlier one */
    assert_string_equal(names_at(NOW + 5), "a.example www.a.example");
}

/* The administrator says that he mended it. */
static void all_are_tried_when_it_is_wanted(void **state)
{
    apr_time_t again_at;

    (void)state;
    refuse("www.a.example", NOW);
    acme_name_quarantine_try_all(journal, NOW + 1);
    assert_string_equal(names_at(NOW), "a.example");
    assert_string_equal(names_at(NOW + 1), "a.example www.a.example");
    assert_int_equal(flags_of(1, NOW + 1), 0);
    assert_int_equal(left_out(&again_at), 1);
    assert_int_equal(again_at, NOW + 1);

    /* He did not: it is left out as before. */
    assert_int_equal(blame("www.a.example", NOW + 2), ACME_BLAME_STILL_OUT);
    assert_string_equal(names_at(NOW + 2), "a.example");

    /* What was to be tried again already stays so. */
    acme_name_quarantine_try_all(journal, NOW + DAYS(9));
    left_out(&again_at);
    assert_int_equal(again_at, NOW + 2 + DAYS(1));
}

static void issued_names_are_forgiven(void **state)
{
    apr_time_t again_at;
    int i;

    (void)state;
    for (i = 0; i < 3; i++) {
        blame("www.a.example", NOW);
    }
    blame("a.example", NOW);
    acme_name_quarantine_issued(journal, words("a.example"));
    assert_int_equal(left_out(&again_at), 1);
    assert_int_equal(journal->names->nelts, 1);
    acme_name_quarantine_issued(journal, words("a.example www.a.example"));
    assert_int_equal(left_out(&again_at), 0);
    assert_int_equal(again_at, 0);
    assert_int_equal(journal->names->nelts, 0);
    assert_int_equal(blame("www.a.example", NOW), ACME_BLAME_NOTED);
}

static void what_is_no_longer_configured_does_not_count(void **state)
{
    apr_time_t again_at;
    int i;

    (void)state;
    for (i = 0; i < 3; i++) {
        blame("www.a.example", NOW);
    }
    set_names(conf, 0, "a.example new.example");
    assert_int_equal(left_out(&again_at), 0);
    assert_int_equal(again_at, 0);
    assert_string_equal(names_at(NOW), "a.example new.example");
}

static void challenges_are_remembered_until_all_have_failed(void **state)
{
    (void)state;
    acme_name_quarantine_challenge(journal, "a.example", ACME_HTTP_01, cert,
                                   NOW);
    assert_int_equal(flags_of(0, NOW), 1 << ACME_HTTP_01);
    assert_int_equal(flags_of(1, NOW), 0);
    acme_name_quarantine_challenge(journal, "a.example", ACME_HTTP_01, cert,
                                   NOW);
    acme_name_quarantine_challenge(journal, "a.example", 99, cert, NOW);
    acme_name_quarantine_challenge(journal, "a.example", 0xffffffff, cert, NOW);
    assert_int_equal(flags_of(0, NOW), 1 << ACME_HTTP_01);

    /* A certificate was issued by another one: that http-01 fails stays. */
    acme_name_quarantine_issued(journal, words("a.example www.a.example"));
    assert_int_equal(flags_of(0, NOW), 1 << ACME_HTTP_01);

    acme_name_quarantine_challenge(journal, "a.example", ACME_DNS_01, cert,
                                   NOW);
    assert_int_equal(flags_of(0, NOW), 0);
}

static void the_challenge_to_blame_is_remembered(void **state)
{
    (void)state;
    blame_challenge("a.example", ACME_DNS_01);
    blame_challenge("a.example", ACME_CHALLENGES);
    assert_int_equal(flags_of(0, NOW), 1 << ACME_DNS_01);
    blame_challenge("a.example", ACME_CHALLENGES);
    assert_int_equal(flags_of(0, NOW),
                     (1 << ACME_DNS_01) | ACME_NAME_LEFT_OUT);
    blame_challenge("a.example", ACME_HTTP_01);
    assert_int_equal(flags_of(0, NOW), ACME_NAME_LEFT_OUT);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_are_ordered_at_first),
        TEST(left_out_after_three_failures),
        TEST(the_reason_of_one_that_is_left_out),
        TEST(tried_again_in_a_day_and_later_in_a_week),
        TEST(others_failures_are_others),
        TEST(a_good_certificate_can_wait),
        TEST(one_that_lacks_a_name_can_not),
        TEST(the_only_name_is_never_left_out),
        TEST(what_is_refused_for_good_is_left_out_at_once),
        TEST(not_even_that_while_a_good_one_can_wait),
        TEST(the_last_one_is_never_left_out),
        TEST(all_left_out_are_all_tried),
        TEST(all_are_tried_when_it_is_wanted),
        TEST(issued_names_are_forgiven),
        TEST(what_is_no_longer_configured_does_not_count),
        TEST(challenges_are_remembered_until_all_have_failed),
        TEST(the_challenge_to_blame_is_remembered)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
