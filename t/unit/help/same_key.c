/*
 * same_key.c - see same_key.h.
 */
#include <string.h>

#include "pool.h"
#include "same_key.h"

int same_key(acme_key_t *a, acme_key_t *b)
{
    const char *one, *other;
    acme_result_t why;

    return !acme_key_thumbprint(&one, a, &why, pool)
        && !acme_key_thumbprint(&other, b, &why, pool)
        && !strcmp(one, other);
}
