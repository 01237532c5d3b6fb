/*
 * test_message.c - a packet is a message of the table, or it is refused whole.
 */
#include <netinet/in.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "packet.h"
#include "pool.h"

#define DESCRIPTORS_MAX 256

static int fds[2];              /* we send on 1, what is tested is on 0 */
static packet_t packet;

static int descriptors(void)
{
    int fd, n = 0;

    for (fd = 0; fd < DESCRIPTORS_MAX; fd++) {
        n += fcntl(fd, F_GETFD) != -1;
    }
    return n;
}

static int setup(void **state)
{
    alarm(60);
    if (pool_setup(state)) {
        return -1;
    }
    packet_pair(fds);
    return 0;
}

static int teardown(void **state)
{
    close(fds[0]);
    close(fds[1]);
    return pool_teardown(state);
}

static apr_status_t receive(acme_message_t *message, int reply)
{
    return reply ? acme_message_receive_reply(message, fds[0], &res, pool)
                 : acme_message_receive_request(message, fds[0], &res, pool);
}

static void refused(const char *name, int reply, const char *says)
{
    int before = descriptors();
    acme_message_t message;
    apr_status_t rv;

    if (packet_send(fds[1], &packet) < 0) {
        fail_msg("%s: not even sent: %s", name, strerror(errno));
    }
    rv = receive(&message, reply);
    if (rv != APR_EINVAL || !strstr(res.detail, says)) {
        fail_msg("%s: status %d, \"%s\"", name, rv, res.detail);
    }
    assert_null(message.body);
    assert_null(message.tail);
    if (descriptors() != before) {
        fail_msg("%s: a descriptor was received", name);
    }
}

static void each_kind_goes_both_ways(void **state)
{
    unsigned kind;
    int reply;

    (void)state;
    for (kind = 0; kind < ACME_MSG_KINDS; kind++) {
        for (reply = 0; reply < 2; reply++) {
            apr_size_t tail = packet_kinds[kind].tail_max[reply];
            acme_message_t sent = { .kind = kind,
                                    .body = packet.rest,
                                    .tail = packet.rest,
                                    .tail_len = tail };
            acme_message_t got;

            memset(packet.rest, 0, sizeof(packet.rest));
            packet.rest[0] = 'x';
            assert_int_equal(
                reply ? acme_message_send_reply(fds[1], &sent, &res)
                      : acme_message_send_request(fds[1], &sent, &res),
                0);
            if (receive(&got, reply)) {
                fail_msg("%s: %s", packet_kinds[kind].name, res.detail);
            }
            assert_int_equal(got.kind, kind);
            assert_int_equal(got.status, 0);
            assert_memory_equal(got.body, packet.rest,
                                packet_kinds[kind].body[reply]);
            assert_int_equal(got.tail_len, tail);
            assert_memory_equal(got.tail, packet.rest, tail);
            assert_int_equal(got.tail[tail], 0);
        }
    }
}

static void a_failure_is_a_result(void **state)
{
    acme_message_t sent = { ACME_MSG_INSTALL, APR_ENOENT, &res, NULL, 0, 0, 0 };
    acme_message_t got;
    acme_result_t told;

    (void)state;
    acme_fail_never(&res, APR_ENOENT, "a.org: nothing is there");
    told = res;
    assert_int_equal(acme_message_send_reply(fds[1], &sent, &res), 0);
    assert_int_equal(receive(&got, 1), 0);
    assert_int_equal(got.status, APR_ENOENT);
    assert_memory_equal(got.body, &told, sizeof(told));
}

