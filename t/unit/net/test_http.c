/*
 * test_http.c - what the network may do to us, and how we leave.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "acme_http.h"
#include "fake_https.h"
#include "fake_plain.h"
#include "pool.h"
#include "threads.h"

#define LEAVE_AFTER apr_time_from_msec(100)
#define LEAVE_WITHIN apr_time_from_msec(200)

static fake_t *fake;
static acme_http_conf_t conf;
static acme_http_t *http;
static acme_http_reply_t *reply;

static void open_http(void)
{
    if (acme_http_create(&http, &conf, &res, pool)) {
        fail_msg("%s", res.detail);
    }
}

static int setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    fake = fake_start(0);
    memset(&conf, 0, sizeof(conf));
    conf.user_agent = "mod_acme/test";
    conf.ca_file = fake_ca_file(fake);
    assert_int_equal(acme_stop_create(&conf.stop, pool), 0);
    open_http();
    return 0;
}

static int teardown(void **state)
{
    pool_teardown(state);
    fake_stop(fake);
    return 0;
}

static const char *at(const char *path)
{
    return apr_pstrcat(pool, fake_address(fake), path, NULL);
}

static apr_status_t send_to(acme_http_e method, const char *url)
{
    acme_http_request_t request = { .method = method, .url = url,
                                    .content_type = "application/jose+json",
                                    .body = "{\"a\":1}" };

    return acme_http_send(&reply, http, &request, &res, pool);
}

static apr_status_t get(const char *path)
{
    return send_to(ACME_HTTP_GET, at(path));
}

static void a_request_says_what_it_must(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "GET /a", .head = "200 OK", .body = "got" },
        { .request = "HEAD /a", .head = "204 No Content" },
        { .request = "POST /a/../b", .head = "201 Created", .body = "{}" },
        { 0 }
    };

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(get("/a"), 0);
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->body, "got");
    assert_int_equal(reply->body_len, 3);
    assert_null(strstr(fake_last_head(fake), "Accept-Encoding"));
    assert_null(strstr(fake_last_head(fake), "Content-Type"));
    assert_non_null(strstr(fake_last_head(fake),
                           "User-Agent: mod_acme/test\r\n"));
    assert_int_equal(send_to(ACME_HTTP_HEAD, at("/a")), 0);
    assert_int_equal(reply->status, 204);
    assert_string_equal(reply->body, "");
    assert_int_equal(send_to(ACME_HTTP_POST, at("/a/../b")), 0);
    assert_int_equal(reply->status, 201);
    assert_non_null(strstr(fake_last_head(fake),
                           "Content-Type: application/jose+json\r\n"));
    assert_null(strstr(fake_last_head(fake), "Expect"));
    assert_string_equal(fake_log(fake), "GET /a\nHEAD /a\n"
                                        "POST /a/../b {\"a\":1}\n");
    assert_int_equal(fake_connections(fake), 1);
}

static void headers_are_taken_when_they_are_clean(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "GET /clean", .head = "200 OK\r\n"
          "content-TYPE:  Application/Problem+JSON ; charset=utf-8\r\n"
          "Location:\t~/x \r\nreplay-nonce: n-1\r\nRetry-After: 30\r\n"
          "Link: <~/a>;rel=\"alternate\"\r\nLink: <~/b>;rel=\"up\"" },
        { .request = "GET /dirty", .head = "200 OK\r\n"
          "Content-Type: text/\x01html\r\nLocation: ~/\x1b[2J\r\n"
          "Replay-Nonce: caf\xc3\xa9\r\nRetry-After: soon\r\n"
          "Link: <~/a\x7f>\r\nLinks: none" },
        { .request = "GET /twice", .head = "200 OK\r\n"
          "Replay-Nonce: one\r\nReplay-Nonce: t\two" },
        { .request = "GET /early", .head = "103 Early Hints\r\n"
          "Replay-Nonce: early\r\nLink: <~/a>\r\n\r\nHTTP/1.1 200 OK" },
        { .request = "GET /none", .head = "404 Not Found" },
        { 0 }
    };
    static const char *const without[] = { "/dirty", "/twice", "/early",
                                           "/none" };
    apr_time_t now = apr_time_now();
    size_t i;

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(get("/clean"), 0);
    assert_string_equal(reply->content_type, "application/problem+json");
    assert_string_equal(reply->location, at("/x"));
    assert_string_equal(reply->replay_nonce, "n-1");
    assert_in_range(reply->retry_after, now + apr_time_from_sec(29),
                    now + apr_time_from_sec(32));
    assert_int_equal(reply->links->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(reply->links, 1, const char *),
                        apr_psprintf(pool, "<%s>;rel=\"up\"", at("/b")));
    for (i = 0; i < sizeof(without) / sizeof(*without); i++) {
        print_message("%s\n", without[i]);
        assert_int_equal(get(without[i]), 0);
        assert_null(reply->content_type);
        assert_null(reply->location);
        assert_null(reply->replay_nonce);
        assert_true(reply->retry_after == 0);
        assert_int_equal(reply->links->nelts, 0);
    }
    assert_int_equal(reply->status, 404);
}

/* count copies of line. */
static const char *many(const char *line, int count)
{
    char *text = apr_pcalloc(pool, strlen(line) * count + 1), *to = text;

    while (count--) {
        to = apr_cpystrn(to, line, strlen(line) + 1);
    }
    return text;
}

