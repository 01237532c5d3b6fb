/*
 * test_keeper_client.c - a worker takes a refusal of the keeper for what it is.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acme_keeper_client.h"
#include "door.h"
#include "pool.h"

static door_t door;
static pid_t keeper;

/* What the keeper of a test does with each HELLO that it receives. */
typedef enum { REFUSES, WELCOMES, HANGS_UP } behaviour_e;

static void be_the_keeper(const behaviour_e *behaviours, int n)
{
    acme_msg_welcome_t welcome = { 3, 42 };
    acme_result_t refusal;
    int i, last = -1;

    acme_fail(&refusal, APR_EACCES, "keeper: refused");
    for (i = 0; i < n; i++) {
        struct pollfd ready = { door.listener, POLLIN, 0 };
        acme_message_t message;
        int fd;

        if (poll(&ready, 1, 10000) != 1) {
            _exit(1);
        }
        fd = accept(door.listener, NULL, NULL);
        ready.fd = fd;
        if (poll(&ready, 1, 10000) != 1
            || acme_message_receive_request(&message, fd, &res, pool)
            || memcmp(message.body, door.address.token,
                      ACME_KEEPER_TOKEN_OCTETS)) {
            _exit(1);
        }
        if (last >= 0) {
            close(last);
        }
        last = fd;
        message.body = &welcome;
        if (behaviours[i] == REFUSES) {
            message.status = APR_EACCES;
            message.body = &refusal;
        }
        if (acme_message_send_reply(fd, &message, &res)) {
            _exit(1);
        }
        if (behaviours[i] == HANGS_UP) {
            ready.fd = fd;
            poll(&ready, 1, 10000);     /* a request comes, and no reply */
            close(fd);
            last = -1;
        }
    }
    _exit(0);
}

static void start_keeper(const behaviour_e *behaviours, int n)
{
    fflush(NULL);
    keeper = fork();
    assert_true(keeper >= 0);
    if (keeper == 0) {
        be_the_keeper(behaviours, n);
    }
}

static int setup(void **state)
{
    alarm(60);
    if (pool_setup(state)) {
        return -1;
    }
    door_open(&door);
    return 0;
}

static int teardown(void **state)
{
    int status;

    if (waitpid(keeper, &status, 0) != keeper || status) {
        return -1;
    }
    door_close(&door);
    return pool_teardown(state);
}

static acme_stop_t *make_stop(void)
{
    acme_stop_t *stop;

    assert_int_equal(acme_stop_create(&stop, pool), 0);
    return stop;
}

static void a_welcome_is_kept(void **state)
{
    static const behaviour_e behaviours[] = { WELCOMES };
    acme_keeper_client_t *client;

    (void)state;
    start_keeper(behaviours, COUNT(behaviours));
    assert_int_equal(
        acme_keeper_client_open(&client, &door.address, make_stop(),
                                &res, pool), 0);
    assert_int_equal(acme_keeper_client_welcome(client)->certs, 3);
    assert_int_equal(acme_keeper_client_welcome(client)->pid, 42);
}

static void a_refusal_is_not_a_welcome(void **state)
{
    static const behaviour_e behaviours[] = { REFUSES };
    acme_keeper_client_t *client;

    (void)state;
    start_keeper(behaviours, COUNT(behaviours));
    assert_int_equal(
        acme_keeper_client_open(&client, &door.address, make_stop(),
                                &res, pool),
        APR_EACCES);
    assert_null(client);
    assert_string_equal(res.detail, "keeper: refused");
}

/* The first keeper dies with the request; its successor refuses the worker. */
static void a_refusal_by_the_next_keeper_ends_the_call(void **state)
{
    static const behaviour_e behaviours[] = { HANGS_UP, REFUSES };
    const acme_msg_after_t after = { 0 };
    acme_keeper_client_t *client;
    acme_message_t reply;

    (void)state;
    start_keeper(behaviours, COUNT(behaviours));
    assert_int_equal(
        acme_keeper_client_open(&client, &door.address, make_stop(),
                                &res, pool), 0);
    assert_int_equal(acme_keeper_client_call(&reply, client, ACME_MSG_CHANGES,
                                             &after, &res, pool),
                     APR_EACCES);
    assert_string_equal(res.detail, "keeper: refused");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_welcome_is_kept),
        TEST(a_refusal_is_not_a_welcome),
        TEST(a_refusal_by_the_next_keeper_ends_the_call)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