/* Whatever lay behind the end of a text in the sender's memory stays there. */
static void only_the_text_of_a_text_is_sent(void **state)
{
#define TEXT(kind, status, type, member) \
    { #kind " " #member, ACME_MSG_##kind, status, sizeof(type), \
      offsetof(type, member), sizeof(((type *)0)->member) }
#define STATE_TEXTS(kind) \
    TEXT(kind, 0, acme_state_t, serial), TEXT(kind, 0, acme_state_t, issuer), \
    TEXT(kind, 0, acme_state_t, cert_id), \
    TEXT(kind, 0, acme_state_t, explanation), \
    TEXT(kind, 0, acme_state_t, limit), \
    TEXT(kind, 0, acme_state_t, problem), TEXT(kind, 0, acme_state_t, detail)
    static const struct {
        const char *name;
        acme_message_e kind;
        apr_status_t status;
        apr_size_t body, offset, size;
    } rows[] = {
        STATE_TEXTS(CHANGES), STATE_TEXTS(INSTALL), STATE_TEXTS(LIST),
        TEXT(PREPARE, 0, acme_msg_prepared_t, order_url),
        TEXT(PREPARE, 0, acme_msg_prepared_t, account_url),
        TEXT(PREPARE, 0, acme_msg_prepared_t, thumbprint),
        TEXT(LIVE, 0, acme_msg_url_t, url),
        TEXT(SIGN, APR_EINVAL, acme_result_t, problem),
        TEXT(SIGN, APR_EINVAL, acme_result_t, detail)
    };
    static char expected[PACKET_REST];
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_message_t sent = { rows[i].kind, rows[i].status, packet.rest,
                                NULL, 0, 0, 0 };
        acme_message_t got;
        const char *text;
        size_t j;

        memset(packet.rest, 0x5a, rows[i].body);
        memcpy(packet.rest + rows[i].offset, "a", 2);
        assert_int_equal(acme_message_send_reply(fds[1], &sent, &res), 0);
        assert_int_equal(receive(&got, 1), 0);
        text = (const char *)got.body + rows[i].offset;
        assert_string_equal(text, "a");
        for (j = 1; j < rows[i].size; j++) {
            if (text[j]) {
                fail_msg("%s: octet %zu of its text is sent", rows[i].name, j);
            }
        }

        /* And nothing else is changed. */
        memcpy(expected, packet.rest, rows[i].body);
        memset(expected + rows[i].offset + 1, 0, rows[i].size - 1);
        assert_memory_equal(got.body, expected, rows[i].body);
    }
}

static void spoilt_requests_are_refused(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; spoilt_requests[i].name; i++) {
        const spoilt_t *row = &spoilt_requests[i];

        packet_make(&packet, row->kind, 0);
        row->spoil(&packet);
        refused(row->name, 0, row->says);
    }
}

static void spoilt_replies_are_refused(void **state)
{
    static const spoilt_t rows[] = {
        { "a request", is_a_reply, ACME_MSG_SIGN, "kind" },
        { "another version", version_after, ACME_MSG_SIGN, "version" },
        { "no octet", of_no_octet, ACME_MSG_SIGN, "short" },
        { "a failure without its result", has_a_status, ACME_MSG_LIST,
          "status" },
        { "a shorter body", body_shorter, ACME_MSG_LIST, "body" },
        { "a tail that is not there", tail_only_said, ACME_MSG_LIST, "tail" },
        { "longer than any", longer_than_any, ACME_MSG_LIST, "long" }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        packet_make(&packet, rows[i].kind, 1);
        rows[i].spoil(&packet);
        packet.frame.reply ^= rows[i].spoil == is_a_reply;
        refused(rows[i].name, 1, rows[i].says);
    }
}

/* With whatever message: it stays where it is, and closing it is not ours. */
static void a_descriptor_is_never_received(void **state)
{
    unsigned kind;
    int n;

    (void)state;
    for (kind = 0; kind < ACME_MSG_KINDS; kind++) {
        for (n = 0; n <= PACKET_FDS; n++) {
            int ends[2];
            acme_message_t message;
            int before;

            packet_pair(ends);
            packet_make(&packet, kind, 0);
            memset(packet.fds, 0, sizeof(packet.fds));
            packet.nfds = n ? n : 1;
            packet.len = n ? packet.len : 0;
            assert_true(packet_send(ends[1], &packet) >= 0);
            before = descriptors();
            assert_int_equal(
                acme_message_receive_request(&message, ends[0], &res, pool),
                APR_EINVAL);
            assert_non_null(strstr(res.detail, "descriptor"));
            assert_int_equal(descriptors(), before);
            assert_false(acme_message_close(ends[0]));
            close(ends[0]);
            close(ends[1]);
        }
    }
}

