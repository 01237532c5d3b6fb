/*
 * test_keeper.c - a hostile worker at the keeper's door: it gets no word in,
 * and the others are served on, even after a SIGKILL.
 */
#include <sys/wait.h>

#include "acme_keeper_client.h"
#include "acme_published.h"
#include "acme_handlers.h"
#include "keeper_process.h"
#include "with_launcher.h"

static packet_t packet;

static const apr_uint32_t beyond[] = {
    2, 3, 0x7fffffff, 0x80000000, 0xffffffff
};

/* At the door, where only HELLO with the token is right */

static void spoilt_packets_bring_no_channel(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; spoilt_requests[i].name; i++) {
        const spoilt_t *row = &spoilt_requests[i];
        int fd = door_knock(&door);

        packet_make(&packet, row->kind, 0);
        row->spoil(&packet);
        assert_true(packet_send(fd, &packet) >= 0);
        assert_closed(fd, row->name);
        close(fd);
        assert_serving();
    }
    assert_int_equal(times_logged("started"), 1);
}

/* One octet differs, or all; the token of a role that nobody has is zeros. */
static void a_wrong_token_brings_no_channel(void **state)
{
    int i;

    (void)state;
    for (i = -2; i < ACME_KEEPER_TOKEN_OCTETS; i++) {
        int fd = door_knock(&door);

        packet_make(&packet, ACME_MSG_HELLO, 0);
        if (i > -2) {
            memcpy(packet.rest, door.address.token, ACME_KEEPER_TOKEN_OCTETS);
            packet.rest[i < 0 ? 0 : i] ^= i < 0 ? 1 : 0x80;
        }
        assert_true(packet_send(fd, &packet) > 0);
        assert_closed(fd, "a wrong token");
        close(fd);
    }
    assert_serving();
    assert_logged("refused the message HELLO of a process that has not shown");
}

static void only_hello_brings_a_channel(void **state)
{
    unsigned kind;

    (void)state;
    for (kind = 0; kind < ACME_MSG_KINDS; kind++) {
        int fd;

        if (kind == ACME_MSG_HELLO) {
            continue;
        }
        fd = door_knock(&door);
        packet_make(&packet, kind, 0);
        assert_true(packet_send(fd, &packet) > 0);
        assert_closed(fd, acme_message_name(kind));
        close(fd);
        assert_serving();
    }
    assert_int_equal(count(at("store/pending")), 0);
}

/* The token is of no use to who is not a child of the parent. */
static void a_stranger_is_refused(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    assert_serving();
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        pid = fork();           /* a child's child, as a CGI program is */
        if (pid == 0) {
            char octet;
            int fd = door_knock(&door);

            packet_make(&packet, ACME_MSG_HELLO, 0);
            memcpy(packet.rest, door.address.token, ACME_KEEPER_TOKEN_OCTETS);
            (void)packet_send(fd, &packet);
            _exit(recv(fd, &octet, 1, 0) > 0);
        }
        waitpid(pid, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_logged("is not a process of this httpd");
    assert_serving();
}

/* On a channel of its own */

static void spoilt_packets_close_the_channel(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; spoilt_requests[i].name; i++) {
        const spoilt_t *row = &spoilt_requests[i];
        int fd = open_channel();
        int before = times_logged(row->says);

        packet_make(&packet, row->kind, 0);
        row->spoil(&packet);
        assert_true(packet_send(fd, &packet) >= 0);
        assert_closed(fd, row->name);
        close(fd);
        if (times_logged(row->says) != before + 1) {
            fail_msg("%s: the log does not tell", row->name);
        }
    }
    assert_serving();
    assert_int_equal(count(at("store/pending")), 0);
}

static void descriptors_are_refused(void **state)
{
    unsigned kind;
    size_t len;

    (void)state;
    for (kind = 0; kind < ACME_MSG_KINDS; kind++) {
        for (len = 0; len < 2; len++) {
            int fd = open_channel();
            int fds[2];

            packet_pair(fds);
            packet_make(&packet, kind, 0);
            packet.len = len ? packet.len : 0;
            packet.fds[packet.nfds++] = fds[1];
            if (packet_send(fd, &packet) >= 0) {
                assert_closed(fd, acme_message_name(kind));
            }
            else {
                assert_int_equal(errno, EPERM); /* by the kernel */
            }
            close(fds[1]);
            close(fds[0]);
            close(fd);
        }
    }
    assert_int_equal(count(at("store/pending")), 0);
}

