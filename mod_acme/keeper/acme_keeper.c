/*
 * acme_keeper.c - the process that keeps keys and store.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_keeper.h"
#include "acme_batch.h"
#include "acme_cert_reader.h"
#include "acme_channels.h"
#include "acme_cleanse.h"
#include "acme_confine.h"
#include "acme_counters.h"
#include "acme_deploy.h"
#include "acme_export_queue.h"
#include "acme_published.h"
#include "acme_published_left.h"
#include "acme_handlers.h"
#include "acme_key_maker.h"
#include "acme_launcher.h"
#include "acme_next_key.h"
#include "acme_no_x509.h"
#include "acme_registry_expiry.h"
#include "acme_registry_journals.h"
#include "acme_registry_order.h"
#include "acme_time.h"

/* How often to check for the parent, where the kernel sends no signal. */
#define PARENT_CHECK apr_time_from_sec(5)

/* The store may be locked or missing: the keeper retries after this. */
#define STORE_WAIT apr_time_from_sec(2)

#define CONTROL_BACKLOG 8

/* Descriptors for what lasts, and for files that are read and written. */
#define OTHER_FDS 64

/* A parked request is served again when a job ended, and after this. */
#define PARKED_WAIT apr_time_from_sec(1)

/* One that has no reply after this is told so (EAGAIN), and is asked again: a
   client waits for a minute, and then takes it that the keeper hangs. */
#define PARKED_MAX apr_time_from_sec(30)

/* Connections taken in a turn of the loop. */
#define ACCEPTS_MAX 16

/* As many connections could not be closed, with what was passed on them: the
   next keeper begins without them. */
#define LEFT_OPEN_MAX 256

/* Between two octets of the pulse, and two warnings of the same kind. */
#define PULSE apr_time_from_sec(1)
#define WARNING_PAUSE apr_time_from_sec(60)

