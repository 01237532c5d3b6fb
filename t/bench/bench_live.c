/*
 * bench_live.c - what the certificate callback of AcmeActivate live does in a
 * handshake: bench_live FULLCHAIN PRIVKEY; and what memory it takes in a process:
 * bench_live FULLCHAIN PRIVKEY memory.
 *
 * In the order of acme_cert_callback.c, and without httpd. The connection is a
 * real one of OpenSSL's, before its handshake.
 */
#include <malloc.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

#include <openssl/ssl.h>

#include "acme_live_cache.h"
#include "acme_result.h"
#include "bench.h"

#define CERTS 10000
#define PUBLISHED 1
#define TIMES 20000
#define SWAPPED 1000            /* certificates whose memory is measured */

static acme_live_pairs_t *pairs;
static acme_live_cache_t *cache;
static acme_live_pair_t pair;
static SSL *ssl;
static int archive;

static void fail(const char *why)
{
    fprintf(stderr, "bench_live: %s\n", why);
    exit(1);
}

static void on_fault(void *baton, int cert, const char *detail)
{
    (void)baton;
    (void)cert;
    fail(detail);
}

static const char *content(const char *path, apr_pool_t *p)
{
    apr_finfo_t info;
    apr_file_t *file;
    char *text;

    if (apr_file_open(&file, path, APR_FOPEN_READ, 0, p)
        || apr_file_info_get(&info, APR_FINFO_SIZE, file)) {
        fail(path);
    }
    text = apr_pcalloc(p, (apr_size_t)info.size + 1);
    if (apr_file_read_full(file, text, (apr_size_t)info.size, NULL)) {
        fail(path);
    }
    apr_file_close(file);
    return text;
}

/* What comes before the certificate is known. */
static const acme_live_cert_t *take(int cert)
{
    const unsigned char *protocol;
    unsigned int len;

    SSL_get0_alpn_selected(ssl, &protocol, &len);
    if (len || SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
        fail("a handshake has begun");
    }
    return acme_live_cache_take(cache, cert);
}

static void not_swapped(void *baton, int times)
{
    (void)baton;
    while (times-- > 0) {
        if (take(0)) {
            fail("a certificate that nobody published");
        }
        SSL_set_cert_cb(ssl, NULL, NULL);
    }
}

static void swap(int cert)
{
    const acme_live_cert_t *live = take(cert);

    if (!live) {
        fail("what was published is not there");
    }
    SSL_certs_clear(ssl);
    if (SSL_use_cert_and_key(ssl, live->pairs[0].leaf, live->pairs[0].key,
                             live->pairs[0].rest, 1) != 1) {
        fail("OpenSSL refuses the certificate");
    }
    acme_live_cache_release(live);
    SSL_set_cert_cb(ssl, NULL, NULL);
}

static void swapped(void *baton, int times)
{
    (void)baton;
    while (times-- > 0) {
        swap(PUBLISHED);
    }
}

static void publish_as(int cert)
{
    acme_result_t res;

    if (acme_live_pairs_publish(pairs, cert, ++archive, &pair, 1, &res)) {
        fail(res.detail);
    }
}

static void publish(void)
{
    publish_as(PUBLISHED);
}

/* The first handshake of a process behind each swap, and the swap. */
static void first(void *baton, int times)
{
    (void)baton;
    while (times-- > 0) {
        publish();
        acme_live_cache_release(take(PUBLISHED));
    }
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)

/* What each of a thousand takes; replaced ones leave nothing behind. */
static void measure_memory(void)
{
    const size_t before = mallinfo2().uordblks;
    int round, i;

    for (round = 0; round < 4; round++) {
        for (i = 0; i < SWAPPED; i++) {
            publish_as(PUBLISHED + 1 + i);
            swap(PUBLISHED + 1 + i);
        }
        printf("%s, octets of each | %zu used | %zu from the system\n",
               round ? "replaced" : "swapped",
               (mallinfo2().uordblks - before) / SWAPPED,
               (size_t)mallinfo2().arena / SWAPPED);
    }
}

#else

static void measure_memory(void)
{
    fail("the memory is counted by glibc 2.33 and later");
}

#endif

int main(int argc, char **argv)
{
    acme_result_t res;
    apr_pool_t *p;
    SSL_CTX *ctx;

    apr_initialize();
    apr_pool_create(&p, NULL);
    if (argc < 3 || argc > 4 || (argc == 4 && strcmp(argv[3], "memory"))) {
        fail("usage: bench_live FULLCHAIN PRIVKEY [memory]");
    }
    pair.chain = content(argv[1], p);
    pair.key = content(argv[2], p);
    ctx = SSL_CTX_new(TLS_server_method());
    ssl = SSL_new(ctx);
    if (acme_live_pairs_create(&pairs, CERTS, &res, p)
        || acme_live_cache_create(&cache, pairs, CERTS, on_fault, NULL, &res,
                                  p)) {
        fail(res.detail);
    }
    publish();
    if (argc == 4) {
        swapped(NULL, 1);
        measure_memory();
        return 0;
    }
    bench_row("not swapped", not_swapped, NULL, TIMES);
    bench_row("swapped", swapped, NULL, TIMES);
    bench_row("the first after a swap, once in each process, with the swap",
              first, NULL, TIMES / 100);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    apr_terminate();
    return 0;
}