static void a_reply_is_bounded(void **state)
{
    const char *mega = many("0123456789abcdef", ACME_HTTP_BODY_MAX / 16);
    const char *more = apr_pstrcat(pool, mega, "x", NULL);
    fake_row_t rows[] = {
        { .request = "GET /full", .head = "200 OK", .body = mega },
        { .request = "GET /declared", .head = "200 OK", .body = more },
        { .request = "GET /undeclared", .head = "200 OK", .body = more,
          .how = FAKE_RAW },
        { .request = "GET /endless", .head = "200 OK", .body = "for ever ",
          .how = FAKE_ENDLESS },
        { .request = "GET /lines", .head = apr_pstrcat(
          pool, "200 OK\r\n", many("A: b\r\n", 300), "C: d", NULL) },
        { .request = "GET /long", .head = apr_pstrcat(
          pool, "200 OK\r\nA: ", many("0123456789abcdef", 5000), NULL) },
        { .request = "GET /hints", .head = apr_pstrcat(
          pool, "103 Hints\r\n\r\n", many("HTTP/1.1 103 Hints\r\n\r\n", 300),
          "HTTP/1.1 200 OK", NULL) },
        { .request = "GET /links", .head = apr_pstrcat(
          pool, "200 OK\r\n", many("Link: <a>\r\n", 60), "A: b", NULL) },
        { 0 }
    };
    static const struct {
        const char *path, *says;
    } refused[] = {
        { "/declared", "more than 65536 octets" },
        { "/undeclared", "more than 65536 octets" },
        { "/endless", "more than 65536 octets" },
        { "/lines", "more headers" },
        { "/long", "header" },
        { "/hints", "more headers" }
    };
    size_t i;

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(get("/full"), 0);
    assert_int_equal(reply->body_len, ACME_HTTP_BODY_MAX);
    assert_string_equal(reply->body, mega);
    for (i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        print_message("%s\n", refused[i].path);
        assert_int_equal(get(refused[i].path), APR_EGENERAL);
        assert_null(reply);
        assert_int_equal(res.retry, ACME_RETRY_SOON);
        assert_ptr_equal(strstr(res.detail, at(refused[i].path)), res.detail);
        if (!strstr(res.detail, refused[i].says)) {
            fail_msg("%s", res.detail);
        }
    }
    assert_int_equal(get("/links"), 0);
    assert_int_equal(reply->links->nelts, 32);
}

static void other_addresses_are_refused_before_a_packet_leaves(void **state)
{
    static const char *const urls[] = {
        "http://127.0.0.1/", "file:///etc/passwd", "ftp://127.0.0.1/",
        "", "https://", "https://a b/", "https://me@127.0.0.1/",
        "https://127.0.0.1/\r\nX: y", "-o/etc/x"
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        if (send_to(ACME_HTTP_GET, urls[i]) == APR_SUCCESS || reply) {
            fail_msg("%s", urls[i]);
        }
    }
    assert_int_equal(fake_connections(fake), 0);
}

