/*
 * test_cert_reader.c - certificates are parsed by another process, whatever
 * they are and whatever becomes of it.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acme_cert_reader.h"
#include "acme_cert_reader_process.h"
#include "acme_chain.h"
#include "acme_no_x509.h"
#include "acme_pair.h"
#include "acme_public_key.h"
#include "child.h"
#include "issuer.h"
#include "scratch.h"
#include "with_launcher.h"

#define A "a.example www.a.example *.b.example"
#define FAILURES_MAX 4

static acme_key_t *key;
static const char *good;

static int setup(void **state)
{
    int rc = scratch_setup(state);
    issue_t what = { .names = A };

    what.issuer = make_issuer("Test CA");
    key = make_key();
    what.key = acme_key_evp(key);
    good = issue(&what);
    with_launcher(NULL);
    return rc;
}

static acme_octets_t octets(const char *text)
{
    return (acme_octets_t) { (const unsigned char *)text, strlen(text) };
}

/* What was not asked before: words may be in front of a certificate. */
static const char *another(const char *pem)
{
    static int n;

    return apr_psprintf(pool, "%d\n%s", ++n, pem);
}

static apr_status_t read_pem(acme_cert_reading_t **preading, const char *pem)
{
    return acme_cert_reader_read(preading, octets(pem), NULL, &res, pool);
}

static void assert_works(void)
{
    acme_cert_reading_t *reading;

    if (read_pem(&reading, another(good)) || reading->facts.parsed.status) {
        fail_msg("%s", res.detail);
    }
}

static void it_says_what_the_parser_says(void **state)
{
    acme_cert_reading_t *reading;
    const acme_cert_info_t *leaf, *said;
    acme_chain_t *chain;

    (void)state;
    assert_int_equal(acme_chain_parse(&chain, good, strlen(good), &res, pool),
                     0);
    leaf = acme_chain_leaf(chain);
    assert_int_equal(read_pem(&reading, good), 0);
    said = &reading->facts.leaf;
    assert_int_equal(reading->facts.parsed.status, 0);
    assert_int_equal(reading->facts.linked.status, 0);
    assert_int_equal(reading->facts.loads.status, 0);
    assert_int_equal(reading->facts.count, 2);
    assert_string_equal(apr_array_pstrcat(pool, said->names, ' '), A);
    assert_true(said->not_before == leaf->not_before);
    assert_true(said->not_after == leaf->not_after);
    assert_string_equal(said->serial, leaf->serial);
    assert_string_equal(said->issuer, "Test CA");
    assert_true(leaf->cert_id ? !strcmp(leaf->cert_id, said->cert_id)
                              : !said->cert_id);
    assert_string_equal(reading->leaf_pem,
                        pem_text(acme_chain_x509(chain, 0)));
    assert_string_equal(reading->rest_pem,
                        pem_text(acme_chain_x509(chain, 1)));
    assert_string_equal(reading->full_pem,
                        apr_pstrcat(pool, reading->leaf_pem,
                                    reading->rest_pem, NULL));
    assert_true(acme_public_key_is_same(reading->facts.key,
                                        acme_public_key_of(key, pool)));
    assert_false(acme_public_key_is_same(
        reading->facts.key, acme_public_key_of(make_key(), pool)));
}

static void each_server_tries_it(void **state)
{
    static const char *const lists[] = { "", "ALL:@SECLEVEL=1",
                                         "ALL:@SECLEVEL=5", NULL };
    apr_array_header_t *ciphers = apr_array_make(pool, 3,
                                                 sizeof(const char *));
    acme_cert_reading_t *reading;
    int i;

    (void)state;
    for (i = 0; lists[i]; i++) {
        APR_ARRAY_PUSH(ciphers, const char *) = lists[i];
        assert_int_equal(acme_cert_reader_read(&reading, octets(good), ciphers,
                                               &res, pool), 0);
        assert_int_equal(reading->facts.loads.status, i < 2 ? 0 : APR_EINVAL);
    }
    assert_non_null(strstr(reading->facts.loads.detail, "security level 5"));
}

static const char *repeated(const char *part, apr_size_t len)
{
    char *text = apr_palloc(pool, len + 1);
    apr_size_t i;

    for (i = 0; i < len; i++) {
        text[i] = part[i % strlen(part)];
    }
    text[len] = '\0';
    return text;
}

