/*
 * threads.c - see threads.h.
 */
#include <pthread.h>

#include "threads.h"

void assert_threads_are_good(void *(*run)(void *own))
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