typedef struct {
    const acme_keeper_t *conf;
    acme_store_t *store;
    acme_hook_runner_t *hooks;
    acme_event_sink_t *events;
    acme_batch_t *batch;
    acme_deploy_t *deploy;
    acme_registry_t *registry;
    acme_reload_t *reload;
    acme_activate_t *activate;
    acme_published_t *records;
    acme_export_queue_t *exports;
    acme_handlers_t *handlers;
    acme_next_key_queue_t *next_keys;
    int control;                /* listens for acmectl; -1: it could not */
    acme_channels_t *channels;
    apr_time_t watch_at;        /* next check for expiring certificates */
    apr_uint64_t turn_waits;    /* the channel whose turn it is, and that cannot
                                   ask before there is an answer; 0: none */
    apr_time_t parked_at;       /* last time that the parked were served */
    apr_time_t warned_at;       /* last time that a stranger was refused, */
    apr_time_t refused_at;      /*   and a message */
    apr_time_t commit_begun;    /* of the replies that wait for it, */
    int committing;             /* so many; 0: it has ended */
    apr_interval_time_t commit_part;    /* for each, what it took */
    apr_time_t pulse_at;        /* next octet of the pulse */
    apr_pool_t *incoming;       /* of the request that is being received */
    int gone;                   /* the generation of httpd has ended */
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
    sigaction(SIGXFSZ, &action, NULL);         /* a write fails with EFBIG */
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

/* ppoll() lets a signal in only when nothing else is ready: who asks without
   end must not keep it out. */
static void note_term(void)
{
    sigset_t pending;

    if (!sigpending(&pending) && sigismember(&pending, SIGTERM) == 1) {
        term_received = 1;
    }
}

/* Tell the parent that this process runs, and does not hang in one call. A
   clock that is set back makes it tell more often. */
static void beat(loop_t *loop)
{
    const apr_time_t now = apr_time_now();

    if (now >= loop->pulse_at || loop->pulse_at - now > PULSE) {
        loop->pulse_at = now + PULSE;
        acme_counters_pulse(ACME_PULSE_KEEPER, now);
        if (loop->conf->pulse >= 0) {
            (void)!write(loop->conf->pulse, "", 1);
        }
    }
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
        beat(loop);
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
    acme_result_t res;
    apr_status_t rv;
    int fd;

    rv = acme_keeper_address_listen(&fd, made, geteuid(), CONTROL_BACKLOG,
                                    &res);
    if (rv == ENAMETOOLONG) {
        acme_log(
            loop->conf->log, ACME_LOG_WARNING, "keeper",
            "%s: too long for a socket's name, so acmectl cannot reach the keeper; choose a shorter AcmeStateDir",
            path);
        return -1;
    }
    if (rv == APR_SUCCESS && rename(made, path)) {
        rv = errno;
        close(fd);
        fd = -1;
    }
    if (rv != APR_SUCCESS) {
        acme_log(loop->conf->log, ACME_LOG_WARNING, "keeper",
                 "%s: %s; acmectl cannot reach the keeper", path,
                 strerror(rv));
    }
    return fd;
}

static apr_interval_time_t parked_max(const loop_t *loop)
{
    return loop->conf->parked_max ? loop->conf->parked_max : PARKED_MAX;
}

/* A reply, and to whom. */
typedef struct {
    acme_message_t message;     /* first: acme_answered_cb() has it */
    acme_result_t res;
    apr_uint64_t channel;
} reply_t;

static apr_status_t send_reply(const acme_channel_t *channel, reply_t *reply,
                               apr_status_t status)
{
    const acme_message_e kind = reply->message.kind;
    acme_result_t res;
    apr_status_t rv;

    if (status != APR_SUCCESS) {
        memset(&reply->message, 0, sizeof(reply->message));
        reply->message.kind = kind;
        reply->message.status = reply->res.status ? reply->res.status
                                                  : APR_EGENERAL;
        reply->message.body = &reply->res;
    }
    rv = acme_message_send_reply(channel->fd, &reply->message, &res);
    return APR_STATUS_IS_EAGAIN(rv) ? APR_EPIPE : rv;
}

/* Once a minute: who is refused may try as often as he likes. */
static int is_time_to_warn(apr_time_t *last, apr_time_t now)
{
    if (now - *last < WARNING_PAUSE && now >= *last) {
        return 0;
    }
    *last = now;
    return 1;
}

static int is_waiting(apr_status_t rv)
{
    return APR_STATUS_IS_EAGAIN(rv) || rv == APR_EINPROGRESS;
}

/*
 * Reply to one request: APR_SUCCESS, or APR_EAGAIN or APR_EINPROGRESS when
 * there is no reply yet; APR_INCOMPLETE: send_held() sends it. After any other
 * status the channel is closed: its other side broke the protocol or does not
 * read its replies.
 */
static apr_status_t answer_request(loop_t *loop, const acme_channel_t *channel,
                                   acme_message_t *request, apr_time_t now,
                                   apr_pool_t *p)
{
    reply_t *reply = apr_pcalloc(p, sizeof(*reply));
    apr_status_t rv;

    acme_result_clear(&reply->res);
    reply->channel = channel->number;
    request->who = channel->who;
    request->channel = channel->number;
    if (!acme_message_allowed(request->kind, channel->who)) {
        if (is_time_to_warn(&loop->refused_at, now)) {
            acme_log(loop->conf->log, ACME_LOG_WARNING, "keeper",
                     "a process sent the message %s, which it may not send",
                     acme_message_name(request->kind));
        }
        return APR_EACCES;
    }
    rv = acme_handlers_answer(&reply->message, loop->handlers, request,
                              &reply->res, p);
    if (rv == APR_INCOMPLETE
        || (is_waiting(rv) && now - channel->used < parked_max(loop))) {
        return rv;
    }
    reply->message.kind = request->kind;
    return send_reply(channel, reply, rv);
}

static void beat_between(void *baton)
{
    beat(baton);
}

/* The channel may be closed meanwhile. Its process pays for its part of the
   commit, which has ended when the first reply is sent. */
static void send_held_reply(void *baton, acme_message_t *message,
                            apr_status_t status)
{
    reply_t *reply = (reply_t *)message;
    loop_t *loop = baton;
    int i = acme_channels_count(loop->channels);

    if (loop->committing) {
        loop->commit_part =
            (apr_time_now() - loop->commit_begun) / loop->committing;
        loop->committing = 0;
    }
    while (i-- > 0) {
        acme_channel_t *channel = acme_channels_at(loop->channels, i);

        if (channel->number == reply->channel) {
            acme_channels_charge_part(channel, loop->commit_part,
                                      apr_time_now());
            if (send_reply(channel, reply, status) != APR_SUCCESS) {
                acme_channels_close(loop->channels, i);
            }
            return;
        }
    }
}

/* Of all that came in this turn at once: they share what the disk costs. */
static void send_held(loop_t *loop)
{
    loop->commit_begun = apr_time_now();
    loop->committing = acme_handlers_held(loop->handlers);
    acme_handlers_commit(loop->handlers, send_held_reply, loop);
}

static void warn_of_stranger(loop_t *loop, const char *what, pid_t pid,
                             apr_time_t now)
{
    if (is_time_to_warn(&loop->warned_at, now)) {
        acme_log(
            loop->conf->log, ACME_LOG_WARNING, "keeper",
            "refused a connection: process %d %s; is a program running as the user of httpd that should not?",
            (int)pid, what);
    }
}

/* Is it a process that httpd's parent made, of the workers' user or our own? */
static const char *stranger(pid_t *ppid, const loop_t *loop, int fd)
{
    uid_t user;

    if (!acme_keeper_address_peer(ppid, &user, fd)) {
        return "is not known to the kernel";
    }
    if (user != loop->conf->user && user != geteuid()) {
        return "is of another user";
    }
    return acme_keeper_address_is_child(*ppid, loop->conf->server->pid)
               ? NULL
               : "is not a process of this httpd";
}

static void accept_workers(loop_t *loop, apr_time_t now)
{
    int i;

    for (i = 0; i < ACCEPTS_MAX; i++) {
        const int fd = accept(loop->conf->listener, NULL, NULL);
        const char *wrong;
        pid_t pid;

        if (fd < 0) {
            return;
        }
        wrong = stranger(&pid, loop, fd);
        if (wrong) {
            warn_of_stranger(loop, wrong, pid, now);
            acme_channels_drop(loop->channels, fd);
        }
        else {
            acme_channels_add(loop->channels, fd, 0, pid, now);
        }
    }
}

static void accept_control(loop_t *loop, apr_time_t now)
{
    const int fd = accept(loop->control, NULL, NULL);

    if (fd >= 0) {
        acme_channels_add(loop->channels, fd, ACME_BY_CONTROL, 0, now);
    }
}

/* The role of a new channel is the one whose token it shows; 0: none. Each is
   compared, so that the time tells nothing. */
static int role_of(const loop_t *loop, const acme_message_t *request)
{
    int i, who = 0;

    if (request->kind != ACME_MSG_HELLO) {
        return 0;
    }
    for (i = 0; i < ACME_KEEPER_ROLES; i++) {
        const acme_keeper_role_t *role = &loop->conf->roles[i];
        const acme_msg_hello_t *hello = request->body;

        if (role->who
            && acme_keeper_address_token_equal(hello->token, role->token)) {
            who = role->who;
        }
    }
    return who;
}

static void note_what_for(acme_channel_t *channel, apr_status_t rv)
{
    channel->parked_for =
        rv != APR_EINPROGRESS ? ACME_PARKED_FOR_JOB
        : acme_cert_reader_is_asked(channel->number) ? ACME_PARKED_FOR_READING
                                                     : ACME_PARKED_FOR_TURN;
}

/* Kept, with the pool that it is in, until there is a reply. */
static void park(loop_t *loop, acme_channel_t *channel,
                 const acme_message_t *request, apr_status_t rv)
{
    channel->parked = *request;
    channel->parked_in = loop->incoming;
    note_what_for(channel, rv);
    apr_pool_create(&loop->incoming, loop->p);
}

static void receive_request(loop_t *loop, int i, apr_time_t now, apr_pool_t *p)
{
    acme_channel_t *channel = acme_channels_at(loop->channels, i);
    const apr_time_t begun = apr_time_now();    /* not of all that wait */
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
        if (!channel->who) {
            channel->who = role_of(loop, &request);
        }
        if (channel->who) {
            /* Nobody is overtaken. */
            acme_cert_reader_turn(
                acme_channels_next_turn(loop->channels, now) < 0
                    ? channel->number : 0);
            rv = answer_request(loop, channel, &request, now, p);
        }
        else {
            if (is_time_to_warn(&loop->refused_at, now)) {
                acme_log(
                    loop->conf->log, ACME_LOG_WARNING, "keeper",
                    "refused the message %s of a process that has not shown its token",
                    acme_message_name(request.kind));
            }
            rv = APR_EACCES;
        }
        acme_channels_charge(channel, request.kind, apr_time_now() - begun,
                             now);
        if (is_waiting(rv)) {
            park(loop, channel, &request, rv);
            return;
        }
    }
    apr_pool_clear(loop->incoming);
    if (rv != APR_SUCCESS && rv != APR_INCOMPLETE) {
        acme_channels_close(loop->channels, i);
    }
}

