/*
 * acme_dns_query.c - a c-ares channel a server, one poll() over all of them.
 *
 * c-ares calls back in the middle of its work, where its channel must not be
 * touched: on_cares_reply() only keeps the reply, and acme_dns_query_run()
 * reports it to the caller.
 */
/* c-ares 1.18 has ares_query() and ares_getsock(), and not their successors. */
#define CARES_NO_DEPRECATED

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <apr_network_io.h>
#include <apr_ring.h>
#include <apr_strings.h>

#include <ares.h>

#include "acme_name.h"
#include "acme_dns_query.h"

#define CHANNELS_MAX 64         /* file descriptors are httpd's as well */
#define CHANNEL_QUERIES_MAX 64
#define SERVER_SIZE 64          /* "[v6 address]:port" */
#define CLASS_IN 1
#define POLL_MAX apr_time_from_sec(60)

/*
 * c-ares doubles its timeout from try to try: three of them take seven times
 * the first. Where there is more than one server, our own deadline comes
 * first, after each was tried.
 */
#define TRIES 3
#define TIMEOUT_PARTS 7
#define TRY_MS_MIN 100

/* Octets of a datagram that most networks do not fragment. */
#define UDP_SIZE 1232

typedef struct {
    ares_channel ares;          /* NULL: a free place */
    char server[SERVER_SIZE];   /* "": the recursive ones */
    int asked;                  /* queries that c-ares holds */
    int fds;                    /* sockets in the present poll() */
} query_channel_t;

APR_RING_HEAD(ring_t, acme_dns_query_t);

/* Of malloc: c-ares may hold one longer than its caller lives. */
struct acme_dns_query_t {
    APR_RING_ENTRY(acme_dns_query_t) link;
    acme_dns_queries_t *all;
    acme_dns_query_cb *cb;      /* NULL: cancelled, or reported as late */
    void *baton;
    char server[SERVER_SIZE];
    char name[ACME_NAME_MAX + 1];
    acme_dns_rr_e type;
    query_channel_t *channel;         /* NULL until c-ares has it */
    apr_time_t deadline;
    int status;                 /* c-ares' */
    unsigned char *message;
    apr_size_t len;
};

struct acme_dns_queries_t {
    acme_stop_t *stop;
    const char *servers;
    apr_interval_time_t timeout;
    struct ring_t waiting;      /* for room */
    struct ring_t asked;
    struct ring_t over;         /* to be reported */
    query_channel_t channels[CHANNELS_MAX];
    struct pollfd fds[1 + CHANNELS_MAX * ARES_GETSOCK_MAXNUM];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int library_status;

/* c-ares counts the calls, without a lock: one call a process. */
static void init_library(void)
{
    library_status = ares_library_init(ARES_LIB_INIT_ALL);
}

apr_time_t acme_dns_query_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec(now.tv_sec) + now.tv_nsec / 1000;
}

static void free_query(acme_dns_query_t *q)
{
    free(q->message);
    free(q);
}

static void move_to_ring(struct ring_t *ring, acme_dns_query_t *q)
{
    APR_RING_REMOVE(q, link);
    APR_RING_INSERT_TAIL(ring, q, acme_dns_query_t, link);
}

static void free_ring(struct ring_t *ring)
{
    acme_dns_query_t *q;

    while (!APR_RING_EMPTY(ring, acme_dns_query_t, link)) {
        q = APR_RING_FIRST(ring);
        APR_RING_REMOVE(q, link);
        free_query(q);
    }
}

/* ares_destroy() ends the queries that c-ares holds: they are over then. */
static apr_status_t free_queries(void *data)
{
    acme_dns_queries_t *all = data;
    int i;

    for (i = 0; i < CHANNELS_MAX; i++) {
        if (all->channels[i].ares) {
            ares_destroy(all->channels[i].ares);
        }
    }
    free_ring(&all->waiting);
    free_ring(&all->asked);
    free_ring(&all->over);
    return APR_SUCCESS;
}

