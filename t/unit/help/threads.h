/*
 * threads.h - what is one thread's works in each of several.
 */
#ifndef THREADS_H
#define THREADS_H

#include "pool.h"

#define THREADS 8
#define THREAD_CALLS 10

/* Each thread has a pool of its own and returns how many calls were good. */
void assert_threads_are_good(void *(*run)(void *own));

#endif