static void acmectl_s_messages_are_not_a_worker_s(void **state)
{
    static const acme_message_e kinds[] = {
        ACME_MSG_LIST, ACME_MSG_ACCOUNTS, ACME_MSG_WANT
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(kinds); i++) {
        int fd = open_channel();

        packet_make(&packet, kinds[i], 0);
        assert_true(packet_send(fd, &packet) > 0);
        assert_closed(fd, acme_message_name(kinds[i]));
        close(fd);
    }
    assert_logged(acme_message_name(kinds[0]));
    assert_int_equal(times_logged("which it may not send"), 1);
    assert_false(list(0).wanted);
}

static void a_worker_s_messages_are_not_acmectl_s(void **state)
{
    unsigned kind;
    int n = 0;

    (void)state;
    assert_serving();
    assert_int_equal(mode_of(at("store/run/acme.sock")), 0600);
    for (kind = 0; kind < ACME_MSG_KINDS; kind++) {
        int fd;

        if (acme_message_allowed(kind, ACME_BY_CONTROL)) {
            continue;
        }
        fd = open_control();
        packet_make(&packet, kind, 0);
        assert_true(packet_send(fd, &packet) > 0);
        assert_closed(fd, acme_message_name(kind));
        close(fd);
        n++;
    }
    assert_true(n > 1);
    assert_int_equal(times_logged("which it may not send"), 1);
    assert_int_equal(count(at("store/pending")), 0);
}

static void acmectl_lists_and_renews(void **state)
{
    acme_msg_cert_t body = { { 0, 0, 0 } };
    acme_msg_want_t want = { { 0, 0, 0 }, ACME_WANT_RENEWAL, -1 };
    acme_message_t reply;
    int fd;

    (void)state;
    assert_serving();
    fd = open_control();
    reply = say_on(fd, ACME_MSG_LIST, &body, NULL, 0);
    assert_int_equal(reply.status, 0);
    assert_string_equal(reply.tail, "a.example\n" CA_URL "\na.example\n"
                        "www.a.example");
    assert_int_equal(say_on(fd, ACME_MSG_WANT, &want, NULL, 0).status, 0);
    assert_int_equal(list(0).wanted, ACME_WANT_RENEWAL);
    assert_int_equal(list(1).wanted, ACME_WANT_NOTHING);
    close(fd);
}

static void nobody_can_want_what_there_is_not(void **state)
{
    static const apr_uint32_t wants[] = {
        ACME_WANT_NOTHING, ACME_WANTS, 0x80000000, 0xffffffff
    };
    acme_msg_want_t want = { { 0, 0, 0 }, 0, -1 };
    size_t i;
    int fd;

    (void)state;
    assert_serving();
    fd = open_control();
    for (i = 0; i < COUNT(wants); i++) {
        want.want = wants[i];
        assert_int_equal(say_on(fd, ACME_MSG_WANT, &want, NULL, 0).status,
                         APR_EINVAL);
    }
    assert_int_equal(list(0).wanted, ACME_WANT_NOTHING);
    close(fd);
}

static void acmectl_is_told_of_accounts(void **state)
{
    static const acme_msg_none_t none;
    acme_message_t reply;
    int fd;

    (void)state;
    assert_serving();
    fd = open_control();
    reply = say_on(fd, ACME_MSG_ACCOUNTS, &none, NULL, 0);
    assert_int_equal(reply.status, 0);
    assert_string_equal(reply.tail, CA_URL ": not registered yet, contacts "
                        "mailto:admin@a.example mailto:b@b.example\n");
    begin();
    reply = say_on(fd, ACME_MSG_ACCOUNTS, &none, NULL, 0);
    assert_non_null(strstr(reply.tail, CA_URL ": " ACCOUNT_URL ", contacts "));
    close(fd);
}

/* Said by one who may; fds are channels of acmectl and of the witness. */
static void assert_none_such(const int *fds, unsigned kind,
                             const acme_target_t *target)
{
    const int fd = acme_message_allowed(kind, ACME_BY_CONTROL)   ? fds[0]
                   : acme_message_allowed(kind, ACME_BY_WORKER) ? channel
                                                                : fds[1];
    acme_message_t reply;

    packet_make(&packet, kind, 0);
    memcpy(packet.rest, target, sizeof(*target));
    reply = say_on(fd, kind, packet.rest, NULL, 0);
    if (reply.status != APR_ENOENT || reply.tail_len
        || !strstr(res.detail, " configured")) {
        fail_msg("%s of %u %u %u: %d", acme_message_name(kind), target->cert,
                 target->ca, target->part, reply.status);
    }
}