static int open_channel(query_channel_t *channel, const acme_dns_queries_t *all,
                        const char *server)
{
    struct ares_options options = { .tries = TRIES, .ednspsz = UDP_SIZE };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TRIES | ARES_OPT_TIMEOUTMS
               | ARES_OPT_EDNSPSZ;
    const char *servers = *server ? server : all->servers;
    int status;

    options.timeout = (int)apr_time_as_msec(all->timeout / TIMEOUT_PARTS);
    if (options.timeout < TRY_MS_MIN) {
        options.timeout = TRY_MS_MIN;
    }
    /* The failure of one server is reported; of several, the next is tried. */
    options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS
                    | (*server ? ARES_FLAG_NORECURSE | ARES_FLAG_NOCHECKRESP
                               : 0);
#ifdef ARES_OPT_QUERY_CACHE
    /* Newer releases cache for an hour, and we wait for changes. */
    options.qcache_max_ttl = 0;
    mask |= ARES_OPT_QUERY_CACHE;
#endif
    status = ares_init_options(&channel->ares, &options, mask);
    if (status != ARES_SUCCESS) {
        channel->ares = NULL;
        return status;
    }
    if (servers) {
        status = ares_set_servers_ports_csv(channel->ares, servers);
    }
    if (status != ARES_SUCCESS) {
        ares_destroy(channel->ares);
        channel->ares = NULL;
        return status;
    }
    apr_cpystrn(channel->server, server, SERVER_SIZE);
    channel->asked = 0;
    return ARES_SUCCESS;
}

/* Checked here: c-ares accepts "127.0.0.1:5x". */
static int are_servers(const char *servers, apr_pool_t *p)
{
    char *rest = apr_pstrdup(p, servers), *one, *address, *scope;
    apr_port_t port;

    while ((one = apr_strtok(rest, ",", &rest))) {
        if (apr_parse_addr_port(&address, &scope, &port, one, p)
            || !address || scope || !acme_name_is_ip(address)) {
            return 0;
        }
    }
    return *servers != '\0';
}

apr_status_t acme_dns_query_open(acme_dns_queries_t **pall, acme_stop_t *stop,
                                 const char *servers,
                                 apr_interval_time_t timeout,
                                 acme_result_t *res, apr_pool_t *p)
{
    acme_dns_queries_t *all = apr_pcalloc(p, sizeof(*all));
    int status;

    *pall = NULL;

    pthread_once(&once, init_library);
    if (library_status != ARES_SUCCESS) {
        return acme_fail(res, APR_EGENERAL, "c-ares: cannot start: %s",
                         ares_strerror(library_status));
    }
    all->stop = stop;
    all->servers = servers;
    all->timeout = timeout;
    APR_RING_INIT(&all->waiting, acme_dns_query_t, link);
    APR_RING_INIT(&all->asked, acme_dns_query_t, link);
    APR_RING_INIT(&all->over, acme_dns_query_t, link);
    apr_pool_cleanup_register(p, all, free_queries, apr_pool_cleanup_null);

    /* Bad servers are reported once here, and not for each name. */
    status = servers && !are_servers(servers, p)
                 ? ARES_EBADSTR
                 : open_channel(&all->channels[0], all, "");
    if (status != ARES_SUCCESS) {
        return acme_fail_never(
            res, APR_EINVAL,
            "DNS servers %s: %s; write them as 192.0.2.1:53,[2001:db8::1]:53",
            servers ? servers : "of the system", ares_strerror(status));
    }
    *pall = all;
    return APR_SUCCESS;
}

/*
 * The channel for a server. NULL when all are in use or the server's is full;
 * then *pstatus is not ARES_SUCCESS when it can never be queried.
 */
static query_channel_t *find_channel(int *pstatus, acme_dns_queries_t *all,
                              const char *server)
{
    query_channel_t *place = NULL, *channel;
    int i;

    *pstatus = ARES_SUCCESS;
    for (i = 0; i < CHANNELS_MAX; i++) {
        channel = &all->channels[i];
        if (!channel->ares) {
            place = place ? place : channel;
        }
        else if (!strcmp(channel->server, server)) {
            return channel->asked < CHANNEL_QUERIES_MAX ? channel : NULL;
        }
    }
    if (place) {
        *pstatus = open_channel(place, all, server);
    }
    return place && *pstatus == ARES_SUCCESS ? place : NULL;
}

static void on_cares_reply(void *baton, int status, int timeouts,
                           unsigned char *message, int len)
{
    acme_dns_query_t *q = baton;

    (void)timeouts;
    q->status = status;
    if (message && len > 0 && q->cb) {
        q->message = malloc((apr_size_t)len);
        q->len = (apr_size_t)len;
        if (q->message) {
            memcpy(q->message, message, q->len);
        }
        else {
            q->status = ARES_ENOMEM;
        }
    }
    q->channel->asked--;
    move_to_ring(&q->all->over, q);
}