/* What is signed itself goes without TLS, octet for octet, both ways. */
static void plain_http_is_a_matter_of_purpose(void **state)
{
    static const plain_row_t rows[] = {
        { "POST /ocsp", "200 OK\r\nContent-Type: application/ocsp-response",
          "\0\1\xff\0", 4 },
        { "GET /", "302 Found\r\nLocation: https://127.0.0.1/", "", 0 },
        { 0 }
    };
    static plain_t plain;
    acme_http_request_t request = {
        .method = ACME_HTTP_POST,
        .content_type = "application/ocsp-request",
        .body = "\x30\0\xff\0", .body_len = 4, .plain = 1
    };

    (void)state;
    plain_listen(&plain);
    plain_start(&plain, rows);
    request.url = apr_pstrcat(pool, plain.address, "/ocsp", NULL);
    assert_int_equal(acme_http_send(&reply, http, &request, &res, pool), 0);
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->content_type, "application/ocsp-response");
    assert_int_equal(reply->body_len, 4);
    assert_memory_equal(reply->body, "\0\1\xff\0", 4);

    request.plain = 0;
    assert_int_equal(acme_http_send(&reply, http, &request, &res, pool),
                     APR_EINVAL);
    assert_null(reply);

    request.plain = 1;
    request.method = ACME_HTTP_GET;
    request.url = apr_pstrcat(pool, plain.address, "/", NULL);
    assert_int_equal(acme_http_send(&reply, http, &request, &res, pool), 0);
    assert_int_equal(reply->status, 302);
    request.url = "file:///etc/passwd";
    assert_int_equal(acme_http_send(&reply, http, &request, &res, pool),
                     APR_EINVAL);

    /* https goes as well, and is no less checked for that. */
    fake_serve(fake, (const fake_row_t[]){
        { .request = "GET /", .head = "200 OK", .body = "got" }, { 0 } });
    request.url = at("/");
    assert_int_equal(acme_http_send(&reply, http, &request, &res, pool), 0);
    conf.ca_file = NULL;
    open_http();
    assert_int_not_equal(acme_http_send(&reply, http, &request, &res, pool),
                         0);

    plain_stop(&plain);
    assert_string_equal(plain.log, "POST /ocsp\nGET /\n");
}

/* A row tells where the redirects lead, and what came of it. */
static void redirects_are_followed_within_https(void **state)
{
#define AT(request_, head_) { .request = request_, .head = head_ }
    static const struct {
        const char *name;
        fake_row_t rows[6];
        acme_http_e method;
        int status;
        const char *asked;
    } tries[] = {
        { "moved", { AT("GET /", "301 Moved\r\nLocation: ~/new"),
                     AT("GET /new", "200 OK") },
          ACME_HTTP_GET, 200, "GET /\nGET /new\n" },
        { "a path", { AT("GET /", "307 There\r\nLocation: /new?a=https://b/"),
                      AT("GET /new?a=https://b/", "200 OK") },
          ACME_HTTP_GET, 200, "GET /\nGET /new?a=https://b/\n" },
        { "HEAD", { AT("HEAD /", "308 There\r\nLocation: ~/new"),
                    AT("HEAD /new", "200 OK") },
          ACME_HTTP_HEAD, 200, "HEAD /\nHEAD /new\n" },
        { "four", { AT("GET /", "302 Found\r\nLocation: ~/1"),
                    AT("GET /1", "302 Found\r\nLocation: ~/2"),
                    AT("GET /2", "302 Found\r\nLocation: ~/3"),
                    AT("GET /3", "302 Found\r\nLocation: ~/4") },
          ACME_HTTP_GET, 302, "GET /\nGET /1\nGET /2\nGET /3\n" },
        { "a circle", { AT("GET /", "302 Found\r\nLocation: ~/") },
          ACME_HTTP_GET, 302, "GET /\n" },
        { "what is signed for a URL",
          { AT("POST /", "307 There\r\nLocation: ~/new") },
          ACME_HTTP_POST, 307, "POST /\n" },
        { "http", { AT("GET /", "301 Moved\r\nLocation: http://127.0.0.1/") },
          ACME_HTTP_GET, 301, "GET /\n" },
        { "a file", { AT("GET /", "301 Moved\r\nLocation: file:///etc/passwd") },
          ACME_HTTP_GET, 301, "GET /\n" },
        { "another host without a scheme",
          { AT("GET /", "301 Moved\r\nLocation: //127.0.0.1/") },
          ACME_HTTP_GET, 301, "GET /\n" },
        { "no redirect", { AT("GET /", "304 Same\r\nLocation: ~/new") },
          ACME_HTTP_GET, 304, "GET /\n" },
        { "nowhere", { AT("GET /", "302 Found") },
          ACME_HTTP_GET, 302, "GET /\n" }
    };
#undef AT
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
        const char *log;

        fake_serve(fake, tries[i].rows);
        assert_int_equal(send_to(tries[i].method, at("/")), 0);
        log = fake_log(fake);
        if (tries[i].method == ACME_HTTP_POST) {
            log = "POST /\n";   /* its body is in the log */
        }
        if (reply->status != tries[i].status
            || strcmp(log, tries[i].asked) != 0) {
            fail_msg("%s: %d, %s", tries[i].name, reply->status, log);
        }
    }
}

