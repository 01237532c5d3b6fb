/*
 * test_key_maker.c - keys that take long are made by another process, and at
 * last here, whatever becomes of it.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acme_key_maker.h"
#include "scratch.h"
#include "with_launcher.h"

#define NOW apr_time_now()
#define TWO_MINUTES apr_time_from_sec(120)

static const char *failed;

static int setup(void **state)
{
    int rc = scratch_setup(state);

    with_launcher(NULL);
    acme_key_maker_forget();
    return rc;
}

static apr_status_t take_at(acme_key_t **pkey, acme_key_type_e type,
                            apr_time_t now)
{
    return acme_key_maker_take(pkey, &failed, type, now, &res, pool);
}

static void assert_type(acme_key_t *key, acme_key_type_e type)
{
    acme_key_type_e made;

    assert_int_equal(acme_key_type(&made, key, &res), 0);
    assert_int_equal(made, type);
}

/* As the keeper's loop does it. */
static void wait_for_key(void)
{
    struct pollfd fd = { acme_key_maker_fd(), POLLIN, 0 };

    assert_true(fd.fd >= 0);
    assert_int_equal(poll(&fd, 1, 60 * 1000), 1);
    assert_true(acme_key_maker_step(NOW));
    assert_int_equal(acme_key_maker_fd(), -1);
}

static pid_t child_named(pid_t pid, const char *name)
{
    char line[256] = "", path[64], comm[32] = "";
    char *word, *last;
    pid_t found = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    file = fopen(path, "r");
    if (!file || !fgets(line, sizeof(line), file)) {
        skip();
    }
    fclose(file);
    for (word = apr_strtok(line, " ", &last); word && !found;
         word = apr_strtok(NULL, " ", &last)) {
        snprintf(path, sizeof(path), "/proc/%s/comm", word);
        file = fopen(path, "r");
        if (file && fgets(comm, sizeof(comm), file)
            && !strncmp(comm, name, strlen(name))) {
            found = (pid_t)atoi(word);
        }
        if (file) {
            fclose(file);
        }
    }
    return found;
}

static pid_t maker(void)
{
    return child_named(child_named(getpid(), "acme-launcher"), "acme-keys");
}

static void ec_keys_are_made_here(void **state)
{
    acme_key_t *key;

    (void)state;
    assert_int_equal(take_at(&key, ACME_KEY_P256, NOW), 0);
    assert_type(key, ACME_KEY_P256);
    assert_int_equal(take_at(&key, ACME_KEY_P384, NOW), 0);
    assert_type(key, ACME_KEY_P384);
    assert_int_equal(acme_key_maker_fd(), -1);
    assert_false(acme_key_maker_step(NOW));
    assert_int_equal(maker(), 0);
}

static void rsa_keys_are_made_elsewhere_one_by_one(void **state)
{
    acme_key_t *key;

    (void)state;
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), APR_EAGAIN);
    assert_null(key);
    assert_detail("rsa2048 is being made");
    assert_int_equal(take_at(&key, ACME_KEY_RSA3072, NOW), APR_EAGAIN);
    wait_for_key();
    assert_int_equal(take_at(&key, ACME_KEY_RSA3072, NOW), APR_EAGAIN);
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), 0);
    assert_type(key, ACME_KEY_RSA2048);
    assert_null(failed);
    wait_for_key();
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), APR_EAGAIN);
    assert_int_equal(take_at(&key, ACME_KEY_RSA3072, NOW), 0);
    assert_type(key, ACME_KEY_RSA3072);
    wait_for_key();
}

/* What nobody fetched is for the next; and nobody gets one twice. */
static void a_key_is_given_once(void **state)
{
    acme_key_t *key;

    (void)state;
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), APR_EAGAIN);
    wait_for_key();
    assert_int_equal(take_at(&key, ACME_KEY_P256, NOW), 0);
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), 0);
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), APR_EAGAIN);
    wait_for_key();
}

/* Nothing is left to it but memory and the socket. */
static void the_process_has_no_right(void **state)
{
    char path[64], line[256];
    int no_new_privs = 0, seccomp = 0, user = 0;
    acme_key_t *key;
    FILE *file;

    (void)state;
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), APR_EAGAIN);
    wait_for_key();
    if (!maker()) {
        skip();
    }
    snprintf(path, sizeof(path), "/proc/%d/status", maker());
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        no_new_privs |= !strncmp(line, "NoNewPrivs:\t1", 13);
        seccomp |= !strncmp(line, "Seccomp:\t2", 10);
        user |= !strncmp(line, "Uid:\t0\t", 7);
        if (!strncmp(line, "CapEff:", 7)) {
            assert_int_equal(strspn(line + 8, "0"), 16);
        }
    }
    fclose(file);
    assert_true(no_new_privs && seccomp);
    assert_int_equal(user, 0);
    snprintf(path, sizeof(path), "/proc/%d/fd", maker());
    assert_true(count(path) <= 2);      /* sanitizers keep standard error */
}