/* Hand the waiting queries for which there is room to c-ares. */
static void begin_waiting(acme_dns_queries_t *all)
{
    acme_dns_query_t *q, *next;
    query_channel_t *channel;
    int status;

    for (q = APR_RING_FIRST(&all->waiting);
         q != APR_RING_SENTINEL(&all->waiting, acme_dns_query_t, link);
         q = next) {
        next = APR_RING_NEXT(q, link);
        channel = find_channel(&status, all, q->server);
        if (channel) {
            q->channel = channel;
            q->deadline = acme_dns_query_now() + all->timeout;
            channel->asked++;
            move_to_ring(&all->asked, q);
            /* It may call on_cares_reply() before it returns. */
            ares_query(channel->ares, q->name, CLASS_IN, (int)q->type,
                       on_cares_reply, q);
        }
        else if (status != ARES_SUCCESS) {
            q->status = status;
            move_to_ring(&all->over, q);
        }
    }
}

acme_dns_query_t *acme_dns_query_send(acme_dns_queries_t *all,
                                      const char *server, const char *name,
                                      acme_dns_rr_e type,
                                      acme_dns_query_cb *cb, void *baton)
{
    acme_dns_query_t *q = calloc(1, sizeof(*q));

    if (!q) {
        return NULL;
    }
    q->all = all;
    q->cb = cb;
    q->baton = baton;
    q->type = type;
    apr_cpystrn(q->server, server ? server : "", sizeof(q->server));
    apr_cpystrn(q->name, name, sizeof(q->name));
    APR_RING_INSERT_TAIL(&all->waiting, q, acme_dns_query_t, link);
    if (strlen(name) >= sizeof(q->name)
        || (server && strlen(server) >= sizeof(q->server))) {
        q->status = ARES_EBADNAME;
        move_to_ring(&all->over, q);
    }
    return q;
}

/* A query that c-ares holds is freed when c-ares is done with it. */
void acme_dns_query_cancel(acme_dns_query_t *query)
{
    query->cb = NULL;
    if (!query->channel) {
        APR_RING_REMOVE(query, link);
        free_query(query);
    }
}

/* After the last server failed, c-ares has no other reason than these. */
static const char *status_text(int status)
{
    switch (status) {
    case ARES_ECONNREFUSED:
        return "it cannot be reached, or it reports a failure";
    case ARES_EBADRESP:
        return "the answer is malformed";
    default:
        return ares_strerror(status);
    }
}

/* Report the queries that are over; returns how many. */
static int report_over(acme_dns_queries_t *all)
{
    acme_dns_query_t *q;
    int reported = 0, good;

    while (!APR_RING_EMPTY(&all->over, acme_dns_query_t, link)) {
        q = APR_RING_FIRST(&all->over);
        APR_RING_REMOVE(q, link);
        good = q->message && (q->status == ARES_SUCCESS
                              || q->status == ARES_ENODATA
                              || q->status == ARES_ENOTFOUND);
        if (q->cb && good) {
            q->cb(q->baton, APR_SUCCESS, NULL, q->message, q->len);
        }
        else if (q->cb) {
            q->cb(q->baton,
                  q->status == ARES_ETIMEOUT ? APR_TIMEUP : APR_EGENERAL,
                  status_text(q->status), NULL, 0);
        }
        reported += q->cb != NULL;
        free_query(q);
    }
    return reported;
}

/* The first query that took too long and is not reported yet, or NULL. */
static acme_dns_query_t *find_late(acme_dns_queries_t *all, apr_time_t now)
{
    acme_dns_query_t *q;

    APR_RING_FOREACH(q, &all->asked, acme_dns_query_t, link)
    {
        if (q->cb && q->deadline <= now) {
            return q;
        }
    }
    return NULL;
}

/*
 * Report the queries that took too long; returns how many. c-ares cannot give
 * one up: it stays in the ring, without a callback.
 */
static int report_late(acme_dns_queries_t *all)
{
    const apr_time_t now = acme_dns_query_now();
    acme_dns_query_cb *cb;
    acme_dns_query_t *q;
    int reported = 0;

    while ((q = find_late(all, now))) {
        cb = q->cb;
        q->cb = NULL;
        cb(q->baton, APR_TIMEUP, ares_strerror(ARES_ETIMEOUT), NULL, 0);
        reported++;
    }
    return reported;
}