/* Serve the parked request of channel i once more. True: it is still parked,
   and for the same. */
static int serve_again(loop_t *loop, int i, apr_uint64_t turn, apr_time_t now,
                       apr_pool_t *p)
{
    acme_channel_t *channel = acme_channels_at(loop->channels, i);
    const acme_parked_e parked_for = channel->parked_for;
    int is_same = 0;
    apr_status_t rv;

    acme_cert_reader_turn(turn);
    rv = answer_request(loop, channel, &channel->parked, now, p);
    if (rv == APR_SUCCESS || rv == APR_INCOMPLETE) {
        channel->used = now;
        acme_channels_unpark(channel);
    }
    else if (is_waiting(rv)) {
        note_what_for(channel, rv);
        is_same = channel->parked_for == parked_for;
    }
    else {
        acme_channels_close(loop->channels, i);
    }
    beat(loop);
    return is_same;
}

/* The parked requests, but those of the reader of certificates, which have
   their turn: they are only told when they have waited too long. */
static void serve_parked(loop_t *loop, apr_time_t now, apr_pool_t *p)
{
    int i;

    loop->parked_at = now;
    for (i = acme_channels_count(loop->channels); i-- > 0; ) {
        const acme_channel_t *channel = acme_channels_at(loop->channels, i);

        if (channel->parked_in
            && (channel->parked_for == ACME_PARKED_FOR_JOB
                || now - channel->used >= parked_max(loop))) {
            (void)serve_again(loop, i, 0, now, p);
        }
    }
    send_held(loop);
}