static void nothing_beyond_the_last(void **state)
{
    unsigned kind;
    size_t i;
    int fds[2];

    (void)state;
    begin();
    fds[0] = open_control();
    fds[1] = open_witness();
    for (kind = 0; kind < ACME_MSG_KINDS; kind++) {
        if (kind == ACME_MSG_HELLO || kind == ACME_MSG_CHANGES
            || kind == ACME_MSG_ACCOUNTS) {
            continue;                   /* about none */
        }
        for (i = 0; i < COUNT(beyond); i++) {
            const acme_target_t targets[] = {
                { beyond[i], 0, 0 }, { 0, beyond[i], 0 }, { 0, 0, beyond[i] },
                { 1, 1, 0 }, { 1, 0, 1 }
            };
            size_t t;

            for (t = 0; t < COUNT(targets); t++) {
                assert_none_such(fds, kind, &targets[t]);
            }
        }
    }
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(count(at("store/pending")), 1);
    assert_int_equal(count(at("store/journal")), 0);
}

/* Too many, too slow, too early gone */

#define FLOOD 300

static void three_hundred_connections(void **state)
{
    static int fds[FLOOD];
    acme_msg_cert_t body = { { 0, 0, 0 } };
    int i, open_ones = 0;
    char c;

    (void)state;
    for (i = 0; i < FLOOD; i++) {
        fds[i] = open_channel();
    }
    for (i = FLOOD - 120; i < FLOOD; i++) {
        assert_int_equal(say_on(fds[i], ACME_MSG_PREPARE, &body, NULL,
                                0).status, 0);
    }
    for (i = 0; i < FLOOD; i++) {
        open_ones += recv(fds[i], &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
        close(fds[i]);
    }
    assert_in_range(open_ones, 120, 128);

    for (i = 0; i < FLOOD; i++) {
        fds[i] = knock();       /* nobody reads the welcome */
    }
    assert_serving();
    for (i = 0; i < FLOOD; i++) {
        close(fds[i]);
    }
    assert_serving();
}

static void one_that_never_reads_stops_nobody(void **state)
{
    acme_msg_cert_t body = { { 0, 0, 0 } };
    int full, sent, fd, others;

    (void)state;
    fd = open_channel();
    fcntl(fd, F_SETFL, O_NONBLOCK);
    others = open_channel();
    packet_make(&packet, ACME_MSG_PREPARE, 0);
    for (full = sent = 0; full < 50 && sent < 10000; sent++) {
        if (packet_send(fd, &packet) < 0) {
            if (errno != EAGAIN) {
                break;                  /* closed */
            }
            full++;
        }
        if (sent % 16 == 0 || full) {
            assert_int_equal(say_on(others, ACME_MSG_PREPARE, &body, NULL,
                                    0).status, 0);
        }
    }
    assert_true(sent < 10000);
    close(fd);
    close(others);
    assert_serving();
}

static void one_that_leaves_in_the_middle_is_forgotten(void **state)
{
    int i, fd;

    (void)state;
    for (i = 0; i < 100; i++) {
        close(knock());

        fd = open_channel();
        packet_make(&packet, i % 2 ? ACME_MSG_PREPARE : ACME_MSG_CHANGES, 0);
        assert_true(packet_send(fd, &packet) > 0);
        assert_true(packet_send(fd, &packet) > 0);
        if (i % 3 == 0) {
            shutdown(fd, SHUT_RD);
        }
        close(fd);
    }
    assert_serving();
    fd = open_control();
    close(fd);
    assert_serving();
    assert_int_equal(times_logged("started"), 1);
}

static void acmectl_in_crowds_stops_nobody(void **state)
{
    static int fds[FLOOD];
    int i;

    (void)state;
    assert_serving();
    for (i = 0; i < FLOOD; i++) {
        fds[i] = open_control();
    }
    assert_serving();
    for (i = 0; i < FLOOD; i++) {
        close(fds[i]);
    }
    (void)list(0);
}

/* Killed and begun anew: who waits gets the answer and does nothing for it */

#define ROUNDS 400
#define A_MOMENT 50000          /* microseconds: a packet is on its way then */

static int sync_fd;             /* between test and worker, an octet a step */

static void step(void)
{
    if (write(sync_fd, "", 1) != 1) {
        abort();
    }
}

static void await_step(void)
{
    char c;

    if (read(sync_fd, &c, 1) != 1) {
        fail_msg("the worker has ended");
    }
}

static void worker_asks(acme_keeper_client_t *client, apr_pool_t *p)
{
    acme_msg_cert_t body = { { 0, 0, 0 } };
    acme_message_t reply;

    if (acme_keeper_client_call(&reply, client, ACME_MSG_PREPARE, &body, &res,
                                p)) {
        print_error("worker: %s\n", res.detail);
        _exit(3);
    }
    if (strlen(((const acme_msg_prepared_t *)reply.body)->thumbprint) != 43) {
        _exit(4);
    }
}

/* Says hello, tells that, waits to be told, asks so often, tells each time. */
static void be_a_worker(int times)
{
    acme_keeper_client_t *client;
    acme_stop_t *stop;
    apr_pool_t *p;

    alarm(HANGS_AFTER);
    apr_pool_create(&p, NULL);
    if (acme_stop_create(&stop, p)
        || acme_keeper_client_open(&client, &door.address, stop, &res, p)) {
        print_error("worker: %s\n", res.detail);
        _exit(2);
    }
    step();
    await_step();
    while (times-- > 0) {
        worker_asks(client, p);
        step();
    }
    apr_pool_destroy(p);
    apr_pool_destroy(pool);
    free(heard);
}

static pid_t start_worker(int times)
{
    int fds[2];
    pid_t pid;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        sync_fd = fds[1];
        be_a_worker(times);
        _exit(0);
    }
    close(fds[1]);
    sync_fd = fds[0];
    return pid;
}

