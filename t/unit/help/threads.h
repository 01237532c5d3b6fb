/*
 * threads.h - what is one thread's works in each of several.
 */
#ifndef THREADS_H
#define THREADS_H

#include <pthread.h>

#include "pool.h"

#define THREADS 8
#define THREAD_CALLS 10

/* Each thread has a pool of its own and returns how many calls were good. */
static inline void assert_threads_are_good(void *(*run)(void *own))
{
    pthread_t threads[THREADS];
    apr_pool_t *pools[THREADS];
    void *good;
    int i;

    for (i = 0; i < THREADS; i++) {
        apr_pool_create(&pools[i], NULL);
        pthread_create(&threads[i], NULL, run, pools[i]);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &good);
        assert_int_equal((intptr_t)good, THREAD_CALLS);
        apr_pool_destroy(pools[i]);
    }
}

#endif
