/*
 * acme_keeper.c - the process that keeps keys and store.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_keeper.h"
#include "acme_cleanse.h"
#include "acme_confine.h"
#include "acme_dns_records.h"
#include "acme_handlers.h"
#include "acme_launcher.h"

/* Each order has a channel of its own; beyond this the idlest is closed. */
#define CHANNELS_MAX 128

/* How often to check for the parent, where the kernel sends no signal. */
#define PARENT_CHECK apr_time_from_sec(5)

/* The store may be locked or missing: the keeper retries after this. */
#define STORE_WAIT apr_time_from_sec(2)

#define CONTROL_BACKLOG 8

/* Descriptors for what lasts, and for files that are read and written. */
#define OTHER_FDS 64

/* A parked request is served again when a job ended, and after this. */
#define PARKED_WAIT apr_time_from_sec(1)

typedef struct {
    int fd;
    int who;                    /* ACME_BY_... */
    apr_time_t used;
    acme_message_t parked;      /* a request without a reply yet, in
                                   parked_in */
    apr_pool_t *parked_in;      /* NULL: nothing is parked */
} channel_t;

typedef struct {
    const acme_keeper_t *conf;
    acme_store_t *store;
    acme_hook_runner_t *hooks;
    acme_registry_t *registry;
    acme_reload_t *reload;
    acme_dns_records_t *records;
    acme_handlers_t *handlers;
    int control;                /* listens for acmectl; -1: it could not */
    channel_t channels[CHANNELS_MAX];
    int nchannels;
    apr_time_t watch_at;        /* next check for expiring certificates */
    apr_time_t parked_at;       /* last time that the parked were served */
    apr_pool_t *incoming;       /* of the request that is being received */
    int gone;                   /* all workers and the parent have ended */
    sigset_t waiting;           /* the signal mask while polling */
    apr_pool_t *p;
} loop_t;

static volatile sig_atomic_t term_received;

static void on_term(int sig)
{
    (void)sig;
    term_received = 1;
}

static void on_child(int sig)
{
    (void)sig;                  /* ends a poll: the launcher has ended */
}

/* httpd's handlers are not ours; SIGTERM is let in only while we poll. */
static void set_signals(sigset_t *waiting)
{
    struct sigaction action;
    sigset_t blocked;

    memset(&action, 0, sizeof(action));
    action.sa_handler = SIG_IGN;
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    sigaction(SIGWINCH, &action, NULL);
    sigaction(SIGPIPE, &action, NULL);
    action.sa_handler = on_child;
    sigaction(SIGCHLD, &action, NULL);
    action.sa_handler = on_term;
    sigaction(SIGTERM, &action, NULL);

    sigemptyset(waiting);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
}

static void sleep_for(const loop_t *loop, apr_interval_time_t wait)
{
    struct timespec ts;

    ts.tv_sec = (time_t)apr_time_sec(wait);
    ts.tv_nsec = (long)apr_time_usec(wait) * 1000;
    ppoll(NULL, 0, &ts, &loop->waiting);
}

/* Retry until the store is locked; each problem is logged once. */
static int open_store(loop_t *loop, apr_pool_t *p)
{
    const acme_keeper_t *conf = loop->conf;
    char logged[ACME_DETAIL_SIZE] = "";
    acme_result_t res;
    apr_pool_t *scratch;
    apr_status_t rv;

    apr_pool_create(&scratch, p);
    while (!term_received && getppid() == conf->server->pid) {
        rv = acme_store_open(&loop->store, conf->conf->state_dir, &res,
                             scratch);
        if (rv == APR_SUCCESS && res.detail[0]) {
            acme_log(conf->log, ACME_LOG_WARNING, "keeper", "%s",
                     res.detail);
        }
        if (rv == APR_SUCCESS) {
            rv = acme_store_lock(loop->store, &res, scratch);
        }
        if (rv == APR_SUCCESS) {
            return 1;           /* scratch holds the store now */
        }
        if (strcmp(logged, res.detail) != 0) {
            acme_log(conf->log, ACME_LOG_ERROR, "keeper",
                     "%s; no certificate is renewed until this is fixed",
                     res.detail);
            apr_cpystrn(logged, res.detail, sizeof(logged));
        }
        apr_pool_clear(scratch);
        sleep_for(loop, conf->store_wait ? conf->store_wait : STORE_WAIT);
    }
    return 0;
}

/*
 * The socket for acmectl. Without it everything else works. It is created
 * under another name and renamed: so during a reload acmectl finds a socket.
 */
