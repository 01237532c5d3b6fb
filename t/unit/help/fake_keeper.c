/*
 * fake_keeper.c - one thread, all channels: what is held back is answered
 * when the test lets it.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "door.h"
#include "fake_keeper.h"
#include "pool.h"

#define CHANNELS_MAX 64
#define LOG_SIZE (64 * 1024)
#define AWAIT_MAX 20            /* seconds */

typedef struct {
    int fd;
    acme_message_t held;        /* kind 0 (HELLO): none */
} channel_t;

struct fake_keeper_t {
    door_t door;
    int wake[2];
    pthread_t thread;
    apr_pool_t *p;              /* the thread's */
    channel_t channels[CHANNELS_MAX];
    int count;

    pthread_mutex_t mutex;      /* guards all below */
    pthread_cond_t came;
    int stopping;
    acme_msg_prepared_t prepared[FAKE_KEEPER_CERTS][FAKE_KEEPER_PARTS];
    char flags[ACME_NAMES_MAX];
    const char *live;           /* NULL: nothing is */
    acme_state_t states[FAKE_KEEPER_CERTS];     /* change 0: none yet */
    apr_uint64_t change;
    int held[ACME_MSG_KINDS];
    const char *refused[ACME_MSG_KINDS];
    acme_msg_note_t failure;
    char log[LOG_SIZE];
    char log_read[LOG_SIZE];
};

static void log_line(fake_keeper_t *keeper, const char *line)
{
    size_t len = strlen(keeper->log);

    apr_snprintf(keeper->log + len, LOG_SIZE - len, "%s\n", line);
    pthread_cond_broadcast(&keeper->came);
}

static void log_note(fake_keeper_t *keeper, const acme_msg_note_t *note)
{
    static const char *const kinds[] = { "ordered", "resumed", "validated",
                                         "warning", "challenge", "name",
                                         "limit", "failed", "dry-run",
                                         "dry-run-passed", "dry-run-failed" };
    const char *blame = note->note == ACME_NOTE_LIMIT
        ? apr_pstrcat(keeper->p, " ",
                      acme_reason_about((acme_reason_e)note->why)->code, NULL)
        : note->name == ACME_NO_NAME || note->note < 4 ? ""
        : apr_psprintf(keeper->p, " name %u by %u", note->name,
                       note->challenge);

    log_line(keeper, apr_psprintf(keeper->p, "NOTE %u.%u %s%s: %s",
                                  note->about.cert, note->about.part,
                                  kinds[note->note], blame, note->detail));
    if (note->note == ACME_NOTE_FAILED) {
        keeper->failure = *note;
    }
}

static void log_served(fake_keeper_t *keeper, const acme_msg_served_t *found)
{
    log_line(keeper, apr_psprintf(keeper->p,
                                  "SERVED %u.0 is %u at %s, others %s: %s",
                                  found->about.cert, found->check,
                                  found->places, found->others,
                                  found->detail));
}

/* What was measured, and what was counted. */
static void log_pace(fake_keeper_t *keeper, const acme_msg_pace_t *pace)
{
    const char *line = apr_psprintf(keeper->p, "PACE %u.%u", pace->about.cert,
                                    pace->about.part);
    int i;

    for (i = 0; i < ACME_PACES; i++) {
        if (pace->values[i] != ACME_NOT_MEASURED) {
            line = apr_pstrcat(keeper->p, line, " ",
                               acme_ca_pace_word((acme_pace_e)i), NULL);
        }
    }
    log_line(keeper, line);
}

