/*
 * acme_live_cache.c - what was published, ready for handshakes.
 *
 * The lock is held for a comparison and a counter, never while anything is
 * parsed. A certificate is freed by the last of its readers.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "acme_chain.h"
#include "acme_key.h"
#include "acme_live_cache.h"
#include "acme_openssl.h"

/* Certificates of a CA that the chains of many share. */
#define ISSUERS 16

/* Until what was being replaced without an end is read again. */
#define AGAIN apr_time_from_msec(100)

typedef struct {
    acme_live_cert_t cert;      /* the first: readers have its address */
    atomic_uint readers;        /* and the slot that it is in */
    atomic_int is_refused;
    apr_array_header_t names;
} entry_t;

typedef struct {
    _Atomic apr_uint32_t seen;  /* the last that was read, or tried; 0: none */
    int is_busy;                /* a thread reads it now */
    apr_uint32_t told;          /* the last whose fault was told */
    apr_time_t again_at;        /* 0: what was seen is final */
    entry_t *entry;             /* NULL: none */
} slot_t;

struct acme_live_cache_t {
    const acme_live_pairs_t *pairs;
    acme_live_cache_fault_cb *fault;
    void *baton;
    apr_thread_mutex_t *lock;   /* of the slots and issuers */
    apr_thread_cond_t *read;    /* a slot is not busy any more */
    X509 *issuers[ISSUERS];
    int next_issuer;
    int nslots;
    slot_t slots[];
};

static void free_entry(entry_t *entry)
{
    int i;

    for (i = 0; i < entry->cert.kinds; i++) {
        X509_free(entry->cert.pairs[i].leaf);
        sk_X509_pop_free(entry->cert.pairs[i].rest, X509_free);
        EVP_PKEY_free(entry->cert.pairs[i].key);
    }
    free(entry);
}

static void release(entry_t *entry)
{
    if (entry && atomic_fetch_sub(&entry->readers, 1) == 1) {
        free_entry(entry);
    }
}

void acme_live_cache_release(const acme_live_cert_t *taken)
{
    release((entry_t *)taken);
}

const acme_live_cert_t *acme_live_cache_share(const acme_live_cert_t *taken)
{
    atomic_fetch_add(&((entry_t *)taken)->readers, 1);
    return taken;
}

void acme_live_cache_refuse(const acme_live_cert_t *taken)
{
    atomic_store(&((entry_t *)taken)->is_refused, 1);
}

int acme_live_cache_is_refused(const acme_live_cert_t *taken)
{
    return atomic_load(&((const entry_t *)taken)->is_refused);
}

/* In one piece of memory with the texts of its names. */
static entry_t *make_entry(const acme_chain_t *chain)
{
    const acme_cert_info_t *leaf = acme_chain_leaf(chain);
    apr_size_t size = sizeof(entry_t);
    const char **names;
    entry_t *entry;
    char *text;
    int i;

    for (i = 0; i < leaf->names->nelts; i++) {
        size += sizeof(char *)
            + strlen(APR_ARRAY_IDX(leaf->names, i, const char *)) + 1;
    }
    entry = calloc(1, size);
    if (!entry) {
        return NULL;
    }
    names = (const char **)(entry + 1);
    text = (char *)(names + leaf->names->nelts);
    for (i = 0; i < leaf->names->nelts; i++) {
        names[i] = text;
        text = stpcpy(text, APR_ARRAY_IDX(leaf->names, i, const char *)) + 1;
    }
    entry->names.elts = (char *)names;
    entry->names.elt_size = sizeof(char *);
    entry->names.nelts = entry->names.nalloc = leaf->names->nelts;
    entry->cert.names = &entry->names;
    entry->cert.not_after = leaf->not_after;
    atomic_init(&entry->readers, 1);
    return entry;
}

/* Thousands of chains have the same few of them: the one that is here already,
   with a reference for the caller. */
