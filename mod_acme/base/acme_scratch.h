/*
 * acme_scratch.h - memory for a while, which the system gets back.
 *
 * A pool takes from the allocator of its parent and gives back to that, where
 * it stays: what httpd's parent used once, for thousands of virtual hosts, each
 * of its processes would have for ever.
 */
#ifndef ACME_SCRATCH_H
#define ACME_SCRATCH_H

#include <apr_pools.h>

/* A pool of p with an allocator of its own. */
apr_pool_t *acme_scratch_create(apr_pool_t *p);

#endif