/* What is remembered, and logged. The mutex is held. */
static void take(fake_keeper_t *keeper, const acme_message_t *message)
{
    const acme_msg_url_t *url = message->body;
    const acme_target_t *about = message->body;
    const acme_msg_validate_t *validate;
    acme_msg_prepared_t *prepared;
    int i, k;

    switch (message->kind) {
    case ACME_MSG_HELLO:
    case ACME_MSG_CHANGES:
    case ACME_MSG_SIGN:
        return;
    case ACME_MSG_NOTE:
        log_note(keeper, message->body);
        return;
    case ACME_MSG_SERVED:
        log_served(keeper, message->body);
        return;
    case ACME_MSG_PACE:
        log_pace(keeper, message->body);
        return;
    default:
        break;
    }
    prepared = &keeper->prepared[about->cert][about->part];
    switch (message->kind) {
    case ACME_MSG_ACCOUNT:
        for (i = 0; i < FAKE_KEEPER_CERTS; i++) {
            for (k = 0; k < FAKE_KEEPER_PARTS; k++) {
                apr_cpystrn(keeper->prepared[i][k].account_url, url->url,
                            ACME_URL_SIZE);
                keeper->prepared[i][k].contacts_changed = 0;
            }
        }
        break;
    case ACME_MSG_ORDER:
        apr_cpystrn(prepared->order_url, url->url, ACME_URL_SIZE);
        break;
    case ACME_MSG_KEY:
        prepared->has_next_key = 0;
        break;
    case ACME_MSG_INSTALL:
        prepared->issued = 1;
        log_line(keeper,
                 apr_psprintf(keeper->p, "INSTALL %u.%u %.*s", about->cert,
                              about->part, (int)message->tail_len,
                              message->tail_len ? message->tail : ""));
        return;
    default:
        break;
    }
    switch (message->kind) {
    case ACME_MSG_VALIDATE:
        validate = message->body;
        log_line(keeper, apr_psprintf(keeper->p, "VALIDATE %u.%u %u",
                                      about->cert, about->part,
                                      validate->step));
        break;
    case ACME_MSG_ACCOUNT:
    case ACME_MSG_ORDER:
    case ACME_MSG_TERMS:
        log_line(keeper, apr_psprintf(keeper->p, "%s %u.%u %s",
                                      acme_message_name(message->kind),
                                      about->cert, about->part, url->url));
        break;
    default:
        log_line(keeper, apr_psprintf(keeper->p, "%s %u.%u",
                                      acme_message_name(message->kind),
                                      about->cert, about->part));
        break;
    }
}

static const char *signed_body(const acme_msg_sign_t *sign, apr_pool_t *p)
{
    static const char *const kinds[] = {
        "account", "order", "get", "challenge", "finalize", "find", "update",
        "deactivate", "key", "revoke"
    };

    return apr_psprintf(p, "%s%s%s%s%s%s %s", kinds[sign->kind],
                        sign->with & ACME_WITH_PROFILE ? "+profile" : "",
                        sign->with & ACME_WITH_REPLACES ? "+replaces" : "",
                        sign->with & ACME_WITH_BINDING ? "+binding" : "",
                        sign->with & ACME_WITH_NEXT_KEY ? "+next" : "",
                        sign->with & ACME_WITH_CERT_KEY ? "+cert" : "",
                        sign->nonce);
}

/* The mutex is held. */
static void answer(fake_keeper_t *keeper, int fd,
                   const acme_message_t *message)
{
    static const acme_msg_none_t none;
    static const acme_state_t state;
    static const acme_msg_validating_t open = { 1 };
    const acme_msg_welcome_t welcome = { FAKE_KEEPER_CERTS, 1 };
    acme_message_t reply = { .kind = message->kind, .body = &none };
    const acme_target_t *about = message->body;
    const acme_msg_after_t *after = message->body;
    acme_result_t why, own;
    acme_msg_url_t url;
    int i;

    switch (message->kind) {
    case ACME_MSG_HELLO:
        reply.body = &welcome;
        break;
    case ACME_MSG_CHANGES:
        reply.status = acme_fail(&why, APR_ENOENT, "no more");
        for (i = 0; i < FAKE_KEEPER_CERTS; i++) {
            const acme_state_t *changed = &keeper->states[i];

            if (changed->change > after->change
                && (reply.status
                    || changed->change
                        < ((const acme_state_t *)reply.body)->change)) {
                reply.status = APR_SUCCESS;
                reply.body = changed;
            }
        }
        break;
    case ACME_MSG_PREPARE:
        reply.body = &keeper->prepared[about->cert][about->part];
        reply.tail = keeper->flags;
        reply.tail_len = 4;
        break;
    case ACME_MSG_SIGN:
        reply.tail = signed_body(message->body, keeper->p);
        reply.tail_len = strlen(reply.tail);
        break;
    case ACME_MSG_INSTALL:
        reply.body = &state;
        break;
    case ACME_MSG_LIVE:
        reply.body = memset(&url, 0, sizeof(url));
        reply.tail = keeper->live;
        reply.tail_len = keeper->live ? strlen(keeper->live) : 0;
        break;
    case ACME_MSG_VALIDATE:
        reply.body = &open;
        break;
    default:
        break;
    }
    if (keeper->refused[message->kind]) {
        reply.status = acme_fail(&why, APR_EINVAL, "%s",
                                 keeper->refused[message->kind]);
    }
    if (reply.status) {
        reply.body = &why;
        reply.tail = NULL;
        reply.tail_len = 0;
    }
    acme_message_send_reply(fd, &reply, &own);
}

