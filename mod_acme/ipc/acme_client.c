/*
 * acme_client.c - the workers' side of the keeper.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_client.h"

/* A key of RSA 4096 may take seconds, and others ask before us. */
#define ANSWER_MAX apr_time_from_sec(60)

/* One keeper dies, the next one answers; more is a fault that repeats. */
#define TRIES_MAX 3

struct acme_client_t {
    int inherited;
    int fd;                     /* our channel; -1: none */
    acme_stop_t *stop;
    acme_msg_welcome_t welcome;
};

static void client_close(acme_client_t *client)
{
    if (client->fd >= 0) {
        close(client->fd);
        client->fd = -1;
    }
}

static apr_status_t client_cleanup(void *data)
{
    client_close(data);
    return APR_SUCCESS;
}

static apr_status_t wait_readable(const acme_client_t *client,
                                  acme_result_t *res)
{
    const apr_time_t end = apr_time_now() + ANSWER_MAX;
    struct pollfd fds[2];
    apr_interval_time_t left;
    int n;

    fds[0].fd = client->fd;
    fds[1].fd = acme_stop_fd(client->stop);
    fds[0].events = fds[1].events = POLLIN;
    do {
        left = end - apr_time_now();
        n = left <= 0 ? 0
                      : poll(fds, 2, (int)apr_time_as_msec(left) + 1);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        return acme_fail(res, APR_TIMEUP, "keeper: no answer within a "
                         "minute; is there a process acme-keeper?");
    }
    if (fds[1].revents) {
        return acme_fail(res, APR_EINTR, "keeper: stopped");
    }
    return APR_SUCCESS;
}

static apr_status_t read_reply(acme_message_t *reply, acme_client_t *client,
                               acme_message_e kind, acme_result_t *res,
                               apr_pool_t *p)
{
    apr_status_t rv;

    rv = wait_readable(client, res);
    if (rv == APR_SUCCESS) {
        rv = acme_message_receive_reply(reply, client->fd, res, p);
    }
    if (rv == APR_EOF) {
        rv = acme_fail(res, ECONNRESET, "keeper: ended before it answered");
    }
    if (rv == APR_SUCCESS && reply->kind != kind) {
        rv = acme_fail(res, APR_EINVAL, "keeper: answered %s to %s",
                       acme_message_name(reply->kind),
                       acme_message_name(kind));
    }
    return rv;
}

static apr_status_t hello(acme_client_t *client, acme_result_t *res,
                          apr_pool_t *p)
{
    static const acme_msg_none_t none;
    acme_message_t message = { ACME_MSG_HELLO, APR_SUCCESS, &none, NULL, 0 };
    apr_status_t rv;
    int fds[2];

    rv = acme_message_pair(fds, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv =
        acme_message_send_descriptor(client->inherited, &message, fds[1], res);
    close(fds[1]);
    client->fd = fds[0];
    if (rv != APR_SUCCESS && !APR_STATUS_IS_EAGAIN(rv)) {
        /* The parent holds the other end as long as this generation lives. */
        rv = acme_fail(res, APR_EOF, "keeper: there is none any more");
    }
    if (rv == APR_SUCCESS) {
        rv = read_reply(&message, client, ACME_MSG_HELLO, res, p);
    }
    if (rv == APR_SUCCESS) {
        client->welcome = *(const acme_msg_welcome_t *)message.body;
        return APR_SUCCESS;
    }
    client_close(client);
    return rv;
}

/* It died; the next one hears us again. */
static int is_worth_a_try(apr_status_t rv)
{
    return rv == ECONNRESET || rv == EPIPE;
}

apr_status_t acme_client_open(acme_client_t **pclient, int inherited,
                              acme_stop_t *stop, acme_result_t *res,
                              apr_pool_t *p)
{
    acme_client_t *client = apr_pcalloc(p, sizeof(*client));
    int tries = 0;
    apr_status_t rv;

    client->inherited = inherited;
    client->fd = -1;
    client->stop = stop;
    do {
        rv = hello(client, res, p);
    } while (is_worth_a_try(rv) && ++tries < TRIES_MAX);
    *pclient = rv == APR_SUCCESS ? client : NULL;
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(p, client, client_cleanup,
                                  apr_pool_cleanup_null);
    }
    return rv;
}

apr_status_t acme_client_call_tail(acme_message_t *reply,
                                   acme_client_t *client, acme_message_e kind,
                                   const void *body, const char *tail,
                                   apr_size_t tail_len, acme_result_t *res,
                                   apr_pool_t *p)
{
    acme_message_t request = { kind, APR_SUCCESS, body, tail, tail_len };
    acme_message_t answer;
    int tries = 0;
    apr_status_t rv;

    if (!reply) {
        reply = &answer;
    }
    do {
        rv = client->fd >= 0 ? APR_SUCCESS : hello(client, res, p);
        if (rv == APR_SUCCESS) {
            rv = acme_message_send_request(client->fd, &request, res);
        }
        if (rv == APR_SUCCESS) {
            rv = read_reply(reply, client, kind, res, p);
        }
        if (rv != APR_SUCCESS) {
            client_close(client);
        }
    } while (is_worth_a_try(rv) && ++tries < TRIES_MAX);
    if (rv == APR_SUCCESS && reply->status != APR_SUCCESS) {
        *res = *(const acme_result_t *)reply->body;
        rv = reply->status;
    }
    return rv;
}

apr_status_t acme_client_call(acme_message_t *reply, acme_client_t *client,
                              acme_message_e kind, const void *body,
                              acme_result_t *res, apr_pool_t *p)
{
    return acme_client_call_tail(reply, client, kind, body, NULL, 0, res, p);
}

const acme_msg_welcome_t *acme_client_welcome(const acme_client_t *client)
{
    return &client->welcome;
}