static void assert_answered(pid_t worker)
{
    int status;

    assert_int_equal(waitpid(worker, &status, 0), worker);
    close(sync_fd);
    assert_int_equal(status, 0);
}

static void who_comes_before_the_keeper_waits_for_it(void **state)
{
    pid_t worker = start_worker(1);

    (void)state;
    usleep(A_MOMENT);
    start_keeper();
    await_step();
    step();
    assert_answered(worker);
}

static void who_said_hello_to_a_dead_one_is_answered(void **state)
{
    pid_t worker;

    (void)state;
    assert_serving();
    kill(keeper_pid, SIGSTOP);
    worker = start_worker(1);
    usleep(A_MOMENT);
    kill_keeper();
    usleep(A_MOMENT);
    start_keeper();
    await_step();
    step();
    assert_answered(worker);
}

static void who_asked_a_dead_one_is_answered(void **state)
{
    pid_t worker = start_worker(1);

    (void)state;
    await_step();
    kill(keeper_pid, SIGSTOP);
    step();
    usleep(A_MOMENT);
    kill_keeper();
    usleep(A_MOMENT);
    start_keeper();
    assert_answered(worker);
}

static void who_asks_when_there_is_none_is_answered(void **state)
{
    pid_t worker = start_worker(1);

    (void)state;
    await_step();
    kill_keeper();
    step();
    usleep(A_MOMENT);
    start_keeper();
    assert_answered(worker);
}

/* After what was told before; false when the worker has ended. */
static int is_answered_once_more(void)
{
    char told[ROUNDS];

    while (recv(sync_fd, told, sizeof(told), MSG_DONTWAIT) > 0) {
        continue;
    }
    return read(sync_fd, told, 1) == 1;
}

static void killed_at_any_time_nothing_is_lost(void **state)
{
    pid_t worker = start_worker(ROUNDS);
    const char *key_file = at("store/pending/a.example/key.pem");
    const char *key, *pem;
    int i;

    (void)state;
    await_step();
    begin();
    key = text_of(key_file);
    step();
    for (i = 0; is_answered_once_more(); i++) {
        usleep((useconds_t)(i * 700 % 9000));
        kill_keeper();
        start_keeper();
    }
    assert_answered(worker);
    assert_true(i > 1);

    close(channel);
    channel = open_channel();
    assert_string_equal(text_of(key_file), key);
    pem = right_chain(0);
    assert_int_equal(install(0, pem).status, 0);
    kill_keeper();
    start_keeper();
    close(channel);
    channel = open_channel();
    assert_int_equal(list(0).live, 1);
    assert_int_equal(install(0, pem).status, 0);
    assert_int_equal(list(0).live, 1);
}

/*
 * Requests that wait. The linker puts these before the keeper's own: an
 * ACCOUNT that asks to "start" a script is a DNS command, one of two that are
 * configured; "await" waits for those of its certificate, "look" for a file.
 */

#define A_LONG_MOMENT apr_time_from_sec(10)
#define MORE_THAN_ARE_ASKED 24

static acme_published_t *records; /* in the keeper's process */
static acme_dns_conf_t scripts[2];

acme_published_t *__real_acme_published_create(const acme_log_t *log,
                                               apr_pool_t *p);
acme_published_t *__wrap_acme_published_create(const acme_log_t *log,
                                               apr_pool_t *p);
apr_status_t __real_acme_handlers_answer(acme_message_t *reply,
                                         acme_handlers_t *serve,
                                         const acme_message_t *request,
                                         acme_result_t *result, apr_pool_t *p);
apr_status_t __wrap_acme_handlers_answer(acme_message_t *reply,
                                         acme_handlers_t *serve,
                                         const acme_message_t *request,
                                         acme_result_t *result, apr_pool_t *p);

acme_published_t *__wrap_acme_published_create(const acme_log_t *log,
                                               apr_pool_t *p)
{
    records = __real_acme_published_create(log, p);
    return records;
}