static void on_door(fake_keeper_t *keeper)
{
    const int fd = accept(keeper->door.listener, NULL, NULL);

    if (fd >= 0) {
        keeper->channels[keeper->count].held.kind = ACME_MSG_HELLO;
        keeper->channels[keeper->count++].fd = fd;
    }
}

/* False when it was closed. */
static int on_channel(fake_keeper_t *keeper, channel_t *channel)
{
    acme_message_t message;
    acme_result_t own;
    apr_status_t rv;

    rv = acme_message_receive_request(&message, channel->fd, &own,
                                      keeper->p);
    if (rv != APR_SUCCESS) {
        return APR_STATUS_IS_EAGAIN(rv);
    }
    if (!keeper->refused[message.kind]) {
        take(keeper, &message);
    }
    if (keeper->held[message.kind]) {
        channel->held = message;
    }
    else {
        answer(keeper, channel->fd, &message);
    }
    return 1;
}

static void *run(void *data)
{
    fake_keeper_t *keeper = data;
    struct pollfd fds[CHANNELS_MAX + 2];
    char octet;
    int i, n;

    for (;;) {
        fds[0].fd = keeper->door.listener;
        fds[1].fd = keeper->wake[0];
        n = keeper->count;
        for (i = 0; i < n; i++) {
            fds[i + 2].fd = keeper->channels[i].fd;
        }
        for (i = 0; i < n + 2; i++) {
            fds[i].events = POLLIN;
        }
        poll(fds, (nfds_t)n + 2, -1);
        pthread_mutex_lock(&keeper->mutex);
        if (keeper->stopping) {
            pthread_mutex_unlock(&keeper->mutex);
            return NULL;
        }
        if (fds[1].revents) {
            while (read(keeper->wake[0], &octet, 1) > 0) {
            }
        }
        for (i = n - 1; i >= 0; i--) {
            channel_t *channel = &keeper->channels[i];

            if (channel->held.kind && !keeper->held[channel->held.kind]) {
                answer(keeper, channel->fd, &channel->held);
                channel->held.kind = ACME_MSG_HELLO;
            }
            if (fds[i + 2].revents && !on_channel(keeper, channel)) {
                close(channel->fd);
                *channel = keeper->channels[--keeper->count];
            }
        }
        if (fds[0].revents) {
            on_door(keeper);
        }
        pthread_mutex_unlock(&keeper->mutex);
    }
}

static void wake(fake_keeper_t *keeper)
{
    assert_int_equal(write(keeper->wake[1], "", 1), 1);
}

fake_keeper_t *fake_keeper_start(void)
{
    fake_keeper_t *keeper = calloc(1, sizeof(*keeper));

    assert_non_null(keeper);
    assert_int_equal(apr_pool_create_unmanaged_ex(&keeper->p, NULL, NULL),
                     0);
    door_open(&keeper->door);
    assert_int_equal(pipe(keeper->wake), 0);
    fcntl(keeper->wake[0], F_SETFL, O_NONBLOCK);
    pthread_mutex_init(&keeper->mutex, NULL);
    pthread_cond_init(&keeper->came, NULL);
    assert_int_equal(pthread_create(&keeper->thread, NULL, run, keeper), 0);
    return keeper;
}

