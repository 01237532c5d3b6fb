/*
 * test_install_check.c - what a CA issued is installed only when it is what
 * was asked for.
 */
#include "acme_cert_reader.h"
#include "acme_install_check.h"
#include "issuer.h"
#include "open_registry.h"
#include "with_launcher.h"

static const issuer_t *ca, *other_ca;
static acme_key_t *key, *other_key;

static int setup(void **state)
{
    int rc = scratch_setup(state);

    with_launcher(NULL);
    ca = make_issuer("Test CA");
    other_ca = make_issuer("Another CA");
    key = make_key();
    other_key = make_key();
    return rc;
}

#define A "a.example www.a.example"

static apr_status_t check_within(const issue_t *what, long replaced_until,
                                 long life_max)
{
    const char *pem = issue(what);
    const acme_octets_t octets = { (const unsigned char *)pem, strlen(pem) };
    acme_cert_reading_t *chain;
    acme_install_check_t asked;

    asked.id = "a.example";
    asked.names = words(A);
    asked.key = key;
    asked.now = apr_time_now();
    asked.life_max = apr_time_from_sec(life_max);
    asked.replaced_until = replaced_until
        ? asked.now + apr_time_from_sec(replaced_until) : 0;
    assert_int_equal(acme_cert_reader_read(&chain, octets, NULL, &res, pool),
                     0);
    assert_int_equal(chain->facts.parsed.status, 0);
    return acme_install_check_chain(&chain->facts, &asked, &res, pool);
}

static apr_status_t check(const issue_t *what, long replaced_until)
{
    return check_within(what, replaced_until, 3660 * DAY);
}

static void what_was_asked_for_is_good(void **state)
{
    static const struct {
        const char *name;
        issue_t what;
        long replaced_until;
    } rows[] = {
        { "as asked", { .names = A }, 0 },
        { "names in another order", { .names = "www.a.example a.example" },
          0 },
        { "a name twice", { .names = A " a.example" }, 0 },
        { "capitals", { .names = "A.Example WWW.a.example" }, 0 },
        { "no chain", { .names = A, .nnext = -1 }, 0 },
        { "longer than the last", { .names = A }, 89 * DAY },
        { "of 20 seconds", { .names = A, .until = 20 }, 0 },
        { "of ten years", { .names = A, .until = 3650 * DAY }, 0 },
        { "our clock is a little late", { .names = A, .from = 200 }, 0 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        issue_t what = rows[i].what;

        what.issuer = ca;
        what.key = acme_key_evp(key);
        if (check(&what, rows[i].replaced_until)) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
    }
}

static void anything_else_is_refused(void **state)
{
    const struct {
        const char *name;
        issue_t what;
        long replaced_until;
        const char *says;
    } rows[] = {
        { "another key", { .names = A, .key = acme_key_evp(other_key) }, 0,
          "another key" },
        { "the CA's own key", { .names = A, .key = ca->key }, 0,
          "another key" },
        { "a name more", { .names = A " evil.example" }, 0, "evil.example" },
        { "a wildcard more", { .names = A " *.a.example" }, 0,
          "not requested" },
        { "a wildcard instead", { .names = "a.example *.a.example" }, 0,
          "without all" },
        { "a name less", { .names = "a.example" }, 0, "without all" },
        { "another's names", { .names = "b.example" }, 0, "without all" },
        { "no names", { .names = NULL }, 0, "without all" },
        { "expired", { .names = A, .from = -90 * DAY, .until = -1 }, 0,
          "expired" },
        { "not yet valid", { .names = A, .from = DAY }, 0,
          "not valid before" },
        { "shorter than the last", { .names = A, .until = 30 * DAY },
          60 * DAY, "earlier than required" },
        { "followed by another CA", { .names = A, .next = other_ca }, 0,
          "not signed by the next" },
        { "signed by another CA", { .names = A, .issuer = other_ca,
                                    .next = ca }, 0,
          "not signed by the next" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        issue_t what = rows[i].what;

        what.issuer = what.issuer ? what.issuer : ca;
        what.key = what.key ? what.key : acme_key_evp(key);
        if (check(&what, rows[i].replaced_until) != APR_EINVAL
            || !strstr(res.detail, rows[i].says)) {
            fail_msg("%s: \"%s\"", rows[i].name, res.detail);
        }
    }
}

static void it_must_not_last_too_long(void **state)
{
    static const struct {
        const char *name;
        long until;             /* it begins an hour ago */
        int good;
    } rows[] = {
        { "398 days", 398 * DAY, 1 },
        { "just 400 days", 400 * DAY - 3600 - 60, 1 },
        { "more than 400 days", 400 * DAY, 0 },
        { "ten years", 3650 * DAY, 0 }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        issue_t what = { .issuer = ca, .names = A, .until = rows[i].until,
                         .key = acme_key_evp(key) };
        apr_status_t rv = check_within(&what, 0, 400 * DAY);

        if (rows[i].good ? rv != APR_SUCCESS
            : rv != APR_EINVAL || !strstr(res.detail, "is valid for longer")) {
            fail_msg("%s: \"%s\"", rows[i].name, res.detail);
        }
    }
}

/* The names fit, the signature does not. */
static void a_forged_issuer_name_is_not_enough(void **state)
{
    const issuer_t *forged = make_issuer("Test CA");
    issue_t what = {
        .issuer = forged, .names = A, .key = acme_key_evp(key), .next = ca
    };

    (void)state;
    assert_int_equal(check(&what, 0), APR_EINVAL);
    assert_non_null(strstr(res.detail, "not signed by the next"));
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_asked_for_is_good),
        TEST(anything_else_is_refused),
        TEST(it_must_not_last_too_long),
        TEST(a_forged_issuer_name_is_not_enough)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