static apr_status_t start_script(apr_uint32_t cert, int script,
                                 acme_result_t *result)
{
    acme_publish_job_t what = { 0 };

    what.cert = cert;
    what.id = what.name = cert ? "b.example" : "a.example";
    what.token = "token";
    what.value = "0123456789012345678901234567890123456789012";
    what.dns = &scripts[script];
    return acme_published_present(records, &what, result);
}

static int is_for_us(const acme_message_t *request)
{
    const acme_msg_url_t *body = request->body;

    return request->kind == ACME_MSG_ACCOUNT
        && acme_conf_cert(conf, body->about.cert)
        && (!strncmp(body->url, "start ", 6) || !strcmp(body->url, "await")
            || !strcmp(body->url, "look"));
}

static apr_status_t serve_other(const acme_msg_url_t *body,
                                acme_result_t *result)
{
    if (!strncmp(body->url, "start ", 6)) {
        return start_script(body->about.cert, atoi(body->url + 6), result);
    }
    if (!strcmp(body->url, "await")) {
        return acme_published_running(records, body->about.cert)
                   ? acme_fail(result, APR_EAGAIN, "it runs")
                   : acme_published_result(records, body->about.cert,
                                           result);
    }
    return access(at("look"), F_OK) ? APR_EAGAIN : APR_SUCCESS;
}

apr_status_t __wrap_acme_handlers_answer(acme_message_t *reply,
                                         acme_handlers_t *serve,
                                         const acme_message_t *request,
                                         acme_result_t *result, apr_pool_t *p)
{
    static const acme_msg_none_t none;

    if (!is_for_us(request)) {
        return __real_acme_handlers_answer(reply, serve, request, result, p);
    }
    memset(reply, 0, sizeof(*reply));
    reply->kind = request->kind;
    reply->body = &none;
    return serve_other(request->body, result);
}

/* Ask, and do not wait for the answer. */
static void ask(int fd, apr_uint32_t cert, const char *what)
{
    acme_message_t request = { .kind = ACME_MSG_ACCOUNT };
    acme_msg_url_t body;

    memset(&body, 0, sizeof(body));
    body.about.cert = cert;
    apr_cpystrn(body.url, what, sizeof(body.url));
    request.body = &body;
    assert_int_equal(acme_message_send_request(fd, &request, &res), 0);
}

static apr_status_t answered(int fd)
{
    acme_message_t reply;

    assert_int_equal(hear(&reply, fd), 0);
    assert_int_equal(reply.kind, ACME_MSG_ACCOUNT);
    return reply.status;
}

static void ask_to_start(int fd, apr_uint32_t cert, int script,
                         const char *text)
{
    put(at("script%d", script), text);
    ask(fd, cert, apr_psprintf(pool, "start %d", script));
}

static int start_and_await(apr_uint32_t cert, const char *script)
{
    int fd = open_channel();

    ask_to_start(fd, cert, (int)cert, script);
    assert_int_equal(answered(fd), 0);
    ask(fd, cert, "await");
    return fd;
}

static void assert_no_answer_yet(int fd)
{
    char c;

    assert_serving();
    assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK), -1);
    assert_int_equal(errno, EAGAIN);
}

/* A script that runs until the test lets it go on. */
static const char *until(const char *name, const char *then)
{
    return apr_psprintf(pool, "while [ ! -e %s ]; do sleep 0.02;"
                        " done; %s", at("%s", name), then);
}

static int scripts_setup(void **state)
{
    int i, rc = running_setup(state);

    for (i = 0; i < (int)COUNT(scripts); i++) {
        scripts[i].timeout = apr_time_from_sec(60);
        scripts[i].present = words(apr_pstrcat(pool, "/bin/sh ",
                                               at("script%d", i), NULL));
        cert_of(conf, i)->dns = &scripts[i];
    }
    start_keeper();
    return rc;
}

#define SCRIPTS_TEST(test) \
    cmocka_unit_test_setup_teardown(test, scripts_setup, running_teardown)

static void a_request_waits_until_its_job_has_ended(void **state)
{
    apr_time_t begun;
    int fd, other;

    (void)state;
    fd = start_and_await(0, until("go", "echo word; exit 3"));
    other = start_and_await(1, until("other", "exit 0"));
    assert_no_answer_yet(fd);
    begin();                            /* others are served meanwhile */
    assert_no_answer_yet(fd);
    put(at("go"), "");
    begun = apr_time_now();
    assert_int_equal(answered(fd), APR_EGENERAL);
    assert_true(apr_time_now() - begun < A_LONG_MOMENT);
    assert_non_null(strstr(res.detail, "/bin/sh: exit status 3: word"));
    assert_no_answer_yet(other);
    put(at("other"), "");
    assert_int_equal(answered(other), 0);
    ask(fd, 1, "await");
    assert_int_equal(answered(fd), 0);
    close(fd);
    close(other);
}

