/*
 * acme_descriptors.c - descriptors between the keeper and the processes that
 * work for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "acme_descriptors.h"

/* Closed one by one where the kernel has no call for it. */
#define DESCRIPTORS_MAX 65536

void acme_descriptors_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static int close_on_exec(int fds[2], int failed)
{
    if (failed) {
        fds[0] = fds[1] = -1;
        return -1;
    }
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    return 0;
}

int acme_descriptors_pipe(int fds[2])
{
    return close_on_exec(fds, pipe(fds));
}

int acme_descriptors_pair(int fds[2], int type)
{
    return close_on_exec(fds, socketpair(AF_UNIX, type, 0, fds));
}

void acme_descriptors_close_from(int first)
{
    long fd, most = sysconf(_SC_OPEN_MAX);

#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) {
        return;
    }
#endif
    if (most < 0 || most > DESCRIPTORS_MAX) {
        most = DESCRIPTORS_MAX;
    }
    for (fd = first; fd < most; fd++) {
        close((int)fd);
    }
}

int acme_descriptors_above_standard(int fd)
{
    return fd > STDERR_FILENO ? fd : fcntl(fd, F_DUPFD, STDERR_FILENO + 1);
}

int acme_descriptors_wait(int fd, short events, apr_time_t until)
{
    struct pollfd polled = { .fd = fd, .events = events };
    apr_time_t left;
    int n;

    do {
        left = until - apr_time_now();
        if (left <= 0) {
            errno = ETIMEDOUT;
            return 0;
        }
        n = poll(&polled, 1, (int)(left / 1000) + 1);
    } while (n == 0 || (n < 0 && errno == EINTR));
    return n > 0;
}

int acme_descriptors_send(int fd, const void *data, apr_size_t len,
                          apr_time_t until)
{
    const char *at = data;

    while (len > 0) {
        const ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

        if (n > 0) {
            at += n;
            len -= (apr_size_t)n;
        }
        else if (errno != EINTR
                 && (errno != EAGAIN
                     || !acme_descriptors_wait(fd, POLLOUT, until))) {
            return 0;
        }
    }
    return 1;
}

int acme_descriptors_receive(int fd, void *data, apr_size_t len,
                             apr_time_t until)
{
    char *at = data;

    while (len > 0) {
        const ssize_t n = recv(fd, at, len, 0);

        if (n > 0) {
            at += n;
            len -= (apr_size_t)n;
        }
        else if (n == 0) {
            errno = EPIPE;
            return 0;
        }
        else if (errno != EINTR
                 && (errno != EAGAIN
                     || !acme_descriptors_wait(fd, POLLIN, until))) {
            return 0;
        }
    }
    return 1;
}