static int listen_for_control(const loop_t *loop, apr_pool_t *p)
{
    const char *path = acme_store_path(loop->store, "run", "acme.sock", p);
    const char *made = apr_pstrcat(p, path, ".new", NULL);
    struct sockaddr_un addr;
    int fd;

    memset(&addr, 0, sizeof(addr));
    addr.sun_family = AF_UNIX;
    if (strlen(made) >= sizeof(addr.sun_path)) {
        acme_log(
            loop->conf->log, ACME_LOG_WARNING, "keeper",
            "%s: too long for a socket's name, so acmectl cannot reach the keeper; choose a shorter AcmeStateDir",
            path);
        return -1;
    }
    apr_cpystrn(addr.sun_path, made, sizeof(addr.sun_path));

    fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    unlink(made);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr))
        || chmod(made, 0600) || listen(fd, CONTROL_BACKLOG)
        || rename(made, path)) {
        acme_log(loop->conf->log, ACME_LOG_WARNING, "keeper",
                 "%s: %s; acmectl cannot reach the keeper", path,
                 strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static void channel_unpark(channel_t *channel)
{
    if (channel->parked_in) {
        apr_pool_destroy(channel->parked_in);
        channel->parked_in = NULL;
    }
}

static void channel_close(loop_t *loop, int i)
{
    channel_unpark(&loop->channels[i]);
    close(loop->channels[i].fd);
    loop->channels[i] = loop->channels[--loop->nchannels];
}

/* A channel with a parked request is not idle. */
static int is_more_idle(const channel_t *a, const channel_t *b)
{
    if (!a->parked_in != !b->parked_in) {
        return !a->parked_in;
    }
    return a->used < b->used;
}

static channel_t *channel_add(loop_t *loop, int fd, int who, apr_time_t now)
{
    channel_t *channel;
    int i, idlest = 0;

    if (loop->nchannels == CHANNELS_MAX) {
        for (i = 1; i < loop->nchannels; i++) {
            if (is_more_idle(&loop->channels[i], &loop->channels[idlest])) {
                idlest = i;
            }
        }
        channel_close(loop, idlest);
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    channel = &loop->channels[loop->nchannels++];
    channel->fd = fd;
    channel->who = who;
    channel->used = now;
    channel->parked_in = NULL;
    return channel;
}

/*
 * Reply to one request: APR_SUCCESS, or APR_EAGAIN when there is no reply yet.
 * After any other status the channel is closed: its other side broke the
 * protocol or does not read its replies.
 */
static apr_status_t answer_request(loop_t *loop, const channel_t *channel,
                                   const acme_message_t *request,
                                   apr_pool_t *p)
{
    acme_message_t reply;
    acme_result_t res;
    apr_status_t rv;

    acme_result_clear(&res);
    if (!acme_message_allowed(request->kind, channel->who)) {
        acme_log(loop->conf->log, ACME_LOG_WARNING, "keeper",
                 "a process sent the message %s, which it may not send",
                 acme_message_name(request->kind));
        return APR_EACCES;
    }
    rv = acme_handlers_answer(&reply, loop->handlers, request, &res, p);
    if (APR_STATUS_IS_EAGAIN(rv)) {
        return APR_EAGAIN;
    }
    if (rv != APR_SUCCESS) {
        memset(&reply, 0, sizeof(reply));
        reply.kind = request->kind;
        reply.status = res.status ? res.status : APR_EGENERAL;
        reply.body = &res;
    }
    rv = acme_message_send_reply(channel->fd, &reply, &res);
    return APR_STATUS_IS_EAGAIN(rv) ? APR_EPIPE : rv;
}

/* A packet on the inherited pair has a descriptor: the sender's channel. */
static void receive_hello(loop_t *loop, apr_time_t now, apr_pool_t *p)
{
    acme_message_t request;
    acme_result_t res;
    apr_status_t rv;
    int fd;

    rv = acme_message_receive_descriptor(&request, &fd, loop->conf->fd, &res,
                                         p);
    if (rv == APR_EOF) {
        loop->gone = 1;
        return;
    }
    if (rv != APR_SUCCESS) {
        if (!APR_STATUS_IS_EAGAIN(rv)) {
            acme_log(loop->conf->log, ACME_LOG_WARNING, "keeper", "%s",
                     res.detail);
        }
        return;
    }
    if (fd < 0) {
        acme_log(
            loop->conf->log, ACME_LOG_WARNING, "keeper",
            "a process sent the message %s without a channel for the reply",
            acme_message_name(request.kind));
        return;
    }
    channel_add(loop, fd, ACME_BY_WORKER, now);
    if (request.kind != ACME_MSG_HELLO
        || answer_request(loop, &loop->channels[loop->nchannels - 1], &request,
                          p)) {
        channel_close(loop, loop->nchannels - 1);
    }
}

static void receive_request(loop_t *loop, int i, apr_time_t now, apr_pool_t *p)
{
    channel_t *channel = &loop->channels[i];
    acme_message_t request;
    acme_result_t res;
    apr_status_t rv;

    channel->used = now;
    rv = acme_message_receive_request(&request, channel->fd, &res,
                                      loop->incoming);
    if (APR_STATUS_IS_EAGAIN(rv)) {
        return;
    }
    if (rv == APR_EINVAL) {
        acme_log(loop->conf->log, ACME_LOG_WARNING, "keeper", "%s",
                 res.detail);
    }
    if (rv == APR_SUCCESS) {
        rv = answer_request(loop, channel, &request, p);
        if (rv == APR_EAGAIN) {
            /* Kept, with the pool that it is in, until there is a reply. */
            channel->parked = request;
            channel->parked_in = loop->incoming;
            apr_pool_create(&loop->incoming, loop->p);
            return;
        }
    }
    apr_pool_clear(loop->incoming);
    if (rv != APR_SUCCESS) {
        channel_close(loop, i);
    }
}

/* Serve the parked requests once more. */
static void serve_parked(loop_t *loop, apr_time_t now, apr_pool_t *p)
{
    apr_status_t rv;
    int i;

    loop->parked_at = now;
    for (i = loop->nchannels; i-- > 0; ) {
        channel_t *channel = &loop->channels[i];

        if (!channel->parked_in) {
            continue;
        }
        rv = answer_request(loop, channel, &channel->parked, p);
        if (rv == APR_SUCCESS) {
            channel->used = now;
            channel_unpark(channel);
        }
        else if (rv != APR_EAGAIN) {
            channel_close(loop, i);
        }
    }
}

static int is_any_parked(const loop_t *loop)
{
    int i;

    for (i = 0; i < loop->nchannels; i++) {
        if (loop->channels[i].parked_in) {
            return 1;
        }
    }
    return 0;
}

static apr_interval_time_t parked_wait(const loop_t *loop)
{
    return loop->conf->parked_wait ? loop->conf->parked_wait : PARKED_WAIT;
}

/* Of two times; 0 is never. */
static apr_time_t earlier(apr_time_t a, apr_time_t b)
{
    return !a || (b && b < a) ? b : a;
}

/* Do what is due without a message. Returns when to do it again, 0: never. */
static apr_time_t run_due(loop_t *loop, apr_pool_t *p)
{
    apr_time_t now = apr_time_now();
    apr_time_t wake;

    if (acme_dns_records_step(loop->records, now)
        || now - loop->parked_at >= parked_wait(loop)) {
        serve_parked(loop, now, p);
    }
    acme_hook_run_step(loop->hooks, now);
    if (now >= loop->watch_at) {
        loop->watch_at = acme_registry_warn(loop->registry, now, p);
    }
    wake = acme_reload_step(loop->reload,
                            acme_registry_orders_under_way(loop->registry)
                                || acme_dns_records_busy(loop->records),
                            now);
    wake = earlier(wake, acme_dns_records_wake(loop->records, now));
    wake = earlier(wake, acme_hook_run_wake(loop->hooks, now));
    return earlier(wake,
                   is_any_parked(loop) ? loop->parked_at + parked_wait(loop)
                                       : 0);
}

/* The place of each descriptor in the poll; DNS and hooks come last. */
enum { POLL_INHERITED, POLL_CONTROL, POLL_RELOAD, POLL_CHANNELS };

/* Of a channel with a parked request only the end is polled, which needs no
   event. */
static int fill_fds(const loop_t *loop, struct pollfd *fds)
{
    int i, n = POLL_CHANNELS + loop->nchannels;

    fds[POLL_INHERITED].fd = loop->conf->fd;
    fds[POLL_CONTROL].fd = loop->control; /* poll skips negative ones */
    fds[POLL_RELOAD].fd = acme_reload_fd(loop->reload);
    for (i = 0; i < n; i++) {
        fds[i].events = POLLIN;
    }
    for (i = 0; i < loop->nchannels; i++) {
        fds[POLL_CHANNELS + i].fd = loop->channels[i].fd;
        if (loop->channels[i].parked_in) {
            fds[POLL_CHANNELS + i].events = 0;
        }
    }
    n += acme_dns_records_poll(loop->records, fds + n);
    return n + acme_hook_run_poll(loop->hooks, fds + n);
}

static void poll_once(loop_t *loop, apr_time_t wake, apr_pool_t *p)
{
    struct pollfd
        fds[POLL_CHANNELS + CHANNELS_MAX + ACME_RECORD_FDS + ACME_HOOK_FDS];
    apr_time_t now = apr_time_now();
    apr_interval_time_t wait = PARENT_CHECK;
    struct timespec ts;
    int i, n = loop->nchannels;

    if (wake && wake - now < wait) {
        wait = wake > now ? wake - now : 0;
    }
    ts.tv_sec = (time_t)apr_time_sec(wait);
    ts.tv_nsec = (long)apr_time_usec(wait) * 1000;

    if (ppoll(fds, (nfds_t)fill_fds(loop, fds), &ts, &loop->waiting) <= 0) {
        return;
    }

    now = apr_time_now();
    for (i = n; i-- > 0; ) {                /* closing moves the last one */
        if (fds[POLL_CHANNELS + i].revents && loop->channels[i].parked_in) {
            channel_close(loop, i);
        }
        else if (fds[POLL_CHANNELS + i].revents) {
            receive_request(loop, i, now, p);
        }
    }
    if (fds[POLL_CONTROL].revents) {
        const int fd = accept(loop->control, NULL, NULL);

        if (fd >= 0) {
            channel_add(loop, fd, ACME_BY_CONTROL, now);
        }
    }
    if (fds[POLL_INHERITED].revents) {
        receive_hello(loop, now, p);
    }
}

/* What was installed and not yet loaded when the last keeper ended. */
static void reload_unserved(loop_t *loop)
{
    int i;

    for (i = 0; i < loop->conf->conf->certs->nelts; i++) {
        const acme_state_t *state =
            acme_registry_state(loop->registry, (apr_uint32_t)i);

        if (state->live && state->live != state->served) {
            acme_reload_schedule(loop->reload, state, 0, apr_time_now());
        }
    }
}

/* Before anything of ours is read: the launcher has its rights, and no key. */
static int start_launcher(const acme_keeper_t *keeper, apr_pool_t *p)
{
    acme_launcher_rules_t *rules = apr_palloc(p, sizeof(*rules));
    acme_result_t res;

    *rules = (acme_launcher_rules_t) {
        .conf = keeper->conf,
        .server = keeper->server
    };
    if (acme_launcher_start(rules, &res, p)) {
        acme_log(keeper->log, ACME_LOG_ERROR, "keeper", "%s", res.detail);
        return 0;
    }
    return 1;
}

static void confine(const loop_t *loop, apr_pool_t *p)
{
    const acme_confine_t how = {
        .state_dir = loop->conf->conf->state_dir,
        .descriptors = CHANNELS_MAX + ACME_RECORD_FDS + ACME_HOOK_FDS
                       + 2 * ACME_HOOKS_MAX + OTHER_FDS,
        .log = loop->conf->log
    };

    acme_confine_finish(&how, p);
}

static int is_over(const loop_t *loop)
{
    if (acme_launcher_is_gone()) {
        acme_log(
            loop->conf->log, ACME_LOG_ERROR, "keeper",
            "the process that runs commands has ended; the keeper ends too, and httpd starts both again");
        return 1;
    }
    return term_received || loop->gone
        || getppid() != loop->conf->server->pid;
}

void acme_keeper_run(const acme_keeper_t *keeper, apr_pool_t *p)
{
    loop_t *loop = apr_pcalloc(p, sizeof(*loop));
    acme_registry_conf_t registry;
    apr_pool_t *scratch;
    apr_time_t wake;

    loop->p = p;
    loop->conf = keeper;
    set_signals(&loop->waiting);
    term_received = !acme_confine_begin(keeper->server->pid);
    if (!start_launcher(keeper, p)) {
        return;
    }
    acme_cleanse_reserve();
    fcntl(keeper->fd, F_SETFL, O_NONBLOCK);

    if (!open_store(loop, p)) {
        return;
    }
    loop->hooks = acme_hook_run_create(keeper->log, p);
    registry.conf = keeper->conf;
    registry.store = loop->store;
    registry.log = keeper->log;
    registry.events = acme_event_sink_create(keeper->conf, loop->store,
                                             loop->hooks, keeper->log, p);
    registry.publish = keeper->publish;
    registry.publish_baton = keeper->baton;
    loop->registry = acme_registry_create(&registry, p);
    loop->reload = acme_reload_create(keeper->server, loop->registry,
                                      keeper->held, keeper->baton, p);
    loop->records = acme_dns_records_create(keeper->log, p);
    loop->handlers =
        acme_handlers_create(loop->registry, loop->reload, loop->records, p);
    loop->control = listen_for_control(loop, p);
    reload_unserved(loop);
    apr_pool_create(&loop->incoming, p);
    acme_handlers_update_contacts(loop->handlers, loop->incoming);
    apr_pool_clear(loop->incoming);
    confine(loop, p);
    acme_log(keeper->log, ACME_LOG_NOTICE, "keeper", "started, pid %d",
             (int)getpid());

    apr_pool_create(&scratch, p);
    while (!is_over(loop)) {
        wake = run_due(loop, scratch);
        poll_once(loop, wake, scratch);
        apr_pool_clear(scratch);
    }
}
