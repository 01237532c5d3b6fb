/*
 * bench_visit.c - visitors of a TLS server, who count what fails.
 *
 *   bench_visit PORT SECONDS NEW KEPT NAME ...
 *
 * NEW threads make a connection for each request, without resumption; with
 * KEPT 0 and SECONDS below zero they make handshakes only, as fast as they can,
 * for that many seconds. KEPT threads ask on connections that they keep. It
 * ends after SECONDS or at SIGTERM, and prints what it has seen as JSON.
 *
 * Nothing that fails is tried again in silence. A server may close a kept
 * connection between two requests: "closed" counts those that were seen
 * before the next request was sent, "dropped" those on which a request was sent
 * and not a byte of an answer came. A visitor would send that one again.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define PATIENCE 20             /* seconds until no answer is a failure */
#define THINK_US 5000
#define DONE_MAX (4 << 20)
#define THREADS_MAX 256

typedef enum { CONNECT, HANDSHAKE, ANSWER, DROPPED, FAILURES } failure_e;

static const char *const failure_names[] = { "connect", "handshake", "answer",
                                             "dropped" };

static int port, nnames;
static char **names;
static int handshakes_only;
static SSL_CTX *ctx;
static volatile sig_atomic_t ended;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long failures[FAILURES], closed, kept_requests, reopened;
static double *done_at;         /* when each new connection was served */
static long ndone;
static double slowest;

typedef struct {
    SSL *ssl;
    int fd;
    int reused;
} conn_t;

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void end(int sig)
{
    (void)sig;
    ended = 1;
}

static void count(long *what)
{
    pthread_mutex_lock(&lock);
    ++*what;
    pthread_mutex_unlock(&lock);
}

static void count_done(double begin)
{
    const double at = now();

    pthread_mutex_lock(&lock);
    if (ndone < DONE_MAX) {
        done_at[ndone++] = at;
    }
    if (at - begin > slowest) {
        slowest = at - begin;
    }
    pthread_mutex_unlock(&lock);
}

static void conn_close(conn_t *conn)
{
    if (conn->ssl) {
        SSL_free(conn->ssl);
    }
    if (conn->fd >= 0) {
        close(conn->fd);
    }
    *conn = (conn_t) { .fd = -1 };
}

