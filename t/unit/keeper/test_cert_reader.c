/*
 * test_cert_reader.c - certificates are parsed by another process, whatever
 * they are and whatever becomes of it.
 */
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

static apr_status_t read_pem(acme_cert_reading_t **preading, const char *pem)
{
    return acme_cert_reader_read(preading, octets(pem), NULL, &res, pool);
}

static void assert_works(void)
{
    acme_cert_reading_t *reading;

    if (read_pem(&reading, good) || reading->facts.parsed.status) {
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

static pid_t child_of(pid_t pid)
{
    char line[64], path[64];
    FILE *children;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    children = fopen(path, "r");
    if (!children || !fgets(line, sizeof(line), children)) {
        skip();
    }
    fclose(children);
    return (pid_t)atoi(line);
}

static pid_t reader(void)
{
    return child_of(child_of(getpid()));
}

static void one_that_ended_is_replaced(void **state)
{
    pid_t pid;

    (void)state;
    assert_works();
    pid = reader();
    kill(pid, SIGKILL);
    while (kill(pid, 0) == 0) {
        usleep(1000);           /* the launcher reaps it */
    }
    assert_works();
    assert_int_not_equal(reader(), pid);
}

/* It is stopped, so that it does not reply before it is killed. */
static void fail_once(void)
{
    acme_cert_reading_t *reading;
    const pid_t victim = reader();
    pid_t killer;

    kill(victim, SIGSTOP);
    killer = fork();
    if (killer == 0) {
        usleep(20000);
        kill(victim, SIGKILL);
        _exit(0);
    }
    assert_int_not_equal(read_pem(&reading, good), 0);
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
    assert_int_not_equal(read_pem(&reading, good), 0);
    assert_detail("failed 4 times within a minute");
    acme_cert_reader_start();
    assert_works();
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
        TEST(a_process_with_keys_parses_none)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
