/*
 * pool.h - what cmocka and APR want of any test, and a pool for each of them.
 *
 * A test whose setup does more calls pool_setup() first and pool_teardown()
 * where its pool is to go: what lies in it may outlast it, as a folder does.
 */
#ifndef POOL_H
#define POOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>

/* cmocka 2 warns of the name that cmocka 1 has. */
#ifdef assert_uint_in_range
#undef assert_in_range
#define assert_in_range assert_uint_in_range
#endif

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static apr_pool_t *pool;

static inline int pool_setup(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL);
}

static inline int pool_teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

#define POOL_TEST(test) \
    cmocka_unit_test_setup_teardown(test, pool_setup, pool_teardown)

#endif
