/*
 * test_stop.c - a wait lasts as long as it should, or ends at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "acme_stop.h"
#include "pool.h"

#define MS ((apr_interval_time_t)1000)
#define LONG_WAIT apr_time_from_sec(60)     /* nobody waits for its end */
#define AT_ONCE apr_time_from_sec(5)        /* on a machine with other work */
#define THREADS 4

static acme_stop_t *stop;
static volatile sig_atomic_t signals;

static int setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    return acme_stop_create(&stop, pool);
}

static int readable(void)
{
    struct pollfd fd = { .fd = acme_stop_fd(stop), .events = POLLIN };

    return poll(&fd, 1, 0) == 1 && (fd.revents & POLLIN);
}

static void not_stopped_at_first(void **state)
{
    (void)state;
    assert_int_equal(acme_stop_is(stop), 0);
    assert_false(readable());
}

static void waits_to_the_end(void **state)
{
    apr_time_t begin = apr_time_now();

    (void)state;
    assert_int_equal(acme_stop_wait(stop, 30 * MS), APR_SUCCESS);
    assert_true(apr_time_now() - begin >= 29 * MS);
}

static void no_time_is_no_wait(void **state)
{
    static const apr_interval_time_t times[] = { 0, -1, -LONG_WAIT };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(times) / sizeof(*times); i++) {
        assert_int_equal(acme_stop_wait(stop, times[i]), APR_SUCCESS);
    }
    acme_stop_now(stop);
    for (i = 0; i < sizeof(times) / sizeof(*times); i++) {
        assert_int_equal(acme_stop_wait(stop, times[i]), APR_EINTR);
    }
}

static void once_stopped_for_ever(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < 3; i++) {
        acme_stop_now(stop);
        assert_true(acme_stop_is(stop));
        assert_true(readable());
        assert_int_equal(acme_stop_wait(stop, LONG_WAIT), APR_EINTR);
        assert_int_equal(acme_stop_wait(stop, APR_INT64_MAX), APR_EINTR);
    }
}

/* More calls than a pipe has room for. */
static void never_blocks(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < 100000; i++) {
        acme_stop_now(stop);
    }
    assert_true(readable());
}

/* Even when the write fails: the other end follows this one. */
static void errno_is_left_alone(void **state)
{
    (void)state;
    close(acme_stop_fd(stop) + 1);
    errno = ENOTTY;
    acme_stop_now(stop);
    assert_int_equal(errno, ENOTTY);
    assert_true(acme_stop_is(stop));
}

static void *wait_long(void *rv)
{
    *(apr_status_t *)rv = acme_stop_wait(stop, LONG_WAIT);
    return NULL;
}

static void ends_the_wait_of_all_threads(void **state)
{
    apr_status_t rvs[THREADS];
    pthread_t threads[THREADS];
    apr_time_t begin;
    int i;

    (void)state;
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, wait_long,
                                        &rvs[i]), 0);
    }
    usleep(30000);
    begin = apr_time_now();
    acme_stop_now(stop);
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(rvs[i], APR_EINTR);
    }
    assert_true(apr_time_now() - begin < AT_ONCE);
}

static void count_signal(int number)
{
    (void)number;
    signals++;
}

static void stop_in_handler(int number)
{
    (void)number;
    acme_stop_now(stop);
}

/* A timer that sends SIGALRM to handler after so many ms, and then again. */
static void alarm_every(int ms, void (*handler)(int number))
{
    struct itimerval timer = { .it_interval = { .tv_usec = ms * 1000 },
                               .it_value = { .tv_usec = ms * 1000 } };
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = handler;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void alarm_off(void)
{
    static const struct itimerval off;

    setitimer(ITIMER_REAL, &off, NULL);
    signal(SIGALRM, SIG_DFL);
}

static void signals_do_not_shorten_it(void **state)
{
    apr_time_t begin = apr_time_now();

    (void)state;
    signals = 0;
    alarm_every(5, count_signal);
    assert_int_equal(acme_stop_wait(stop, 60 * MS), APR_SUCCESS);
    alarm_off();
    assert_true(signals > 0);
    assert_true(apr_time_now() - begin >= 59 * MS);
}

static void a_handler_may_stop(void **state)
{
    apr_time_t begin = apr_time_now();

    (void)state;
    alarm_every(20, stop_in_handler);
    assert_int_equal(acme_stop_wait(stop, LONG_WAIT), APR_EINTR);
    alarm_off();
    assert_true(apr_time_now() - begin < AT_ONCE);
}

static void both_ends_are_closed_by_exec_and_pool(void **state)
{
    apr_pool_t *sub;
    acme_stop_t *other;
    int i, fd;

    (void)state;
    apr_pool_create(&sub, pool);
    assert_int_equal(acme_stop_create(&other, sub), APR_SUCCESS);
    fd = acme_stop_fd(other);
    for (i = 0; i < 2; i++) {
        assert_true(fcntl(fd + i, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(fd + i, F_GETFL) & O_NONBLOCK);
    }
    apr_pool_destroy(sub);
    for (i = 0; i < 2; i++) {
        assert_int_equal(fcntl(fd + i, F_GETFD), -1);
    }
}

#define STOP_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STOP_TEST(not_stopped_at_first),
        STOP_TEST(waits_to_the_end),
        STOP_TEST(no_time_is_no_wait),
        STOP_TEST(once_stopped_for_ever),
        STOP_TEST(never_blocks),
        STOP_TEST(errno_is_left_alone),
        STOP_TEST(ends_the_wait_of_all_threads),
        STOP_TEST(signals_do_not_shorten_it),
        STOP_TEST(a_handler_may_stop),
        STOP_TEST(both_ends_are_closed_by_exec_and_pool),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