static void hostile_texts_are_refused(void **state)
{
    const struct {
        const char *name, *text;
    } rows[] = {
        { "nothing", "" },
        { "no PEM", "hello" },
        { "no base64",
          "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n" },
        { "no DER",
          "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
        { "no end", apr_pstrndup(pool, good, strlen(good) - 30) },
        { "a rule between", apr_pstrcat(pool, good, "--\n", good, NULL) },
        { "eleven", repeated(good, 6 * strlen(good)) },
        { "1 MB of letters", repeated("A", ACME_CERT_READER_PEM_MAX) },
        { "1 MB of beginnings", repeated("-----BEGIN CERTIFICATE-----\n",
                                         ACME_CERT_READER_PEM_MAX) },
        { "100 kB of certificates", repeated(good, 100 * 1024) }
    };
    acme_cert_reading_t *reading;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (read_pem(&reading, rows[i].text)) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
        if (reading->facts.parsed.status != APR_EINVAL || reading->full_pem
            || !reading->facts.parsed.detail[0]) {
            fail_msg("%s", rows[i].name);
        }
    }
    assert_int_not_equal(
        read_pem(&reading, repeated("A", ACME_CERT_READER_PEM_MAX + 1)), 0);
    assert_detail("larger than");
    assert_works();
}

/* With an octet changed it is read or refused, and nothing else happens. */
static void damaged_ones_are_read_or_refused(void **state)
{
    acme_cert_reading_t *reading;
    char *text = apr_pstrdup(pool, good);
    size_t i;

    (void)state;
    for (i = 30; i < strlen(good); i += 23) {
        const char was = text[i];

        text[i] = was == 'B' ? 'C' : 'B';
        if (read_pem(&reading, text)) {
            fail_msg("octet %d: %s", (int)i, res.detail);
        }
        text[i] = was;
    }
}

static void one_that_ended_is_replaced(void **state)
{
    pid_t pid;

    (void)state;
    assert_works();
    pid = reader_of(getpid());
    kill(pid, SIGKILL);
    while (kill(pid, 0) == 0) {
        usleep(1000);           /* the launcher reaps it */
    }
    assert_works();
    assert_int_not_equal(reader_of(getpid()), pid);
}

/* It is stopped, so that it does not reply before it is killed. */
static void fail_once(void)
{
    acme_cert_reading_t *reading;
    const pid_t victim = reader_of(getpid());
    pid_t killer;

    kill(victim, SIGSTOP);
    killer = fork();
    if (killer == 0) {
        usleep(20000);
        kill(victim, SIGKILL);
        _exit(0);
    }
    assert_int_not_equal(read_pem(&reading, another(good)), 0);
    assert_detail("ended while it read it");
    assert_null(reading);
    assert_int_not_equal(res.status, APR_EINVAL);
    waitpid(killer, NULL, 0);
}

static void one_that_dies_at_a_certificate_is_replaced(void **state)
{
    acme_cert_reading_t *reading;
    int i;

    (void)state;
    for (i = 0; i < FAILURES_MAX; i++) {
        assert_works();
        fail_once();
    }
    assert_int_not_equal(read_pem(&reading, another(good)), 0);
    assert_detail("failed 4 times within a minute");
    acme_cert_reader_start();
    assert_works();
}

static apr_status_t ask(acme_cert_reading_t **preading, apr_uint64_t asker,
                        const char *pem)
{
    acme_cert_reader_turn(asker);
    return acme_cert_reader_ask(preading, octets(pem), NULL, &res, pool);
}

static void assert_asked(apr_uint64_t asker, const char *pem)
{
    acme_cert_reading_t *reading;

    assert_int_equal(ask(&reading, asker, pem), APR_EINPROGRESS);
    assert_int_equal(res.status, APR_EAGAIN);
    assert_null(reading);
    assert_true(acme_cert_reader_is_asked(asker));
}

static void assert_read(apr_uint64_t asker, const char *pem)
{
    acme_cert_reading_t *reading;

    if (ask(&reading, asker, pem) || reading->facts.parsed.status) {
        fail_msg("%d: %s", (int)asker, res.detail);
    }
}

/* Whose question is answered next. */
static apr_uint64_t next_answered(void)
{
    apr_interval_time_t took;
    apr_uint64_t asker;

    while (!(asker = acme_cert_reader_step(&took, apr_time_now()))) {
        struct pollfd fd = { acme_cert_reader_fd(), POLLIN, 0 };

        assert_int_equal(poll(&fd, 1, 60 * 1000), 1);
    }
    return asker;
}