/* A connection whose close() waits a minute for data that nobody reads. */
static int lingering(int *peer)
{
    const struct linger on = { .l_onoff = 1, .l_linger = 60 };
    struct sockaddr_in address = { .sin_family = AF_INET };
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof(address);
    char data[4096] = "";

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len),
                     0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, len), 0);
    *peer = accept(listener, NULL, NULL);
    assert_true(*peer >= 0);
    close(listener);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &on, sizeof(on));
    while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0) {
    }
    return fd;
}

/*
 * Neither on the channel itself nor within another socket does it hold us. The
 * child ends, and the end of a process waits for nothing.
 */
static void what_lingers_holds_nobody(void **state)
{
    const apr_time_t begun = apr_time_now();
    int nested, behind;

    (void)state;
    for (nested = 0; nested < 2; nested++) {
        for (behind = 0; behind < 2; behind++) {
            int ends[2], inner[2], parent[2], status, peer;
            pid_t pid;

            packet_pair(ends);
            packet_make(&packet, ACME_MSG_CHANGES, 0);
            if (behind) {               /* of other packets, one empty */
                packet_send(ends[1], &packet);
                packet.len = 0;
                packet_send(ends[1], &packet);
            }
            packet.nfds = 1;
            packet.fds[0] = lingering(&peer);
            if (nested) {
                packet_pair(inner);
                assert_true(packet_send(inner[1], &packet) >= 0);
                close(packet.fds[0]);
                close(inner[1]);
                packet.fds[0] = inner[0];
            }
            assert_true(packet_send(ends[1], &packet) >= 0);
            assert_int_equal(pipe(parent), 0);
            fflush(NULL);
            pid = fork();
            if (pid == 0) {
                char octet;

                close(ends[1]);
                close(packet.fds[0]);
                close(peer);
                close(parent[1]);
                (void)!read(parent[0], &octet, 1);
                _exit(acme_message_close(ends[0]));
            }
            close(ends[0]);
            close(ends[1]);
            close(packet.fds[0]);
            close(parent[0]);
            close(parent[1]);           /* now the child is the last one */
            assert_int_equal(waitpid(pid, &status, 0), pid);
            assert_int_equal(status, 0);
            close(peer);
        }
    }
    assert_true(apr_time_now() - begun < apr_time_from_sec(20));
}

static void a_channel_is_closed_with_what_waits_in_it(void **state)
{
    int i, ends[2];

    (void)state;
    packet_pair(ends);
    packet_make(&packet, ACME_MSG_CHANGES, 0);
    for (i = 0; i < 10; i++) {
        assert_true(packet_send(ends[1], &packet) > 0);
    }
    packet.len = 0;
    assert_int_equal(packet_send(ends[1], &packet), 0);
    assert_true(acme_message_close(ends[0]));
    assert_int_equal(packet_send(ends[1], &packet), -1);
    close(ends[1]);
}

static void one_that_left_is_told_from_an_empty_packet(void **state)
{
    acme_message_t message;

    (void)state;
    packet_make(&packet, ACME_MSG_HELLO, 0);
    packet.len = 0;
    assert_int_equal(packet_send(fds[1], &packet), 0);
    assert_int_equal(packet_send(fds[1], &packet), 0);
    assert_int_equal(receive(&message, 0), APR_EINVAL);
    assert_int_equal(receive(&message, 0), APR_EINVAL);
    close(fds[1]);
    assert_int_equal(receive(&message, 0), APR_EOF);
}

static void one_that_only_stopped_talking_left_as_well(void **state)
{
    acme_message_t message;

    (void)state;
    shutdown(fds[1], SHUT_WR);
    assert_int_equal(receive(&message, 0), APR_EOF);
}

static void to_one_that_left_is_an_error_and_no_signal(void **state)
{
    acme_message_t message = { ACME_MSG_HELLO, 0, packet.rest, NULL, 0, 0, 0 };

    (void)state;
    close(fds[0]);
    assert_int_equal(acme_message_send_request(fds[1], &message, &res), EPIPE);
    assert_non_null(strstr(res.detail, "HELLO"));
}

