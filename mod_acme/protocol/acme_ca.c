/*
 * acme_ca.c - a CA as all threads share it.
 *
 * The mutex guards memory and is never held while a request is under way.
 */
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include "acme_ca.h"

#define DIRECTORY_AGE_MAX apr_time_from_sec(24 * 60 * 60)

struct acme_ca_t {
    const char *url;
    acme_nonces_t *nonces;
    apr_thread_cond_t *fetched;
    apr_thread_mutex_t *mutex;  /* guards all below */
    int is_fetching;            /* somebody does, the directory */
    unsigned int fetches;       /* of it that have ended */
    apr_pool_t *directory_pool;         /* of this alone */
    acme_directory_t *directory;        /* NULL: not fetched yet */
    apr_time_t directory_time;
};

apr_status_t acme_ca_create(acme_ca_t **pca, const char *url, apr_pool_t *p)
{
    acme_ca_t *ca = apr_pcalloc(p, sizeof(*ca));
    apr_status_t rv;

    *pca = NULL;

    rv = apr_thread_mutex_create(&ca->mutex, APR_THREAD_MUTEX_DEFAULT, p);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&ca->fetched, p);
    }
    if (rv == APR_SUCCESS) {
        rv = acme_nonces_create(&ca->nonces, p);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_pool_create(&ca->directory_pool, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    ca->url = apr_pstrdup(p, url);

    *pca = ca;
    return APR_SUCCESS;
}

const char *acme_ca_url(const acme_ca_t *ca)
{
    return ca->url;
}

acme_nonces_t *acme_ca_nonces(acme_ca_t *ca)
{
    return ca->nonces;
}

const acme_directory_t *acme_ca_directory(acme_ca_t *ca, apr_pool_t *p)
{
    const acme_directory_t *dir = NULL;
    apr_time_t now = apr_time_now();

    apr_thread_mutex_lock(ca->mutex);
    if (ca->directory && now - ca->directory_time < DIRECTORY_AGE_MAX) {
        dir = acme_directory_copy(ca->directory, p);
    }
    apr_thread_mutex_unlock(ca->mutex);
    return dir;
}

int acme_ca_directory_begin(acme_ca_t *ca)
{
    unsigned int fetches;
    int is_ours;

    apr_thread_mutex_lock(ca->mutex);
    is_ours = !ca->is_fetching;
    ca->is_fetching = 1;
    fetches = ca->fetches;
    /* Who fetches leaves when it is stopped, so no wait is for ever. */
    while (!is_ours && fetches == ca->fetches) {
        apr_thread_cond_wait(ca->fetched, ca->mutex);
    }
    apr_thread_mutex_unlock(ca->mutex);
    return is_ours;
}

void acme_ca_directory_end(acme_ca_t *ca)
{
    apr_thread_mutex_lock(ca->mutex);
    ca->is_fetching = 0;
    ca->fetches++;
    apr_thread_cond_broadcast(ca->fetched);
    apr_thread_mutex_unlock(ca->mutex);
}

void acme_ca_directory_keep(acme_ca_t *ca, const acme_directory_t *fresh)
{
    apr_thread_mutex_lock(ca->mutex);
    apr_pool_clear(ca->directory_pool);
    ca->directory = acme_directory_copy(fresh, ca->directory_pool);
    ca->directory_time = apr_time_now();
    apr_thread_mutex_unlock(ca->mutex);
}

void acme_ca_directory_forget(acme_ca_t *ca)
{
    apr_thread_mutex_lock(ca->mutex);
    ca->directory_time = 0;
    apr_thread_mutex_unlock(ca->mutex);
}
