/*
 * test_registry_request.c - requests of the administrator, until they are
 * done.
 */
#include "acme_next_step.h"
#include "acme_registry_live.h"
#include "acme_registry_order.h"
#include "registry_case.h"

static void what_the_administrator_wants_is_remembered(void **state)
{
    (void)state;
    save_failure(cert_of(test_conf, 0)->settings);
    registry = open_registry(test_conf);
    want(1, ACME_WANT_RENEWAL);
    assert_int_equal(state_of(registry, 1)->wanted, ACME_WANT_RENEWAL);
    assert_int_equal(state_of(open_registry(test_conf), 1)->wanted,
                     ACME_WANT_RENEWAL);
    assert_logged("b.example: requested by the administrator: renewal");
    assert_string_equal(last_event("b.example"), "asked");

    note(1, ACME_NOTE_FAILED, "no", NOW);
    assert_int_equal(state_of(open_registry(test_conf), 1)->wanted, 0);
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
    save_failure(cert_of(test_conf, 0)->settings);
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    before = *a;
    want(0, ACME_WANT_DRY_RUN);
    assert_int_equal(a->wanted, ACME_WANT_DRY_RUN);
    assert_int_equal(a->dry_run, ACME_DRY_RUN_UNDER_WAY);
    assert_int_equal(a->attempts, before.attempts);
    assert_int_equal(a->next_at, before.next_at);
    assert_int_equal(acme_registry_order_count(registry), 0);
    assert_int_equal(state_of(open_registry(test_conf), 0)->dry_run,
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
    a = state_of(open_registry(test_conf), 0);
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
    assert_string_equal(state_of(open_registry(test_conf), 0)->dry_run_detail,
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
    registry = open_registry(test_conf);
    for (i = 0; i < COUNT(wants); i++) {
        want(0, wants[i]);
        done(0, ACME_WANT_RENEWAL);
        done(1, wants[i]);
        assert_int_equal(state_of(registry, 0)->wanted, wants[i]);
        assert_int_equal(state_of(open_registry(test_conf), 0)->wanted,
                         wants[i]);
        assert_int_equal(state_of(open_registry(test_conf), 0)->reason, 4);
        done(0, wants[i]);
        assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_NOTHING);
        assert_int_equal(state_of(open_registry(test_conf), 0)->wanted,
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
    registry = open_registry(test_conf);
    done(0, ACME_WANT_DELETION);
    assert_int_equal(state_of(registry, 0)->deleted, 0);
    want(0, ACME_WANT_DELETION);
    done(0, ACME_WANT_DELETION);
    assert_int_equal(state_of(registry, 0)->deleted, 1);
    registry = open_registry(test_conf);
    assert_int_equal(state_of(registry, 0)->deleted, 1);
    want(0, ACME_WANT_RENEWAL);
    assert_int_equal(state_of(registry, 0)->deleted, 0);
    assert_int_equal(state_of(open_registry(test_conf), 0)->deleted, 0);
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
        assert_int_equal(state_of(open_registry(test_conf), 0)->wanted,
                         i == 0 ? ACME_WANT_DEACTIVATION : ACME_WANT_NOTHING);
    }
    journal->wanted_ca = 0;
    for (i = ACME_WANTS; i < ACME_WANTS + 2; i++) {
        journal->wanted = i;
        save_journal(journal);
        assert_int_equal(state_of(open_registry(test_conf), 0)->wanted,
                         ACME_WANT_NOTHING);
    }
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
    registry = open_registry(test_conf);
    acme_registry_order_noted(registry, &message, NOW, pool);
    want(0, ACME_WANT_CHAIN);
    assert_int_equal(
        acme_registry_order_names(registry, 0, &flags, NOW, pool)->nelts, 1);
    want(0, ACME_WANT_RENEWAL);
    assert_int_equal(
        acme_registry_order_names(registry, 0, &flags, NOW, pool)->nelts, 2);
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
    registry = open_registry(test_conf);
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
        assert_int_equal(state_of(open_registry(test_conf), 0)->wanted,
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
    registry = open_registry(test_conf);
    want(0, ACME_WANT_ROLLOVER);
    note(0, ACME_NOTE_FAILED, "no", NOW);
    assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_ROLLOVER);
    assert_int_equal(state_of(registry, 0)->attempts, 1);
    acme_registry_live_installed(registry, 0, cert_of(test_conf, 0)->names,
                                 NOW, pool);
    assert_int_equal(state_of(registry, 0)->wanted, ACME_WANT_ROLLOVER);
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
    registry = open_registry(test_conf);
    a = state_of(registry, 0);
    want(0, ACME_WANT_RENEWAL);
    note(0, ACME_NOTE_FAILED, "no", NOW + HOUR);
    next = acme_next_step(a, NOW);
    assert_int_equal(next.step, ACME_STEP_RETRY);
    assert_int_equal(next.at, NOW + HOUR);
    assert_int_equal(acme_next_step(a, NOW + HOUR).step, ACME_STEP_ORDER);
    assert_int_equal(state_of(open_registry(test_conf), 0)->wanted,
                     ACME_WANT_RENEWAL);

    want(0, ACME_WANT_RENEWAL);         /* a new request does not wait */
    assert_int_equal(acme_next_step(a, NOW).step, ACME_STEP_ORDER);
    acme_registry_order_noted(registry, &never, NOW, pool);
    assert_int_equal(a->wanted, ACME_WANT_NOTHING);
    assert_int_equal(acme_next_step(a, NOW).step, ACME_STEP_RENEW);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, registry_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_administrator_wants_is_remembered),
        TEST(a_dry_run_changes_nothing_but_its_own_result),
        TEST(what_is_done_is_done_for_ever),
        TEST(a_deleted_one_stays_so_until_it_is_wanted),
        TEST(a_wish_at_a_ca_that_is_gone_is_forgotten),
        TEST(a_wanted_renewal_tries_all_names),
        TEST(a_wish_that_fails_is_told_and_forgotten),
        TEST(a_failed_order_takes_no_other_wish),
        TEST(a_request_that_failed_is_retried)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