/* Those that may ask. One that could not, for what it would ask is being read
   for another, is not looked at in each turn of the loop, which costs anybody
   a cheap message: only when something was answered. */
static void serve_turns(loop_t *loop, apr_time_t now, apr_pool_t *p)
{
    int i, is_same = 0;

    if (acme_cert_reader_fd() < 0) {
        loop->turn_waits = 0;   /* no answer is coming */
    }
    while (!is_same && acme_cert_reader_has_room()
           && (i = acme_channels_next_turn(loop->channels, now)) >= 0) {
        const apr_uint64_t number =
            acme_channels_at(loop->channels, i)->number;

        is_same = number == loop->turn_waits
            || serve_again(loop, i, number, now, p);
        loop->turn_waits = is_same ? number : 0;
    }
}

/* Those whose certificate was read, and then those that may ask. */
static void serve_read(loop_t *loop, apr_time_t now, apr_pool_t *p)
{
    apr_interval_time_t took;
    apr_uint64_t asker;
    int i;

    while ((asker = acme_cert_reader_step(&took, now)) != 0) {
        loop->turn_waits = 0;
        i = acme_channels_find(loop->channels, asker);
        if (i >= 0) {
            acme_channel_t *channel = acme_channels_at(loop->channels, i);

            acme_channels_charge_part(channel, took, now);
            if (channel->parked_in) {
                (void)serve_again(loop, i, asker, now, p);
            }
        }
    }
    serve_turns(loop, now, p);
    send_held(loop);
}

static apr_interval_time_t parked_wait(const loop_t *loop)
{
    return loop->conf->parked_wait ? loop->conf->parked_wait : PARKED_WAIT;
}

static int is_channel_open(void *baton, apr_uint64_t channel)
{
    const loop_t *loop = baton;

    return acme_channels_is_open(loop->channels, channel);
}

/* Would a reload cost what is under way? An order waits for its key before it
   begins, and the key that is being made ends with the keeper, also a next
   one. */
static int is_busy(const loop_t *loop)
{
    return acme_registry_order_count(loop->registry)
        || acme_batch_is_open(loop->batch)
        || acme_published_busy(loop->records)
        || acme_channels_is_parked(loop->channels, ACME_MSG_PREPARE)
        || acme_channels_is_parked(loop->channels, ACME_MSG_INSTALL)
        || acme_key_maker_fd() >= 0;
}