static void one_that_died_is_replaced(void **state)
{
    acme_key_t *key;
    pid_t victim;

    (void)state;
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), APR_EAGAIN);
    wait_for_key();
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), 0);
    victim = maker();
    if (!victim) {
        skip();
    }
    kill(victim, SIGKILL);
    while (kill(victim, 0) == 0) {
        usleep(1000);           /* the launcher reaps it */
    }
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), APR_EAGAIN);
    wait_for_key();
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), 0);
    assert_null(failed);
}

static void stop_at_a_key(void)
{
    acme_key_t *key;

    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), APR_EAGAIN);
    wait_for_key();
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), 0);
    if (!maker()) {
        skip();
    }
    kill(maker(), SIGSTOP);
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), APR_EAGAIN);
}

static void the_key_is_made_here_at_last(acme_key_type_e type)
{
    acme_key_t *key;

    assert_int_equal(take_at(&key, type, NOW), 0);
    assert_type(key, type);
    assert_non_null(failed);
    /* The next one is another process's. */
    assert_int_equal(take_at(&key, type, NOW), APR_EAGAIN);
    assert_null(failed);
    wait_for_key();
    assert_int_equal(take_at(&key, type, NOW), 0);
}

static void one_that_dies_at_a_key_costs_time_only(void **state)
{
    struct pollfd fd;

    (void)state;
    stop_at_a_key();
    kill(maker(), SIGKILL);
    fd = (struct pollfd) { acme_key_maker_fd(), POLLIN, 0 };
    assert_int_equal(poll(&fd, 1, 60 * 1000), 1);
    assert_true(acme_key_maker_step(NOW));
    the_key_is_made_here_at_last(ACME_KEY_RSA2048);
}

static void one_that_hangs_is_given_up(void **state)
{
    const apr_time_t now = NOW;

    (void)state;
    stop_at_a_key();
    assert_false(acme_key_maker_step(now + TWO_MINUTES - 1));
    assert_true(acme_key_maker_step(now + 2 * TWO_MINUTES));
    the_key_is_made_here_at_last(ACME_KEY_RSA2048);
}

/* Its certificate may be gone, or has found another key. */
static void one_that_nobody_asks_for_again_stops_no_other(void **state)
{
    acme_key_t *key;

    (void)state;
    stop_at_a_key();
    assert_true(acme_key_maker_step(NOW + 2 * TWO_MINUTES));
    assert_int_equal(take_at(&key, ACME_KEY_RSA3072, NOW), APR_EAGAIN);
    wait_for_key();
    assert_int_equal(take_at(&key, ACME_KEY_RSA3072, NOW), 0);
    assert_type(key, ACME_KEY_RSA3072);
    assert_null(failed);
    the_key_is_made_here_at_last(ACME_KEY_RSA2048);
}

static void a_clock_set_back_is_no_excuse(void **state)
{
    const apr_time_t now = NOW;

    (void)state;
    stop_at_a_key();
    assert_false(acme_key_maker_step(now - 60 * TWO_MINUTES));
    assert_true(acme_key_maker_step(now - 58 * TWO_MINUTES));
    the_key_is_made_here_at_last(ACME_KEY_RSA2048);
}

static void without_a_launcher_keys_are_made_here(void **state)
{
    acme_key_t *key;

    (void)state;
    assert_int_equal(take_at(&key, ACME_KEY_RSA2048, NOW), 0);
    assert_type(key, ACME_KEY_RSA2048);
    assert_non_null(failed);
}

/* No launcher of an earlier test runs then: its pool has ended. */
static int setup_without(void **state)
{
    int rc = scratch_setup(state);

    acme_key_maker_forget();
    return rc;
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ec_keys_are_made_here),
        TEST(rsa_keys_are_made_elsewhere_one_by_one),
        TEST(a_key_is_given_once),
        TEST(the_process_has_no_right),
        TEST(one_that_died_is_replaced),
        TEST(one_that_dies_at_a_key_costs_time_only),
        TEST(one_that_hangs_is_given_up),
        TEST(one_that_nobody_asks_for_again_stops_no_other),
        TEST(a_clock_set_back_is_no_excuse),
        cmocka_unit_test_setup_teardown(without_a_launcher_keys_are_made_here,
                                        setup_without, scratch_teardown)
    };
    int n;

    apr_initialize();
    n = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return n;
}