void fake_keeper_stop(fake_keeper_t *keeper)
{
    int i;

    pthread_mutex_lock(&keeper->mutex);
    keeper->stopping = 1;
    pthread_mutex_unlock(&keeper->mutex);
    wake(keeper);
    pthread_join(keeper->thread, NULL);
    for (i = 0; i < keeper->count; i++) {
        close(keeper->channels[i].fd);
    }
    door_close(&keeper->door);
    for (i = 0; i < 2; i++) {
        close(keeper->wake[i]);
    }
    pthread_cond_destroy(&keeper->came);
    pthread_mutex_destroy(&keeper->mutex);
    apr_pool_destroy(keeper->p);
    free(keeper);
}

const acme_keeper_address_t *fake_keeper_address(const fake_keeper_t *keeper)
{
    return &keeper->door.address;
}

acme_msg_prepared_t *fake_keeper_prepared(fake_keeper_t *keeper,
                                          unsigned cert, unsigned part)
{
    return &keeper->prepared[cert][part];
}

void fake_keeper_set_flags(fake_keeper_t *keeper, const char *flags)
{
    memcpy(keeper->flags, flags, 4);
}

void fake_keeper_set_live(fake_keeper_t *keeper, const char *pem)
{
    pthread_mutex_lock(&keeper->mutex);
    keeper->live = pem;
    pthread_mutex_unlock(&keeper->mutex);
}

apr_uint64_t fake_keeper_change(fake_keeper_t *keeper,
                                const acme_state_t *state)
{
    apr_uint64_t change;

    pthread_mutex_lock(&keeper->mutex);
    keeper->states[state->cert] = *state;
    change = keeper->states[state->cert].change = ++keeper->change;
    pthread_mutex_unlock(&keeper->mutex);
    return change;
}

void fake_keeper_hold(fake_keeper_t *keeper, acme_message_e kind)
{
    pthread_mutex_lock(&keeper->mutex);
    keeper->held[kind] = 1;
    pthread_mutex_unlock(&keeper->mutex);
}

void fake_keeper_release(fake_keeper_t *keeper, acme_message_e kind)
{
    pthread_mutex_lock(&keeper->mutex);
    keeper->held[kind] = 0;
    pthread_mutex_unlock(&keeper->mutex);
    wake(keeper);
}

void fake_keeper_refuse(fake_keeper_t *keeper, acme_message_e kind,
                        const char *detail)
{
    pthread_mutex_lock(&keeper->mutex);
    keeper->refused[kind] = detail;
    pthread_mutex_unlock(&keeper->mutex);
}

const char *fake_keeper_log(fake_keeper_t *keeper)
{
    pthread_mutex_lock(&keeper->mutex);
    memcpy(keeper->log_read, keeper->log, LOG_SIZE);
    pthread_mutex_unlock(&keeper->mutex);
    return keeper->log_read;
}

static int times_in(const char *log, const char *text)
{
    int n = 0;

    while ((log = strstr(log, text))) {
        log += strlen(text);
        n++;
    }
    return n;
}

void fake_keeper_await(fake_keeper_t *keeper, const char *text, int times)
{
    struct timespec end;
    int late = 0;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += AWAIT_MAX;
    pthread_mutex_lock(&keeper->mutex);
    while (times_in(keeper->log, text) < times && !late) {
        late = pthread_cond_timedwait(&keeper->came, &keeper->mutex, &end);
    }
    pthread_mutex_unlock(&keeper->mutex);
    if (late) {
        fail_msg("%s did not come %d times:\n%s", text, times,
                 fake_keeper_log(keeper));
    }
}

acme_msg_note_t fake_keeper_failure(fake_keeper_t *keeper)
{
    acme_msg_note_t note;

    pthread_mutex_lock(&keeper->mutex);
    note = keeper->failure;
    pthread_mutex_unlock(&keeper->mutex);
    return note;
}