/* Do what is due without a message. Returns when to do it again, 0: never. */
static apr_time_t run_due(loop_t *loop, apr_pool_t *p)
{
    apr_time_t now = apr_time_now();
    const int is_key_ready = acme_key_maker_step(now);
    apr_time_t wake, batch_wake, deploy_wake;

    if (acme_published_step(loop->records, now) || is_key_ready
        || now - loop->parked_at >= parked_wait(loop)) {
        serve_parked(loop, now, p);
    }
    serve_read(loop, now, p);
    if (is_key_ready) {
        acme_next_key_queue_look(loop->next_keys);
    }
    acme_hook_run_step(loop->hooks, now);
    acme_event_step(loop->events, now, p);
    acme_export_queue_step(loop->exports, now, p);
    if (now >= loop->watch_at) {
        loop->watch_at = acme_registry_expiry_warn(loop->registry, now, p);
    }
    batch_wake = acme_batch_step(loop->batch, is_channel_open, loop, now, p);
    deploy_wake = acme_deploy_step(loop->deploy, now, p);
    wake = acme_reload_step(loop->reload, is_busy(loop), now);
    wake = acme_time_earlier(
        wake, acme_registry_journals_write(loop->registry, now, p));
    wake = acme_time_earlier(
        wake, acme_next_key_queue_step(loop->next_keys, now, p));
    wake = acme_time_earlier(wake, batch_wake);
    wake = acme_time_earlier(wake, deploy_wake);
    wake = acme_time_earlier(wake, acme_handlers_step(loop->handlers, now, p));
    wake = acme_time_earlier(wake, acme_published_wake(loop->records, now));
    wake = acme_time_earlier(wake, acme_hook_run_wake(loop->hooks, now));
    wake = acme_time_earlier(wake, acme_event_wake(loop->events, now));
    wake = acme_time_earlier(wake, acme_export_queue_wake(loop->exports, now));
    wake = acme_time_earlier(wake, acme_cert_reader_wake(now));
    wake = acme_time_earlier(wake, acme_channels_wake(loop->channels, now));
    return acme_time_earlier(
        wake, acme_channels_is_any_parked(loop->channels)
            ? loop->parked_at + parked_wait(loop) : 0);
}

/* The place of each descriptor in the poll; those of jobs come last. */
enum {
    POLL_LISTENER,
    POLL_CONTROL,
    POLL_RELOAD,
    POLL_KEY,
    POLL_READING,
    POLL_CHANNELS
};

/* Of a channel that is not heard now only the end is polled, which needs no
   event. */
static int fill_fds(const loop_t *loop, struct pollfd *fds, apr_time_t now)
{
    const int count = acme_channels_count(loop->channels);
    int i, n = POLL_CHANNELS + count;

    fds[POLL_LISTENER].fd = loop->conf->listener;
    fds[POLL_CONTROL].fd = loop->control; /* poll skips negative ones */
    fds[POLL_RELOAD].fd = acme_reload_fd(loop->reload);
    fds[POLL_KEY].fd = acme_key_maker_fd();
    fds[POLL_READING].fd = acme_cert_reader_fd();
    for (i = 0; i < n; i++) {
        fds[i].events = POLLIN;
    }
    for (i = 0; i < count; i++) {
        const acme_channel_t *channel = acme_channels_at(loop->channels, i);

        fds[POLL_CHANNELS + i].fd = channel->fd;
        if (!acme_channels_is_heard(channel, now)) {
            fds[POLL_CHANNELS + i].events = 0;
        }
    }
    n += acme_published_poll(loop->records, fds + n);
    n += acme_export_queue_poll(loop->exports, fds + n);
    return n + acme_hook_run_poll(loop->hooks, fds + n);
}

static void poll_once(loop_t *loop, apr_time_t wake, apr_pool_t *p)
{
    struct pollfd fds[POLL_CHANNELS + ACME_CHANNELS_MAX + ACME_PUBLISHED_FDS
                      + ACME_HOOK_FDS + ACME_EXPORT_FDS];
    apr_time_t now = apr_time_now();
    apr_interval_time_t wait = PARENT_CHECK;
    struct timespec ts;
    int i, n_ready, n = acme_channels_count(loop->channels);

    if (wake && wake - now < wait) {
        wait = wake > now ? wake - now : 0;
    }
    ts.tv_sec = (time_t)apr_time_sec(wait);
    ts.tv_nsec = (long)apr_time_usec(wait) * 1000;

    n_ready = ppoll(fds, (nfds_t)fill_fds(loop, fds, now), &ts,
                    &loop->waiting);
    note_term();
    if (n_ready <= 0) {
        return;
    }

    now = apr_time_now();
    for (i = n; i-- > 0; ) {                /* closing moves the last one */
        const struct pollfd *polled = &fds[POLL_CHANNELS + i];

        if (polled->revents && !polled->events) {
            acme_channels_close(loop->channels, i);
        }
        else if (polled->revents) {
            receive_request(loop, i, now, p);
            beat(loop);
        }
    }
    send_held(loop);
    beat(loop);
    if (fds[POLL_CONTROL].revents) {
        accept_control(loop, now);
    }
    if (fds[POLL_LISTENER].revents) {
        accept_workers(loop, now);
        loop->gone = (fds[POLL_LISTENER].revents & POLLHUP) != 0;
    }
}

