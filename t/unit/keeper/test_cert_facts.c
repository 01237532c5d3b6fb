/*
 * test_cert_facts.c - the keeper believes nothing that an honest parser of
 * certificates could not say.
 */
#include <stdlib.h>

#include "acme_cert_facts.h"
#include "acme_public_key.h"
#include "pool.h"

#define FLIPS 20000

static acme_cert_facts_wire_t wire;
static char *text;

static acme_cert_facts_t honest(void)
{
    acme_cert_facts_t facts = { .count = 2 };

    facts.leaf = (acme_cert_info_t) {
        .names = words("a.example *.b.example 192.0.2.1 2001:db8::1"),
        .not_before = apr_time_from_sec(1700000000),
        .not_after = apr_time_from_sec(1800000000),
        .serial = "-0a1b2c",
        .issuer = "Test CA \"1\"",
        .cert_id = "AbC-_.xyz0",
        .ocsp_url = "http://ocsp.example/"
    };
    facts.key = (acme_octets_t) { (const unsigned char *)"\0\1\377", 3 };
    acme_fail(&facts.loads, APR_EINVAL, "certificate: too weak");
    acme_fail(&facts.linked, APR_EGENERAL, "certificate: no memory");
    return facts;
}

static void write_honest(void)
{
    acme_cert_facts_t facts = honest();
    const char *octets = acme_cert_facts_write(&wire, &facts, pool);

    text = apr_pmemdup(pool, octets, acme_cert_facts_octets(&wire) + 1);
}

static int setup(void **state)
{
    int rc = pool_setup(state);

    write_honest();
    return rc;
}

static apr_status_t reread(acme_cert_facts_t *facts)
{
    return acme_cert_facts_read(facts, &wire, text, &res, pool);
}

static void what_is_said_arrives(void **state)
{
    const acme_cert_facts_t said = honest();
    acme_cert_facts_t facts;

    (void)state;
    assert_int_equal(reread(&facts), 0);
    assert_int_equal(facts.parsed.status, 0);
    assert_int_equal(facts.linked.status, APR_EGENERAL);
    assert_string_equal(facts.linked.detail, said.linked.detail);
    assert_int_equal(facts.loads.status, APR_EINVAL);
    assert_string_equal(facts.loads.detail, said.loads.detail);
    assert_int_equal(facts.count, 2);
    assert_true(facts.has_ocsp);
    assert_true(acme_public_key_is_same(facts.key, said.key));
    assert_string_equal(apr_array_pstrcat(pool, facts.leaf.names, ' '),
                        "a.example *.b.example 192.0.2.1 2001:db8::1");
    assert_true(facts.leaf.not_before == said.leaf.not_before);
    assert_true(facts.leaf.not_after == said.leaf.not_after);
    assert_string_equal(facts.leaf.serial, said.leaf.serial);
    assert_string_equal(facts.leaf.issuer, said.leaf.issuer);
    assert_string_equal(facts.leaf.cert_id, said.leaf.cert_id);
}

static void of_a_refused_chain_only_that_is_said(void **state)
{
    acme_cert_facts_t said = honest(), facts;
    const char *octets;

    (void)state;
    acme_fail(&said.parsed, APR_EINVAL, "certificate chain: %s", "it\nis\177");
    said.leaf.names = NULL;
    octets = acme_cert_facts_write(&wire, &said, pool);
    assert_int_equal(acme_cert_facts_read(&facts, &wire, octets, &res, pool),
                     0);
    assert_int_equal(facts.parsed.status, APR_EINVAL);
    assert_string_equal(facts.parsed.detail, "certificate chain: it?is?");
    assert_int_equal(facts.count, 0);
    assert_false(facts.has_ocsp);
    assert_null(facts.leaf.names);
    assert_null(facts.leaf.serial);
}

static void too_many_names_are_refused_there(void **state)
{
    acme_cert_facts_t said = honest(), facts;
    apr_array_header_t *names = apr_array_make(pool, 1001,
                                               sizeof(const char *));
    const char *octets;
    int i;

    (void)state;
    for (i = 0; i < 1001; i++) {
        APR_ARRAY_PUSH(names, const char *) = "a.example";
    }
    said.leaf.names = names;
    octets = acme_cert_facts_write(&wire, &said, pool);
    assert_int_equal(acme_cert_facts_read(&facts, &wire, octets, &res, pool),
                     0);
    assert_int_equal(facts.parsed.status, APR_EINVAL);
    assert_non_null(strstr(facts.parsed.detail, "1001 names"));
}

/* Put at the beginning of a text. */
static void put_text(acme_cert_facts_text_e which, const char *octets,
                     apr_size_t len)
{
    char *at = text;
    int i;

    for (i = 0; i < (int)which; i++) {
        at += wire.lengths[i];
    }
    memcpy(at, octets, len);
}

#define LIE(what) do { write_honest(); what; assert_lie(#what); } while (0)

