/*
 * acme_keeper_address.c - the socket on which the keeper is reached.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_keeper_address.h"

/* Newer kernels than our headers may have it. Its number is the one of most
   machines, as that of SO_RCVMARK shows. */
#if !defined(SO_PASSRIGHTS) && defined(SO_RCVMARK) && SO_RCVMARK == 75
#define SO_PASSRIGHTS 83
#endif

/* Between two tries while the queue of the socket is full. */
#define CONNECT_PAUSE apr_time_from_msec(20)

static apr_status_t fill_address(struct sockaddr_un *addr, socklen_t *plen,
                                 const char *path, acme_result_t *res)
{
    const apr_size_t len = strlen(path);

    memset(addr, 0, sizeof(*addr));
    addr->sun_family = AF_UNIX;
    if (len >= sizeof(addr->sun_path)) {
        return acme_fail(res, ENAMETOOLONG,
                         "%s: too long for a socket's name: at most %d octets",
                         path, (int)sizeof(addr->sun_path) - 1);
    }
    memcpy(addr->sun_path, path, len);
    *plen = (socklen_t)sizeof(*addr);
    if (path[0] == '@') {
        addr->sun_path[0] = '\0';
        *plen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    }
    return APR_SUCCESS;
}

static int make_socket(void)
{
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return fd;
}

apr_status_t acme_keeper_address_listen(int *pfd, const char *path, uid_t user,
                                        int backlog, acme_result_t *res)
{
    const int is_abstract = path[0] == '@';
    struct sockaddr_un addr;
    socklen_t len;
    mode_t mask;
    apr_status_t rv;
    int fd, failed;

    *pfd = -1;
    rv = fill_address(&addr, &len, path, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    fd = make_socket();
#ifdef SO_PASSRIGHTS
    if (fd >= 0) {
        const int off = 0; /* nobody can send us a descriptor */

        setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off));
    }
#endif
    if (!is_abstract) {
        unlink(path);
    }
    /* Of the parent while it is the only thread. */
    mask = umask(0177);
    failed = fd < 0 || bind(fd, (struct sockaddr *)&addr, len);
    umask(mask);
    if (failed
        || (!is_abstract && user != geteuid() && lchown(path, user, (gid_t)-1))
        || listen(fd, backlog)) {
        rv = acme_fail_errno(res, errno, "%s: no socket can be made here",
                             path);
        if (fd >= 0) {
            close(fd);
        }
        return rv;
    }
    *pfd = fd;
    return APR_SUCCESS;
}

apr_status_t acme_keeper_address_connect(int *pfd, const char *path,
                                         acme_stop_t *stop,
                                         apr_interval_time_t most,
                                         acme_result_t *res)
{
    struct sockaddr_un addr;
    apr_interval_time_t waited;
    socklen_t len;
    apr_status_t rv;
    int fd;

    *pfd = -1;
    rv = fill_address(&addr, &len, path, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    fd = make_socket();
    if (fd < 0) {
        return acme_fail_errno(res, errno, "socket");
    }
    for (waited = 0; connect(fd, (struct sockaddr *)&addr, len);
         waited += CONNECT_PAUSE) {
        if (errno == ECONNREFUSED || errno == ENOENT) {
            rv = acme_fail(
                res, APR_EOF,
                "keeper: this generation of httpd has no keeper any more");
        }
        else if (errno != EAGAIN && errno != EINTR) {
            rv = acme_fail_errno(res, errno, "%s: no connection to the keeper",
                                 path);
        }
        else if (waited >= most) {
            rv = acme_fail(
                res, APR_TIMEUP,
                "keeper: it accepts no connection; check that a process acme-keeper is running");
        }
        else if (stop && acme_stop_wait(stop, CONNECT_PAUSE)) {
            rv = acme_fail(res, APR_EINTR,
                           "keeper: the wait for a connection was aborted");
        }
        if (rv != APR_SUCCESS) {
            close(fd);
            return rv;
        }
        if (!stop) {
            apr_sleep(CONNECT_PAUSE);
        }
    }
    fcntl(fd, F_SETFL, 0);
    *pfd = fd;
    return APR_SUCCESS;
}

int acme_keeper_address_peer(pid_t *ppid, uid_t *puid, int fd)
{
#ifdef __linux__
    struct ucred peer;
    socklen_t len = sizeof(peer);

    *ppid = 0;
    *puid = (uid_t)-1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len)
        || len != sizeof(peer)) {
        return 0;
    }
    *ppid = peer.pid;
    *puid = peer.uid;
    return 1;
#else
    gid_t group;

    *ppid = 0;
    return getpeereid(fd, puid, &group) == 0;
#endif
}

int acme_keeper_address_is_child(pid_t pid, pid_t parent)
{
#ifdef __linux__
    char name[64], text[512];
    const char *end;
    long found = -1;
    ssize_t n;
    int fd;

    if (pid == parent) {
        return 1;
    }
    apr_snprintf(name, sizeof(name), "/proc/%ld/stat", (long)pid);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return access("/proc/self/stat", R_OK) != 0;
    }
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    end = strrchr(text, ')'); /* of the name, which is the process's own */
    return end && sscanf(end + 1, " %*c %ld", &found) == 1
           && found == (long)parent;
#else
    (void)pid;
    (void)parent;
    return 1;
#endif
}

int acme_keeper_address_token_equal(const unsigned char *a,
                                    const unsigned char *b)
{
    volatile unsigned char differ = 0;
    apr_size_t i;

    for (i = 0; i < ACME_KEEPER_TOKEN_OCTETS; i++) {
        differ |= a[i] ^ b[i];
    }
    return differ == 0;
}

int acme_keeper_address_is_left(const char *path)
{
    struct sockaddr_un addr;
    acme_result_t res;
    struct stat st;
    socklen_t len;
    int fd, left;

    if (lstat(path, &st) || !S_ISSOCK(st.st_mode)
        || fill_address(&addr, &len, path, &res)) {
        return 0;
    }
    fd = make_socket();
    left = fd >= 0 && connect(fd, (struct sockaddr *)&addr, len)
           && errno == ECONNREFUSED;
    if (fd >= 0) {
        close(fd);
    }
    return left;
}
