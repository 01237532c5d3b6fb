/*
 * acme_stop.c - a flag to look at and a pipe to wait on.
 *
 * The pipe is written to once and never read, so it stays readable, for any
 * number of threads that poll it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "acme_stop.h"

#define POLL_MAX apr_time_from_sec(3600)    /* poll() counts in an int */

struct acme_stop_t {
    atomic_int stopped;
    int fds[2];                 /* read here, written there */
};

static apr_status_t close_pipe(void *data)
{
    acme_stop_t *stop = data;

    close(stop->fds[0]);
    close(stop->fds[1]);
    return APR_SUCCESS;
}

/* Someone may set the clock; a wait lasts as long all the same. */
static apr_time_t monotonic_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec(now.tv_sec) + now.tv_nsec / 1000;
}

apr_status_t acme_stop_create(acme_stop_t **pstop, apr_pool_t *p)
{
    acme_stop_t *stop = apr_palloc(p, sizeof(*stop));

    *pstop = NULL;
    atomic_init(&stop->stopped, 0);
    if (pipe2(stop->fds, O_CLOEXEC | O_NONBLOCK) != 0) {
        return errno;
    }
    apr_pool_cleanup_register(p, stop, close_pipe, apr_pool_cleanup_null);
    *pstop = stop;
    return APR_SUCCESS;
}

void acme_stop_now(acme_stop_t *stop)
{
    int error = errno;

    if (!atomic_exchange(&stop->stopped, 1)) {
        /* There is room: it is the first octet. */
        (void)!write(stop->fds[1], "", 1);
    }
    errno = error;
}

int acme_stop_is(const acme_stop_t *stop)
{
    return atomic_load(&stop->stopped);
}

apr_status_t acme_stop_wait(acme_stop_t *stop, apr_interval_time_t time)
{
    struct pollfd wait = { .fd = stop->fds[0], .events = POLLIN };
    apr_time_t begin = monotonic_now();
    apr_interval_time_t left = time;

    /* A signal ends poll() early; the rest is waited for all the same. */
    do {
        left = left < 0 ? 0 : left < POLL_MAX ? left : POLL_MAX;
        /* Rounded up, or the last millisecond would be a busy loop. */
        if (poll(&wait, 1, (int)apr_time_as_msec(left + 999)) > 0) {
            return APR_EINTR;
        }
        left = time - (monotonic_now() - begin);
    } while (left > 0);
    return APR_SUCCESS;
}

int acme_stop_fd(const acme_stop_t *stop)
{
    return stop->fds[0];
}