static X509 *share_issuer(acme_live_cache_t *cache, X509 *issuer)
{
    X509 *same = NULL;
    int i;

    apr_thread_mutex_lock(cache->lock);
    for (i = 0; i < ISSUERS && !same; i++) {
        if (cache->issuers[i] && !X509_cmp(cache->issuers[i], issuer)) {
            same = cache->issuers[i];
        }
    }
    if (!same) {
        same = issuer;
        X509_free(cache->issuers[cache->next_issuer]);
        cache->issuers[cache->next_issuer] = issuer;
        cache->next_issuer = (cache->next_issuer + 1) % ISSUERS;
        X509_up_ref(issuer);
    }
    X509_up_ref(same);
    apr_thread_mutex_unlock(cache->lock);
    return same;
}

static int add_rest(acme_live_credentials_t *pair, acme_live_cache_t *cache,
                    const acme_chain_t *chain)
{
    int i;

    pair->rest = sk_X509_new_null();
    for (i = 1; pair->rest && acme_chain_x509(chain, i); i++) {
        X509 *issuer = share_issuer(cache, acme_chain_x509(chain, i));

        if (!sk_X509_push(pair->rest, issuer)) {
            X509_free(issuer);
            return 0;
        }
    }
    return pair->rest != NULL;
}

static apr_status_t add_pair(acme_live_cert_t *cert, acme_live_cache_t *cache,
                             const acme_chain_t *chain, acme_key_t *key,
                             acme_result_t *res)
{
    acme_live_credentials_t *pair = &cert->pairs[cert->kinds++];

    pair->leaf = acme_chain_x509(chain, 0);
    X509_up_ref(pair->leaf);
    pair->key = acme_openssl_unite(pair->leaf, acme_key_evp(key));
    if (!pair->key) {
        return acme_fail_never(res, APR_EINVAL,
                               "the key is not that of the certificate: %s",
                               acme_openssl_reason());
    }
    return add_rest(pair, cache, chain) ? APR_SUCCESS
        : acme_fail(res, APR_ENOMEM, "not enough memory");
}

static apr_status_t parse(entry_t **pentry, acme_live_cache_t *cache,
                          const acme_live_pairs_read_t *read,
                          acme_result_t *res, apr_pool_t *p)
{
    entry_t *entry = NULL;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < read->kinds; i++) {
        const char *pem = read->pairs[i].chain;
        acme_chain_t *chain;
        acme_key_t *key;

        rv = acme_chain_parse(&chain, pem, strlen(pem), res, p);
        if (rv == APR_SUCCESS) {
            rv = acme_key_parse(&key, read->pairs[i].key, "private key", res,
                                p);
        }
        if (rv == APR_SUCCESS && !entry) {
            entry = make_entry(chain);
            rv = entry ? APR_SUCCESS
                : acme_fail(res, APR_ENOMEM, "not enough memory");
        }
        if (rv == APR_SUCCESS) {
            rv = add_pair(&entry->cert, cache, chain, key, res);
        }
    }
    if (rv != APR_SUCCESS && entry) {
        free_entry(entry);
        entry = NULL;
    }
    *pentry = entry;
    return rv;
}

/* A pool that only this thread knows: the parent's may be at their end. */
static apr_status_t read_published(entry_t **pentry, acme_live_cache_t *cache,
                                   int cert, acme_result_t *res)
{
    acme_live_pairs_read_t read;
    apr_status_t rv;
    apr_pool_t *p;

    *pentry = NULL;
    if (apr_pool_create_unmanaged_ex(&p, NULL, NULL)) {
        return acme_fail(res, APR_ENOMEM, "not enough memory");
    }
    rv = acme_live_pairs_read(&read, cache->pairs, cert, p);
    if (rv == APR_SUCCESS) {
        rv = parse(pentry, cache, &read, res, p);
    }
    else if (APR_STATUS_IS_EAGAIN(rv)) {
        acme_fail(res, rv, "it is being replaced, and that does not end");
    }
    else {
        acme_fail(res, rv, "it is damaged in memory");
    }
    if (*pentry) {
        (*pentry)->cert.generation = read.generation;
        (*pentry)->cert.archive = read.archive;
    }
    ERR_clear_error();          /* it is a handshake's queue, which looks there */
    apr_pool_destroy(p);
    return rv;
}

