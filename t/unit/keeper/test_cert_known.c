/*
 * test_cert_known.c - what was answered is not asked again, and what failed
 * only after a while.
 */
#include <string.h>

#include "acme_cert_known.h"
#include "acme_digest.h"
#include "pool.h"

#define NOW apr_time_from_sec(1700000000)
#define FAILED_SECONDS 60
#define LISTS 12

static void digest_of(unsigned char digest[ACME_DIGEST_OCTETS], int n)
{
    memset(digest, n, ACME_DIGEST_OCTETS);
}

static void add(int n, apr_uint32_t verdict, const char *text, apr_time_t now)
{
    acme_cert_facts_wire_t wire = { .verdicts = { 0, 0, verdict } };
    unsigned char digest[ACME_DIGEST_OCTETS];

    wire.lengths[ACME_CERT_FACTS_LOADS] = (apr_uint32_t)strlen(text);
    digest_of(digest, n);
    acme_cert_known_add(digest, &wire, text, now);
}

/* Its text; NULL: it is not known. */
static const char *find(int n, apr_time_t now)
{
    acme_cert_facts_wire_t wire;
    unsigned char digest[ACME_DIGEST_OCTETS];
    const char *text;

    digest_of(digest, n);
    return acme_cert_known_find(&wire, &text, digest, now)
        ? apr_pstrmemdup(pool, text, acme_cert_facts_octets(&wire)) : NULL;
}

static void what_failed_is_asked_again(void **state)
{
    const apr_time_t later = NOW + apr_time_from_sec(FAILED_SECONDS);

    (void)state;
    acme_cert_known_forget();
    add(1, ACME_CERT_FACTS_REFUSED, "weak", NOW);
    add(2, ACME_CERT_FACTS_FAILED, "no memory", NOW);
    assert_string_equal(find(2, later - 1), "no memory");
    assert_null(find(2, later));
    assert_null(find(2, NOW));
    assert_string_equal(find(1, later), "weak");
    add(2, ACME_CERT_FACTS_FAILED, "again", later);
    assert_string_equal(find(2, later + 1), "again");
    assert_null(find(2, NOW));  /* the clock was set back */
    add(2, ACME_CERT_FACTS_GOOD, "", later);
    assert_string_equal(find(2, NOW), "");
}

/* Who begins with the first one each time asks each of them once. */
static void who_begins_anew_comes_to_an_end(void **state)
{
    int asked = 0, i = 0;

    (void)state;
    acme_cert_known_forget();
    while (i < LISTS) {
        for (i = 0; i < LISTS && find(i, NOW + asked); i++) {
            continue;
        }
        if (i < LISTS) {
            add(i, ACME_CERT_FACTS_FAILED, "no memory", NOW + asked);
            assert_true(++asked <= LISTS);
        }
    }
    assert_int_equal(asked, LISTS);
}

/* What is over takes no room, and the ring stays one. */
static void the_oldest_ones_make_room(void **state)
{
    char *large = apr_palloc(pool, ACME_DETAIL_SIZE);
    int i;

    (void)state;
    acme_cert_known_forget();
    memset(large, 'x', ACME_DETAIL_SIZE - 1);
    large[ACME_DETAIL_SIZE - 1] = '\0';
    for (i = 0; i < 1000; i++) {
        const apr_time_t now = NOW + apr_time_from_sec(i);

        add(i % 250, i % 3, large, now);
        assert_non_null(find(i % 250, now));
        assert_null(find(251, now));
    }
    acme_cert_known_forget();
    assert_null(find(999 % 250, NOW + apr_time_from_sec(999)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(what_failed_is_asked_again),
        POOL_TEST(who_begins_anew_comes_to_an_end),
        POOL_TEST(the_oldest_ones_make_room)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
