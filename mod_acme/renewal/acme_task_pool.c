/*
 * acme_task_pool.c - memory of a thread of renewal.
 */
#include <apr_thread_mutex.h>

#include "acme_task_pool.h"

apr_pool_t *acme_task_pool_make(void)
{
    apr_allocator_t *allocator;
    apr_pool_t *p;

    if (apr_allocator_create(&allocator)) {
        return NULL;
    }
    if (apr_pool_create_ex(&p, NULL, NULL, allocator)) {
        apr_allocator_destroy(allocator);
        return NULL;
    }
    apr_allocator_owner_set(allocator, p);
    return p;
}

apr_pool_t *acme_task_pool_make_shared(void)
{
    apr_pool_t *p = acme_task_pool_make();
    apr_thread_mutex_t *mutex;

    if (!p) {
        return NULL;
    }
    if (apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, p)) {
        apr_pool_destroy(p);
        return NULL;
    }
    apr_allocator_mutex_set(apr_pool_allocator_get(p), mutex);
    return p;
}
