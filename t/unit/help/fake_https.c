/*
 * fake_https.c - a thread that accepts, and one a connection.
 *
 * fake_stop() shuts every socket down and joins every thread, so that a
 * hanging request never outlives its test.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "fake_https.h"

#define CONNECTIONS_MAX 256
#define LOG_SIZE (64 * 1024)
#define REQUEST_SIZE (64 * 1024)

typedef struct {
    fake_t *fake;
    pthread_t thread;
    int fd;
} connection_t;

struct fake_t {
    SSL_CTX *ctx;
    int fd;
    pthread_t thread;
    char address[64];
    char ca_file[64];
    pthread_mutex_t mutex;      /* guards all below */
    int stopping;
    const fake_row_t *rows;
    int used[64];
    char log[LOG_SIZE];
    char log_read[LOG_SIZE];
    char head[REQUEST_SIZE];
    int handshakes;
    int count;
    connection_t connections[CONNECTIONS_MAX];
};

static EVP_PKEY *make_key(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(
        ctx, NID_X9_62_prime256v1), 1);
    assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(extension);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_NAME_new();

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               (const unsigned char *)"fake", -1, -1, 0);
    X509_set_subject_name(cert, name);
    X509_set_issuer_name(cert, name);
    X509_NAME_free(name);
    X509_set_pubkey(cert, key);
    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, NID_subject_alt_name, "IP:127.0.0.1");
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void make_context(fake_t *fake, int tls_max)
{
    EVP_PKEY *key = make_key();
    X509 *cert = make_certificate(key);
    FILE *f;

    fake->ctx = SSL_CTX_new(TLS_server_method());
    assert_non_null(fake->ctx);
    if (tls_max) {
        SSL_CTX_set_security_level(fake->ctx, 0);
        SSL_CTX_set_min_proto_version(fake->ctx, 0);
        SSL_CTX_set_max_proto_version(fake->ctx, tls_max);
    }
    assert_int_equal(SSL_CTX_use_certificate(fake->ctx, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(fake->ctx, key), 1);
    strcpy(fake->ca_file, "/tmp/fake-https-XXXXXX");
    f = fdopen(mkstemp(fake->ca_file), "w");
    assert_non_null(f);
    PEM_write_X509(f, cert);
    fclose(f);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* text with the server's address for each '~'; to be freed. */
static char *expand(const fake_t *fake, const char *text)
{
    size_t step = strlen(fake->address);
    char *out = malloc(strlen(text) * (step + 1) + 1), *to = out;

    for (; *text; text++) {
        if (*text == '~') {
            strcpy(to, fake->address);
            to += step;
        }
        else {
            *to++ = *text;
        }
    }
    *to = '\0';
    return out;
}

/* Log a request and find its row; the mutex makes both one step. */
static const fake_row_t *choose(fake_t *fake, const char *head,
                                const char *body)
{
    const fake_row_t *row = NULL;
    size_t len = strcspn(strchr(head, ' ') + 1, " ") + strcspn(head, " ") + 1;
    size_t used;
    int i;

    pthread_mutex_lock(&fake->mutex);
    used = strlen(fake->log);
    snprintf(fake->log + used, LOG_SIZE - used, "%.*s%s%s\n", (int)len, head,
             *body ? " " : "", body);
    snprintf(fake->head, REQUEST_SIZE, "%s", head);
    for (i = 0; fake->rows && fake->rows[i].request && !row; i++) {
        const fake_row_t *this = &fake->rows[i];

        if (strlen(this->request) == len
            && !strncmp(this->request, head, len)
            && (!this->times || fake->used[i] < this->times)) {
            fake->used[i]++;
            row = this;
        }
    }
    pthread_mutex_unlock(&fake->mutex);
    return row;
}

/* Until the client has gone, or fake_stop(). */
static void hang(SSL *ssl)
{
    char c;

    while (SSL_read(ssl, &c, 1) > 0) {
        ;
    }
}

/* Returns whether the connection goes on. */
static int answer(fake_t *fake, SSL *ssl, const fake_row_t *row, int is_head)
{
    char *head = expand(fake, row ? row->head : "404 Not Found");
    char *body = expand(fake, row && row->body ? row->body : "");
    size_t len = strlen(body), size = strlen(head) + 128;
    fake_e how = row ? row->how : FAKE_WHOLE;
    char *text = malloc(size);
    int go_on = 0;

    if (how == FAKE_HANG) {
        hang(ssl);
        goto out;
    }
    if (how == FAKE_LATE) {
        usleep(FAKE_LATE_MS * 1000);
        how = FAKE_WHOLE;
    }
    if (how == FAKE_RAW || how == FAKE_ENDLESS) {
        snprintf(text, size, "HTTP/1.1 %s\r\n\r\n", head);
    }
    else {
        snprintf(text, size, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n",
                 head, len);
    }
    SSL_write(ssl, text, (int)strlen(text));
    if (how == FAKE_STALL || how == FAKE_CUT) {
        len /= 2;
    }
    do {
        go_on = is_head || !len || SSL_write(ssl, body, (int)len) > 0;
    } while (how == FAKE_ENDLESS && len && go_on);
    if (how == FAKE_STALL) {
        hang(ssl);
    }
    go_on = go_on && how == FAKE_WHOLE;
out:
    free(head);
    free(body);
    free(text);
    return go_on;
}

/* Read one request: its head, and its body in *pbody. Both in buf. */
static int receive(SSL *ssl, char *buf, char **pbody)
{
    size_t len = 0, need = 0;
    char *end = NULL;

    while (!end || strlen(end + 4) < need) {
        const char *length;
        int n = SSL_read(ssl, buf + len, (int)(REQUEST_SIZE - 1 - len));

        if (n <= 0) {
            return 0;
        }
        len += n;
        buf[len] = '\0';
        end = strstr(buf, "\r\n\r\n");
        length = strstr(buf, "Content-Length: ");
        need = length ? strtoul(length + 16, NULL, 10) : 0;
    }
    end[2] = '\0';
    *pbody = end + 4;
    return 1;
}

static void *serve(void *data)
{
    connection_t *connection = data;
    fake_t *fake = connection->fake;
    SSL *ssl = SSL_new(fake->ctx);
    char *buf = malloc(REQUEST_SIZE), *body;
    int go_on = 1, on = 1;

    /* Head and body are two writes, and must not wait for each other. */
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    SSL_set_fd(ssl, connection->fd);
    if (SSL_accept(ssl) == 1) {
        pthread_mutex_lock(&fake->mutex);
        fake->handshakes++;
        pthread_mutex_unlock(&fake->mutex);
        while (go_on && receive(ssl, buf, &body)) {
            go_on = answer(fake, ssl, choose(fake, buf, body),
                           !strncmp(buf, "HEAD ", 5));
        }
        SSL_shutdown(ssl);
    }
    shutdown(connection->fd, SHUT_RDWR);
    SSL_free(ssl);
    free(buf);
    return NULL;
}

static void *accept_all(void *data)
{
    fake_t *fake = data;
    int fd;

    while ((fd = accept(fake->fd, NULL, NULL)) >= 0) {
        connection_t *connection;

        pthread_mutex_lock(&fake->mutex);
        if (fake->stopping || fake->count == CONNECTIONS_MAX) {
            close(fd);
        }
        else {
            connection = &fake->connections[fake->count++];
            connection->fake = fake;
            connection->fd = fd;
            pthread_create(&connection->thread, NULL, serve, connection);
        }
        pthread_mutex_unlock(&fake->mutex);
    }
    return NULL;
}

void fake_serve(fake_t *fake, const fake_row_t *rows)
{
    pthread_mutex_lock(&fake->mutex);
    fake->rows = rows;
    memset(fake->used, 0, sizeof(fake->used));
    fake->log[0] = '\0';
    pthread_mutex_unlock(&fake->mutex);
}

fake_t *fake_start(int tls_max)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof(in);
    fake_t *fake = calloc(1, sizeof(*fake));

    make_context(fake, tls_max);
    pthread_mutex_init(&fake->mutex, NULL);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fake->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fake->fd, (struct sockaddr *)&in, len), 0);
    assert_int_equal(listen(fake->fd, 64), 0);
    getsockname(fake->fd, (struct sockaddr *)&in, &len);
    snprintf(fake->address, sizeof(fake->address), "https://127.0.0.1:%d",
             ntohs(in.sin_port));
    pthread_create(&fake->thread, NULL, accept_all, fake);
    return fake;
}

