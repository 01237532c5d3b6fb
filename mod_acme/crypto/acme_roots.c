/*
 * acme_roots.c - root certificates, parsed once for all connections.
 *
 * A store that connections use is never changed: another one takes its place,
 * and OpenSSL frees it with the last of them.
 */
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <apr_time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "acme_roots.h"

/* A folder's change does not show in the file. */
#define AGE_MAX apr_time_from_sec(3600)

/* Whoever replaces a file changes one of these. */
typedef struct {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
} identity_t;

struct acme_roots_t {
    const char *file;
    const char *folder;         /* NULL: none */
    apr_thread_mutex_t *mutex;  /* guards all below */
    X509_STORE *store;          /* NULL: they cannot be read */
    identity_t identity;        /* of the file that was parsed */
    apr_time_t parsed;          /* when; 0: never */
    unsigned int number;
};

static apr_status_t free_store(void *data)
{
    acme_roots_t *roots = data;

    X509_STORE_free(roots->store);
    roots->store = NULL;
    return APR_SUCCESS;
}

apr_status_t acme_roots_create(acme_roots_t **proots, const char *file,
                               const char *folder, apr_pool_t *p)
{
    acme_roots_t *roots = apr_pcalloc(p, sizeof(*roots));
    apr_status_t rv = apr_thread_mutex_create(&roots->mutex,
                                              APR_THREAD_MUTEX_DEFAULT, p);

    roots->file = apr_pstrdup(p, file);
    roots->folder = folder ? apr_pstrdup(p, folder) : NULL;
    apr_pool_cleanup_register(p, roots, free_store, apr_pool_cleanup_null);
    *proots = rv == APR_SUCCESS ? roots : NULL;
    return rv;
}

/* All zeros: there is no such file. */
static identity_t identify(const char *file)
{
    identity_t identity;
    struct stat st;

    memset(&identity, 0, sizeof(identity));
    if (stat(file, &st) == 0) {
        identity.device = st.st_dev;
        identity.inode = st.st_ino;
        identity.size = st.st_size;
        identity.changed = st.st_ctim;
    }
    return identity;
}

static int is_same(const identity_t *a, const identity_t *b)
{
    return a->device == b->device && a->inode == b->inode
        && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec
        && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* NULL: there is no file, or no certificate in it. */
static X509_STORE *parse(const acme_roots_t *roots)
{
    X509_STORE *store = X509_STORE_new();

    if (store
        && (X509_STORE_load_locations(store, roots->file, roots->folder) != 1
            || !X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST
                                            | X509_V_FLAG_PARTIAL_CHAIN))) {
        X509_STORE_free(store);
        store = NULL;
    }
    ERR_clear_error();          /* libcurl looks into this thread's queue */
    return store;
}

unsigned int acme_roots_ready(acme_roots_t *roots)
{
    /* Before it is read: one that is replaced meanwhile is read again. */
    const identity_t identity = identify(roots->file);
    const apr_time_t now = apr_time_now();
    unsigned int number;

    apr_thread_mutex_lock(roots->mutex);
    if (!roots->store || !is_same(&identity, &roots->identity)
        || now < roots->parsed || now - roots->parsed > AGE_MAX) {
        X509_STORE_free(roots->store);
        roots->store = parse(roots);
        roots->identity = identity;
        roots->parsed = now;
        roots->number += roots->store != NULL;
    }
    number = roots->store ? roots->number : 0;
    apr_thread_mutex_unlock(roots->mutex);
    return number;
}

int acme_roots_use(acme_roots_t *roots, void *ssl_ctx)
{
    int is_ready;

    apr_thread_mutex_lock(roots->mutex);
    is_ready = roots->store != NULL;
    if (is_ready) {
        SSL_CTX_set1_cert_store(ssl_ctx, roots->store);
    }
    apr_thread_mutex_unlock(roots->mutex);
    return is_ready;
}