/* What a hostile process passed ends with this process only. */
static int is_spoilt(const loop_t *loop)
{
    if (acme_channels_left_open(loop->channels) < LEFT_OPEN_MAX) {
        return 0;
    }
    acme_log(
        loop->conf->log, ACME_LOG_ERROR, "keeper",
        "a process of httpd passed too many descriptors, so this keeper ends and another begins; is a worker taken over?");
    return 1;
}

/* Before anything of ours is read: the launcher has its rights, and no key. */
static int start_launcher(const acme_keeper_t *keeper, apr_pool_t *p)
{
    acme_launcher_rules_t *rules = apr_palloc(p, sizeof(*rules));
    acme_result_t res;

    *rules = (acme_launcher_rules_t) {
        .conf = keeper->conf,
        .server = keeper->server,
        .user = keeper->user,
        .live = keeper->live,
        .forget = keeper->forget,
        .baton = keeper->baton
    };
    if (acme_launcher_start(rules, &res, p)) {
        acme_log(keeper->log, ACME_LOG_ERROR, "keeper", "%s", res.detail);
        return 0;
    }
    acme_no_x509_begin();       /* here; the launcher's fork does it */
    acme_cert_reader_start();
    acme_key_maker_forget();
    return 1;
}

static void confine(const loop_t *loop, apr_pool_t *p)
{
    const acme_confine_t how = {
        .state_dir = loop->conf->conf->state_dir,
        .descriptors = ACME_CHANNELS_MAX + LEFT_OPEN_MAX + ACME_PUBLISHED_FDS
                       + ACME_HOOK_FDS + 2 * ACME_EXPORT_FDS
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
    return term_received || loop->gone || is_spoilt(loop)
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

    if (!open_store(loop, p)) {
        return;
    }
    loop->hooks = acme_hook_run_create(keeper->log, p);
    acme_cert_reader_on_wait(beat_between, loop);
    registry.conf = keeper->conf;
    registry.store = loop->store;
    registry.log = keeper->log;
    loop->events = acme_event_sink_create(keeper->conf, loop->store,
                                          loop->hooks, keeper->log, p);
    registry.events = loop->events;
    registry.publish = keeper->publish;
    registry.publish_baton = keeper->baton;
    acme_activate_recall(keeper->conf, keeper->live, loop->store,
                         apr_time_now(), p);
    loop->registry = acme_registry_create(&registry, p);
    loop->reload = acme_reload_create(keeper->server, loop->registry,
                                      keeper->held, keeper->baton, p);
    loop->activate = acme_activate_create(loop->registry, keeper->live,
                                          apr_time_now(), p);
    acme_reload_use_live(loop->reload, loop->activate);
    loop->records = acme_published_create(keeper->log, p);
    acme_published_left_load(loop->records, loop->store, keeper->conf,
                             apr_time_now());
    loop->batch = acme_batch_create(loop->registry, loop->hooks,
                                    apr_time_now(), p);
    loop->exports = acme_export_queue_create(loop->registry, p);
    loop->deploy = acme_deploy_create(loop->registry, loop->hooks,
                                      loop->exports, p);
    loop->handlers = acme_handlers_create(loop->registry, loop->reload,
                                          loop->records, loop->batch, p);
    acme_handlers_on_sync(loop->handlers, beat_between, loop);
    loop->next_keys = acme_next_key_queue_create(loop->registry, p);
    loop->channels = acme_channels_create(keeper->credit, p);
    loop->control = listen_for_control(loop, p);
    acme_reload_resume(loop->reload, apr_time_now());
    acme_activate_mend(loop->activate);
    apr_pool_create(&loop->incoming, p);
    acme_handlers_update_contacts(loop->handlers, loop->incoming);
    apr_pool_clear(loop->incoming);
    confine(loop, p);
    acme_log(keeper->log, ACME_LOG_NOTICE, "keeper", "started, pid %d",
             (int)getpid());

    apr_pool_create(&scratch, p);
    while (!is_over(loop)) {
        beat(loop);
        wake = run_due(loop, scratch);
        poll_once(loop, wake, scratch);
        apr_pool_clear(scratch);
    }
    acme_registry_journals_write_all(loop->registry, scratch);
    acme_event_flush(loop->events, apr_time_now(), scratch);
    acme_handlers_flush(loop->handlers, scratch);
}