/* With the lock: the former one, whose reference is the caller's. */
static entry_t *settle(slot_t *slot, apr_uint32_t published, entry_t *fresh,
                       apr_status_t rv)
{
    entry_t *former = NULL;

    if (rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv)) {
        former = slot->entry;
        slot->entry = fresh;
    }
    slot->again_at = APR_STATUS_IS_EAGAIN(rv) || APR_STATUS_IS_ENOMEM(rv)
        ? apr_time_now() + AGAIN : 0;
    atomic_store(&slot->seen, fresh ? fresh->cert.generation
                 : APR_STATUS_IS_ENOENT(rv) ? 0 : published);
    slot->is_busy = 0;
    return former;
}

static int is_current(const slot_t *slot, apr_uint32_t published)
{
    return slot->seen == published
        && !(slot->again_at && slot->again_at <= apr_time_now());
}

/* With the lock. A keeper that did not get its turn in the middle of writing is
   no fault yet. */
static int is_news(slot_t *slot, apr_uint32_t published, apr_status_t rv)
{
    const int is_first = slot->seen != published;

    if (rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv)
        || slot->told == published || (APR_STATUS_IS_EAGAIN(rv) && is_first)) {
        return 0;
    }
    slot->told = published;
    return 1;
}

/* With the lock, which is given up meanwhile. */
static void renew(acme_live_cache_t *cache, slot_t *slot,
                  apr_uint32_t published)
{
    const int cert = (int)(slot - cache->slots);
    apr_status_t rv = APR_ENOENT;
    entry_t *fresh = NULL, *former;
    acme_result_t res;
    int has_fault;

    slot->is_busy = 1;
    apr_thread_mutex_unlock(cache->lock);
    if (published) {
        rv = read_published(&fresh, cache, cert, &res);
    }
    apr_thread_mutex_lock(cache->lock);
    has_fault = is_news(slot, published, rv);
    former = settle(slot, published, fresh, rv);
    apr_thread_cond_broadcast(cache->read);
    apr_thread_mutex_unlock(cache->lock);
    if (has_fault) {
        cache->fault(cache->baton, cert, res.detail);
    }
    release(former);
    apr_thread_mutex_lock(cache->lock);
}

const acme_live_cert_t *acme_live_cache_take(acme_live_cache_t *cache,
                                             int cert)
{
    slot_t *slot = &cache->slots[cert];
    apr_uint32_t published;
    entry_t *entry;

    if (!acme_live_pairs_generation(cache->pairs, cert)
        && !atomic_load(&slot->seen)) {
        return NULL;
    }
    apr_thread_mutex_lock(cache->lock);
    while (slot->is_busy) {
        apr_thread_cond_wait(cache->read, cache->lock);
    }
    published = acme_live_pairs_generation(cache->pairs, cert);
    if (!is_current(slot, published)) {
        renew(cache, slot, published);
    }
    entry = slot->entry;
    if (entry) {
        atomic_fetch_add(&entry->readers, 1);
    }
    apr_thread_mutex_unlock(cache->lock);
    return entry ? &entry->cert : NULL;
}

static apr_status_t destroy(void *data)
{
    acme_live_cache_t *cache = data;
    int i;

    for (i = 0; i < cache->nslots; i++) {
        release(cache->slots[i].entry);
    }
    for (i = 0; i < ISSUERS; i++) {
        X509_free(cache->issuers[i]);
    }
    return APR_SUCCESS;
}

apr_status_t acme_live_cache_create(acme_live_cache_t **pcache,
                                    const acme_live_pairs_t *pairs, int certs,
                                    acme_live_cache_fault_cb *fault,
                                    void *baton, acme_result_t *res,
                                    apr_pool_t *p)
{
    acme_live_cache_t *cache = apr_pcalloc(p, sizeof(*cache)
                                           + (apr_size_t)certs
                                             * sizeof(slot_t));
    apr_status_t rv;

    *pcache = NULL;
    cache->pairs = pairs;
    cache->fault = fault;
    cache->baton = baton;
    cache->nslots = certs;
    rv = apr_thread_mutex_create(&cache->lock, APR_THREAD_MUTEX_DEFAULT, p);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&cache->read, p);
    }
    if (rv != APR_SUCCESS) {
        return acme_fail(res, rv, "no lock can be made");
    }
    apr_pool_cleanup_register(p, cache, destroy, apr_pool_cleanup_null);
    *pcache = cache;
    return APR_SUCCESS;
}