static void nobody_waits_for_an_answer(void **state)
{
    const char *const a = another(good), *const b = another(good);
    const pid_t pid = reader_of(getpid());
    apr_interval_time_t took;

    (void)state;
    assert_int_equal(acme_cert_reader_fd(), -1);
    kill(pid, SIGSTOP);
    assert_asked(7, a);
    assert_asked(8, b);
    assert_true(acme_cert_reader_fd() >= 0);
    assert_int_equal(acme_cert_reader_step(&took, apr_time_now()), 0);
    kill(pid, SIGCONT);
    assert_int_equal(next_answered(), 7);
    assert_read(7, a);
    assert_int_equal(next_answered(), 8);
    assert_false(acme_cert_reader_is_asked(8));
    assert_int_equal(acme_cert_reader_fd(), -1);
    kill(pid, SIGSTOP);
    assert_read(8, b);
    assert_read(9, a);          /* asked once for all */
    kill(pid, SIGCONT);
}

static void only_who_has_the_turn_asks(void **state)
{
    acme_cert_reading_t *reading;
    const char *text;
    int i;

    (void)state;
    kill(reader_of(getpid()), SIGSTOP);
    assert_int_equal(ask(&reading, 0, good), APR_EINPROGRESS);
    assert_int_equal(acme_cert_reader_fd(), -1);
    for (i = 1; acme_cert_reader_has_room(); i++) {
        assert_true(i < 100);
        assert_asked((apr_uint64_t)i, another(good));
    }
    text = apr_pstrcat(pool, repeated("a\n", 60 * 1024), good, NULL);
    assert_int_equal(ask(&reading, 1000, text), APR_EINPROGRESS);
    assert_false(acme_cert_reader_is_asked(1000));
    kill(reader_of(getpid()), SIGCONT);
    while (--i > 0) {
        assert_int_not_equal(next_answered(), 0);
    }
    assert_asked(1000, text);
    assert_int_equal(next_answered(), 1000);
    assert_read(1000, text);
}

/* The keeper's own question, which it waits for, is behind those. */
static void who_waits_gets_his_own_answer(void **state)
{
    const char *const a = another(good);
    acme_cert_reading_t *reading;

    (void)state;
    assert_asked(7, a);
    assert_int_equal(read_pem(&reading, "no certificate"), 0);
    assert_int_equal(reading->facts.parsed.status, APR_EINVAL);
    assert_true(acme_cert_reader_wake(42) == 42);
    assert_int_equal(next_answered(), 7);
    assert_read(7, a);
}

static void only_the_one_that_it_dies_at_fails(void **state)
{
    const char *const a = another(good), *const b = another(good);
    acme_cert_reading_t *reading;
    pid_t pid = reader_of(getpid());

    (void)state;
    kill(pid, SIGSTOP);
    assert_asked(7, a);
    assert_asked(8, b);
    kill(pid, SIGKILL);
    assert_int_equal(next_answered(), 7);
    assert_int_not_equal(ask(&reading, 7, a), 0);
    assert_detail("ended while it read it");
    assert_int_equal(next_answered(), 8);
    assert_asked(8, b);         /* once more */
    assert_int_equal(next_answered(), 8);
    assert_read(8, b);
    assert_asked(7, a);         /* so may he */
    assert_int_equal(next_answered(), 7);
    assert_read(7, a);
}

static void one_that_hangs_is_replaced(void **state)
{
    const char *const a = another(good);
    const pid_t pid = reader_of(getpid());
    apr_time_t now = apr_time_now();
    acme_cert_reading_t *reading;
    apr_interval_time_t took;

    (void)state;
    kill(pid, SIGSTOP);
    assert_asked(7, a);
    assert_int_equal(acme_cert_reader_step(&took, now), 0);
    now = acme_cert_reader_wake(now);
    assert_true(now > apr_time_now());
    assert_int_equal(acme_cert_reader_step(&took, now), 7);
    assert_true(took >= apr_time_from_sec(9));
    assert_int_not_equal(ask(&reading, 7, a), 0);
    assert_detail("did not answer for 10 seconds");
    assert_works();
    while (kill(pid, 0) == 0) {
        usleep(1000);           /* the launcher reaps it */
    }
}

