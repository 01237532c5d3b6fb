/*
 * test_findings.c - what rehearsals found: kept, told, and asked for after a
 * failure; and what a witness that is hostile may say of it.
 */
#include "acme_findings.h"
#include "acme_registry_live.h"
#include "acme_registry_order.h"
#include "acme_registry_rehearsal.h"
#include "acme_rehearsal.h"
#include "keeper_process.h"

#define NOW apr_time_from_sec(1800000000)
#define HOUR apr_time_from_sec(3600)
#define SECONDS(n) apr_time_from_sec(n)
#define FAULT "fault\tport-80-unreachable\thttp-01\ta.example\tport 80 of 192.0.2.7 refuses\n"
#define UNSEEN "unseen\t\thttp-01\ta.example\tfrom here\n"
#define FINE "fine\t\tcaa\ta.example\tno CAA records\n"

static acme_registry_t *registry;

static int setup(void **state)
{
    const int rc = scratch_setup(state);

    conf = make_conf();
    return rc;
}

static void the_last_ones_are_kept(void **state)
{
    acme_findings_t *findings = acme_findings_create(pool);
    unsigned i;

    (void)state;
    assert_string_equal(acme_findings_of(findings, 7), "");
    for (i = 0; i < ACME_FINDINGS_KEPT + 2; i++) {
        acme_findings_keep(findings, i, apr_psprintf(pool, "of %u", i));
    }
    acme_findings_keep(findings, 5, "new");
    assert_string_equal(acme_findings_of(findings, 0), "");
    assert_string_equal(acme_findings_of(findings, 1), "");
    assert_string_equal(acme_findings_of(findings, 2), "of 2");
    assert_string_equal(acme_findings_of(findings, 5), "new");
    assert_string_equal(acme_findings_of(findings, ACME_FINDINGS_KEPT + 1),
                        apr_psprintf(pool, "of %d", ACME_FINDINGS_KEPT + 1));
}

static void found(const char *lines, apr_time_t now)
{
    acme_registry_rehearsal_done(
        registry, 0, state_of(registry, 0)->rehearse_at,
        acme_rehearsal_parse(lines, cert_of(conf, 0)->names, pool), now, pool);
}

static void the_worst_is_told_and_kept(void **state)
{
    acme_state_t *a;

    (void)state;
    registry = open_registry(conf);
    a = state_of(registry, 0);
    acme_registry_rehearsal_wanted(registry, 0, NOW);
    assert_int_equal(a->rehearse_at, NOW);
    found(FINE FAULT UNSEEN, NOW);
    assert_int_equal(a->rehearse_at, 0);
    assert_int_equal(a->rehearsed, NOW);
    assert_int_equal(a->rehearsal, ACME_REHEARSAL_FAULT);
    assert_int_equal(a->rehearsal_why, ACME_REASON_PORT_80_UNREACHABLE);
    assert_string_equal(a->rehearsal_detail,
                        "a.example: port 80 of 192.0.2.7 refuses");
    assert_logged("[warning] a.example: check: port-80-unreachable: a.example: port 80 of 192.0.2.7 refuses. Check the firewall");
    assert_string_equal(last_event("a.example"), "check");
    assert_int_equal(journal_of("a.example")->events->nelts, 1);
    found(FAULT, NOW + 1);      /* it is no news */
    assert_int_equal(journal_of("a.example")->events->nelts, 1);

    registry = open_registry(conf);
    a = state_of(registry, 0);
    assert_int_equal(a->rehearsal, ACME_REHEARSAL_FAULT);
    assert_int_equal(a->rehearsal_why, ACME_REASON_PORT_80_UNREACHABLE);
    assert_int_equal(a->rehearsed, NOW + apr_time_from_sec(0));
    assert_non_null(strstr(a->rehearsal_detail, "refuses"));

    found(FINE UNSEEN, NOW + 2);
    assert_int_equal(a->rehearsal, ACME_REHEARSAL_UNSEEN);
    assert_int_equal(a->rehearsal_why, ACME_REASON_NONE);
    assert_logged("[notice] a.example: check: no fault seen from this machine; cannot be seen: a.example: from here");
    found(FINE, NOW + 3);
    assert_int_equal(a->rehearsal, ACME_REHEARSAL_FINE);
    assert_string_equal(a->rehearsal_detail, "");
    found("", NOW + 4);
    assert_int_equal(a->rehearsal, ACME_REHEARSAL_NONE);

    /* Of another configuration it says nothing; nor after a success. */
    found(FAULT, NOW + 5);
    acme_registry_live_installed(registry, 0, words("a.example"), NOW, pool);
    assert_int_equal(a->rehearsal, ACME_REHEARSAL_NONE);
    assert_string_equal(a->rehearsal_detail, "");
    found(FAULT, NOW + 6);
    cert_of(conf, 0)->settings = "another";
    registry = open_registry(conf);
    assert_int_equal(state_of(registry, 0)->rehearsal, ACME_REHEARSAL_NONE);
}