/* What it answers without computing must not keep a thread that long. */
static void a_ca_may_compute_in_silence(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "POST /", .how = FAKE_LATE, .head = "200 OK" },
        { .request = "GET /", .how = FAKE_LATE, .head = "200 OK" },
        { 0 }
    };

    (void)state;
    conf.stall = 1;
    open_http();
    fake_serve(fake, rows);
    assert_int_equal(send_to(ACME_HTTP_POST, at("/")), 0);
    assert_int_equal(reply->status, 200);
    assert_int_equal(get("/"), APR_TIMEUP);

    conf.total = 1;
    open_http();
    assert_int_equal(send_to(ACME_HTTP_POST, at("/")), APR_TIMEUP);
    assert_int_equal(res.reason, ACME_REASON_CA_UNREACHABLE);
}

/* libcurl blames the file of roots. */
static void a_process_without_descriptors_is_told(void **state)
{
    struct rlimit old, none;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &old);
    none = old;
    fake_serve(fake, (const fake_row_t[]){
        { .request = "GET /", .head = "200 OK\r\nConnection: close",
          .body = "got" }, { 0 } });
    none.rlim_cur = (rlim_t)dup(0) + 1;         /* a socket, and no more */
    close((int)none.rlim_cur - 1);
    setrlimit(RLIMIT_NOFILE, &none);
    assert_int_not_equal(get("/"), 0);
    setrlimit(RLIMIT_NOFILE, &old);
    if (strstr(res.detail, "AcmeCACertificateFile")) {
        fail_msg("%s", res.detail);
    }
}

static void assert_refused(const char *url, const char *says)
{
    assert_int_not_equal(send_to(ACME_HTTP_GET, url), 0);
    if (!strstr(res.detail, says)) {
        fail_msg("%s", res.detail);
    }
    assert_string_equal(fake_log(fake), "");
}

static void who_cannot_prove_himself_is_not_asked(void **state)
{
    const char *port = strrchr(fake_address(fake), ':');
    fake_t *honest = fake;

    (void)state;
    /* The certificate is for 127.0.0.1. */
    assert_refused(apr_pstrcat(pool, "https://localhost", port, "/", NULL),
                   "localhost");
    conf.ca_file = NULL;
    open_http();
    assert_refused(at("/"), "AcmeCACertificateFile");
    conf.ca_file = "/nowhere/roots.pem";
    open_http();
    assert_refused(at("/"), "AcmeCACertificateFile");

    fake = fake_start(TLS1_1_VERSION);
    conf.ca_file = fake_ca_file(fake);
    open_http();
    assert_refused(at("/"), at("/"));
    assert_int_equal(fake_connections(fake), 0);
    fake_stop(fake);
    fake = honest;
}

/* Roots that somebody else has parsed. */
static struct {
    unsigned int number;
    const char *file;           /* NULL: they cannot be set */
    int used;
} parsed;

static unsigned int is_parsed(void *baton)
{
    assert_ptr_equal(baton, &parsed);
    return parsed.number;
}

static int use_parsed(void *baton, void *ssl_ctx)
{
    assert_ptr_equal(baton, &parsed);
    parsed.used++;
    return parsed.file
        && SSL_CTX_load_verify_locations(ssl_ctx, parsed.file, NULL);
}