/* What the keeper did meanwhile, as at the disk, is not the asker's. */
static void only_the_process_s_time_is_paid(void **state)
{
    const char *const a = another(good), *const b = another(good);
    struct pollfd fd;
    apr_interval_time_t first, second;

    (void)state;
    assert_asked(7, a);
    assert_asked(8, b);
    fd = (struct pollfd) { acme_cert_reader_fd(), POLLIN, 0 };
    assert_int_equal(poll(&fd, 1, 60 * 1000), 1);
    usleep(800000);             /* the disk */
    assert_int_equal(acme_cert_reader_step(&first, apr_time_now()), 7);
    assert_int_equal(acme_cert_reader_step(&second, apr_time_now()), 8);
    assert_true(first > 0 && first < apr_time_from_msec(600));
    assert_true(second > 0 && second < apr_time_from_msec(600));
}

static int answers_waited_for;

static void count_answer(void *unused)
{
    (void)unused;
    answers_waited_for++;
}

/* Nor do others keep the keeper waiting: they pay, and ask again. */
static void who_waits_does_not_wait_for_all(void **state)
{
    const char *const a = another(good), *const b = another(good);
    const apr_time_t begun = apr_time_now();
    acme_cert_reading_t *reading;
    apr_interval_time_t took;

    (void)state;
    acme_cert_reader_on_wait(count_answer, NULL);
    kill(reader_of(getpid()), SIGSTOP);
    assert_asked(7, a);
    assert_asked(8, b);
    assert_int_equal(read_pem(&reading, another(good)), 0);
    assert_true(apr_time_now() - begun < apr_time_from_sec(9));
    assert_int_equal(answers_waited_for, 2);
    acme_cert_reader_on_wait(NULL, NULL);
    assert_int_equal(acme_cert_reader_step(&took, apr_time_now()), 7);
    assert_true(took > apr_time_from_sec(4));
    assert_asked(7, a);
    assert_int_equal(acme_cert_reader_step(&took, apr_time_now()), 8);
    assert_true(took == 0);
    assert_asked(8, b);
    assert_int_equal(next_answered(), 7);
    assert_read(7, a);
    assert_int_equal(next_answered(), 8);
    assert_read(8, b);
}

static void kill_reader(pid_t pid)
{
    kill(pid, SIGKILL);
    while (kill(pid, 0) == 0) {
        usleep(1000);           /* the launcher reaps it */
    }
}

/* That it is at fault is told though another one is, before. */
static void each_is_told_of_its_own_failure(void **state)
{
    const char *const a = another(good), *const b = another(good);
    acme_cert_reading_t *reading;
    pid_t pid = reader_of(getpid());

    (void)state;
    kill(pid, SIGSTOP);
    assert_asked(7, a);
    kill_reader(pid);
    assert_asked(8, b);
    kill_reader(reader_of(getpid()));
    assert_int_equal(next_answered(), 7);
    assert_int_not_equal(ask(&reading, 7, a), 0);
    assert_detail("ended while it read it");
    assert_int_equal(next_answered(), 8);
}

/* This process has keys. */
static int parse_nothing(void *unused)
{
    acme_cert_reading_t *reading;
    acme_octets_t none;
    acme_chain_t *chain;

    (void)unused;
    acme_no_x509_begin();
    CHECK(acme_chain_parse(&chain, good, strlen(good), &res, pool)
          == APR_EGENERAL);
    put(at("cert.pem"), good);
    CHECK(acme_pair_check(at("cert.pem"), at("cert.pem"), NULL, &res)
          == APR_EGENERAL);
    CHECK(acme_pair_check_certs(&none, octets(good), NULL, &res, pool)
          == APR_EGENERAL);
    CHECK(read_pem(&reading, good) == APR_SUCCESS);
    CHECK(reading->facts.parsed.status == APR_SUCCESS);
    return 0;
}

static void a_process_with_keys_parses_none(void **state)
{
    (void)state;
    assert_child(parse_nothing, NULL);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_says_what_the_parser_says),
        TEST(each_server_tries_it),
        TEST(hostile_texts_are_refused),
        TEST(damaged_ones_are_read_or_refused),
        TEST(one_that_ended_is_replaced),
        TEST(one_that_dies_at_a_certificate_is_replaced),
        TEST(nobody_waits_for_an_answer),
        TEST(only_who_has_the_turn_asks),
        TEST(who_waits_gets_his_own_answer),
        TEST(only_the_one_that_it_dies_at_fails),
        TEST(one_that_hangs_is_replaced),
        TEST(only_the_process_s_time_is_paid),
        TEST(who_waits_does_not_wait_for_all),
        TEST(each_is_told_of_its_own_failure),
        TEST(a_process_with_keys_parses_none)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