/* What comes behind it is heard after it, in its order. */
static void nothing_else_is_heard_on_a_channel_that_waits(void **state)
{
    int fd;

    (void)state;
    fd = start_and_await(0, until("go", "exit 3"));
    ask_to_start(fd, 0, 1, apr_psprintf(pool, "echo >%s", at("second")));
    ask(fd, 0, "await");
    assert_no_answer_yet(fd);
    assert_int_equal(mode_of(at("second")), -1);
    put(at("go"), "");
    assert_int_equal(answered(fd), APR_EGENERAL);
    assert_int_equal(answered(fd), 0);
    assert_int_equal(answered(fd), 0);
    assert_true(mode_of(at("second")) >= 0);
    close(fd);
}

static void ask_to_install(int fd, const char *pem)
{
    acme_message_t request = { .kind = ACME_MSG_INSTALL };
    acme_msg_url_t body;

    memset(&body, 0, sizeof(body));
    request.body = &body;
    request.tail = pem;
    request.tail_len = strlen(pem);
    assert_int_equal(acme_message_send_request(fd, &request, &res), 0);
}

/* One that asked leaves, others take their turns, and all is well again. */
static void others_are_served_while_a_chain_is_read(void **state)
{
    int fds[MORE_THAN_ARE_ASKED], i;
    acme_message_t reply;
    const char *pem;
    pid_t pid;

    (void)state;
    begin();
    assert_int_equal(tell_url(ACME_MSG_ORDER, 0, ORDER_URL), 0);
    pem = right_chain(0);
    pid = reader_of(keeper_pid);
    kill(pid, SIGSTOP);
    for (i = 0; i < MORE_THAN_ARE_ASKED; i++) {
        fds[i] = open_channel();
        ask_to_install(fds[i], apr_psprintf(pool, "%d\n%s", i,
                                            i % 2 ? "" : pem));
    }
    for (i = 0; i < MORE_THAN_ARE_ASKED; i++) {
        assert_no_answer_yet(fds[i]);
    }
    close(fds[0]);
    close(fds[5]);
    kill(pid, SIGCONT);
    for (i = 1; i < MORE_THAN_ARE_ASKED; i++) {
        if (i != 5) {
            assert_int_equal(hear(&reply, fds[i]), 0);
            assert_int_equal(reply.status, i % 2 ? APR_EINVAL : 0);
            close(fds[i]);
        }
    }
    assert_int_equal(list(0).live, 1);
}

#define CHEAP_ONES 200

/* With it there is still room for others. */
#define LONG_PEM 28000

/* What the keeper's processor needed for them, in nanoseconds. */
static apr_int64_t cost_of_cheap_ones(void)
{
    struct timespec before, after;
    clockid_t clock;
    int i;

    assert_int_equal(clock_getcpuclockid(keeper_pid, &clock), 0);
    clock_gettime(clock, &before);
    for (i = 0; i < CHEAP_ONES; i++) {
        (void)list(0);
    }
    clock_gettime(clock, &after);
    return (after.tv_sec - before.tv_sec) * APR_INT64_C(1000000000)
        + after.tv_nsec - before.tv_nsec;
}

/* Two bring the same: the second is not looked at whenever anybody asks. */
static void who_waits_for_another_s_answer_costs_nothing(void **state)
{
    const char *pem, *right;
    acme_message_t reply;
    apr_int64_t alone;
    int fds[2], i;
    pid_t pid;

    (void)state;
    begin();
    assert_int_equal(tell_url(ACME_MSG_ORDER, 0, ORDER_URL), 0);
    pem = right = right_chain(0);
    while (strlen(pem) < LONG_PEM) {
        pem = apr_pstrcat(pool, pem, right, NULL);
    }
    alone = cost_of_cheap_ones();
    pid = reader_of(keeper_pid);
    kill(pid, SIGSTOP);
    for (i = 0; i < 2; i++) {
        fds[i] = open_channel();
        ask_to_install(fds[i], pem);
        assert_no_answer_yet(fds[i]);
    }
    assert_true(cost_of_cheap_ones() < 3 * alone);
    kill(pid, SIGCONT);
    for (i = 0; i < 2; i++) {
        assert_int_equal(hear(&reply, fds[i]), 0);
        assert_int_equal(reply.status, APR_EINVAL);
        close(fds[i]);
    }
}

static void what_no_job_ends_is_looked_at_in_time(void **state)
{
    int fd = -1;

    (void)state;
    fd = open_channel();
    ask(fd, 0, "look");
    assert_no_answer_yet(fd);
    put(at("look"), "");
    assert_int_equal(answered(fd), 0);
    close(fd);
}