static void who_serves_never_waits(void **state)
{
    acme_message_t reply = {
        ACME_MSG_SIGN, 0, packet.rest, packet.rest, ACME_JWS_MAX, 0, 0
    };
    acme_message_t message;
    apr_status_t rv;

    (void)state;
    assert_int_equal(receive(&message, 0), EAGAIN);
    do {
        rv = acme_message_send_reply(fds[1], &reply, &res);
    } while (rv == APR_SUCCESS);
    assert_int_equal(rv, EAGAIN);
}

static void an_end_is_closed_on_exec(void **state)
{
    (void)state;
    assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fds[1], F_GETFD) & FD_CLOEXEC);
}

/* Told once more, so that a change of the table is a change here. */
static void each_kind_is_one_side_s(void **state)
{
    static const struct {
        const char *name;
        int worker, control, witness;
    } rows[] = {
        { "HELLO", 1, 0, 1 }, { "CHANGES", 1, 1, 1 }, { "PREPARE", 1, 0, 1 },
        { "SIGN", 1, 0, 1 }, { "ACCOUNT", 1, 0, 1 }, { "KEY", 0, 0, 1 },
        { "TERMS", 0, 0, 1 }, { "ORDER", 1, 0, 1 }, { "PUBLISH", 1, 0, 1 },
        { "AWAIT", 1, 0, 1 }, { "VALIDATE", 1, 0, 0 }, { "PACE", 1, 0, 0 },
        { "NOTE", 1, 0, 1 }, { "WINDOW", 0, 0, 1 }, { "INSTALL", 1, 0, 1 },
        { "LIVE", 1, 0, 1 }, { "DONE", 0, 0, 1 },
        { "PERSIST", 0, 0, 1 }, { "LOOKED", 0, 0, 1 }, { "SERVED", 0, 0, 1 },
        { "REHEARSAL", 0, 0, 1 }, { "REHEARSED", 0, 0, 1 },
        { "LIST", 0, 1, 0 }, { "ACCOUNTS", 0, 1, 0 }, { "TXT", 0, 1, 0 },
        { "WANT", 0, 1, 0 }, { "REHEARSE", 0, 1, 0 }, { "FINDINGS", 0, 1, 0 },
        { "COSTS", 0, 1, 0 }
    };
    unsigned kind;

    (void)state;
    assert_int_equal(COUNT(rows), ACME_MSG_KINDS);
    for (kind = 0; kind < ACME_MSG_KINDS; kind++) {
        assert_string_equal(acme_message_name(kind), rows[kind].name);
        assert_int_equal(!!acme_message_allowed(kind, ACME_BY_WORKER),
                         rows[kind].worker);
        assert_int_equal(!!acme_message_allowed(kind, ACME_BY_CONTROL),
                         rows[kind].control);
        assert_int_equal(!!acme_message_allowed(kind, ACME_BY_WITNESS),
                         rows[kind].witness);
    }
    assert_string_equal(acme_message_name(ACME_MSG_KINDS), "unknown");
    assert_false(acme_message_allowed(ACME_MSG_KINDS, ACME_BY_WORKER));
    assert_false(acme_message_allowed((acme_message_e)-1, ACME_BY_CONTROL));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_kind_goes_both_ways),
        TEST(a_failure_is_a_result),
        TEST(only_the_text_of_a_text_is_sent),
        TEST(spoilt_requests_are_refused),
        TEST(spoilt_replies_are_refused),
        TEST(a_descriptor_is_never_received),
        TEST(what_lingers_holds_nobody),
        TEST(a_channel_is_closed_with_what_waits_in_it),
        TEST(one_that_left_is_told_from_an_empty_packet),
        TEST(one_that_only_stopped_talking_left_as_well),
        TEST(to_one_that_left_is_an_error_and_no_signal),
        TEST(who_serves_never_waits),
        TEST(an_end_is_closed_on_exec),
        TEST(each_kind_is_one_side_s)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
