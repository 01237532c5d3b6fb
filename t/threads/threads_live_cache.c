/*
 * threads_live_cache.c - one thread publishes certificates, others ask for them
 * as handshakes do, and use what they got.
 *
 * The libraries are compiled without ThreadSanitizer: that a reader uses what
 * another one has freed is seen by OpenSSL's own calls, which it intercepts.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include <openssl/ssl.h>

#include "acme_live_cache.h"
#include "acme_self_signed.h"

#define CERTS 2
#define READERS 4
#define PAIRS 4
#define WRITINGS 1500

static apr_pool_t *pool;
static acme_live_pair_t ready[PAIRS];
static acme_live_pairs_t *pairs;
static acme_live_cache_t *cache;
static atomic_int is_over;

static void fail(const char *what)
{
    fprintf(stderr, "threads_live_cache: %s\n", what);
    exit(1);
}

static void on_fault(void *unused, int cert, const char *detail)
{
    (void)unused;
    (void)cert;
    fail(detail);
}

/* The last one is the issuer of all, as far as a chain's reader looks. */
static void make_pairs(void)
{
    apr_array_header_t *names = apr_array_make(pool, 1, sizeof(const char *));
    acme_self_signed_t from = { .names = names, .now = apr_time_now(),
                                .valid = apr_time_from_sec(3600) };
    const char *pems[PAIRS];
    acme_result_t res;
    int i;

    APR_ARRAY_PUSH(names, const char *) = "example.org";
    for (i = 0; i < PAIRS; i++) {
        if (acme_self_signed_key(&ready[i].key, ACME_SELF_SIGNED_P256, &res,
                                 pool)) {
            fail(res.detail);
        }
        from.key_pem = ready[i].key;
        if (acme_self_signed_make(&pems[i], &from, &res, pool)) {
            fail(res.detail);
        }
    }
    for (i = 0; i < PAIRS; i++) {
        ready[i].chain = apr_pstrcat(pool, pems[i], pems[PAIRS - 1], NULL);
    }
}

/* Now and then there is none. */
static void *publish_all(void *unused)
{
    acme_result_t res;
    int n;

    for (n = 1; n <= WRITINGS; n++) {
        if (n % 50 == 0) {
            acme_live_pairs_withdraw(pairs, n % CERTS);
        }
        else if (acme_live_pairs_publish(pairs, n % CERTS, n,
                                         &ready[n % PAIRS], 1, &res)) {
            fail(res.detail);
        }
        usleep(500);
    }
    is_over = 1;
    return unused;
}

static void use(SSL_CTX *ctx, const acme_live_cert_t *taken)
{
    SSL *ssl = SSL_new(ctx);

    if (!ssl || SSL_use_cert_and_key(ssl, taken->pairs[0].leaf,
                                     taken->pairs[0].key,
                                     taken->pairs[0].rest, 1) != 1) {
        fail("OpenSSL does not accept a pair");
    }
    SSL_free(ssl);
    if (X509_check_private_key(taken->pairs[0].leaf, taken->pairs[0].key)
        != 1) {
        fail("a key is not that of its certificate");
    }
}

static void *ask_all(void *counted)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    int last[CERTS] = { 0 };
    int i = 0;

    while (!is_over) {
        const acme_live_cert_t *taken = acme_live_cache_take(cache, i);

        if (taken) {
            if (taken->archive < last[i]) {
                fail("an older one was used after a newer one");
            }
            last[i] = taken->archive;
            use(ctx, taken);
            ++*(long *)counted;
        }
        acme_live_cache_release(taken);
        i = (i + 1) % CERTS;
    }
    SSL_CTX_free(ctx);
    return NULL;
}

int main(void)
{
    pthread_t writer, readers[READERS];
    long counted[READERS] = { 0 };
    acme_result_t res;
    int i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    make_pairs();
    if (acme_live_pairs_create(&pairs, CERTS, &res, pool)
        || acme_live_cache_create(&cache, pairs, CERTS, on_fault, NULL, &res,
                                  pool)) {
        fail(res.detail);
    }
    for (i = 0; i < READERS; i++) {
        if (pthread_create(&readers[i], NULL, ask_all, &counted[i])) {
            fail("no thread");
        }
    }
    if (pthread_create(&writer, NULL, publish_all, NULL)) {
        fail("no thread");
    }
    pthread_join(writer, NULL);
    for (i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
        if (!counted[i]) {
            fail("a reader has got nothing");
        }
    }
    apr_pool_destroy(pool);
    printf("threads_live_cache: %d writings, %d readers: no race\n", WRITINGS,
           READERS);
    return 0;
}
