/*
 * test_result.c - what is told replaces what was told, and fits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "acme_result.h"

static acme_result_t res;

/* A result with something of everything, as an earlier failure left it. */
static void fill(void)
{
    memset(&res, 0x55, sizeof(res));
    strcpy(res.problem, "urn:ietf:params:acme:error:rateLimited");
    strcpy(res.detail, "the old one");
}

static void a_failure_replaces_all(void **state)
{
    (void)state;
    fill();
    assert_int_equal(acme_fail(&res, APR_EINVAL, "%s: %d", "a.pem", 7),
                     APR_EINVAL);
    assert_int_equal(res.status, APR_EINVAL);
    assert_int_equal(res.retry, ACME_RETRY_SOON);
    assert_int_equal(res.retry_at, 0);
    assert_string_equal(res.problem, "");
    assert_string_equal(res.detail, "a.pem: 7");
}

static void never_replaces_all_too(void **state)
{
    (void)state;
    fill();
    assert_int_equal(acme_fail_never(&res, APR_EINVAL, "bad"), APR_EINVAL);
    assert_int_equal(res.retry, ACME_RETRY_NEVER);
    assert_int_equal(res.retry_at, 0);
    assert_string_equal(res.problem, "");
    assert_string_equal(res.detail, "bad");
}

static void errno_brings_its_text(void **state)
{
    (void)state;
    fill();
    assert_int_equal(acme_fail_errno(&res, APR_ENOENT, "%s", "a.pem"),
                     APR_ENOENT);
    assert_string_equal(res.detail, "a.pem: No such file or directory");
}

static void the_old_detail_may_be_an_argument(void **state)
{
    (void)state;
    fill();
    acme_fail(&res, APR_EINVAL, "new, after %s", res.detail);
    assert_string_equal(res.detail, "new, after the old one");
}

static void what_does_not_fit_is_cut(void **state)
{
    char text[2 * ACME_DETAIL_SIZE];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';

    acme_fail(&res, APR_EINVAL, "%s", text);
    assert_int_equal(strlen(res.detail), ACME_DETAIL_SIZE - 1);
    acme_fail_never(&res, APR_EINVAL, "%s", text);
    assert_int_equal(strlen(res.detail), ACME_DETAIL_SIZE - 1);
    acme_result_prefix(&res, "subject");
    assert_int_equal(strlen(res.detail), ACME_DETAIL_SIZE - 1);
    assert_memory_equal(res.detail, "subject: xxx", 12);
}

/* The text of the error begins at, before and behind the end of the room. */
static void errno_never_writes_beyond_the_end(void **state)
{
    char text[ACME_DETAIL_SIZE + 8];
    apr_size_t len;

    (void)state;
    for (len = ACME_DETAIL_SIZE - 8; len < sizeof(text); len++) {
        memset(text, 'x', len);
        text[len] = '\0';
        acme_fail_errno(&res, APR_ENOENT, "%s", text);
        assert_int_equal(strlen(res.detail), ACME_DETAIL_SIZE - 1);
    }
}

static void a_prefix_changes_the_detail_alone(void **state)
{
    (void)state;
    acme_fail_never(&res, APR_EINVAL, "no host");
    strcpy(res.problem, "problem");
    res.retry_at = 5;
    acme_result_prefix(&res, "order of a.org");
    assert_string_equal(res.detail, "order of a.org: no host");
    assert_string_equal(res.problem, "problem");
    assert_int_equal(res.status, APR_EINVAL);
    assert_int_equal(res.retry, ACME_RETRY_NEVER);
    assert_int_equal(res.retry_at, 5);
}

/* Leave a pattern where the next call has its variables. */
static void __attribute__((noinline)) dirty_the_stack(void)
{
    volatile char stale[4 * ACME_DETAIL_SIZE];
    size_t i;

    for (i = 0; i < sizeof(stale); i++) {
        stale[i] = 0x5a;
    }
}

/* A result is sent to other processes: nothing stale is in it. */
static void behind_the_detail_are_zeros(void **state)
{
    static const char zeros[ACME_DETAIL_SIZE];
    size_t len;

    (void)state;
    dirty_the_stack();
    acme_fail(&res, APR_EINVAL, "no host");
    dirty_the_stack();
    acme_result_prefix(&res, "order");
    len = strlen(res.detail);
    assert_memory_equal(res.detail + len, zeros, sizeof(res.detail) - len);
    dirty_the_stack();
    acme_fail_errno(&res, APR_ENOENT, "file");
    len = strlen(res.detail);
    assert_memory_equal(res.detail + len, zeros, sizeof(res.detail) - len);
}

static void clear_forgets_all(void **state)
{
    static const acme_result_t nothing;

    (void)state;
    fill();
    acme_result_clear(&res);
    assert_memory_equal(&res, &nothing, sizeof(res));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_replaces_all),
        cmocka_unit_test(never_replaces_all_too),
        cmocka_unit_test(errno_brings_its_text),
        cmocka_unit_test(the_old_detail_may_be_an_argument),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(errno_never_writes_beyond_the_end),
        cmocka_unit_test(a_prefix_changes_the_detail_alone),
        cmocka_unit_test(behind_the_detail_are_zeros),
        cmocka_unit_test(clear_forgets_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