static void roots_are_parsed_by_others(void **state)
{
    static const acme_http_roots_t roots = { &parsed, is_parsed, use_parsed };
    const char *good = conf.ca_file;
    fake_t *foreign = fake_start(0);

    (void)state;
    fake_serve(fake, (const fake_row_t[]){
        { .request = "GET /", .head = "200 OK", .body = "got" }, { 0 } });
    conf.roots = &roots;
    parsed.number = 1;
    parsed.file = good;
    parsed.used = 0;
    /* The file is not read, nor the system's. */
    conf.ca_file = "/nowhere/roots.pem";
    open_http();
    assert_int_equal(get("/"), 0);
    assert_int_equal(get("/"), 0);
    assert_int_equal(fake_connections(fake), 1);
    assert_int_equal(parsed.used, 1);

    /* Other ones: who was verified with the old ones is verified anew. */
    parsed.number = 2;
    assert_int_equal(get("/"), 0);
    assert_int_equal(fake_connections(fake), 2);
    parsed.number = 3;
    parsed.file = fake_ca_file(foreign);
    assert_int_not_equal(get("/"), 0);
    assert_int_equal(res.reason, ACME_REASON_CA_UNTRUSTED);
    assert_non_null(strstr(res.detail, "AcmeCACertificateFile"));

    /* They cannot be set, and nobody is trusted for that. */
    parsed.file = NULL;
    parsed.number = 4;
    assert_int_not_equal(get("/"), 0);
    assert_int_equal(res.reason, ACME_REASON_CA_UNTRUSTED);
    assert_non_null(strstr(res.detail, "AcmeCACertificateFile"));

    /* They cannot be had: those of the file. */
    parsed.number = 0;
    parsed.used = 0;
    assert_int_not_equal(get("/"), 0);
    assert_non_null(strstr(res.detail, "/nowhere/roots.pem"));
    conf.ca_file = good;
    open_http();
    assert_int_equal(get("/"), 0);
    assert_int_equal(parsed.used, 0);
    conf.roots = NULL;
    fake_stop(foreign);
}

static void the_system_has_roots(void **state)
{
    const char *file, *folder;

    (void)state;
    if (!acme_http_system_roots(&file, &folder)) {
        skip();
    }
    assert_int_equal(access(file, R_OK), 0);
    assert_non_null(strchr(acme_http_tls_library(), '/'));
}

static void the_proxy_is_the_configured_one(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "GET /", .head = "200 OK" },
        { 0 }
    };

    (void)state;
    fake_serve(fake, rows);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    assert_int_equal(get("/"), 0);
    unsetenv("https_proxy");

    setenv("no_proxy", "*", 1);
    fake_serve(fake, NULL);
    conf.proxy = "http://secret:word@127.0.0.1:1";
    open_http();
    assert_refused(at("/"), "AcmeProxy");
    assert_null(strstr(res.detail, "word"));
    conf.proxy = "http://proxy.invalid:1";
    open_http();
    assert_refused(at("/"), "AcmeProxy");
    unsetenv("no_proxy");
}

static void a_reply_that_ends_early_is_none(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "GET /", .head = "200 OK", .body = "half of it",
          .how = FAKE_CUT },
        { .request = "GET /again", .head = "200 OK", .body = "whole" },
        { 0 }
    };

    (void)state;
    fake_serve(fake, rows);
    assert_int_equal(get("/"), APR_EGENERAL);
    assert_null(reply);
    assert_int_equal(get("/again"), 0);
    assert_string_equal(reply->body, "whole");
}

static void *stop_soon(void *data)
{
    apr_sleep(LEAVE_AFTER);
    acme_stop_now(data);
    return NULL;
}

/* The request hangs; how long from the stop until we are back? */
static void assert_left(const char *url)
{
    apr_time_t begin = apr_time_now();
    pthread_t thread;

    pthread_create(&thread, NULL, stop_soon, conf.stop);
    assert_int_equal(send_to(ACME_HTTP_GET, url), APR_EINTR);
    assert_in_range(apr_time_now() - begin, LEAVE_AFTER,
                    LEAVE_AFTER + LEAVE_WITHIN);
    pthread_join(thread, NULL);
    assert_null(reply);

    /* And nothing begins any more. */
    fake_serve(fake, NULL);
    assert_int_equal(send_to(ACME_HTTP_GET, at("/")), APR_EINTR);
    assert_string_equal(fake_log(fake), "");
}

static void a_stop_leaves_a_server_that_is_silent(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "GET /", .how = FAKE_HANG, .head = "" },
        { 0 }
    };

    (void)state;
    fake_serve(fake, rows);
    assert_left(at("/"));
}

static void a_stop_leaves_half_a_reply(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "GET /", .how = FAKE_STALL, .head = "200 OK",
          .body = "half of it" },
        { 0 }
    };

    (void)state;
    fake_serve(fake, rows);
    assert_left(at("/"));
}

/* It listens, so the kernel connects us, but nobody shakes hands. */
static void a_stop_leaves_a_handshake(void **state)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&in, &len);
    assert_left(apr_psprintf(pool, "https://127.0.0.1:%d/",
                             ntohs(in.sin_port)));
    close(fd);
}