void fake_stop(fake_t *fake)
{
    int i;

    pthread_mutex_lock(&fake->mutex);
    fake->stopping = 1;
    for (i = 0; i < fake->count; i++) {
        shutdown(fake->connections[i].fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&fake->mutex);
    shutdown(fake->fd, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    for (i = 0; i < fake->count; i++) {
        pthread_join(fake->connections[i].thread, NULL);
        close(fake->connections[i].fd);
    }
    close(fake->fd);
    unlink(fake->ca_file);
    SSL_CTX_free(fake->ctx);
    pthread_mutex_destroy(&fake->mutex);
    free(fake);
}

const char *fake_address(const fake_t *fake)
{
    return fake->address;
}

const char *fake_ca_file(const fake_t *fake)
{
    return fake->ca_file;
}

const char *fake_log(fake_t *fake)
{
    pthread_mutex_lock(&fake->mutex);
    strcpy(fake->log_read, fake->log);
    pthread_mutex_unlock(&fake->mutex);
    return fake->log_read;
}

const char *fake_last_head(fake_t *fake)
{
    pthread_mutex_lock(&fake->mutex);
    strcpy(fake->log_read, fake->head);
    pthread_mutex_unlock(&fake->mutex);
    return fake->log_read;
}

int fake_connections(fake_t *fake)
{
    int n;

    pthread_mutex_lock(&fake->mutex);
    n = fake->handshakes;
    pthread_mutex_unlock(&fake->mutex);
    return n;
}