static void one_follows_a_failure_once_an_hour(void **state)
{
    acme_msg_note_t message = {
        .note = ACME_NOTE_FAILED, .next_at = NOW, .retry = ACME_RETRY_SOON,
        .name = ACME_NO_NAME, .challenge = ACME_CHALLENGES,
        .why = ACME_REASON_CA_UNREACHABLE, .detail = "no"
    };
    acme_state_t *a;
    int i;

    (void)state;
    registry = open_registry(conf);
    a = state_of(registry, 0);
    acme_registry_order_noted(registry, &message, NOW, pool);
    assert_int_equal(a->rehearse_at, 0);
    message.name = 0;
    message.challenge = ACME_HTTP_01;
    message.why = ACME_REASON_CHALLENGE_FAILED;
    for (i = 0; i < 3; i++) {           /* then the name is excluded */
        acme_registry_order_noted(registry, &message, NOW + i, pool);
        assert_int_equal(a->rehearse_at, NOW);
    }
    found(FAULT, NOW + SECONDS(3));
    acme_registry_order_noted(registry, &message, NOW + HOUR, pool);
    assert_int_equal(a->rehearse_at, 0);
    acme_registry_order_noted(registry, &message, NOW + SECONDS(3) + HOUR, pool);
    assert_int_equal(a->rehearse_at, NOW + SECONDS(3) + HOUR);
    message.name = 99;                  /* nobody's, and no reason of ours */
    found(FAULT, NOW + SECONDS(4) + HOUR);
    message.why = 9999;
    acme_registry_order_noted(registry, &message, NOW + 9 * HOUR, pool);
    assert_int_equal(a->rehearse_at, 0);
}

static void one_without_an_end_is_given_up(void **state)
{
    acme_state_t *a;

    (void)state;
    registry = open_registry(conf);
    a = state_of(registry, 0);
    assert_int_equal(acme_registry_rehearsal_begin(registry, 0), APR_ENOENT);
    a->rehearse_at = NOW;               /* by itself */
    assert_false(acme_registry_rehearsal_is_under_way(registry, 0, NOW));
    assert_int_equal(acme_registry_rehearsal_begin(registry, 0), 0);
    assert_true(acme_registry_rehearsal_is_under_way(registry, 0, NOW));
    assert_int_equal(acme_registry_rehearsal_begin(registry, 0),
                     APR_EGENERAL);
    acme_registry_rehearsal_wanted(registry, 0, NOW + 1);
    assert_int_equal(acme_registry_rehearsal_begin(registry, 0), 0);
    assert_int_equal(acme_registry_rehearsal_begin(registry, 0), 0);
    assert_int_equal(acme_registry_rehearsal_begin(registry, 0),
                     APR_EGENERAL);
    found(UNSEEN, NOW + 2);
    assert_false(acme_registry_rehearsal_is_under_way(registry, 0, NOW + 1));
    assert_int_equal(acme_registry_rehearsal_begin(registry, 0), APR_ENOENT);
    acme_registry_rehearsal_wanted(registry, 0, NOW + 3);
    assert_int_equal(acme_registry_rehearsal_begin(registry, 0), 0);
}

static void what_is_asked_for_meanwhile_stays(void **state)
{
    acme_state_t *a;

    (void)state;
    registry = open_registry(conf);
    a = state_of(registry, 0);
    a->rehearse_at = NOW;
    assert_int_equal(acme_registry_rehearsal_begin(registry, 0), 0);
    acme_registry_rehearsal_wanted(registry, 0, NOW + 1);
    acme_registry_rehearsal_done(
        registry, 0, NOW,
        acme_rehearsal_parse(FINE, cert_of(conf, 0)->names, pool), NOW + 2,
        pool);
    assert_int_equal(a->rehearsal, ACME_REHEARSAL_FINE);
    assert_int_equal(a->rehearse_at, NOW + 1);
    assert_int_equal(a->rehearse_fully, 1);
    found(FINE, NOW + 3);
    assert_int_equal(a->rehearse_at, 0);
    assert_int_equal(a->rehearse_fully, 0);
}

static acme_message_t findings_of(int control, apr_uint32_t cert)
{
    const acme_msg_cert_t body = { { cert, 0, 0 } };

    return say_on(control, ACME_MSG_FINDINGS, &body, NULL, 0);
}