static void assert_lie(const char *what)
{
    acme_cert_facts_t facts;

    if (reread(&facts) != APR_EINVAL) {
        fail_msg("%s", what);
    }
    assert_detail("cannot be true");
}

static void whatever_else_is_said_is_a_lie(void **state)
{
    (void)state;
    LIE(wire.lengths[ACME_CERT_FACTS_NAMES] = 1000000000);
    LIE(wire.lengths[ACME_CERT_FACTS_NAMES] = 0xffffffff);
    LIE(wire.lengths[ACME_CERT_FACTS_SERIAL] = 42);
    LIE(wire.lengths[ACME_CERT_FACTS_ISSUER] = 129);
    LIE(wire.lengths[ACME_CERT_FACTS_CERT_ID] = ACME_CERT_ID_MAX + 1);
    LIE(wire.lengths[ACME_CERT_FACTS_KEY] = ACME_PUBLIC_KEY_MAX + 1);
    LIE(wire.lengths[ACME_CERT_FACTS_PARSED] = ACME_DETAIL_SIZE);
    LIE(wire.lengths[ACME_CERT_FACTS_SERIAL] = 0);
    LIE(wire.lengths[ACME_CERT_FACTS_NAMES] -= 1);
    LIE(wire.count = 0);
    LIE(wire.count = 11);
    LIE(wire.count = 1000000000);
    LIE(wire.has_ocsp = 2);
    LIE(wire.names = 0);
    LIE(wire.names = 3);
    LIE(wire.names = 5);
    LIE(wire.names = 1000000000);
    LIE(wire.not_before = APR_INT64_MIN);
    LIE(wire.not_after = APR_INT64_MAX);
    LIE(wire.verdicts[0] = 3);
    LIE(wire.verdicts[0] = ACME_CERT_FACTS_REFUSED);
    LIE(wire.verdicts[1] = 0xffffffff);
    LIE(wire.verdicts[2] = ACME_CERT_FACTS_GOOD);
    LIE(put_text(ACME_CERT_FACTS_LOADS, "\n", 1));
    LIE(put_text(ACME_CERT_FACTS_LOADS, "\0", 1));
    LIE(put_text(ACME_CERT_FACTS_LINKED, "\033[2J", 4));
    LIE(put_text(ACME_CERT_FACTS_SERIAL, "../", 3));
    LIE(put_text(ACME_CERT_FACTS_ISSUER, "\377", 1));
    LIE(put_text(ACME_CERT_FACTS_CERT_ID, "/", 1));
    LIE(put_text(ACME_CERT_FACTS_CERT_ID, "......", 6));
    LIE(put_text(ACME_CERT_FACTS_NAMES, "\n", 1));
    LIE(put_text(ACME_CERT_FACTS_NAMES, "\0", 1));
    LIE(put_text(ACME_CERT_FACTS_NAMES, "A", 1));
    LIE(put_text(ACME_CERT_FACTS_NAMES, "a/b", 3));
}

/* Nothing that it says does harm; a sanitizer watches. */
static void any_octet_may_be_another(void **state)
{
    acme_cert_facts_t facts;
    apr_pool_t *p;
    int i, k, n;

    (void)state;
    srand(7);
    apr_pool_create(&p, pool);
    for (i = 0; i < FLIPS; i++) {
        acme_cert_facts_wire_t other = wire;
        const apr_size_t len = acme_cert_facts_octets(&wire);
        char *octets;

        for (k = rand() % 3; k >= 0; k--) {
            ((unsigned char *)&other)[rand() % (int)sizeof(other)] ^=
                (unsigned char)(1 << rand() % 8);
        }
        if (acme_cert_facts_octets(&other) > ACME_CERT_FACTS_OCTETS_MAX) {
            continue;
        }
        octets = calloc(1, acme_cert_facts_octets(&other) + 1);
        assert_non_null(octets);
        memcpy(octets, text, len < acme_cert_facts_octets(&other)
                                 ? len : acme_cert_facts_octets(&other));
        for (k = rand() % 3; k > 0 && acme_cert_facts_octets(&other); k--) {
            octets[rand() % (int)acme_cert_facts_octets(&other)] =
                (char)rand();
        }
        if (!acme_cert_facts_read(&facts, &other, octets, &res, p)
            && !facts.parsed.status) {
            assert_true(facts.count >= 1 && facts.count <= 10);
            for (n = 0; n < facts.leaf.names->nelts; n++) {
                const char *name = APR_ARRAY_IDX(facts.leaf.names, n,
                                                 const char *);

                assert_null(strpbrk(name, "/\n\\ "));
            }
        }
        free(octets);
        apr_pool_clear(p);
    }
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_said_arrives),
        TEST(of_a_refused_chain_only_that_is_said),
        TEST(too_many_names_are_refused_there),
        TEST(whatever_else_is_said_is_a_lie),
        TEST(any_octet_may_be_another)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