static int conn_open(conn_t *conn, const char *name)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    const struct timeval patience = { .tv_sec = PATIENCE };
    const int yes = 1;

    to.sin_port = htons((unsigned short)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *conn = (conn_t) { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    if (conn->fd < 0
        || connect(conn->fd, (struct sockaddr *)&to, sizeof(to))) {
        count(&failures[CONNECT]);
        conn_close(conn);
        return -1;
    }
    setsockopt(conn->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(conn->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    conn->ssl = SSL_new(ctx);
    SSL_set_fd(conn->ssl, conn->fd);
    SSL_set_tlsext_host_name(conn->ssl, name);
    if (SSL_connect(conn->ssl) != 1) {
        count(&failures[HANDSHAKE]);
        conn_close(conn);
        return -1;
    }
    return 0;
}

/* The server closes, as it has seen our close_notify: then it is through. */
static void await_end(conn_t *conn)
{
    char buf[4096];

    SSL_shutdown(conn->ssl);
    while (recv(conn->fd, buf, sizeof(buf), 0) > 0) {
        continue;
    }
}

/* The length of a whole answer in buf, 0: more is to come, -1: not a 200. */
static int answer_length(const char *buf, int len)
{
    const char *body = strstr(buf, "\r\n\r\n");
    const char *length = strcasestr(buf, "\r\nContent-Length:");
    int all;

    if (!body) {
        return 0;
    }
    if (strncmp(buf, "HTTP/1.1 200 ", 13) || !length) {
        return -1;
    }
    all = (int)(body + 4 - buf) + atoi(length + 17);
    return len < all ? 0 : all;
}

/* 0: the answer came; the connection is closed unless it can be kept. */
static int ask(conn_t *conn, const char *name, int keep)
{
    char buf[8192];
    int len = 0, n, all = 0;

    n = snprintf(buf, sizeof(buf), "GET / HTTP/1.1\r\nHost: %s\r\n"
                 "Connection: %s\r\n\r\n", name, keep ? "keep-alive" : "close");
    if (SSL_write(conn->ssl, buf, n) == n) {
        while (!all && len < (int)sizeof(buf) - 1
               && (n = SSL_read(conn->ssl, buf + len,
                                (int)sizeof(buf) - 1 - len)) > 0) {
            len += n;
            buf[len] = '\0';
            all = answer_length(buf, len);
        }
    }
    if (all <= 0) {
        count(&failures[conn->reused && !len ? DROPPED : ANSWER]);
        conn_close(conn);
        return -1;
    }
    if (!keep || strcasestr(buf, "\r\nConnection: close")) {
        conn_close(conn);
    }
    conn->reused = 1;
    return 0;
}

static void *visit_anew(void *arg)
{
    long turn = (long)(size_t)arg;
    conn_t conn;

    while (!ended) {
        const char *name = names[turn++ % nnames];
        const double begin = now();

        if (!conn_open(&conn, name)) {
            if (handshakes_only) {
                await_end(&conn);
                conn_close(&conn);
                count_done(begin);
            }
            else if (!ask(&conn, name, 0)) {
                count_done(begin);
            }
        }
        if (!handshakes_only) {
            usleep(THINK_US);
        }
    }
    return NULL;
}

static int is_closed(const conn_t *conn)
{
    struct pollfd pfd = { .fd = conn->fd, .events = POLLIN };

    return poll(&pfd, 1, 0) != 0;
}

static void *visit_again(void *arg)
{
    const char *name = names[(long)(size_t)arg % nnames];
    conn_t conn = { .fd = -1 };

    while (!ended) {
        if (conn.ssl && is_closed(&conn)) {
            count(&closed);
            conn_close(&conn);
        }
        if (conn.ssl || (count(&reopened), !conn_open(&conn, name))) {
            if (!ask(&conn, name, 1)) {
                count(&kept_requests);
            }
        }
        usleep(2 * THINK_US);
    }
    conn_close(&conn);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b)
           - (*(const double *)a < *(const double *)b);
}

static void report(double seconds)
{
    double gap = 0, gaps = 0;
    long i;

    qsort(done_at, (size_t)ndone, sizeof(*done_at), compare);
    for (i = 1; i < ndone; i++) {
        const double between = done_at[i] - done_at[i - 1];

        gap = between > gap ? between : gap;
        gaps += between > 0.1 ? between : 0;
    }
    printf("{\"seconds\": %.3f, \"new\": %ld, \"kept\": %ld, "
           "\"opened\": %ld, \"closed\": %ld, \"slowest\": %.4f, "
           "\"gap\": %.4f, \"gaps\": %.4f", seconds, ndone, kept_requests,
           reopened, closed, slowest, gap, gaps);
    for (i = 0; i < FAILURES; i++) {
        printf(", \"%s\": %ld", failure_names[i], failures[i]);
    }
    puts("}");
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    int nnew, nkept, n = 0, i;
    double seconds, begin;

    if (argc < 6 || (nnew = atoi(argv[3])) + (nkept = atoi(argv[4]))
                        > THREADS_MAX) {
        fputs("usage: bench_visit PORT SECONDS NEW KEPT NAME ...\n", stderr);
        return 2;
    }
    port = atoi(argv[1]);
    seconds = atof(argv[2]);
    handshakes_only = seconds < 0;
    seconds = handshakes_only ? -seconds : seconds;
    names = argv + 5;
    nnames = argc - 5;
    done_at = malloc(DONE_MAX * sizeof(*done_at));
    ctx = SSL_CTX_new(TLS_client_method());
    if (!done_at || !ctx) {
        return 1;
    }
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, end);

    begin = now();
    for (i = 0; i < nnew + nkept; i++) {
        n += !pthread_create(&threads[n], NULL,
                             i < nnew ? visit_anew : visit_again,
                             (void *)(size_t)i);
    }
    while (!ended && now() - begin < seconds) {
        usleep(10000);
    }
    ended = 1;
    seconds = now() - begin;
    for (i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
    report(seconds);
    SSL_CTX_free(ctx);
    free(done_at);
    return n == nnew + nkept ? 0 : 1;
}