/* Else a client would take it for a keeper that hangs. */
static void who_waits_long_is_told_to_ask_again(void **state)
{
    int fd;

    keeper_parked_max = apr_time_from_msec(200);
    scripts_setup(state);
    keeper_parked_max = 0;
    fd = start_and_await(0, until("go", "exit 3"));
    assert_int_equal(answered(fd), APR_EAGAIN);
    put(at("go"), "");
    do {
        ask(fd, 0, "await");
    } while (answered(fd) == APR_EAGAIN);
    ask(fd, 0, "await");
    assert_int_equal(answered(fd), APR_EGENERAL);
    close(fd);
}

static void who_leaves_while_he_waits_is_forgotten(void **state)
{
    int i, fd;

    (void)state;
    for (i = 0; i < FLOOD; i++) {
        fd = open_channel();
        ask(fd, 0, "look");
        close(fd);
    }
    fd = open_channel();
    ask(fd, 0, "look");
    assert_no_answer_yet(fd);
    put(at("look"), "");
    assert_int_equal(answered(fd), 0);
    close(fd);
    assert_int_equal(times_logged("started"), 1);
}

/* The crowd takes the places of who is idle, not of who waits. */
static void who_waits_keeps_his_place(void **state)
{
    int fd, i, fds[200];

    (void)state;
    fd = open_channel();
    ask(fd, 0, "look");
    for (i = 0; i < (int)COUNT(fds); i++) {
        fds[i] = open_channel();
    }
    put(at("look"), "");
    assert_int_equal(answered(fd), 0);
    for (i = 0; i < (int)COUNT(fds); i++) {
        close(fds[i]);
    }
    close(fd);
}

/* All places taken by some that wait for ever: others still get in. */
static void nobody_can_wait_the_others_out(void **state)
{
    int i, fds[FLOOD];

    (void)state;
    for (i = 0; i < FLOOD; i++) {
        fds[i] = open_channel();
        ask(fds[i], 0, "look");
    }
    assert_serving();
    begin();
    for (i = 0; i < FLOOD; i++) {
        close(fds[i]);
    }
}

static void a_keeper_that_ends_takes_its_jobs_along(void **state)
{
    const char *file = at("pid");
    int fd, i;
    pid_t pid;

    (void)state;
    fd = start_and_await(0, apr_psprintf(pool, "echo $$ >%s;"
                                         " exec sleep 100", file));
    for (i = 0; i < 500 && (!text_of(file) || !*text_of(file)); i++) {
        usleep(A_MOMENT);
    }
    pid = (pid_t)atoi(text_of(file));
    assert_true(pid > 1);
    kill(keeper_pid, SIGTERM);
    assert_int_equal(wait_for_keeper(), 0);
    assert_int_equal(kill(pid, 0), -1);
    close(fd);
}

/* The client knows when there is nobody to wait for */

static void a_client_leaves_when_it_is_told(void **state)
{
    acme_keeper_client_t *client;
    acme_stop_t *stop;

    (void)state;
    assert_int_equal(acme_stop_create(&stop, pool), 0);
    acme_stop_now(stop);
    assert_int_equal(
        acme_keeper_client_open(&client, &door.address, stop, &res, pool),
        APR_EINTR);
    assert_null(client);
}

static void a_client_leaves_with_its_generation(void **state)
{
    acme_keeper_client_t *client;
    acme_stop_t *stop;

    (void)state;
    assert_int_equal(acme_stop_create(&stop, pool), 0);
    door_close(&door);
    assert_int_equal(
        acme_keeper_client_open(&client, &door.address, stop, &res, pool),
        APR_EOF);
    assert_null(client);
}

static void a_refusal_is_the_keeper_s_own_sentence(void **state)
{
    acme_msg_cert_t body = { { 7, 0, 0 } };
    acme_keeper_client_t *client;
    acme_message_t reply;
    acme_stop_t *stop;

    (void)state;
    assert_int_equal(acme_stop_create(&stop, pool), 0);
    assert_int_equal(
        acme_keeper_client_open(&client, &door.address, stop, &res, pool), 0);
    assert_int_equal(acme_keeper_client_welcome(client)->certs, 2);
    assert_int_equal(acme_keeper_client_welcome(client)->pid, keeper_pid);
    assert_int_equal(acme_keeper_client_call(&reply, client, ACME_MSG_PREPARE,
                                             &body, &res, pool),
                     APR_ENOENT);
    assert_string_equal(res.detail, "keeper: certificate 7 is not configured");
    assert_int_equal(acme_keeper_client_call(NULL, client, ACME_MSG_PREPARE,
                                             &body, &res, pool),
                     APR_ENOENT);
}

/* When it ends, and when it does not begin */