static void close_idle(acme_dns_queries_t *all)
{
    int i;

    for (i = 0; i < CHANNELS_MAX; i++) {
        if (all->channels[i].ares && all->channels[i].asked == 0) {
            ares_destroy(all->channels[i].ares);
            all->channels[i].ares = NULL;
        }
    }
}

/* The sockets of a channel, into fds; returns how many. */
static int list_sockets(struct pollfd *fds, ares_channel ares)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    unsigned bits = (unsigned)ares_getsock(ares, sockets,
                                           ARES_GETSOCK_MAXNUM);
    int i, n = 0;

    /* ARES_GETSOCK_WRITABLE would shift into the sign. */
    for (i = 0; i < ARES_GETSOCK_MAXNUM; i++, bits >>= 1) {
        short events = (bits & 1 ? POLLIN : 0)
                       | (bits >> ARES_GETSOCK_MAXNUM & 1 ? POLLOUT : 0);

        if (events) {
            fds[n++] = (struct pollfd){ .fd = sockets[i], .events = events };
        }
    }
    return n;
}

static void process_channel(query_channel_t *channel, const struct pollfd *fds)
{
    int i, none = 1;

    for (i = 0; i < channel->fds; i++) {
        if (fds[i].revents) {
            ares_process_fd(channel->ares,
                            fds[i].revents & ~POLLOUT ? fds[i].fd
                                                      : ARES_SOCKET_BAD,
                            fds[i].revents & POLLOUT ? fds[i].fd
                                                     : ARES_SOCKET_BAD);
            none = 0;
        }
    }
    if (none) {                 /* for the channel's timeouts */
        ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    }
}

/* When c-ares or a deadline is due; no later than end. */
static apr_time_t due_at(acme_dns_queries_t *all, apr_time_t end)
{
    const apr_time_t now = acme_dns_query_now();
    acme_dns_query_t *q;
    struct timeval tv;
    int i;

    APR_RING_FOREACH(q, &all->asked, acme_dns_query_t, link)
    {
        if (q->cb && q->deadline < end) {
            end = q->deadline;
        }
    }
    for (i = 0; i < CHANNELS_MAX; i++) {
        if (all->channels[i].ares
            && ares_timeout(all->channels[i].ares, NULL, &tv)) {
            apr_time_t due = now + apr_time_make(tv.tv_sec, tv.tv_usec);

            end = due < end ? due : end;
        }
    }
    return end;
}

/* Wait until end, or until a socket is ready; c-ares reads and writes it. */
static void poll_channels(acme_dns_queries_t *all, apr_time_t end)
{
    apr_interval_time_t wait = due_at(all, end) - acme_dns_query_now();
    nfds_t n = 1;
    int i, first;

    wait = wait < 0 ? 0 : wait < POLL_MAX ? wait : POLL_MAX;
    all->fds[0] = (struct pollfd){ .fd = acme_stop_fd(all->stop),
                                   .events = POLLIN };
    for (i = 0; i < CHANNELS_MAX; i++) {
        query_channel_t *channel = &all->channels[i];

        channel->fds = channel->ares
                           ? list_sockets(all->fds + n, channel->ares)
                           : 0;
        n += (nfds_t)channel->fds;
    }
    /* Rounded up, or the last millisecond would be a busy loop. */
    if (poll(all->fds, n, (int)apr_time_as_msec(wait + 999)) < 0) {
        return;                 /* a signal: the caller calls again */
    }
    for (i = 0, first = 1; i < CHANNELS_MAX; i++) {
        if (all->channels[i].ares) {
            process_channel(&all->channels[i], all->fds + first);
            first += all->channels[i].fds;
        }
    }
}

apr_status_t acme_dns_query_run(acme_dns_queries_t *all,
                                apr_interval_time_t most, acme_result_t *res)
{
    const apr_time_t end = acme_dns_query_now() + most;

    for (;;) {
        if (acme_stop_is(all->stop)) {
            return acme_fail(res, APR_EINTR,
                             "DNS: aborted, httpd is stopping");
        }
        begin_waiting(all);
        if (report_over(all) + report_late(all) > 0) {
            return APR_SUCCESS;
        }
        if (acme_dns_query_now() >= end) {
            return acme_fail(res, APR_TIMEUP, "DNS: no answer in time");
        }
        close_idle(all);
        poll_channels(all, end);
    }
}
