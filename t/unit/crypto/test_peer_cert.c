/*
 * test_peer_cert.c - what a TLS server shows, and servers that show nothing.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "acme_peer_cert.h"
#include "fake_https.h"
#include "pool.h"

static acme_stop_t *stop;

/* A server that is none: a thread that says something to one visitor. */
typedef struct {
    int fd, port;
    const char *says;           /* NULL: nothing, and it does not close */
    size_t len;
    pthread_t thread;
} liar_t;

static void *lie(void *data)
{
    liar_t *liar = data;
    const int fd = accept(liar->fd, NULL, NULL);
    char rest[4096];

    if (fd >= 0 && liar->says) {
        (void)!read(fd, rest, sizeof(rest));
        (void)!write(fd, liar->says, liar->len);
        shutdown(fd, SHUT_WR);
    }
    while (fd >= 0 && read(fd, rest, sizeof(rest)) > 0) {
        continue;
    }
    close(fd);
    return NULL;
}

static void start_liar(liar_t *liar, const char *says, size_t len)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    liar->says = says;
    liar->len = len;
    liar->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(liar->fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(liar->fd, 4), 0);
    getsockname(liar->fd, (struct sockaddr *)&address, &size);
    liar->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&liar->thread, NULL, lie, liar), 0);
}

static void stop_liar(liar_t *liar)
{
    pthread_join(liar->thread, NULL);
    close(liar->fd);
}

static acme_peer_t peer_at(int port)
{
    const acme_peer_t peer = { .address = "127.0.0.1", .port = port,
                               .name = "a.test",
                               .timeout = apr_time_from_sec(20),
                               .stop = stop };

    return peer;
}

static acme_peer_t peer_of(const fake_t *fake)
{
    return peer_at(atoi(strrchr(fake_address(fake), ':') + 1));
}

static void each_server_shows_its_own(void **state)
{
    static const int versions[] = { 0, TLS1_2_VERSION };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(versions); i++) {
        fake_t *fake = fake_start(versions[i]);
        fake_t *other = fake_start(0);
        acme_peer_t peer = peer_of(fake);
        acme_peer_cert_t seen, expected, wrong;
        acme_chain_t *chain;

        assert_int_equal(acme_chain_load(&chain, fake_ca_file(fake), &res,
                                         pool), 0);
        assert_true(acme_peer_cert_of_chain(&expected, chain, pool));
        assert_int_equal(acme_chain_load(&chain, fake_ca_file(other), &res,
                                         pool), 0);
        assert_true(acme_peer_cert_of_chain(&wrong, chain, pool));

        assert_int_equal(acme_peer_cert_fetch(&seen, &peer, &res, pool), 0);
        assert_true(acme_peer_cert_is_same(&seen, &expected));
        assert_false(acme_peer_cert_is_same(&seen, &wrong));
        assert_string_equal(seen.serial, expected.serial);
        assert_string_equal(seen.issuer, expected.issuer);
        assert_false(seen.is_placeholder);

        /* The server has an EC key. */
        peer.key = ACME_PEER_EC_KEY;
        peer.name = NULL;
        assert_int_equal(acme_peer_cert_fetch(&seen, &peer, &res, pool), 0);
        assert_true(acme_peer_cert_is_same(&seen, &expected));
        peer.key = ACME_PEER_RSA_KEY;
        assert_int_equal(acme_peer_cert_fetch(&seen, &peer, &res, pool),
                         APR_EGENERAL);
        assert_non_null(strstr(res.detail, "the TLS handshake failed: "));
        fake_stop(other);
        fake_stop(fake);
    }
}

static void what_is_no_tls_server(void **state)
{
    static const struct {
        const char *name, *says;
        size_t len;
        const char *detail;
    } rows[] = {
        { "closes at once", "", 0, "the TLS handshake failed: " },
        { "speaks http", "HTTP/1.1 400 Bad Request\r\n\r\n", 28,
          "the TLS handshake failed: " },
        { "alert", "\x15\x03\x03\x00\x02\x02\x28", 7,
          "the TLS handshake failed: " },
        { "a record of nothing", "\x16\x03\x03\x00\x00", 5,
          "the TLS handshake failed: " },
        { "a huge message", "\x16\x03\x03\x00\x04\x02\xff\xff\xff", 9,
          "the TLS handshake failed: " }
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        acme_peer_cert_t seen;
        acme_peer_t peer;
        liar_t liar;

        start_liar(&liar, rows[i].says, rows[i].len);
        peer = peer_at(liar.port);
        if (acme_peer_cert_fetch(&seen, &peer, &res, pool) != APR_EGENERAL
            || !strstr(res.detail, rows[i].detail)) {
            fail_msg("%s: %s", rows[i].name, res.detail);
        }
        stop_liar(&liar);
    }
}

static void the_time_is_bounded(void **state)
{
    acme_peer_cert_t seen;
    acme_peer_t peer;
    liar_t liar;

    (void)state;
    start_liar(&liar, NULL, 0);
    peer = peer_at(liar.port);
    peer.timeout = apr_time_from_msec(50);
    assert_int_equal(acme_peer_cert_fetch(&seen, &peer, &res, pool),
                     APR_TIMEUP);
    stop_liar(&liar);
}

static void *stop_soon(void *data)
{
    (void)data;
    usleep(20000);
    acme_stop_now(stop);
    return NULL;
}

static void a_stop_ends_it_at_once(void **state)
{
    acme_peer_cert_t seen;
    acme_peer_t peer;
    pthread_t thread;
    liar_t liar;

    (void)state;
    start_liar(&liar, NULL, 0);
    peer = peer_at(liar.port);
    peer.timeout = apr_time_from_sec(3600);
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
    assert_int_equal(acme_peer_cert_fetch(&seen, &peer, &res, pool),
                     APR_EINTR);
    assert_int_equal(acme_peer_cert_fetch(&seen, &peer, &res, pool),
                     APR_EINTR);
    shutdown(liar.fd, SHUT_RDWR);       /* the second one did not come */
    stop_liar(&liar);
    pthread_join(thread, NULL);
}

static void nobody_is_there(void **state)
{
    acme_peer_cert_t seen;
    acme_peer_t peer;
    liar_t liar;

    (void)state;
    start_liar(&liar, NULL, 0);
    peer = peer_at(liar.port);
    shutdown(liar.fd, SHUT_RDWR);
    stop_liar(&liar);
    assert_int_equal(acme_peer_cert_fetch(&seen, &peer, &res, pool),
                     ECONNREFUSED);
    assert_string_equal(res.detail, "Connection refused");
    peer.address = "localhost";
    assert_int_equal(acme_peer_cert_fetch(&seen, &peer, &res, pool),
                     APR_EINVAL);
}

static int setup(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    alarm(300);
    return pool_setup(state) || acme_stop_create(&stop, pool);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(each_server_shows_its_own),
        TEST(what_is_no_tls_server),
        TEST(the_time_is_bounded),
        TEST(a_stop_ends_it_at_once),
        TEST(nobody_is_there)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
