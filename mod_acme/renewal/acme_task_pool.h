/*
 * acme_task_pool.h - memory of a thread of renewal: no lock is shared with
 * others, and it goes back to the system when the thread ends.
 */
#ifndef ACME_TASK_POOL_H
#define ACME_TASK_POOL_H

#include <apr_pools.h>

/* A pool with an allocator of its own, which ends with it. NULL: there is not
   enough memory. */
apr_pool_t *acme_task_pool_make(void);

/* The same for a pool in which several threads make theirs. */
apr_pool_t *acme_task_pool_make_shared(void);

#endif