static void it_ends_with_its_generation(void **state)
{
    (void)state;
    assert_serving();
    shutdown(door.listener, SHUT_RDWR);
    assert_int_equal(wait_for_keeper(), 0);
}

/* What one worker does with its channel is nobody else's, nor the next
   keeper's. */
static void a_shutdown_ends_that_channel_only(void **state)
{
    int how;

    (void)state;
    for (how = SHUT_RD; how <= SHUT_RDWR; how++) {
        int fd = open_channel();

        shutdown(fd, how);
        assert_serving();
        close(fd);
    }
    kill_keeper();
    start_keeper();
    assert_serving();
}

static void it_ends_with_its_parent(void **state)
{
    pid_t parent;
    int fd;

    (void)state;
    fflush(NULL);
    parent = fork();
    if (parent == 0) {
        start_keeper();
        pause();
        _exit(1);
    }
    while (access(at("store/run/acme.sock"), F_OK)) {
        usleep(A_MOMENT);
    }
    fd = open_control();
    kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_closed(fd, "of an orphan");
    close(fd);
}

static void a_second_one_waits_for_the_store(void **state)
{
    pid_t first = keeper_pid;
    acme_message_t welcome;
    const door_t first_door = door;
    int fd, i;

    (void)state;
    assert_serving();
    door_open(&door);
    start_keeper();
    fd = knock();
    for (i = 0; i < 200 && !strstr(logged(), "no certificate is renewed"); i++) {
        usleep(A_MOMENT);
    }
    assert_logged("no certificate is renewed until");
    assert_logged(apr_psprintf(pool, "%d", (int)first));
    assert_int_equal(times_logged("started"), 1);

    kill(first, SIGTERM);
    assert_int_equal(waitpid(first, NULL, 0), first);
    assert_int_equal(hear(&welcome, fd), 0);
    assert_int_equal(times_logged("started"), 2);
    close(fd);
    unlink(first_door.path);
    close(first_door.listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_TEST(spoilt_packets_bring_no_channel),
        RUNNING_TEST(a_wrong_token_brings_no_channel),
        RUNNING_TEST(only_hello_brings_a_channel),
        RUNNING_TEST(a_stranger_is_refused),
        RUNNING_TEST(spoilt_packets_close_the_channel),
        RUNNING_TEST(descriptors_are_refused),
        RUNNING_TEST(acmectl_s_messages_are_not_a_worker_s),
        RUNNING_TEST(a_worker_s_messages_are_not_acmectl_s),
        RUNNING_TEST(acmectl_lists_and_renews),
        RUNNING_TEST(nobody_can_want_what_there_is_not),
        RUNNING_TEST(acmectl_is_told_of_accounts),
        RUNNING_TEST(nothing_beyond_the_last),
        RUNNING_TEST(three_hundred_connections),
        RUNNING_TEST(one_that_never_reads_stops_nobody),
        RUNNING_TEST(one_that_leaves_in_the_middle_is_forgotten),
        RUNNING_TEST(acmectl_in_crowds_stops_nobody),
        STARTING_TEST(who_comes_before_the_keeper_waits_for_it),
        RUNNING_TEST(who_said_hello_to_a_dead_one_is_answered),
        RUNNING_TEST(who_asked_a_dead_one_is_answered),
        RUNNING_TEST(who_asks_when_there_is_none_is_answered),
        RUNNING_TEST(killed_at_any_time_nothing_is_lost),
        SCRIPTS_TEST(a_request_waits_until_its_job_has_ended),
        cmocka_unit_test_teardown(who_waits_long_is_told_to_ask_again,
                                  running_teardown),
        SCRIPTS_TEST(nothing_else_is_heard_on_a_channel_that_waits),
        RUNNING_TEST(others_are_served_while_a_chain_is_read),
        RUNNING_TEST(who_waits_for_another_s_answer_costs_nothing),
        RUNNING_TEST(what_no_job_ends_is_looked_at_in_time),
        RUNNING_TEST(who_leaves_while_he_waits_is_forgotten),
        RUNNING_TEST(who_waits_keeps_his_place),
        RUNNING_TEST(nobody_can_wait_the_others_out),
        SCRIPTS_TEST(a_keeper_that_ends_takes_its_jobs_along),
        STARTING_TEST(a_client_leaves_when_it_is_told),
        STARTING_TEST(a_client_leaves_with_its_generation),
        RUNNING_TEST(a_refusal_is_the_keeper_s_own_sentence),
        RUNNING_TEST(it_ends_with_its_generation),
        RUNNING_TEST(a_shutdown_ends_that_channel_only),
        STARTING_TEST(it_ends_with_its_parent),
        RUNNING_TEST(a_second_one_waits_for_the_store)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