/* http is one thread's, but a process has many. */
static void *get_many(void *data)
{
    apr_pool_t *own = data;
    acme_http_request_t request = { .method = ACME_HTTP_GET,
                                    .url = apr_pstrcat(own, fake_address(fake),
                                                       "/", NULL) };
    acme_http_reply_t *mine;
    acme_http_t *each;
    acme_result_t why;
    intptr_t good = 0;
    int i;

    if (acme_http_create(&each, &conf, &why, own) == APR_SUCCESS) {
        for (i = 0; i < THREAD_CALLS; i++) {
            good += acme_http_send(&mine, each, &request, &why, own)
                    == APR_SUCCESS && mine->status == 200;
        }
    }
    return (void *)good;
}

static void threads_do_not_meet(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "GET /", .head = "200 OK", .body = "{}" },
        { 0 }
    };

    (void)state;
    fake_serve(fake, rows);
    assert_threads_are_good(get_many);
    assert_int_equal(fake_connections(fake), THREADS);
}

/* Anybody may be there: who it is is what we want to know. */
static void a_visit_goes_to_its_address(void **state)
{
    static const fake_row_t rows[] = {
        { .request = "GET /", .head = "404 Not Found\r\nServer: nginx/1",
          .body = "0123456789" },
        { .request = "GET /moved", .head = "301 Moved\r\nLocation: ~/" },
        { 0 }
    };
    static const char *const hosts[] = {
        "2130706433", "0x7f000001", "0x7f.1", "127.1", "017700000001",
        "localhost", "name.invalid", "[::ffff:127.0.0.1]", "127.0.0.1"
    };
    const char *port = strrchr(fake_address(fake), ':');
    size_t i;
    acme_http_request_t request = {
        .method = ACME_HTTP_GET, .plain = 1, .body_max = 4,
        .address = "127.0.0.1"
    };

    (void)state;
    fake_serve(fake, rows);
    conf.ca_file = NULL;        /* and its certificate is of no root */
    conf.proxy = "http://127.0.0.1:1";
    open_http();
    request.url = apr_pstrcat(pool, "https://name.invalid", port, "/", NULL);
    assert_int_equal(acme_http_send(&reply, http, &request, &res, pool), 0);
    assert_int_equal(reply->status, 404);
    assert_string_equal(reply->server, "nginx/1");
    assert_string_equal(reply->body, "0123");
    assert_non_null(strstr(fake_last_head(fake), "Host: name.invalid"));
    request.url = apr_pstrcat(pool, "https://name.invalid", port, "/moved",
                              NULL);
    assert_int_equal(acme_http_send(&reply, http, &request, &res, pool), 0);
    assert_int_equal(reply->status, 301);

    request.url = "http://name.invalid:1/";
    assert_int_equal(acme_http_send(&reply, http, &request, &res, pool),
                     ECONNREFUSED);
    /* However the host is written: libcurl knows these as 127.0.0.1. */
    request.address = "127.0.0.2";
    for (i = 0; i < COUNT(hosts); i++) {
        request.url = apr_pstrcat(pool, "https://", hosts[i], port, "/", NULL);
        if (acme_http_send(&reply, http, &request, &res, pool)
            != ECONNREFUSED) {
            fail_msg("%s: %s", hosts[i], res.detail);
        }
    }
    /* What other requests get is as strict as before. */
    conf.proxy = NULL;
    open_http();
    assert_int_equal(get("/"), APR_EGENERAL);
    assert_int_equal(res.reason, ACME_REASON_CA_UNTRUSTED);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_visit_goes_to_its_address),
        TEST(a_request_says_what_it_must),
        TEST(headers_are_taken_when_they_are_clean),
        TEST(a_reply_is_bounded),
        TEST(other_addresses_are_refused_before_a_packet_leaves),
        TEST(plain_http_is_a_matter_of_purpose),
        TEST(redirects_are_followed_within_https),
        TEST(a_ca_may_compute_in_silence),
        TEST(a_process_without_descriptors_is_told),
        TEST(who_cannot_prove_himself_is_not_asked),
        TEST(roots_are_parsed_by_others),
        TEST(the_system_has_roots),
        TEST(the_proxy_is_the_configured_one),
        TEST(a_reply_that_ends_early_is_none),
        TEST(a_stop_leaves_a_server_that_is_silent),
        TEST(a_stop_leaves_half_a_reply),
        TEST(a_stop_leaves_a_handshake),
        TEST(threads_do_not_meet)
    };
    int failed;

    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    if (acme_http_init(&res) != APR_SUCCESS) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    acme_http_term();
    apr_terminate();
    return failed;
}
