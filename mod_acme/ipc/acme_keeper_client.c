/*
 * acme_keeper_client.c - the workers' side of the keeper.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_cleanse.h"
#include "acme_keeper_client.h"

/* A keeper that waits for something says so sooner (EAGAIN), and other requests
   are served before. */
#define REPLY_MAX apr_time_from_sec(60)

/* One keeper dies, the next one replies; more is a fault that repeats. */
#define TRIES_MAX 3

struct acme_keeper_client_t {
    const acme_keeper_address_t *address;
    int fd;                     /* our channel; -1: none */
    acme_stop_t *stop;
    acme_msg_welcome_t welcome;
};

static void client_close(acme_keeper_client_t *client)
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

static apr_status_t wait_readable(const acme_keeper_client_t *client,
                                  acme_result_t *res)
{
    const apr_time_t end = apr_time_now() + REPLY_MAX;
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
        return acme_fail(
            res, APR_TIMEUP,
            "keeper: no reply within a minute; check that a process acme-keeper is running");
    }
    if (fds[1].revents) {
        return acme_fail(res, APR_EINTR,
                         "keeper: the wait for a reply was aborted");
    }
    return APR_SUCCESS;
}

static apr_status_t read_reply(acme_message_t *reply,
                               acme_keeper_client_t *client,
                               acme_message_e kind, acme_result_t *res,
                               apr_pool_t *p)
{
    apr_status_t rv;

    rv = wait_readable(client, res);
    if (rv == APR_SUCCESS) {
        rv = acme_message_receive_reply(reply, client->fd, res, p);
    }
    if (rv == APR_EOF) {
        rv = acme_fail(res, ECONNRESET,
                       "keeper: the keeper ended before it replied");
    }
    if (rv == APR_SUCCESS && reply->kind != kind) {
        rv =
            acme_fail(res, APR_EINVAL, "keeper: the reply to %s is one to %s",
                      acme_message_name(kind), acme_message_name(reply->kind));
    }
    return rv;
}

/* A connection waits for the keeper that comes after a dead one: the parent
   listens as long as this generation lives. */
static apr_status_t hello(acme_keeper_client_t *client, acme_result_t *res,
                          apr_pool_t *p)
{
    acme_msg_hello_t body;
    acme_message_t message = { .kind = ACME_MSG_HELLO, .body = &body };
    apr_status_t rv;

    rv = acme_keeper_address_connect(&client->fd, client->address->path,
                                     client->stop, REPLY_MAX, res);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    acme_message_set_room(client->fd);
    memcpy(body.token, client->address->token, sizeof(body.token));
    rv = acme_message_send_request(client->fd, &message, res);
    acme_cleanse(&body, sizeof(body));
    if (rv == APR_SUCCESS) {
        rv = read_reply(&message, client, ACME_MSG_HELLO, res, p);
    }
    if (rv == APR_SUCCESS && message.status != APR_SUCCESS) {
        *res = *(const acme_result_t *)message.body;
        rv = message.status;
    }
    if (rv == APR_SUCCESS) {
        client->welcome = *(const acme_msg_welcome_t *)message.body;
        return APR_SUCCESS;
    }
    client_close(client);
    return rv;
}

/* The keeper died; its successor replies to the same request. */
static int can_retry(apr_status_t rv)
{
    return rv == ECONNRESET || rv == EPIPE;
}

apr_status_t acme_keeper_client_open(acme_keeper_client_t **pclient,
                                     const acme_keeper_address_t *address,
                                     acme_stop_t *stop, acme_result_t *res,
                                     apr_pool_t *p)
{
    acme_keeper_client_t *client = apr_pcalloc(p, sizeof(*client));
    int tries = 0;
    apr_status_t rv;

    client->address = address;
    client->fd = -1;
    client->stop = stop;
    do {
        rv = hello(client, res, p);
    } while (can_retry(rv) && ++tries < TRIES_MAX);
    *pclient = rv == APR_SUCCESS ? client : NULL;
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(p, client, client_cleanup,
                                  apr_pool_cleanup_null);
    }
    return rv;
}

apr_status_t acme_keeper_client_send(acme_message_t *reply,
                                     acme_keeper_client_t *client,
                                     const acme_message_t *request,
                                     acme_result_t *res, apr_pool_t *p)
{
    acme_message_t ignored;
    int tries = 0;
    apr_status_t rv;

    if (!reply) {
        reply = &ignored;
    }
    do {
        rv = client->fd >= 0 ? APR_SUCCESS : hello(client, res, p);
        if (rv == APR_SUCCESS) {
            rv = acme_message_send_request(client->fd, request, res);
        }
        if (rv == APR_SUCCESS) {
            rv = read_reply(reply, client, request->kind, res, p);
        }
        if (rv != APR_SUCCESS) {
            client_close(client);
        }
    } while (can_retry(rv) && ++tries < TRIES_MAX);
    if (rv == APR_SUCCESS && reply->status != APR_SUCCESS) {
        *res = *(const acme_result_t *)reply->body;
        rv = reply->status;
    }
    return rv;
}

apr_status_t acme_keeper_client_call(acme_message_t *reply,
                                     acme_keeper_client_t *client,
                                     acme_message_e kind, const void *body,
                                     acme_result_t *res, apr_pool_t *p)
{
    const acme_message_t request = { .kind = kind, .body = body };

    return acme_keeper_client_send(reply, client, &request, res, p);
}

const acme_msg_welcome_t *acme_keeper_client_welcome(
    const acme_keeper_client_t *client)
{
    return &client->welcome;
}
