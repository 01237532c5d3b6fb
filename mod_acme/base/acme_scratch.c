/*
 * acme_scratch.c - memory for a while, which the system gets back.
 */
#include <apr_allocator.h>

#include "acme_scratch.h"

apr_pool_t *acme_scratch_create(apr_pool_t *p)
{
    apr_allocator_t *allocator = NULL;
    apr_pool_t *scratch;

    if (apr_allocator_create(&allocator)
        || apr_pool_create_ex(&scratch, p, NULL, allocator)) {
        if (allocator) {
            apr_allocator_destroy(allocator);
        }
        apr_pool_create(&scratch, p);
        return scratch;
    }
    apr_allocator_owner_set(allocator, scratch);
    return scratch;
}
