/*
 * pool.h - what cmocka and APR want of any test, a pool and a result for each.
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
#include <apr_tables.h>

#include "acme_result.h"

/* cmocka 2 warns of the name that cmocka 1 has. */
#ifdef assert_uint_in_range
#undef assert_in_range
#define assert_in_range assert_uint_in_range
#endif

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

extern apr_pool_t *pool;
extern acme_result_t res;       /* of the call that was made last */

int pool_setup(void **state);
int pool_teardown(void **state);

/* An array of the words in text. */
apr_array_header_t *words(const char *text);

/* What res says has this in it. */
void assert_detail(const char *says);

#define POOL_TEST(test) \
    cmocka_unit_test_setup_teardown(test, pool_setup, pool_teardown)

#endif
