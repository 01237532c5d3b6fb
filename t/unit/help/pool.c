/*
 * pool.c - see pool.h.
 */
#include "pool.h"

apr_pool_t *pool;
acme_result_t res;

int pool_setup(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL);
}

int pool_teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

apr_array_header_t *words(const char *text)
{
    apr_array_header_t *list = apr_array_make(pool, 4,
                                              sizeof(const char *));
    char *last, *word, *copy = apr_pstrdup(pool, text);

    for (word = apr_strtok(copy, " ", &last); word;
         word = apr_strtok(NULL, " ", &last)) {
        APR_ARRAY_PUSH(list, const char *) = word;
    }
    return list;
}

void assert_detail(const char *says)
{
    if (!strstr(res.detail, says)) {
        fail_msg("\"%s\" says not \"%s\"", res.detail, says);
    }
}