static void acmectl_asks_and_the_witness_tells(void **state)
{
    const acme_msg_cert_t body = { { 0, 0, 0 } };
    acme_msg_rehearsed_t of = { .about = { 0, 0, 0 } },
                         none = { .about = { 99, 0, 0 } };
    const acme_msg_findings_t *said;
    const acme_msg_rehearsal_t *known;
    acme_message_t reply;
    int control, witness = open_witness(), fd, i;

    (void)state;
    begin();
    control = open_control();
    assert_int_equal(tell_url(ACME_MSG_ACCOUNT, 0, ACCOUNT_URL), 0);
    assert_int_equal(say_on(control, ACME_MSG_REHEARSE, &body, NULL,
                            0).status, 0);
    reply = findings_of(control, 0);
    said = reply.body;
    assert_int_equal(said->is_pending, 1);
    assert_int_equal(reply.tail_len, 0);
    assert_true(list(0).rehearse_at > 0);

    reply = say_on(witness, ACME_MSG_REHEARSAL, &body, NULL, 0);
    assert_int_equal(reply.status, 0);
    known = reply.body;
    assert_string_equal(known->account_url, ACCOUNT_URL);
    assert_int_equal(strlen(known->thumbprint), 43);
    assert_int_equal(known->is_full, 1);
    of.rehearse_at = known->rehearse_at - 1;    /* nobody asked for it */
    assert_int_equal(say_on(witness, ACME_MSG_REHEARSED, &of, FAULT,
                            strlen(FAULT)).status, 0);
    assert_true(list(0).rehearse_at > 0);
    of.rehearse_at++;

    /* Of names that are not its own, and with what steers a terminal. */
    assert_int_equal(say_on(witness, ACME_MSG_REHEARSED, &of,
                            FAULT "fault\t\tcaa\tb.example\tnot ours\n"
                            "fine\t\tdns\t\t\x1b[2J\n\0" FAULT,
                            sizeof(FAULT) + 60).status, 0);
    reply = findings_of(control, 0);
    said = reply.body;
    assert_int_equal(said->is_pending, 0);
    assert_int_equal(said->level, ACME_REHEARSAL_FAULT);
    assert_string_equal(reply.tail, FAULT "fine\t\tdns\t\t?[2J\n");

    /* One that ends the witness is not repeated without end. */
    reply = say_on(witness, ACME_MSG_REHEARSAL, &body, NULL, 0);
    known = reply.body;
    assert_int_equal(known->rehearse_at, 0);
    assert_int_equal(say_on(control, ACME_MSG_REHEARSE, &body, NULL,
                            0).status, 0);
    for (i = 0; i < 3; i++) {
        reply = findings_of(control, 0);
        said = reply.body;
        assert_int_equal(said->is_pending, 1);
        reply = say_on(witness, ACME_MSG_REHEARSAL, &body, NULL, 0);
        known = reply.body;
        assert_int_equal(known->rehearse_at != 0, i < 2);
    }
    reply = findings_of(control, 0);
    said = reply.body;
    assert_int_equal(said->is_pending, 0);
    assert_int_equal(said->level, ACME_REHEARSAL_UNSEEN);
    assert_non_null(strstr(reply.tail, "ended unexpectedly"));

    assert_int_equal(findings_of(control, 1).tail_len, 0);
    assert_int_equal(findings_of(control, 99).status, APR_ENOENT);
    assert_int_equal(say_on(witness, ACME_MSG_REHEARSED, &none, FAULT,
                            strlen(FAULT)).status, APR_ENOENT);
    close(control);
    close(witness);
    fd = open_witness();                /* a request of acmectl's alone */
    {
        const acme_message_t message = { .kind = ACME_MSG_REHEARSE,
                                         .body = &body };

        assert_int_equal(acme_message_send_request(fd, &message, &res), 0);
    }
    assert_closed(fd, "REHEARSE");
    close(fd);
    assert_serving();
}

/* Nothing is made for a CA whose terms nobody agreed to. */
static void without_agreement_there_is_no_account(void **state)
{
    const acme_msg_cert_t body = { { 0, 0, 0 } };
    const acme_msg_rehearsal_t *known;
    acme_message_t reply;
    int witness, control;

    (void)state;
    cert_of(conf, 0)->agreed = 0;
    start_keeper();
    witness = open_witness();
    control = open_control();
    assert_int_equal(say_on(control, ACME_MSG_REHEARSE, &body, NULL,
                            0).status, 0);
    close(control);
    reply = say_on(witness, ACME_MSG_REHEARSAL, &body, NULL, 0);
    assert_int_equal(reply.status, 0);
    known = reply.body;
    assert_true(known->rehearse_at > 0);
    assert_string_equal(known->account_url, "");
    assert_string_equal(known->thumbprint, "");
    assert_int_equal(count(at("store/accounts")), 0);
    close(witness);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    /* First those whose keeper is a process: one that is forked from a process
       with a reader of certificates closes that reader's descriptor. */
    static const struct CMUnitTest tests[] = {
        RUNNING_TEST(acmectl_asks_and_the_witness_tells),
        STARTING_TEST(without_agreement_there_is_no_account),
        TEST(the_last_ones_are_kept),
        TEST(the_worst_is_told_and_kept),
        TEST(one_follows_a_failure_once_an_hour),
        TEST(one_without_an_end_is_given_up),
        TEST(what_is_asked_for_meanwhile_stays)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
